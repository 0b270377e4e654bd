"""How far a figure would have been another with other people: resampling people, not pairs.

Pairs that share a person are not independent, so drawing pairs anew makes bounds too narrow.  Whole people are drawn
with replacement; a genuine pair counts as often as its person was drawn, an impostor pair as the product of both.
Where it cannot be told who is on a picture, every pair is a unit of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.evaluate.metrics import Floats64, Interval, spread

Units = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Wanted:
    """Genuine scores, float64 (G,), and the unit to which each belongs."""

    scores: Floats64
    units: Units


@dataclass(frozen=True, slots=True, eq=False)
class Unwanted:
    """The highest impostor scores, float64 (I,), descending, and the two units of each (the same twice: one unit).

    ``per_unit`` is None when these are all of them.  Where only the highest are kept, out of all pairs of different
    people, it is int64 (units,): how many pictures each has, from which the weight of all pairs follows.
    """

    scores: Floats64
    first: Units
    second: Units
    per_unit: NDArray[np.int64] | None = None


@dataclass(frozen=True, slots=True)
class Bounds:
    """Where 95 % of the samples lie: the genuine pairs that pass at each limit, and both errors at a threshold.

    None where nothing could be drawn, or (``passed``) where the kept impostors do not reach down to the threshold.
    """

    accepted: tuple[Interval | None, ...]
    passed: Interval | None
    refused: Interval | None


def bounds(
    wanted: Wanted,
    unwanted: Unwanted,
    units: int,
    limits: Sequence[float],
    threshold: float,
    replicates: int,
    seed: int = 1,
) -> Bounds:
    """Draws ``units`` anew, ``replicates`` times.  ``limits`` are false match rates."""
    random = np.random.default_rng(seed)
    accepted: list[list[float]] = [[] for _ in limits]
    passed: list[float] = []
    refused: list[float] = []
    alone = unwanted.first == unwanted.second
    passing = int(np.count_nonzero(unwanted.scores >= threshold))
    reaches = unwanted.per_unit is None or passing < len(unwanted.scores)
    for _ in range(replicates):
        drawn = random.multinomial(units, np.full(units, 1 / units)).astype(np.float64)
        genuine = drawn[wanted.units]
        whole = float(genuine.sum())
        heaped = np.cumsum(drawn[unwanted.first] * np.where(alone, 1.0, drawn[unwanted.second]))
        total = _all(drawn, unwanted, heaped)
        if whole:
            refused.append(float(genuine[wanted.scores < threshold].sum()) / whole)
        if total:
            passed.append(float(heaped[passing - 1]) / total if passing else 0.0)
        if not whole or not total or not len(heaped):  # a folder's pairs of which none has two faces: none is kept
            continue
        for limit, into in zip(limits, accepted, strict=True):
            # The first impostor whom the limit no longer allows; where the kept ones do not reach so far down, the
            # lowest kept one, which makes the bound a little too low and never too high.
            over = min(int(np.searchsorted(heaped, limit * total * (1 + 1e-12), "right")), len(heaped) - 1)
            into.append(float(genuine[wanted.scores > unwanted.scores[over]].sum()) / whole)
    return Bounds(tuple(spread(each) for each in accepted), spread(passed) if reaches else None, spread(refused))


def shares(events: NDArray[np.int64], trials: NDArray[np.int64], replicates: int, seed: int = 1) -> Interval | None:
    """Where 95 % of the rates lie when whole units are drawn anew; int64 (units,): what was seen of each."""
    random, units = np.random.default_rng(seed), len(events)
    found = []
    for _ in range(replicates if units else 0):
        drawn = random.multinomial(units, np.full(units, 1 / units))
        if whole := int(drawn @ trials):
            found.append(int(drawn @ events) / whole)
    return spread(found)


def _all(drawn: Floats64, unwanted: Unwanted, heaped: Floats64) -> float:
    """The weight of all impostor pairs, kept or not."""
    if unwanted.per_unit is None:
        return float(heaped[-1]) if len(heaped) else 0.0
    pictures = drawn * unwanted.per_unit
    return float(pictures.sum() ** 2 - (pictures**2).sum()) / 2
