"""Eyes without pixels: what the models would say of a visit, from its script.  Thousands of sessions a minute.

The figures are those measured on the puppets (docs/simulator.md), with noise; this depth tests sessions, not eyes.
"""

import random

from edge.core.light import Rgb
from edge.core.liveness import share
from edge.core.types import Action, ActionSeen, Advice, Cues, Observation
from edge.ports import Floats, Frame
from sim.people import Act, Deed, LightLamp, SendAside, Shift
from sim.puppet.body import Place
from sim.puppet.lamp import GAMMA, WALL_M, Lamp, away_m
from sim.puppet.room import Light
from sim.scenario import Kind, Scenario, Visit
from sim.stage import FILM_EVERY_S, limited, place_of

NEUTRAL_FRAMES = 8
# (mean, deviation): the logit of the passive score, and what `edge.vision.cues` says of the puppets.
PASSIVE = {Kind.LIVE: (8.0, 0.8), Kind.PRINT: (-6.0, 2.0), Kind.REPLAY: (-7.0, 2.0)}
RELIEF = {Kind.LIVE: (0.85, 0.05), Kind.REPLAY: (0.85, 0.05)}  # once it has moved; a film moves, a print lies still
MOIRE = {Kind.LIVE: (1.7, 0.1), Kind.PRINT: (3.7, 0.2), Kind.REPLAY: (3.1, 0.1)}
BORDER = {Kind.LIVE: (0.6, 0.1), Kind.PRINT: (0.89, 0.01), Kind.REPLAY: (0.91, 0.01)}
SKIN, GREY = (0.35, 0.22, 0.16), (0.3, 0.3, 0.3)
LIGHT_NOISE = 0.006  # of a patch's mean, from frame to frame
LENGTHS_S = {Action.BLINK: 1.6, Action.NOD: 1.4, Action.OPEN_MOUTH: 1.2}


class ScriptedStage:
    """Stage and eyes in one: `Vision` that ignores the frame's pixels and tells what the script implies.

    ``same`` says whether the portrait is of the claimed person.
    """

    def __init__(self, scenario: Scenario, same: dict[tuple[str | None, str], bool], seed: int) -> None:
        self._same = same
        self._random = random.Random(f"{seed}/eyes")  # noqa: S311
        self._dark = scenario.room.level < 0.3
        self._behind = scenario.room.behind > 0.5
        self._visit: Visit | None = None
        self._place = Place()
        self._arrives_s = 0.0
        self._alone = True
        self._acts: list[tuple[float, Act]] = []
        self._track = 0
        self._frames = self._probe = 0
        self._told: set[int] = set()
        self._watching = False
        self._lamp = Lamp()
        room = scenario.room
        self._room_light = Light(room.level, room.warmth, room.from_left, room.behind)
        self._eyes_noise = random.Random(f"{seed}/light")  # noqa: S311

    def enter(self, visit: Visit, at_s: float) -> None:
        self._visit = visit
        self._place = place_of(visit.habits, visit.kind)
        self._arrives_s = at_s + 1.2
        self._alone = visit.companion is None
        self._acts, self._told = [], set()
        self._new_track()

    def perform(self, deed: Deed, at_s: float) -> None:
        match deed:
            case Act() if self._visit is not None and self._visit.kind is Kind.LIVE:
                self._acts.append((at_s, deed))
            case Shift():
                self._place = limited(self._place, deed)
            case SendAside():
                self._alone = True
            case LightLamp():
                self._dark = self._behind = False
                self._room_light = Light()
            case _:
                pass

    def leave(self, at_s: float) -> None:  # noqa: ARG002
        self._visit = None

    def shine(self, colour: str | None, at_s: float) -> None:
        self._lamp.shine(colour, at_s)

    # --- edge.ports.Vision ---

    def watch(self, references: Floats | None) -> None:
        self._watching = references is not None
        self._new_track()

    def observe(self, frame: Frame) -> Observation:
        """The observation for this frame's time; ``frame.at_ns`` counts from second 1000 (`sim.clock`)."""
        at_s = frame.at_ns / 1e9 - 1000
        visit = self._visit
        if visit is None or visit.kind is Kind.NOBODY or at_s < self._arrives_s:
            return Observation(frame.number, frame.at_ns, faces=0, advice=Advice.NO_FACE, track=self._track)
        advice = self._advice()
        self._frames += 1
        passive = match = None
        if advice is Advice.READY:
            if self._frames % 2:
                self._probe += 1
                same = self._same.get((visit.who, visit.face or ""), False)
                match = (0.82 if same else -0.05) + self._random.gauss(0, 0.03)
            else:
                mean, spread = PASSIVE[visit.kind]
                passive = share(mean + self._random.gauss(0, spread))
        return Observation(
            frame.number,
            frame.at_ns,
            faces=1 if self._alone else 2,
            advice=advice,
            track=self._track,
            face_width=self._place.width,
            face_x=self._place.x,
            face_y=self._place.y,
            passive=passive,
            match=match,
            probe_frames=self._probe,
            actions=self._actions(visit, frame.at_ns, at_s),
            neutral=self._frames > NEUTRAL_FRAMES,
            cues=self._cues(visit.kind, at_s),
        )

    def _cues(self, kind: Kind, at_s: float) -> Cues:
        """The other cues, and the page's light on skin, what is beside it and the room (`sim.puppet.lamp`)."""
        near = self._lit(away_m(self._place.width), at_s)
        far = self._lit(WALL_M, at_s)
        skin = (1.0, 1.0, 1.0) if kind is Kind.REPLAY else near
        behind = near if kind is Kind.PRINT else far
        return Cues(
            relief=self._eyes_noise.gauss(*RELIEF[kind]) if self._told and kind in RELIEF else None,
            moire=self._eyes_noise.gauss(*MOIRE[kind]),
            border=self._eyes_noise.gauss(*BORDER[kind]),
            skin=self._seen(SKIN, skin),
            behind=self._seen(GREY, behind),
            room=self._seen(GREY, far),
        )

    def _lit(self, distance_m: float, at_s: float) -> Rgb:
        red, green, blue = (float(v) ** GAMMA for v in self._lamp.change(at_s, distance_m, self._room_light.on_face))
        return red, green, blue

    def _seen(self, colour: Rgb, light: Rgb) -> Rgb:
        red, green, blue = (
            min(c * v * (1 + self._eyes_noise.gauss(0, LIGHT_NOISE)), 1.0) for c, v in zip(colour, light, strict=True)
        )
        return red, green, blue

    def _advice(self) -> Advice:
        place = self._place
        if not self._alone:
            return Advice.TWO_FACES
        if self._dark:
            return Advice.TOO_DARK
        if self._behind:
            return Advice.BACKLIGHT
        if place.width < 0.13:
            return Advice.TOO_FAR
        if place.width > 0.55:
            return Advice.TOO_NEAR
        if abs(place.x - 0.5) > 0.22:
            return Advice.MOVE_RIGHT if place.x > 0.5 else Advice.MOVE_LEFT
        return Advice.READY

    def _actions(self, visit: Visit, at_ns: int, at_s: float) -> tuple[ActionSeen, ...]:
        """What was completed since the last frame; a film makes its movements whether asked or not."""
        acts = list(self._acts)
        if visit.kind is Kind.REPLAY:
            last = int((at_s - self._arrives_s) / FILM_EVERY_S)
            acts.append((self._arrives_s + last * FILM_EVERY_S, Act(tuple(Action)[last % len(Action)])))
        seen = []
        for start_s, act in acts:
            end_s = start_s + LENGTHS_S.get(act.action, 0.9)
            if end_s <= at_s and round(start_s * 1000) not in self._told:
                self._told.add(round(start_s * 1000))
                start_ns, end_ns = (round((s + 1000) * 1e9) for s in (start_s, end_s))
                seen.append(ActionSeen(act.action, start_ns, min(end_ns, at_ns), 0.6))
        return tuple(seen)

    def _new_track(self) -> None:
        self._track += 1
        self._frames = self._probe = 0
