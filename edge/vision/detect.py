"""Faces of a whole frame: BlazeFace (short range, 128 px), decoded.

It sees the frame at 128 pixels, so a face narrower than about a tenth of the frame is missed.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from edge.ports import Floats, Net, Pixels
from edge.vision import geometry
from edge.vision.answers import answers


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """A detected face in the frame's pixels.

    ``box`` float32 (4,): x0, y0, x1, y1, about from the brows to the chin.  ``points`` float32 (6, 2): right eye,
    left eye, nose tip, mouth, right ear, left ear; right and left are the person's own.
    """

    box: Floats
    points: Floats
    score: float

    @property
    def width_px(self) -> float:
        return float(self.box[2] - self.box[0])

    @property
    def centre(self) -> tuple[float, float]:
        return float(self.box[0] + self.box[2]) / 2, float(self.box[1] + self.box[3]) / 2


class Detector:
    """BlazeFace behind `Net`: outputs boxes (1, 896, 16) and logits (1, 896, 1)."""

    def __init__(self, net: Net, least_score: float = 0.5, same_face_iou: float = 0.3) -> None:
        self._net = net
        self._least_logit = float(np.log(least_score / (1 - least_score)))
        self._same_face_iou = same_face_iou
        self._anchors = _anchors(net.spec.input_size_px)

    def find(self, rgb: Pixels, small: Pixels | None = None) -> list[Face]:
        """All faces, the largest first, in the pixels of ``rgb``; looks at ``small``, the same scene, if given.

        Raises ModelError when the net answers with a number that is none.
        """
        seen = rgb if small is None else small
        size = self._net.spec.input_size_px
        crop, matrix = geometry.letterbox(seen, size)
        boxes, logits = answers(self._net, crop)
        keep = np.flatnonzero(logits.reshape(-1) > self._least_logit)
        if not keep.size:
            return []
        scores = [1 / (1 + math.exp(-logit)) for logit in logits.reshape(-1)[keep].tolist()]
        places = boxes.reshape(-1, 8, 2).take(keep, axis=0) + self._anchors.take(keep, axis=0)
        half = places[:, 1] / 2
        places[:, 1] = places[:, 0] + half
        places[:, 0] -= half
        to_picture = geometry.invert(matrix)
        if small is not None:
            to_picture = to_picture * np.array([[rgb.shape[1] / seen.shape[1]], [rgb.shape[0] / seen.shape[0]]])
        faces = _merge(cv2.transform(places, to_picture).reshape(-1, 16), scores, self._same_face_iou)
        return sorted(faces, key=lambda face: -face.width_px)


def iou(one: Sequence[float], other: Sequence[float]) -> float:
    """Intersection over union of two boxes of x0, y0, x1, y1."""
    (left, top, right, bottom), (x0, y0, x1, y1) = one, other
    common = max(min(right, x1) - max(left, x0), 0.0) * max(min(bottom, y1) - max(top, y0), 0.0)
    either = (right - left) * (bottom - top) + (x1 - x0) * (y1 - y0) - common
    return common / max(either, 1e-9)


def _anchors(size_px: int) -> Floats:
    """(896, 8, 2) in crop pixels: what an answer's centre, size and six points are told against.

    From each of 16x16 places the net answers twice, from each of 8x8 six times; sizes stand for themselves.
    """

    def centres(cells: int, times: int) -> Floats:
        along = (np.arange(cells, dtype=np.float32) + 0.5) * size_px / cells
        x, y = np.meshgrid(along, along)
        return np.repeat(np.stack([x, y], axis=-1).reshape(-1, 2), times, axis=0)

    anchors = np.repeat(np.concatenate([centres(16, 2), centres(8, 6)])[:, None], 8, axis=1)
    anchors[:, 1] = 0
    return anchors


def _merge(places: Floats, scores: list[float], same_face_iou: float) -> list[Face]:
    """Overlapping answers become one face, averaged by their scores (non-maximum suppression, weighted)."""
    boxes = places[:, :4].tolist()
    free = sorted(range(len(scores)), key=lambda one: -scores[one])
    faces = []
    while free:
        best = free[0]
        group = [best, *(one for one in free[1:] if iou(boxes[best], boxes[one]) > same_face_iou)]
        free = [one for one in free if one not in group]
        weights = np.array([scores[one] for one in group], np.float32)
        place = weights @ places.take(group, axis=0) / weights.sum()
        faces.append(Face(place[:4], place[4:].reshape(6, 2), scores[best]))
    return faces
