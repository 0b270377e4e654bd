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
