"""What happens to a terminal whose camera freezes, hangs or is unplugged (field failures 1 and 4)."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest

from edge.core.types import CameraState, Event
from edge.errors import CameraError
from edge.ports import Frame
from edge.runtime.capture import CaptureLoop
from edge.runtime.slot import NewestFrame
from tests.fakes import FakeClock

FRAME_S = 0.066


class ScriptedCamera:
    """A camera that does at each read what the script's next step says."""

    name = "scripted"

    def __init__(self, clock: FakeClock, steps: Iterator[Callable[["ScriptedCamera"], Frame | None]]) -> None:
        self.clock = clock
        self.steps = steps
        self.opened = 0
        self.number = 0
        self.is_open = False

    def open(self) -> None:
        self.opened += 1
        self.is_open = True

    def read(self, timeout_s: float) -> Frame | None:
        assert self.is_open
        self.timeout_s = timeout_s
        return next(self.steps)(self)

    def close(self) -> None:
        self.is_open = False


def picture(camera: ScriptedCamera) -> Frame:
    camera.clock.advance(FRAME_S)
    camera.number += 1
    rng = np.random.default_rng(camera.number)
    return Frame(camera.number, camera.clock.monotonic_ns(), rng.integers(0, 255, (48, 64, 3), np.uint8))


def same_picture(camera: ScriptedCamera) -> Frame:
    camera.clock.advance(FRAME_S)
    camera.number += 1
    return Frame(camera.number, camera.clock.monotonic_ns(), np.full((48, 64, 3), 90, np.uint8))


def hangs(camera: ScriptedCamera) -> Frame:
    camera.clock.advance(camera.timeout_s)
    raise CameraError("no frame came in time; check the cable")


def ends(camera: ScriptedCamera) -> None:
    return None


class Watched:
    def __init__(self, script: list[Callable[[ScriptedCamera], Frame | None]]) -> None:
        self.clock = FakeClock()
        self.camera = ScriptedCamera(self.clock, iter(script))
        self.frames: list[Frame] = []
        self.events: list[tuple[float, Event]] = []
        self.loop = CaptureLoop(self.camera, self.clock, self.frames.append, self.hear)

    def hear(self, event: Event) -> None:
        self.events.append((self.clock.monotonic_ns() / 1e9, event))

    def run(self) -> "Watched":
        with pytest.raises(StopIteration):
            while True:
                self.clock.advance(self.loop.turn())
        return self

    @property
    def states(self) -> list[bool]:
        return [event.working for _, event in self.events if isinstance(event, CameraState)]


def test_a_frozen_picture_is_noticed_within_two_seconds_and_the_camera_opened_again() -> None:
    watched = Watched([*[picture] * 10, *[same_picture] * 32, *[picture] * 5]).run()

    assert watched.states == [True, False, True]
    freeze_began_s = 10 * FRAME_S
    lost_at_s = watched.events[1][0]
    assert lost_at_s - freeze_began_s <= 2.0 + 2 * FRAME_S
    assert watched.camera.opened == 2


def test_a_camera_that_is_still_frozen_after_it_was_opened_again_has_not_come_back() -> None:
    watched = Watched([picture, *[same_picture] * 130, picture]).run()

    assert watched.states == [True, False, True]
    assert watched.camera.opened >= 4


def test_a_camera_that_hangs_is_given_two_seconds_and_then_reopened_with_patience() -> None:
    watched = Watched([picture, hangs, hangs, picture]).run()

    assert watched.states == [True, False, True]
    assert watched.camera.opened == 3
    assert watched.loop.reopened == 2


def test_a_lost_camera_is_reported_once_however_often_it_fails_to_open() -> None:
    watched = Watched([picture, hangs, hangs, hangs, hangs, picture]).run()

    assert watched.states == [True, False, True]


def test_a_recording_that_ended_is_a_camera_lost_and_played_again() -> None:
    watched = Watched([picture, ends, picture]).run()

    assert watched.states == [True, False, True]
    assert len(watched.frames) == 2


def test_the_slot_keeps_the_newest_frame_counts_the_dropped_and_forgets_on_request() -> None:
    slot = NewestFrame()
    frames = [Frame(n, n, np.zeros((2, 2, 3), np.uint8)) for n in range(3)]
    for frame in frames:
        slot.put(frame)

    assert slot.take(0) is frames[2]
    assert slot.dropped == 2
    assert slot.take(0) is None
    slot.put(frames[0])
    slot.clear()
    assert slot.take(0) is None
