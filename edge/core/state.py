"""What a session remembers.  Everything is frozen; `session.step` makes the next one.

`State` is what the machine knows whoever stands there; `Visit` is what belongs to one person and is gone at Reset.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum, unique

from edge.core.challenge import Prompt
from edge.core.evidence import Evidence
from edge.core.light import Showing
from edge.core.phrases import Phrase
from edge.core.types import (
    Action,
    ActionEvidence,
    Advice,
    Attempt,
    ClockState,
    Consent,
    Mode,
    Person,
    Relation,
    Screen,
    Standing,
    View,
)

NO_CLOCK = ClockState(synced=False, source="unknown")


@unique
class Question(StrEnum):
    """What Screen.IDENTIFY is about just now."""

    RELATION = "relation"
    STAFF = "staff"
    NUMBER = "number"
    LOOKING = "looking"
    ANSWER = "answer"  # nothing to certify now: already valid, or not possible at the moment


@unique
class Wait(StrEnum):
    """Why no certification starts now, while look-ups and help go on."""

    CLOCK = "clock"
    EYES = "eyes"
    CAMERA = "camera"
    MAINTENANCE = "maintenance"


@dataclass(frozen=True, slots=True)
class Ending:
    """How this visit ends: what is recorded, if anything, and the page that says so afterwards."""

    phrase: Phrase
    attempt: Attempt | None = None
    stored: bool = False


@dataclass(frozen=True, slots=True)
class Visit:
    """One person's session.  Times are monotonic; ``None`` is "not (yet)"."""

    begun_at: datetime | None = None
    begun_ns: int = 0
    entered_ns: int = 0  # the present phase, or its last fresh start
    touched_ns: int = 0
    face_ns: int | None = None
    asked_ns: int | None = None  # since when "are you still there?" stands
    helping: bool = False
    question: Question = Question.NUMBER
    notice: Phrase | None = None  # the prompt in place of the page's usual one
    digits: int = 0  # characters of the last number that needs another look
    utterances: int = 0  # counts what must be spoken again although the page stays the same
    mode: Mode = Mode.SELF
    relation: Relation | None = None
    staff: str | None = None
    number: str | None = field(default=None, repr=False)
    person: Person | None = field(default=None, repr=False)
    standing: Standing | None = None
    wait: Wait | None = None  # why the answer page cannot offer a certification
    consent: Consent | None = None
    tries: int = 0
    clear_misses: int = 0
    restarts: int = 0
    misses: tuple[str, ...] = ()
    watching: bool = False
    watch_ns: int = 0
    crowd: bool = False
    spoken_against: bool = False  # a match or a liveness was once below its threshold
    evidence: Evidence = field(default_factory=Evidence)
    advice: Advice | None = None
    advice_ns: int = 0
    showing: Showing | None = None  # the light challenge under way
    lights: int = 0
    prompt: Prompt | None = None
    action: Action | None = None  # the one that was drawn; the same one is asked until it is put aside
    draws: int = 0
    refused: frozenset[Action] = frozenset()
    refusals: int = 0
    repeats: int = 0  # how often the open prompt was asked anew on request
    cannots: int = 0
    actions: tuple[ActionEvidence, ...] = ()
    passed: bool = False  # the prompted action was seen, on the track of ``evidence``
    camera_lost_ns: int | None = None
    camera_losses: int = 0
    ending: Ending | None = None


@dataclass(frozen=True, slots=True)
class State:
    """The whole session machine at one moment."""

    phase: Screen = Screen.IDLE
    now_ns: int = 0
    now: datetime | None = None  # None until the first Tick
    clock: ClockState = NO_CLOCK
    camera_working: bool = True
    eyes_trusted: bool = False  # until somebody says so
    nonce: str = ""
    nonce_asked_ns: int | None = None
    quiet_until_ns: int = 0
    attacks: tuple[int, ...] = ()  # when visits ended in the suspicion of a presentation attack
    visits: tuple[tuple[str, int], ...] = ()  # who (person_ref) was looked at in vain, and when
    visit: Visit = field(default_factory=Visit)
    shown: View | None = None
    spoken: tuple[str, str, int] | None = None
