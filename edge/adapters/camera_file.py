"""Cameras that are files: a video, or a picture or folder of pictures, behind `edge.ports.Camera`."""

import math
import time
from abc import ABC, abstractmethod
from pathlib import Path

import cv2
import numpy as np

from edge.errors import CameraError, CameraGoneError
from edge.ports import Frame, Pixels

PICTURES = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".webp"})
_NS = 1_000_000_000


class _Recorded(ABC):
    """Frames in a fixed order, a fixed time apart.

    ``paced``: a frame comes when it is due by the clock, and frames that nobody asked for in time are skipped, as a
    camera would.  Otherwise every frame comes as fast as it is read, with the times that it would have had.
    """

    def __init__(self, path: Path, *, paced: bool) -> None:
        self.name = path.name
        self._path = path
        self._paced = paced
        self._frame_ns = 0
        self._opened_ns = 0
        self._next = 0
        self._is_open = False

    def open(self) -> None:
        self.close()
        self._frame_ns = round(_NS / self._start())
        self._opened_ns, self._next, self._is_open = time.monotonic_ns(), 0, True

    def read(self, timeout_s: float) -> Frame | None:
        if not self._is_open:
            raise CameraError(f"{self.name} is not open; open the camera before reading it.")
        if self._paced:
            self._wait(timeout_s)
        rgb = self._picture()
        number, self._next = self._next, self._next + 1
        return None if rgb is None else Frame(number, self._opened_ns + number * self._frame_ns, rgb)

    def close(self) -> None:
        self._is_open = False
        self._stop()

    def _wait(self, timeout_s: float) -> None:
        now_ns = time.monotonic_ns()
        late = (now_ns - self._opened_ns) // self._frame_ns - self._next
        for _ in range(late):
            self._skip()
            self._next += 1
        wait_s = (self._opened_ns + self._next * self._frame_ns - now_ns) / _NS
        if wait_s > timeout_s:
            time.sleep(max(timeout_s, 0.0))
            raise CameraError(f"{self.name} has no new frame within {timeout_s:g} s; its frame rate is lower.")
        time.sleep(max(wait_s, 0.0))

    @abstractmethod
    def _start(self) -> float:
        """Acquire the source; its frames per second."""

    @abstractmethod
    def _picture(self) -> Pixels | None: ...

    @abstractmethod
    def _skip(self) -> None: ...

    @abstractmethod
    def _stop(self) -> None: ...


class FileCamera(_Recorded):
    """A video file, at its own frame rate."""

    def __init__(self, path: Path, *, paced: bool = True) -> None:
        super().__init__(path, paced=paced)
        self._capture: cv2.VideoCapture | None = None

    def _start(self) -> float:
        if not self._path.is_file():
            raise CameraGoneError(f"{self._path} is not a file; give the path of a video.")
        capture = cv2.VideoCapture(str(self._path))
        rate = capture.get(cv2.CAP_PROP_FPS)
        if not capture.isOpened() or not math.isfinite(rate) or rate <= 0:
            capture.release()
            raise CameraError(f"{self._path} cannot be read as a video; convert it to MP4 with H.264.")
        self._capture = capture
        return float(rate)

    def _picture(self) -> Pixels | None:
        if self._capture is None:
            return None
        ok, bgr = self._capture.read()
        return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8) if ok else None

    def _skip(self) -> None:
        if self._capture is not None:
            self._capture.grab()

    def _stop(self) -> None:
        if self._capture is not None:
            self._capture.release()
        self._capture = None


class FolderCamera(_Recorded):
    """A picture, or the pictures of a folder in the order of their names, ``frames_per_second`` of them a second."""

    def __init__(self, path: Path, *, frames_per_second: float = 1.0, paced: bool = True) -> None:
        super().__init__(path, paced=paced)
        self._rate = frames_per_second
        self._left: list[Path] = []

    def _start(self) -> float:
        if self._path.is_dir():
            self._left = sorted((p for p in self._path.iterdir() if p.suffix.lower() in PICTURES), reverse=True)
        elif self._path.is_file():
            self._left = [self._path]
        if not self._left:
            raise CameraGoneError(f"{self._path} holds no pictures; put JPEG or PNG files there.")
        return self._rate

    def _picture(self) -> Pixels | None:
        if not self._left:
            return None
        path = self._left.pop()
        try:
            bgr = cv2.imread(str(path), cv2.IMREAD_COLOR)
        except cv2.error:  # OpenCV decodes nothing above a gigapixel
            bgr = None
        if bgr is None:
            raise CameraError(f"{path} cannot be read as a picture; remove it or replace it by a JPEG or PNG.")
        return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)

    def _skip(self) -> None:
        if self._left:
            self._left.pop()

    def _stop(self) -> None:
        self._left = []
