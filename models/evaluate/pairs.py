"""From a list of pairs to the error rates of the match."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from edge.core.policy import Policy
from models.evaluate import bootstrap, crossing, look, metrics, read, workers
from models.evaluate.look import Looked
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

LIMITS = (1e-2, 1e-3, 1e-4)
NO_MATCH = -1.0  # the least cosine: a pair that cannot be compared does not match
WORSE_TARGET = 1.25  # targets.md: no group more than 25 % worse than the whole
_KEPT_SHARE = 0.015  # of a folder's impostor pairs, for the bootstrap: half more than the largest limit


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """The list and the folder, and what the eyes saw of every picture in them."""

    pairs: Sequence[read.Pair]
    looked: Mapping[Path, Looked] = field(repr=False)
    folder: Sequence[read.Photo] = ()


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
    listed = _Listed.of(seen)
    crowds = _Crowds.of(seen) if seen.folder else None
    figures, whole = {}, None
    units, sampler = _units(seen, listed, crowds)
    if replicates is None:
        replicates = sampler.affordable()
    for way in ("with_face", "ready", "all"):
        genuine, impostor = _heaps(listed, crowds, way)
        drawn = sampler.bounds(way, policy.match_threshold, replicates) if genuine and impostor else None
        figures[way] = _figures(genuine, impostor, drawn, listed, way, policy)
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
        photos=_photos(seen),
        impostors=Impostors(
            source="folder" if crowds else "list",
            people=crowds.people if crowds else None,
            photos=len(seen.folder) if crowds else None,
            grid=crossing.GRID if crowds else None,
        ),
        bootstrap=Bootstrap(unit=units, units=sampler.units, replicates=replicates),
        figures=Ways(**figures),
        group_by=group_by,
        groups=_groups(seen, listed, figures["with_face"], policy) if group_by else [],
    )
    return Compared(result, *whole)


@dataclass(frozen=True, slots=True, eq=False)
class _Listed:
    """The list's pairs as arrays (P,): ``score`` is NO_MATCH where ``faces`` is False."""

    score: metrics.Floats64
    same: NDArray[np.bool_]
    faces: NDArray[np.bool_]
    ready: NDArray[np.bool_]
    folds: NDArray[np.str_] | None

    @classmethod
    def of(cls, seen: Seen) -> "_Listed":
        both = [(seen.looked[pair.first], seen.looked[pair.second]) for pair in seen.pairs]
        score = [
            NO_MATCH if a.embedding is None or b.embedding is None else float(a.embedding @ b.embedding)
            for a, b in both
        ]
        folds = [pair.fold for pair in seen.pairs if pair.fold is not None]
        return cls(
            np.asarray(score, np.float64),
            np.asarray([pair.same for pair in seen.pairs], np.bool_),
            np.asarray([a.failure is None and b.failure is None for a, b in both], np.bool_),
            np.asarray([a.ready and b.ready for a, b in both], np.bool_),
            np.asarray(folds) if folds else None,
        )

    def chosen(self, way: str) -> NDArray[np.bool_]:
        return {"with_face": self.faces, "ready": self.ready, "all": np.ones_like(self.faces)}[way]


@dataclass(frozen=True, slots=True, eq=False)
class _Crowds:
    """The folder's people: photos with a face, those that are ready, and how many photos were asked for."""

    with_face: crossing.Crowd
    ready: crossing.Crowd
    names: Sequence[Path]
    asked: NDArray[np.int64]
    scores: Mapping[str, Scores]

    @property
    def people(self) -> int:
        return len(self.names)

    @classmethod
    def of(cls, seen: Seen) -> "_Crowds":
        names = sorted({photo.person for photo in seen.folder})
        place = {name: number for number, name in enumerate(names)}
        photos = sorted(seen.folder, key=lambda photo: place[photo.person])
        looked = [(place[photo.person], seen.looked[photo.file]) for photo in photos]
        crowds = {}
        for way in ("with_face", "ready"):
            kept = [
                (person, one.embedding)
                for person, one in looked
                if one.embedding is not None and (way == "with_face" or one.ready)
            ]
            stacked = np.stack([one for _, one in kept]) if kept else np.zeros((0, 1), np.float32)
            crowds[way] = crossing.Crowd(stacked, np.asarray([person for person, _ in kept], np.intp))
        asked = np.bincount([person for person, _ in looked], minlength=len(names)).astype(np.int64)
        scores = {way: crossing.impostor_scores(crowd) for way, crowd in crowds.items()}
        lost = crossing.pairs_of(asked) - scores["with_face"].total
        scores["all"] = scores["with_face"].plus(NO_MATCH, lost)
        return cls(crowds["with_face"], crowds["ready"], names, asked, scores)


def _heaps(listed: _Listed, crowds: _Crowds | None, way: str) -> tuple[Scores, Scores]:
    chosen = listed.chosen(way)
    genuine = Scores(listed.score[chosen & listed.same])
    return genuine, crowds.scores[way] if crowds else Scores(listed.score[chosen & ~listed.same])


def _figures(
    genuine: Scores,
    impostor: Scores,
    drawn: bootstrap.Bounds | None,
    listed: _Listed,
    way: str,
    policy: Policy,
) -> MatchFigures:
    threshold = policy.match_threshold
    both = bool(genuine) and bool(impostor)
    equal = metrics.equal_error(genuine, impostor) if both else None
    points = []
    for limit, interval in zip(LIMITS, drawn.accepted if drawn else (), strict=False):
        found = metrics.point(genuine, impostor, limit)
        sure = interval if found.threshold is not None else None
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
        fmr=_rate(impostor.passing(threshold), impostor.total, drawn.passed if drawn else None),
        fnmr=_rate(genuine.total - genuine.passing(threshold), genuine.total, drawn.refused if drawn else None),
        accuracy=_accuracy(listed, listed.chosen(way)),
    )


def _rate(events: int, trials: int, drawn: metrics.Interval | None) -> Rate:
    """With the wider of the exact bounds and those of the bootstrap: pairs are fewer people than they seem."""
    exact = Rate.of(events, trials)
    if drawn is None:
        return exact
    return exact.model_copy(update={"low": min(exact.low, drawn.low), "high": max(exact.high, drawn.high)})


def _accuracy(listed: _Listed, chosen: NDArray[np.bool_]) -> Accuracy | None:
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


def _groups(seen: Seen, listed: _Listed, whole: MatchFigures, policy: Policy) -> list[Group]:
    names = np.asarray([pair.group for pair in seen.pairs], np.str_)
    found = []
    for name in np.unique(names):
        chosen = listed.faces & (names == name)
        genuine, impostor = (listed.score[chosen & kind] for kind in (listed.same, ~listed.same))
        fnmr = Rate.of(int((genuine < policy.match_threshold).sum()), len(genuine))
        worse = fnmr.value / whole.fnmr.value if fnmr.value is not None and whole.fnmr.value else None
        found.append(
            Group(
                name=str(name),
                genuine=len(genuine),
                impostor=len(impostor),
                fnmr=fnmr,
                fmr=Rate.of(int((impostor >= policy.match_threshold).sum()), len(impostor)),
                worse=worse,
                worse_than_target=None if worse is None else worse > WORSE_TARGET,
            )
        )
    return found


# --- bounds ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class _Sampler:
    """What the bootstrap draws: ``units``, and to which of them the list's pairs and the folder's people belong."""

    units: int
    first: bootstrap.Units  # of the list's pairs
    second: bootstrap.Units
    listed: _Listed
    crowds: _Crowds | None
    of_people: bootstrap.Units | None  # the folder's people

    def affordable(self) -> int:
        """How many replicates take seconds."""
        whole = self.crowds.scores["with_face"].total if self.crowds else len(self.first)
        kept = min(round(_KEPT_SHARE * whole) if self.crowds else whole, crossing.MOST_KEPT)
        return min(1000, max(200, 250_000_000 // max(1, kept)))

    def bounds(self, way: str, threshold: float, replicates: int) -> bootstrap.Bounds:
        chosen = self.listed.chosen(way)
        same = chosen & self.listed.same
        wanted = bootstrap.Wanted(self.listed.score[same], self.first[same])
        return bootstrap.bounds(wanted, self._unwanted(way, chosen), self.units, LIMITS, threshold, replicates)

    def _unwanted(self, way: str, chosen: NDArray[np.bool_]) -> bootstrap.Unwanted:
        if self.crowds is None or self.of_people is None:
            other = np.flatnonzero(chosen & ~self.listed.same)
            order = other[np.argsort(-self.listed.score[other], kind="stable")]
            return bootstrap.Unwanted(self.listed.score[order], self.first[order], self.second[order])
        crowd = self.crowds.ready if way == "ready" else self.crowds.with_face
        kept = crossing.highest(crowd, self.crowds.scores["ready" if way == "ready" else "with_face"], _KEPT_SHARE)
        photos = self.crowds.asked if way == "all" else np.bincount(crowd.person, minlength=self.crowds.people)
        per_unit = np.zeros(self.units, np.int64)
        per_unit[self.of_people] = photos
        return bootstrap.Unwanted(
            kept.scores, self.of_people[kept.first], self.of_people[kept.second], per_unit=per_unit
        )


def _units(seen: Seen, listed: _Listed, crowds: _Crowds | None) -> tuple[str, _Sampler]:
    """People where every name can be told from the folders, and fits what the list says; otherwise pairs."""
    below = {photo.file: photo.person for photo in seen.folder}
    names = [tuple(below.get(file, file.parent) for file in (pair.first, pair.second)) for pair in seen.pairs]
    told = all((a == b) == pair.same for (a, b), pair in zip(names, seen.pairs, strict=True))
    everybody = sorted({name for both in names for name in both} | set(crowds.names if crowds else ()))
    if told and len(everybody) > 1:
        place = {name: number for number, name in enumerate(everybody)}
        first, second = (np.asarray([place[both[side]] for both in names], np.intp) for side in (0, 1))
        of_people = np.asarray([place[name] for name in crowds.names], np.intp) if crowds else None
        return "people", _Sampler(len(everybody), first, second, listed, crowds, of_people)
    rows = np.arange(len(names), dtype=np.intp)
    of_people = np.arange(len(rows), len(rows) + crowds.people, dtype=np.intp) if crowds else None
    return "pairs", _Sampler(len(rows) + (crowds.people if crowds else 0), rows, rows, listed, crowds, of_people)
