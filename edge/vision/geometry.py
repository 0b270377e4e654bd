"""Where a crop's pixels come from, and back: similarities as 2x3 matrices, numpy and OpenCV only.

A *matrix* is float64 (2, 3) and maps points of a picture (x, y in pixels, y downwards) to points of a crop.
"""

import math
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.ports import Floats, Pixels

Matrix = NDArray[np.float64]


def letterbox(rgb: Pixels, size_px: int) -> tuple[Pixels, Matrix]:
    """The whole picture in a square of ``size_px``, shape kept, black bars; and the matrix picture -> square."""
    height, width = rgb.shape[:2]
    scale = size_px / max(height, width)
    inner_w, inner_h = max(1, round(width * scale)), max(1, round(height * scale))
    left, top = (size_px - inner_w) // 2, (size_px - inner_h) // 2
    square = np.zeros((size_px, size_px, 3), np.uint8)
    # Of a frame four times as large every other row is averaged: half the memory to read, and enough against noise.
    rgb = rgb[:: 2 if height >= 4 * inner_h else 1]
    square[top : top + inner_h, left : left + inner_w] = resize(rgb, inner_w, inner_h)
    matrix = np.array([[inner_w / width, 0.0, left], [0.0, inner_h / height, top]])
    return square, matrix


def square_crop(centre: tuple[float, float], side_px: float, roll_deg: float, size_px: int) -> Matrix:
    """The matrix that brings a square of the picture, turned by ``roll_deg`` (clockwise), to ``size_px`` upright."""
    scale = size_px / side_px
    cos, sin = scale * math.cos(math.radians(roll_deg)), scale * math.sin(math.radians(roll_deg))
    x, y = centre
    return np.array([[cos, sin, size_px / 2 - cos * x - sin * y], [-sin, cos, size_px / 2 + sin * x - cos * y]])


def umeyama(source: NDArray[np.floating[Any]], target: NDArray[np.floating[Any]]) -> Matrix:
    """The least-squares similarity (rotation, one scale, shift; no mirroring) from ``source`` to ``target``.

    Both (N, 2), N >= 2, not all the same point.  Umeyama, PAMI 1991.  Raises ValueError when all source points fall
    together.
    """
    # In the plane the optimum has a closed form: the complex regression coefficient of target on source.
    src, dst = ([complex(x, y) for x, y in points.tolist()] for points in (source, target))
    src_mean, dst_mean = sum(src) / len(src), sum(dst) / len(dst)
    src = [point - src_mean for point in src]
    spread = sum(abs(point) ** 2 for point in src)
    if spread < 1e-12:
        raise ValueError("a similarity needs at least two different points")
    turn = sum(one.conjugate() * (other - dst_mean) for one, other in zip(src, dst, strict=True)) / spread
    shift = dst_mean - turn * src_mean
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])


def invert(matrix: Matrix) -> Matrix:
    """The matrix crop -> picture."""
    (a, b, x), (c, d, y) = matrix.tolist()
    size = a * d - b * c
    return np.array([[d / size, -b / size, (b * y - d * x) / size], [-c / size, a / size, (c * x - a * y) / size]])


def apply(matrix: Matrix, points: NDArray[np.floating[Any]]) -> Floats:
    """``points`` (..., 2) mapped; float32."""
    return np.asarray(points @ matrix[:, :2].T + matrix[:, 2], np.float32)


def apply_in_space(matrix: Matrix, points: Floats) -> Floats:
    """``points`` (N, 3) mapped, the third coordinate by the similarity's scale; float32."""
    (a, b, x), (c, d, y) = matrix.tolist()
    in_space = np.array([[a, b, 0, x], [c, d, 0, y], [0, 0, scale_of(matrix), 0]])
    return np.asarray(cv2.transform(points[None], in_space)[0], np.float32)


def scale_of(matrix: Matrix) -> float:
    """Crop pixels per picture pixel."""
    (a, b, _), (c, d, _) = matrix.tolist()
    return math.sqrt(abs(a * d - b * c))


def resize(rgb: Pixels, width_px: int, height_px: int) -> Pixels:
    """``rgb`` at another size: halved by averaging while that is too large, then bilinear.

    As free of aliasing as averaging over the whole area, and four times as fast.  An odd last row or column is left
    out: OpenCV is fast only where it halves exactly.
    """
    while rgb.shape[1] >= 2 * width_px and rgb.shape[0] >= 2 * height_px:
        height, width = rgb.shape[0] // 2, rgb.shape[1] // 2
        even = rgb[: 2 * height, : 2 * width]
        rgb = np.asarray(cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    return np.asarray(cv2.resize(rgb, (width_px, height_px), interpolation=cv2.INTER_LINEAR), np.uint8)


def warp(rgb: Pixels, matrix: Matrix, size_px: int) -> Pixels:
    """The crop, uint8 (size_px, size_px, 3); black where the picture ends."""
    scale = scale_of(matrix)
    if scale < 0.5:
        # Bilinear sampling skips pixels below half size; whole-number area averaging first keeps the detail honest.
        step = int(1 / scale)
        height, width = rgb.shape[0] // step, rgb.shape[1] // step
        rgb = cv2.resize(rgb[: height * step, : width * step], (width, height), interpolation=cv2.INTER_AREA)
        matrix = matrix @ np.array([[step, 0, (step - 1) / 2], [0, step, (step - 1) / 2], [0, 0, 1.0]])
    return np.asarray(cv2.warpAffine(rgb, matrix, (size_px, size_px), flags=cv2.INTER_LINEAR), np.uint8)
