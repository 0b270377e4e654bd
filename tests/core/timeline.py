"""A story as a timeline: who stands there, what they do, and what the terminal showed, said and recorded.

A `Story` feeds a session ten ticks a second, and an observation with each while somebody looks.  It answers a
`LookUp` from its roster, a `Record` by ``store`` and a `Reset` with a fresh nonce, as the terminal would.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from itertools import count

from edge.core.policy import Policy, seconds_ns
from edge.core.session import begin, replay, step
from edge.core.state import State
from edge.core.types import (
    Action,
    ActionSeen,
    Advice,
    Alarm,
    Attempt,
    CameraState,
    ClockState,
    Drawn,
    Effect,
    Event,
    EyesState,
    LookedUp,
    LookUp,
    NumberEntered,
    Observation,
    Person,
    Record,
    Recorded,
    RecordFailed,
    Reset,
    Say,
    Seen,
    Show,
    Standing,
    Tick,
    Touch,
    Touched,
    View,
    Watch,
)

SYNCED = ClockState(synced=True, source="ntp", error_s=0.01)
UNSYNCED = ClockState(synced=False, source="fake-hwclock")
A_MONDAY = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)  # 10:00 in Shanghai, no maintenance
NUMBER = "11010519491231002X"  # the example of GB 11643
WANG = Person("ref-wang", "王*英", "beijing", Standing.DUE, date(2026, 12, 31))
TICK_NS = 100_000_000

# The eyes on a live person who is the one on the roster; stories change what differs.
GENUINE = Observation(
    frame_no=0,
    at_ns=0,
    faces=1,
    advice=Advice.READY,
    track=1,
    match=0.62,
    probe_frames=8,
    passive=0.9997,
    neutral=True,
)
NOBODY = Observation(frame_no=0, at_ns=0, faces=0, advice=Advice.NO_FACE)


@dataclass
class Story:
    policy: Policy = field(default_factory=Policy)
    starts: datetime = A_MONDAY
    roster: Mapping[str, Person] = field(default_factory=lambda: {NUMBER: WANG})
    store: Callable[[], Event | None] = lambda: Recorded("result-1")
    clock: ClockState = SYNCED
    eyes_trusted: bool = True
    answers_look_ups: bool = True

    def __post_init__(self) -> None:
        self.state: State = begin(self.policy)
        self.events: list[Event] = []
        self.effects: list[tuple[float, Effect]] = []
        self.now_ns = seconds_ns(1000)
        self.begun_ns = self.now_ns
        self._frames, self._nonces = count(1), count(1)
        self.tell(EyesState(self.eyes_trusted))
        self._draw()
        self.wait(0.2)

    # --- what happens ---

    def tell(self, event: Event) -> "Story":
        self.events.append(event)
        self.state, effects = step(self.state, event, self.policy)
        for effect in effects:
            self.effects.append((self.seconds, effect))
        for effect in effects:
            self._answer(effect)
        return self

    def wait(self, seconds: float) -> "Story":
        """Nobody is in the picture and nobody touches anything."""
        for _ in range(round(seconds * 10)):
            self._tick()
        return self

    def looks(self, seconds: float, **differs: object) -> "Story":
        """Somebody looks at the camera: `GENUINE`, with differences."""
        for _ in range(round(seconds * 10)):
            self._tick()
            self.sees(**differs)
        return self

    def sees(self, **differs: object) -> "Story":
        facts = {"frame_no": next(self._frames), "at_ns": self.now_ns, **differs}
        seen = replace(GENUINE, **facts)  # type: ignore[arg-type]
        return self.tell(Seen(seen))

    def moves(self, action: Action, *, lasts: float = 0.6, **differs: object) -> "Story":
        """Somebody makes one whole movement; turned away, the face is not READY."""
        begun_ns = self.now_ns
        self.looks(lasts, **{"advice": Advice.LOOK_STRAIGHT, "passive": None, **differs})
        return self.sees(actions=(ActionSeen(action, begun_ns, self.now_ns, 0.6),), **differs)

    def obeys(self, **differs: object) -> "Story":
        """Does what is asked, after the second that an old person needs."""
        asked = self.asked
        assert asked is not None, f"no action was asked: {self.prompts[-3:]}"
        self.looks(1.0, **differs)
        return self.moves(asked, lasts=1.4 if asked is Action.BLINK else 0.6, **differs)

    def touch(self, touch: Touch, value: str = "") -> "Story":
        return self.tell(Touched(touch, value)).wait(0.5)

    def enters(self, number: str) -> "Story":
        return self.tell(NumberEntered(number)).wait(0.5)

    def camera(self, *, working: bool) -> "Story":
        return self.tell(CameraState(working))

    def walks_up(self, number: str = NUMBER) -> "Story":
        """For oneself, as far as the camera."""
        return self.touch(Touch.START_SELF).enters(number).touch(Touch.YES).touch(Touch.AGREE)

    # --- what the terminal did ---

    @property
    def seconds(self) -> float:
        return (self.now_ns - self.begun_ns) / 1e9

    @property
    def view(self) -> View:
        return self.views[-1]

    @property
    def views(self) -> list[View]:
        return [effect.view for _, effect in self.effects if isinstance(effect, Show)]

    @property
    def prompts(self) -> list[str]:
        return [str(view.prompt) for view in self.views]

    @property
    def said(self) -> list[str]:
        return [str(effect.key) for _, effect in self.effects if isinstance(effect, Say)]

    @property
    def records(self) -> list[Attempt]:
        return [effect.attempt for _, effect in self.effects if isinstance(effect, Record)]

    @property
    def record(self) -> Attempt:
        (only,) = self.records
        return only

    @property
    def alarms(self) -> list[str]:
        return [effect.kind for _, effect in self.effects if isinstance(effect, Alarm)]

    @property
    def watches(self) -> list[str]:
        return [effect.person_ref for _, effect in self.effects if isinstance(effect, Watch)]

    @property
    def asked(self) -> Action | None:
        return self.view.action

    @property
    def resets(self) -> int:
        return sum(isinstance(effect, Reset) for _, effect in self.effects)

    @property
    def touches_offered(self) -> set[Touch]:
        return {choice.touch for choice in self.view.choices}

    def when(self, kind: type[Effect]) -> float:
        """The second at which the first effect of that kind came."""
        return next(at for at, effect in self.effects if isinstance(effect, kind))

    def replays(self) -> bool:
        state, effects = replay(self.events, self.policy)
        return state == self.state and list(effects) == [effect for _, effect in self.effects]

    # --- the terminal's part ---

    def _tick(self) -> None:
        self.now_ns += TICK_NS
        self.tell(Tick(self.now_ns, self.starts + timedelta(seconds=self.seconds), self.clock))

    def _draw(self) -> None:
        self.tell(Drawn(f"{next(self._nonces):032x}"))

    def _answer(self, effect: Effect) -> None:
        match effect:
            case LookUp(number) if self.answers_look_ups:
                self.tell(LookedUp(self.roster.get(number)))
            case Record():
                answer = self.store()
                if answer is not None:
                    self.tell(answer)
            case Reset():
                self._draw()


def not_stored() -> Event:
    return RecordFailed()
