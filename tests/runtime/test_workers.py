"""A loop that dies or hangs takes the whole process with it, so that the service manager can start it again."""

import logging
import threading

import pytest

from edge.runtime.heartbeat import Heartbeats
from edge.runtime.workers import Workers
from tests.fakes import FakeClock, FakeNotifier


def test_an_unexpected_exception_ends_every_loop_and_names_the_culprit(caplog: pytest.LogCaptureFixture) -> None:
    workers = Workers(Heartbeats(FakeNotifier(), FakeClock().monotonic_ns))
    turns = threading.Semaphore(0)

    def healthy() -> float:
        turns.release()
        return 0.001

    def broken() -> float:
        turns.acquire(timeout=5)
        raise ZeroDivisionError

    with caplog.at_level(logging.ERROR):
        workers.start("healthy", healthy, 5)
        workers.start("broken", broken, 5)
        assert workers.wait(5)

    assert workers.join(5) == ()
    assert workers.failed == "broken"


def test_the_watchdog_starves_when_one_loop_no_longer_turns() -> None:
    clock, manager = FakeClock(), FakeNotifier()
    heartbeats = Heartbeats(manager, clock.monotonic_ns)
    alive, hung = heartbeats.register("alive", 2), heartbeats.register("hung", 2)
    for _ in range(3):
        clock.advance(1)
        alive()
        hung()
        heartbeats.feed()
    fed = len(manager.told)

    for _ in range(5):
        clock.advance(1)
        alive()
        heartbeats.feed()

    assert fed == 3
    assert heartbeats.stale() == ("hung",)
    assert len(manager.told) <= fed + 2
