"""The words that everybody in Anxin shares: people, observations, events, effects and views.

Standard library only.  Pixels and embeddings never get this far: an `Observation` holds figures, not faces.
Times named ``*_ns`` are monotonic nanoseconds of the machine (``CLOCK_MONOTONIC``); calendar times are aware
datetimes.  Everything here is frozen, so that any session can be replayed from its recorded events.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum, unique


@unique
class Mode(StrEnum):
    """Who operates the terminal: the beneficiary, somebody else for them, or staff."""

    SELF = "self"
    FOR_OTHER = "for_other"
    ASSISTED = "assisted"


@unique
class Relation(StrEnum):
    """What a helper is to the beneficiary (recorded in mode ``for_other``)."""

    SPOUSE = "spouse"
    CHILD = "child"
    RELATIVE = "relative"
    NEIGHBOUR = "neighbour"
    CARER = "carer"
    OTHER = "other"


@unique
class Outcome(StrEnum):
    """How an attempt ended.  There is no "rejected": what cannot be certified is referred to a person.

    ``informed`` extends the contract: the person looked up their standing, was told that there is nothing to do
    (already valid, not in scope, under review), and left it at that.
    """

    CERTIFIED = "certified"
    REFERRED = "referred"
    ABANDONED = "abandoned"
    INFORMED = "informed"


@unique
class Standing(StrEnum):
    """The state of a person as the office's roster tells it."""

    NOT_IN_SCOPE = "not_in_scope"
    VALID = "valid"
    DUE = "due"
    OVERDUE = "overdue"
    SUSPENDED = "suspended"
    RESTORED = "restored"
    LOST_ELIGIBILITY = "lost_eligibility"
    UNDER_REVIEW = "under_review"


@unique
class Method(StrEnum):
    """How a certification came about."""

    DATA_MATCH = "data_match"
    SELF_FACE = "self_face"
    ASSISTED_FACE = "assisted_face"
    ASSISTED_MANUAL = "assisted_manual"
    HOME_VISIT = "home_visit"
    OVERSEAS_FORM = "overseas_form"


@unique
class Action(StrEnum):
    """A prompted action.  Left and right are the person's own, never the picture's."""

    TURN_LEFT = "turn_left"
    TURN_RIGHT = "turn_right"
    NOD = "nod"
    BLINK = "blink"
    OPEN_MOUTH = "open_mouth"


@unique
class Advice(StrEnum):
    """The one next thing that helps the picture most; ``READY`` means there is nothing to improve."""

    READY = "ready"
    NO_FACE = "no_face"
    TWO_FACES = "two_faces"
    TOO_FAR = "too_far"
    TOO_NEAR = "too_near"
    MOVE_LEFT = "move_left"  # the person's own left
    MOVE_RIGHT = "move_right"
    MOVE_UP = "move_up"
    MOVE_DOWN = "move_down"
    TOO_DARK = "too_dark"
    TOO_BRIGHT = "too_bright"
    BACKLIGHT = "backlight"
    LOOK_STRAIGHT = "look_straight"
    UNCOVER_FACE = "uncover_face"
    HOLD_STILL = "hold_still"


@dataclass(frozen=True, slots=True)
class Person:
    """What the terminal knows of somebody on its roster.  ``masked_name`` is like 王*英: never the whole name."""

    person_ref: str
    masked_name: str
    scheme: str
    standing: Standing
    valid_until: date | None = None
    method: Method | None = None
    last_certified: date | None = None
    exemptions: frozenset[Action] = frozenset()
    has_reference: bool = True


@dataclass(frozen=True, slots=True)
class ActionSeen:
    """A whole action that the eyes saw, relative to the person's own neutral face."""

    action: Action
    started_ns: int
    completed_ns: int
    score: float  # 0..1: how far beyond the smallest movement that counts


@dataclass(frozen=True, slots=True)
class Cues:
    """What besides the passive net tells a head in a room from a picture of one; ``None``: cannot be told now.

    Raw statistics of the eyes, each explained where it is measured; `edge.core.liveness` says what they are worth.
    ``relief`` is how much of the face's movement on this track no flat picture could make (0: flat); ``moire`` the
    strength of a fine regular pattern on the face; ``border`` that of straight edges round it, as paper and screens
    have.  ``skin``, ``behind`` and ``room`` are linear light (R, G, B; 0..1) of the face's bare skin, of what is
    right beside it, and of the picture's edges far from it: what answers the page's light, or does not.
    """

    relief: float | None = None
    moire: float | None = None
    border: float | None = None
    skin: tuple[float, float, float] | None = None
    behind: tuple[float, float, float] | None = None
    room: tuple[float, float, float] | None = None


@dataclass(frozen=True, slots=True)
class Observation:
    """What the eyes say about one frame.  Figures only; ``None`` where a model did not run on this frame.

    ``track`` counts uninterrupted sightings of one face: a new number means that continuity was lost, so that
    evidence before it says nothing about the face now.  ``match`` is the cosine (-1..1) of the probe averaged
    over ``probe_frames`` good frames of this track to the claimed person's best reference.  ``passive`` is
    the bona fide score (0..1) of this frame alone.  Angles are degrees; positive yaw is the person's own left,
    positive pitch is up.  ``frozen`` says that this frame repeats an earlier one.
    """

    frame_no: int
    at_ns: int
    faces: int
    advice: Advice
    track: int = 0
    face_width: float = 0.0  # as a share of the frame's width, 0..1
    face_x: float = 0.5  # the face's centre as a share of the frame's width and height
    face_y: float = 0.5
    yaw_deg: float = 0.0
    pitch_deg: float = 0.0
    roll_deg: float = 0.0
    sharpness: float = 0.0
    luma_face: float = 0.0  # mean of the face, 0..255
    luma_behind: float = 0.0
    passive: float | None = None
    match: float | None = None
    probe_frames: int = 0
    actions: tuple[ActionSeen, ...] = ()
    neutral: bool = False  # the eyes have learnt this track's neutral face: an action can be judged
    frozen: bool = False
    cues: Cues = Cues()


@dataclass(frozen=True, slots=True)
class ClockState:
    """How far the machine's calendar clock can be believed."""

    synced: bool
    source: str
    error_s: float | None = None


# --- events: everything that a session can be told -----------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Tick:
    """Time passed.  The only way in which time enters a session."""

    at_ns: int
    now: datetime
    clock: ClockState


@dataclass(frozen=True, slots=True)
class Seen:
    observation: Observation


@unique
class Touch(StrEnum):
    """A button of the page.  Which ones a screen offers is in its `View.choices`."""

    START_SELF = "start_self"
    START_FOR_OTHER = "start_for_other"
    START_ASSISTED = "start_assisted"
    YES = "yes"
    NO = "no"
    AGREE = "agree"
    DECLINE = "decline"
    SHOW_AGAIN = "show_again"
    ANOTHER_ACTION = "another_action"
    CANNOT = "cannot"
    STILL_HERE = "still_here"
    HELP = "help"
    BACK = "back"
    FINISH = "finish"


@dataclass(frozen=True, slots=True)
class Touched:
    """The person touched a button.  ``value`` carries a relation or a staff number where the screen asks one."""

    touch: Touch
    value: str = ""


@dataclass(frozen=True, slots=True)
class NumberEntered:
    """An identity number as typed, scanned or read.  Its repr never shows it."""

    text: str = field(repr=False)
    source: str = "keypad"  # keypad | qr | card


@dataclass(frozen=True, slots=True)
class LookedUp:
    """The roster's answer to a `LookUp`; ``None``: nobody of that number is on this terminal's roster."""

    person: Person | None


@dataclass(frozen=True, slots=True)
class Recorded:
    """The signed result is durable in the outbox."""

    result_id: str


@dataclass(frozen=True, slots=True)
class RecordFailed:
    """The result could not be made durable: nothing may be promised."""


@dataclass(frozen=True, slots=True)
class CameraState:
    """The camera was lost or came back."""

    working: bool


@dataclass(frozen=True, slots=True)
class EyesState:
    """Whether the models passed their known-answer test; without it nobody is certified."""

    trusted: bool


@dataclass(frozen=True, slots=True)
class Drawn:
    """Fresh randomness from the machine (hex, 128 bits), sent after every `Reset`: chooses actions, names tickets."""

    nonce: str


Event = Drawn | Tick | Seen | Touched | NumberEntered | LookedUp | Recorded | RecordFailed | CameraState | EyesState


# --- views and effects: everything that a session can ask for ------------------------------------------------


@unique
class Screen(StrEnum):
    """What kind of page is shown."""

    IDLE = "idle"
    IDENTIFY = "identify"
    CONFIRM = "confirm"
    CONSENT = "consent"
    FRAMING = "framing"
    CHALLENGE = "challenge"
    DECIDING = "deciding"
    CLOSING = "closing"


@dataclass(frozen=True, slots=True)
class Choice:
    """A button: what it does and the catalogue's key of its label."""

    touch: Touch
    label: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class View:
    """One page for the person: keys of the text catalogue, never finished sentences.

    ``prompt`` is the one large sentence, ``detail`` the smaller one below; ``params`` fill both (dates are
    ISO strings, the page writes them out).  ``say`` is spoken (same keys) when the view changes.  ``light`` is the
    soft colour (#rrggbb) in which the page lights the face now; None: the page's own.
    """

    screen: Screen
    prompt: str
    detail: str = ""
    params: Mapping[str, str] = field(default_factory=dict)
    choices: tuple[Choice, ...] = ()
    keypad: bool = False
    preview: bool = False
    advice: Advice | None = None
    action: Action | None = None
    tone: str = "calm"  # calm | good | attention: never an alarm
    light: str | None = None


@dataclass(frozen=True, slots=True)
class Show:
    view: View


@dataclass(frozen=True, slots=True)
class Say:
    """Speak a text of the catalogue; a newer `Say` interrupts an older one."""

    key: str
    params: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LookUp:
    """Ask the roster for a valid, normalized identity number (18 or permit form).  Never logged."""

    number: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Watch:
    """From now on compare faces with this person's references; forget every earlier probe and neutral."""

    person_ref: str


@dataclass(frozen=True, slots=True)
class StopWatching:
    """Forget the reference, the probe and the neutral face."""


@dataclass(frozen=True, slots=True)
class Record:
    """Sign this attempt and commit it to the outbox; the answer is `Recorded` or `RecordFailed`."""

    attempt: "Attempt"


@dataclass(frozen=True, slots=True)
class Alarm:
    """Tell the office about something that needs a person there, e.g. ``repeated_presentation_attacks``."""

    kind: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Reset:
    """The session is over: clear the screen and everything that belonged to this person."""


Effect = Show | Say | LookUp | Watch | StopWatching | Record | Alarm | Reset


@dataclass(frozen=True, slots=True)
class Consent:
    """A consent or its refusal, with the version of the text that was shown."""

    given: bool
    text_version: str
    at: datetime


@dataclass(frozen=True, slots=True)
class MatchEvidence:
    score: float
    threshold: float
    probe_frames: int


@dataclass(frozen=True, slots=True)
class PassiveEvidence:
    """The passive net by itself, over the session's READY frames (0..1)."""

    score: float
    threshold: float  # with which it would be enough without any other cue
    frames: int


@dataclass(frozen=True, slots=True)
class CueEvidence:
    """What one cue said, and what that was worth (natural log-likelihood ratio; positive: bona fide)."""

    statistic: float
    llr: float


@dataclass(frozen=True, slots=True)
class LivenessEvidence:
    """The sum of the cues of `edge.core.liveness`, by name; a cue that could not be told is not among them."""

    score: float
    threshold: float
    frames: int  # READY frames of the passive net
    cues: Mapping[str, CueEvidence]


@dataclass(frozen=True, slots=True)
class ActionEvidence:
    action: Action
    passed: bool
    prompted_at: datetime
    latency_ms: int | None  # from prompt to the action's completion
    score: float | None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt and its evidence, as the session knows it; the wire adds device, sequence and signature.

    ``person_ref`` is ``None`` for somebody who is not on the roster; then ``number`` holds the identity number
    for the signer to encrypt to the office's key (it never leaves in clear, and is not in the repr).
    """

    scheme: str
    mode: Mode
    outcome: Outcome
    reasons: tuple[str, ...]
    attempts: int  # tries used, 0..policy.max_tries
    started_at: datetime
    decided_at: datetime
    clock: ClockState
    challenge_nonce: str  # hex
    policy_version: str
    person_ref: str | None = None
    number: str | None = field(default=None, repr=False)
    relation: Relation | None = None
    staff: str | None = None
    consent: Consent | None = None
    captured_at: datetime | None = None
    match: MatchEvidence | None = None
    passive: PassiveEvidence | None = None
    liveness: LivenessEvidence | None = None
    actions: tuple[ActionEvidence, ...] = ()
    quality: Mapping[str, float] = field(default_factory=dict)
    ticket: str | None = None
    valid_until: date | None = None  # what the screen said, for an outcome ``certified``
