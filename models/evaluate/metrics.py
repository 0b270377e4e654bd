"""Error rates from scores: how two heaps of figures overlap, and how sure one can be of it.

Terms of ISO/IEC 19795-1 and 30107-3.  Everywhere ``wanted`` are the scores of those who should pass (genuine, bona
fide) and ``unwanted`` of those who should not (impostors, attacks); a score passes when it is at or above the
threshold, as `edge.core.policy` judges.  A rate is never invented: where too few were seen, the answer is None.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats64 = NDArray[np.float64]
Counts = NDArray[np.int64]

CONFIDENCE = 0.95


class Scores:
    """A heap of scores: float64 (U,) ascending and different, and how often each occurs, int64 (U,).

    So a hundred million scores rounded to a grid cost no more than the grid.  Raises ValueError for NaN.
    """

    def __init__(self, values: ArrayLike, counts: ArrayLike | None = None) -> None:
        given = np.asarray(values, np.float64).reshape(-1)
        if np.isnan(given).any():
            raise ValueError("a score must be a number")
        times = np.ones(given.shape, np.int64) if counts is None else np.asarray(counts, np.int64).reshape(-1)
        given, times = given[times > 0], times[times > 0]
        self.values, back = np.unique(given, return_inverse=True)
        self.counts = np.zeros(self.values.shape, np.int64)
        np.add.at(self.counts, back.reshape(-1), times)
        self._below: Counts = np.concatenate([[0], np.cumsum(self.counts)])

    @property
    def total(self) -> int:
        return int(self._below[-1])

    def __bool__(self) -> bool:
        return self.total > 0

    def below(self, thresholds: ArrayLike) -> Counts:
        """How many are below each threshold: those who do not pass it."""
        return np.asarray(self._below[np.searchsorted(self.values, np.asarray(thresholds, np.float64), "left")])

    def passing(self, threshold: float) -> int:
        """How many are at or above the threshold."""
        return self.total - int(self.below(threshold))

    def plus(self, value: float, times: int) -> "Scores":
        """The same heap with ``times`` more of ``value``."""
        return Scores(np.append(self.values, value), np.append(self.counts, times))

    def highest(self, position: int) -> float:
        """The score at ``position`` (0 is the highest) counted from above."""
        if not 0 <= position < self.total:
            raise IndexError(position)
        return float(self.values[np.searchsorted(self._below, self.total - position, "left") - 1])


@dataclass(frozen=True, slots=True)
class Curve:
    """Both errors at every threshold where one changes; float64 (T,), thresholds ascending.

    ``passed`` is the share of the unwanted that pass (FMR, APCER), ``refused`` that of the wanted that do not
    (FNMR, BPCER).
    """

    thresholds: Floats64
    passed: Floats64
    refused: Floats64


@dataclass(frozen=True, slots=True)
class Equal:
    """Where both errors are as equal as the data let them be: ``rate`` is their mean at ``threshold``."""

    rate: float
    threshold: float


@dataclass(frozen=True, slots=True)
class Point:
    """The lowest threshold at which at most a share ``limit`` of the unwanted pass, and who passes there.

    ``threshold`` and ``accepted`` (the share of the wanted that pass) are None where fewer than 1/limit unwanted
    scores were seen: then the limit cannot be measured.
    """

    limit: float
    threshold: float | None
    accepted: float | None


@dataclass(frozen=True, slots=True)
class Interval:
    low: float
    high: float


def curve(wanted: Scores, unwanted: Scores) -> Curve:
    """Raises ValueError when either heap is empty."""
    _both(wanted, unwanted)
    thresholds = np.union1d(wanted.values, unwanted.values)
    thresholds = np.append(thresholds, np.nextafter(thresholds[-1], np.inf))
    passed = (unwanted.total - unwanted.below(thresholds)) / unwanted.total
    return Curve(thresholds, passed, wanted.below(thresholds) / wanted.total)


def equal_error(wanted: Scores, unwanted: Scores) -> Equal:
    """The equal error rate.  Raises ValueError when either heap is empty."""
    line = curve(wanted, unwanted)
    best = int(np.abs(line.passed - line.refused).argmin())
    return Equal(float(line.passed[best] + line.refused[best]) / 2, float(line.thresholds[best]))


def auc(wanted: Scores, unwanted: Scores) -> float:
    """The chance that a wanted score is above an unwanted one, ties counting half (Mann and Whitney's U).

    Raises ValueError when either heap is empty.
    """
    _both(wanted, unwanted)
    lower = unwanted.below(wanted.values).astype(np.float64)
    at_most = unwanted.below(np.nextafter(wanted.values, np.inf)).astype(np.float64)
    wins = float(((lower + at_most) / 2 * wanted.counts).sum())
    return wins / (float(wanted.total) * float(unwanted.total))


def point(wanted: Scores, unwanted: Scores, limit: float) -> Point:
    """Raises ValueError when either heap is empty or ``limit`` is not within 0 and 1."""
    _both(wanted, unwanted)
    if not 0 < limit < 1:
        raise ValueError("a limit is a share between 0 and 1")
    allowed = math.floor(limit * unwanted.total * (1 + 1e-12))
    if allowed < 1:
        return Point(limit, None, None)
    threshold = float(np.nextafter(unwanted.highest(allowed), np.inf))
    return Point(limit, threshold, wanted.passing(threshold) / wanted.total)


def binomial_bounds(events: int, trials: int, confidence: float = CONFIDENCE) -> Interval:
    """Clopper and Pearson's exact bounds of a rate; (0, 1) of no trials.

    Two-sided throughout, also with no event at all (or nothing but events): then the far bound is about 3.7/trials.
    """
    if not 0 <= events <= trials:
        raise ValueError("events are between none and all of the trials")
    if trials == 0:
        return Interval(0.0, 1.0)
    tail = (1 - confidence) / 2
    if events == 0:
        return Interval(0.0, 1 - tail ** (1 / trials))
    if events == trials:
        return Interval(tail ** (1 / trials), 1.0)
    low = _beta_quantile(tail, events, trials - events + 1)
    return Interval(low, _beta_quantile(1 - tail, events + 1, trials - events))


@dataclass(frozen=True, slots=True)
class Folded:
    """Accuracy of folds: each judged with the threshold that is best on all others."""

    accuracies: tuple[float, ...]
    thresholds: tuple[float, ...]

    @property
    def mean(self) -> float:
        return float(np.mean(self.accuracies))

    @property
    def deviation(self) -> float:
        """The folds' standard deviation (of a sample: n - 1)."""
        return float(np.std(self.accuracies, ddof=1)) if len(self.accuracies) > 1 else 0.0


def best_threshold(scores: Floats64, same: NDArray[np.bool_]) -> float:
    """The threshold with the most right answers, in the middle between the two scores that it parts."""
    order = np.argsort(scores, kind="stable")
    values, wanted = scores[order], same[order]
    edges = np.flatnonzero(np.diff(values) > 0) + 1  # before which position a threshold can stand
    positions = np.concatenate([[0], edges, [len(values)]])
    refused = np.concatenate([[0], np.cumsum(wanted)])[positions]
    passed = (~wanted).sum() - np.concatenate([[0], np.cumsum(~wanted)])[positions]
    best = np.flatnonzero(refused + passed == (refused + passed).min())
    at = int(positions[best[len(best) // 2]])
    if at == 0:
        return float(values[0])
    if at == len(values):
        return float(np.nextafter(values[-1], np.inf))
    return max(float((values[at - 1] + values[at]) / 2), float(np.nextafter(values[at - 1], np.inf)))


def folded_accuracy(scores: ArrayLike, same: ArrayLike, folds: ArrayLike) -> Folded:
    """Raises ValueError with fewer than two folds."""
    values, wanted = np.asarray(scores, np.float64), np.asarray(same, np.bool_)
    of = np.asarray(folds)
    names = np.unique(of)
    if len(names) < 2:
        raise ValueError("two folds are needed at least")
    thresholds = tuple(best_threshold(values[of != name], wanted[of != name]) for name in names)
    right = [
        float(((values[of == name] >= threshold) == wanted[of == name]).mean())
        for name, threshold in zip(names, thresholds, strict=True)
    ]
    return Folded(tuple(right), thresholds)


def _both(wanted: Scores, unwanted: Scores) -> None:
    if not wanted or not unwanted:
        raise ValueError("scores of both kinds are needed")


def _beta_quantile(share: float, a: float, b: float) -> float:
    low, high = 0.0, 1.0
    for _ in range(200):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        if _beta_below(middle, a, b) < share:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _beta_below(x: float, a: float, b: float) -> float:
    """The regularized incomplete beta function, by its continued fraction (Lentz's way)."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):
        return 1 - _beta_below(1 - x, b, a)
    log = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    tiny = 1e-300
    c, d = 1.0, 1 / _not_zero(1 - (a + b) * x / (a + 1), tiny)
    fraction = d
    for m in range(1, 10_000):
        change = 1.0
        for term in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 / _not_zero(1 + term * d, tiny)
            c = _not_zero(1 + term / c, tiny)
            change = d * c
            fraction *= change
        if abs(change - 1) < 1e-14:
            break
    return math.exp(log) * fraction / a


def _not_zero(value: float, tiny: float) -> float:
    return value if abs(value) > tiny else tiny


def spread(samples: Sequence[float], confidence: float = CONFIDENCE) -> Interval | None:
    """The middle ``confidence`` of bootstrap samples; None without any."""
    if not samples:
        return None
    outside = (1 - confidence) / 2
    low, high = np.quantile(np.asarray(samples), [outside, 1 - outside])
    return Interval(float(low), float(high))
