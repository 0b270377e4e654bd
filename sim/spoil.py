"""What a broken camera does to its frames: each is a fault of a scenario (`sim.scenario.FaultKind`)."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from edge.ports import Frame, Pixels
from sim.scenario import FaultKind

Spoiler = Callable[[Frame], Frame]
BUFFERS = 4


class Loops:
    """A driver that fills its four buffers once more and then hands out the same four in turn."""

    def __init__(self) -> None:
        self._buffers: list[Pixels] = []
        self._turn = 0

    def __call__(self, frame: Frame) -> Frame:
        if len(self._buffers) < BUFFERS:
            self._buffers.append(frame.rgb)
            return frame
        self._turn += 1
        return replace(frame, rgb=self._buffers[self._turn % BUFFERS].copy())


class Lifeless:
    """A picture that stands still under a clock of a few pixels, so that no two frames are the same bytes."""

    def __init__(self) -> None:
        self._still: Pixels | None = None

    def __call__(self, frame: Frame) -> Frame:
        if self._still is None:
            self._still = frame.rgb
        rgb = self._still.copy()
        rgb[4:8, 4:12] = np.frombuffer(frame.number.to_bytes(4, "little"), np.uint8)[:3]
        return replace(frame, rgb=rgb)


class OldTimes:
    """A driver whose times stand still."""

    def __init__(self) -> None:
        self._at_ns: int | None = None

    def __call__(self, frame: Frame) -> Frame:
        self._at_ns = self._at_ns or frame.at_ns
        return replace(frame, at_ns=self._at_ns)


def black(frame: Frame) -> Frame:
    """Black level and read noise, as under a lens cap."""
    return replace(frame, rgb=np.random.default_rng(frame.number).integers(14, 19, frame.rgb.shape, np.uint8))


def white(frame: Frame) -> Frame:
    """Saturated everywhere."""
    return replace(frame, rgb=np.random.default_rng(frame.number).integers(253, 256, frame.rgb.shape, np.uint8))


def green(frame: Frame) -> Frame:
    """Brightness without colour planes: YUV with U = V = 0, as RGB (ITU-R BT.601)."""
    luma = frame.rgb.mean(axis=2)
    rgb = np.stack([luma - 179, luma + 135, luma - 227], axis=2)
    return replace(frame, rgb=np.clip(rgb, 0, 255).astype(np.uint8))


def torn(frame: Frame) -> Frame:
    """Only the upper half was written; the rest of the buffer is empty."""
    rgb = frame.rgb.copy()
    rgb[len(rgb) // 2 :] = 0
    return replace(frame, rgb=rgb)


def rolled(frame: Frame) -> Frame:
    """The frame's start was missed: a third of the way down, the next picture begins."""
    return replace(frame, rgb=np.roll(frame.rgb, frame.rgb.shape[0] // 3, axis=0))


def resized(frame: Frame) -> Frame:
    """Half the size, as after a change of mode."""
    return replace(frame, rgb=np.ascontiguousarray(frame.rgb[::2, ::2]))


SPOILERS: Mapping[FaultKind, Callable[[], Spoiler]] = {
    FaultKind.CAMERA_LOOPS: Loops,
    FaultKind.CAMERA_LIFELESS: Lifeless,
    FaultKind.CAMERA_BLACK: lambda: black,
    FaultKind.CAMERA_WHITE: lambda: white,
    FaultKind.CAMERA_GREEN: lambda: green,
    FaultKind.CAMERA_TORN: lambda: torn,
    FaultKind.CAMERA_ROLLS: lambda: rolled,
    FaultKind.CAMERA_RESIZED: lambda: resized,
    FaultKind.CAMERA_OLD_TIMES: OldTimes,
}
