"""A clock goes forward, names its boot, and says how far its calendar can be believed."""

import ctypes
from datetime import timedelta

import pytest

from edge.adapters.clock_system import STA_UNSYNC, TIME_ERROR, SystemClock, Timex, judge
from edge.ports import Clock
from tests.fakes import FakeClock


@pytest.fixture(params=["fake", "kernel", "host"])
def clock(request: pytest.FixtureRequest) -> Clock:
    if request.param == "fake":
        return FakeClock()
    real = SystemClock(request.param)
    real.open()
    return real


def test_it_tells_both_times_and_its_boot(clock: Clock) -> None:
    first, then = clock.monotonic_ns(), clock.monotonic_ns()
    assert then >= first
    assert clock.now().utcoffset() == timedelta(0)
    assert len(clock.boot_id) == 36
    assert clock.state().source


def test_the_kernel_s_answer_decides() -> None:
    assert judge(0, 0, 500_000).synced and judge(0, 0, 500_000).error_s == 0.5
    assert not judge(TIME_ERROR, 0, 0).synced
    assert not judge(0, STA_UNSYNC, 16_000_000).synced


def test_a_host_that_is_believed_is_synchronised() -> None:
    assert SystemClock("host").state().synced


def test_the_structure_is_large_enough_for_the_kernel() -> None:
    assert ctypes.sizeof(Timex) >= 208
    assert Timex.maxerror_us.offset == 3 * ctypes.sizeof(ctypes.c_long)
