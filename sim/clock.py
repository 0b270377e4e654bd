"""A clock that moves only when told to: years of sessions in seconds, and the same every time."""

from datetime import UTC, datetime, timedelta

from edge.core.types import ClockState

_NS = 1_000_000_000


class VirtualClock:
    """`edge.ports.Clock` under the simulator's hand.  ``synced`` may be changed while it runs (field failure 11)."""

    boot_id = "00000000-0000-4000-8000-000000000000"

    def __init__(self, start: datetime, *, synced: bool = True) -> None:
        if start.utcoffset() is None:
            raise ValueError("a clock starts at an aware time")
        self.synced = synced
        self._start = start.astimezone(UTC)
        self._passed_ns = 0
        self._step = timedelta()

    def now(self) -> datetime:
        return self._start + self._step + timedelta(microseconds=self._passed_ns // 1000)

    def monotonic_ns(self) -> int:
        # Not from zero: what is older than the machine's start should be possible.
        return 1000 * _NS + self._passed_ns

    def state(self) -> ClockState:
        return ClockState(synced=self.synced, source="simulated", error_s=0.0 if self.synced else None)

    @property
    def elapsed_s(self) -> float:
        """Seconds since the beginning."""
        return self._passed_ns / _NS

    def advance(self, seconds: float) -> None:
        """Let time pass; never backwards."""
        if seconds < 0:
            raise ValueError("monotonic time never goes back")
        self._passed_ns += round(seconds * _NS)

    def set_back(self, step: timedelta) -> None:
        """Move the calendar, as NTP does; the monotonic time goes on."""
        self._step -= step
