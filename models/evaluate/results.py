"""The shape of what `anxin models evaluate --json` prints.

``schema`` names the shape; a change that could break a reader changes its number.  Rates are shares (0..1) with the
events and trials behind them and two-sided 95 % bounds; None is "could not be measured", never nought.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from models.evaluate import metrics

Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]


class Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Rate(Shape):
    """``events`` of ``trials``, and where the true rate may be (two-sided, 95 %)."""

    value: Share | None
    events: Count
    trials: Count
    low: Share
    high: Share

    @classmethod
    def of(cls, events: int, trials: int) -> "Rate":
        bounds = metrics.binomial_bounds(events, trials)
        value = events / trials if trials else None
        return cls(value=value, events=events, trials=trials, low=bounds.low, high=bounds.high)


class EqualError(Shape):
    rate: Share
    threshold: float


class OperatingPoint(Shape):
    """At most ``limit`` of the impostors (attacks) pass: who of the genuine (bona fide) passes there.

    Bounds are the wider of the bootstrap's and the exact ones at this threshold.  ``measurable_from`` is 1/N: below
    it no limit can be measured with N impostors or attacks.
    """

    limit: Share
    measurable_from: Share
    threshold: float | None
    accepted: Share | None
    low: Share | None = None
    high: Share | None = None


class Accuracy(Shape):
    """``how``: folds, each with the threshold that is best on the others; or optimistic: best on these very pairs."""

    how: Literal["folds", "optimistic"]
    mean: Share
    deviation: float | None
    folds: Count
    threshold: float  # the folds' mean


class MatchFigures(Shape):
    """One way of counting.  None where there is nothing of one kind to count."""

    genuine: Count
    impostor: Count
    eer: EqualError | None
    auc: Share | None
    points: list[OperatingPoint]
    fmr: Rate  # at the policy's threshold
    fnmr: Rate
    accuracy: Accuracy | None


class Ways(Shape):
    """``with_face``: all pairs of two photos with a face.  ``ready``: of these, pairs whose two photos the quality
    gate passes.  ``all``: every pair, where one that cannot be compared is one that does not match.
    """

    with_face: MatchFigures
    ready: MatchFigures
    all: MatchFigures


class Group(Shape):
    """``worse`` is the group's FNMR by that of all pairs with a face; ``worse_than_target`` whether by over 25 %.

    ``certainly_worse``: even the lower bound of the group's FNMR is over 25 % above the whole's.
    """

    name: str
    genuine: Count
    impostor: Count
    fnmr: Rate
    fmr: Rate
    worse: float | None
    worse_than_target: bool | None
    certainly_worse: bool | None


class Photos(Shape):
    """Failures to acquire by their reason, and what the quality gate would have asked for on the others."""

    looked_at: Count
    with_face: Count
    ready: Count
    failures: dict[str, int]
    advice: dict[str, int]


class Impostors(Shape):
    """Where the impostor pairs come from; ``grid`` is the step to which a folder's scores are rounded (upwards)."""

    source: Literal["list", "folder"]
    people: Count | None
    photos: Count | None
    grid: float | None


class Bootstrap(Shape):
    """What was drawn anew for the bounds of the points: people, or pairs where people cannot be told."""

    unit: Literal["people", "pairs"]
    units: Count
    replicates: Count


class PairsResult(Shape):
    """`anxin models evaluate --pairs`.

    ``with_itself``: listed pairs of one file with itself, which are counted like any other and say nothing.
    """

    schema_: Literal["anxin.evaluate.pairs/1"] = Field(default="anxin.evaluate.pairs/1", alias="schema")
    models: dict[str, str]
    policy: str
    match_threshold: float
    seconds: float
    genuine_listed: Count
    impostor_listed: Count
    with_itself: Count = 0
    photos: Photos
    impostors: Impostors
    bootstrap: Bootstrap
    figures: Ways
    group_by: str | None
    groups: list[Group]


class KindFigures(Shape):
    """One kind of attack: ``apcer`` of those that were judged."""

    kind: str
    attacks: Count
    apcer: Rate
    non_response: Rate
    auc: Share | None
    eer: EqualError | None


class LivenessFigures(Shape):
    """Bona fide against attack presentations, which are frames or sessions.

    ``apcer`` and ``bpcer`` are of those that got a verdict; ``apnrr`` and ``bpnrr`` count those that got none.
    ``bona_fide_units`` and ``attack_units``: of how many people (or recordings, see `AttacksResult.bounds_draw`).
    ``accepted`` are the attacks that would pass, of all attacks; ``not_certified`` the bona fide ones that would not,
    refused or without a verdict, of all bona fide ones.  ``acer`` is the mean of BPCER and the worst kind's APCER.
    """

    bona_fide: Count
    attacks: Count
    bona_fide_units: Count
    attack_units: Count
    apcer: Rate
    bpcer: Rate
    apnrr: Rate
    bpnrr: Rate
    acer: Share | None
    accepted: Rate
    not_certified: Rate
    auc: Share | None
    eer: EqualError | None
    bpcer_at_apcer_1pct: OperatingPoint | None
    kinds: list[KindFigures]


class Withheld(Shape):
    """Frames that the quality gate withheld with one advice; ``passing`` is how many the passive net would pass."""

    advice: str
    bona_fide: bool
    frames: Count
    passing: Count
    passive_median: Share | None


class CueFigures(Shape):
    """One cue's worth: AUC over sessions of its statistic alone, and of the sum of all others."""

    cue: str
    sessions: Count
    auc_alone: Share | None
    auc_without: Share | None


class CueLine(Shape):
    """What one cue measured in a session, and the log-likelihood ratio that it is worth."""

    statistic: float
    llr: float


class SessionLine(Shape):
    """One session; ``name`` is its path below the folder given, ``score`` the sum of log-likelihood ratios.

    ``truncated``: the recording broke off in the middle; what came before was judged.
    """

    name: str
    bona_fide: bool
    kind: str
    frames: Count
    with_face: Count
    ready: Count
    truncated: bool
    score: float | None
    cues: dict[str, CueLine]
    verdict: Literal["pass", "below", "far", "none"]


class AttacksResult(Shape):
    """`anxin models evaluate --attacks`.

    ``bounds_draw`` is what the bounds take as independent: people, or recordings where people are not known.
    ``unreadable`` counts files that could not be read at all, ``truncated`` sessions that broke off in the middle.
    ``frames_ready`` counts frames withheld by the quality gate as those without a verdict.

    Of all ``frames`` some have no face (``without_face``), some repeat an earlier one byte for byte (``repeated``),
    and some with a face have no passive score (``unscored``); all others are in ``frames_with_face``.
    """

    schema_: Literal["anxin.evaluate.attacks/2"] = Field(default="anxin.evaluate.attacks/2", alias="schema")
    models: dict[str, str]
    policy: str
    passive_threshold: float
    liveness_threshold: float
    seconds: float
    bounds_draw: Literal["people", "recordings"]
    unreadable: dict[str, int]
    truncated: Count
    frames: Count
    without_face: dict[str, int]
    repeated: Count
    unscored: Count
    frames_ready: LivenessFigures
    frames_with_face: LivenessFigures
    sessions_ready: LivenessFigures
    sessions_with_face: LivenessFigures
    withheld: list[Withheld]
    cues: list[CueFigures]
    sessions: list[SessionLine]
