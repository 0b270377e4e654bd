"""A body before the camera: where it stands, what the head does on purpose, and the small things nobody can stop.

Times are seconds of the scene.  Everything follows from the seed and the orders given, so any frame can be drawn
again.  Movements are minimum-jerk curves at the speed of old people: a turn takes two seconds.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from edge.core.types import Action
from sim.puppet.warp import Pose

TURN_DEG, NOD_DEG = 27.0, 17.0
SHUT_S = 1.7  # eyes shut on request: who counts to two


@dataclass(frozen=True, slots=True)
class Place:
    """Where somebody stands: the face's centre and width as shares of the frame (see `Pose`)."""

    x: float = 0.5
    y: float = 0.42
    width: float = 0.30


@dataclass(frozen=True, slots=True)
class _Walk:
    start_s: float
    end_s: float
    begin: Place
    goal: Place


@dataclass(frozen=True, slots=True)
class _Gesture:
    action: Action
    start_s: float
    length_s: float
    size: float


class Body:
    """Takes orders (`walk`, `do`) and tells its pose at any later time."""

    def __init__(self, place: Place, seed: int, *, sway: float = 1.0) -> None:
        self._walks = [_Walk(-1.0, 0.0, place, place)]
        self._gestures: list[_Gesture] = []
        random = np.random.default_rng([seed, 23])
        self._phase = random.uniform(0, 2 * math.pi, 16)
        self._rate = random.uniform(0.85, 1.2, 16)
        self._blinks = np.cumsum(random.uniform(2.6, 6.5, 400))
        self._sway = sway

    def walk(self, goal: Place, at_s: float, length_s: float) -> None:
        """Go to ``goal`` from wherever the body is at ``at_s``."""
        here = self.place(at_s)
        self._walks.append(_Walk(at_s, at_s + max(length_s, 0.05), here, goal))

    def do(self, action: Action, at_s: float, *, size: float = 1.0) -> float:
        """Make a movement beginning at ``at_s``; returns when it is over."""
        length = {Action.BLINK: SHUT_S, Action.NOD: 1.5, Action.OPEN_MOUTH: 1.9}.get(action, 2.1)
        self._gestures.append(_Gesture(action, at_s, length, size))
        return at_s + length

    def busy(self, at_s: float) -> bool:
        """Whether a movement asked for is still under way."""
        return any(each.start_s <= at_s <= each.start_s + each.length_s for each in self._gestures)

    def place(self, at_s: float) -> Place:
        """Where the body stands."""
        walk = next((each for each in reversed(self._walks) if each.start_s <= at_s), self._walks[0])
        share = _jerkless((at_s - walk.start_s) / (walk.end_s - walk.start_s))
        a, b = walk.begin, walk.goal
        return Place(a.x + (b.x - a.x) * share, a.y + (b.y - a.y) * share, a.width + (b.width - a.width) * share)

    def pose(self, at_s: float) -> Pose:
        """The whole pose at that time."""
        here = self.place(at_s)
        wave = [
            math.sin(2 * math.pi * f * r * at_s + p)
            for f, r, p in zip(_FREQUENCIES, self._rate, self._phase, strict=False)
        ]
        sway = self._sway
        pose = Pose(
            x=here.x + sway * (0.0025 * wave[0] + 0.0008 * wave[1]),
            y=here.y + sway * (0.0016 * wave[2] + 0.0030 * wave[3]),  # the last is breathing
            width=here.width * (1 + sway * 0.006 * wave[4]),
            yaw_deg=sway * (1.1 * wave[5] + 0.5 * wave[6] + 0.15 * wave[7]),
            pitch_deg=sway * (0.8 * wave[8] + 0.35 * wave[9] + 0.12 * wave[10]),
            roll_deg=sway * (0.6 * wave[11] + 0.2 * wave[12]),
            mouth=0.0,
            brow=0.12 * max(0.0, wave[13]),
        )
        shut = max([_lid((at_s - start) / 0.26) for start in self._blinks if 0 <= at_s - start <= 0.26], default=0.0)
        for gesture in self._gestures:
            share = (at_s - gesture.start_s) / gesture.length_s
            if 0 <= share <= 1:
                pose, lid = _apply(pose, gesture, share)
                shut = max(shut, lid)
        return replace(pose, blink=(shut, shut))


_FREQUENCIES = (0.11, 0.53, 0.13, 0.27, 0.09, 0.17, 0.61, 2.3, 0.14, 0.47, 1.9, 0.10, 0.41, 0.19)


def _apply(pose: Pose, gesture: _Gesture, share: float) -> tuple[Pose, float]:
    swing = _there_and_back(share) * gesture.size
    match gesture.action:
        case Action.TURN_LEFT:
            return replace(pose, yaw_deg=pose.yaw_deg + TURN_DEG * swing), 0.0
        case Action.TURN_RIGHT:
            return replace(pose, yaw_deg=pose.yaw_deg - TURN_DEG * swing), 0.0
        case Action.NOD:
            return replace(pose, pitch_deg=pose.pitch_deg - NOD_DEG * swing), 0.0
        case Action.OPEN_MOUTH:
            return replace(pose, mouth=min(1.0, swing)), 0.0
        case Action.BLINK:
            return pose, _lid(share) * min(1.0, gesture.size)


def _there_and_back(share: float) -> float:
    """Up in the first third, held, down in the last third."""
    if share < 0.36:
        return _jerkless(share / 0.36)
    return 1.0 if share < 0.62 else _jerkless((1 - share) / 0.38)


def _lid(share: float) -> float:
    """Lids fall fast, stay shut for a moment, and open more slowly."""
    if share < 0.25:
        return _jerkless(share / 0.25)
    return 1.0 if share < 0.6 else _jerkless((1 - share) / 0.4)


def _jerkless(share: float) -> float:
    """0..1 with neither speed nor acceleration at the ends (minimum jerk)."""
    t = min(max(share, 0.0), 1.0)
    return t * t * t * (10 - 15 * t + 6 * t * t)
