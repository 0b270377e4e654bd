"""All impostor pairs of a folder of people: millions of cosines, block by block.

No matrix of all against all is ever held.  Scores are rounded up to a grid of 1/32768, so that a false match rate is
never understated by the rounding; for the bootstrap the highest ones are kept exactly, with their people.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.ports import Floats
from models.evaluate.metrics import Counts, Scores

STEPS = 32768
GRID = 1 / STEPS
_BLOCK_ROWS = 256
MOST_KEPT = 4_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Crowd:
    """``embeddings`` float32 (N, D), unit rows, one person's next to each other; ``person`` intp (N,), rising."""

    embeddings: Floats
    person: NDArray[np.intp]

    @property
    def pairs(self) -> int:
        """How many pairs of different people there are."""
        return pairs_of(np.bincount(self.person))


@dataclass(frozen=True, slots=True, eq=False)
class Highest:
    """Scores of the most alike impostor pairs, float64 (I,) descending, and the people of each."""

    scores: NDArray[np.float64]
    first: NDArray[np.intp]
    second: NDArray[np.intp]


def pairs_of(per_person: Counts) -> int:
    """Pairs of pictures of different people."""
    return (int(per_person.sum()) ** 2 - int((per_person.astype(np.int64) ** 2).sum())) // 2


def impostor_scores(crowd: Crowd) -> Scores:
    """Every pair of two photos of different people, once, on the grid."""
    counts = np.zeros(2 * STEPS + 1, np.int64)
    for cosines, _, _ in _blocks(crowd):
        steps = np.ceil(cosines * np.float32(STEPS)).astype(np.int32)
        np.clip(steps, -STEPS, STEPS, out=steps)
        counts += np.bincount(steps.reshape(-1) + STEPS, minlength=len(counts))
    return Scores(np.arange(-STEPS, STEPS + 1) * GRID, counts)


def highest(crowd: Crowd, scores: Scores, share: float) -> Highest:
    """About the highest ``share`` of all pairs (``scores`` as `impostor_scores` gave them), at most four million."""
    if not scores:
        nobody = np.zeros(0, np.intp)
        return Highest(np.zeros(0), nobody, nobody)
    wanted = min(max(1, round(share * scores.total)), MOST_KEPT)
    floor = np.float32(scores.highest(wanted - 1) - GRID)
    kept = []
    for cosines, rows, columns in _blocks(crowd):
        row, column = np.nonzero(cosines > floor)
        kept.append((cosines[row, column].astype(np.float64), rows[row], columns[column]))
    values, first, second = (np.concatenate(part) for part in zip(*kept, strict=True))
    order = np.argsort(-values, kind="stable")
    return Highest(values[order], first[order], second[order])


def _blocks(crowd: Crowd) -> Iterator[tuple[Floats, NDArray[np.intp], NDArray[np.intp]]]:
    """Cosines (rows, columns) with the people of both.

    A block's rows belong to the people up to some one, its columns to all after; the rows' own people are crossed
    among themselves one person at a time.
    """
    embeddings, person = crowd.embeddings, crowd.person
    starts = np.concatenate([[0], np.flatnonzero(np.diff(person)) + 1, [len(person)]])
    at = 0
    while at < len(starts) - 1:
        last = at + 1
        while last < len(starts) - 1 and starts[last + 1] - starts[at] <= _BLOCK_ROWS:
            last += 1
        for each in range(at, last - 1):
            inside, after, end = slice(starts[each], starts[each + 1]), starts[each + 1], starts[last]
            yield embeddings[inside] @ embeddings[after:end].T, person[inside], person[after:end]
        rows, columns = slice(starts[at], starts[last]), slice(starts[last], None)
        if starts[last] < len(person):
            yield embeddings[rows] @ embeddings[columns].T, person[rows], person[columns]
        at = last
