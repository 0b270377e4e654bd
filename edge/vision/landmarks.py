"""468 points of one face (MediaPipe's face mesh), and what follows from their places alone.

The crop is the face's box times 1.5, turned so that the eyes are level.  A crop without a face gets a low presence.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from edge.ports import Floats, Net, Pixels
from edge.vision import geometry
from edge.vision.detect import Face

CROP_SCALE = 1.5  # the net was trained on boxes this much enlarged

# Indices of the mesh (its topology is fixed).  Right and left are the person's own.
RIGHT_EYE = (33, 133)  # outer and inner corner
LEFT_EYE = (263, 362)
NOSE_TIP = 1
MOUTH = (61, 291)  # right and left corner
_RIGHT_LIDS = np.array([[160, 144], [159, 145], [158, 153]])  # upper, lower
_LEFT_LIDS = np.array([[387, 373], [386, 374], [385, 380]])
_LIPS = np.array([[82, 87], [13, 14], [312, 317]])  # inner edges: upper, lower
# Pairs that lie level and midline points that lie plumb in a face that looks ahead; many, so that no expression tilts
# the whole: eye corners, temples, cheeks, jaw; forehead to chin, between the brows to below the lip.
_LEVEL = np.array([[33, 263], [133, 362], [127, 356], [234, 454], [93, 323], [58, 288]])
_PLUMB = np.array([[10, 152], [151, 199], [9, 175]])
# The chin of a mesh stands a little before its forehead: the median of 767 photos of people who look ahead, roughly.
_LEVEL_PITCH_DEG = -4.0
# A detector's box from a mesh's: median over the same photos.
_BOX_SHARE, _BOX_DROP = 0.94, 0.048


@dataclass(frozen=True, eq=False)
class Mesh:
    """``points`` float32 (468, 3): x, y in the frame's pixels, z as large as x, smaller is nearer; presence 0..1."""

    points: Floats
    presence: float

    @cached_property
    def box(self) -> Floats:
        """float32 (4,): the smallest upright box round all points."""
        x, y = np.ascontiguousarray(self.points[:, :2].T)
        return np.array([x.min(), y.min(), x.max(), y.max()], np.float32)

    @cached_property
    def detector_box(self) -> Floats:
        """float32 (4,): about the box that the detector would give, a square from the brows to the chin."""
        box = self.box
        side = float((box[2:] - box[:2]).max())
        centre = (box[:2] + box[2:]) / 2 + np.array([0.0, _BOX_DROP * side], np.float32)
        half = np.float32(_BOX_SHARE * side / 2)
        return np.asarray(np.concatenate([centre - half, centre + half]), np.float32)

    @property
    def five(self) -> Floats:
        """float32 (5, 2): eyes, nose tip, mouth corners; in the picture from left to right."""
        flat = self.points[:, :2]
        eyes = flat[[RIGHT_EYE, LEFT_EYE]].mean(1)
        return np.asarray(np.concatenate([eyes, flat[[NOSE_TIP, *MOUTH]]]), np.float32)


@dataclass(frozen=True, slots=True)
class Pose:
    """Degrees.  Positive yaw is to the person's own left, positive pitch up, roll clockwise in the picture."""

    yaw_deg: float
    pitch_deg: float
    roll_deg: float


class Landmarker:
    """The mesh behind `Net`: outputs points (1404 values in crop pixels) and the logit of a face's presence."""

    def __init__(self, net: Net) -> None:
        self._net = net

    def at_face(self, rgb: Pixels, face: Face) -> Mesh:
        """The mesh of a face that the detector found."""
        across = face.points[1] - face.points[0]
        side = max(face.width_px, float(face.box[3] - face.box[1]))
        return self._at(rgb, face.centre, side, math.degrees(math.atan2(across[1], across[0])))

    def again(self, rgb: Pixels, last: Mesh) -> Mesh:
        """The mesh of a face that was at ``last`` a frame ago; no detector needed."""
        box = last.box
        across = last.points[LEFT_EYE[0]] - last.points[RIGHT_EYE[0]]
        centre = float(box[0] + box[2]) / 2, float(box[1] + box[3]) / 2
        side = float(max(box[2] - box[0], box[3] - box[1]))
        return self._at(rgb, centre, side, math.degrees(math.atan2(across[1], across[0])))

    def _at(self, rgb: Pixels, centre: tuple[float, float], side_px: float, roll_deg: float) -> Mesh:
        size = self._net.spec.input_size_px
        matrix = geometry.square_crop(centre, max(side_px, 8.0) * CROP_SCALE, roll_deg, size)
        raw, logit = self._net.run(geometry.warp(rgb, matrix, size))
        points = raw.reshape(-1, 3)
        flat = geometry.apply(geometry.invert(matrix), points[:, :2])
        depth = points[:, 2:] / np.float32(geometry.scale_of(matrix))
        presence = 1 / (1 + math.exp(-min(max(float(logit.reshape(-1)[0]), -60.0), 60.0)))
        return Mesh(np.concatenate([flat, depth], axis=1), presence)


def pose(points: Floats) -> Pose:
    """Which way the face of a mesh (468, 3) looks, from its level and plumb lines.

    Zero is where the mesh of a face that looks ahead has them; single faces differ by some degrees, so judge
    movements against the person's own neutral.
    """
    level = _direction(points[_LEVEL[:, 1]] - points[_LEVEL[:, 0]])
    plumb = _direction(points[_PLUMB[:, 1]] - points[_PLUMB[:, 0]])
    plumb -= level * float(level @ plumb)
    yaw = math.atan2(level[2], math.hypot(level[0], level[1]))
    pitch = math.atan2(-plumb[2], math.hypot(plumb[0], plumb[1]))
    roll = math.atan2(level[1], level[0])
    return Pose(math.degrees(yaw), math.degrees(pitch) - _LEVEL_PITCH_DEG, math.degrees(roll))


def eye_openness(points: Floats) -> float:
    """Height by width of the lids, mean of both eyes: about 0.3 when open, 0.1 when shut."""
    return (_openness(points, _RIGHT_LIDS, RIGHT_EYE) + _openness(points, _LEFT_LIDS, LEFT_EYE)) / 2


def mouth_openness(points: Floats) -> float:
    """The gap between the inner lips, in distances between the outer eye corners: 0 shut, about 0.4 wide open."""
    return _mean_distance(points, _LIPS) / max(math.dist(points[RIGHT_EYE[0]], points[LEFT_EYE[0]]), 1e-6)


def _openness(points: Floats, lids: NDArray[np.int_], corners: tuple[int, int]) -> float:
    return _mean_distance(points, lids) / max(math.dist(points[corners[0]], points[corners[1]]), 1e-6)


def _mean_distance(points: Floats, pairs: NDArray[np.int_]) -> float:
    apart = points[pairs[:, 0]] - points[pairs[:, 1]]
    return float(np.sqrt(np.einsum("ij,ij->i", apart, apart)).sum()) / len(pairs)


def _direction(vectors: Floats) -> NDArray[np.float64]:
    total = vectors.astype(np.float64).sum(0)
    return np.asarray(total / max(float(np.linalg.norm(total)), 1e-9))
