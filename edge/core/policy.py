"""What the office decides and the terminal obeys, and the one place where a score meets a threshold.

A `Policy` is plain data: the signed policy document of the wire carries exactly the mapping of `Policy.to_mapping`,
and `Policy.from_mapping` takes nothing else.  Its defaults are what a terminal starts with.  Every figure stands
next to its reason; figures from measurements name them, the others are judgements and say so.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date
from enum import StrEnum, unique
from statistics import fmean, median
from typing import Any, TypeVar

from edge.core.eligibility import Boundary, DatedWindow, MonthlyWindow, Scheme, Window
from edge.core.types import Action, ActionSeen

Kind = TypeVar("Kind", bound=StrEnum)

# Every result carries the policy's version and that of the consent; a name that the wire refuses would only be
# found out when somebody's result is to be signed.
VERSION_NAME = re.compile(r"[A-Za-z0-9_.+:-]{1,96}")


@unique
class Combine(StrEnum):
    """How the passive scores of a session's good frames become one."""

    MEDIAN = "median"
    TRIMMED_MEAN = "trimmed_mean"
    MEAN = "mean"


@dataclass(frozen=True, slots=True)
class Office:
    """Where a ticket leads: finished texts, shown and spoken as they are."""

    place: str = "服务窗口"
    hours: str = "工作日 9:00–17:00"
    place_en: str = "the service desk"
    hours_en: str = "weekdays 9:00–17:00"


def _bounded(default: float, least: float, most: float) -> Any:
    return field(default=default, metadata={"least": least, "most": most})


@dataclass(frozen=True, slots=True)
class Policy:
    """One version of the rules.  Times are seconds; scores are what `edge.core.types.Observation` says."""

    version: str = "dev-1"
    scheme: Scheme = field(default_factory=Scheme)
    more_schemes: tuple[Scheme, ...] = ()  # of people who live here and draw their benefit elsewhere
    office: Office = field(default_factory=Office)
    consent_text: str = "2026-11"  # the version of the text that the page shows and reads aloud

    # The match.  0.43 is where MobileFaceNet has FMR 1e-3 on LFW (models.md); 0.25 is far below every usual
    # genuine score, so that more looking is only a burden.  5 frames: averaging more than that gains little.
    match_threshold: float = _bounded(0.43, 0.0, 1.0)
    match_clear_nonmatch: float = _bounded(0.25, -1.0, 1.0)
    min_probe_frames: int = _bounded(5, 1, 100)

    # Passive liveness.  Single frames are weak (backlit live faces score 0.04 to 0.84), so only frames with
    # advice READY count and a session's are combined; the median shrugs off the odd frame.  0.5 lies in the wide gap
    # of what was measured with the shipped model: READY frames of NUAA live at least 0.997, printed photos at most
    # 0.003 (docs/eyes.md); the simulator's people at least 0.98, its prints and phones at most 0.05.  Replays on
    # real screens are the harder attack (EER 13 % a frame in models.md) and were not measured with it.
    passive_combine: Combine = Combine.MEDIAN
    passive_trim: float = _bounded(0.2, 0.0, 0.45)  # share cut from each end by trimmed_mean
    passive_threshold: float = _bounded(0.5, 0.0, 1.0)
    passive_clear_attack: float = _bounded(0.15, 0.0, 1.0)  # prints scored 0.01 and phones 0.06 to 0.21
    min_passive_frames: int = _bounded(5, 1, 200)

    # Framing.  A second of good picture before the action; three more seconds, or 25 probe frames, before a
    # score below its threshold is believed; an old person needs time to settle, so 45 s before a try is over.
    min_ready_frames: int = _bounded(5, 1, 200)
    ready_dwell_s: float = _bounded(1.0, 0.0, 30.0)
    patience_s: float = _bounded(3.0, 0.0, 60.0)
    patience_frames: int = _bounded(25, 1, 500)
    framing_s: float = _bounded(45.0, 10.0, 600.0)
    advice_hold_s: float = _bounded(1.5, 0.0, 5.0)  # one instruction at least so long: a sentence must be heard
    settle_s: float = _bounded(0.3, 0.0, 5.0)  # the eyes take up a new reference within a frame or two
    max_restarts: int = _bounded(3, 0, 20)  # lost tracks, second faces and steps back within a try

    # The prompted action.  15 s is the least that the domain's rules allow before anything is said again.
    actions: tuple[Action, ...] = tuple(Action)
    action_window_s: float = _bounded(15.0, 15.0, 300.0)
    # People need about 150 ms to react to what they see; the rest covers one tick of 100 ms, by which the time of
    # the prompt may be early.  What starts sooner was already under way.
    reaction_least_s: float = _bounded(0.25, 0.1, 2.0)
    action_threshold: float = _bounded(0.0, 0.0, 1.0)  # the eyes report only movements beyond their own minimum
    # Eyes blink by themselves every few seconds, so one blink says nothing; two within three seconds are meant.
    blinks_needed: int = _bounded(2, 1, 5)
    blinks_within_s: float = _bounded(3.0, 0.5, 15.0)
    # People try things; somebody (or a film) that makes every movement in turn does not pass by luck.  Blinks
    # are not counted.
    other_actions_most: int = _bounded(2, 0, 20)
    max_tries: int = _bounded(3, 1, 10)
    clear_tries: int = _bounded(2, 1, 10)  # tries with a score far below before a person takes over

    # Waiting.  None of these is ever shown as a countdown.
    idle_ask_s: float = _bounded(40.0, 15.0, 600.0)  # before the camera, without a face, until "are you still there?"
    # The same on a page of buttons, where the eyes rest: 18 digits at three seconds each, or a text read twice.
    reading_ask_s: float = _bounded(90.0, 30.0, 600.0)
    idle_end_s: float = _bounded(30.0, 15.0, 600.0)  # after that question
    face_holds_s: float = _bounded(180.0, 30.0, 3600.0)  # a face alone keeps a page of buttons open so long
    session_most_s: float = _bounded(900.0, 60.0, 7200.0)  # nobody is kept longer: a person takes over
    look_up_s: float = _bounded(8.0, 1.0, 60.0)  # the office has 5 s for somebody who is not on the roster
    camera_wait_s: float = _bounded(20.0, 1.0, 300.0)  # a camera that comes back within this resumes the session
    deciding_s: float = _bounded(5.0, 0.5, 60.0)  # for the last frames that a decision may still lack
    record_s: float = _bounded(10.0, 1.0, 120.0)  # a record is durable in 50 ms or something is wrong
    closing_s: float = _bounded(12.0, 3.0, 120.0)  # to read "done"
    closing_ticket_s: float = _bounded(30.0, 3.0, 300.0)  # to write down a ticket
    goodbye_s: float = _bounded(4.0, 1.0, 60.0)
    quiet_s: float = _bounded(3.0, 0.0, 60.0)  # a card still held up after the end starts nothing

    # Several suspicions of a presentation attack within an hour are worth a colleague's look.
    attacks_for_alarm: int = _bounded(2, 1, 100)
    attacks_within_s: float = _bounded(3600.0, 60.0, 86400.0)

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            if "least" not in each.metadata:
                continue
            least, most = each.metadata["least"], each.metadata["most"]
            if not (math.isfinite(value) and least <= value <= most):
                raise ValueError(f"policy: {each.name} must be within {least} and {most}")
        for name in ("version", "consent_text"):
            if not VERSION_NAME.fullmatch(getattr(self, name)):
                raise ValueError(f"policy: {name} must be 1 to 96 letters, digits and _ . + : -")
        if not self.actions or len(set(self.actions)) != len(self.actions):
            raise ValueError("policy: actions must name at least one action, each once")
        if self.match_clear_nonmatch > self.match_threshold or self.passive_clear_attack > self.passive_threshold:
            raise ValueError("policy: a clear miss must lie below its threshold")
        names = [scheme.name for scheme in (self.scheme, *self.more_schemes)]
        if len(set(names)) != len(names):
            raise ValueError("policy: every scheme needs a name of its own")

    def scheme_of(self, name: str) -> Scheme | None:
        """The scheme of that name; None when this policy does not know it."""
        return next((scheme for scheme in (self.scheme, *self.more_schemes) if scheme.name == name), None)

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, object]) -> "Policy":
        """A policy from JSON's types; keys left out take their defaults.

        Raises ValueError, naming the key, for an unknown key, a wrong type or a figure out of bounds.
        """
        return _policy(mapping)

    def to_mapping(self) -> dict[str, object]:
        """Every key in JSON's types; `from_mapping` of it is equal to this policy."""
        return {each.name: _plain(getattr(self, each.name)) for each in fields(self)}


# --- where scores meet thresholds ----------------------------------------------------------------------------


@unique
class Verdict(StrEnum):
    """What evidence amounts to: too little yet, enough and good, enough and below, enough and far below."""

    MORE = "more"
    PASS = "pass"  # noqa: S105
    BELOW = "below"
    FAR = "far"


@unique
class ActionVerdict(StrEnum):
    """Whether a movement answers a prompt."""

    COUNTS = "counts"
    EARLY = "early"  # under way before anybody could have reacted
    LATE = "late"
    WEAK = "weak"
    OTHER = "other"  # not the one that was asked


def judge_match(score: float | None, probe_frames: int, policy: Policy) -> Verdict:
    """Whether a probe of ``probe_frames`` good frames belongs to the claimed person (cosine)."""
    if score is None or probe_frames < policy.min_probe_frames:
        return Verdict.MORE
    return _judge(score, policy.match_threshold, policy.match_clear_nonmatch)


def passive_score(scores: Sequence[float], policy: Policy) -> float | None:
    """The session's bona fide score from those of its READY frames; None when there are none."""
    if not scores:
        return None
    if policy.passive_combine is Combine.MEDIAN:
        return median(scores)
    if policy.passive_combine is Combine.MEAN:
        return fmean(scores)
    cut = int(len(scores) * policy.passive_trim)
    return fmean(sorted(scores)[cut : len(scores) - cut])


def judge_passive(scores: Sequence[float], policy: Policy) -> Verdict:
    """Whether the READY frames of one track look bona fide taken together."""
    score = passive_score(scores, policy)
    if score is None or len(scores) < policy.min_passive_frames:
        return Verdict.MORE
    return _judge(score, policy.passive_threshold, policy.passive_clear_attack)


def judge_action(seen: ActionSeen, prompted: Action, since_ns: int, until_ns: int, policy: Policy) -> ActionVerdict:
    """Whether one movement answers a prompt that stands from ``since_ns`` to ``until_ns``, on whatever track."""
    if seen.started_ns < since_ns + seconds_ns(policy.reaction_least_s) or seen.completed_ns < seen.started_ns:
        return ActionVerdict.EARLY
    if seen.completed_ns > until_ns:
        return ActionVerdict.LATE
    if seen.action is not prompted:
        return ActionVerdict.OTHER
    return ActionVerdict.COUNTS if seen.score >= policy.action_threshold else ActionVerdict.WEAK


def seconds_ns(seconds: float) -> int:
    """Whole nanoseconds."""
    return round(seconds * 1_000_000_000)


def _judge(score: float, threshold: float, clear_miss: float) -> Verdict:
    if score >= threshold:
        return Verdict.PASS
    return Verdict.FAR if score < clear_miss else Verdict.BELOW


# --- to and from JSON's types --------------------------------------------------------------------------------


def _plain(value: object) -> object:
    if isinstance(value, Scheme):
        return {
            "name": value.name,
            "cycle_months": value.cycle_months,
            "boundary": str(value.boundary),
            "warning_months": value.warning_months,
            "cut_off": value.cut_off.isoformat() if value.cut_off else None,
            "timezone": value.timezone,
            "windows": [_plain(window) for window in value.windows],
        }
    if isinstance(value, MonthlyWindow):
        return {"first_day": value.first_day, "last_day": value.last_day}
    if isinstance(value, DatedWindow):
        return {"first": value.first.isoformat(), "last": value.last.isoformat()}
    if isinstance(value, Office):
        return {each.name: getattr(value, each.name) for each in fields(value)}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, StrEnum) else value


def _policy(mapping: Mapping[str, object]) -> Policy:
    known = {each.name: each for each in fields(Policy)}
    _only(mapping, set(known), "policy")
    values: dict[str, Any] = {}
    for key, value in mapping.items():
        where = f"policy: {key}"
        if key == "scheme":
            values[key] = _scheme(value, where)
        elif key == "more_schemes":
            values[key] = tuple(_scheme(item, where) for item in _list(value, where))
        elif key == "office":
            office = _mapping(value, where)
            _only(office, {each.name for each in fields(Office)}, where)
            values[key] = Office(**{name: _text(text, f"{where}.{name}") for name, text in office.items()})
        elif key == "actions":
            values[key] = tuple(_one_of(Action, item, where) for item in _list(value, where))
        elif key == "passive_combine":
            values[key] = _one_of(Combine, value, where)
        elif known[key].type in (int, "int"):
            values[key] = _whole(value, where)
        elif known[key].type in (float, "float"):
            values[key] = _number(value, where)
        else:
            values[key] = _text(value, where)
    return Policy(**values)


def _scheme(value: object, where: str) -> Scheme:
    mapping = _mapping(value, where)
    _only(mapping, {each.name for each in fields(Scheme)}, where)
    values: dict[str, Any] = {}
    for key, item in mapping.items():
        here = f"{where}.{key}"
        if key in {"name", "timezone"}:
            values[key] = _text(item, here)
        elif key == "boundary":
            values[key] = _one_of(Boundary, item, here)
        elif key == "cut_off":
            values[key] = None if item is None else _date(item, here)
        elif key == "windows":
            values[key] = tuple(_window(each, here) for each in _list(item, here))
        else:
            values[key] = _whole(item, here)
    return Scheme(**values)


def _window(value: object, where: str) -> Window:
    mapping = _mapping(value, where)
    if set(mapping) == {"first_day", "last_day"}:
        return MonthlyWindow(_whole(mapping["first_day"], where), _whole(mapping["last_day"], where))
    if set(mapping) == {"first", "last"}:
        return DatedWindow(_date(mapping["first"], where), _date(mapping["last"], where))
    raise ValueError(f"{where}: a window has either first_day and last_day, or first and last")


def _only(mapping: Mapping[str, object], known: set[str], where: str) -> None:
    unknown = sorted(str(key) for key in set(mapping) - known)
    if unknown:
        raise ValueError(f"{where}: unknown key {unknown[0]!r}")


def _mapping(value: object, where: str) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise ValueError(f"{where}: must be an object")  # noqa: TRY004  (one kind of error for callers)
    return value


def _list(value: object, where: str) -> Sequence[object]:
    if not isinstance(value, list | tuple):
        raise ValueError(f"{where}: must be a list")  # noqa: TRY004
    return value


def _text(value: object, where: str) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{where}: must be text")  # noqa: TRY004
    return value


def _whole(value: object, where: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"{where}: must be a whole number")  # noqa: TRY004
    return value


def _number(value: object, where: str) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise ValueError(f"{where}: must be a number")  # noqa: TRY004
    return float(value)


def _date(value: object, where: str) -> date:
    try:
        return date.fromisoformat(_text(value, where))
    except ValueError:
        raise ValueError(f"{where}: must be a date like 2026-12-31") from None


def _one_of(kind: type[Kind], value: object, where: str) -> Kind:
    try:
        return kind(_text(value, where))
    except ValueError:
        raise ValueError(f"{where}: must be one of {', '.join(kind)}") from None
