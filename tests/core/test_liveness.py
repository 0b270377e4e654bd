"""Evidence adds up: what each cue may do to the sum, whoever wrote the curves."""

import math
from collections.abc import Mapping
from dataclasses import replace
from random import Random
from types import MappingProxyType

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from edge.core import liveness
from edge.core.evidence import Evidence, collect
from edge.core.liveness import Cue, Curve
from edge.core.policy import RISES, Policy, Verdict
from edge.core.types import Advice, Cues, Observation

POLICY = Policy()
OTHERS = [cue for cue in Cue if cue is not Cue.PASSIVE]
FINITE = st.floats(-1e6, 1e6)
SCORES = st.lists(st.floats(0, 1), min_size=POLICY.min_passive_frames, max_size=40)


@st.composite
def curves(draw: st.DrawFn) -> Curve:
    xs = sorted(draw(st.lists(st.integers(-1000, 1000), min_size=1, max_size=6, unique=True)))
    ys = sorted(draw(st.lists(st.floats(-20, 20), min_size=len(xs), max_size=len(xs))), reverse=draw(st.booleans()))
    return Curve(tuple(zip((x / 10 for x in xs), ys, strict=True)))


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    """Any curves that a policy takes."""
    drawn: dict[str, object] = {"passive_clip": draw(st.sampled_from([1.0, 6.0, 10.0, 15.0]))}
    if draw(st.booleans()):
        by, times = draw(st.floats(-4, 7)), draw(st.sampled_from([0.1, 0.3, 1.0]))
        passive = Curve(tuple((x, y * times + by) for x, y in POLICY.passive_curve.points))
        worst, best = passive.points[0][1], passive.points[-1][1]
        threshold = worst + draw(st.floats(-0.2, 1)) * (best - worst)
        drawn |= {"passive_curve": passive, "liveness_threshold": threshold, "liveness_clear_attack": threshold - 2}
    for cue in OTHERS:
        curve = draw(curves())
        rises = curve.points[-1][1] >= curve.points[0][1]
        ys = [y / 4 for _, y in curve.points]
        ys = ys if rises == (RISES[cue] > 0) else ys[::-1]
        drawn[f"{cue}_curve"] = Curve(tuple((x, y) for (x, _), y in zip(curve.points, ys, strict=True)))
    for _ in range(2):
        try:
            return replace(POLICY, **drawn)  # type: ignore[arg-type]
        except ValueError:
            drawn |= {f"{cue}_curve": Curve(((0.0, 0.0),)) for cue in OTHERS}
    assume(False)
    raise AssertionError


def seen(scores: list[float], told: Mapping[Cue, float | None] = MappingProxyType({}), times: int = 1) -> Evidence:
    """The evidence of a track with these scores, each cue's statistic on every frame."""
    evidence = Evidence()
    cues = Cues(relief=told.get(Cue.RELIEF), moire=told.get(Cue.MOIRE), border=told.get(Cue.BORDER))
    for number, score in enumerate(scores * times):
        observed = Observation(number, number + 1, 1, Advice.READY, track=1, passive=score, cues=cues)
        evidence = collect(evidence, observed)
    return replace(evidence, light=told.get(Cue.LIGHT))


def ratio(policy: Policy, evidence: Evidence) -> float:
    return liveness.total(evidence.weights(policy))


# --- one curve -----------------------------------------------------------------------------------------------


@given(curves(), FINITE, FINITE)
def test_more_of_a_cue_never_speaks_both_for_and_against(curve: Curve, one: float, other: float) -> None:
    one, other = sorted((one, other))
    falls = curve.points[0][1] > curve.points[-1][1]
    low, high = (curve.at(other), curve.at(one)) if falls else (curve.at(one), curve.at(other))
    assert low <= high + 1e-9
    assert curve.least - 1e-9 <= low and high <= curve.most + 1e-9


@given(curves(), st.sampled_from([math.nan, math.inf, -math.inf]))
def test_what_is_no_number_is_refused(curve: Curve, wrong: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        curve.at(wrong)
    with pytest.raises(ValueError, match="finite"):
        Curve(((0.0, wrong),))
    with pytest.raises(ValueError, match="finite"):
        Curve(((wrong, 0.0),))


@given(curves(), st.floats(-20, 20))
def test_a_rising_curve_reaches_a_ratio_where_it_says(curve: Curve, wanted: float) -> None:
    assume(curve.points[0][1] <= curve.points[-1][1])
    at = curve.reaches(wanted)
    if at is None:
        assert curve.points[-1][1] < wanted
    else:
        assert curve.at(at) == pytest.approx(wanted, abs=1e-6) or at == curve.points[0][0]


@given(st.floats(0, 1), st.floats(1, 15))
def test_a_score_and_its_logit_are_the_same_within_the_clip(score: float, clip: float) -> None:
    value = liveness.logit(score, clip)
    assert abs(value) <= clip
    if abs(value) < clip:
        assert liveness.share(value) == pytest.approx(score, abs=1e-9)


# --- a session -----------------------------------------------------------------------------------------------


@given(policies(), SCORES, st.sampled_from(OTHERS), FINITE, FINITE)
def test_more_of_each_cue_moves_the_sum_its_own_way(
    policy: Policy, scores: list[float], cue: Cue, one: float, other: float
) -> None:
    one, other = sorted((one, other))
    low = ratio(policy, seen(scores, {cue: one})) * RISES[cue]
    high = ratio(policy, seen(scores, {cue: other})) * RISES[cue]
    assert low <= high + 1e-9


@given(SCORES, st.data())
def test_a_better_frame_never_makes_a_session_worse(scores: list[float], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(scores) - 1))
    better = [*scores]
    better[place] = data.draw(st.floats(scores[place], 1))
    assert ratio(POLICY, seen(scores)) <= ratio(POLICY, seen(better)) + 1e-9


@given(policies(), SCORES, st.dictionaries(st.sampled_from(OTHERS), FINITE))
def test_a_cue_that_could_not_be_told_says_nothing(
    policy: Policy, scores: list[float], told: dict[Cue, float]
) -> None:
    whole = ratio(policy, seen(scores, told))
    for cue, statistic in told.items():
        without = ratio(policy, seen(scores, {**told, cue: None}))
        assert whole - without == pytest.approx(policy.curves[cue].at(statistic), abs=1e-6)


@given(
    policies(), SCORES, st.sampled_from([Cue.RELIEF, Cue.MOIRE, Cue.BORDER]), st.sampled_from([math.nan, math.inf])
)
def test_a_figure_that_is_no_number_is_as_good_as_none(
    policy: Policy, scores: list[float], cue: Cue, wrong: float
) -> None:
    assert seen([*scores, wrong], {cue: wrong}).weights(policy) == seen(scores).weights(policy)


@given(SCORES, st.randoms(use_true_random=False))
def test_the_order_of_frames_does_not_matter(scores: list[float], random: Random) -> None:
    shuffled = [*scores]
    random.shuffle(shuffled)
    assert ratio(POLICY, seen(shuffled)) == pytest.approx(ratio(POLICY, seen(scores)))


@given(st.floats(0, 1), st.integers(1, 6))
def test_more_frames_of_the_same_are_not_more_evidence(score: float, times: int) -> None:
    once = seen([score] * POLICY.min_passive_frames)
    often = seen([score] * POLICY.min_passive_frames, times=times)
    assert ratio(POLICY, once) == pytest.approx(ratio(POLICY, often))


@given(SCORES, st.integers(1, 100))
def test_the_odd_frame_does_not_decide(scores: list[float], seed: int) -> None:
    """A quarter of a session's frames may say anything: the others keep the sum within their own range."""
    odd = [0.0, 1.0][seed % 2]
    spoiled = [*scores, *[odd] * (len(scores) // 3)]
    logits = [liveness.logit(score, POLICY.passive_clip) for score in scores]
    assert POLICY.passive_curve.at(min(logits)) - 1e-9 <= ratio(POLICY, seen(spoiled))
    assert ratio(POLICY, seen(spoiled)) <= POLICY.passive_curve.at(max(logits)) + 1e-9


@given(policies(), st.dictionaries(st.sampled_from(OTHERS), FINITE))
def test_no_other_cues_certify_whom_the_passive_net_rejects_clearly(policy: Policy, told: dict[Cue, float]) -> None:
    assert seen([0.0] * 9, told).of_liveness(policy) in {Verdict.BELOW, Verdict.FAR}


@given(policies(), st.sampled_from(OTHERS), FINITE)
def test_no_other_cue_alone_is_a_clear_attack_to_whom_the_passive_net_accepts(
    policy: Policy, cue: Cue, statistic: float
) -> None:
    assert seen([1.0] * 9, {cue: statistic}).of_liveness(policy) in {Verdict.PASS, Verdict.BELOW}


def test_frames_that_repeat_are_counted_and_are_no_evidence() -> None:
    evidence = seen([0.9] * 6)
    frozen = Observation(99, 99, 1, Advice.READY, track=1, passive=0.1, frozen=True, cues=Cues(moire=1.0))
    after = collect(collect(evidence, frozen), frozen)
    assert after.weights(POLICY) == evidence.weights(POLICY)
    assert after.quality()["repeated_frames"] == 2.0


def test_the_record_s_cues_add_up_to_its_sum() -> None:
    record = seen([0.9] * 6, dict.fromkeys(Cue, 0.3)).liveness_record(POLICY)
    assert record is not None and set(record.cues) == set(Cue)
    assert math.fsum(cue.llr for cue in record.cues.values()) == record.score
    assert Evidence().liveness_record(POLICY) is None


@given(st.sampled_from(OTHERS), FINITE, st.floats(8.0, 10.0))
def test_only_an_extreme_cue_alone_holds_up_whom_the_passive_net_accepts_as_it_does_most_people(
    cue: Cue, statistic: float, value: float
) -> None:
    """95 of 100 bona fide frames have a logit above 7.6 (models/TRIED-liveness.md)."""
    curve = POLICY.curves[cue]
    assume(curve.at(statistic) >= curve.least / 2)
    assert seen([liveness.share(value)] * 9, {cue: statistic}).of_liveness(POLICY) is Verdict.PASS
