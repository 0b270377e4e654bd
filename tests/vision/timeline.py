"""Somebody's face in time, for the tests of actions: what they do, one thing after another.

    Face(fps=15).calm(1).blink().calm(0.5).turn_left().frames()

Angles in degrees, openness as the mesh gives it for an average face; a little seeded tremor on all of it.
"""

import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

from edge.core.types import Action, ActionSeen
from edge.vision.actions import ActionWatcher, Signals
from edge.vision.settings import ActionSettings

_NS = 1_000_000_000


@dataclass
class Face:
    fps: float = 30.0
    yaw_deg: float = 3.0  # nobody's neutral is zero
    pitch_deg: float = -5.0
    eyes: float = 0.28
    mouth: float = 0.02
    mouth_width: float = 0.58
    tremor: float = 1.0
    seed: int = 7
    _parts: list[tuple[float, Callable[[float], dict[str, float]]]] = field(default_factory=list)

    def calm(self, seconds: float) -> Self:
        return self._then(seconds, lambda t: {})

    def blink(self, seconds: float = 0.2, depth: float = 0.5) -> Self:
        return self._then(seconds, lambda t: {"eyes": -depth * self.eyes * _there_and_back(t / seconds)})

    def closed_eyes(self, seconds: float, depth: float = 0.5) -> Self:
        return self._then(seconds, lambda t: {"eyes": -depth * self.eyes})

    def reads(self, seconds: float) -> Self:
        """Looks at the keypad, lids and head: too long for a blink, too slow for a nod."""
        way = lambda t: _plateau(t / seconds)  # noqa: E731
        return self._then(seconds, lambda t: {"eyes": -0.4 * self.eyes * way(t), "pitch_deg": -14 * way(t)})

    def looks_down(self, seconds: float) -> Self:
        """The gaze, not the head: lids follow it slowly."""
        return self._then(seconds, lambda t: {"eyes": -0.2 * self.eyes * _there_and_back(t / seconds)})

    def turn(self, degrees: float, seconds: float = 2.0) -> Self:
        """Out in a third of the time, held for a third, and back."""
        return self._then(seconds, lambda t: {"yaw_deg": degrees * _plateau(t / seconds)})

    def turn_left(self, seconds: float = 2.0) -> Self:
        return self.turn(28, seconds)

    def turn_right(self, seconds: float = 2.0) -> Self:
        return self.turn(-28, seconds)

    def nod(self, degrees: float = 15.0, seconds: float = 1.0) -> Self:
        return self._then(seconds, lambda t: {"pitch_deg": -degrees * _there_and_back(t / seconds)})

    def opens_mouth(self, seconds: float = 1.2, gap: float = 0.4) -> Self:
        return self._then(seconds, lambda t: {"mouth": gap * _plateau(t / seconds)})

    def laughs(self, seconds: float) -> Self:
        """Lips part far and are drawn wide: what the talking face did."""
        way = lambda t: _plateau(t / seconds)  # noqa: E731
        return self._then(seconds, lambda t: {"mouth": 0.2 * way(t), "mouth_width": 0.12 * way(t)})

    def turns_up(self, degrees: float, seconds: float) -> Self:
        """Comes turned away, and turns to the camera."""
        return self._then(seconds, lambda t: {"yaw_deg": degrees * (1 - t / seconds)})

    def glances_down_aside(self, seconds: float = 1.4) -> Self:
        way = lambda t: _there_and_back(t / seconds)  # noqa: E731
        return self._then(seconds, lambda t: {"pitch_deg": -13 * way(t), "yaw_deg": 14 * way(t)})

    def talks(self, seconds: float) -> Self:
        """Five syllables a second, some of them wide, and the head goes with them."""

        def at(t: float) -> dict[str, float]:
            syllable = max(0.0, math.sin(2 * math.pi * 5 * t)) * (0.1 + 0.15 * abs(math.sin(1.7 * t)))
            return {"mouth": syllable, "yaw_deg": 6 * math.sin(1.1 * t), "pitch_deg": 4 * math.sin(2.3 * t)}

        return self._then(seconds, at)

    def shifts(self, degrees: float) -> Self:
        """Settles into another posture for good."""
        return self._then(0.0, lambda t: {"shift": degrees})

    def frames(self) -> list[Signals]:
        noise, frames, start, shift = random.Random(self.seed), [], 0.0, 0.0
        for seconds, moved in self._parts:
            shift += moved(0.0).get("shift", 0.0)
            while len(frames) / self.fps < start + seconds:
                at_s = len(frames) / self.fps
                change = moved(at_s - start)

                def tremble(size: float) -> float:
                    return noise.gauss(0, size * self.tremor)

                frames.append(
                    Signals(
                        round(at_s * _NS),
                        self.yaw_deg + shift + change.get("yaw_deg", 0.0) + tremble(0.4),
                        self.pitch_deg + change.get("pitch_deg", 0.0) + tremble(0.5),
                        max(0.0, self.eyes + change.get("eyes", 0.0) + tremble(0.006)),
                        max(0.0, self.mouth + change.get("mouth", 0.0) + tremble(0.004)),
                        self.mouth_width + change.get("mouth_width", 0.0) + tremble(0.005),
                    )
                )
            start += seconds
        return frames

    def _then(self, seconds: float, moved: Callable[[float], dict[str, float]]) -> Self:
        self._parts.append((seconds, moved))
        return self


def seen(face: Face, settings: ActionSettings | None = None) -> list[ActionSeen]:
    """What the watcher reports of that face."""
    watcher = ActionWatcher(settings or ActionSettings())
    return [action for frame in face.frames() for action in watcher.step(frame)]


def names(face: Face) -> list[Action]:
    return [action.action for action in seen(face)]


def _there_and_back(share: float) -> float:
    return math.sin(math.pi * min(max(share, 0.0), 1.0)) ** 0.5


def _plateau(share: float) -> float:
    return min(1.0, 3 * share, 3 * (1 - share)) if 0 <= share <= 1 else 0.0
