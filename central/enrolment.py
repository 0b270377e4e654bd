"""From a list of people with their reference photos to what a roster holds, through the same eyes as the terminal's.

The list is a TOML file of the caller's; it is read, never copied:

    [[person]]
    number = "..."            # an identity number (a test number, on a development site)
    name = "..."              # only its masked form goes further
    photos = ["a.jpg"]        # optional, from the file's folder; best one to three, of different days
    scheme = "beijing"        # optional, as all below
    standing = "due"
    valid_until = 2026-12-31
    method = "self_face"
    last_certified = 2025-12-11
    exemptions = ["blink"]

Errors name the file and the person's place in it, never the person.
"""

import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import cv2
import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from central.roster import Enrolled
from edge.core.identity import IdentityNumber, parse
from edge.core.policy import Policy
from edge.core.types import Action, Method, Standing
from edge.errors import ConfigError
from edge.ports import Floats, Pixels

MAX_PHOTO_BYTES = 32 * 1024 * 1024
MAX_SIDE_PX = 1920


@dataclass(frozen=True, slots=True, eq=False)
class Described:
    """One photo: float32 (D,), unit length, and what would make a better one (empty: nothing)."""

    embedding: Floats = field(repr=False)
    remark: str = ""


# uint8 (H, W, 3) RGB of a photo; raises ValueError saying why it cannot be used at all.
Describe = Callable[[Pixels], Described]


@dataclass(frozen=True, slots=True)
class Enrolment:
    """Everybody, and what the office should look at: which photo of which place in the list could be better."""

    people: tuple[Enrolled, ...]
    remarks: tuple[str, ...]


class PersonEntry(BaseModel):
    """One ``[[person]]``.  Not in any repr: numbers and names."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    number: Annotated[str, Field(max_length=64, repr=False)]
    name: Annotated[str, Field(min_length=1, max_length=128, repr=False)]
    photos: tuple[str, ...] = ()
    scheme: str = Policy().scheme.name
    standing: Standing = Standing.DUE
    valid_until: date | None = None
    method: Method | None = None
    last_certified: date | None = None
    exemptions: frozenset[Action] = frozenset()


class PeopleDoc(BaseModel):
    """The file."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    person: tuple[PersonEntry, ...] = ()


def read_people(file: Path) -> PeopleDoc:
    """The people in ``file``; raises `ConfigError` without naming anybody."""
    try:
        raw: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
        return PeopleDoc.model_validate(raw)
    except OSError as error:
        raise ConfigError(f"{file} cannot be read ({error.strerror}); give the list of people.") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError):
        raise ConfigError(f"{file} is not valid TOML; see `anxin provision dev --help` for its form.") from None
    except ValidationError as error:
        raise ConfigError(f"{file}: " + "; ".join(_sentence(each) for each in error.errors()[:5]) + ".") from None


def enrol(people: PeopleDoc, file: Path, today: date, model: str | None, describe: Describe | None) -> Enrolment:
    """Everybody in the list with the embeddings of their photos under ``model``; raises `ConfigError`.

    Without ``describe`` nobody gets references: then everybody is referred to a person at the terminal.
    """
    enrolled, remarks = [], []
    for place, person in enumerate(people.person, 1):
        number = parse(person.number, today)
        if not isinstance(number, IdentityNumber):
            raise ConfigError(f"{file}: person {place}: the number is not valid ({number}); correct it.")
        references: dict[str, Sequence[Floats]] = {}
        if person.photos and describe is not None and model is not None:
            seen = [_describe(file, place, photo, describe) for photo in person.photos]
            references[model] = [each.embedding for each in seen]
            remarks += [f"person {place}, photo {n}: {each.remark}" for n, each in enumerate(seen, 1) if each.remark]
        enrolled.append(
            Enrolled(
                number=number,
                name=person.name,
                scheme=person.scheme,
                standing=person.standing,
                valid_until=person.valid_until,
                method=person.method,
                last_certified=person.last_certified,
                exemptions=person.exemptions,
                references=references,
            )
        )
    if len({each.number.number for each in enrolled}) != len(enrolled):
        raise ConfigError(f"{file}: two people have the same number; correct one.")
    return Enrolment(tuple(enrolled), tuple(remarks))


def read_photo(path: Path) -> Pixels:
    """uint8 (H, W, 3) RGB, upright by its EXIF, at most 1920 px a side; raises ValueError."""
    try:
        raw = path.read_bytes() if path.stat().st_size <= MAX_PHOTO_BYTES else b""
    except OSError as error:
        raise ValueError(f"it cannot be read ({error.strerror})") from None
    image = cv2.imdecode(np.frombuffer(raw, np.uint8), cv2.IMREAD_COLOR) if raw else None
    if image is None:
        raise ValueError("it is not a picture")
    longest = max(image.shape[:2])
    if longest > MAX_SIDE_PX:
        image = cv2.resize(
            image, None, fx=MAX_SIDE_PX / longest, fy=MAX_SIDE_PX / longest, interpolation=cv2.INTER_AREA
        )
    return np.ascontiguousarray(image[:, :, ::-1])


def _describe(file: Path, place: int, photo: str, describe: Describe) -> Described:
    try:
        return describe(read_photo(file.parent / photo))
    except ValueError as error:
        raise ConfigError(f"{file}: person {place}: a photo cannot be used: {error}; take another one.") from None


def _sentence(error: Any) -> str:
    where = [f"person {part + 1}" if isinstance(part, int) else f"`{part}`" for part in error["loc"][1:]]
    what = "is unknown" if error["type"] == "extra_forbidden" else "is missing or not as it should be"
    return f"{' '.join(where) or 'the file'} {what}"
