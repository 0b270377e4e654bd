"""What was seen of a list and a folder, as arrays, and what the bootstrap draws of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from models.evaluate import bootstrap, crossing, metrics, read
from models.evaluate.look import Looked
from models.evaluate.metrics import Scores

LIMITS = (1e-2, 1e-3, 1e-4)
NO_MATCH = -1.0  # the least cosine: a pair that cannot be compared does not match
_KEPT_SHARE = 0.015  # of a folder's impostor pairs, for the bootstrap: half more than the largest limit

Way = Literal["with_face", "ready", "all"]
Chosen = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """The list and the folder, and what the eyes saw of every picture in them."""

    pairs: Sequence[read.Pair]
    looked: Mapping[Path, Looked] = field(repr=False)
    folder: Sequence[read.Photo] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Listed:
    """The list's pairs as arrays (P,): ``score`` is NO_MATCH where ``faces`` is False."""

    score: metrics.Floats64
    same: Chosen
    faces: Chosen
    ready: Chosen
    folds: NDArray[np.str_] | None

    @classmethod
    def of(cls, seen: Seen) -> "Listed":
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

    def chosen(self, way: Way) -> Chosen:
        return {"with_face": self.faces, "ready": self.ready, "all": np.ones_like(self.faces)}[way]


@dataclass(frozen=True, slots=True, eq=False)
class Crowds:
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
    def of(cls, seen: Seen) -> "Crowds":
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


@dataclass(frozen=True, slots=True, eq=False)
class Sampler:
    """What the bootstrap draws: ``units``, and to which of them the list's pairs and the folder's people belong."""

    by_people: bool
    units: int
    first: bootstrap.Units  # of the list's pairs
    second: bootstrap.Units
    listed: Listed
    crowds: Crowds | None
    of_people: bootstrap.Units | None  # the folder's people

    def affordable(self) -> int:
        """How many replicates take seconds."""
        whole = self.crowds.scores["with_face"].total if self.crowds else len(self.first)
        kept = min(round(_KEPT_SHARE * whole) if self.crowds else whole, crossing.MOST_KEPT)
        return min(1000, max(200, 250_000_000 // max(1, kept)))

    def bounds(self, way: Way, threshold: float, replicates: int) -> bootstrap.Bounds:
        """Of all pairs counted in one way."""
        chosen = self.listed.chosen(way)
        return bootstrap.bounds(
            self._wanted(chosen), self._unwanted(way, chosen), self.units, LIMITS, threshold, replicates
        )

    def bounds_of(self, chosen: Chosen, threshold: float, replicates: int) -> bootstrap.Bounds:
        """Of some of the list's own pairs."""
        return bootstrap.bounds(self._wanted(chosen), self._of_list(chosen), self.units, (), threshold, replicates)

    def people(self, chosen: Chosen) -> int | None:
        """How many people the chosen genuine pairs are of; None when it cannot be told."""
        return len(np.unique(self.first[chosen & self.listed.same])) if self.by_people else None

    def people_pairs(self, chosen: Chosen, way: Way | None = None) -> int | None:
        """How many pairs of people the impostor pairs are of; None when it cannot be told.

        Of the folder where there is one and all pairs of a ``way`` are meant, otherwise of the chosen of the list.
        """
        if way is not None and self.crowds is not None:
            crowd = self.crowds.ready if way == "ready" else self.crowds.with_face
            people = self.crowds.people if way == "all" else len(np.unique(crowd.person))
            return people * (people - 1) // 2
        if not self.by_people:
            return None
        other = chosen & ~self.listed.same
        both = np.sort(np.stack([self.first[other], self.second[other]]), axis=0)
        return int(np.unique(both, axis=1).shape[1])

    def _wanted(self, chosen: Chosen) -> bootstrap.Wanted:
        same = chosen & self.listed.same
        return bootstrap.Wanted(self.listed.score[same], self.first[same])

    def _of_list(self, chosen: Chosen) -> bootstrap.Unwanted:
        other = np.flatnonzero(chosen & ~self.listed.same)
        order = other[np.argsort(-self.listed.score[other], kind="stable")]
        return bootstrap.Unwanted(self.listed.score[order], self.first[order], self.second[order])

    def _unwanted(self, way: Way, chosen: Chosen) -> bootstrap.Unwanted:
        if self.crowds is None or self.of_people is None:
            return self._of_list(chosen)
        crowd = self.crowds.ready if way == "ready" else self.crowds.with_face
        kept = crossing.highest(crowd, self.crowds.scores["ready" if way == "ready" else "with_face"], _KEPT_SHARE)
        photos = self.crowds.asked if way == "all" else np.bincount(crowd.person, minlength=self.crowds.people)
        per_unit = np.zeros(self.units, np.int64)
        per_unit[self.of_people] = photos
        return bootstrap.Unwanted(
            kept.scores, self.of_people[kept.first], self.of_people[kept.second], per_unit=per_unit
        )


def sampler(seen: Seen, listed: Listed, crowds: Crowds | None) -> Sampler:
    """People where every name can be told from the folders, and fits what the list says; otherwise pairs."""
    below = {photo.file: photo.person for photo in seen.folder}
    names = [
        pair.people or tuple(str(below.get(file, file.parent)) for file in (pair.first, pair.second))
        for pair in seen.pairs
    ]
    told = all((a == b) == pair.same for (a, b), pair in zip(names, seen.pairs, strict=True))
    folder = [str(name) for name in crowds.names] if crowds else []
    everybody = sorted({name for both in names for name in both} | set(folder))
    if told and len(everybody) > 1:
        place = {name: number for number, name in enumerate(everybody)}
        first, second = (np.asarray([place[both[side]] for both in names], np.intp) for side in (0, 1))
        of_people = np.asarray([place[name] for name in folder], np.intp) if crowds else None
        return Sampler(True, len(everybody), first, second, listed, crowds, of_people)
    rows = np.arange(len(names), dtype=np.intp)
    of_people = np.arange(len(rows), len(rows) + crowds.people, dtype=np.intp) if crowds else None
    count = len(rows) + (crowds.people if crowds else 0)
    return Sampler(False, count, rows, rows, listed, crowds, of_people)
