"""The simulated camera: a scene behind the same port as a real one."""

import time
from collections.abc import Callable
from typing import Protocol

from edge.errors import CameraError
from edge.ports import Frame, Pixels
from sim.clock import VirtualClock
from sim.spoil import Spoiler

Picture = Callable[[int, float], Pixels]  # frame number, seconds since open -> RGB uint8 (H, W, 3)
_NS = 1_000_000_000


class Pace(Protocol):
    """What a camera needs of time."""

    def monotonic_ns(self) -> int: ...

    def sleep(self, seconds: float) -> None: ...


class RealPace:
    """The machine's own time."""

    def monotonic_ns(self) -> int:
        return time.monotonic_ns()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


class VirtualPace:
    """Waiting moves the clock."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock

    def monotonic_ns(self) -> int:
        return self._clock.monotonic_ns()

    def sleep(self, seconds: float) -> None:
        self._clock.advance(seconds)


class SimCamera:
    """`edge.ports.Camera` on a picture function.

    ``hanging`` makes reads time out, ``frozen`` repeats the last picture byte for byte, ``lost`` makes every read
    and open raise, ``spoiler`` alters frames on their way (field failures 1 and 4).
    """

    name = "simulated"

    def __init__(self, picture: Picture, *, frames_per_second: float = 15.0, pace: Pace | None = None) -> None:
        self.hanging = self.frozen = self.lost = False
        self.spoiler: Spoiler | None = None
        self._picture = picture
        self._period_ns = round(_NS / frames_per_second)
        self._pace = pace or RealPace()
        self._opened_ns: int | None = None
        self._next = 0
        self._last: Pixels | None = None

    def open(self) -> None:
        if self.lost:
            raise CameraError("The simulated camera is unplugged; end the fault to go on.")
        self._opened_ns = self._pace.monotonic_ns()
        self._next = 0

    def read(self, timeout_s: float) -> Frame | None:
        if self._opened_ns is None:
            raise CameraError("The simulated camera is not open; call open() first.")
        if self.lost:
            raise CameraError("The simulated camera was unplugged.")
        now_ns = self._pace.monotonic_ns()
        # A consumer that was slow gets the present, not the past: the numbers show the gap.
        number = max(self._next, (now_ns - self._opened_ns) // self._period_ns)
        due_ns = self._opened_ns + (number + 1) * self._period_ns
        if self.hanging or due_ns - now_ns > timeout_s * _NS:
            self._pace.sleep(timeout_s)
            raise CameraError(f"The simulated camera gave no new frame within {timeout_s:g} s.")
        if due_ns > now_ns:
            self._pace.sleep((due_ns - now_ns) / _NS)
        self._next = number + 1
        if not self.frozen or self._last is None:
            self._last = self._picture(number, (due_ns - self._opened_ns) / _NS)
        frame = Frame(number, due_ns, self._last.copy())
        return frame if self.spoiler is None else self.spoiler(frame)

    def close(self) -> None:
        self._opened_ns = None
