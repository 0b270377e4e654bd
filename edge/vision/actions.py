"""Prompted actions: movements of one face away from its own neutral, and back.

Each signal (yaw, pitch, eyes, mouth) has a `Baseline`, the median of its recent values at rest, and one or two
`Movement`s that watch how far it is from there.  A movement leaves rest, goes far enough, and either stays there
(turn, open mouth) or comes back in time (nod, blink); two thresholds keep a trembling signal from counting twice.
All durations are taken from the frames' times, so 10 and 30 frames a second see the same.
"""

from collections import deque
from dataclasses import dataclass

from edge.core.types import Action, ActionSeen
from edge.vision.settings import ActionSettings

_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Signals:
    """One frame of a face: degrees (yaw to the person's own left, pitch up) and openness of eyes and mouth."""

    at_ns: int
    yaw_deg: float
    pitch_deg: float
    eyes: float
    mouth: float


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


@dataclass(frozen=True, slots=True)
class Shape:
    """What a movement looks like: amounts at which it rests, counts and scores 1, and how long it may take.

    ``hold_s`` None: it counts when it is back, between ``shortest_s`` and ``longest_s`` after leaving rest; back is
    by half of how far it went, because lids and heads often settle lower than they began.  Otherwise it counts when
    it has stayed beyond ``far`` for ``hold_s``, at most ``longest_s`` after leaving rest.  A movement that hardly
    counts must be quicker, ``slight_longest_s``: what is slow and slight is trembling.
    """

    action: Action
    rest: float
    far: float
    full: float
    longest_s: float
    shortest_s: float = 0.0
    hold_s: float | None = None
    slight_longest_s: float | None = None

    def longest_ns(self, peak: float) -> float:
        """How long a movement may take that went as far as ``peak``."""
        if self.slight_longest_s is None:
            return self.longest_s * _NS
        clear = min(max((peak - self.far) / (self.full - self.far), 0.0), 1.0)
        return (self.slight_longest_s + clear * (self.longest_s - self.slight_longest_s)) * _NS


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

    def overdue(self, at_ns: int) -> bool:
        """Away for longer than any such movement lasts."""
        return self._left_ns is not None and at_ns - self._left_ns > self._shape.longest_s * _NS

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
        if left_ns is None or self._spent or at_ns - left_ns > shape.longest_ns(self._peak):
            return None
        if shape.hold_s is None:
            whole = self._peak >= shape.far and self._back(amount) and at_ns - left_ns >= shape.shortest_s * _NS
        else:
            whole = self._far_ns is not None and at_ns - self._far_ns >= shape.hold_s * _NS
        if not whole:
            return None
        score = (self._peak - shape.far) / (shape.full - shape.far)
        return ActionSeen(shape.action, left_ns, at_ns, min(max(score, 0.0), 1.0))


class ActionWatcher:
    """All actions of one track.  Feed it every frame of the track, in order."""

    def __init__(self, settings: ActionSettings) -> None:
        s = self._settings = settings
        self._last_ns: int | None = None
        learn = (s.neutral_s, s.neutral_frames)
        self._yaw, self._pitch = Baseline(s.memory_s, *learn), Baseline(s.memory_s, *learn)
        self._eyes, self._mouth = Baseline(s.eyes_memory_s, *learn), Baseline(s.memory_s, *learn)
        self._lids = 1.0
        turn = (s.turn_rest_deg, s.turn_deg, s.turn_full_deg, s.turn_longest_s, 0.0, s.turn_hold_s)
        self._left = Movement(Shape(Action.TURN_LEFT, *turn))
        self._right = Movement(Shape(Action.TURN_RIGHT, *turn))
        self._nod = Movement(
            Shape(Action.NOD, s.nod_rest_deg, s.nod_deg, s.nod_full_deg, s.nod_longest_s, s.nod_shortest_s)
        )
        self._blink = Movement(
            Shape(
                Action.BLINK,
                1 - s.blink_open,
                1 - s.blink_shut,
                1 - s.blink_full,
                s.blink_longest_s,
                slight_longest_s=s.blink_slight_longest_s,
            )
        )
        self._open = Movement(
            Shape(Action.OPEN_MOUTH, s.mouth_rest, s.mouth_gap, s.mouth_full, s.mouth_longest_s, 0.0, s.mouth_hold_s)
        )

    @property
    def neutral(self) -> bool:
        """Whether this face's neutral is known, so that actions can be judged."""
        return None not in (self._yaw.value, self._pitch.value, self._eyes.value, self._mouth.value)

    def step(self, now: Signals) -> tuple[ActionSeen, ...]:
        """The actions that this frame completes."""
        at_ns = now.at_ns
        if self._last_ns is not None and at_ns - self._last_ns > self._settings.gap_s * _NS:
            for movement in (self._left, self._right, self._nod, self._blink, self._open):
                movement.forget()
        self._last_ns = at_ns
        seen: list[ActionSeen | None] = []
        if self.neutral:
            yaw, pitch = now.yaw_deg - _known(self._yaw), now.pitch_deg - _known(self._pitch)
            if abs(yaw) > self._settings.nod_yaw_deg:
                self._nod.spoil()
            if abs(yaw) > self._settings.blink_yaw_deg:
                self._blink.spoil()
            seen = [
                self._left.step(at_ns, yaw),
                self._right.step(at_ns, -yaw),
                self._nod.step(at_ns, -pitch),
                self._blink.step(at_ns, 1 - now.eyes / self._lids_before()),
                self._open.step(at_ns, now.mouth - _known(self._mouth)),
            ]
        ahead = (
            abs(now.yaw_deg) <= self._settings.ahead_yaw_deg and abs(now.pitch_deg) <= self._settings.ahead_pitch_deg
        )
        if ahead:
            self._learn(self._yaw, at_ns, now.yaw_deg, self._left, self._right)
            self._learn(self._pitch, at_ns, now.pitch_deg, self._nod)
        self._learn(self._mouth, at_ns, now.mouth, self._open)
        # The lids follow every look down, so their level is learnt always, over a time that outlasts a blink.
        self._eyes.add(at_ns, now.eyes)
        if self._blink.overdue(at_ns):
            self._blink.forget()
        return tuple(action for action in seen if action is not None)

    def _lids_before(self) -> float:
        """How open the eyes were when the movement under way began, or are now."""
        if self._blink.at_rest:
            self._lids = max(_known(self._eyes), 1e-6)
        return self._lids

    @staticmethod
    def _learn(baseline: Baseline, at_ns: int, value: float, *movements: Movement) -> None:
        """A baseline learns at rest; and again from scratch when somebody has come to rest somewhere else."""
        if all(movement.at_rest for movement in movements):
            baseline.add(at_ns, value)
        elif any(movement.overdue(at_ns) for movement in movements):
            if not any(movement.settling for movement in movements):
                baseline.relearn()
                for movement in movements:
                    movement.settle()
            baseline.add(at_ns, value)


def _known(baseline: Baseline) -> float:
    if baseline.value is None:
        raise RuntimeError("a neutral is asked for only once it is known")
    return baseline.value
