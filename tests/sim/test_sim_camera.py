"""The simulated camera under a virtual clock, and the clock itself."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from edge.errors import CameraError
from edge.ports import Pixels
from sim.camera import SimCamera, VirtualPace
from sim.clock import VirtualClock

START = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


def picture(number: int, at_s: float) -> Pixels:
    return np.full((4, 4, 3), number % 251, np.uint8)


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(START)


@pytest.fixture
def camera(clock: VirtualClock) -> SimCamera:
    return SimCamera(picture, frames_per_second=10, pace=VirtualPace(clock))


def test_frames_come_at_their_rate_and_reading_lets_time_pass(camera: SimCamera, clock: VirtualClock) -> None:
    camera.open()
    frames = [camera.read(1.0) for _ in range(5)]
    assert [f.number for f in frames if f] == [0, 1, 2, 3, 4]
    assert clock.elapsed_s == pytest.approx(0.5)


def test_a_slow_reader_misses_frames_and_sees_the_gap(camera: SimCamera, clock: VirtualClock) -> None:
    camera.open()
    first = camera.read(1.0)
    clock.advance(2.0)
    second = camera.read(1.0)
    assert first and second and second.number - first.number == 21


def test_a_frozen_camera_repeats_its_bytes_under_new_numbers(camera: SimCamera) -> None:
    camera.open()
    before = camera.read(1.0)
    camera.frozen = True
    after = camera.read(1.0)
    assert before and after and after.number > before.number and (before.rgb == after.rgb).all()


def test_a_hanging_camera_times_out_and_a_lost_one_cannot_be_opened(camera: SimCamera, clock: VirtualClock) -> None:
    camera.open()
    camera.hanging = True
    with pytest.raises(CameraError, match=r"within 2 s"):
        camera.read(2.0)
    assert clock.elapsed_s == pytest.approx(2.0)
    camera.lost = True
    with pytest.raises(CameraError, match="unplugged"):
        camera.open()


def test_the_calendar_may_step_back_but_monotonic_time_never_does(clock: VirtualClock) -> None:
    clock.advance(10)
    before_ns = clock.monotonic_ns()
    clock.set_back(timedelta(hours=1))
    assert clock.now() < START and clock.monotonic_ns() == before_ns
    with pytest.raises(ValueError, match="never goes back"):
        clock.advance(-1)
