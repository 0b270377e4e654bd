"""Prompted actions: movements of one face away from its own neutral, and back.

Each signal (yaw, pitch, lids, lips) has a `Baseline`, the median of its recent values at rest, and a `Movement` that
watches how far it is from there.  A movement leaves rest, goes far enough, and either stays there (turn, open mouth)
or comes back in time (nod, blink); two thresholds keep a trembling signal from counting twice.  What a signal cannot
tell apart another one does: a head that swings is not nodding, lips drawn wide are laughing, not open.
All durations are taken from the frames' times, so 10 and 30 frames a second see the same.
"""

from collections import deque
from dataclasses import dataclass
from itertools import pairwise

from edge.core.types import Action, ActionSeen
from edge.vision.settings import ActionSettings

_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Signals:
    """One frame of a face: degrees (yaw to the person's own left, pitch up) and openness of eyes and mouth.

    ``mouth`` (the gap between the lips) and ``mouth_width`` are in distances between the outer eye corners.
    """

    at_ns: int
    yaw_deg: float
    pitch_deg: float
    eyes: float
    mouth: float
    mouth_width: float


class Baseline:
    """What a signal is when nothing happens: the median over its last ``memory_s`` at rest; None until learnt."""

    def __init__(self, memory_s: float, learn_s: float, learn_frames: int) -> None:
        self._memory_ns = round(memory_s * _NS)
        self._learn_ns = round(learn_s * _NS)
        self._learn_frames = learn_frames
        self._recent: deque[tuple[int, float]] = deque()
        self.value: float | None = None

    def add(self, at_ns: int, value: float) -> None:
        recent = self._recent
        recent.append((at_ns, value))
        while at_ns - recent[0][0] > self._memory_ns:
            recent.popleft()
        if len(recent) >= self._learn_frames and at_ns - recent[0][0] >= self._learn_ns:
            self.value = sorted(v for _, v in recent)[len(recent) // 2]

    def relearn(self) -> None:
        """The person has settled elsewhere: keep the old value until the new one is known."""
        self._recent.clear()

    def spread_with(self, value: float) -> float:
        """Between the least and the most of what it rests on and ``value``."""
        values = [value, *(each for _, each in self._recent)]
        return max(values) - min(values)

    @property
    def tremor(self) -> float:
        """How much the signal trembles from frame to frame at rest (one sigma of Gaussian noise)."""
        values = [value for _, value in self._recent]
        steps = sorted(abs(b - a) for a, b in pairwise(values))
        return steps[len(steps) // 2] / 0.954 if steps else 0.0


@dataclass(frozen=True, slots=True)
class Shape:
    """What a movement looks like: amounts at which it rests, counts and scores 1, and how long it may take.

    ``hold_s`` None: it counts when it is back, between ``shortest_s`` and ``longest_s`` after leaving rest; back is
    by half of how far it went, because lids and heads often settle lower than they began.  Otherwise it counts when
    it has stayed beyond ``far`` for ``hold_s``, at most ``longest_s`` after leaving rest.
    """

    action: Action
    rest: float
    far: float
    full: float
    longest_s: float
    shortest_s: float = 0.0
    hold_s: float | None = None

    def score(self, peak: float) -> float:
        """0 at what just counts, 1 at full."""
        return min(max((peak - self.far) / (self.full - self.far), 0.0), 1.0)


class Movement:
    """Follows one amount through rest, away and back, and reports each whole movement once."""

    def __init__(self, shape: Shape) -> None:
        self._shape = shape
        self._left_ns: int | None = None
        self._far_ns: int | None = None
        self._peak = 0.0
        self._spent = False
        self.settling = False

    @property
    def at_rest(self) -> bool:
        return self._left_ns is None

    @property
    def peak(self) -> float:
        """How far the movement under way has gone."""
        return self._peak

    def away_s(self, at_ns: int) -> float:
        """For how long it has been away from rest."""
        return 0.0 if self._left_ns is None else (at_ns - self._left_ns) / _NS

    def overdue(self, at_ns: int) -> bool:
        """Away for longer than any such movement lasts."""
        return self.away_s(at_ns) > self._shape.longest_s

    def forget(self) -> None:
        self._left_ns, self._far_ns, self._peak, self._spent, self.settling = None, None, 0.0, False, False

    def settle(self) -> None:
        """The baseline now follows the signal to where it stays."""
        self.settling = True

    def spoil(self) -> None:
        """What is under way must not count: something else explains it."""
        self._spent = self._left_ns is not None

    def step(self, at_ns: int, amount: float) -> ActionSeen | None:
        shape = self._shape
        if self._left_ns is None:
            if amount <= shape.rest:
                return None
            self._left_ns = at_ns
        self._peak = max(self._peak, amount)
        if amount < (shape.rest + shape.far) / 2:
            self._far_ns = None
        elif self._far_ns is None and amount >= shape.far:
            self._far_ns = at_ns
        seen = self._completed(at_ns, amount)
        if self._back(amount):
            self.forget()
        elif seen:
            self._spent = True
        return seen

    def _back(self, amount: float) -> bool:
        shape = self._shape
        comes_back = shape.hold_s is None and self._peak >= shape.far
        return amount <= (self._peak / 2 if comes_back else shape.rest)

    def _completed(self, at_ns: int, amount: float) -> ActionSeen | None:
        shape, left_ns = self._shape, self._left_ns
        if left_ns is None or self._spent or at_ns - left_ns > shape.longest_s * _NS:
            return None
        if shape.hold_s is None:
            whole = self._peak >= shape.far and self._back(amount) and at_ns - left_ns >= shape.shortest_s * _NS
        else:
            whole = self._far_ns is not None and at_ns - self._far_ns >= shape.hold_s * _NS
        return ActionSeen(shape.action, left_ns, at_ns, shape.score(self._peak)) if whole else None


class Lids:
    """Both eyes' lids: blinks, and eyes kept shut on purpose.

    Lids follow the gaze, so their level is that of the last second at rest.  When they go down it is frozen, and what
    is seen until they are up again is a blink (quick; the slighter the quicker), eyes kept shut (as deep as this
    person's own blinks, nearly all the time, with a still head), or a look down, whose level is then learnt.
    """

    def __init__(self, settings: ActionSettings) -> None:
        s = self._settings = settings
        self._recent = Baseline(s.eyes_memory_s, s.neutral_s, s.neutral_frames)
        self._level = 1.0
        self._down: list[tuple[int, float, float]] = []  # time, openness and depth since they left rest
        self._floor = 0.0  # the depth at which they settled after the last blink
        self._head = _Still()
        self._spoilt = False
        self._depths: deque[float] = deque(maxlen=s.shut_blinks)

    @property
    def known(self) -> bool:
        return self._recent.value is not None

    def interrupt(self) -> None:
        """Nothing is known of what was under way."""
        self._down, self._floor, self._spoilt = [], 0.0, False

    def spoil(self) -> None:
        """What is under way must not count: the eyes cannot be told now."""
        self._spoilt = bool(self._down)

    def step(self, now: Signals, *, judge: bool) -> ActionSeen | None:
        s = self._settings
        if not self._down:
            if self._recent.value is None or not judge:
                self._recent.add(now.at_ns, now.eyes)
                return None
            self._level = max(self._recent.value, 1e-6)
        depth = 1 - now.eyes / self._level
        if not self._down:
            self._floor = max(min(self._floor, depth), 0.0)
            if depth - self._floor <= s.blink_rest:
                self._recent.add(now.at_ns, now.eyes)
                return None
            self._head = _Still()
        self._down.append((now.at_ns, now.eyes, depth))
        self._head.add(now)
        return self._while_down(now.at_ns, depth)

    def _while_down(self, at_ns: int, depth: float) -> ActionSeen | None:
        s = self._settings
        depths = [each - self._floor for *_, each in self._down]
        deepest = max(depths)
        up = depth - self._floor <= deepest / 2
        away_s = (at_ns - self._down[0][0]) / _NS
        slight = deepest < s.blink_depth
        if not up and away_s <= (s.blink_slight_longest_s if slight else s.blink_longest_s):
            return None
        shut = self._typical() >= self._shut_depth()
        if not up and shut and away_s <= s.shut_longest_s:
            return None
        # Lids that sink slowly before they close belong to the gaze: the time counts from half the depth.
        first = next(index for index, each in enumerate(depths) if each >= deepest / 2)
        began_ns = self._down[first][0]
        took_s = (at_ns - began_ns) / _NS
        score = min(max((deepest - s.blink_depth) / (s.blink_full - s.blink_depth), 0.0), 1.0)
        longest_s = s.blink_slight_longest_s + score * (s.blink_longest_s - s.blink_slight_longest_s)
        quick = deepest >= self._least_depth() and s.blink_shortest_s <= took_s <= longest_s
        kept_shut = shut and took_s <= s.shut_longest_s and self._head.moved_deg <= s.shut_head_deg
        whole = up and not self._spoilt and (quick or kept_shut)
        if whole:
            if quick:
                self._depths.append(deepest)
            self._floor = depth
        else:
            # A look down: its level is the one to judge by from now on.
            for when_ns, eyes, _ in self._down:
                self._recent.add(when_ns, eyes)
            self._floor = 0.0
        self._down, self._spoilt = [], False
        return ActionSeen(Action.BLINK, began_ns, at_ns, score) if whole else None

    def _typical(self) -> float:
        """The depth that four fifths of the time down surpassed, without the ways down and up."""
        depths = sorted(each for *_, each in self._down[1:-1]) or [0.0]
        return depths[len(depths) // 5] - self._floor

    def _shut_depth(self) -> float:
        """How deep this person's lids are when shut, so far as their own blinks have shown it."""
        s = self._settings
        if not self._depths:
            return s.shut_unknown_depth
        own = sorted(self._depths)[len(self._depths) // 2]
        return min(max(s.shut_share * own, s.shut_least_depth), s.shut_depth)

    def _least_depth(self) -> float:
        """What counts as a blink: more while the head moves, and well above this track's own tremor."""
        s = self._settings
        moving = s.blink_depth_by_deg * max(self._head.moved_deg - s.blink_still_deg, 0.0)
        return max(s.blink_depth, s.blink_tremors * self._recent.tremor / self._level) + moving


class _Still:
    """How far the head has moved since something began."""

    def __init__(self) -> None:
        self._yaw: list[float] = []
        self._pitch: list[float] = []

    def add(self, now: Signals) -> None:
        self._yaw.append(now.yaw_deg)
        self._pitch.append(now.pitch_deg)

    @property
    def moved_deg(self) -> float:
        return max(max(each) - min(each) for each in (self._yaw, self._pitch))


class ActionWatcher:
    """All actions of one track.  Feed it every frame of the track, in order."""

    def __init__(self, settings: ActionSettings) -> None:
        s = self._settings = settings
        self._last_ns: int | None = None
        learn = (s.neutral_s, s.neutral_frames)
        self._yaw, self._pitch = Baseline(s.memory_s, *learn), Baseline(s.memory_s, *learn)
        self._mouth, self._mouth_width = Baseline(s.memory_s, *learn), Baseline(s.mouth_width_memory_s, *learn)
        self._lids = Lids(s)
        turn = (s.turn_rest_deg, s.turn_deg, s.turn_full_deg, s.turn_longest_s, 0.0, s.turn_hold_s)
        self._left = Movement(Shape(Action.TURN_LEFT, *turn))
        self._right = Movement(Shape(Action.TURN_RIGHT, *turn))
        self._nod = Movement(
            Shape(Action.NOD, s.nod_rest_deg, s.nod_deg, s.nod_full_deg, s.nod_longest_s, s.nod_shortest_s)
        )
        self._nodding = _Swing()
        self._open = Movement(
            Shape(Action.OPEN_MOUTH, s.mouth_rest, s.mouth_gap, s.mouth_full, s.mouth_longest_s, 0.0, s.mouth_hold_s)
        )

    @property
    def neutral(self) -> bool:
        """Whether this face's neutral is known, so that actions can be judged."""
        known = (self._yaw.value, self._pitch.value, self._mouth.value, self._mouth_width.value)
        return None not in known and self._lids.known

    def step(self, now: Signals) -> tuple[ActionSeen, ...]:
        """The actions that this frame completes."""
        at_ns, s = now.at_ns, self._settings
        if self._last_ns is not None and at_ns - self._last_ns > s.gap_s * _NS:
            self._lids.interrupt()
            for movement in (self._left, self._right, self._nod, self._open):
                movement.forget()
        self._last_ns = at_ns
        seen: list[ActionSeen | None] = []
        judge = self.neutral
        if judge:
            yaw, pitch = now.yaw_deg - _known(self._yaw), now.pitch_deg - _known(self._pitch)
            seen = [self._left.step(at_ns, yaw), self._right.step(at_ns, -yaw)]
            if self._nodding.swings(at_ns, yaw, self._nod, s):
                self._nod.spoil()
            seen.append(self._nod.step(at_ns, -pitch))
            seen.append(self._open.step(at_ns, self._gap(now)))
            if abs(yaw) > s.blink_yaw_deg:
                self._lids.spoil()
        seen.append(self._lids.step(now, judge=judge))
        self._learn_pose(now)
        self._learn(self._mouth, at_ns, now.mouth, self._open)
        self._learn(self._mouth_width, at_ns, now.mouth_width, self._open)
        return tuple(action for action in seen if action is not None)

    def _gap(self, now: Signals) -> float:
        """How far the jaw opened the mouth: lips that laugh part as far, but they are drawn wide as well."""
        wider = now.mouth_width - _known(self._mouth_width)
        return now.mouth - _known(self._mouth) - self._settings.mouth_laugh * max(wider, 0.0)

    def _learn_pose(self, now: Signals) -> None:
        s = self._settings
        if abs(now.yaw_deg) > s.rest_yaw_deg or abs(now.pitch_deg) > s.rest_pitch_deg:
            return
        if self._yaw.value is None or self._pitch.value is None:
            if max(self._yaw.spread_with(now.yaw_deg), self._pitch.spread_with(now.pitch_deg)) > s.calm_deg:
                self._yaw.relearn()  # who is still turning to the camera has no neutral yet
                self._pitch.relearn()
            self._yaw.add(now.at_ns, now.yaw_deg)
            self._pitch.add(now.at_ns, now.pitch_deg)
            return
        # Where a head that does not look ahead settles, it may be holding a turn that was asked: wait longer.
        ahead = abs(now.yaw_deg) <= s.ahead_yaw_deg and abs(now.pitch_deg) <= s.ahead_pitch_deg
        wait_s = 0.0 if ahead else s.settle_s
        self._learn(self._yaw, now.at_ns, now.yaw_deg, self._left, self._right, wait_s=wait_s)
        self._learn(self._pitch, now.at_ns, now.pitch_deg, self._nod, wait_s=wait_s)

    @staticmethod
    def _learn(baseline: Baseline, at_ns: int, value: float, *movements: Movement, wait_s: float = 0.0) -> None:
        """A baseline learns at rest; and again from scratch when somebody has come to rest somewhere else."""
        if all(movement.at_rest for movement in movements):
            baseline.add(at_ns, value)
        elif any(movement.overdue(at_ns) and movement.away_s(at_ns) >= wait_s for movement in movements):
            if not any(movement.settling for movement in movements):
                baseline.relearn()
                for movement in movements:
                    movement.settle()
            baseline.add(at_ns, value)


class _Swing:
    """Whether the head swings sideways while it goes down: then it looks somewhere, and does not nod."""

    def __init__(self) -> None:
        self._yaws: deque[tuple[int, float]] = deque()

    def swings(self, at_ns: int, yaw_deg: float, nod: Movement, settings: ActionSettings) -> bool:
        """``yaw_deg`` from neutral, of every frame; the last moments before the nod belong to it."""
        yaws = self._yaws
        while nod.at_rest and yaws and at_ns - yaws[0][0] > settings.nod_swing_s * _NS:
            yaws.popleft()
        yaws.append((at_ns, yaw_deg))
        swing = max(yaw for _, yaw in yaws) - min(yaw for _, yaw in yaws)
        return (
            swing > settings.nod_swing_deg + settings.nod_swing_share * nod.peak
            or abs(yaw_deg) > settings.nod_yaw_deg
        )


def _known(baseline: Baseline) -> float:
    if baseline.value is None:
        raise RuntimeError("a neutral is asked for only once it is known")
    return baseline.value
