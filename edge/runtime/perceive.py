"""The eyes' loop: the newest frame in, an observation out, while somebody is being looked at.

The session asks for eyes with `look` and releases them with `rest`; both take effect before the next frame.
Between sessions no model runs, which keeps an idle terminal cool.
"""

import logging
import math
import threading
from collections.abc import Callable
from dataclasses import dataclass

from edge.core.types import Seen
from edge.errors import ModelError
from edge.ports import Clock, Floats, Vision
from edge.runtime.slot import NewestFrame

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class _Order:
    """What the session last asked for; ``epoch`` tells old observations from new ones."""

    epoch: int
    since_ns: int
    looking: bool
    references: Floats | None


class PerceiveLoop:
    """Runs the eyes on the newest frame.  Only `turn` belongs to one thread; the rest may be called by others.

    ``doubt`` is called by that thread when a model answered with a number that is none (`SelfTest.doubt`).
    """

    def __init__(
        self, frames: NewestFrame, vision: Vision, clock: Clock, doubt: Callable[[], None] = lambda: None
    ) -> None:
        self._frames = frames
        self._vision = vision
        self._clock = clock
        self._doubt = doubt
        self._disbelieving = False
        self._lock = threading.Lock()
        self._order = _Order(0, 0, False, None)
        self._obeyed = 0
        self.observed = 0
        self.took_ms = 0.0

    def look(self, references: Floats | None) -> None:
        """Forget everything seen; from now on observe, comparing with ``references`` (N, D) or with nothing."""
        self._command(True, references)

    def rest(self) -> None:
        """Stop observing and forget everything seen, references included."""
        self._command(False, None)

    @property
    def current(self) -> int:
        """The epoch that observations must carry to count: those of earlier ones answer an earlier question."""
        with self._lock:
            return self._order.epoch

    @property
    def resting(self) -> bool:
        """Whether nobody is being looked at."""
        with self._lock:
            return not self._order.looking

    def turn(self, timeout_s: float = 0.2) -> tuple[int, Seen] | None:
        """Observe the newest frame, if there is one to look at; returns what was seen and for which epoch."""
        frame = self._frames.take(timeout_s)
        with self._lock:
            order = self._order
        if order.epoch != self._obeyed:
            self._vision.watch(order.references)
            self._obeyed = order.epoch
        # Cameras hand out frames that are older than the question (picamera2 #426, #849): they answer nothing.
        if frame is None or not order.looking or frame.at_ns < order.since_ns:
            return None
        began_ns = self._clock.monotonic_ns()
        try:
            observation = self._vision.observe(frame)
        except ModelError:
            self._disbelieve()
            return None
        self.took_ms = (self._clock.monotonic_ns() - began_ns) / 1e6
        self.observed += 1
        if not all(math.isfinite(score) for score in (observation.match, observation.passive) if score is not None):
            self._disbelieve()
            return None
        self._disbelieving = False
        return order.epoch, Seen(observation)

    def _disbelieve(self) -> None:
        if not self._disbelieving:
            log.warning("a model answered with a number that is none; its answer counts for nothing")
        self._disbelieving = True
        self._doubt()

    def _command(self, looking: bool, references: Floats | None) -> None:
        with self._lock:
            self._order = _Order(self._order.epoch + 1, self._clock.monotonic_ns(), looking, references)
