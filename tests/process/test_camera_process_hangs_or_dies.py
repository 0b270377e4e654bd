"""The process that gives the frames hangs, dies, sends half a frame, and comes back; the camera's thread sees it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edge.adapters.camera_socket import SocketCamera
from edge.adapters.clock_system import SystemClock
from edge.core.types import CameraState, Event
from edge.runtime.capture import CaptureLoop
from edge.runtime.heartbeat import Heartbeats
from edge.runtime.slot import NewestFrame
from edge.runtime.workers import Workers
from tests.fakes import FakeNotifier

pytestmark = [pytest.mark.process, pytest.mark.timeout(120)]

PRODUCER = """
import sys, time
from pathlib import Path
from edge.ports import Frame
from sim.socket_camera import FrameServer
from tests.contracts.cameras import scene
with FrameServer(Path(sys.argv[1])) as server:
    number = 0
    while True:
        server.offer(Frame(number, time.monotonic_ns(), scene(number)))
        number += 1
        time.sleep(0.05)
"""
HALF = """
import socket, sys, time
from edge.core.frame_header import FrameHeader
server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
server.bind(sys.argv[1])
server.listen(1)
while True:
    connection, _ = server.accept()
    connection.sendall(FrameHeader(0, time.monotonic_ns(), 320, 240).pack() + bytes(1000))
    time.sleep(60)
"""


class Hall:
    """The terminal's camera thread on a socket, and the process that serves it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.states: list[bool] = []
        self.frames = NewestFrame()
        self.process: subprocess.Popen[bytes] | None = None
        clock = SystemClock("host")
        self.heartbeats = Heartbeats(FakeNotifier(), clock.monotonic_ns)
        self.workers = Workers(self.heartbeats)
        self.loop = CaptureLoop(SocketCamera(path), clock, self.frames.put, self._hear)

    def _hear(self, event: Event) -> None:
        if isinstance(event, CameraState):
            self.states.append(event.working)

    def serve(self, program: str = PRODUCER) -> None:
        self.path.unlink(missing_ok=True)
        self.process = subprocess.Popen([sys.executable, "-c", program, str(self.path)])
        self.until(self.path.exists)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def until(self, done: Callable[[], bool], within_s: float = 30.0) -> float:
        began_s = time.monotonic()
        while not done():
            assert time.monotonic() - began_s < within_s, (self.states, self.loop.reason)
            time.sleep(0.02)
        return time.monotonic() - began_s


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[Hall]:
    hall = Hall(tmp_path / "frames")
    hall.serve()
    hall.workers.start("camera", hall.loop.turn, 15.0)
    hall.until(lambda: hall.states == [True])
    yield hall
    hall.workers.stop()
    assert hall.workers.join(5.0) == ()
    hall.loop.close()
    hall.kill()


def test_a_producer_that_hangs_is_noticed_and_taken_back_when_it_goes_on(hall: Hall) -> None:
    assert hall.process is not None
    os.kill(hall.process.pid, signal.SIGSTOP)
    took_s = hall.until(lambda: hall.states == [True, False])
    assert took_s < 4  # 2 s, and room for a busy machine
    assert "gave no new frame" in hall.loop.reason
    os.kill(hall.process.pid, signal.SIGCONT)
    hall.until(lambda: hall.states == [True, False, True])
    assert hall.workers.failed is None
    assert hall.heartbeats.stale() == ()


def test_a_producer_that_is_killed_is_noticed_at_once_and_its_successor_found(hall: Hall) -> None:
    hall.kill()
    assert hall.until(lambda: hall.states == [True, False]) < 4
    hall.until(lambda: "start that process" in hall.loop.reason)
    hall.serve()
    hall.until(lambda: hall.states == [True, False, True])
    assert hall.workers.failed is None


def test_half_a_frame_and_then_silence_is_a_lost_camera_and_no_picture(hall: Hall) -> None:
    hall.kill()
    hall.until(lambda: hall.states == [True, False])
    before = hall.loop.frames
    hall.serve(HALF)
    hall.until(lambda: "gave no new frame" in hall.loop.reason)
    assert hall.loop.frames == before
    hall.kill()
    hall.serve()
    hall.until(lambda: hall.states == [True, False, True])
