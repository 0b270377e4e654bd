"""The camera's loop: open, read, notice within two seconds that it froze or vanished, open it again.

A camera fails in four ways in the field (design/field-failures.md, 1 and 4): the call never returns, it raises, it
returns the same bytes again and again, or it returns something that is no new picture of the room.  The first two
are a `CameraError` of the adapter; the others are found by `PictureCheck`.  Such a frame goes nowhere: neither a
model nor the page sees it.
"""

import logging
from collections import Counter
from collections.abc import Callable

from edge.core.types import CameraState, Event
from edge.errors import CameraError, CameraGoneError, CameraStuckError
from edge.ports import Camera, Clock, Frame
from edge.runtime.faults import FaultLog
from edge.runtime.picture import PictureCheck, Trouble

NOTICE_NS = 1_800_000_000
"""A camera without a new picture for this long is lost: noticed within 2 s, at ten frames a second or more."""

WARM_UP_NS = 4_000_000_000
"""A camera that was lost may take this long for its first good picture, e.g. until its exposure has settled."""

REOPEN_FIRST_NS = 500_000_000
REOPEN_MOST_NS = 10_000_000_000
"""Waits between attempts to reopen: quick for a loose plug, patient for a dead camera."""

STUCK_NS = 300_000_000_000
"""After so long without a picture from a camera that is there, only a new process helps: a driver hangs here."""

LEAST_READ_S = 0.05

log = logging.getLogger(__name__)


class CaptureLoop:
    """Turns a camera that may fail into a stream of good frames and `CameraState` events.

    ``deliver`` gets every new picture, ``tell`` every change of the camera's state; both are called by the thread
    that calls `turn`.  ``idle`` says that nobody would be disturbed if the process ended.
    """

    def __init__(
        self,
        camera: Camera,
        clock: Clock,
        deliver: Callable[[Frame], None],
        tell: Callable[[Event], None],
        idle: Callable[[], bool] = lambda: False,
    ) -> None:
        self._camera = camera
        self._clock = clock
        self._deliver = deliver
        self._tell = tell
        self._idle = idle
        self._check = PictureCheck()
        self._faults = FaultLog(log)
        self._opened = False
        self._working: bool | None = None
        self._reopen_at_ns = 0
        self._wait_ns = REOPEN_FIRST_NS
        self._good_at_ns = 0
        self._patience_ns = NOTICE_NS
        self._lost_at_ns = 0
        self._trouble: Trouble | None = None
        self.reason = ""
        """Why there is no picture, in a sentence without the person; empty while the camera works."""
        self.frames = 0
        self.reopened = 0
        self.refused: Counter[Trouble] = Counter()
        """How many frames went nowhere, and why."""

    def turn(self) -> float:
        """Read one frame, or work on getting the camera back; returns how long to sleep before the next turn, s.

        Raises `CameraStuckError` when only a new process can get the camera back and nobody is there.
        """
        now_ns = self._clock.monotonic_ns()
        if not self._opened and now_ns < self._reopen_at_ns:
            return min(0.5, (self._reopen_at_ns - now_ns) / 1e9)
        try:
            if not self._opened:
                self._open(now_ns)
            self._look(self._camera.read(self._left_s()))
        except CameraError as error:
            self._lose(error)
        return 0.0

    def close(self) -> None:
        """Release the camera."""
        self._camera.close()
        self._opened = False

    def _open(self, now_ns: int) -> None:
        self._camera.open()
        self._opened = True
        self._trouble = None
        self._check.opened(now_ns)
        self._good_at_ns = self._clock.monotonic_ns()  # opening may take its time
        self._patience_ns = WARM_UP_NS if self._working is False else NOTICE_NS

    def _left_s(self) -> float:
        """Until the camera is lost unless a good picture comes."""
        left_ns = self._good_at_ns + self._patience_ns - self._clock.monotonic_ns()
        return max(left_ns / 1e9, LEAST_READ_S)

    def _look(self, frame: Frame | None) -> None:
        if frame is None:
            raise CameraError(f"the recording of camera {self._camera.name} has ended; it is started again")
        now_ns = self._clock.monotonic_ns()
        trouble = self._check.trouble(frame, now_ns)
        if trouble is None:
            self._good_at_ns, self._patience_ns, self._trouble = now_ns, NOTICE_NS, None
            self._found()
            self.frames += 1
            self._deliver(frame)
            return
        self.refused[trouble] += 1
        self._trouble = trouble
        self._faults.stands(trouble, f"a picture of camera {self._camera.name} was dropped: its pictures {trouble}")
        if now_ns - self._good_at_ns >= self._patience_ns:
            raise CameraError(f"the pictures of camera {self._camera.name} {trouble}; it is opened again")

    def _found(self) -> None:
        if self._working:
            return
        self._working, self.reason = True, ""
        self._wait_ns = REOPEN_FIRST_NS
        for trouble in self.refused:
            self._faults.clears(trouble)
        self._tell(CameraState(working=True))
        log.info("camera %s gives frames", self._camera.name)

    def _lose(self, error: CameraError) -> None:
        self._camera.close()
        was_open, self._opened = self._opened, False
        now_ns = self._clock.monotonic_ns()
        self._reopen_at_ns = now_ns + self._wait_ns
        self._wait_ns = min(2 * self._wait_ns, REOPEN_MOST_NS)
        self.reopened += was_open
        # A read that timed out while only bad pictures came: those are the reason, not the time.
        self.reason = f"its pictures {self._trouble}" if was_open and self._trouble else str(error)
        log.log(
            logging.DEBUG if self._working is False else logging.WARNING,
            "camera %s lost: %s",
            self._camera.name,
            self.reason,
        )
        if self._working is not False:
            self._working, self._lost_at_ns = False, now_ns
            self._tell(CameraState(working=False))
        gone = isinstance(error, CameraGoneError)
        if self.frames and not gone and now_ns - self._lost_at_ns >= STUCK_NS and self._idle():
            raise CameraStuckError(
                f"camera {self._camera.name} is there and has given no picture for {STUCK_NS // 10**9} s; "
                "the service starts again, because a driver may hang in it."
            ) from error
