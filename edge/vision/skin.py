"""The colour of a face's bare skin, of what is right beside it and of the room far from it, in linear light.

What `edge.core.light` compares with the page's colours.  The places are few and small (five patches of skin, two
strips beside the head, the picture's two edges): 0.1 ms a frame, so it is done on every frame with a face.
A camera's tone curve is not sRGB's, so "linear" is approximate; it scales every answer alike and alters no sign.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import cv2
import numpy as np

from edge.core.light import linear
from edge.ports import Pixels
from edge.vision.landmarks import Mesh

Rgb = tuple[float, float, float]

# Mesh indices round the middles of: forehead (its middle and both sides, under the hair), cheeks below the glasses.
_PATCHES = np.array([[9, 151, 151], [108, 69, 69], [337, 299, 299], [50, 101, 205], [280, 330, 425]])
_PATCH_HALF = 0.055  # of the face's width
_BESIDE = (0.20, 0.50)  # strips beside the head, in face widths from its edge: beyond ears and short hair
_EDGE = 0.10  # of the frame's width: its left and right edge
_EDGE_LEAST_APART = 0.45  # face widths between such an edge and the face; nearer it is no room but the head's side
_SHOWN_ROWS = 0.7  # of the frame's height; below are shoulders and hands, which are near
_SPARSE = 4  # of strips and edges every fourth pixel each way
_DARKEST, _BRIGHTEST = (3, 3, 3, 0), (252, 252, 252, 255)  # beyond, the sensor cuts off: the hue is not known
_MOST_CUT_OFF = 0.4  # share of such pixels of the skin: more, and its colour can hardly be told
_LEAST_PIXELS = 30


@dataclass(frozen=True, slots=True)
class Colours:
    """Linear light (R, G, B; 0..1); None where there is too little of it or it is over- or underexposed."""

    skin: Rgb | None
    behind: Rgb | None
    room: Rgb | None


def measure(rgb: Pixels, mesh: Mesh) -> Colours:
    """The colours of one frame, uint8 (H, W, 3) RGB, with the mesh of its face."""
    height, width = rgb.shape[:2]
    x0, y0, x1, y1 = mesh.box.tolist()
    face = max(x1 - x0, 1.0)
    half = max(_PATCH_HALF * face, 2.0)
    middles = (mesh.points[_PATCHES, :2].sum(1) / 3).tolist()
    patches = [_cut(rgb, x - half, y - half, x + half, y + half) for x, y in middles]
    near, far = (share * face for share in _BESIDE)
    below = y0 + 0.6 * (y1 - y0)
    beside = (
        _cut(rgb, x0 - far, y0, x0 - near, below)[::_SPARSE, ::_SPARSE],
        _cut(rgb, x1 + near, y0, x1 + far, below)[::_SPARSE, ::_SPARSE],
    )
    edge, rows, apart = _EDGE * width, _SHOWN_ROWS * height, _EDGE_LEAST_APART * face
    edges = []
    if x0 - edge >= apart:
        edges.append(_cut(rgb, 0, 0, edge, rows)[::_SPARSE, ::_SPARSE])
    if width - edge - x1 >= apart:
        edges.append(_cut(rgb, width - edge, 0, width, rows)[::_SPARSE, ::_SPARSE])
    return Colours(
        _skin(patches),
        _together([_mean(each) for each in beside]),
        _together([_mean(each) for each in edges]),
    )


def _cut(rgb: Pixels, left: float, top: float, right: float, bottom: float) -> Pixels:
    """As much of this box as is inside the frame."""
    height, width = rgb.shape[:2]
    x0, x1 = max(int(left), 0), min(max(int(right), 0), width)
    y0, y1 = max(int(top), 0), min(max(int(bottom), 0), height)
    return rgb[y0:y1, x0:x1]


def _mean(pixels: Pixels) -> Rgb | None:
    """Mean linear light of the pixels that the sensor did not cut off; None where there are hardly any."""
    every = pixels.shape[0] * pixels.shape[1]
    if every < _LEAST_PIXELS:
        return None
    good = cv2.inRange(pixels, _DARKEST, _BRIGHTEST)
    if cv2.countNonZero(good) < every // 4:
        return None
    red, green, blue, _ = cv2.mean(cv2.LUT(pixels, _LINEAR), good)
    return red, green, blue


def _skin(patches: Sequence[Pixels]) -> Rgb | None:
    """The patches' median hue at their median brightness: one under hair or a highlight does not count.

    Always the same patches, cut off or not: one that left when the page brightens would take its own hue along.
    """
    if min(each.size for each in patches) == 0:
        return None
    pixels = sum(each.shape[0] * each.shape[1] for each in patches)
    good = sum(cv2.countNonZero(cv2.inRange(each, _DARKEST, _BRIGHTEST)) for each in patches)
    if pixels - good > _MOST_CUT_OFF * pixels:
        return None
    means = [cv2.mean(cv2.LUT(each, _LINEAR)) for each in patches]
    middle = median(green for _, green, _, _ in means)
    if min(green for _, green, _, _ in means) <= 0:
        return None
    red = median(red / green for red, green, _, _ in means)
    blue = median(blue / green for _, green, blue, _ in means)
    return middle * red, middle, middle * blue


def _together(parts: Sequence[Rgb | None]) -> Rgb | None:
    """The geometric mean, so that each side's hue counts the same however bright it is."""
    there = [each for each in parts if each is not None]
    if not there:
        return None
    red, green, blue = (
        math.exp(math.fsum(map(math.log, channel)) / len(there)) for channel in zip(*there, strict=True)
    )
    return red, green, blue


_LINEAR = np.array([linear(byte) for byte in range(256)], np.float32)
