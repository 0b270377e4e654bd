"""Faces of a whole frame: BlazeFace (short range, 128 px), decoded.

It sees the frame at 128 pixels, so a face narrower than about a tenth of the frame is missed.
"""

from dataclasses import dataclass

import numpy as np

from edge.ports import Floats, Net, Pixels
from edge.vision import geometry


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
        """All faces, the largest first, in the pixels of ``rgb``; looks at ``small``, the same scene, if given."""
        seen = rgb if small is None else small
        size = self._net.spec.input_size_px
        crop, matrix = geometry.letterbox(seen, size)
        boxes, logits = self._net.run(crop)
        keep = np.flatnonzero(logits.reshape(-1) > self._least_logit)
        if not keep.size:
            return []
        scores = np.asarray(1 / (1 + np.exp(-logits.reshape(-1)[keep])), np.float32)
        places = boxes.reshape(-1, 16)[keep].reshape(-1, 8, 2).copy()
        places[:, [0, 2, 3, 4, 5, 6, 7]] += self._anchors[keep, None]
        half = places[:, 1] / 2
        places[:, 1] = places[:, 0] + half
        places[:, 0] -= half
        to_picture = geometry.invert(matrix)
        if small is not None:
            to_picture = to_picture * np.array([[rgb.shape[1] / seen.shape[1]], [rgb.shape[0] / seen.shape[0]]])
        faces = _merge(geometry.apply(to_picture, places), scores, self._same_face_iou)
        return sorted(faces, key=lambda face: -face.width_px)


def iou(one: Floats, many: Floats) -> Floats:
    """Intersection over union of a box (4,) with boxes (N, 4): float32 (N,)."""
    low, high = np.maximum(many[:, :2], one[:2]), np.minimum(many[:, 2:], one[2:])
    common = np.prod(np.maximum(high - low, 0), axis=1)
    areas = np.prod(many[:, 2:] - many[:, :2], axis=1)
    return np.asarray(common / np.maximum(areas + np.prod(one[2:] - one[:2]) - common, 1e-9), np.float32)


def _anchors(size_px: int) -> Floats:
    """(896, 2) in crop pixels: from each of 16x16 places the net answers twice, from each of 8x8 six times."""

    def centres(cells: int, times: int) -> Floats:
        along = (np.arange(cells, dtype=np.float32) + 0.5) * size_px / cells
        x, y = np.meshgrid(along, along)
        return np.repeat(np.stack([x, y], axis=-1).reshape(-1, 2), times, axis=0)

    return np.concatenate([centres(16, 2), centres(8, 6)])


def _merge(places: Floats, scores: Floats, same_face_iou: float) -> list[Face]:
    """Overlapping answers become one face, averaged by their scores (non-maximum suppression, weighted)."""
    boxes = places[:, :2].reshape(-1, 4)
    faces, free = [], np.ones(len(scores), bool)
    for best in np.argsort(-scores):
        if not free[best]:
            continue
        group = free & (iou(boxes[best], boxes) > same_face_iou)
        group[best] = True
        free &= ~group
        weights = scores[group] / scores[group].sum()
        place = np.asarray(weights @ places[group].reshape(-1, 16), np.float32).reshape(8, 2)
        faces.append(Face(place[:2].reshape(4), place[2:], float(scores[best])))
    return faces
