"""Signs of a screen or of paper round and on the face: a fine regular pattern, and a frame of straight edges.

Both are weak evidence: a good screen that is photographed a little out of focus has no pattern, and a frame held
beyond the camera's view has no edge; doors and windows are straight, too.
"""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.ports import Floats, Pixels
from edge.vision import geometry

_WINDOW_PX = 128
_TAPER = np.outer(np.hanning(_WINDOW_PX), np.hanning(_WINDOW_PX)).astype(np.float32)
_AROUND = 11  # bins: the neighbourhood a peak must stand out of; texture and edges are broader than it
# Cycles per pixel.  Slower waves are features of the face, faster ones the demosaicing's own.
_SLOWEST, _FASTEST = 0.09, 0.46


def _looked_at() -> NDArray[np.uint8]:
    """uint8 (128, 64): 255 at the waves of `moire`."""
    along = np.fft.fftfreq(_WINDOW_PX)[:, None]
    across = np.arange(_WINDOW_PX // 2)[None, :] / _WINDOW_PX
    speed = np.hypot(along, across)
    off_grid = np.minimum(*(np.abs(each * 8 - np.round(each * 8)) / 8 for each in (along, across)))
    wanted = (speed > _SLOWEST) & (speed < _FASTEST) & (off_grid > 1.5 / _WINDOW_PX)
    return np.asarray(wanted * 255, np.uint8)


_LOOKED_AT = _looked_at()
_SMALL_PX = 80  # the frame's width when edges are looked for
_TILTS_DEG = (-9.0, -4.5, 0.0, 4.5, 9.0)
_FAINT = 0.4  # change of the root of the luma that counts as half: noise and soft shadows are below
_NEAREST, _FURTHEST = 0.7, 2.0  # of the face's width or height from its centre: beyond the head, within reach of it


def moire(rgb: Pixels, box: Floats) -> float:
    """How far the strongest wave on the face stands above its neighbours, as ln(power ratio); about 2 for skin.

    ``box`` float32 (4,) is the detector's.  Looks at 128x128 px of the frame itself, never resized: a resized pattern
    is another one.  Of luma and of two colour differences, because a Bayer sensor turns a screen's stripes into
    coloured ones.  Multiples of an eighth of a cycle are left out: they are JPEG's.
    """
    height, width = rgb.shape[:2]
    if height < _WINDOW_PX or width < _WINDOW_PX:
        return 0.0
    left = _start(float(box[0] + box[2]) / 2, width)
    top = _start(float(box[1] + box[3]) / 2, height)
    window = rgb[top : top + _WINDOW_PX, left : left + _WINDOW_PX].astype(np.float32)
    red, green, blue = window[:, :, 0], window[:, :, 1], window[:, :, 2]
    return max(_prominence(green), _prominence(red - green), _prominence(blue - green))


def border(rgb: Pixels, box: Floats) -> float:
    """How much of a rectangle encloses the face, 0..1: the mean strength of its four sides.

    A side's strength is the share of all change of brightness across it that has one direction along a straight line
    of 1.4 faces' length, within `_NEAREST` to `_FURTHEST` of the centre; all four sides are turned alike.
    """
    scale = _SMALL_PX / rgb.shape[1]
    small = geometry.resize(rgb, _SMALL_PX, max(1, round(rgb.shape[0] * scale)))
    luma = np.sqrt(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32))  # shadows count like lights
    x0, y0, x1, y1 = (float(v) * scale for v in box)
    centre = ((x0 + x1) / 2, (y0 + y1) / 2)
    size = max(x1 - x0, y1 - y0, 4.0)
    return max(_rectangle(luma, centre, size, tilt) for tilt in _TILTS_DEG)


def _start(centre: float, room: int) -> int:
    return int(min(max(centre - _WINDOW_PX / 2, 0), room - _WINDOW_PX))


def _prominence(plane: NDArray[np.float32]) -> float:
    wave = cv2.dft((plane - plane.mean()) * _TAPER, flags=cv2.DFT_COMPLEX_OUTPUT)[:, : _WINDOW_PX // 2]
    power = cv2.GaussianBlur(wave[:, :, 0] ** 2 + wave[:, :, 1] ** 2, (3, 3), 0)
    level = cv2.log(power + 1.0)
    return float(cv2.minMaxLoc(level - cv2.blur(level, (_AROUND, _AROUND)), _LOOKED_AT)[1])


def _rectangle(luma: NDArray[np.float32], centre: tuple[float, float], size: float, tilt_deg: float) -> float:
    reach = math.ceil(_FURTHEST * size)
    side = 2 * reach + 1
    turn = cv2.getRotationMatrix2D(centre, tilt_deg, 1.0)
    turn[:, 2] += (reach - centre[0], reach - centre[1])
    level = cv2.warpAffine(luma, turn, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    half = max(int(0.7 * size), 2)
    near = int(_NEAREST * size)
    sides = []
    for plane in (level, level.T):
        strip = plane[reach - half : reach + half + 1]
        step = strip[:, 2:] - strip[:, :-2]
        share = np.abs(step.sum(0)) / (np.abs(step).sum(0) + _FAINT * len(strip))
        sides += [float(share[: reach - near].max(initial=0.0)), float(share[reach + near - 2 :].max(initial=0.0))]
    return sum(sides) / 4
