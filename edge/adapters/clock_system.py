"""Both clocks of a Linux machine, and what the kernel says about the calendar one (adjtimex(2))."""

import ctypes
import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from edge.core.types import ClockState
from edge.errors import StateError

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")

# <sys/timex.h>
STA_UNSYNC = 0x0040
TIME_ERROR = 5


class Timex(ctypes.Structure):
    """``struct timex``; with ``modes`` 0 the call only reads."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror_us", ctypes.c_long),
        ("esterror_us", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_long * 32),  # longer than the rest of the structure on any architecture
    )


class SystemClock:
    """`edge.ports.Clock`; ``trust`` is ``clock.trust`` of the configuration."""

    def __init__(self, trust: Literal["kernel", "host"] = "kernel") -> None:
        self.boot_id = ""
        self._trust = trust

    def open(self) -> None:
        """Learn the boot's id; raises `StateError` on a machine that does not tell it."""
        try:
            self.boot_id = BOOT_ID.read_text(encoding="ascii").strip()
        except OSError as error:
            raise StateError(f"{BOOT_ID} cannot be read ({error.strerror}); Anxin runs on Linux.") from None

    def now(self) -> datetime:
        """Aware, UTC."""
        return datetime.now(UTC)

    def monotonic_ns(self) -> int:
        return time.monotonic_ns()

    def state(self) -> ClockState:
        if self._trust == "host":
            return ClockState(synced=True, source="host")
        try:
            answer, timex = read_kernel()
        except OSError:
            return ClockState(synced=False, source="kernel")
        return judge(answer, timex.status, timex.maxerror_us)


def read_kernel() -> tuple[int, Timex]:
    """adjtimex's answer and structure; raises `OSError`."""
    timex = Timex()
    answer = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(timex))
    if answer < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return answer, timex


def judge(answer: int, status: int, maxerror_us: int) -> ClockState:
    """What adjtimex's answer means: synchronised unless the kernel says otherwise; ``error_s`` is its bound."""
    synced = answer != TIME_ERROR and not status & STA_UNSYNC
    return ClockState(synced=synced, source="kernel", error_s=maxerror_us / 1e6)
