"""Runs a scenario in one process under a virtual clock, with the terminal's real loops and the real session.

Depth ``scripted``: observations from the script.  Depth ``frames``: the real eyes on rendered frames.  Either way the
loops are those of `edge.runtime`, turned by hand; the roster, the recorder and the page are stand-ins behind ports.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from edge.core.policy import Policy
from edge.core.types import Attempt, Event, EyesState, NumberEntered, Person, Say, Screen, Touched, View
from edge.errors import NotDurableError
from edge.ports import Floats, Frame, Pixels, Vision
from edge.runtime.capture import CaptureLoop
from edge.runtime.perceive import PerceiveLoop
from edge.runtime.slot import NewestFrame
from edge.runtime.terminal import Services, TerminalLoop
from sim import cast
from sim.camera import Picture, SimCamera, VirtualPace
from sim.clock import VirtualClock
from sim.people import Act, Leave, LightLamp, Mind, Page, Press, SendAside, Shift, Type
from sim.report import Report, VisitReport, judge
from sim.scenario import Fault, FaultKind, Scenario, Visit
from sim.spoil import SPOILERS
from sim.stage import Stage

LOOKING = {Screen.FRAMING, Screen.CHALLENGE, Screen.DECIDING}
IDLE_TURN_S = 0.1
PAUSE_S = 2.0  # between two people
LONGEST_VISIT_S = 1200.0
MODEL = "simulated"

References = dict[str, Floats]  # float32 (N, D), unit rows, by cast key


@dataclass(slots=True)
class World:
    """What a run is made of: who sees, and where people stand."""

    scenario: Scenario
    stage: Stage
    eyes: Vision
    picture: Picture
    references: References
    seed: int = 1
    policy: Policy = field(default_factory=Policy)
    on_event: Callable[[str, dict[str, object]], None] = lambda _kind, _what: None


class Run:
    """One run of a scenario.  Nothing is shared between two of them."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._members = cast.load()
        self._clock = VirtualClock(world.scenario.start)
        self._frames = NewestFrame()
        self._perceive = PerceiveLoop(self._frames, world.eyes, self._clock)
        self._page = _Page()
        self._attempts: list[Attempt] = []
        self._faults = _Faults(world.scenario.faults)
        self._draws = self._nonces()
        self._exposures = 0
        self._camera = SimCamera(
            self._picture,
            frames_per_second=world.scenario.camera.frames_per_second,
            pace=VirtualPace(self._clock),
        )
        services = Services(
            guide=self._page,
            roster=_Roster(world),
            eyes=self._perceive,
            clock=self._clock,
            record=self._record,
            alarm=lambda kind, _detail: world.on_event("alarm", {"kind": kind}),
            draw=lambda: next(self._draws),
            embedding_model=MODEL,
        )
        self._loop = TerminalLoop(services, world.policy, eyes_trusted=True)
        self._capture = CaptureLoop(self._camera, self._clock, self._frames.put, self._loop.tell)

    def run(self) -> Report:
        """Every visit in turn; the report says what was expected and what came."""
        visits = [self._visit(visit) for visit in self._world.scenario.visits]
        self._capture.close()
        return Report(self._world.scenario.title, self._world.seed, tuple(visits), self._clock.elapsed_s)

    def _visit(self, visit: Visit) -> VisitReport:
        world = self._world
        began_s, before = self._clock.elapsed_s, len(self._attempts)
        number = visit.number if visit.who is None else self._members[visit.who].number
        mind = Mind(visit, number or "", world.seed)
        self._page.changed = True
        world.on_event("arrives", {"visit": visit.key, "kind": visit.kind.value, "face": visit.face})
        world.stage.enter(visit, began_s)
        self._moment(visit, "arrives")
        while not mind.gone and self._clock.elapsed_s - began_s < LONGEST_VISIT_S:
            self._turn(mind, visit)
        world.stage.leave(self._clock.elapsed_s)
        ended_s = self._clock.elapsed_s
        self._moment(visit, "leaves")
        self._mend(float("inf"))
        # Whoever left without a word leaves the terminal to notice by itself.
        while self._loop.state.phase is not Screen.IDLE and self._clock.elapsed_s - began_s < LONGEST_VISIT_S:
            self._turn(None, visit)
        until_s = self._clock.elapsed_s + PAUSE_S
        while self._clock.elapsed_s < until_s:
            self._turn(None, visit)
        done = judge(visit, self._attempts[before:], mind.ending, ended_s - began_s)
        world.on_event("ends", {"visit": visit.key, "page": done.page, "as_expected": done.as_expected})
        return done

    def _turn(self, mind: Mind | None, visit: Visit) -> None:
        """One frame's time, or a tenth of a second while nobody looks."""
        self._mend(self._clock.elapsed_s)
        if self._loop.state.phase in LOOKING:
            self._expose()
            seen = self._perceive.turn(0.0)
            if seen is not None:
                self._loop.seen(*seen)
        else:
            self._clock.advance(IDLE_TURN_S)
        self._loop.turn(0.0)
        self._world.stage.shine(self._page.light, self._clock.elapsed_s)
        if mind is None:
            return
        now_s = self._clock.elapsed_s
        view = self._page.take()
        if view is not None:
            page = Page.of_view(view)
            self._world.on_event("page", {"visit": visit.key, "prompt": page.prompt, "screen": page.screen.value})
            self._moment(visit, page.screen.value)
            mind.read(page, now_s)
        for deed in mind.turn(now_s):
            self._world.on_event("does", {"visit": visit.key, "deed": deed_name(deed)})
            if isinstance(deed, Press):
                self._loop.tell(Touched(deed.touch, deed.value))
            elif isinstance(deed, Type):
                self._loop.tell(NumberEntered(deed.text))
            elif not isinstance(deed, Leave):
                self._world.stage.perform(deed, now_s)

    def _expose(self) -> None:
        """One turn of the camera's loop; the clock moves by a frame, or by however long the camera was waited for."""
        before_s = self._clock.elapsed_s
        wait_s = self._capture.turn()
        if self._clock.elapsed_s == before_s:
            self._clock.advance(max(wait_s, 1 / self._world.scenario.camera.frames_per_second))

    def _picture(self, _number: int, _since_open_s: float) -> Pixels:
        self._exposures += 1
        return self._world.picture(self._exposures, self._clock.elapsed_s)

    def _moment(self, visit: Visit, at: str) -> None:
        for fault in self._faults.strike(visit.key, at, self._clock.elapsed_s):
            self._world.on_event("breaks", {"fault": fault.kind.value})
            self._switch(fault.kind, broken=True)

    def _mend(self, now_s: float) -> None:
        for fault in self._faults.mend(now_s):
            self._world.on_event("mended", {"fault": fault.kind.value})
            self._switch(fault.kind, broken=False)

    def _switch(self, kind: FaultKind, *, broken: bool) -> None:
        if kind is FaultKind.CAMERA_HANGS:
            self._camera.hanging = broken
        elif kind is FaultKind.CAMERA_LOST:
            self._camera.lost = broken
        elif kind is FaultKind.CAMERA_FREEZES:
            self._camera.frozen = broken
        elif kind in SPOILERS:
            self._camera.spoiler = SPOILERS[kind]() if broken else None
        elif kind is FaultKind.CLOCK_UNSYNCED:
            self._clock.synced = not broken
        elif kind is FaultKind.EYES_UNTRUSTED:
            self._loop.tell(EyesState(trusted=not broken))

    def _record(self, attempt: Attempt) -> str:
        if FaultKind.DISK_FULL in self._faults.open:
            raise NotDurableError("The simulated disk is full.")
        self._attempts.append(attempt)
        return f"simulated-{len(self._attempts)}"

    def _nonces(self) -> Iterator[str]:
        number = 0
        while True:
            yield hashlib.sha256(f"{self._world.seed}/{number}".encode()).hexdigest()[:32]
            number += 1


def deed_name(deed: object) -> str:
    """A deed in a few words; never a number that was typed."""
    match deed:
        case Press(touch, _):
            return f'touches "{touch.value.replace("_", " ")}"'
        case Type():
            return "types a number"
        case Act(action, _):
            return f"does it: {action.value.replace('_', ' ')}"
        case Shift():
            return "moves a little"
        case SendAside():
            return "asks the other one aside"
        case LightLamp():
            return "has the lamp switched on"
        case Leave():
            return "goes"
        case _:
            return type(deed).__name__.lower()


class _Page:
    """`Guide` that keeps the newest view."""

    def __init__(self) -> None:
        self.changed = False
        self._view: View | None = None

    def open(self, tell: Callable[[Event], None]) -> None: ...

    def show(self, view: View) -> None:
        self._view, self.changed = view, True

    def say(self, say: Say) -> None: ...

    def preview(self, frame: Frame) -> None: ...

    def close(self) -> None: ...

    @property
    def light(self) -> str | None:
        return self._view.light if self._view is not None else None

    def take(self) -> View | None:
        """The view, if it changed since the last call."""
        changed, self.changed = self.changed, False
        return self._view if changed else None


class _Roster:
    """`Roster` on the cast."""

    version = "simulated"

    def __init__(self, world: World) -> None:
        self._references = world.references
        scheme = world.policy.scheme.name
        today = world.scenario.start.date()
        self._people = {
            member.number: Person(
                person_ref=member.key,
                masked_name=member.name[0] + "*" * (len(member.name) - 1),
                scheme=scheme,
                standing=member.standing,
                valid_until=member.valid_until(today),
                method=member.method,
                exemptions=member.exemptions,
                has_reference=bool(member.portraits),
            )
            for member in cast.load().values()
        }

    def find(self, number: str) -> Person | None:
        return self._people.get(number)

    def references(self, person_ref: str, model: str) -> Floats:  # noqa: ARG002
        return self._references.get(person_ref, np.zeros((0, 4), np.float32))


class _Faults:
    """Which faults are open."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        self._waiting = list(faults)
        self._running: list[tuple[float, Fault]] = []

    @property
    def open(self) -> set[FaultKind]:
        return {fault.kind for _, fault in self._running}

    def strike(self, visit: str, at: str, now_s: float) -> list[Fault]:
        struck = [fault for fault in self._waiting if (fault.visit, fault.at) == (visit, at)]
        self._waiting = [fault for fault in self._waiting if fault not in struck]
        self._running += [(now_s + fault.for_s, fault) for fault in struck]
        return struck

    def mend(self, now_s: float) -> list[Fault]:
        over = [fault for until_s, fault in self._running if until_s <= now_s]
        self._running = [each for each in self._running if each[0] > now_s]
        return over
