"""What a film that happens to move gets out of the challenge: rules and chances."""

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.core.policy import Policy
from edge.core.types import Action, ActionSeen
from tests.bounds import wilson
from tests.core.luck import Attacker, Film, challenge_passed, chance, show_reel

SECOND = 1_000_000_000
POLICY = Policy()


def film(*movements: tuple[Action, float, float], length_s: float = 60.0) -> Film:
    seen = [ActionSeen(action, round(a * SECOND), round(b * SECOND), 0.5) for action, a, b in movements]
    return Film(seen, round(length_s * SECOND))


def test_somebody_who_only_blinks_by_themselves_never_answers() -> None:
    lively = film(*((Action.BLINK, t, t + 0.35) for t in range(0, 60, 1)))
    assert all(chance(lively, POLICY, 1, 100, first=action) == 0 for action in Action)
    assert chance(lively, POLICY, 1, 200, Attacker(frozenset({Action.BLINK}), 4)) == 0


def test_a_still_picture_never_answers() -> None:
    assert chance(film(), POLICY, 1, 200) == 0


def test_a_film_of_one_movement_passes_about_as_often_as_that_is_asked() -> None:
    nods = show_reel(5, 3, loops=20, only=[Action.NOD])
    assert chance(nods, POLICY, 1, 400, first=Action.NOD) > 0.9
    # Asked anything else first, its nods are too many, and another action, perhaps the nod, is asked once.
    assert 0.3 < chance(nods, POLICY, 1, 400) < 0.5


def test_refusing_until_the_films_movement_is_asked_pays_and_so_it_has_to_be_limited() -> None:
    nods = show_reel(5, 3, loops=20, only=[Action.NOD])
    passed = [chance(nods, POLICY, 1, 200, Attacker(frozenset({Action.NOD}), n)) for n in (0, 1, 4)]
    assert passed == sorted(passed) and passed[-1] > 0.9 and passed[POLICY.refusals_most] < 0.75


def test_a_show_reel_passes_less_often_the_fewer_other_movements_are_forgiven() -> None:
    reel = show_reel(4, 3, loops=20)
    passed = [chance(reel, replace(POLICY, other_actions_most=most), 1, 150) for most in (0, 1, 3)]
    assert passed == sorted(passed) and passed[0] < 0.55 and passed[2] > 0.9


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), every=st.floats(2, 20), most=st.integers(0, 3))
def test_nothing_but_the_action_asked_ever_passes(seed: int, every: float, most: int) -> None:
    asked, *others = random.Random(seed).sample(list(Action), 5)
    reel = show_reel(every, seed, loops=6, only=others)
    only = replace(POLICY, actions=(asked,), other_actions_most=most)
    assert not challenge_passed(reel, only, random.Random(seed))


def test_bounds_of_a_share() -> None:
    assert wilson(0, 0) == (0.0, 1.0)
    assert wilson(34, 35) == pytest.approx((0.855, 0.995), abs=0.001)
