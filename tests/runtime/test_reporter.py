"""What the terminal leaves in the spool about itself, and how seldom it writes it."""

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from edge.core.types import CameraState, ClockState, Event
from edge.errors import NotDurableError
from edge.runtime.reporter import Reporter
from edge.vision.verify import VerifyReport
from edge.wire.messages import AlarmMessage, TerminalStatus, parse
from tests.fakes import FakeClock, MemoryOutbox
from tests.wire.people import FACTS


@dataclass(frozen=True)
class JudgedModels(VerifyReport):
    """A verdict and its time, as `SelfTest` keeps them."""

    tested_at: datetime | None = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)


WELL = JudgedModels(())


class KernelClock(FakeClock):
    """A synchronised kernel's clock: its error bound grows with every second since the last correction."""

    def state(self) -> ClockState:
        return ClockState(self.synced, "kernel", 0.01 + self.ns / 1e9 * 5e-4)


class Spool(MemoryOutbox):
    """Counts what would be a synchronous write on an SD card."""

    writes = 0

    def write_status(self, payload: bytes) -> None:
        if self.full:
            raise NotDurableError("The test's disk is full.")
        self.writes += 1
        super().write_status(payload)


def reporter(spool: MemoryOutbox, clock: FakeClock) -> Reporter:
    return Reporter(spool, clock, lambda: FACTS, WELL, "hall camera", lambda: "1")


def run(told: Reporter, clock: FakeClock, seconds: int) -> str:
    said = ""
    for _ in range(seconds):
        said = told.turn()
        clock.advance(1)
    return said


def test_an_idle_terminal_writes_its_status_every_ten_seconds_and_not_every_second() -> None:
    spool, clock = Spool(), KernelClock()
    run(reporter(spool, clock), clock, 60)
    assert spool.writes == 6


def test_a_change_is_written_at_once() -> None:
    spool, clock = Spool(), KernelClock()
    told = reporter(spool, clock)
    run(told, clock, 3)
    told.camera(lambda _: None)(CameraState(working=True))
    assert run(told, clock, 1) == "ready; eyes trusted; camera gives frames"
    clock.synced = False
    run(told, clock, 1)
    assert spool.writes == 3
    assert spool.status is not None
    row = parse(TerminalStatus, spool.status)
    assert (row.state, row.camera.working, row.clock.synced) == ("ready", True, False)


def test_why_the_camera_is_lost_and_when_the_eyes_were_tested_is_in_the_row() -> None:
    spool, clock = Spool(), KernelClock()
    why = "its pictures are black"
    told = Reporter(spool, clock, lambda: FACTS, WELL, "hall camera", lambda: "1", lambda: why)
    told.camera(lambda _: None)(CameraState(working=False))
    assert run(told, clock, 1) == "degraded; eyes trusted; camera lost (its pictures are black)"
    assert spool.status is not None
    row = parse(TerminalStatus, spool.status)
    assert (row.camera.reason, row.eyes.tested_at) == (why, WELL.tested_at)
    assert [parse(AlarmMessage, raw).detail for raw in spool.notes.values()] == [f"hall camera: {why}"]


def test_a_loose_contact_does_not_flood_the_office_with_alarms() -> None:
    spool, clock = Spool(), KernelClock()
    told = reporter(spool, clock)
    hear = told.camera(lambda _: None)
    for _ in range(60 * 10):  # an hour
        hear(CameraState(working=True))
        clock.advance(3)
        hear(CameraState(working=False))
        clock.advance(3)
    assert 6 <= len(spool.notes) <= 7


def test_a_lost_camera_is_an_alarm_and_a_full_disk_stops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    spool, clock = Spool(), KernelClock()
    heard: list[Event] = []
    told = reporter(spool, clock)
    told.camera(heard.append)(CameraState(working=False))
    assert [parse(AlarmMessage, raw).kind for raw in spool.notes.values()] == ["camera_lost"]
    assert len(heard) == 1
    spool.full = True
    assert run(told, clock, 30).endswith("; the spool CANNOT be written, nobody is certified")
    assert sum("cannot be written" in record.getMessage() for record in caplog.records) == 1
    spool.full = False
    run(told, clock, 11)
    assert spool.writes > 0
