"""The light challenge on people, papers and screens of the physical model, and the rules of its colours."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.core import light
from edge.core.light import Answer, Showing
from edge.core.types import Advice, Cues, Observation
from tests.core.lit_people import Setting, Who, answer, answers, visit

NONCES = st.integers(0, 2**128 - 1).map(lambda number: f"{number:032x}")
SECOND = 1_000_000_000
FEW = 5


def all_of(setting: Setting) -> set[Answer]:
    return {each.answer for each in answers(setting, FEW)}


# --- who answers how -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("lux", [30, 100, 300, 600])
def test_a_person_follows_the_page_in_a_dim_and_in_a_normal_room(lux: float) -> None:
    for found in answers(Setting(lux=lux), FEW):
        assert found.answer is Answer.FOLLOWED
        assert found.score is not None and found.score > 0.85
        assert found.behind is not None and found.behind < found.strength / 3


@pytest.mark.parametrize("who", [Who.SCREEN, Who.TABLET])
@pytest.mark.parametrize("lux", [30, 300, 3000])
def test_a_replay_never_follows(who: Who, lux: float) -> None:
    assert Answer.FOLLOWED not in all_of(Setting(who=who, lux=lux))


@pytest.mark.parametrize("lux", [60, 200])
def test_a_replay_in_a_room_that_follows_is_silent(lux: float) -> None:
    """Where the room is nearly as bright as the screen: one far brighter could be a face before a window."""
    found = answers(Setting(who=Who.SCREEN, lux=lux, noise=0.002), FEW)
    assert [each.score for each in found].count(-1.0) >= FEW - 1 and {each.score for each in found} <= {-1.0, None}


@pytest.mark.parametrize("lux", [30, 100, 300])
def test_a_print_follows_as_a_whole(lux: float) -> None:
    assert all_of(Setting(who=Who.PRINT, lux=lux)) == {Answer.ALIKE}


def test_a_tablet_that_mirrors_the_page_follows_as_a_whole() -> None:
    assert all_of(Setting(who=Who.TABLET, mirrored=0.1)) == {Answer.ALIKE}


def test_a_film_of_somebody_lit_by_another_sequence_follows_that_one() -> None:
    assert all_of(Setting(who=Who.FILM)) == {Answer.OTHER}


@pytest.mark.parametrize("who", list(Who))
def test_in_the_sun_a_person_is_told_nothing_against(who: Who) -> None:
    """Neither is anybody else: the page drowns, and light says nothing (but for a film that has its own)."""
    expected = {Answer.OTHER} if who is Who.FILM else {Answer.UNTOLD}
    assert all_of(Setting(who=who, lux=20_000)) == expected


@pytest.mark.parametrize("wall_lux", [20, 50, 100, 300])
@pytest.mark.parametrize("lux", [1000, 3000, 10_000])
def test_who_faces_a_window_before_a_dark_wall_has_nothing_held_against_them(lux: float, wall_lux: float) -> None:
    """The wall is seen to follow, the face outshone by the window hardly: brightness tells why."""
    scores = [found.score for found in answers(Setting(lux=lux, wall_lux=wall_lux), FEW)]
    assert all(score is None or score > 0 for score in scores)


@pytest.mark.parametrize(
    "hard",
    [
        Setting(noise=0.02),
        Setting(balance=0.5),
        Setting(flicker=0.03),
        Setting(warmth=0.8),
        Setting(late_s=0.5),
        Setting(fps=7),
        Setting(sway_deg=8),
    ],
    ids=["noisy", "white balance", "television", "warm lamp", "late", "slow", "restless"],
)
def test_a_person_follows_under_what_disturbs(hard: Setting) -> None:
    assert all_of(hard) == {Answer.FOLLOWED}


def test_how_late_page_and_camera_are_is_found() -> None:
    for late_s in (0.0, 0.2, 0.45):
        assert answer(Setting(late_s=late_s, fps=25)).delay_s == pytest.approx(late_s, abs=0.051)


def test_restless_heads_in_bright_rooms_are_told_nothing_against() -> None:
    for noise in (0.02, 0.05, 0.1):
        scores = [found.score for found in answers(Setting(lux=8000, noise=noise, sway_deg=12), FEW)]
        assert all(score is None or score > 0 for score in scores)


# --- what is listened to -------------------------------------------------------------------------------------


def with_samples(showing: Showing, keep: slice) -> Showing:
    return replace(showing, samples=showing.samples[keep])


def test_too_little_seen_tells_nothing() -> None:
    whole = visit(Setting())
    for keep in (slice(0, 0), slice(0, 20), slice(0, 30), slice(-30, None)):
        assert light.answer(with_samples(whole, keep)).answer is Answer.UNTOLD
    assert light.answer(with_samples(whole, slice(None, None, 2))).answer is Answer.FOLLOWED


def test_before_the_last_colour_nothing_is_told() -> None:
    showing = light.begin("5" * 32, 0, SECOND)
    assert light.answer(showing).answer is Answer.UNTOLD and not showing.over(100 * SECOND)


@pytest.mark.parametrize(
    "useless",
    [
        {"frozen": True},
        {"faces": 2},
        {"track": 8},
        {"at_ns": SECOND - 1},
        {"cues": Cues()},
        {"cues": Cues(skin=(0.0, 0.2, 0.2))},
        {"cues": Cues(skin=(float("nan"), 0.2, 0.2))},
    ],
    ids=["repeated", "two faces", "another track", "from before", "no skin", "black", "no number"],
)
def test_what_says_nothing_of_this_face_is_not_listened_to(useless: dict[str, object]) -> None:
    first = Observation(1, SECOND, 1, Advice.READY, track=7, cues=Cues(skin=(0.3, 0.2, 0.2)))
    showing = light.see(light.begin("5" * 32, 0, SECOND), first)
    assert len(showing.samples) == 1
    assert light.see(showing, replace(first, at_ns=2 * SECOND)).samples[1].at_ns == 2 * SECOND
    assert light.see(showing, replace(first, **({"at_ns": 2 * SECOND} | useless))) == showing  # type: ignore[arg-type]


LIGHTS = st.tuples(*[st.floats(1e-4, 1.0)] * 3)


@settings(max_examples=40)
@given(st.lists(st.tuples(LIGHTS, st.none() | LIGHTS, st.none() | LIGHTS), min_size=30, max_size=60), NONCES)
def test_whatever_is_seen_there_is_an_answer_and_its_score_is_bounded(
    seen: list[tuple[light.Rgb, light.Rgb | None, light.Rgb | None]], nonce: str
) -> None:
    showing = light.begin(nonce, 0, 0)
    for number in range(1, 60):
        showing = light.go_on(showing, number * SECOND // 10)
    for number, (skin, behind, room) in enumerate(seen):
        cues = Cues(skin=skin, behind=behind, room=room)
        at_ns = number * 4_700_000_000 // len(seen)
        showing = light.see(showing, Observation(number, at_ns, 1, Advice.READY, track=1, cues=cues))
    found = light.answer(showing)
    assert found.score is None or -1 <= found.score <= 1
    assert (found.score is None) == (found.answer is Answer.UNTOLD)


# --- the colours ---------------------------------------------------------------------------------------------


@given(NONCES, st.integers(0, 50))
def test_the_colours_follow_from_the_nonce_and_none_comes_twice_in_a_row(nonce: str, draw: int) -> None:
    steps = light.sequence(nonce, draw)
    assert steps == light.sequence(nonce, draw) and len(steps) == light.STEPS
    assert all(one.colour != other.colour for one, other in pairwise(steps))
    assert {step.colour for step in steps} <= set(light.COLOURS)
    assert 0.6 <= min(step.lasts_s for step in steps) <= max(step.lasts_s for step in steps) <= 0.8


def test_who_does_not_know_the_nonce_cannot_foresee_the_colours() -> None:
    drawn = {light.sequence(f"{number:032x}", draw) for number in range(250) for draw in range(2)}
    assert len(drawn) > 480
    firsts = [steps[0].colour for steps in drawn]
    assert min(firsts.count(colour) for colour in light.COLOURS) > 30


def test_each_colour_stands_for_its_time_and_the_page_is_its_own_again() -> None:
    showing = light.begin("a" * 32, 1, SECOND)
    shown = [(SECOND, showing.colour)]
    now_ns = SECOND
    while not showing.over(now_ns):
        now_ns += 100_000_000
        showing = light.go_on(showing, now_ns)
        if showing.colour != shown[-1][1]:
            shown.append((now_ns, showing.colour))
    assert [colour for _, colour in shown] == [step.colour for step in showing.steps] + [None]
    assert all(0.7 <= (after - before) / 1e9 < 0.81 for (before, _), (after, _) in pairwise(shown))
    assert now_ns <= 6 * SECOND + 100_000_000  # five seconds in all
    assert light.go_on(showing, now_ns + SECOND) == showing


def test_the_page_s_light_fades_from_its_own_colour_and_back() -> None:
    asked = ((0, "#86e6e6"), (SECOND, None))
    own, lit = light.page_light((), 0), light.page_light(asked, SECOND - 1)
    assert light.page_light(asked, -1) == own == pytest.approx(light.page_light(asked, 2 * SECOND))
    half = light.page_light(asked, round(light.FADE_S / 2 * 1e9))
    assert all(min(a, b) <= c <= max(a, b) for a, b, c in zip(own, lit, half, strict=True)) and half not in {own, lit}


@pytest.mark.parametrize("lux", [0.2, 0.5, 1.0, 3.0, 10.0])
def test_where_the_page_is_the_only_lamp_a_person_has_nothing_held_against_them(lux: float) -> None:
    """Then the wall follows as well, but is far darker than the face."""
    scores = [found.score for found in answers(Setting(lux=lux), FEW)]
    assert all(score is None or score > 0 for score in scores)
