"""From a list of pairs to the error rates of the match."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from edge.core.policy import Policy
from models.evaluate import bootstrap, crossing, look, material, metrics, read, workers
from models.evaluate.material import LIMITS, Crowds, Listed, Seen
from models.evaluate.metrics import Scores
from models.evaluate.results import (
    Accuracy,
    Bootstrap,
    EqualError,
    Group,
    Impostors,
    MatchFigures,
    OperatingPoint,
    PairsResult,
    Photos,
    Rate,
    Ways,
)

_WAYS: tuple[material.Way, ...] = ("with_face", "ready", "all")
WORSE_TARGET = 1.25  # targets.md: no group more than 25 % worse than the whole


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """The scores behind a result, for drawing; nothing that tells a face."""

    result: PairsResult
    genuine: Scores
    impostor: Scores


def look_at(
    pairs: Sequence[read.Pair],
    folder: Sequence[read.Photo],
    open_work: look.Describe,
    jobs: int | None,
    console: Console,
) -> Seen:
    """Every picture once, however many pairs it is in."""
    files = sorted({file for pair in pairs for file in (pair.first, pair.second)} | {photo.file for photo in folder})
    count = workers.jobs_for(len(files), jobs)
    seen = workers.answers(files, open_work, count, console, "looking at photos")
    return Seen(pairs, dict(zip(files, seen, strict=True)), folder)


def compare(
    seen: Seen,
    policy: Policy,
    versions: Mapping[str, str],
    *,
    group_by: str | None = None,
    replicates: int | None = None,
    seconds: float = 0.0,
) -> Compared:
    """All figures of what was seen; ``seconds`` is how long looking took.

    ``replicates`` of the bootstrap: a thousand, fewer where a folder gives tens of millions of pairs.
    """
    began = time.monotonic()
    listed = Listed.of(seen)
    crowds = Crowds.of(seen) if seen.folder else None
    figures, whole = {}, None
    sampler = material.sampler(seen, listed, crowds)
    if replicates is None:
        replicates = sampler.affordable()
    for way in _WAYS:
        genuine, impostor = _heaps(listed, crowds, way)
        drawn = sampler.bounds(way, policy.match_threshold, replicates)
        chosen = listed.chosen(way)
        apart = (sampler.people(chosen), sampler.people_pairs(chosen, way))
        figures[way] = _figures(genuine, impostor, drawn, apart, _accuracy(listed, chosen), policy)
        if way == "with_face":
            whole = (genuine, impostor)
    if whole is None:
        raise AssertionError("one of the ways is with_face")
    result = PairsResult(
        models=dict(versions),
        policy=policy.version,
        match_threshold=policy.match_threshold,
        seconds=round(seconds + time.monotonic() - began, 3),
        genuine_listed=int(listed.same.sum()),
        impostor_listed=int((~listed.same).sum()),
        with_itself=sum(pair.first == pair.second for pair in seen.pairs),
        photos=_photos(seen),
        impostors=Impostors(
            source="folder" if crowds else "list",
            people=crowds.people if crowds else None,
            photos=len(seen.folder) if crowds else None,
            grid=crossing.GRID if crowds else None,
        ),
        bootstrap=Bootstrap(
            unit="people" if sampler.by_people else "pairs", units=sampler.units, replicates=replicates
        ),
        figures=Ways(**figures),
        group_by=group_by,
        groups=_groups(seen, sampler, figures["with_face"], policy, replicates) if group_by else [],
    )
    return Compared(result, *whole)


def _heaps(listed: Listed, crowds: Crowds | None, way: material.Way) -> tuple[Scores, Scores]:
    chosen = listed.chosen(way)
    genuine = Scores(listed.score[chosen & listed.same])
    return genuine, crowds.scores[way] if crowds else Scores(listed.score[chosen & ~listed.same])


def _figures(
    genuine: Scores,
    impostor: Scores,
    drawn: bootstrap.Bounds,
    apart: tuple[int | None, int | None],
    accuracy: Accuracy | None,
    policy: Policy,
) -> MatchFigures:
    threshold = policy.match_threshold
    both = bool(genuine) and bool(impostor)
    equal = metrics.equal_error(genuine, impostor) if both else None
    points = []
    for limit, interval in zip(LIMITS, drawn.accepted, strict=True):
        if not both:
            break
        found = metrics.point(genuine, impostor, limit)
        sure = None
        if found.threshold is not None and interval is not None:
            # Who has seen no miss draws none: then only how few people there are says how sure one can be.
            missed = _rate(genuine.total - genuine.passing(found.threshold), genuine.total, None, apart[0])
            sure = metrics.Interval(min(interval.low, 1 - missed.high), max(interval.high, 1 - missed.low))
        points.append(
            OperatingPoint(
                limit=limit,
                measurable_from=1 / impostor.total,
                threshold=found.threshold,
                accepted=found.accepted,
                low=None if sure is None else sure.low,
                high=None if sure is None else sure.high,
            )
        )
    return MatchFigures(
        genuine=genuine.total,
        impostor=impostor.total,
        eer=None if equal is None else EqualError(rate=equal.rate, threshold=equal.threshold),
        auc=metrics.auc(genuine, impostor) if both else None,
        points=points,
        fmr=_rate(impostor.passing(threshold), impostor.total, drawn.passed, apart[1]),
        fnmr=_rate(genuine.total - genuine.passing(threshold), genuine.total, drawn.refused, apart[0]),
        accuracy=accuracy,
    )


def _rate(events: int, trials: int, drawn: metrics.Interval | None, apart: int | None) -> Rate:
    """With the widest of the exact bounds, those of the bootstrap, and, of nothing seen, the exact one by people.

    Pairs are fewer people than they seem: a thousand pairs of five people without a miss are five people without one.
    ``apart``: of how many people the genuine pairs are, or of how many pairs of people the impostor pairs; or None.
    """
    exact = Rate.of(events, trials)
    low, high = exact.low, exact.high
    if drawn is not None:
        low, high = min(low, drawn.low), max(high, drawn.high)
    if apart and trials and not events:
        high = max(high, metrics.binomial_bounds(0, apart).high)
    return exact.model_copy(update={"low": low, "high": high})


def _accuracy(listed: Listed, chosen: NDArray[np.bool_]) -> Accuracy | None:
    """Of the list's own pairs, which alone have folds; None unless they are of both kinds."""
    scores, same = listed.score[chosen], listed.same[chosen]
    if same.all() or not same.any():
        return None
    if listed.folds is not None and len(np.unique(listed.folds[chosen])) > 1:
        folded = metrics.folded_accuracy(scores, same, listed.folds[chosen])
        return Accuracy(
            how="folds",
            mean=folded.mean,
            deviation=folded.deviation,
            folds=len(folded.accuracies),
            threshold=float(np.mean(folded.thresholds)),
        )
    threshold = metrics.best_threshold(scores, same)
    right = float(((scores >= threshold) == same).mean())
    return Accuracy(how="optimistic", mean=right, deviation=None, folds=0, threshold=threshold)


def _photos(seen: Seen) -> Photos:
    looked = list(seen.looked.values())
    return Photos(
        looked_at=len(looked),
        with_face=sum(one.failure is None for one in looked),
        ready=sum(one.ready for one in looked),
        failures=dict(Counter(one.failure for one in looked if one.failure is not None).most_common()),
        advice=dict(Counter(str(one.advice) for one in looked if one.advice is not None).most_common()),
    )


def _groups(
    seen: Seen, sampler: material.Sampler, whole: MatchFigures, policy: Policy, replicates: int
) -> list[Group]:
    names = np.asarray([pair.group for pair in seen.pairs], np.str_)
    listed, threshold = sampler.listed, policy.match_threshold
    found = []
    for name in np.unique(names):
        chosen = listed.faces & (names == name)
        genuine, impostor = (listed.score[chosen & kind] for kind in (listed.same, ~listed.same))
        drawn = sampler.bounds_of(chosen, threshold, replicates)
        missed, passed = int((genuine < threshold).sum()), int((impostor >= threshold).sum())
        fnmr = _rate(missed, len(genuine), drawn.refused, sampler.people(chosen))
        worse = fnmr.value / whole.fnmr.value if fnmr.value is not None and whole.fnmr.value else None
        found.append(
            Group(
                name=str(name),
                genuine=len(genuine),
                impostor=len(impostor),
                fnmr=fnmr,
                fmr=_rate(passed, len(impostor), drawn.passed, sampler.people_pairs(chosen)),
                worse=worse,
                worse_than_target=None if worse is None else worse > WORSE_TARGET,
                certainly_worse=None if worse is None else fnmr.low > WORSE_TARGET * (whole.fnmr.value or 0.0),
            )
        )
    return found
