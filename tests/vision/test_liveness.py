"""The passive net's crop and score."""

import math
from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.ports import Floats, Net, NetSpec, Pixels
from edge.vision.landmarks import Mesh
from edge.vision.liveness import PassiveLiveness, surroundings
from edge.vision.pipeline import find_mesh
from tests.vision import photos, recapture

DATA = Path(__file__).parents[3] / "shared/data/nuaa_dev"


class _Canned:
    """A net that keeps what it was shown and answers with given logits."""

    spec = NetSpec("passive_liveness", "test", 128, "bgr", 0.0, 1.0, ("logits",))

    def __init__(self, *logits: float) -> None:
        self.logits = np.array([logits], np.float32)
        self.shown: list[Pixels] = []

    def run(self, crop: Pixels) -> tuple[Floats, ...]:
        self.shown.append(crop.copy())
        return (self.logits,)


def _logit(score: float) -> float:
    return math.log(score / (1 - score))


def _box(nets: Mapping[str, Net], rgb: Pixels) -> Floats:
    points = find_mesh(nets, rgb)
    assert points is not None
    return Mesh(points, 1.0).detector_box


@pytest.mark.parametrize("margin", [-20.0, 0.0, 9.0, 20.0])
def test_a_sure_net_stays_told_apart_from_a_surer_one(margin: float) -> None:
    score = PassiveLiveness(_Canned(margin, 0.0, -60.0)).score(photos.collins(), np.array([260, 120, 380, 240.0]))
    assert _logit(score) == pytest.approx(margin, abs=0.01)


def test_a_grid_finer_than_the_crop_does_not_fold_into_grain() -> None:
    stripes = np.zeros((480, 640, 3), np.uint8)
    stripes[:, ::2] = 200
    net = _Canned(0, 0, 0)
    PassiveLiveness(net).score(stripes, np.array([220, 140, 420, 340], np.float32))
    assert net.shown[0].std() < 8


def test_every_other_look_is_the_mirror_image() -> None:
    net = _Canned(0, 0, 0)
    passive = PassiveLiveness(net)
    for mirrored in (False, True):
        passive.score(photos.collins(), np.array([260, 120, 380, 240], np.float32), mirrored=mirrored)
    assert np.array_equal(net.shown[0], net.shown[1][:, ::-1])


@given(
    st.floats(-200, 800), st.floats(-200, 700), st.floats(0.1, 900), st.floats(0.1, 900), st.sampled_from([1.0, 2.7])
)
def test_the_surroundings_are_always_inside_the_frame(x: float, y: float, w: float, h: float, scale: float) -> None:
    frame = np.zeros((480, 640, 3), np.uint8)
    left, top, right, bottom = surroundings(frame, np.array([x, y, x + w, y + h], np.float32), scale)
    assert 0 <= left < right <= 640
    assert 0 <= top < bottom <= 480


@pytest.mark.parametrize("kind", ["phone", "tablet", "print"])
def test_a_portrait_scores_lower_on_every_medium_than_before_the_camera(nets: Mapping[str, Net], kind: str) -> None:
    rgb, rng = photos.collins(), np.random.default_rng(5)
    passive = PassiveLiveness(nets["passive_liveness"])
    box, camera = _box(nets, rgb), recapture.Camera()
    direct = recapture.photograph(rgb, camera, rng)
    medium = recapture.some_medium(kind, rng)
    shown = recapture.recapture(rgb, box, medium, recapture.Hold(), camera, np.full_like(rgb, 120), rng)
    scores = [_logit(passive.score(each, _box(nets, each))) for each in (direct, shown)]
    assert scores[1] < scores[0] - 2


@pytest.mark.data
@pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data is not here")
def test_printed_photos_are_far_from_living_people(nets: Mapping[str, Net]) -> None:
    passive = PassiveLiveness(nets["passive_liveness"])
    lowest: dict[str, list[float]] = {"live": [], "spoof": []}
    for kind, logits in lowest.items():
        for number, path in enumerate(sorted((DATA / kind).glob("*.jpg"))[::25]):
            rgb = np.ascontiguousarray(np.asarray(cv2.imread(str(path)), np.uint8)[:, :, ::-1])
            logits.append(_logit(passive.score(rgb, _box(nets, rgb), mirrored=bool(number % 2))))
    assert min(lowest["live"]) > 4.5  # the point of no evidence in the policy's curve
    assert max(lowest["spoof"]) < 0
