"""How the cues of one session add up: from statistics to log-likelihood ratios, and to their sum.

Each cue of `edge.core.types.Cues`, and the passive net, has one statistic for the whole track.  A `Curve` says how
much more often that statistic is met with a person in front of the camera than with a picture of one, as a natural
logarithm: positive speaks for a bona fide person, negative for a presentation attack, zero says nothing.  The
session's liveness is the sum (naive Bayes).  A cue that could not be told is left out, which is the same as zero.

Two things that are not independent are kept from being counted as if they were:

  * Frames of one session.  They show the same face, paper and light, so a hundred of them are hardly more than one:
    they are first combined into one robust figure (`trimmed_mean` of clipped logits, `typical`), and what comes out
    is not multiplied by their number.  More frames make the figure steadier, never weightier.
  * Cues.  Whatever fools one may fool another (a good screen has neither moire nor border).  So each curve is capped:
    beyond its ends more of the same says no more, and no cue can outvote the others by being extreme.  What the caps
    have to keep between them is checked by `edge.core.policy.Policy`, where the curves stand with their data.

A frame that repeats another byte for byte is no cue.  A film before the lens never repeats so, because the sensor's
noise does not; a hanging driver does, and `edge.runtime.capture` deals with it.  What is left (a film fed in behind
the lens) is not told from a stuttering camera by counting: such frames give no evidence, and their number is
recorded (``quality.repeated_frames``).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum, unique
from statistics import fmean, median

MOST_LLR = 20.0  # a table that claims more than one in 500 million is a slip of the pen


@unique
class Cue(StrEnum):
    """What tells a head in a room from a picture of one."""

    PASSIVE = "passive"  # logit of the passive net's score, trimmed mean over READY frames
    RELIEF = "relief"  # these three as in `edge.core.types.Cues`, over the track
    MOIRE = "moire"
    BORDER = "border"
    LIGHT = "light"  # how well the skin answered the page's light (`edge.core.light`)


@dataclass(frozen=True, slots=True)
class Curve:
    """A statistic's log-likelihood ratio: straight between ``points`` (statistic, llr), level beyond the ends.

    Statistics rise strictly; ratios rise or fall throughout, so that more of a cue never speaks both for and against.
    One point is a cue that says the same whatever its statistic.  Raises ValueError for anything else.
    """

    points: tuple[tuple[float, float], ...]

    def __post_init__(self) -> None:
        if not self.points or not all(math.isfinite(x) and math.isfinite(y) for x, y in self.points):
            raise ValueError("a curve needs at least one point, and finite figures")
        if any(abs(y) > MOST_LLR for _, y in self.points):
            raise ValueError(f"a curve's ratios must be within -{MOST_LLR:.0f} and {MOST_LLR:.0f}")
        pairs = list(zip(self.points, self.points[1:], strict=False))
        if any(right[0] <= left[0] for left, right in pairs):
            raise ValueError("a curve's statistics must rise strictly")
        if any(right[1] < left[1] for left, right in pairs) and any(right[1] > left[1] for left, right in pairs):
            raise ValueError("a curve's ratios must rise throughout or fall throughout")

    def at(self, statistic: float) -> float:
        """The ratio for ``statistic``; raises ValueError where that is not a finite number."""
        if not math.isfinite(statistic):
            raise ValueError("a statistic must be a finite number")
        before = self.points[0]
        if statistic <= before[0]:
            return before[1]
        for after in self.points[1:]:
            if statistic <= after[0]:
                share = (statistic - before[0]) / (after[0] - before[0])
                return (1 - share) * before[1] + share * after[1]
            before = after
        return before[1]

    @property
    def least(self) -> float:
        """The strongest that this cue can say against a person: at most 0, which is saying nothing."""
        return min(0.0, *(y for _, y in self.points))

    @property
    def most(self) -> float:
        """The strongest that this cue can say for a person: at least 0, which is saying nothing."""
        return max(0.0, *(y for _, y in self.points))

    def reaches(self, ratio: float) -> float | None:
        """The least statistic of a rising curve with at least ``ratio``; None where no statistic has."""
        before: tuple[float, float] | None = None
        for x, y in self.points:
            if y >= ratio:
                if before is None or y == before[1]:
                    return x
                return before[0] + (x - before[0]) * (ratio - before[1]) / (y - before[1])
            before = (x, y)
        return None


@dataclass(frozen=True, slots=True)
class Weight:
    """What one cue said in this session, and what that is worth."""

    statistic: float
    llr: float


def logit(score: float, clip: float) -> float:
    """ln(p / (1 - p)) of a score 0..1, within ``clip`` of zero: a net's 0.9999 is confidence, not proof."""
    if score <= 0.0 or score >= 1.0:
        return math.copysign(clip, score - 0.5)
    return min(max(math.log(score / (1.0 - score)), -clip), clip)


def share(value: float) -> float:
    """The score 0..1 of a logit."""
    return 1.0 / (1.0 + math.exp(-value)) if value >= 0 else math.exp(value) / (1.0 + math.exp(value))


def trimmed_mean(values: Sequence[float], trim: float) -> float | None:
    """The mean without the ``trim`` share (below a half) of the least and of the greatest; None of nothing."""
    if not values:
        return None
    cut = int(len(values) * trim)
    return fmean(sorted(values)[cut : len(values) - cut])


def typical(values: Sequence[float]) -> float | None:
    """The median; None of nothing."""
    return median(values) if values else None


def weigh(statistics: Mapping[Cue, float | None], curves: Mapping[Cue, Curve]) -> dict[Cue, Weight]:
    """What each cue that could be told is worth; ``None`` (could not be told) is left out."""
    return {
        cue: Weight(statistics[cue], curves[cue].at(statistics[cue]))  # type: ignore[arg-type]
        for cue in Cue
        if statistics.get(cue) is not None
    }


def total(weights: Mapping[Cue, Weight]) -> float:
    """The session's log-likelihood ratio: the sum over its cues, the same in whatever order."""
    return math.fsum(weight.llr for weight in weights.values())
