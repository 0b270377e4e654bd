"""The policy: plain data in and out, and every threshold in one place."""

import json
import math
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core import challenge
from edge.core.eligibility import Boundary, DatedWindow, MonthlyWindow, Scheme
from edge.core.liveness import Curve
from edge.core.policy import (
    ActionVerdict,
    Office,
    Policy,
    Verdict,
    judge_action,
    judge_liveness,
    judge_match,
)
from edge.core.retry import delay_s
from edge.core.types import Action, ActionSeen

POLICY = Policy()
SECOND = 1_000_000_000
SILENT = {f"{cue}_curve": [[0.0, 0.0]] for cue in ("relief", "moire", "border", "light")}


def test_a_policy_survives_the_wire() -> None:
    policy = Policy(
        version="2026-11-a",
        scheme=Scheme(cut_off=date(2022, 12, 31), windows=(DatedWindow(date(2027, 2, 1), date(2027, 2, 7)),)),
        more_schemes=(Scheme(name="haikou", cycle_months=6, boundary=Boundary.ANNIVERSARY, windows=()),),
        office=Office(place="二楼三号窗口"),
        actions=(Action.NOD, Action.TURN_LEFT),
        moire_curve=Curve(((0.0, 0.5), (2.0, -2.0))),
        light_challenge=True,
    )
    for each in (policy, POLICY):
        assert Policy.from_mapping(json.loads(json.dumps(each.to_mapping()))) == each


def test_what_is_left_out_takes_its_default() -> None:
    assert Policy.from_mapping({}) == POLICY
    assert Policy.from_mapping({"max_tries": 2}).max_tries == 2
    assert Policy.from_mapping({"match_threshold": 1}).match_threshold == 1.0
    assert Policy.from_mapping({"scheme": {"windows": [{"first_day": 5, "last_day": 6}]}}).scheme.windows == (
        MonthlyWindow(5, 6),
    )


@pytest.mark.parametrize(
    ("mapping", "names"),
    [
        ({"max_trys": 3}, "max_trys"),
        ({"max_tries": "3"}, "max_tries"),
        ({"max_tries": True}, "max_tries"),
        ({"max_tries": 0}, "max_tries"),
        ({"match_threshold": 1.5}, "match_threshold"),
        ({"match_threshold": float("nan")}, "match_threshold"),
        ({"match_threshold": 0.1}, "clear miss"),
        ({"action_window_s": 5}, "action_window_s"),
        ({"actions": []}, "actions"),
        ({"actions": ["nod", "nod"]}, "actions"),
        ({"actions": ["dance"]}, "actions"),
        ({"actions": "nod"}, "actions"),
        ({"version": ""}, "version"),
        ({"version": 7}, "version"),
        ({"moire_curve": [[0.0, 0.0], [1.0, 1.0]]}, "moire_curve must fall"),
        ({"relief_curve": [[0.0, 0.0], [1.0, -1.0]]}, "relief_curve must rise"),
        ({"border_curve": [[0.0, 0.0], [1.0, -1.0], [2.0, 0.0]]}, "border_curve: .* throughout"),
        ({"border_curve": [[0.0, 0.0], [0.0, -1.0]]}, "border_curve: .* strictly"),
        ({"border_curve": [[0.0, 0.0], [1.0, float("-inf")]]}, "border_curve: .* finite"),
        ({"border_curve": [[0.0, -21.0]]}, "border_curve: .* within"),
        ({"border_curve": []}, "border_curve: .* one point"),
        ({"border_curve": [[float(n), 0.0] for n in range(65)]}, "border_curve: at most"),
        ({"border_curve": [[0.0, 0.0, 0.0]]}, "border_curve: each point"),
        ({"border_curve": [["0", 0.0]]}, "border_curve: must be a number"),
        ({"border_curve": 0.0}, "border_curve: must be a list"),
        ({"light_challenge": 1}, "light_challenge"),
        ({"liveness_threshold": -3.0}, "clear miss"),
        ({"light_curve": [[0.0, 0.0], [1.0, 20.0]]}, "must not certify"),
        ({"passive_curve": [[0.0, -6.0], [1.0, -0.2]]}, "passive_curve alone"),
        ({"passive_clip": 4.0}, "passive_curve alone"),
        ({"passive_curve": [[-4.0, 1.0], [9.0, 5.0]]} | SILENT | {"liveness_threshold": 0.5}, "must not certify"),
        ({"border_curve": [[0.0, 0.0], [1.0, -9.0]]}, "no other cue alone"),
        ({"passive_threshold": 1.5}, "passive_threshold"),
        ({"passive_threshold": "0.5"}, "passive_threshold"),
        ({"passive_threshold": 0.5, "liveness_threshold": 1.0}, "replaced by liveness_threshold"),
        ({"office": []}, "office"),
        ({"office": {"floor": "2"}}, "floor"),
        ({"scheme": {"cycle": 12}}, "cycle"),
        ({"scheme": {"boundary": "weekly"}}, "boundary"),
        ({"scheme": {"cut_off": "31.12.2022"}}, "cut_off"),
        ({"scheme": {"windows": [{"first_day": 1}]}}, "window"),
        ({"scheme": {"cycle_months": 12.0}}, "cycle_months"),
        ({"more_schemes": [{"name": "beijing"}]}, "scheme"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(mapping: dict[str, Any], names: str) -> None:
    with pytest.raises(ValueError, match=names):
        Policy.from_mapping(mapping)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from([*POLICY.to_mapping(), "x"]), JSON, max_size=4))
def test_a_hostile_mapping_gives_a_policy_or_a_value_error(mapping: dict[str, Any]) -> None:
    try:
        Policy.from_mapping(mapping)
    except ValueError as error:
        assert str(error)


def test_a_match_needs_enough_frames_and_meets_its_threshold_here() -> None:
    assert judge_match(None, 99, POLICY) is Verdict.MORE
    assert judge_match(0.9, POLICY.min_probe_frames - 1, POLICY) is Verdict.MORE
    assert judge_match(0.44, POLICY.min_probe_frames, POLICY) is Verdict.PASS
    assert judge_match(0.4399, 50, POLICY) is Verdict.BELOW
    assert judge_match(0.2499, 50, POLICY) is Verdict.FAR
    assert judge_match(float("nan"), 50, POLICY) is not Verdict.PASS


def test_liveness_needs_enough_frames_and_meets_its_threshold_here() -> None:
    assert judge_liveness(20.0, POLICY.min_passive_frames - 1, POLICY) is Verdict.MORE
    assert judge_liveness(POLICY.liveness_threshold, POLICY.min_passive_frames, POLICY) is Verdict.PASS
    assert judge_liveness(POLICY.liveness_threshold - 1e-6, 50, POLICY) is Verdict.BELOW
    assert judge_liveness(POLICY.liveness_clear_attack - 1e-6, 50, POLICY) is Verdict.FAR


def test_a_policy_from_before_the_sum_is_still_followed_and_never_more_laxly() -> None:
    old = {"passive_combine": "median", "passive_trim": 0.1, "passive_threshold": 0.5, "passive_clear_attack": 0.15}
    assert Policy.from_mapping(old) == replace(POLICY, passive_trim=0.1)
    strict = Policy.from_mapping(old | {"passive_threshold": 0.999})
    assert strict.liveness_threshold > POLICY.liveness_threshold
    assert strict.passive_threshold == pytest.approx(0.999)
    assert Policy.from_mapping({"passive_threshold": 1.0}).liveness_threshold == POLICY.passive_curve.most


def test_a_whole_policy_from_before_the_sum_makes_nothing_laxer_and_asks_for_one_pair_of_shut_eyes() -> None:
    was = {"match_threshold": 0.43, "other_actions_most": 2, "blinks_needed": 2, "blinks_within_s": 3.0}
    followed = Policy.from_mapping(was | {"passive_threshold": 0.5, "max_tries": 2})
    assert followed == replace(POLICY, max_tries=2)
    stricter = Policy.from_mapping({"passive_threshold": 0.5, "match_threshold": 0.6, "other_actions_most": 0})
    assert (stricter.match_threshold, stricter.other_actions_most) == (0.6, 0)
    assert Policy.from_mapping({"match_threshold": 0.43, "blinks_needed": 2}) == replace(POLICY, match_threshold=0.43)
    with pytest.raises(ValueError, match="match_threshold"):
        Policy.from_mapping({"passive_threshold": 0.5, "match_threshold": float("nan")})


@pytest.mark.parametrize(
    ("started_s", "completed_s", "action", "score", "verdict"),
    [
        (0.3, 1.0, Action.NOD, 0.5, ActionVerdict.COUNTS),
        (0.2, 1.0, Action.NOD, 0.5, ActionVerdict.EARLY),
        (-1.0, 0.5, Action.NOD, 0.5, ActionVerdict.EARLY),
        (2.0, 1.0, Action.NOD, 0.5, ActionVerdict.EARLY),
        (14.0, 16.0, Action.NOD, 0.5, ActionVerdict.LATE),
        (0.3, 1.0, Action.BLINK, 0.5, ActionVerdict.OTHER),
        (0.3, 1.0, Action.NOD, float("nan"), ActionVerdict.WEAK),
        (0.3, 1.0, Action.NOD, 0.1, ActionVerdict.WEAK),
    ],
)
def test_which_movement_answers(
    started_s: float, completed_s: float, action: Action, score: float, verdict: ActionVerdict
) -> None:
    seen = ActionSeen(action, round(started_s * SECOND), round(completed_s * SECOND), score)
    policy = replace(POLICY, action_threshold=0.2)
    assert judge_action(seen, Action.NOD, 0, 15 * SECOND, policy) is verdict


def test_choices_are_spread_evenly_and_can_be_checked_afterwards() -> None:
    chosen = Counter(challenge.choose(f"{n:032x}", 0, POLICY, ()) for n in range(5000))
    assert set(chosen) == set(Action)
    assert all(900 < number < 1100 for number in chosen.values())
    assert challenge.choose("ab" * 16, 3, POLICY, ()) is challenge.choose("ab" * 16, 3, POLICY, ())
    assert challenge.choose("ab" * 16, 0, POLICY, set(Action)) is None
    assert challenge.choose("ab" * 16, 0, POLICY, set(Action) - {Action.NOD}) is Action.NOD


def test_the_same_movement_reported_twice_is_one_movement() -> None:
    prompt = challenge.Prompt(Action.BLINK, 0, 0, datetime(2026, 11, 23, tzinfo=UTC))
    other = ActionSeen(Action.NOD, SECOND, 2 * SECOND, 0.5)
    for _ in range(5):
        prompt = challenge.hear(prompt, (other,), 4 * SECOND, POLICY)
    assert (prompt.others, prompt.too_many_others) == (1, False)
    second = replace(other, started_ns=3 * SECOND, completed_ns=4 * SECOND)
    assert challenge.hear(prompt, (second,), 4 * SECOND, POLICY).too_many_others


@given(st.integers(0, 10_000), st.floats(0, 1, exclude_max=True), st.floats(0.001, 10), st.floats(10, 1e6))
def test_backoff_stays_within_its_bounds(attempt: int, rand: float, first_s: float, most_s: float) -> None:
    delay = delay_s(attempt, rand, first_s, most_s)
    assert 0 <= delay <= min(most_s, first_s * 2.0 ** min(attempt, 100))


def test_backoff_doubles_until_its_bound_and_uses_all_of_it() -> None:
    near_one = math.nextafter(1, 0)
    assert [round(delay_s(n, near_one, 1, 60)) for n in range(8)] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert delay_s(5, 0.0, 1, 60) == 0.0
    assert delay_s(3, 0.5, 1, 60) == 4.0


@pytest.mark.parametrize("wrong", [(-1, 0.5, 1, 2), (0, 1.0, 1, 2), (0, 0.5, 0, 2), (0, 0.5, 3, 2)])
def test_backoff_refuses_nonsense(wrong: tuple[int, float, float, float]) -> None:
    with pytest.raises(ValueError, match="delay_s"):
        delay_s(*wrong)
