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
from edge.vision.answers import answers
from edge.vision.detect import Face

CROP_SCALE = 1.5  # the net was trained on boxes this much enlarged

# Indices of the mesh (its topology is fixed).  Right and left are the person's own.
RIGHT_EYE = (33, 133)  # outer and inner corner
LEFT_EYE = (263, 362)
NOSE_TIP = 1
MOUTH = (61, 291)  # right and left corner
_FIVE = np.array([RIGHT_EYE[0], LEFT_EYE[0], NOSE_TIP, *MOUTH, RIGHT_EYE[1], LEFT_EYE[1]])
_LIDS = np.array([[160, 159, 158, 387, 386, 385], [144, 145, 153, 373, 374, 380]])  # upper, lower; right eye first
_CORNERS = np.array([[33, 263], [133, 362]])  # outer, inner; right eye first
_LIPS = np.array([[82, 13, 312], [87, 14, 317]])  # inner edges: upper, lower
# Pairs that lie level and midline points that lie plumb in a face that looks ahead; many, so that no expression tilts
# the whole: eye corners, temples, cheeks, jaw; forehead to chin, between the brows to below the lip.
_LEVEL = np.array([[33, 133, 127, 234, 93, 58], [263, 362, 356, 454, 323, 288]])
_PLUMB = np.array([[10, 151, 9], [152, 199, 175]])
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
        across = np.ascontiguousarray(self.points[:, :2].T)
        return np.concatenate([across.min(axis=1), across.max(axis=1)])

    @cached_property
    def detector_box(self) -> Floats:
        """float32 (4,): about the box that the detector would give, a square from the brows to the chin."""
        x, y = self.centre
        half = self.width_px / 2
        return np.array([x - half, y - half, x + half, y + half], np.float32)

    @cached_property
    def width_px(self) -> float:
        """Of the detector's box."""
        left, top, right, bottom = self.box.tolist()
        return _BOX_SHARE * float(max(right - left, bottom - top))

    @cached_property
    def centre(self) -> tuple[float, float]:
        """Of the detector's box."""
        left, top, right, bottom = self.box.tolist()
        return (left + right) / 2, (top + bottom) / 2 + _BOX_DROP / _BOX_SHARE * self.width_px

    @property
    def five(self) -> Floats:
        """float32 (5, 2): eyes, nose tip, mouth corners; in the picture from left to right."""
        five = self.points.take(_FIVE, axis=0)[:, :2]
        five[:2] = (five[:2] + five[5:]) / 2
        return np.ascontiguousarray(five[:5])


@dataclass(frozen=True, slots=True)
class Pose:
    """Degrees.  Positive yaw is to the person's own left, positive pitch up, roll clockwise in the picture."""

    yaw_deg: float
    pitch_deg: float
    roll_deg: float


class Landmarker:
    """The mesh behind `Net`: outputs points (1404 values in crop pixels) and the logit of a face's presence.

    Raises ModelError when one of them is no number.
    """

    def __init__(self, net: Net) -> None:
        self._net = net

    def at_face(self, rgb: Pixels, face: Face) -> Mesh:
        """The mesh of a face that the detector found."""
        across = face.points[1] - face.points[0]
        side = max(face.width_px, float(face.box[3] - face.box[1]))
        return self._at(rgb, face.centre, side, math.degrees(math.atan2(across[1], across[0])))

    def again(self, rgb: Pixels, last: Mesh) -> Mesh:
        """The mesh of a face that was at ``last`` a frame ago; no detector needed."""
        left, top, right, bottom = last.box.tolist()
        across = last.points[LEFT_EYE[0]] - last.points[RIGHT_EYE[0]]
        centre, side = ((left + right) / 2, (top + bottom) / 2), max(right - left, bottom - top)
        return self._at(rgb, centre, side, math.degrees(math.atan2(across[1], across[0])))

    def _at(self, rgb: Pixels, centre: tuple[float, float], side_px: float, roll_deg: float) -> Mesh:
        size = self._net.spec.input_size_px
        matrix = geometry.square_crop(centre, max(side_px, 8.0) * CROP_SCALE, roll_deg, size)
        raw, logit = answers(self._net, geometry.warp(rgb, matrix, size))
        presence = 1 / (1 + math.exp(-min(max(float(logit.reshape(-1)[0]), -60.0), 60.0)))
        return Mesh(geometry.apply_in_space(geometry.invert(matrix), raw.reshape(-1, 3)), presence)


def pose(points: Floats) -> Pose:
    """Which way the face of a mesh (468, 3) looks, from its level and plumb lines.

    Zero is where the mesh of a face that looks ahead has them; single faces differ by some degrees, so judge
    movements against the person's own neutral.
    """
    level, plumb = _direction(points, _LEVEL), _direction(points, _PLUMB)
    lean = sum(a * b for a, b in zip(level, plumb, strict=True))
    plumb = [b - a * lean for a, b in zip(level, plumb, strict=True)]
    yaw = math.atan2(level[2], math.hypot(level[0], level[1]))
    pitch = math.atan2(-plumb[2], math.hypot(plumb[0], plumb[1]))
    roll = math.atan2(level[1], level[0])
    return Pose(math.degrees(yaw), math.degrees(pitch) - _LEVEL_PITCH_DEG, math.degrees(roll))


def eye_openness(points: Floats) -> float:
    """Height by width of the lids, mean of both eyes: about 0.3 when open, 0.1 when shut."""
    heights, (right, left) = _distances(points, _LIDS), _distances(points, _CORNERS)
    return (sum(heights[:3]) / max(right, 1e-6) + sum(heights[3:]) / max(left, 1e-6)) / 6


def mouth_openness(points: Floats) -> float:
    """The gap between the inner lips, in distances between the outer eye corners: 0 shut, about 0.4 wide open."""
    apart = math.dist(points[RIGHT_EYE[0]].tolist(), points[LEFT_EYE[0]].tolist())
    return sum(_distances(points, _LIPS)) / 3 / max(apart, 1e-6)


def mouth_width(points: Floats) -> float:
    """From corner to corner of the mouth, in distances between the outer eye corners: about 0.6 at rest."""
    right, left = (points[each].tolist() for each in MOUTH)
    apart = math.dist(points[RIGHT_EYE[0]].tolist(), points[LEFT_EYE[0]].tolist())
    return math.dist(right, left) / max(apart, 1e-6)


def _across(points: Floats, pairs: NDArray[np.int_]) -> Floats:
    """float32 (N, 3): from the first to the second of each pair; ``pairs`` (2, N)."""
    return np.asarray(points.take(pairs[1], axis=0) - points.take(pairs[0], axis=0), np.float32)


def _distances(points: Floats, pairs: NDArray[np.int_]) -> list[float]:
    return [math.hypot(*vector) for vector in _across(points, pairs).tolist()]


def _direction(points: Floats, pairs: NDArray[np.int_]) -> list[float]:
    """The unit vector along which the pairs lie together."""
    total = _across(points, pairs).sum(axis=0, dtype=np.float64).tolist()
    length = max(math.hypot(*total), 1e-9)
    return [part / length for part in total]
