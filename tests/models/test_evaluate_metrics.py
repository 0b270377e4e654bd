"""The counting, by rules that hold for any scores, and by figures worked out by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.evaluate import bootstrap, crossing, metrics
from models.evaluate.metrics import Scores

# Few different values, so that ties are common.
some = st.lists(st.integers(-4, 4).map(lambda n: n / 4), min_size=1, max_size=40)
limits = st.floats(1e-3, 0.999)


@given(some, some)
def test_the_auc_is_the_share_of_pairs_in_the_right_order_ties_counting_half(
    wanted: list[float], other: list[float]
) -> None:
    by_hand = sum(1.0 if a > b else 0.5 if a == b else 0.0 for a in wanted for b in other) / len(wanted) / len(other)
    assert math.isclose(metrics.auc(Scores(wanted), Scores(other)), by_hand)
    assert math.isclose(metrics.auc(Scores(other), Scores(wanted)), 1 - by_hand, abs_tol=1e-12)


@given(some, some)
def test_the_equal_error_lies_between_both_errors_at_its_threshold_where_they_cross(
    wanted: list[float], other: list[float]
) -> None:
    found = metrics.equal_error(Scores(wanted), Scores(other))
    passed = np.mean([score >= found.threshold for score in other])
    refused = np.mean([score < found.threshold for score in wanted])
    assert min(passed, refused) - 1e-12 <= found.rate <= max(passed, refused) + 1e-12
    line = metrics.curve(Scores(wanted), Scores(other))
    assert abs(passed - refused) <= np.abs(line.passed - line.refused).min() + 1e-12


@given(some, some)
def test_a_higher_threshold_lets_fewer_pass_and_refuses_more(wanted: list[float], other: list[float]) -> None:
    line = metrics.curve(Scores(wanted), Scores(other))
    assert (np.diff(line.passed) <= 0).all()
    assert (np.diff(line.refused) >= 0).all()
    assert (line.passed[0], line.refused[0]) == (1.0, 0.0)
    assert (line.passed[-1], line.refused[-1]) == (0.0, 1.0)


@given(some, some, limits)
def test_a_point_keeps_its_limit_and_no_lower_threshold_does(
    wanted: list[float], other: list[float], limit: float
) -> None:
    found = metrics.point(Scores(wanted), Scores(other), limit)
    if limit * len(other) < 1 - 1e-9:
        assert (found.threshold, found.accepted) == (None, None)
        return
    assert found.threshold is not None
    assert found.accepted is not None
    assert sum(score >= found.threshold for score in other) <= limit * len(other) + 1e-9
    just_below = np.nextafter(found.threshold, -np.inf)
    assert sum(score >= just_below for score in other) > limit * len(other) - 1e-9
    assert found.accepted == sum(score >= found.threshold for score in wanted) / len(wanted)


@given(some, some, limits, limits)
def test_who_allows_more_impostors_accepts_no_fewer_genuine(
    wanted: list[float], other: list[float], one: float, two: float
) -> None:
    strict, lax = (metrics.point(Scores(wanted), Scores(other), limit) for limit in sorted((one, two)))
    if strict.accepted is not None:
        assert lax.accepted is not None
        assert lax.accepted >= strict.accepted


@given(some, some, limits)
def test_another_scale_of_scores_changes_no_rate(wanted: list[float], other: list[float], limit: float) -> None:
    def heaps(scale: bool) -> tuple[Scores, Scores]:
        return tuple(Scores([math.atan(3 * x) + 7 if scale else x for x in each]) for each in (wanted, other))  # type: ignore[return-value]

    assert metrics.auc(*heaps(True)) == metrics.auc(*heaps(False))
    assert metrics.equal_error(*heaps(True)).rate == metrics.equal_error(*heaps(False)).rate
    assert metrics.point(*heaps(True), limit).accepted == metrics.point(*heaps(False), limit).accepted


@given(some, some, st.integers(2, 5))
def test_a_heap_with_counts_says_what_the_scores_themselves_say(
    wanted: list[float], other: list[float], times: int
) -> None:
    plain = Scores(wanted * times)
    counted = Scores(wanted, np.full(len(wanted), times))
    assert plain.total == counted.total
    assert [plain.highest(n) for n in range(plain.total)] == sorted(wanted * times, reverse=True)
    assert metrics.auc(counted, Scores(other)) == metrics.auc(Scores(wanted), Scores(other))


def test_a_limit_below_one_in_all_impostors_is_not_measurable() -> None:
    genuine, impostors = Scores([0.9] * 50), Scores(np.linspace(-0.5, 0.4, 999))
    assert metrics.point(genuine, impostors, 1e-3) == metrics.Point(1e-3, None, None)
    found = metrics.point(genuine, impostors.plus(-0.6, 1), 1e-3)
    assert found.accepted == 1.0
    assert found.threshold == np.nextafter(impostors.highest(1), np.inf)


def test_nothing_is_said_without_scores_of_both_kinds() -> None:
    for call in (metrics.auc, metrics.equal_error, metrics.curve):
        with pytest.raises(ValueError, match="both kinds"):
            call(Scores([]), Scores([0.5]))
    with pytest.raises(ValueError, match="number"):
        Scores([math.nan])


@pytest.mark.parametrize(
    ("events", "trials", "low", "high"),
    # Two-sided, from published tables of Clopper and Pearson.
    [(2, 140, 0.0017348, 0.05066), (5, 10, 0.18709, 0.81291), (1, 1000, 0.0000253, 0.005559), (0, 300, 0.0, 0.01222)],
)
def test_the_bounds_of_a_rate_are_the_exact_ones(events: int, trials: int, low: float, high: float) -> None:
    found = metrics.binomial_bounds(events, trials)
    assert found.low == pytest.approx(low, rel=2e-3)
    assert found.high == pytest.approx(high, rel=2e-3)


@given(st.integers(0, 60), st.integers(1, 60))
def test_bounds_hold_the_rate_and_mirror_its_opposite(events: int, trials: int) -> None:
    events = min(events, trials)
    found, opposite = metrics.binomial_bounds(events, trials), metrics.binomial_bounds(trials - events, trials)
    assert 0 <= found.low <= events / trials <= found.high <= 1
    assert found.low == pytest.approx(1 - opposite.high, abs=1e-9)


def test_nothing_seen_in_a_million_may_still_be_some_four() -> None:
    assert metrics.binomial_bounds(0, 1_000_000).high == pytest.approx(3.689e-6, rel=2e-3)


@given(some, some)
def test_the_best_threshold_errs_no_more_often_than_any_other(wanted: list[float], other: list[float]) -> None:
    scores = np.asarray(wanted + other)
    same = np.asarray([True] * len(wanted) + [False] * len(other))
    best = ((scores >= metrics.best_threshold(scores, same)) == same).sum()
    for threshold in (*scores, scores.max() + 1):
        assert best >= ((scores >= threshold) == same).sum()


def test_each_fold_is_judged_with_the_threshold_of_the_others() -> None:
    # The second fold's own best threshold would be right throughout; the first fold's (0.5) is wrong twice in four.
    folded = metrics.folded_accuracy(
        [0.9, 0.8, 0.2, 0.1, 0.9, 0.4, 0.3, 0.6], [1, 1, 0, 0, 1, 1, 0, 0], ["a"] * 4 + ["b"] * 4
    )
    assert folded.thresholds[1] == 0.5
    assert folded.accuracies[1] == 0.5
    assert folded.mean == np.mean(folded.accuracies)


def crowd(people: int, photos: int, seed: int) -> crossing.Crowd:
    random = np.random.default_rng(seed)
    vectors = random.normal(size=(people * photos, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    person = np.sort(random.integers(0, people, people * photos))
    return crossing.Crowd(vectors, person.astype(np.intp))


@pytest.mark.parametrize("people", [2, 7, 600])
def test_every_pair_of_different_people_is_counted_once(people: int) -> None:
    given_crowd = crowd(people, 3, people)
    scores = crossing.impostor_scores(given_crowd)
    cosines = given_crowd.embeddings.astype(np.float64) @ given_crowd.embeddings.T.astype(np.float64)
    row, column = np.triu_indices(len(cosines), 1)
    other = given_crowd.person[row] != given_crowd.person[column]
    exact = np.sort(cosines[row[other], column[other]])
    assert scores.total == given_crowd.pairs == len(exact)
    counted = np.repeat(scores.values, scores.counts)
    assert (counted >= exact - 1e-6).all()
    assert (counted <= exact + crossing.GRID + 1e-6).all()

    top = crossing.highest(given_crowd, scores, 0.1)
    assert len(top.scores) >= round(0.1 * len(exact))
    assert top.scores == pytest.approx(exact[::-1][: len(top.scores)], abs=1e-6)
    assert (top.first != top.second).all()


def test_bounds_by_people_are_wider_than_by_pairs_where_one_person_is_hard() -> None:
    # Ten people with fifty pairs each; nobody matches of one of them.
    scores = np.asarray([0.9] * 450 + [0.1] * 50)
    people = np.repeat(np.arange(10), 50)
    impostors = np.full(200, 0.3)
    units = np.arange(500)
    by_people = bootstrap.bounds(
        bootstrap.Wanted(scores, people),
        bootstrap.Unwanted(impostors, np.arange(200) % 10, (np.arange(200) + 1) % 10),
        10, [0.01], 0.5, 400,
    )  # fmt: skip
    by_pairs = bootstrap.bounds(
        bootstrap.Wanted(scores, units),
        bootstrap.Unwanted(impostors, units[:200], units[:200]),
        500,
        [0.01],
        0.5,
        400,
    )
    wide, narrow = by_people.refused, by_pairs.refused
    assert wide is not None
    assert narrow is not None
    assert wide.low == 0.0
    assert wide.high >= 0.25
    assert 0.06 < narrow.low < 0.1 < narrow.high < 0.14
    assert by_people.accepted[0] == metrics.Interval(1 - wide.high, 1 - wide.low)


def test_the_highest_impostors_of_a_crowd_give_the_bounds_of_all() -> None:
    given_crowd = crowd(60, 4, 5)
    scores = crossing.impostor_scores(given_crowd)
    wanted = bootstrap.Wanted(np.linspace(0.0, 1.0, 60), np.arange(60))
    per_person = np.bincount(given_crowd.person, minlength=60)
    few, every = (crossing.highest(given_crowd, scores, share) for share in (0.1, 1.0))
    part = bootstrap.bounds(
        wanted, bootstrap.Unwanted(few.scores, few.first, few.second, per_person), 60, [0.01], 0.7, 50
    )
    whole = bootstrap.bounds(wanted, bootstrap.Unwanted(every.scores, every.first, every.second), 60, [0.01], 0.7, 50)
    assert part == whole
