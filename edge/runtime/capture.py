"""The camera's loop: open, read, notice within two seconds that it froze or vanished, open it again.

A camera fails in three ways in the field (design/field-failures.md, 1 and 4): the call never returns, it
raises, or it returns the same bytes again and again.  The first two are a `CameraError` of the adapter; the
third is found here, because a real sensor's noise never repeats a whole picture.
"""

import logging
import zlib
from collections.abc import Callable

import numpy as np

from edge.core.types import CameraState, Event
from edge.errors import CameraError
from edge.ports import Camera, Clock, Frame, Pixels

NOTICE_NS = 2_000_000_000
"""A camera without a new picture for this long is lost (targets: noticed within 2 s)."""

REOPEN_FIRST_NS = 500_000_000
REOPEN_MOST_NS = 10_000_000_000
"""Waits between attempts to reopen: quick for a loose plug, patient for a dead camera."""

log = logging.getLogger(__name__)


class CaptureLoop:
    """Turns a camera that may fail into a stream of frames and `CameraState` events.

    ``deliver`` gets every new frame, ``tell`` every change of the camera's state; both are called by the thread
    that calls `turn`.
    """

    def __init__(
        self, camera: Camera, clock: Clock, deliver: Callable[[Frame], None], tell: Callable[[Event], None]
    ) -> None:
        self._camera = camera
        self._clock = clock
        self._deliver = deliver
        self._tell = tell
        self._opened = False
        self._working: bool | None = None
        self._reopen_at_ns = 0
        self._wait_ns = REOPEN_FIRST_NS
        self._print: int | None = None
        self._fresh_at_ns = 0
        self.frames = 0
        self.reopened = 0

    def turn(self) -> float:
        """Read one frame, or work on getting the camera back; returns how long to sleep before the next turn, s."""
        now_ns = self._clock.monotonic_ns()
        if not self._opened and now_ns < self._reopen_at_ns:
            return min(0.5, (self._reopen_at_ns - now_ns) / 1e9)
        try:
            if not self._opened:
                self._open(now_ns)
            frame = self._fresh(self._camera.read(NOTICE_NS / 1e9))
        except CameraError as error:
            self._lose(error)
            return 0.0
        self._deliver(frame)
        return 0.0

    def close(self) -> None:
        """Release the camera."""
        self._camera.close()
        self._opened = False

    def _open(self, now_ns: int) -> None:
        self._camera.open()
        self._opened = True
        # The last picture's mark is kept: a camera that gives the same one again after `open` has not come back.
        self._fresh_at_ns = now_ns

    def _fresh(self, frame: Frame | None) -> Frame:
        if frame is None:
            raise CameraError(f"the recording of camera {self._camera.name} has ended; it is started again")
        now_ns = self._clock.monotonic_ns()
        mark = fingerprint(frame.rgb)
        if mark != self._print:
            self._print = mark
            self._fresh_at_ns = now_ns
            self.frames += 1
            self._found()
        elif now_ns - self._fresh_at_ns >= NOTICE_NS:
            raise CameraError(f"camera {self._camera.name} repeats one picture; it is opened again")
        return frame

    def _found(self) -> None:
        if self._working:
            return
        self._working = True
        self._wait_ns = REOPEN_FIRST_NS
        self._tell(CameraState(working=True))
        log.info("camera %s gives frames", self._camera.name)

    def _lose(self, error: CameraError) -> None:
        self._camera.close()
        self._opened = False
        self._reopen_at_ns = self._clock.monotonic_ns() + self._wait_ns
        self._wait_ns = min(2 * self._wait_ns, REOPEN_MOST_NS)
        self.reopened += 1
        log.log(logging.DEBUG if self._working is False else logging.WARNING, "camera lost: %s", error)
        if self._working is not False:
            self._working = False
            self._tell(CameraState(working=False))


def fingerprint(rgb: Pixels) -> int:
    """A checksum of every fourth pixel in both directions: sensor noise changes it, a frozen picture does not."""
    return zlib.adler32(np.ascontiguousarray(rgb[::4, ::4]).data)
