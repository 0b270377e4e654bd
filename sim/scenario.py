"""A scenario: who comes to the terminal one after the other, how they behave, what breaks, what must result.

TOML, parsed strictly: an unknown key is refused with its name.  docs/simulator.md explains every key.
"""

import tomllib
from datetime import datetime
from enum import StrEnum, unique
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from edge.core.types import Action, Mode, Outcome, Relation
from edge.errors import ConfigError
from sim import cast
from sim.cast import Key

FOLDER = Path(__file__).parent / "scenarios"


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


@unique
class Kind(StrEnum):
    """What is before the camera."""

    LIVE = "live"
    PRINT = "print"
    REPLAY = "replay"
    NOBODY = "nobody"


class Room(Part):
    """The light, as `sim.puppet.room.Light`."""

    seed: int = Field(default=3, ge=0)
    level: float = Field(default=1.0, gt=0, le=2)
    warmth: float = Field(default=0.2, ge=-1, le=1)
    from_left: float = Field(default=0.25, ge=-1, le=1)
    behind: float = Field(default=0.0, ge=0, le=1)


class Camera(Part):
    """The sensor."""

    frames_per_second: float = Field(default=15, ge=5, le=30)
    read_noise: float = Field(default=0.9, ge=0, le=20, description="Grey levels.")


class Habits(Part):
    """How somebody behaves.  All chances are drawn from the scenario's seed."""

    haste: float = Field(
        default=1.0, gt=0, le=20, description="Reading and typing this much faster than an old person."
    )
    hearing: float = Field(default=1.0, ge=0, le=1, description="Below 1: prompts are noticed later.")
    wrong_number_first: bool = Field(default=False, description="Mistypes one digit, then corrects it.")
    wrong_way_first: bool = Field(default=False, description="Turns the wrong way first.")
    cannot: tuple[Action, ...] = Field(default=(), description="Actions the body does not allow.")
    declines: bool = Field(default=False, description="Does not agree to the camera.")
    certifies_early: bool = Field(default=False, description="Wants it although still certified.")
    x: float = Field(default=0.5, description="Where they stand at first: the face's centre, share of the width.")
    y: float = Field(default=0.42, description="Share of the height.")
    width: float = Field(default=0.30, gt=0.05, lt=0.8, description="The face's width, share of the frame's.")
    sway: float = Field(default=1.0, ge=0, le=5, description="Involuntary movement.")
    leaves_at: Literal["identify", "consent", "framing", "challenge"] | None = None
    patience_s: float = Field(default=180, gt=0, le=3600)
    lights_lamp: bool = Field(default=False, description="Has the lamp switched on when told that it is dark.")


class Expect(Part):
    """How it must end: the record's outcome and reasons (a subset), and the last page's key."""

    outcome: Outcome | None = Field(default=None, description="Absent: no record at all.")
    reasons: tuple[str, ...] = ()
    page: str = ""
    why: str = Field(default="", description="One sentence for the report.")


class Visit(Part):
    """One person at the terminal."""

    key: Key
    who: Key | None = Field(default=None, description="The cast member whose number is given.")
    number: str | None = Field(default=None, repr=False, description="Another number instead.")
    face: str | None = Field(default=None, description="The portrait before the camera; None with kind nobody.")
    kind: Kind = Kind.LIVE
    mode: Mode = Mode.SELF
    relation: Relation | None = None
    staff: str | None = None
    companion: str | None = Field(default=None, description="A second face in the picture, until asked aside.")
    habits: Habits = Habits()
    expect: Expect = Expect()

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.who is None) == (self.number is None):
            raise ValueError("give either `who` or `number`")
        if (self.face is None) != (self.kind is Kind.NOBODY):
            raise ValueError("`face` goes with every kind but nobody")
        if (self.mode is Mode.FOR_OTHER) != (self.relation is not None):
            raise ValueError("`relation` goes with mode for_other")
        if (self.mode is Mode.ASSISTED) != (self.staff is not None):
            raise ValueError("`staff` goes with mode assisted")
        return self


@unique
class FaultKind(StrEnum):
    """What can break.  The numbers are those of design/field-failures.md."""

    CAMERA_FREEZES = "camera_freezes"  # 1: the same bytes again and again
    CAMERA_HANGS = "camera_hangs"  # 1: no frame at all
    CAMERA_LOOPS = "camera_loops"  # 1: the same four buffers in turn
    CAMERA_LIFELESS = "camera_lifeless"  # 1: a frozen picture with a clock painted into it
    CAMERA_BLACK = "camera_black"  # 1: the lens cap, or a cable
    CAMERA_WHITE = "camera_white"  # 1: nothing but light
    CAMERA_GREEN = "camera_green"  # 1: the image processor fails
    CAMERA_TORN = "camera_torn"  # 1: the buffer is only half written
    CAMERA_ROLLS = "camera_rolls"  # 1: the lower part of the picture comes first
    CAMERA_RESIZED = "camera_resized"  # 1: another size than before
    CAMERA_OLD_TIMES = "camera_old_times"  # 1: times that stand still
    CAMERA_LOST = "camera_lost"  # 4: unplugged
    TERMINAL_KILLED = "terminal_killed"  # 2
    UPLINK_KILLED = "uplink_killed"  # 8
    OFFICE_KILLED = "office_killed"  # 9
    BROKER_KILLED_STORE_DELETED = "broker_killed_store_deleted"  # 9
    DISK_FULL = "disk_full"  # 6: a record cannot be made durable
    CLOCK_UNSYNCED = "clock_unsynced"  # 11
    EYES_UNTRUSTED = "eyes_untrusted"  # 14
    PAGE_DIES = "page_dies"  # 15
    LIGHT_FAILS = "light_fails"


class Fault(Part):
    """Something breaks during a visit, and is mended after a while."""

    kind: FaultKind
    visit: Key = Field(description="During whose visit.")
    at: Literal["arrives", "identify", "framing", "challenge", "closing", "leaves"] = "arrives"
    for_s: float = Field(default=5.0, ge=0, le=3600, description="How long it lasts, the visit's end at most.")


class Scenario(Part):
    """A whole timeline."""

    title: str
    story: str = ""
    seed: int = Field(default=1, ge=0)
    start: datetime = Field(default=datetime.fromisoformat("2026-11-23T09:30:00+08:00"))
    depth: Literal["scripted", "frames", "wire"] = Field(default="frames", description="What `run` uses by default.")
    room: Room = Room()
    camera: Camera = Camera()
    visits: Annotated[tuple[Visit, ...], Field(min_length=1)]
    faults: tuple[Fault, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        keys = [visit.key for visit in self.visits]
        if len(set(keys)) != len(keys):
            raise ValueError("every visit needs a key of its own")
        known = cast.load()
        for visit in self.visits:
            if visit.who is not None and visit.who not in known:
                raise ValueError(f"visit {visit.key}: nobody in cast.toml is called {visit.who}")
        for fault in self.faults:
            if fault.visit not in keys:
                raise ValueError(f"a fault names the unknown visit {fault.visit}")
        if self.start.utcoffset() is None:
            raise ValueError("start needs its offset from UTC")
        return self


def names() -> list[str]:
    """The scenarios that come with the simulator."""
    return sorted(file.stem for file in FOLDER.glob("*.toml"))


def load(name_or_file: str) -> Scenario:
    """A scenario by name or path; raises `ConfigError` with one sentence per mistake."""
    file = Path(name_or_file)
    if file.suffix != ".toml":
        file = FOLDER / f"{name_or_file}.toml"
    try:
        raw = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"There is no scenario `{name_or_file}`; there are {', '.join(names())}.") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{file} cannot be read as TOML ({error}).") from None
    try:
        return Scenario.model_validate(raw)
    except ValidationError as error:
        raise ConfigError(
            f"{file}: " + "; ".join(_sentence(e) for e in error.errors(include_input=False)) + "."
        ) from None


def _sentence(error: Any) -> str:
    key = ".".join(str(part) for part in error["loc"])
    if error["type"] == "extra_forbidden":
        return f"the key `{key}` is unknown, remove it or correct its spelling"
    return f"`{key}`: {error['msg']}" if key else str(error["msg"])
