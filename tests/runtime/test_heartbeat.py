"""The watchdog is fed only while every loop lives."""

from edge.runtime.heartbeat import Heartbeats
from tests.fakes import FakeClock, FakeNotifier


def test_one_silent_loop_starves_the_watchdog() -> None:
    clock, manager = FakeClock(), FakeNotifier()
    hearts = Heartbeats(manager, clock.monotonic_ns)
    camera, session = hearts.register("camera", 2.0), hearts.register("session", 5.0)
    for _ in range(4):
        clock.advance(1.0)
        camera()
        session()
        assert hearts.feed() == ()
    assert manager.told == ["WATCHDOG=1"] * 4
    for _ in range(4):
        clock.advance(1.0)
        session()
        hearts.feed()
    assert hearts.stale() == ("camera",)
    assert manager.told == ["WATCHDOG=1"] * 6


def test_the_watchdog_is_not_fed_more_than_once_a_second() -> None:
    clock, manager = FakeClock(), FakeNotifier()
    hearts = Heartbeats(manager, clock.monotonic_ns)
    for _ in range(20):
        clock.advance(0.1)
        hearts.feed()
    assert len(manager.told) == 2


def test_a_loop_that_never_begins_is_missed_and_one_that_ended_on_purpose_is_not() -> None:
    clock = FakeClock()
    hearts = Heartbeats(FakeNotifier(), clock.monotonic_ns)
    hearts.register("eyes", 1.0)
    clock.advance(1.5)
    assert hearts.stale() == ("eyes",)
    hearts.retire("eyes")
    assert hearts.stale() == ()
