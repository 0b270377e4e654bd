"""Is this frame a new picture of the room?  What can be told from bytes alone, before any model looks.

Physics behind the limits: a sensor's noise never repeats a picture, nor a row of one; a lens that sees anything at
all sees light and dark places; a row looks like the row above it.  So no limit here depends on who stands there.
What cannot be told: a frozen picture with fresh noise laid over it, or a film in a loop of more than 32 frames.
Those are for liveness, not for the camera's loop.
"""

import zlib
from collections import deque
from enum import StrEnum, unique

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.ports import Frame, Pixels

LEAST_PX = 32
MOST_PX = 8192
KEPT_PRINTS = 32
"""V4L2 drivers have at most 32 buffers (VIDEO_MAX_FRAME): a driver that cycles old ones repeats within them."""

SAMPLED_PX = 120
"""So many rows or columns, whichever are fewer, are looked at: enough for all but slanted rows."""

LATE_NS = 1_800_000_000
EARLY_NS = 1_000_000_000
STILL_SHARE = 0.002
"""Fewer changed values than this are an overlay on a frozen picture.  Measured: docs/eyes.md, Cameras."""

FLAT = 4.0
"""Grey levels between light and dark places below which a picture shows nothing.  Vignetting alone is 1 to 2."""

TINT = 50.0
BORDER_SHARE = 0.08
ROLLED_SHARE = 0.12  # of the picture changes when it rolls; a passer-by rarely changes as much between two frames
FORGET_NS = 60_000_000_000
"""A picture that differs from the last good one in this way for so long is the room as it is now."""

SLANT_EVERY = 30
_BLOCKS = (16, 12)  # columns, rows


@unique
class Trouble(StrEnum):
    """Why a frame is not a new picture of the room.  The values end "its pictures ..."."""

    ODD = "are of a kind that no camera gives"
    RESIZED = "changed their size"
    PAST = "are older than they should be"
    FUTURE = "are from the future"
    REPEATED = "repeat"
    LIFELESS = "stand still"
    BLACK = "are black: a covered lens, a loose cable, or no light at all"
    WHITE = "are white: far too much light, or a broken sensor"
    ONE_COLOUR = "are of one colour"
    TINTED = "are green or purple all over: a loose cable or a broken driver"
    TORN = "are torn"
    ROLLED = "are rolled over the edge"
    SLANTED = "are slanted"


class PictureCheck:
    """Compares each frame with those before it.  For one thread; keeps one small copy of the last good picture."""

    def __init__(self) -> None:
        self._prints: deque[int] = deque(maxlen=KEPT_PRINTS)
        self._good: Pixels | None = None
        self._shape: tuple[int, ...] | None = None
        self._good_ns = self._after_ns = 0
        self._number = 0

    def opened(self, at_ns: int) -> None:
        """The camera was opened at ``at_ns``: sizes and times begin anew.

        The last pictures are remembered: a camera that gives the same ones again has not come back.
        """
        self._shape, self._after_ns, self._number = None, at_ns - 1, 0

    def trouble(self, frame: Frame, now_ns: int) -> Trouble | None:
        """What is wrong with ``frame``, or None; then it becomes what the next one is compared with."""
        if not _is_picture(frame.rgb) or not (frame.small is None or _is_picture(frame.small)):
            return Trouble.ODD
        if self._shape is None:
            self._shape = frame.rgb.shape
        if frame.rgb.shape != self._shape:
            return Trouble.RESIZED
        if frame.at_ns > now_ns + EARLY_NS:
            return Trouble.FUTURE
        if frame.at_ns <= self._after_ns or frame.at_ns < now_ns - LATE_NS:
            return Trouble.PAST
        sample = sampled(frame.rgb)
        mark = zlib.crc32(sample.data)
        if mark in self._prints:
            return Trouble.REPEATED
        self._prints.append(mark)
        trouble = blank(sample) or half_written(sample) or self._unlike_the_last(sample, now_ns)
        if trouble is None and self._number % SLANT_EVERY == 0 and slanted(frame.rgb):
            trouble = Trouble.SLANTED
        if trouble is None:
            self._good, self._good_ns, self._after_ns = sample, now_ns, frame.at_ns
            self._number += 1
        return trouble

    def _unlike_the_last(self, sample: Pixels, now_ns: int) -> Trouble | None:
        last = self._good
        if last is None or last.shape != sample.shape or now_ns - self._good_ns > FORGET_NS:
            return None
        apart = np.asarray(cv2.absdiff(sample, last), np.uint8)
        if cv2.countNonZero(apart.reshape(len(apart), -1)) < STILL_SHARE * apart.size:
            return Trouble.LIFELESS
        if not (apart[0].any() and apart[-1].any()) and _stale_part(sample, last, apart):
            return Trouble.TORN
        if _share_beyond_noise(apart) < ROLLED_SHARE:
            return None
        return Trouble.ROLLED if _rolled(sample, last, axis=0) or _rolled(sample, last, axis=1) else None


def sampled(rgb: Pixels) -> Pixels:
    """Every n-th pixel in both directions, uint8, its own memory; about `SAMPLED_PX` of the shorter side."""
    step = max(1, min(rgb.shape[:2]) // SAMPLED_PX)
    size = (rgb.shape[1] // step, rgb.shape[0] // step)
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_NEAREST), np.uint8).copy()


def blank(sample: Pixels) -> Trouble | None:
    """Whether a picture shows nothing: no place in it is lighter than another, or one colour lies over all of it."""
    blocks = _block_means(sample)
    ranked = np.sort(blocks, axis=0)
    apart = len(ranked) // 48  # a hot pixel or a gleam is no view
    if float((ranked[-1 - apart] - ranked[apart]).max()) < FLAT:
        mean = float(blocks.mean())
        if float(np.ptp(blocks.mean(axis=0))) > TINT:
            return Trouble.TINTED
        return Trouble.BLACK if mean < 48 else Trouble.WHITE if mean > 240 else Trouble.ONE_COLOUR
    red, green, blue = blocks.T
    over = green - np.maximum(red, blue)
    under = np.minimum(red, blue) - green
    if max(float((over > TINT).mean()), float((under > TINT).mean())) > 0.98:
        return Trouble.TINTED
    if float((blocks.min(axis=1) > 250).mean()) > 0.95:
        return Trouble.WHITE
    return None


def half_written(sample: Pixels) -> Trouble | None:
    """Whether the picture ends in rows of one value, with a hard edge, on one side only (letterboxes have two)."""
    if not any((row == row[0]).all() for row in (sample[0], sample[-1])):
        return None
    one_value = (sample == sample[:, :1]).reshape(len(sample), -1).all(axis=1)
    if one_value.all():
        return None
    top, bottom = int(one_value.argmin()), int(one_value[::-1].argmin())
    least = max(3, round(BORDER_SHARE * len(sample)))
    if (top >= least) == (bottom >= least):
        return None
    edge, beyond = (top - 1, top) if top >= least else (len(sample) - bottom, len(sample) - bottom - 1)
    jump = np.abs(sample[edge].astype(np.int16) - sample[beyond]).mean()
    overexposed = int(sample[edge].min()) == 255
    return Trouble.TORN if jump > 12 and not overexposed else None


def slanted(rgb: Pixels) -> bool:
    """Whether each row continues the one above it further to the side: a driver that took the wrong row length."""
    rows = np.linspace(1, rgb.shape[0] - 2, 24).round().astype(int)
    above, below = (_without_mean(rgb[rows + add, :, 1]) for add in (0, 1))
    fit = np.fft.irfft(np.fft.rfft(below, axis=1) * np.conj(np.fft.rfft(above, axis=1)), n=rgb.shape[1], axis=1)
    lively = (above**2).mean(axis=1) > 16
    if lively.sum() < 8:
        return False
    shifts = fit[lively].argmax(axis=1)
    usual = int(np.bincount(shifts).argmax())
    shift = min(usual, rgb.shape[1] - usual)
    better = fit[lively, usual] > 1.05 * fit[lively, 0]
    return shift >= 2 and float((np.abs(shifts - usual) <= 1).mean()) > 0.7 and float(better.mean()) > 0.7


def _is_picture(rgb: object) -> bool:
    if not isinstance(rgb, np.ndarray) or rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3:
        return False
    height, width = rgb.shape[:2]
    return bool(min(height, width) >= LEAST_PX and max(height, width) <= MOST_PX)


def _block_means(sample: Pixels) -> NDArray[np.float32]:
    """float32 (16 * 12, 3): the mean colour of each place, to whole grey levels."""
    means = cv2.resize(sample, _BLOCKS, interpolation=cv2.INTER_AREA)
    return np.asarray(means, np.float32).reshape(-1, 3)


def _stale_part(sample: Pixels, last: Pixels, apart: Pixels) -> bool:
    """Whether the upper or lower part is that of the picture before, byte for byte, with a jump where they meet."""
    same = ~apart.any(axis=2)
    rows = same.all(axis=1)
    top, bottom = int(rows.argmin()), int(rows[::-1].argmin())
    stale = max(top, bottom)
    if stale < len(rows) / 8 or stale == len(rows):
        return False
    fresh = same[top:] if top >= bottom else same[: len(rows) - bottom]
    if fresh.mean() > 0.75:
        return False
    seam = top if top >= bottom else len(rows) - bottom
    jumps = [np.percentile(np.abs(one[seam].astype(np.int16) - one[seam - 1]), 90) for one in (sample, last)]
    return bool(jumps[0] > 2 * jumps[1] + 12)


def _rolled(sample: Pixels, last: Pixels, axis: int) -> bool:
    """Whether this is the last picture moved along ``axis``, what leaves on one side coming back on the other.

    Profiles find the shift, pixels decide: somebody who walks along a plain wall shifts the profile too, but most of
    the picture stays where it was.
    """
    now, before = (
        cv2.reduce(one, 1 - axis, cv2.REDUCE_AVG, dtype=cv2.CV_32F).reshape(-1, 3).mean(axis=1)
        for one in (sample, last)
    )
    fit = np.fft.irfft(np.fft.rfft(now) * np.conj(np.fft.rfft(before)), n=len(now))
    shift = int(fit.argmax())
    if min(shift, len(now) - shift) <= 2:
        return False
    return _share_beyond_noise(np.asarray(cv2.absdiff(sample, np.roll(last, shift, axis)), np.uint8)) < 0.05


def _share_beyond_noise(apart: Pixels) -> float:
    """The share of the pixels of a difference that noise and compression do not explain."""
    return float((apart[:, :, 1] > 16).mean())


def _without_mean(rows: Pixels) -> NDArray[np.float32]:
    values = rows.astype(np.float32)
    return np.asarray(values - values.mean(axis=1, keepdims=True), np.float32)
