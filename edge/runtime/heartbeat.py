"""The watchdog is fed only while every loop's heartbeat is fresh: one dead loop ends the process, visibly."""

from collections.abc import Callable

from edge.ports import Notifier

FEED_S = 1.0
"""Far more often than any watchdog asks, far more seldom than a loop turns."""


class Heartbeats:
    """The registry of a process's loops.  Any thread beats; one thread calls `feed`.

    A loop that registers and never beats is stale after ``max_age_s`` too.
    """

    def __init__(self, notifier: Notifier, now_ns: Callable[[], int]) -> None:
        self._notifier = notifier
        self._now_ns = now_ns
        self._max_age_ns: dict[str, int] = {}
        self._last_ns: dict[str, int] = {}
        self._fed_ns: int | None = None

    def register(self, name: str, max_age_s: float) -> Callable[[], None]:
        """The beat of a new loop: call it at every turn."""
        self._max_age_ns[name] = int(max_age_s * 1e9)
        self._last_ns[name] = self._now_ns()
        return lambda: self._last_ns.__setitem__(name, self._now_ns())

    def retire(self, name: str) -> None:
        """Forget a loop that ended on purpose."""
        self._max_age_ns.pop(name, None)

    def stale(self) -> tuple[str, ...]:
        """The loops that did not beat in time."""
        now = self._now_ns()
        return tuple(name for name, age in list(self._max_age_ns.items()) if now - self._last_ns[name] > age)

    def feed(self) -> tuple[str, ...]:
        """Feed the watchdog, once a second at most, unless a loop is stale; returns the stale ones."""
        now = self._now_ns()
        stale = self.stale()
        if not stale and (self._fed_ns is None or now - self._fed_ns >= FEED_S * 1e9):
            self._notifier.watchdog()
            self._fed_ns = now
        return stale
