"""Puts a visit's people before the camera and makes their bodies do what their minds decided.

Two stages behind one protocol: `PuppetStage` has pixels, `sim.scripted.ScriptedStage` has figures only.
"""

from typing import Protocol

from edge.core.types import Action
from edge.ports import Pixels
from sim import portraits
from sim.people import Act, Deed, LightLamp, SendAside, Shift
from sim.puppet import attackers
from sim.puppet.body import Body, Place
from sim.puppet.room import Light
from sim.puppet.scene import Actor, LivePerson, Scene
from sim.puppet.sensor import SensorSettings
from sim.puppet.wardrobe import Wardrobe
from sim.scenario import Habits, Kind, Scenario, Visit

WALK_S, STEP_S = 1.5, 1.0
OUTSIDE = 1.0  # how far beside the frame people come from, in shares of it
REPLAY_WIDTH = 0.8  # a phone is held so that its face is this much of a live one's width
FILM_EVERY_S = 4.0  # a film for every prompt shows one movement after the other
FILM = (Action.BLINK, Action.TURN_LEFT, Action.NOD, Action.TURN_RIGHT, Action.OPEN_MOUTH)


class Stage(Protocol):
    """Where visits take place.  Times are seconds of the scene."""

    def enter(self, visit: Visit, at_s: float) -> None: ...

    def perform(self, deed: Deed, at_s: float) -> None: ...

    def leave(self, at_s: float) -> None: ...

    def shine(self, colour: str | None, at_s: float) -> None:
        """The terminal's page lights the room in this colour (#rrggbb), or as usual."""
        ...


def place_of(habits: Habits, kind: Kind) -> Place:
    """Where somebody stands when they have walked up."""
    return Place(habits.x, habits.y, habits.width * (REPLAY_WIDTH if kind is Kind.REPLAY else 1.0))


def limited(here: Place, shift: Shift) -> Place:
    """One step as the page asked for it."""
    width = min(max(here.width * shift.width, 0.10), 0.60)
    return Place(min(max(here.x + shift.x, 0.1), 0.9), min(max(here.y + shift.y, 0.25), 0.7), width)


class PuppetStage:
    """The room with puppets in it."""

    def __init__(self, scenario: Scenario, wardrobe: Wardrobe, seed: int) -> None:
        self._scenario, self._wardrobe, self._seed = scenario, wardrobe, seed
        room = scenario.room
        self._light = Light(room.level, room.warmth, room.from_left, room.behind)
        self.scene = Scene(
            room.seed + seed, light=self._light, sensor=SensorSettings(read_noise=scenario.camera.read_noise)
        )
        self._body: Body | None = None
        self._companion: Body | None = None
        self._kind = Kind.NOBODY
        self._actors: list[Actor] = []
        self._leaving: list[tuple[float, Actor]] = []

    def prepare(self) -> None:
        """Make all busts now, so that nobody has to wait at the door."""
        for visit in self._scenario.visits:
            for name in (visit.face, visit.companion):
                if name is not None:
                    self._wardrobe.bust(name)

    def enter(self, visit: Visit, at_s: float) -> None:
        """They walk up from the side."""
        seed = self._seed * 1000 + sum(map(ord, visit.key))
        self._body, self._companion, self._kind = None, None, visit.kind
        self._actors = []
        if visit.face is None:
            return
        goal = place_of(visit.habits, visit.kind)
        body = Body(Place(-OUTSIDE if seed % 2 else 1 + OUTSIDE, goal.y, goal.width), seed, sway=visit.habits.sway)
        body.walk(goal, at_s, WALK_S)
        self._body = body
        self._add(self._actor(visit, body, seed, at_s))
        if visit.companion is not None:
            beside = Body(Place(2.0, 0.40, 0.22), seed + 7)
            beside.walk(Place(0.84, 0.40, 0.22), at_s, WALK_S)
            self._companion = beside
            self._add(LivePerson(self._wardrobe.bust(visit.companion), beside))

    def perform(self, deed: Deed, at_s: float) -> None:
        """Make the body do it; what has nothing to do with the body is left to others."""
        match deed:
            case Act(action, size):
                if self._body is not None and self._kind is Kind.LIVE:
                    self._body.do(action, at_s, size=size)
            case Shift():
                if self._body is not None:
                    self._body.walk(limited(self._body.place(at_s), deed), at_s, STEP_S)
            case SendAside():
                if self._companion is not None:
                    self._companion.walk(Place(2.2, 0.40, 0.22), at_s, WALK_S)
            case LightLamp():
                self.scene.set_light(Light())
            case _:
                pass

    def leave(self, at_s: float) -> None:
        """Everybody walks out."""
        for body in (self._body, self._companion):
            if body is not None:
                here = body.place(at_s)
                body.walk(Place(1 + OUTSIDE, here.y, here.width), at_s, WALK_S)
        self._leaving += [(at_s + WALK_S, actor) for actor in self._actors]
        self._body = self._companion = None

    def shine(self, colour: str | None, at_s: float) -> None:
        """The terminal's page lights the room in this colour (#rrggbb), or as usual."""
        self.scene.lamp.shine(colour, at_s)

    def light(self, light: Light | None) -> None:
        """Another light, or the scenario's own again."""
        self.scene.set_light(light or self._light)

    def picture(self, number: int, at_s: float) -> Pixels:
        """RGB uint8 (480, 640, 3) of that moment."""
        gone = [actor for until_s, actor in self._leaving if until_s <= at_s]
        if gone:
            self._leaving = [each for each in self._leaving if each[0] > at_s]
            self.scene.actors = [actor for actor in self.scene.actors if actor not in gone]
        return self.scene.render(number, at_s)

    def _add(self, actor: Actor) -> None:
        self._actors.append(actor)
        self.scene.actors = [*self.scene.actors, actor]

    def _actor(self, visit: Visit, body: Body, seed: int, at_s: float) -> Actor:
        assert visit.face is not None  # noqa: S101  (scenario.Visit)
        if visit.kind is Kind.PRINT:
            return attackers.printed(portraits.PORTRAITS[visit.face], portraits.pixels(visit.face), body)
        bust = self._wardrobe.bust(visit.face)
        if visit.kind is Kind.LIVE:
            return LivePerson(bust, body)
        actor = Body(Place(), seed + 3)
        for number in range(40):
            actor.do(FILM[number % len(FILM)], at_s + 2.5 + FILM_EVERY_S * number)
        return attackers.phone(bust, actor, body, seed)
