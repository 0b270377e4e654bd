"""The whole eyes on the shipped models and real pixels."""

from collections.abc import Mapping
from dataclasses import fields

import cv2
import numpy as np
import pytest

from edge.core.types import Advice, Cues, Observation
from edge.ports import Floats, Frame, Net, Pixels
from edge.vision import geometry
from edge.vision.landmarks import Mesh
from edge.vision.pipeline import Eyes, find_mesh
from tests.vision.photos import FRAME_NS, HEIGHT, WIDTH, collins, film, hopper, moved, noisy, still


def look(eyes: Eyes, frames: list[Frame]) -> list[Observation]:
    return [eyes.observe(frame) for frame in frames]


def advice_for(eyes: Eyes, rgb: Pixels) -> Advice:
    return look(eyes, still(rgb, 2))[-1].advice


def hopper_in_the_place_of(rgb: Pixels, nets: Mapping[str, Net]) -> Pixels:
    """Grace Hopper's portrait laid so that her features are exactly where those of ``rgb`` are."""
    portrait = hopper()
    theirs, hers = find_mesh(nets, rgb), find_mesh(nets, portrait)
    assert theirs is not None and hers is not None
    matrix = geometry.umeyama(Mesh(hers, 1.0).five, Mesh(theirs, 1.0).five)
    laid = cv2.warpAffine(portrait, matrix, (WIDTH, HEIGHT), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(laid, np.uint8)


def reference(eyes: Eyes, rgb: Pixels) -> Floats:
    description = eyes.describe(Frame(0, 0, rgb))
    assert description is not None
    return description.embedding[None]


# --- one frame ---------------------------------------------------------------------------------------------------


def test_somebody_who_stands_well_is_ready_and_alive(eyes: Eyes) -> None:
    seen = look(eyes, still(collins(), 10))
    last = seen[-1]
    assert {o.advice for o in seen} == {Advice.READY} and last.faces == 1 and last.track == 1
    assert 0.15 < last.face_width < 0.25 and abs(last.yaw_deg) < 8 and abs(last.roll_deg) < 8
    assert all(o.passive is not None and o.match is None and o.probe_frames == 0 for o in seen)
    assert last.neutral and not seen[3].neutral


def test_an_empty_room_is_no_face(eyes: Eyes) -> None:
    (seen,) = look(eyes, still(np.full((HEIGHT, WIDTH, 3), 120, np.uint8), 1))
    assert (seen.faces, seen.advice, seen.track) == (0, Advice.NO_FACE, 0)


@pytest.mark.parametrize(
    ("change", "advice"),
    [
        ({"size": 0.65, "y": 40}, Advice.TOO_FAR),
        ({"size": 3.4, "x": 150, "y": 300}, Advice.TOO_NEAR),
        ({"x": -210}, Advice.MOVE_LEFT),  # she is at the picture's left, so her own left brings her to the middle
        ({"x": 260}, Advice.MOVE_RIGHT),
        ({"y": 250}, Advice.MOVE_UP),
        ({"y": -80}, Advice.MOVE_DOWN),
        ({"roll_deg": 28, "y": 60}, Advice.LOOK_STRAIGHT),
    ],
)
def test_who_stands_badly_is_told_where_to_go(eyes: Eyes, change: dict[str, float], advice: Advice) -> None:
    assert advice_for(eyes, moved(collins(), **change)) is advice


def test_a_camera_of_few_pixels_asks_people_to_come_nearer_instead_of_guessing(eyes: Eyes) -> None:
    tiny = np.asarray(cv2.resize(collins(), (128, 96), interpolation=cv2.INTER_AREA))
    assert advice_for(eyes, tiny) in {Advice.TOO_FAR, Advice.NO_FACE}


def test_in_the_dark_light_is_what_helps(eyes: Eyes) -> None:
    assert advice_for(eyes, (collins() * 0.18).astype(np.uint8)) is Advice.TOO_DARK


def test_burnt_out_skin_is_too_bright(eyes: Eyes) -> None:
    assert advice_for(eyes, np.clip(collins() * 1.1 + 70, 0, 255).astype(np.uint8)) is Advice.TOO_BRIGHT


def test_a_window_behind_somebody_is_backlight(eyes: Eyes, nets: Mapping[str, Net]) -> None:
    rgb = collins()
    mesh = find_mesh(nets, rgb)
    assert mesh is not None
    person = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.fillConvexPoly(person, cv2.convexHull(mesh[:, :2].astype(np.int32)), 1)
    backlit = np.where(person[..., None] > 0, rgb * 0.25, np.minimum(rgb * 0.2 + 200, 255)).astype(np.uint8)
    assert advice_for(eyes, backlit) is Advice.BACKLIGHT


@pytest.mark.parametrize("kernel", [(21, 1), (17, 17)])
def test_a_smeared_face_should_hold_still(eyes: Eyes, kernel: tuple[int, int]) -> None:
    smeared = np.asarray(cv2.blur(collins(), kernel), np.uint8)
    smooth = [Frame(f.number, f.at_ns, np.asarray(cv2.blur(f.rgb, (3, 3)), np.uint8)) for f in still(smeared, 2)]
    assert look(eyes, smooth)[-1].advice is Advice.HOLD_STILL


def test_somebody_who_walks_past_should_hold_still(eyes: Eyes) -> None:
    seen = look(eyes, film(lambda n: moved(collins(), x=-80 + 16 * n), 8))
    assert {o.advice for o in seen[1:]} == {Advice.HOLD_STILL} and {o.track for o in seen} == {1}


@pytest.mark.parametrize("colour", [(90, 150, 200), (235, 235, 235), (20, 20, 25)])
def test_a_mask_over_the_mouth_should_come_off(
    eyes: Eyes, nets: Mapping[str, Net], colour: tuple[int, int, int]
) -> None:
    rgb = collins()
    mesh = find_mesh(nets, rgb)
    assert mesh is not None
    outline = [93, 132, 58, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397, 288, 361, 323, 195]
    cv2.fillConvexPoly(rgb, cv2.convexHull(mesh[outline, :2].astype(np.int32)), colour)
    assert advice_for(eyes, rgb) is Advice.UNCOVER_FACE


def test_two_people_at_the_terminal_are_one_too_many_and_a_passer_by_is_not(eyes: Eyes) -> None:
    half = cv2.resize(collins()[:, 100:420], (320, 480))
    assert advice_for(eyes, np.hstack([half, half])) is Advice.TWO_FACES
    assert look(eyes, still(np.hstack([half, half]), 1, start=100))[0].faces == 2


def test_a_second_person_who_joins_is_noticed_within_half_a_second(eyes: Eyes) -> None:
    half = cv2.resize(collins()[:, 100:420], (320, 480))
    alone, together = np.hstack([half, np.full_like(half, 128)]), np.hstack([half, half])
    look(eyes, still(alone, 5))
    after = look(eyes, still(together, 8, start=5))
    assert Advice.TWO_FACES in [o.advice for o in after]


# --- many frames: tracks, probes, swaps --------------------------------------------------------------------------


def test_the_same_face_matches_its_reference_and_another_does_not(eyes: Eyes, nets: Mapping[str, Net]) -> None:
    for other, low, high in ((collins(), 0.8, 1.0), (hopper(), -0.3, 0.35)):
        eyes.watch(reference(eyes, other))
        seen = look(eyes, still(collins(), 10, start=100))
        matches = [o.match for o in seen if o.match is not None]
        assert len(matches) == seen[-1].probe_frames == 5
        assert low < matches[-1] <= high


def test_passive_and_embedding_take_turns_on_good_frames(eyes: Eyes) -> None:
    eyes.watch(reference(eyes, collins()))
    seen = look(eyes, still(collins(), 6))
    assert [(o.match is None, o.passive is None) for o in seen] == [(False, True), (True, False)] * 3


def test_a_frame_that_is_not_good_adds_nothing_to_the_evidence(eyes: Eyes) -> None:
    eyes.watch(reference(eyes, collins()))
    seen = look(eyes, still((collins() * 0.18).astype(np.uint8), 4))
    assert all(o.passive is None and o.match is None and o.probe_frames == 0 for o in seen)


def test_somebody_who_takes_the_others_place_gets_a_track_of_their_own(eyes: Eyes, nets: Mapping[str, Net]) -> None:
    first, second = collins(), hopper_in_the_place_of(collins(), nets)
    eyes.watch(reference(eyes, first))
    before = look(eyes, still(first, 12))
    after = look(eyes, still(second, 8, start=12))
    assert {o.track for o in before} == {1} and before[-1].probe_frames == 6
    # The place is the same to the pixel: only the embedding can tell, and it does within two good frames.
    assert after[2].track == 2 and after[-1].track == 2
    later = [o.match for o in after[2:] if o.match is not None]
    assert later and max(later) < 0.35 and after[-1].probe_frames <= 4


def test_a_face_that_leaves_and_comes_back_is_a_new_track(eyes: Eyes) -> None:
    nobody = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)
    eyes.watch(reference(eyes, collins()))
    look(eyes, still(collins(), 6))
    gone = look(eyes, still(nobody, 8, start=6))
    back = [o for o in look(eyes, still(collins(), 4, start=14)) if o.faces]
    assert {o.faces for o in gone} == {0} and {o.track for o in back} == {2}
    assert back[0].probe_frames == 1 and not back[0].neutral


def test_one_lost_frame_does_not_end_a_track(eyes: Eyes) -> None:
    look(eyes, still(collins(), 6))
    look(eyes, still(np.full((HEIGHT, WIDTH, 3), 128, np.uint8), 1, start=6))
    assert look(eyes, still(collins(), 2, start=7))[-1].track == 1


def test_a_busy_machine_keeps_the_track_and_a_long_blackout_does_not(eyes: Eyes) -> None:
    look(eyes, still(collins(), 4))
    assert look(eyes, still(collins(), 1, start=12))[0].track == 1  # half a second without frames
    assert look(eyes, still(collins(), 1, start=24))[0].track == 2  # eight tenths


def test_a_face_that_jumps_through_the_picture_is_another_face(eyes: Eyes) -> None:
    before = look(eyes, still(moved(collins(), x=-150), 4))
    after = look(eyes, still(moved(collins(), x=150), 4, start=4))
    assert before[-1].track == 1 and {o.track for o in after[1:]} == {2}


def test_watching_somebody_new_forgets_the_one_before(eyes: Eyes) -> None:
    eyes.watch(reference(eyes, collins()))
    look(eyes, still(collins(), 10))
    eyes.watch(None)
    seen = look(eyes, still(collins(), 3, start=10))
    assert {o.track for o in seen} == {2} and not seen[0].neutral
    assert all(o.match is None and o.probe_frames == 0 for o in seen)


def test_a_frozen_camera_gives_no_new_evidence(eyes: Eyes) -> None:
    eyes.watch(reference(eyes, collins()))
    frames = still(collins(), 3)
    look(eyes, frames)
    for back in (frames[-1], frames[0]):  # the last picture again, or a ring of old buffers
        (seen,) = look(eyes, [Frame(9, 9 * FRAME_NS, back.rgb.copy())])
        assert seen.frozen and seen.match is None and seen.passive is None and not seen.actions
        assert seen.frame_no == 9 and seen.at_ns == 9 * FRAME_NS
    assert not look(eyes, still(collins(), 1, start=10))[0].frozen


def test_a_small_stream_is_where_the_detector_looks(eyes: Eyes) -> None:
    rgb = noisy(collins(), 1)
    small = np.asarray(cv2.resize(rgb, (320, 240), interpolation=cv2.INTER_AREA), np.uint8)
    seen = eyes.observe(Frame(0, 0, rgb, small))
    plain = eyes.observe(Frame(9, 900 * FRAME_NS, noisy(collins(), 2)))
    assert seen.advice is Advice.READY
    assert abs(seen.face_x - plain.face_x) < 0.01 and abs(seen.face_width - plain.face_width) < 0.01


# --- photos of an enrolment, the simulator's mesh, and what never leaves ---------------------------------------


def test_a_photo_is_described_whatever_its_size_and_frame(eyes: Eyes) -> None:
    portrait = hopper()
    small = cv2.resize(portrait, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    large = cv2.resize(portrait, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)
    described = [eyes.describe(Frame(0, 0, np.asarray(rgb, np.uint8))) for rgb in (portrait, small, large)]
    assert all(d is not None and d.fit for d in described)
    first, *others = [d.embedding for d in described if d is not None]
    assert all(float(first @ other) > 0.85 for other in others)
    assert float(np.linalg.norm(first)) == pytest.approx(1, abs=1e-5) and first.shape == (128,)


def test_a_photo_that_is_all_face_is_given_room(eyes: Eyes, nets: Mapping[str, Net]) -> None:
    portrait = hopper()
    mesh = find_mesh(nets, portrait)
    assert mesh is not None
    (x0, y0), (x1, y1) = mesh[:, :2].min(0).astype(int), mesh[:, :2].max(0).astype(int)
    tight, whole = eyes.describe(Frame(0, 0, portrait[y0:y1, x0:x1].copy())), eyes.describe(Frame(0, 0, portrait))
    assert tight is not None and whole is not None
    assert float(tight.embedding @ whole.embedding) > 0.7


@pytest.mark.parametrize("shape", [(1, 1), (1, 5000), (5000, 2), (20, 60_000)])
def test_a_strip_of_a_picture_is_one_without_a_face(eyes: Eyes, shape: tuple[int, int]) -> None:
    assert eyes.describe(Frame(0, 0, np.full((*shape, 3), 128, np.uint8))) is None


def test_a_photo_without_a_face_is_none_and_an_unfit_one_says_why(eyes: Eyes) -> None:
    assert eyes.describe(Frame(0, 0, np.full((300, 300, 3), 90, np.uint8))) is None
    tilted = eyes.describe(Frame(0, 0, moved(collins(), roll_deg=30, y=60)))
    assert tilted is not None and not tilted.fit and tilted.advice is Advice.LOOK_STRAIGHT


def test_the_mesh_of_a_picture_lies_on_its_face(nets: Mapping[str, Net]) -> None:
    mesh = find_mesh(nets, collins())
    assert mesh is not None and mesh.shape == (468, 3) and mesh.dtype == np.float32
    eyes_y, chin_y = mesh[[33, 263], 1].mean(), mesh[152, 1]
    assert mesh[33, 0] < mesh[1, 0] < mesh[263, 0] and eyes_y < mesh[1, 1] < chin_y
    assert find_mesh(nets, np.full((300, 300, 3), 90, np.uint8)) is None


def test_nothing_but_figures_leaves_an_observation(eyes: Eyes) -> None:
    eyes.watch(reference(eyes, collins()))
    for seen in look(eyes, still(collins(), 4)):
        for value in (getattr(whole, field.name) for whole in (seen, seen.cues) for field in fields(whole)):
            assert value is None or isinstance(value, bool | int | float | str | tuple | Cues)
            parts = value if isinstance(value, tuple) else (value,)
            assert not any(isinstance(part, np.generic) for part in parts)


def test_a_description_does_not_show_its_embedding(eyes: Eyes) -> None:
    assert "embedding" not in repr(eyes.describe(Frame(0, 0, collins())))
