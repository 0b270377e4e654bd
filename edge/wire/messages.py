"""Everything that a terminal and the office say to each other, as frozen pydantic models.

Unknown fields are refused, numbers must be numbers (no strings, no NaN), times are RFC 3339 with a zone.  A
receiver knows exactly the versions it was built with: another ``schema_version`` is refused (and, at the office,
quarantined), never guessed at.  The office's signed documents (roster, policy) are in `edge.wire.documents`.
"""

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any, ClassVar, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from edge.core.types import Action, Mode, Relation
from edge.errors import UntrustedError
from edge.wire import uuid7

SCHEMA_VERSION = 1
_ROUNDING = 1e-6  # of sums of a few figures below 20

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,6})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def _moment(value: object) -> object:
    if isinstance(value, str):
        if not _RFC3339.fullmatch(value):
            raise ValueError("not an RFC 3339 time with a zone")
        return datetime.fromisoformat(value.upper())
    if isinstance(value, datetime) and value.utcoffset() is None:
        raise ValueError("a time needs a zone")
    return value


def _day(value: object) -> object:
    if isinstance(value, str):
        if not _DAY.fullmatch(value):
            raise ValueError("not a date YYYY-MM-DD")
        return date.fromisoformat(value)
    return value


Moment = Annotated[datetime, BeforeValidator(_moment)]
Day = Annotated[date, BeforeValidator(_day)]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
Uuid7 = Annotated[str, Field(pattern=uuid7.PATTERN)]
BootId = Annotated[str, Field(pattern=r"^[0-9a-f-]{8,64}$")]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Reason = Annotated[str, Field(pattern=r"^[a-z0-9_.:-]{1,64}$")]
Version = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.+:-]{0,96}$")]
Versions = Annotated[Mapping[str, Version], Field(max_length=32)]
PersonRef = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Scheme = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
Count = Annotated[int, Field(ge=0, le=2**53)]
Sentence = Annotated[str, Field(max_length=300)]


class Message(BaseModel):
    """The base of all messages: frozen, strict, unknown fields refused; ``MAX_BYTES`` bounds the encoded form."""

    # An unexpected refusal is logged with its traceback: it must not repeat what was in the message.
    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, hide_input_in_errors=True
    )
    MAX_BYTES: ClassVar[int] = 8 * 1024

    def to_bytes(self) -> bytes:
        """Compact JSON; fields without a value are left out."""
        return self.model_dump_json(exclude_none=True).encode()


MessageT = TypeVar("MessageT", bound=Message)


def parse(kind: type[MessageT], data: bytes | bytearray) -> MessageT:
    """The message in ``data``; raises `UntrustedError`, whose sentence holds nothing of the content."""
    if len(data) > kind.MAX_BYTES:
        raise UntrustedError(f"A {kind.__name__} of {len(data)} bytes was refused: {kind.MAX_BYTES} is the most.")
    try:
        return kind.model_validate_json(bytes(data))
    except ValidationError as error:
        raise UntrustedError(f"A {kind.__name__} was refused: {_first_mistake(error)}.") from None


def _first_mistake(error: ValidationError) -> str:
    mistake: Any = error.errors(include_input=False, include_context=False, include_url=False)[0]
    # An unknown field's name is the sender's text, so it is not repeated.
    loc = mistake["loc"][:-1] if mistake["type"] == "extra_forbidden" else mistake["loc"]
    known = [str(part) for part in loc if re.fullmatch(r"[a-z0-9_]{1,40}", str(part))]
    return f"{mistake['type']} at `{'.'.join(known) or 'its top'}`"


# --- a result ------------------------------------------------------------------------------------------------


class ClockReading(Message):
    """How far the calendar clock could be believed, and the monotonic clock beside it."""

    synced: bool
    source: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:-]{1,64}$")]
    error_s: float | None = None
    monotonic_ns: Count


class MatchRecord(Message):
    """The comparison of the probe with the reference: cosine, -1..1."""

    score: Annotated[float, Field(ge=-1.001, le=1.001)]
    threshold: Annotated[float, Field(ge=-1, le=1)]
    model: Version
    probe_frames: Count


class PassiveRecord(Message):
    """The passive net over the session: its bona fide score, 0..1.

    ``threshold`` is the score with which it would be enough without any other cue.  ``outcome`` is that of all cues
    together (`LivenessRecord`), so it can be bona_fide below the threshold and presentation_attack above it.
    """

    kind: Literal["passive"] = "passive"
    outcome: Literal["bona_fide", "presentation_attack"]
    score: Annotated[float, Field(ge=-0.001, le=1.001)]
    threshold: Annotated[float, Field(ge=0, le=1)]
    model: Version
    frames: Count


class CueRecord(Message):
    """One cue of liveness: its statistic over the session, and its natural log-likelihood ratio.

    Positive speaks for a bona fide person.  The curve from one to the other stands in the policy that the result
    names.
    """

    statistic: float
    llr: Annotated[float, Field(ge=-20, le=20)]


class LivenessRecord(Message):
    """Liveness over the session: ``score`` is the sum of the ratios of its cues, those that could be told."""

    outcome: Literal["bona_fide", "presentation_attack"]
    score: Annotated[float, Field(ge=-400, le=400)]
    threshold: Annotated[float, Field(ge=-400, le=400)]
    frames: Count  # of the passive net
    cues: Annotated[Mapping[Reason, CueRecord], Field(max_length=16)]


class ActionRecord(Message):
    """One prompted action."""

    kind: Action
    outcome: Literal["passed", "not_seen"]
    prompted_at: Moment
    latency_ms: Count | None = None
    score: float | None = None


class ConsentRecord(Message):
    """A consent or its refusal, with the version of the text that was shown."""

    given: bool
    text_version: Version
    at: Moment


class ResultPayload(Message):
    """What one attempt was: signed by the terminal, committed to its outbox, stored in the office's ledger.

    ``person_ref`` is the office's opaque reference; for somebody who is not on the roster ``sealed_identity``
    is the identity number as a JWE to the office's encryption key; both are absent when nobody said who they
    were.  Beyond the contract's table: outcome ``informed`` is a finished look-up (say, already valid).
    """

    MAX_BYTES: ClassVar[int] = 16 * 1024

    schema_version: Literal[1] = 1
    result_id: Uuid7
    site: Name
    device: Name
    boot_id: BootId
    seq: Annotated[int, Field(ge=1, le=2**53)]
    prev: Sha256
    person_ref: PersonRef | None = None
    sealed_identity: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{20,2048}$")] | None = None
    scheme: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{0,64}$")]
    mode: Mode
    relation: Relation | None = None
    staff: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,32}$")] | None = None
    outcome: Literal["certified", "referred", "abandoned", "informed"]
    reasons: Annotated[tuple[Reason, ...], Field(max_length=32)] = ()
    attempts: Annotated[int, Field(ge=0, le=100)]
    match: MatchRecord | None = None
    passive: PassiveRecord | None = None
    liveness: LivenessRecord | None = None  # absent in results of older terminals
    action: Annotated[tuple[ActionRecord, ...], Field(max_length=32)] = ()
    quality: Annotated[Mapping[Reason, float], Field(max_length=32)] = {}
    consent: ConsentRecord | None = None
    started_at: Moment
    captured_at: Moment | None = None
    decided_at: Moment
    clock: ClockReading
    policy: Version
    roster: Version
    models: Versions
    software: Version
    challenge: Annotated[str, Field(pattern=r"^[0-9a-f]{0,64}$")]
    ticket: Annotated[str, Field(pattern=r"^[0-9A-Za-z-]{1,32}$")] | None = None
    valid_until: Day | None = None


def inconsistencies(result: ResultPayload) -> tuple[str, ...]:
    """Why a well-formed result cannot be what it says; empty when it can.  The office quarantines such ones."""
    found = []
    if result.person_ref and result.sealed_identity:
        found.append("two_identities")
    if result.decided_at < result.started_at:
        found.append("decided_before_it_started")
    alive = result.liveness
    if alive is not None and abs(sum(cue.llr for cue in alive.cues.values()) - alive.score) > _ROUNDING:
        found.append("liveness_does_not_add_up")
    if alive is not None and (alive.outcome == "bona_fide") != (alive.score >= alive.threshold):
        found.append("liveness_against_its_threshold")
    if result.outcome == "certified":
        if result.person_ref is None:
            found.append("certified_nobody")
        if result.match is None or result.match.score < result.match.threshold:
            found.append("certified_without_a_match")
        if result.passive is None or "presentation_attack" in {result.passive.outcome, alive and alive.outcome}:
            found.append("certified_without_liveness")
        if not any(action.outcome == "passed" for action in result.action):
            found.append("certified_without_an_action")
        if result.consent is None or not result.consent.given:
            found.append("certified_without_consent")
        if not result.clock.synced:
            found.append("certified_by_an_unsynchronised_clock")
    return tuple(found)


class Receipt(Message):
    """The office's word, signed, that a result is safe in its database; only this removes it from the outbox."""

    MAX_BYTES: ClassVar[int] = 4 * 1024

    schema_version: Literal[1] = 1
    result_id: Uuid7
    result_hash: Sha256  # of the compact JWS that the office stored
    site: Name
    device: Name
    seq: Count
    verdict: Literal["recorded", "duplicate", "quarantined"]
    reason: Reason | None = None  # of a quarantine
    ledger_at: Moment
    ledger_head: Sha256


# --- what the uplink says of the terminal --------------------------------------------------------------------


class Eyes(Message):
    """Whether the models passed their known-answer test; without it nobody is certified."""

    trusted: bool
    reason: Sentence | None = None
    tested_at: Moment | None = None  # the newest known-answer test: at the start, then daily


class CameraReport(Message):
    """The camera as the terminal last saw it."""

    working: bool
    name: Annotated[str, Field(max_length=96)] | None = None
    frames_per_second: float | None = None
    reason: Sentence | None = None  # why it does not work


class Latency(Message):
    """Milliseconds at the median and the 95th percentile since the last report."""

    p50_ms: float
    p95_ms: float


class TerminalStatus(Message):
    """What the terminal leaves in the spool for the uplink to publish."""

    at: Moment
    state: Literal["starting", "ready", "degraded", "stopping"]
    eyes: Eyes
    camera: CameraReport
    software: Version
    models: Versions
    policy: Version
    roster: Version
    clock: ClockReading
    latencies: Annotated[Mapping[Reason, Latency], Field(max_length=16)] = {}


class Status(Message):
    """Birth (``online``) and Will or farewell (``offline``); retained.

    A late Will of an older run is told apart by ``boot_id`` and ``run_id`` (one per start of the uplink).
    """

    schema_version: Literal[1] = 1
    state: Literal["online", "offline"]
    site: Name
    device: Name
    boot_id: BootId
    run_id: Uuid7
    at: Moment  # of an offline Will: when the connection that left it was made
    software: Version
    clock: ClockReading | None = None
    terminal: TerminalStatus | None = None  # as the terminal last wrote it; absent before its first start


class OutboxReport(Message):
    """How many results wait for a receipt, and how long the oldest has."""

    depth: Count
    oldest_age_s: float | None = None


class Machine(Message):
    """Figures of the machine; absent where it does not tell them."""

    temperature_c: float | None = None
    throttled: bool | None = None  # slowed down by heat or under-voltage, now
    disk_free_bytes: Count | None = None
    memory_available_bytes: Count | None = None
    uplink_rss_bytes: Count | None = None


class Health(Message):
    """Figures of the machine and the way to the office, every minute; QoS 0, a lost one is not missed."""

    schema_version: Literal[1] = 1
    site: Name
    device: Name
    boot_id: BootId
    at: Moment
    outbox: OutboxReport
    clock: ClockReading
    connections: Count  # since the uplink started
    resends: Count
    refused: Count  # messages from the broker that were not believed
    machine: Machine
    terminal: TerminalStatus | None = None


class AlarmMessage(Message):
    """Something that needs a person at the office.

    Not signed: the uplink must be able to raise one, and holds no signing key; the broker ties it to the device.
    """

    MAX_BYTES: ClassVar[int] = 4 * 1024

    schema_version: Literal[1] = 1
    alarm_id: Uuid7
    site: Name
    device: Name
    boot_id: BootId
    at: Moment
    kind: Reason
    detail: Sentence = ""
