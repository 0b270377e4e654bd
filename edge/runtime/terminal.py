"""The session's loop: the only thread that changes a session's state.

Events come from the page, the eyes and the camera through one inbox; the pure `edge.core.session.step` says
what to do; this loop does it.  Control events are never dropped; of several observations that answer the current
question only the newest is kept, so that slow moments do not build a queue of old pictures - except those that
say what the next one does not: a completed action, another number of faces, another track.
"""

import logging
import queue
from collections.abc import Callable
from dataclasses import dataclass

from edge.core import session
from edge.core.policy import Policy
from edge.core.state import State
from edge.core.types import (
    Alarm,
    Attempt,
    Drawn,
    Effect,
    Event,
    EyesState,
    LookedUp,
    LookUp,
    NumberEntered,
    Record,
    Recorded,
    RecordFailed,
    Reset,
    Say,
    Screen,
    Seen,
    Show,
    StopWatching,
    Tick,
    Watch,
)
from edge.errors import NotDurableError
from edge.ports import Clock, Guide, Identity, Roster
from edge.runtime.perceive import PerceiveLoop

TICK_S = 0.1
"""How often time enters the session: well below any of its deadlines, well above the cost of a step."""

REFRESH_S = 30.0
"""How often an idle terminal looks for newer documents: the first person of the morning is met by today's."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Services:
    """What the session's effects need; ``record`` raises `NotDurableError`, ``alarm`` never raises."""

    guide: Guide
    roster: Roster
    eyes: PerceiveLoop
    clock: Clock
    record: Callable[[Attempt], str]
    alarm: Callable[[str, str], None]
    draw: Callable[[], str]
    embedding_model: str
    reader: Identity | None = None
    refresh: Callable[[], Policy | None] = lambda: None
    """Called between people and while nobody is there: adopts a newer roster, returns a newer policy if any."""


class TerminalLoop:
    """Runs sessions one after the other.  `tell` and `seen` may be called by any thread, `turn` by one."""

    def __init__(self, services: Services, policy: Policy, eyes_trusted: bool) -> None:
        self._do = services
        self._policy = policy
        self._inbox: queue.SimpleQueue[Event | tuple[int, Seen]] = queue.SimpleQueue()
        self._state = session.begin(policy)
        self._ticked_ns = 0
        self._refreshed_ns = services.clock.monotonic_ns()
        self.sessions = 0
        self._greet()
        # Once: said again at every greeting, it could overtake the news that the eyes have failed since.
        self.tell(EyesState(trusted=eyes_trusted))

    @property
    def state(self) -> State:
        return self._state

    def tell(self, event: Event) -> None:
        """Put a control event into the inbox; it is never dropped."""
        self._inbox.put(event)

    def seen(self, epoch: int, event: Seen) -> None:
        """Put an observation into the inbox, with the epoch of the question that it answers."""
        self._inbox.put((epoch, event))

    def turn(self, timeout_s: float = TICK_S) -> None:
        """Wait at most ``timeout_s`` for events, take them all, then let time pass."""
        for event in self._coalesced(timeout_s):
            self._step(event)
        if self._do.reader is not None and (number := self._do.reader.poll()) is not None:
            self._step(NumberEntered(number, source="card"))
        now_ns = self._do.clock.monotonic_ns()
        if now_ns - self._ticked_ns >= TICK_S * 1e9:
            self._ticked_ns = now_ns
            self._tick()

    def _tick(self) -> None:
        tick = self._now()
        if self._state.phase is Screen.IDLE and tick.at_ns - self._refreshed_ns >= REFRESH_S * 1e9:
            self._refresh()
        self._step(tick)

    def _now(self) -> Tick:
        clock = self._do.clock
        return Tick(clock.monotonic_ns(), clock.now(), clock.state())

    def _greet(self) -> None:
        # The clock first: without it the page would say for a moment that the machine is setting its clock.
        self.tell(self._now())
        self.tell(Drawn(self._do.draw()))

    def _coalesced(self, timeout_s: float) -> list[Event]:
        events: list[Event] = []
        newest: Seen | None = None
        try:
            item = self._inbox.get(timeout=timeout_s)
            while True:
                if isinstance(item, tuple):
                    epoch, seen = item
                    if epoch == self._do.eyes.current:
                        if newest is not None and _is_evidence(newest, seen):
                            events.append(newest)
                        newest = seen
                else:
                    events.append(item)
                item = self._inbox.get_nowait()
        except queue.Empty:
            pass
        return [*events, newest] if newest is not None else events

    def _step(self, event: Event) -> None:
        """One step and all that follows from it; answers of services are stepped before anything else."""
        answers: list[Event] = [event]
        while answers:
            self._state, effects = session.step(self._state, answers.pop(0), self._policy)
            for effect in effects:
                answer = self._perform(effect)
                if answer is not None:
                    answers.append(answer)

    def _perform(self, effect: Effect) -> Event | None:
        match effect:
            case Show(view):
                self._do.guide.show(view)
            case Say():
                self._do.guide.say(effect)
            case LookUp(number):
                return LookedUp(self._do.roster.find(number))
            case Watch(person_ref):
                self._do.eyes.look(self._do.roster.references(person_ref, self._do.embedding_model))
            case StopWatching():
                self._do.eyes.rest()
            case Record(attempt):
                return self._record(attempt)
            case Alarm(kind, detail):
                log.warning("alarm: %s", kind)
                self._do.alarm(kind, detail)
            case Reset():
                self._reset()
        return None

    def _record(self, attempt: Attempt) -> Event:
        try:
            result_id = self._do.record(attempt)
        except NotDurableError as error:
            log.warning("a result could not be stored, nothing was promised: %s", error)
            return RecordFailed()
        log.info("result %s is durable: %s", result_id, attempt.outcome)
        return Recorded(result_id)

    def _reset(self) -> None:
        self._do.eyes.rest()
        self.sessions += 1
        self._refresh()
        self._greet()

    def _refresh(self) -> None:
        self._refreshed_ns = self._do.clock.monotonic_ns()
        policy = self._do.refresh()
        if policy is not None:
            self._policy = policy


def _is_evidence(older: Seen, newer: Seen) -> bool:
    """Whether ``older`` says something that would be lost if only ``newer`` were heard."""
    before, after = older.observation, newer.observation
    return bool(before.actions) or (before.faces, before.track) != (after.faces, after.track)
