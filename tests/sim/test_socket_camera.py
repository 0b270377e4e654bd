"""Frames over a local socket: many consumers, slow ones, dead ones, and nothing left behind."""

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from edge.adapters.camera_socket import SocketCamera
from edge.errors import CameraError
from edge.ports import Frame
from sim.socket_camera import FrameServer


def frame(number: int) -> Frame:
    return Frame(number, time.monotonic_ns(), np.full((48, 64, 3), number % 251, np.uint8))


@pytest.fixture
def server(tmp_path: Path) -> Iterator[FrameServer]:
    with FrameServer(tmp_path / "camera.sock") as open_server:
        yield open_server
    assert not (tmp_path / "camera.sock").exists()
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("sim-frames")]


def until(true: object, seconds: float = 3.0) -> None:
    assert callable(true)
    deadline_s = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline_s
        time.sleep(0.005)


def test_every_consumer_gets_the_frames(server: FrameServer, tmp_path: Path) -> None:
    cameras = [SocketCamera(tmp_path / "camera.sock") for _ in range(2)]
    for camera in cameras:
        camera.open()
    until(lambda: server.consumers == 2)
    server.offer(frame(7))
    for camera in cameras:
        got = camera.read(2.0)
        assert got is not None and got.number == 7 and (got.rgb == 7).all()
        camera.close()


def test_a_consumer_that_sleeps_gets_the_newest_and_stops_nobody(server: FrameServer, tmp_path: Path) -> None:
    camera = SocketCamera(tmp_path / "camera.sock")
    camera.open()
    until(lambda: server.consumers == 1)
    began_s = time.monotonic()
    for number in range(2000):
        server.offer(Frame(number, time.monotonic_ns(), np.zeros((480, 640, 3), np.uint8)))
    assert time.monotonic() - began_s < 20
    numbers = [got.number for got in (camera.read(2.0) for _ in range(1)) if got]
    assert numbers and numbers[-1] < 2000
    camera.close()


def test_a_consumer_that_dies_is_forgotten_and_may_come_again(server: FrameServer, tmp_path: Path) -> None:
    for _ in range(3):
        dead = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        dead.connect(str(tmp_path / "camera.sock"))
        until(lambda: server.consumers == 1)
        dead.close()

        def gone() -> bool:
            server.offer(frame(1))
            return server.consumers == 0

        until(gone)


def test_a_socket_left_by_a_killed_process_is_replaced(tmp_path: Path) -> None:
    left = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    left.bind(str(tmp_path / "camera.sock"))
    left.close()
    with FrameServer(tmp_path / "camera.sock"):
        camera = SocketCamera(tmp_path / "camera.sock")
        camera.open()
        camera.close()


def test_a_place_where_no_socket_can_be_is_said(tmp_path: Path) -> None:
    (tmp_path / "camera.sock").mkdir()
    with pytest.raises(CameraError, match="choose another path"):
        FrameServer(tmp_path / "camera.sock").open()
