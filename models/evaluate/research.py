"""The research data from which thresholds are chosen: a folder shaped as ../shared/data (its README says what it is).

Nothing of it is ever copied; what goes into the report are counts.
"""

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from models.evaluate import read
from models.evaluate.errors import UnusableInputError
from models.evaluate.read import Pair, Photo, Presentation

# NUAA's file names: subject, glasses, light or way of holding the print, sitting, frame.
_NUAA = re.compile(r"(?P<subject>\d{4})_(?P<glasses>\d\d)_(?P<way>\d\d)_(?P<sitting>\d\d)_(?P<frame>\d+)\.jpg")
SAME_SITTING, OTHER_SITTING = "one person, one sitting", "one person, two sittings"
DIFFERENT = ("two people, no glasses", "two people, one with glasses", "two people, both with glasses")


@dataclass(frozen=True, slots=True)
class Research:
    """What the report is made from."""

    press_pairs: Sequence[Pair]
    press_people: Sequence[Photo]
    asian_pairs: Sequence[Pair]
    pictures: Sequence[Presentation]  # NUAA, each picture a session of its own
    sessions: Sequence[Presentation]  # NUAA by sitting, and the man who talks


def research(folder: Path) -> Research:
    """Raises UnusableInputError when the folder is not shaped as it should be."""
    for needed in ("lfw_dev/images", "lfw_dev/genuine_pairs.csv", "nuaa_dev/live", "nuaa_dev/spoof"):
        if not (folder / needed).exists():
            raise UnusableInputError(
                f"{folder} has no {needed}; the report needs LFW and NUAA photos laid out as docs/evaluate.md says."
            )
    press = folder / "lfw_dev"
    pictures = [replace(one, person=subject(one)) for one in read.presentations(folder / "nuaa_dev")]
    films = [
        Presentation(file.name, (file,), bona_fide=True, kind="talking face", video=True, person="talking face")
        for file in sorted((folder / "talking_face").glob("*.mp4"))
    ]
    return Research(
        read.pairs(press / "genuine_pairs.csv", press),
        read.people(press / "images"),
        pairs_by_subject([one.files[0] for one in pictures if one.bona_fide]),
        pictures,
        [*by_sitting(pictures), *films],
    )


def pairs_by_subject(files: Sequence[Path]) -> list[Pair]:
    """All pairs of NUAA's live frames; the group says whether both are of one sitting, or who wears glasses.

    Frames of one sitting are a second apart and nearly the same picture: they say little of a match.
    """
    named = [(name, file) for file in files if (name := _NUAA.fullmatch(file.name))]
    found = []
    for (one, first), (other, second) in itertools.combinations(named, 2):
        people = (one["subject"], other["subject"])
        group = DIFFERENT[(one["glasses"] == "01") + (other["glasses"] == "01")]
        if people[0] == people[1]:
            group = SAME_SITTING if _sitting(one) == _sitting(other) else OTHER_SITTING
        found.append(Pair(first, second, people[0] == people[1], group=group, people=people))
    return found


def by_sitting(pictures: Sequence[Presentation]) -> list[Presentation]:
    """NUAA's frames as sessions: those of one subject, sitting and way of holding the print."""
    together: dict[tuple[bool, str, str], list[Path]] = {}
    for one in pictures:
        if name := _NUAA.fullmatch(one.files[0].name):
            kind = "live" if one.bona_fide else f"printed photo, way {name['way']}"
            together.setdefault((one.bona_fide, _sitting(name), kind), []).append(one.files[0])
    return [
        Presentation(sitting, tuple(files), bona_fide, kind, video=False, person=sitting.partition("_")[0])
        for (bona_fide, sitting, kind), files in together.items()
    ]


def subject(picture: Presentation) -> str | None:
    """Who is on one of NUAA's pictures, by its name."""
    name = _NUAA.fullmatch(picture.files[0].name)
    return name["subject"] if name else None


def subjects(pictures: Sequence[Presentation]) -> int:
    """How many different people NUAA's names tell of."""
    return len({name for one in pictures if (name := subject(one)) is not None})


def _sitting(name: "re.Match[str]") -> str:
    return "_".join(name[part] for part in ("subject", "glasses", "way", "sitting"))
