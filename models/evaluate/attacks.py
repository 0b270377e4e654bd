"""From sessions of live people and of attacks to the error rates of presentation attack detection."""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median

import numpy as np
from rich.console import Console

from edge.core import liveness
from edge.core.evidence import Evidence, breaks, collect
from edge.core.liveness import Cue
from edge.core.policy import RISES, Policy, Verdict, judge_liveness
from edge.core.types import Advice, Observation
from models.evaluate import bootstrap, look, metrics, workers
from models.evaluate.look import Watched
from models.evaluate.metrics import Scores
from models.evaluate.read import Presentation
from models.evaluate.results import (
    AttacksResult,
    CueFigures,
    CueLine,
    EqualError,
    KindFigures,
    LivenessFigures,
    OperatingPoint,
    Rate,
    SessionLine,
    Withheld,
)

_REPLICATES = 1000
LIMIT = 0.01  # BPCER at an APCER of one per cent


@dataclass(frozen=True, slots=True)
class Judged:
    """One presentation (a frame or a session) with a verdict: ``passes`` is None for a non-response."""

    bona_fide: bool
    kind: str
    score: float | None
    passes: bool | None
    unit: str  # the person shown, or the recording where people are not known: what the bounds draw


@dataclass(frozen=True, slots=True)
class Session:
    """A session's strongest sighting, by the policy: its cues' ``statistics``, and the ``ratios`` they are worth."""

    of: Presentation
    watched: Watched
    verdict: Verdict
    ratios: Mapping[Cue, float]
    statistics: Mapping[Cue, float]
    ready_frames: int

    @property
    def score(self) -> float | None:
        """The sum of log-likelihood ratios; None when no frame gave any."""
        return sum(self.ratios.values()) if Cue.PASSIVE in self.ratios else None

    @property
    def judged(self) -> Judged:
        passes = None if self.verdict is Verdict.MORE else self.verdict is Verdict.PASS
        score = self.score if passes is not None else None
        return Judged(self.of.bona_fide, self.of.kind, score, passes, _unit(self.of))


@dataclass(frozen=True, slots=True)
class Weighed:
    """A result with the scores behind it, for drawing: READY frames, every frame with a face, and sessions."""

    result: AttacksResult
    frames: Sequence[Judged]
    frames_with_face: Sequence[Judged]
    sessions: Sequence[Judged]


def look_at(
    sessions: Sequence[Presentation], open_work: look.Watch, jobs: int | None, console: Console
) -> list[Watched]:
    """Every session through eyes that have forgotten the one before."""
    # A video is worth hundreds of pictures.
    weight = sum(200 if session.video else len(session.files) for session in sessions)
    count = min(workers.jobs_for(weight, jobs), len(sessions))
    return workers.answers(sessions, open_work, count, console, "watching sessions")


def weigh(
    sessions: Sequence[Presentation],
    watched: Sequence[Watched],
    policy: Policy,
    versions: Mapping[str, str],
    seconds: float = 0.0,
) -> Weighed:
    """All figures of what was watched; ``seconds`` is how long watching took."""
    began = time.monotonic()
    seen = [(session, one) for session, one in zip(sessions, watched, strict=True) if one.readable]
    judged = [judge(session, one, policy) for session, one in seen]
    forced = [judge(session, _forced(one), policy) for session, one in seen]
    frames = [(session, each) for session, one in seen for each in one.observations if each.faces and not each.frozen]
    with_face = [_frame(session, each, policy) for session, each in frames if each.passive is not None]
    ready = [
        _frame(session, each, policy, withheld=each.advice is not Advice.READY)
        for session, each in frames
        if each.passive is not None
    ]
    broken = {True: 0, False: 0}
    for session, one in zip(sessions, watched, strict=True):
        broken[session.bona_fide] += one.unreadable
    faceless = Counter(session.bona_fide for session, one in seen for each in one.observations if not each.faces)
    result = AttacksResult(
        models=dict(versions),
        policy=policy.version,
        passive_threshold=policy.passive_threshold,
        liveness_threshold=policy.liveness_threshold,
        seconds=round(seconds + time.monotonic() - began, 3),
        bounds_draw="people" if all(session.person is not None for session in sessions) else "recordings",
        unreadable={"bona_fide": broken[True], "attack": broken[False]},
        truncated=sum(one.truncated for _, one in seen),
        frames=sum(len(one.observations) for _, one in seen),
        without_face={"bona_fide": faceless[True], "attack": faceless[False]},
        repeated=sum(each.frozen and each.faces > 0 for _, one in seen for each in one.observations),
        unscored=len(frames) - len(with_face),
        frames_ready=figures(ready),
        frames_with_face=figures(with_face),
        sessions_ready=figures([session.judged for session in judged]),
        sessions_with_face=figures([session.judged for session in forced]),
        withheld=_withheld(frames, policy),
        cues=_cues(judged),
        sessions=[_line(session) for session in judged],
    )
    return Weighed(result, ready, with_face, [session.judged for session in judged])


def judge(session: Presentation, watched: Watched, policy: Policy) -> Session:
    """What the terminal would make of a session by its liveness alone.

    Evidence belongs to one unbroken sighting; of several the one that speaks most for a person counts, because a
    terminal that loses a face begins again with the next.  One picture is a session of one frame, for which the
    policy's least number of frames is not asked.
    """
    alone = len(session.files) == 1 and not session.video
    best: Session | None = None
    for evidence in _sightings(watched.observations):
        weights = evidence.weights(policy)
        frames = len(evidence.passive)
        if alone and frames:
            frames = max(frames, policy.min_passive_frames)
        verdict = judge_liveness(liveness.total(weights), frames, policy) if frames else Verdict.MORE
        found = Session(
            of=session,
            watched=watched,
            verdict=verdict,
            ratios={cue: weight.llr for cue, weight in weights.items()},
            statistics={cue: weight.statistic for cue, weight in weights.items()},
            ready_frames=evidence.ready_frames,
        )
        if best is None or _strength(found) > _strength(best):
            best = found
    return best or Session(session, watched, Verdict.MORE, {}, {}, 0)


def _strength(session: Session) -> tuple[bool, float]:
    score = session.score
    return session.verdict is not Verdict.MORE, float("-inf") if score is None else score


def _sightings(observations: Sequence[Observation]) -> list[Evidence]:
    found = [Evidence()]
    for each in observations:
        if breaks(found[-1], each) and found[-1].track:
            found.append(Evidence())
        found[-1] = collect(found[-1], each)
    return found


def _forced(watched: Watched) -> Watched:
    """The same as if the quality gate had withheld no frame with a face."""
    return Watched(
        tuple(
            replace(each, advice=Advice.READY, faces=min(each.faces, 1))
            for each in watched.observations
            if each.faces
        )
    )


def _frame(session: Presentation, seen: Observation, policy: Policy, *, withheld: bool = False) -> Judged:
    passive = None if withheld else seen.passive
    passes = None if passive is None else passive >= policy.passive_threshold
    return Judged(session.bona_fide, session.kind, passive, passes, _unit(session))


def _unit(session: Presentation) -> str:
    return session.name if session.person is None else session.person


def figures(judged: Sequence[Judged]) -> LivenessFigures:
    """The rates of frames or sessions."""
    live, attacks = ([each for each in judged if each.bona_fide is kind] for kind in (True, False))
    kinds = [_kind(kind, [each for each in attacks if each.kind == kind], live) for kind in _kinds(attacks)]
    bpcer = _rate(live, lambda each: each.passes is False, answered=True)
    worst = max((one.apcer.value for one in kinds if one.apcer.value is not None), default=None)
    wanted, unwanted = _scores(live), _scores(attacks)
    both = bool(wanted) and bool(unwanted)
    return LivenessFigures(
        bona_fide=len(live),
        attacks=len(attacks),
        bona_fide_units=len({each.unit for each in live}),
        attack_units=len({each.unit for each in attacks}),
        apcer=_rate(attacks, lambda each: each.passes is True, answered=True),
        bpcer=bpcer,
        apnrr=_rate(attacks, lambda each: each.passes is None),
        bpnrr=_rate(live, lambda each: each.passes is None),
        acer=None if worst is None or bpcer.value is None else (worst + bpcer.value) / 2,
        accepted=_rate(attacks, lambda each: each.passes is True),
        not_certified=_rate(live, lambda each: each.passes is not True),
        auc=metrics.auc(wanted, unwanted) if both else None,
        eer=_equal(wanted, unwanted),
        bpcer_at_apcer_1pct=_point(wanted, unwanted) if both else None,
        kinds=kinds,
    )


def _kind(kind: str, attacks: Sequence[Judged], live: Sequence[Judged]) -> KindFigures:
    wanted, unwanted = _scores(live), _scores(attacks)
    return KindFigures(
        kind=kind,
        attacks=len(attacks),
        apcer=_rate(attacks, lambda each: each.passes is True, answered=True),
        non_response=_rate(attacks, lambda each: each.passes is None),
        auc=metrics.auc(wanted, unwanted) if wanted and unwanted else None,
        eer=_equal(wanted, unwanted),
    )


def _kinds(attacks: Sequence[Judged]) -> list[str]:
    return sorted({each.kind for each in attacks})


def _rate(judged: Sequence[Judged], event: Callable[[Judged], bool], *, answered: bool = False) -> Rate:
    """With the wider of the exact bounds and those by units: a hundred frames of one person are one person."""
    among = [each for each in judged if each.passes is not None] if answered else judged
    events: Counter[str] = Counter(each.unit for each in among if event(each))
    trials: Counter[str] = Counter(each.unit for each in among)
    whole = Rate.of(events.total(), len(among))
    if len(trials) == len(among):
        return whole
    if events.total() in (0, len(among)):
        drawn: metrics.Interval | None = metrics.binomial_bounds(len(trials) if events else 0, len(trials))
    else:
        seen = np.asarray([(events[unit], times) for unit, times in trials.items()], np.int64)
        drawn = bootstrap.shares(seen[:, 0], seen[:, 1], _REPLICATES)
    if drawn is None:
        return whole
    return whole.model_copy(update={"low": min(whole.low, drawn.low), "high": max(whole.high, drawn.high)})


def _scores(judged: Sequence[Judged]) -> Scores:
    return Scores([each.score for each in judged if each.score is not None])


def _equal(wanted: Scores, unwanted: Scores) -> EqualError | None:
    if not wanted or not unwanted:
        return None
    found = metrics.equal_error(wanted, unwanted)
    return EqualError(rate=found.rate, threshold=found.threshold)


def _point(wanted: Scores, unwanted: Scores) -> OperatingPoint:
    found = metrics.point(wanted, unwanted, LIMIT)
    return OperatingPoint(
        limit=LIMIT, measurable_from=1 / unwanted.total, threshold=found.threshold, accepted=found.accepted
    )


def _withheld(frames: Sequence[tuple[Presentation, Observation]], policy: Policy) -> list[Withheld]:
    kept: dict[tuple[Advice, bool], list[Observation]] = {}
    for session, seen in frames:
        if seen.advice is not Advice.READY:
            kept.setdefault((seen.advice, session.bona_fide), []).append(seen)
    found = []
    for (advice, bona_fide), those in sorted(kept.items(), key=lambda item: -len(item[1])):
        passive = [each.passive for each in those if each.passive is not None]
        found.append(
            Withheld(
                advice=str(advice),
                bona_fide=bona_fide,
                frames=len(those),
                passing=sum(score >= policy.passive_threshold for score in passive),
                passive_median=median(passive) if passive else None,
            )
        )
    return found


def _cues(sessions: Sequence[Session]) -> list[CueFigures]:
    """Each cue alone, over the sessions where it could be told; and the others' sum, over those that have any."""
    found = []
    for cue in Cue:
        told = [session for session in sessions if cue in session.statistics]
        alone = _heaps(told, lambda session, cue=cue: RISES[cue] * session.statistics[cue])  # type: ignore[misc]
        whole = [session for session in sessions if set(session.ratios) - {cue}]
        others = _heaps(
            whole,
            lambda session, cue=cue: sum(llr for one, llr in session.ratios.items() if one is not cue),  # type: ignore[misc]
        )
        found.append(CueFigures(cue=str(cue), sessions=len(told), auc_alone=alone, auc_without=others))
    return found


def _heaps(sessions: Sequence[Session], value: Callable[[Session], float]) -> float | None:
    wanted, unwanted = (
        Scores([value(session) for session in sessions if session.of.bona_fide is kind]) for kind in (True, False)
    )
    return metrics.auc(wanted, unwanted) if wanted and unwanted else None


def _line(session: Session) -> SessionLine:
    seen = session.watched.observations
    score = session.score
    return SessionLine(
        name=session.of.name,
        bona_fide=session.of.bona_fide,
        kind=session.of.kind,
        frames=len(seen),
        with_face=sum(each.faces > 0 for each in seen),
        ready=sum(each.advice is Advice.READY for each in seen),
        truncated=session.watched.truncated,
        score=None if score is None else round(score, 4),
        cues={str(cue): CueLine(statistic=session.statistics[cue], llr=llr) for cue, llr in session.ratios.items()},
        verdict="none" if session.verdict is Verdict.MORE else session.verdict.value,
    )
