"""A V4L2 camera by its name, through OpenCV, behind `edge.ports.Camera`.

By name, because after a brown-out video0 comes back as video1.  A thread of its own reads, because a driver that
hangs never returns from the call; `V4l2Camera.read` then says so in time.
"""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from edge.errors import CameraError, CameraGoneError
from edge.ports import Frame, Pixels

_NS = 1_000_000_000
_JOIN_S = 1.0


def find_device(name: str, root: Path = Path("/")) -> Path:
    """The device node of the camera called ``name``: a link in /dev/v4l/by-id, or the driver's card name.

    Raises `CameraGoneError` when none has it, `CameraError` when several do, with the names there are.
    """
    by_id = root / "dev/v4l/by-id"
    if "/" not in name and (by_id / name).exists():
        return (by_id / name).resolve()
    nodes = _nodes(root)
    found = [device for device, card in nodes if card == name]
    if len(found) == 1:
        return found[0]
    links = sorted(path.name for path in by_id.iterdir()) if by_id.is_dir() else []
    known = ", ".join([*links, *sorted({card for _, card in nodes})]) or "none"
    if found:
        raise CameraError(f"{len(found)} cameras are called {name}; use one of /dev/v4l/by-id instead ({known}).")
    raise CameraGoneError(f"no camera is called {name}; connect it; there are: {known}.")


def _nodes(root: Path) -> list[tuple[Path, str]]:
    """(device node, card name) of every capturing node; a camera's further nodes (index above 0) are metadata."""
    nodes = []
    for entry in sorted((root / "sys/class/video4linux").glob("video*")):
        try:
            card = (entry / "name").read_text(encoding="utf-8", errors="replace").strip()
            index = (entry / "index").read_text(encoding="ascii", errors="replace").strip()
        except OSError:
            continue  # unplugged between the listing and the reading
        if index == "0":
            nodes.append((root / "dev" / entry.name, card))
    return nodes


def _capture(device: Path, width_px: int, height_px: int, frames_per_second: int) -> cv2.VideoCapture:
    capture = cv2.VideoCapture(str(device), cv2.CAP_V4L2)
    # The pixel format first: the driver then offers the sizes and rates of that format.
    capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
    capture.set(cv2.CAP_PROP_FRAME_WIDTH, width_px)
    capture.set(cv2.CAP_PROP_FRAME_HEIGHT, height_px)
    capture.set(cv2.CAP_PROP_FPS, frames_per_second)
    capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
    return capture


class V4l2Camera:
    """The newest frame of a V4L2 camera.  ``make`` opens the capture (device, width, height, rate)."""

    def __init__(
        self,
        name: str,
        width_px: int,
        height_px: int,
        frames_per_second: int,
        *,
        root: Path = Path("/"),
        make: Callable[[Path, int, int, int], Any] = _capture,
    ) -> None:
        self.name = name
        self._size = (width_px, height_px)
        self._rate = frames_per_second
        self._root = root
        self._make = make
        self._reader: _Reader | None = None

    def open(self) -> None:
        self.close()
        device = find_device(self.name, self._root)
        capture = self._make(device, *self._size, self._rate)
        if not capture.isOpened():
            capture.release()
            raise CameraError(f"{self.name} ({device}) cannot be opened; is another program using it?")
        self._reader = _Reader(self.name, capture)
        self._reader.start()

    def read(self, timeout_s: float) -> Frame | None:
        if self._reader is None:
            raise CameraError(f"{self.name} is not open; open the camera before reading it.")
        return self._reader.newest(timeout_s)

    def close(self) -> None:
        if self._reader is not None:
            self._reader.stop()
        self._reader = None


class _Reader(threading.Thread):
    """Reads until told to stop, keeps only the newest frame.  Owns the capture and releases it."""

    def __init__(self, name: str, capture: Any) -> None:
        super().__init__(name="camera-v4l2", daemon=True)
        self._camera = name
        self._capture = capture
        self._changed = threading.Condition()
        self._frame: Frame | None = None
        self._failed = False
        self._stopping = False

    def run(self) -> None:
        try:
            self._read_all()
        except cv2.error:  # a torn or odd frame; its text may be long and helps nobody
            pass
        finally:  # the device must be free again, whatever ended this thread
            self._capture.release()
            with self._changed:
                self._failed = True
                self._changed.notify_all()

    def _read_all(self) -> None:
        number = 0
        while not self._stopping:
            ok, bgr = self._capture.read()
            if not ok:
                return
            frame = Frame(number, self._time_ns(), _rgb(bgr))
            number += 1
            with self._changed:
                self._frame = frame
                self._changed.notify_all()

    def newest(self, timeout_s: float) -> Frame:
        with self._changed:
            self._changed.wait_for(lambda: self._frame is not None or self._failed, timeout_s)
            frame, self._frame = self._frame, None
        if frame is not None:
            return frame
        if self._failed:
            raise CameraError(f"{self._camera} stopped giving frames; check its cable and power.")
        raise CameraError(f"{self._camera} gave no new frame within {timeout_s:g} s; it will be opened again.")

    def stop(self) -> None:
        """A thread that hangs in the driver is left behind; it releases the camera when the driver lets go."""
        self._stopping = True
        self.join(_JOIN_S)

    def _time_ns(self) -> int:
        """The driver's time of the frame where it is a plausible CLOCK_MONOTONIC, or now."""
        now_ns = time.monotonic_ns()
        stamp_ns = int(self._capture.get(cv2.CAP_PROP_POS_MSEC) * 1_000_000)
        return stamp_ns if now_ns - _NS < stamp_ns <= now_ns else now_ns


def _rgb(bgr: Any) -> Pixels:
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)
