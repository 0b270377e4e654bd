"""Stand-ins for the runtime's tests, each shorter than the real thing."""

from datetime import UTC, datetime, timedelta

from edge.core.types import ClockState


class ManualClock:
    """A clock that moves only when told to; both clocks move together."""

    boot_id = "00000000-0000-4000-8000-000000000001"

    def __init__(self, start: datetime = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)) -> None:
        self._start = start
        self._ns = 0
        self.synced = True

    def advance_ns(self, ns: int) -> None:
        self._ns += ns

    def now(self) -> datetime:
        return self._start + timedelta(microseconds=self._ns // 1000)

    def monotonic_ns(self) -> int:
        return self._ns

    def state(self) -> ClockState:
        return ClockState(self.synced, "manual", 0.0)
