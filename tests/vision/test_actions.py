"""What people do with their heads, and what the eyes make of it, at 10 to 30 frames a second."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.core.types import Action
from edge.vision.actions import ActionWatcher
from edge.vision.settings import ActionSettings
from tests.vision.timeline import Face, names, seen

RATES = pytest.mark.parametrize("fps", [10, 15, 24, 30])


@RATES
def test_somebody_who_blinks_twice_is_seen_to_blink_twice(fps: float) -> None:
    assert names(Face(fps).calm(1.5).blink(0.3).calm(0.6).blink(0.3).calm(1)) == [Action.BLINK] * 2


def test_a_blink_of_a_tenth_of_a_second_is_seen_at_thirty_frames() -> None:
    assert names(Face(30).calm(1.5).blink(0.1).calm(1)) == [Action.BLINK]


@RATES
def test_an_old_slow_blink_counts(fps: float) -> None:
    assert names(Face(fps).calm(2).blink(0.6).calm(1)) == [Action.BLINK]


@RATES
@pytest.mark.parametrize("seconds", [1.0, 2.0, 4.0])
def test_eyes_kept_shut_on_request_are_seen_and_so_is_for_how_long(fps: float, seconds: float) -> None:
    (shut,) = seen(Face(fps).calm(2).closed_eyes(seconds).calm(2))
    assert shut.action is Action.BLINK
    assert (shut.completed_ns - shut.started_ns) / 1e9 == pytest.approx(seconds, abs=1.6 / fps)


@RATES
def test_closing_the_eyes_to_rest_is_no_blink(fps: float) -> None:
    assert names(Face(fps).calm(2).closed_eyes(12).calm(2)) == []


@RATES
def test_lids_that_follow_a_long_look_down_are_not_shut(fps: float) -> None:
    assert names(Face(fps).calm(2).blink(0.3).calm(1).closed_eyes(2, depth=0.25).calm(2)) == [Action.BLINK]


@RATES
def test_narrow_eyes_that_shut_by_a_third_are_known_by_their_own_blinks(fps: float) -> None:
    face = Face(fps, eyes=0.17, tremor=0.5).calm(2)
    for _ in range(3):
        face = face.blink(0.4, depth=0.27).calm(1.2)
    assert names(face.closed_eyes(1.5, depth=0.28).calm(1.5)) == [Action.BLINK] * 4


@RATES
def test_a_head_that_goes_down_with_the_eyes_is_reading_not_shutting_them(fps: float) -> None:
    assert Action.BLINK not in names(Face(fps).calm(2).reads(1.6).calm(2))


def test_lids_that_stay_half_down_after_a_blink_are_not_a_second_one() -> None:
    face = Face().calm(2).blink(0.2, depth=0.4)
    assert names(face.closed_eyes(0.3, depth=0.18).calm(1.5)) == [Action.BLINK]


@RATES
def test_looking_down_slowly_is_no_blink(fps: float) -> None:
    assert names(Face(fps).calm(2).looks_down(1.5).calm(1)) == []


@RATES
def test_turns_are_the_persons_own_left_and_right(fps: float) -> None:
    face = Face(fps).calm(1.5).turn_left().calm(1).turn_right().calm(1)
    assert names(face) == [Action.TURN_LEFT, Action.TURN_RIGHT]


@RATES
def test_a_stiff_neck_that_turns_slowly_and_not_far_is_enough(fps: float) -> None:
    assert names(Face(fps).calm(1.5).turn(22, seconds=6).calm(1)) == [Action.TURN_LEFT]


def test_a_glance_aside_is_not_a_turn() -> None:
    assert names(Face().calm(1.5).turn(12).calm(1)) == []


def test_a_turn_that_is_held_counts_once_and_its_way_back_is_not_the_other_turn() -> None:
    assert names(Face().calm(1.5).turn(30, seconds=12).calm(2)) == [Action.TURN_LEFT]


@RATES
def test_a_nod_counts_when_the_head_is_back(fps: float) -> None:
    assert names(Face(fps).calm(1.5).nod().calm(1)) == [Action.NOD]


def test_looking_at_the_keypad_is_no_nod() -> None:
    assert names(Face().calm(1.5).nod(20, seconds=8).calm(1)) == []


@RATES
def test_a_mouth_opened_on_request_counts(fps: float) -> None:
    assert names(Face(fps).calm(1.5).opens_mouth().calm(1)) == [Action.OPEN_MOUTH]


@RATES
def test_a_laugh_draws_the_lips_wide_and_is_no_open_mouth(fps: float) -> None:
    assert names(Face(fps).calm(1.5).laughs(2.0).calm(1)) == []


@RATES
def test_a_small_mouth_opened_a_little_is_enough(fps: float) -> None:
    assert names(Face(fps).calm(1.5).opens_mouth(1.5, gap=0.19).calm(1)) == [Action.OPEN_MOUTH]


@RATES
@pytest.mark.parametrize("yaw", [-25.0, 22.0])
def test_who_sits_beside_the_camera_or_above_it_is_seen_like_everybody(fps: float, yaw: float) -> None:
    face = Face(fps, yaw_deg=yaw, pitch_deg=-18).calm(1.5).turn_left().calm(1.5).nod().calm(1).turn_right().calm(1)
    assert names(face) == [Action.TURN_LEFT, Action.NOD, Action.TURN_RIGHT]


@RATES
def test_a_head_that_is_still_turning_to_the_camera_has_no_neutral_yet(fps: float) -> None:
    assert names(Face(fps).turns_up(30, 1.5).calm(3)) == []


@RATES
def test_a_glance_at_somebody_down_at_the_side_is_no_nod(fps: float) -> None:
    assert Action.NOD not in names(Face(fps).calm(2).glances_down_aside().calm(1.5))


@RATES
def test_a_minute_of_talking_is_no_action(fps: float) -> None:
    assert names(Face(fps).calm(1).talks(60).calm(1)) == []


def test_nothing_counts_before_the_neutral_is_known() -> None:
    assert names(Face().calm(0.2).blink().calm(0.1)) == []


def test_after_a_change_of_posture_the_new_one_becomes_neutral() -> None:
    face = Face().calm(2).shifts(11).calm(6).turn_left().calm(1).turn_right().calm(1)
    assert names(face) == [Action.TURN_LEFT, Action.TURN_RIGHT]


def test_an_action_tells_when_it_began_and_how_clear_it_was() -> None:
    (slight,) = seen(Face().calm(2).turn(21).calm(1))
    (clear,) = seen(Face().calm(2).turn(40).calm(1))
    assert 2.0e9 <= clear.started_ns < clear.completed_ns <= 4.0e9
    assert slight.score < 0.3 < clear.score <= 1.0


def test_what_happens_in_a_gap_between_frames_is_not_an_action() -> None:
    frames = Face().calm(2).nod().calm(1).frames()
    kept = [f for f in frames if not 2.15e9 < f.at_ns < 2.95e9]
    watcher = ActionWatcher(ActionSettings())
    assert [a for frame in kept for a in watcher.step(frame)] == []


@settings(max_examples=30, deadline=None)
@given(
    fps=st.floats(10, 30),
    seed=st.integers(0, 10_000),
    yaw=st.floats(-12, 12),
    pitch=st.floats(-12, 12),
    eyes=st.floats(0.18, 0.36),
    order=st.permutations(["blink", "turn_left", "turn_right", "nod", "opens_mouth"]),
)
def test_everybody_s_own_neutral_and_any_order_are_seen(
    fps: float, seed: int, yaw: float, pitch: float, eyes: float, order: list[str]
) -> None:
    face = Face(fps, yaw, pitch, eyes, seed=seed, tremor=0.7).calm(2)
    for name in order:
        face = (face.blink(0.4) if name == "blink" else getattr(face, name)()).calm(1.5)
    wanted = [Action(name.replace("opens_mouth", "open_mouth")) for name in order]
    actions = seen(face)
    assert [a.action for a in actions] == wanted
    assert all(one.completed_ns <= other.started_ns for one, other in pairwise(actions))
