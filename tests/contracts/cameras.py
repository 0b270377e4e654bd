"""The nearest things to real cameras that run anywhere: a scene, and stand-ins for the vendors' libraries."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from edge.core.frame_header import FrameHeader
from edge.ports import Frame, Pixels
from sim.socket_camera import FrameServer

WIDTH, HEIGHT = 320, 240


def scene(number: int) -> Pixels:
    """Red on the left, blue on the right, a grey bar that wanders, and noise, so that no two are the same."""
    rgb = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    rgb[:, : WIDTH // 2, 0] = 200
    rgb[:, WIDTH // 2 :, 2] = 200
    row = 8 * (number % (HEIGHT // 8))
    rgb[row : row + 8] = 90
    return rgb + np.random.default_rng(number).integers(0, 8, rgb.shape, np.uint8)


class FakeCapture:
    """cv2.VideoCapture as far as the adapter uses it."""

    def __init__(self) -> None:
        self.hanging = threading.Event()
        self.unplugged = False
        self.released = False
        self._number = 0

    def isOpened(self) -> bool:
        return True

    def get(self, _what: int) -> float:
        return 0.0  # a driver that tells no times

    def read(self) -> tuple[bool, Any]:
        time.sleep(0.01)
        while self.hanging.is_set():
            time.sleep(0.01)
        if self.unplugged:
            return False, None
        self._number += 1
        return True, cv2.cvtColor(scene(self._number), cv2.COLOR_RGB2BGR)

    def release(self) -> None:
        self.released = True


def fake_devices(root: Path) -> None:
    """A /sys and /dev with one camera of two nodes, as a UVC camera has, and a codec that is no camera of ours."""
    for node, card, index in (("video0", "bcm2835-codec", 0), ("video1", "HD Webcam", 0), ("video2", "HD Webcam", 1)):
        folder = root / "sys/class/video4linux" / node
        folder.mkdir(parents=True)
        (folder / "name").write_text(card + "\n")
        (folder / "index").write_text(f"{index}\n")
        (root / "dev").mkdir(exist_ok=True)
        (root / "dev" / node).touch()
    by_id = root / "dev/v4l/by-id"
    by_id.mkdir(parents=True)
    (by_id / "usb-Maker_HD_Webcam_1234-video-index0").symlink_to("../../video1")


def replug(root: Path) -> None:
    """The camera comes back as video3, as after a brown-out; nothing is called video1 any more."""
    for name, fresh in (("video1", "video3"), ("video2", "video4")):
        (root / "sys/class/video4linux" / name).rename(root / "sys/class/video4linux" / fresh)
        (root / "dev" / name).rename(root / "dev" / fresh)
    link = root / "dev/v4l/by-id/usb-Maker_HD_Webcam_1234-video-index0"
    link.unlink()
    link.symlink_to("../../video3")


def unplug(root: Path) -> None:
    """The camera's nodes and names are gone."""
    for name in ("video1", "video2"):
        for file in (root / "sys/class/video4linux" / name).iterdir():
            file.unlink()
        (root / "sys/class/video4linux" / name).rmdir()
        (root / "dev" / name).unlink()
    (root / "dev/v4l/by-id/usb-Maker_HD_Webcam_1234-video-index0").unlink()


class _Request:
    def __init__(self, number: int, at_ns: int, stride: int, small: tuple[int, int]) -> None:
        self._number, self._at_ns, self._stride, self._small = number, at_ns, stride, small

    def get_metadata(self) -> dict[str, int]:
        return {"SensorTimestamp": self._at_ns}

    def make_array(self, stream: str) -> Any:
        rgb = scene(self._number)
        if stream == "main":
            return cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
        width, height = self._small
        small = cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA)
        padded = np.zeros((height, self._stride, 3), np.uint8)
        padded[:, :width] = small
        return cv2.cvtColor(padded, cv2.COLOR_RGB2YUV_I420)


class FakePicamera2:
    """Picamera2's behaviour that matters: callbacks under its own lock, a stale first frame, padded rows, BGR."""

    lores_format = "YUV420"

    def __init__(self) -> None:
        self.post_callback: Callable[[Any], None] | None = None
        self.hanging = False
        self.closed = False
        self._lock = threading.Lock()  # not reentrant: a callback that calls back in would hang
        self._running = False
        self._thread: threading.Thread | None = None
        self._wanted: dict[str, Any] = {}

    def create_video_configuration(self, **wanted: Any) -> dict[str, Any]:
        return wanted

    def configure(self, wanted: dict[str, Any]) -> None:
        with self._lock:
            self._wanted = {
                "main": {**wanted["main"], "stride": WIDTH * 3},
                "lores": {**wanted["lores"], "format": self.lores_format, "stride": wanted["lores"]["size"][0] + 64},
            }

    def camera_configuration(self) -> dict[str, Any]:
        with self._lock:
            return self._wanted

    def start(self) -> None:
        self._running = True
        self._thread = threading.Thread(target=self._loop, name="fake-picamera2")
        self._thread.start()

    def stop(self) -> None:
        self._running = False
        if self._thread is not None:
            self._thread.join()

    def close(self) -> None:
        self.closed = True

    def _loop(self) -> None:
        number = 0
        while self._running:
            now_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
            stale = number == 0
            lores = self._wanted["lores"]
            request = _Request(number, now_ns - (60_000_000_000 if stale else 0), lores["stride"], lores["size"])
            if not self.hanging:
                with self._lock:
                    if self.post_callback is not None:
                        self.post_callback(request)
                number += 1
            time.sleep(0.01)


class Producer:
    """A process that streams frames, here as a thread: one consumer at a time, newest frame only."""

    def __init__(self, path: Path) -> None:
        self._server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._server.bind(str(path))
        self._server.listen(1)
        self._server.settimeout(0.05)
        self.hanging = threading.Event()
        self.garbage = False
        self._stopping = False
        self._thread = threading.Thread(target=self._serve, name="frame-producer")
        self._thread.start()

    def stop(self) -> None:
        self._stopping = True
        self._thread.join()
        self._server.close()

    def _serve(self) -> None:
        while not self._stopping:
            try:
                connection, _ = self._server.accept()
            except TimeoutError:
                continue
            with connection:
                self._feed(connection)

    def _feed(self, connection: socket.socket) -> None:
        connection.settimeout(0.5)
        number = 0
        while not self._stopping:
            time.sleep(0.01)
            if self.hanging.is_set():
                continue
            header = FrameHeader(number, time.monotonic_ns(), WIDTH, HEIGHT).pack()
            try:
                connection.sendall(b"nonsense" * 3 if self.garbage else header)
                connection.sendall(scene(number).tobytes())
            except OSError:
                return
            number += 1


@contextmanager
def producing(path: Path) -> Iterator[Producer]:
    producer = Producer(path)
    try:
        yield producer
    finally:
        producer.stop()


@contextmanager
def offering(server: FrameServer) -> Iterator[threading.Event]:
    """Our scene from the simulator's own server, until the event says that it hangs."""
    hanging, over = threading.Event(), threading.Event()

    def offer() -> None:
        number = 0
        while not over.wait(0.01):
            if not hanging.is_set():
                server.offer(Frame(number, time.monotonic_ns(), scene(number)))
            number += 1

    thread = threading.Thread(target=offer, name="scene")
    thread.start()
    try:
        yield hanging
    finally:
        over.set()
        thread.join()


def write_video(path: Path, frames: int = 12, rate: float = 50.0) -> None:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), rate, (WIDTH, HEIGHT))
    for number in range(frames):
        writer.write(cv2.cvtColor(scene(number), cv2.COLOR_RGB2BGR))
    writer.release()


def write_pictures(folder: Path, count: int = 12) -> None:
    folder.mkdir()
    for number in range(count):
        cv2.imwrite(str(folder / f"{number:03}.png"), cv2.cvtColor(scene(number), cv2.COLOR_RGB2BGR))
