"""Find, mesh, align and crop faces for calibrating and measuring: the float models' own small eyes.

Kept apart from `edge.vision` on purpose: the calibration crops, and with them every byte of the quantized files,
must not change because the terminal's eyes did. numpy and OpenCV only.
"""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Infer = Callable[[NDArray[np.float32]], list[NDArray[np.float32]]]

DETECTION_PX, LANDMARKS_PX, EMBEDDING_PX, LIVENESS_PX = 128, 192, 112, 128
LIVENESS_BOX_SCALE = 2.7
# Eyes, nose tip and mouth corners in a 112 px crop: the template ArcFace models are trained on.
ARCFACE_POINTS = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
)


@dataclass(frozen=True)
class Face:
    """One detected face in pixels of its picture: box (x0, y0, x1, y1), six key points (6, 2), score 0..1."""

    box: NDArray[np.float32]
    points: NDArray[np.float32]
    score: float


def detection_input(rgb: Pixels) -> NDArray[np.float32]:
    """(1, 128, 128, 3) in -1..1: the whole picture, letterboxed to a square."""
    height, width = rgb.shape[:2]
    side = max(height, width)
    square = np.zeros((side, side, 3), np.uint8)
    top, left = (side - height) // 2, (side - width) // 2
    square[top : top + height, left : left + width] = rgb
    way = cv2.INTER_AREA if side > DETECTION_PX else cv2.INTER_LINEAR
    small = cv2.resize(square, (DETECTION_PX, DETECTION_PX), interpolation=way)
    return np.asarray(((small.astype(np.float32) - 127.5) / 127.5)[None], np.float32)


def detect(rgb: Pixels, infer: Infer, threshold: float = 0.5) -> list[Face]:
    """Faces of a picture, best first. `infer` answers [boxes (1, 896, 16), scores (1, 896, 1)]."""
    height, width = rgb.shape[:2]
    side = max(height, width)
    corner = np.array([(side - width) // 2, (side - height) // 2], np.float32)
    raw, logits = infer(detection_input(rgb))
    scores = np.asarray(1 / (1 + np.exp(-np.clip(logits[0, :, 0], -80, 80))), np.float32)
    keep = np.flatnonzero(scores > threshold)
    if not len(keep):
        return []
    anchors = _anchors()[keep]
    values = raw[0, keep] / DETECTION_PX
    centre, size = values[:, :2] + anchors, values[:, 2:4]
    boxes = np.asarray(np.hstack([centre - size / 2, centre + size / 2]) * side - np.tile(corner, 2), np.float32)
    points = (values[:, 4:].reshape(-1, 6, 2) + anchors[:, None]) * side - corner
    return _merge(boxes, points, scores[keep])


def mesh(rgb: Pixels, face: Face, infer: Infer) -> NDArray[np.float32]:
    """468 points (468, 2) in the picture's pixels. `infer` answers [points, presence]."""
    crop, matrix = landmarks_crop(rgb, face)
    points = infer(np.asarray(crop[None] / np.float32(255), np.float32))[0].reshape(-1, 3)[:, :2]
    back = cv2.invertAffineTransform(matrix)
    return np.asarray(points @ back[:, :2].T + back[:, 2], np.float32)


def landmarks_crop(rgb: Pixels, face: Face) -> tuple[Pixels, NDArray[np.float64]]:
    """(192, 192, 3), the box x 1.5 turned so that the eyes are level; and the matrix picture -> crop."""
    centre = (face.box[:2] + face.box[2:]) / 2
    side = 1.5 * float(max(face.box[2] - face.box[0], face.box[3] - face.box[1]))
    across = face.points[1] - face.points[0]
    degrees = float(np.degrees(np.arctan2(across[1], across[0])))
    matrix = cv2.getRotationMatrix2D((float(centre[0]), float(centre[1])), degrees, LANDMARKS_PX / side)
    matrix[:, 2] += LANDMARKS_PX / 2 - centre
    return np.asarray(cv2.warpAffine(rgb, matrix, (LANDMARKS_PX, LANDMARKS_PX)), np.uint8), matrix


def align(rgb: Pixels, points: NDArray[np.float32]) -> Pixels:
    """(112, 112, 3): the face of a mesh (468, 2) brought onto the ArcFace template by a similarity."""
    five = np.stack(
        [points[[33, 133]].mean(0), points[[362, 263]].mean(0), points[1], points[61], points[291]]
    ).astype(np.float64)
    warped = cv2.warpAffine(rgb, _similarity(five, ARCFACE_POINTS), (EMBEDDING_PX, EMBEDDING_PX))
    return np.asarray(warped, np.uint8)


def liveness_crop(rgb: Pixels, face: Face) -> Pixels:
    """(128, 128, 3) RGB: a square of 2.7 times the box, clipped to the picture, so what is round the face shows."""
    height, width = rgb.shape[:2]
    box_width, box_height = face.box[2] - face.box[0], face.box[3] - face.box[1]
    scale = min((height - 1) / box_height, (width - 1) / box_width, LIVENESS_BOX_SCALE)
    centre = (face.box[:2] + face.box[2:]) / 2
    half = np.array([box_width, box_height]) * scale / 2
    low, high = centre - half, centre + half
    # Move the window inside rather than cut it: the net was trained on windows of one scale.
    low, high = low - np.minimum(low, 0), high - np.minimum(low, 0)
    over = np.maximum(high - np.array([width - 1, height - 1]), 0)
    left, top = np.maximum(low - over, 0).astype(int)
    right, bottom = (high - over).astype(int)
    crop = rgb[top : bottom + 1, left : right + 1]
    return np.asarray(cv2.resize(crop, (LIVENESS_PX, LIVENESS_PX)), np.uint8)


def _anchors() -> NDArray[np.float32]:
    """(896, 2): BlazeFace short range looks from 16x16 places twice and from 8x8 places six times."""
    grid = [
        ((x + 0.5) / cells, (y + 0.5) / cells)
        for cells, times in ((16, 2), (8, 6))
        for y in range(cells)
        for x in range(cells)
        for _ in range(times)
    ]
    return np.array(grid, np.float32)


def _merge(boxes: NDArray[np.float32], points: NDArray[np.float32], scores: NDArray[np.float32]) -> list[Face]:
    """Overlapping answers become one, weighted by their scores."""
    faces: list[Face] = []
    left = np.argsort(-scores)
    while len(left):
        best = boxes[left[0]]
        low, high = np.maximum(boxes[left, :2], best[:2]), np.minimum(boxes[left, 2:], best[2:])
        common = np.prod(np.maximum(high - low, 0), axis=1)
        areas = np.prod(boxes[left, 2:] - boxes[left, :2], axis=1)
        same = common / (areas + np.prod(best[2:] - best[:2]) - common + 1e-9) > 0.3
        group = left[same]
        weight = scores[group] / scores[group].sum()
        faces.append(
            Face(
                (boxes[group] * weight[:, None]).sum(0).astype(np.float32),
                (points[group] * weight[:, None, None]).sum(0).astype(np.float32),
                float(scores[left[0]]),
            )
        )
        left = left[~same]
    return faces


def _similarity(source: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
    """(2, 3): the least-squares rotation, scale and shift (Umeyama 1991)."""
    mean_s, mean_t = source.mean(0), target.mean(0)
    s, t = source - mean_s, target - mean_t
    u, singular, vt = np.linalg.svd(t.T @ s / len(s))
    sign = np.array([1.0, np.sign(np.linalg.det(u) * np.linalg.det(vt))])
    rotation = u @ np.diag(sign) @ vt
    scale = (singular * sign).sum() / (s**2).sum() * len(s)
    return np.hstack([scale * rotation, (mean_t - scale * rotation @ mean_s)[:, None]])
