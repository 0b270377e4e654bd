"""Which landmark is what, and how lids, jaw and brows move them.

The numbering is that of the 468-point face mesh; only the points that a movement needs are named.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

OVAL = (10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149,
        150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109)  # fmt: skip

# Each eye: the upper lid's edge and, point for point, the lower lid's edge under it.
RIGHT_UPPER, RIGHT_LOWER = (246, 161, 160, 159, 158, 157, 173), (7, 163, 144, 145, 153, 154, 155)
LEFT_UPPER, LEFT_LOWER = (466, 388, 387, 386, 385, 384, 398), (249, 390, 373, 374, 380, 381, 382)
RIGHT_FOLD, LEFT_FOLD = (247, 30, 29, 27, 28, 56, 190), (467, 260, 259, 257, 258, 286, 414)
RIGHT_CORNERS, LEFT_CORNERS = (33, 133), (263, 362)

INNER_UPPER = (191, 80, 81, 82, 13, 312, 311, 310, 415)
INNER_LOWER = (95, 88, 178, 87, 14, 317, 402, 318, 324)
MOUTH_CORNERS = (78, 308)
RIGHT_BROW = (70, 63, 105, 66, 107, 46, 53, 52, 65, 55)
LEFT_BROW = (300, 293, 334, 296, 336, 276, 283, 282, 295, 285)

# Lips, all rings, without the corners' own column.
UPPER_LIP = (*INNER_UPPER, 0, 37, 39, 40, 185, 267, 269, 270, 409, 11, 72, 73, 74, 184, 302, 303, 304, 408,
                           12, 38, 41, 42, 183, 268, 271, 272, 407)  # fmt: skip
LOWER_LIP = (*INNER_LOWER, 96, 89, 179, 86, 15, 316, 403, 319, 325, 77, 90, 180, 85, 16, 315, 404, 320, 307,
                           91, 181, 84, 17, 314, 405, 321, 146, 375)  # fmt: skip
CORNERS = (78, 308, 61, 291, 62, 292, 76, 306)

JAW_DROP = 0.27  # of the face's width, at mouth = 1


@dataclass(frozen=True, slots=True)
class Face:
    """What a face does, each 0..1: ``mouth`` opens, ``lips`` shut, ``brow`` goes up, ``awake`` widens the eyes."""

    mouth: float = 0.0
    lips: float = 0.0
    brow: float = 0.0
    awake: float = 0.0


def deform(landmarks: NDArray[np.float32], face: Face) -> NDArray[np.float32]:
    """The landmarks float32 (468, 3) of a face at rest as they are when it does ``face``."""
    out = landmarks.copy()
    if face.lips:
        _press(out, landmarks, face.lips)
    if face.mouth:
        _jaw(out, out.copy(), face.mouth)
    if face.brow:
        out[list(RIGHT_BROW + LEFT_BROW), 1] -= 0.05 * face.brow * _width(landmarks)
    if face.awake:
        for upper, lower, fold in ((RIGHT_UPPER, RIGHT_LOWER, RIGHT_FOLD), (LEFT_UPPER, LEFT_LOWER, LEFT_FOLD)):
            gap = landmarks[list(lower)] - landmarks[list(upper)]
            out[list(upper)] -= gap * face.awake
            out[list(fold)] -= gap * (0.6 * face.awake)
            out[list(lower)] += gap * (0.15 * face.awake)
    return out


def lips_apart(landmarks: NDArray[np.float32]) -> float:
    """How far the inner lips are apart, in widths of the face."""
    gap = landmarks[list(INNER_LOWER), 1] - landmarks[list(INNER_UPPER), 1]
    return float(gap.mean()) / _width(landmarks)


def wide_awake(landmarks: NDArray[np.float32]) -> NDArray[np.float32]:
    """The landmarks with lids and lips well apart, to lay a mesh on: nowhere do two points fall together."""
    out = deform(landmarks, Face(mouth=0.4))
    for upper, corners in ((RIGHT_UPPER, RIGHT_CORNERS), (LEFT_UPPER, LEFT_CORNERS)):
        eye = float(np.linalg.norm(landmarks[corners[0], :2] - landmarks[corners[1], :2]))
        out[list(upper), 1] -= 0.12 * eye
    return out


def drag(grid: NDArray[np.float32], landmarks: NDArray[np.float32], mouth: float) -> NDArray[np.float32]:
    """(M,): how far down the places (M, >=2) under the chin go with the jaw, so that the chin does not fold over."""
    width = _width(landmarks)
    chin, middle = landmarks[152, 1], landmarks[152, 0]
    across = np.exp(-(((grid[:, 0] - middle) / (0.38 * width)) ** 2))
    down = np.exp(-((np.clip(grid[:, 1] - chin, 0, None) / (0.22 * width)) ** 2)) * (grid[:, 1] > chin - 0.1 * width)
    return np.asarray(mouth * JAW_DROP * width * across * down, np.float32)


def _width(landmarks: NDArray[np.float32]) -> float:
    return float(np.ptp(landmarks[list(OVAL), 0]))


def _press(out: NDArray[np.float32], rest: NDArray[np.float32], lips: float) -> None:
    """The lower lip comes up to the upper one, and the chin after it: what a smile does before the mouth shuts."""
    corners = rest[list(MOUTH_CORNERS)]
    middle, half = float(corners[:, 0].mean()), float(np.abs(np.diff(corners[:, 0])).mean()) / 2
    gap = float(rest[14, 1] - rest[13, 1])
    x, y = rest[:, 0], rest[:, 1]
    arc = np.clip(1 - ((x - middle) / half) ** 2, 0, 1)
    chin = float(rest[152, 1])
    under = np.clip((chin - y) / max(chin - float(rest[14, 1]), 1.0), 0, 1) * (y > rest[14, 1])
    rise = 0.45 * gap * under * np.exp(-(((x - middle) / (1.2 * half)) ** 2))
    lower, upper = list(LOWER_LIP), list(UPPER_LIP)
    rise[lower] = 0.55 * gap * np.sqrt(arc[lower])
    rise[upper] = -0.35 * gap * np.sqrt(arc[upper])
    out[:, 1] -= (lips * rise).astype(np.float32)


def _jaw(out: NDArray[np.float32], rest: NDArray[np.float32], mouth: float) -> None:
    """Everything under the mouth's line swings down with the jaw; the cheeks beside it are drawn along a little."""
    width = _width(rest)
    corners = rest[list(MOUTH_CORNERS)]
    line, middle = float(corners[:, 1].mean()), float(corners[:, 0].mean())
    half = float(np.abs(corners[:, 0] - middle).mean())
    chin = float(rest[152, 1])
    x, y = rest[:, 0], rest[:, 1]
    most = mouth * JAW_DROP * width
    near = np.exp(-(((x - middle) / (0.38 * width)) ** 2))
    below = np.clip((y - line) / max(chin - line, 1.0), 0, 1.2)
    drop = np.where(y > line, most * near * (0.65 + 0.35 * below), 0)
    drop += np.where(y > line, 0, 0.2 * most * near * np.exp(-(((y - line) / (0.12 * width)) ** 2)))
    # Lips part in an arc: the corners go down a little and inward, the middle all the way.
    u = np.clip((x - middle) / half, -1, 1)
    corner = 0.30 * most
    lips = {*UPPER_LIP, *LOWER_LIP, *CORNERS}
    upper, lower = list(UPPER_LIP), list(LOWER_LIP)
    drop[upper] = corner * u[upper] ** 4 - 0.03 * most * (1 - u[upper] ** 2)
    drop[lower] = corner * u[lower] ** 4 + 0.85 * most * np.sqrt(1 - u[lower] ** 4)
    drop[list(CORNERS)] = corner
    inward = list(lips)
    out[inward, 0] += 0.12 * mouth * (middle - x[inward])
    out[:, 1] += drop.astype(np.float32)
    out[:, 2] += (0.3 * drop).astype(np.float32)
