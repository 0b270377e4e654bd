"""The light challenge on a real face: how much real skin's hue wanders, with the page's light put in by calculation.

No page ever lit this man; what is real is how his skin, his head and his camera behave.
"""

from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.core import light
from edge.core.light import Answer, Sample, Showing
from edge.ports import Net
from edge.vision import landmarks, skin
from edge.vision.detect import Detector
from edge.vision.landmarks import Landmarker

CLIP = Path(__file__).parents[3] / "shared/data/talking_face/franck.mp4"
STRETCH_S, STRETCHES, LATE_S = 4.75, 8, 0.12
Seen = list[tuple[float, skin.Colours, float, float]]

pytestmark = pytest.mark.data


@pytest.fixture(scope="module")
def seen(nets: Mapping[str, Net]) -> Seen:
    """Every third frame of the first stretches: seconds, colours, yaw, width."""
    if not CLIP.exists():
        pytest.skip(f"{CLIP} is not here: light was NOT tried on a real face")
    clip, found, number = cv2.VideoCapture(str(CLIP)), [], 0
    landmarker, mesh = Landmarker(nets["face_landmarks"]), None
    fps = clip.get(cv2.CAP_PROP_FPS)
    while number / fps < STRETCHES * STRETCH_S:
        good, bgr = clip.read()
        assert good
        number += 1
        if number % 3 == 0:
            rgb = np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)
            face = Detector(nets["face_detection"]).find(rgb)[0] if mesh is None else None
            mesh = landmarker.at_face(rgb, face) if face else landmarker.again(rgb, mesh) if mesh else None
            assert mesh is not None
            yaw, width = landmarks.pose(mesh.points).yaw_deg, float(mesh.box[2] - mesh.box[0])
            found.append((number / fps, skin.measure(rgb, mesh), yaw, width))
    clip.release()
    return found


def lit(seen: Seen, stretch: int, strength: float) -> light.LightAnswer:
    """The answer of one stretch, had a page of so much of the room's light been before him."""
    begins_ns, steps = round(stretch * STRETCH_S * 1e9), light.sequence(f"{stretch:032x}", 0)
    times = [begins_ns + round(number * light.STEP_S * 1e9) for number in range(len(steps) + 1)]
    asked = tuple(zip(times, [*(step.colour for step in steps), None], strict=True))
    samples = []
    for at_s, colours, yaw_deg, width in seen:
        at_ns = round(at_s * 1e9)
        if begins_ns <= at_ns < begins_ns + STRETCH_S * 1e9 and colours.skin is not None:
            page = light.page_light(asked, at_ns - round(LATE_S * 1e9))
            shone = [_shone_on(each, page, strength * far) for each, far in _places(colours)]
            assert shone[0] is not None
            samples.append(Sample(at_ns, shone[0], shone[1], shone[2], yaw_deg, width))
    return light.answer(Showing(steps, asked, 1, tuple(samples)))


def _places(colours: skin.Colours) -> list[tuple[light.Rgb | None, float]]:
    return [(colours.skin, 1.0), (colours.behind, 0.04), (colours.room, 0.04)]


def _shone_on(colour: light.Rgb | None, page: light.Rgb, share: float) -> light.Rgb | None:
    if colour is None:
        return None
    red, green, blue = (min(c * (1 + share * p) / (1 + share), 1.0) for c, p in zip(colour, page, strict=True))
    return red, green, blue


def test_without_a_page_a_talking_man_seems_neither_to_follow_one_nor_to_be_a_film(seen: Seen) -> None:
    assert {lit(seen, stretch, 0.0).answer for stretch in range(STRETCHES)} == {Answer.UNTOLD}


def test_with_a_fifth_of_his_light_from_the_page_he_follows_while_he_talks(seen: Seen) -> None:
    found = [lit(seen, stretch, 0.2) for stretch in range(STRETCHES)]
    assert {each.answer for each in found} <= {Answer.FOLLOWED, Answer.UNTOLD}
    assert sum(each.answer is Answer.FOLLOWED for each in found) >= STRETCHES - 2
    assert all(each.delay_s == pytest.approx(LATE_S, abs=0.1) for each in found if each.answer is Answer.FOLLOWED)
