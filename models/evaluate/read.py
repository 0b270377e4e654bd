"""What is to be evaluated, parsed: a list of pairs, a folder of people, a folder of live people and attacks."""

import csv
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from models.evaluate.errors import UnusableInputError

PICTURES = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".webp"})
VIDEOS = frozenset({".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".webm"})
LIVE, SPOOF = "live", "spoof"
_FIXED = ("path_a", "path_b", "same", "fold")
_FEW_PEOPLE, _MANY_PHOTOS = 3, 30
_MOST_ROWS = 5_000_000
_MOST_GROUPS = 200  # every group has a bootstrap of its own; a column of names would take hours and say nothing


class Row(BaseModel):
    """One line of a list of pairs; further columns are groups."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path_a: Annotated[str, Field(min_length=1, max_length=4096)]
    path_b: Annotated[str, Field(min_length=1, max_length=4096)]
    same: bool = True
    fold: Annotated[str, Field(min_length=1, max_length=64)] | None = None


@dataclass(frozen=True, slots=True)
class Pair:
    """Two pictures, whether they show one person, the fold, and the group of `--group-by`.

    ``people`` names both, where that cannot be told from the folders in which the pictures lie.
    """

    first: Path
    second: Path
    same: bool
    fold: str | None = None
    group: str | None = None
    people: tuple[str, str] | None = None


def pairs(file: Path, root: Path, group_by: str | None = None) -> list[Pair]:
    """The list's pairs, with paths below ``root``; a list without the column ``same`` holds genuine pairs only.

    Raises UnusableInputError, naming the line, for what is not as it should be.
    """
    if not root.is_dir():
        raise UnusableInputError(f"{root} is no folder; give --root the folder below which the list's pictures are.")
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            found = _rows(csv.DictReader(stream), file, root.resolve(), group_by)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UnusableInputError(f"{file} cannot be read as a CSV file in UTF-8 ({_why(error)}).") from error
    if not found:
        raise UnusableInputError(f"{file} lists no pair; write one a line below the heading path_a,path_b,same.")
    if any((pair.fold is None) != (found[0].fold is None) for pair in found):
        raise UnusableInputError(f"{file} gives some pairs a fold and others none; give all or none.")
    if (groups := len({pair.group for pair in found})) > _MOST_GROUPS:
        raise UnusableInputError(
            f"{file}, column {group_by}: {groups:,} different values, at most {_MOST_GROUPS} can be groups; "
            "give --group-by a coarser column."
        )
    return found


def _rows(reader: "csv.DictReader[str]", file: Path, root: Path, group_by: str | None) -> list[Pair]:
    columns = list(reader.fieldnames or ())
    if not columns:
        raise UnusableInputError(f"{file} is empty; its first line must name the columns: path_a,path_b,same.")
    if len(columns) == 1 and columns[0].count(";") + columns[0].count("\t") > 0:
        raise UnusableInputError(
            f"{file}, line 1: the cells are parted by {_parted(columns[0])}; save it with commas."
        )
    for needed in ("path_a", "path_b", *((group_by,) if group_by else ())):
        if needed not in columns:
            raise UnusableInputError(f"{file} has no column {needed}; its first line names {', '.join(columns)}.")
    known: dict[str, Path] = {}
    found: list[Pair] = []
    for raw in reader:
        where = f"{file}, line {reader.line_num}"
        if len(found) >= _MOST_ROWS:
            raise UnusableInputError(f"{where}: more than {_MOST_ROWS:,} pairs; split the list.")
        if None in raw or None in raw.values():
            raise UnusableInputError(f"{where}: there are not as many cells as headings ({len(columns)}).")
        fixed = {name: raw[name].strip() for name in _FIXED if name in raw}
        try:
            row = Row.model_validate({name: cell for name, cell in fixed.items() if cell or name != "fold"})
        except ValidationError as error:
            wrong = error.errors()[0]
            raise UnusableInputError(f"{where}: {wrong['loc'][0]}: {wrong['msg'].lower()}.") from None
        first, second = (_picture(path, root, known, where) for path in (row.path_a, row.path_b))
        group = raw[group_by].strip() or "(none)" if group_by else None
        found.append(Pair(first, second, row.same, row.fold, group))
    return found


def _parted(heading: str) -> str:
    return "semicolons" if ";" in heading else "tabs"


def _picture(path: str, root: Path, known: dict[str, Path], where: str) -> Path:
    if path not in known:
        file = root / path
        # Links are followed, as data sets are often put together of them; ``..`` is a mistake or a trick.
        if not Path(path).is_absolute() and not Path(os.path.normpath(file)).is_relative_to(root):
            raise UnusableInputError(
                f"{where}: the path leaves --root ({root}) by ..; give a --root further up, or an absolute path."
            )
        if not file.is_file():
            raise UnusableInputError(f"{where}: the picture does not exist below {root}; check the path and --root.")
        known[path] = file
    return known[path]


@dataclass(frozen=True, slots=True)
class Photo:
    """A picture and the person (the folder) to whom it belongs."""

    file: Path
    person: Path


def many_a_person(folder: Sequence[Photo]) -> str | None:
    """A remark on two or three "people" with dozens of photos each, who may be folders of something else."""
    counts = Counter(photo.person for photo in folder)
    if len(counts) > _FEW_PEOPLE or min(counts.values(), default=0) < _MANY_PHOTOS:
        return None
    return (
        f"--impostors-from: {len(counts)} sub-folders with {min(counts.values()):,} photos and more. Each sub-folder "
        "is taken for one person; photos of one sub-folder are never compared with each other. If they hold many "
        "people, give a folder with one sub-folder a person."
    )


def people(folder: Path) -> list[Photo]:
    """The pictures of a folder that has one sub-folder a person, sorted by person.

    Raises UnusableInputError when there are not two people with a picture.
    """
    if not folder.is_dir():
        raise UnusableInputError(f"{folder} is no folder; give one with a sub-folder for each person.")
    found = [
        Photo(file, person)
        for person in sorted(each for each in folder.resolve().iterdir() if each.is_dir())
        for file in sorted(person.rglob("*"))
        if file.suffix.lower() in PICTURES and file.is_file()
    ]
    if len({photo.person for photo in found}) < 2:
        raise UnusableInputError(f"{folder} needs at least two sub-folders, one a person, with pictures in them.")
    return found


@dataclass(frozen=True, slots=True)
class Presentation:
    """One session before the camera, bona fide or an attack.

    ``files`` is one video, one picture, or all pictures of a folder; ``name`` its path below the folder given.
    ``person`` is who is shown, where that is known.
    """

    name: str
    files: tuple[Path, ...]
    bona_fide: bool
    kind: str
    video: bool
    person: str | None = None


def presentations(folder: Path, *, by_folder: bool = False) -> list[Presentation]:
    """Everything below folders ``live`` and ``spoof``, at any depth; the kind is the sub-folder of ``spoof``.

    ``by_folder``: the pictures of one folder are one session (but not those that lie in ``live`` or ``spoof``
    itself).  Raises UnusableInputError when there is neither, or nothing in them.
    """
    if not folder.is_dir():
        raise UnusableInputError(f"{folder} is no folder; give one with the sub-folders live and spoof.")
    found: list[Presentation] = []
    together: dict[tuple[Path, bool, str], list[Path]] = {}
    for file in sorted(_below(folder)):
        suffix = file.suffix.lower()
        if suffix not in PICTURES | VIDEOS or not file.is_file():
            continue
        parts = file.relative_to(folder).parts[:-1]
        at = next((n for n, part in enumerate(parts) if part.lower() in (LIVE, SPOOF)), None)
        if at is None:
            continue
        bona_fide, below = parts[at].lower() == LIVE, parts[at + 1 :]
        kind = below[0] if below else parts[at].lower()
        if by_folder and suffix in PICTURES and below:
            together.setdefault((file.parent, bona_fide, kind), []).append(file)
            continue
        name = str(file.relative_to(folder))
        found.append(Presentation(name, (file,), bona_fide, kind, suffix in VIDEOS))
    found += [
        Presentation(str(parent.relative_to(folder)), tuple(files), bona_fide, kind, video=False)
        for (parent, bona_fide, kind), files in together.items()
    ]
    if not found:
        raise UnusableInputError(
            f"{folder} has no pictures or videos in folders named live and spoof; "
            "put bona fide recordings into live/ and attacks into spoof/KIND/."
        )
    return found


def _below(folder: Path) -> Iterator[Path]:
    """Every file below, also behind links, as data sets are often put together; each folder once, so loops end."""
    been: set[str] = set()
    for place, folders, files in os.walk(folder, followlinks=True):
        real = os.path.realpath(place)
        if real in been:
            folders.clear()
            continue
        been.add(real)
        folders.sort()
        yield from (Path(place, name) for name in files)


def _why(error: Exception) -> str:
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)
