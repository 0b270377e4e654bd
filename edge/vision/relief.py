"""Does the face move like a head, or like a sheet?  From the mesh's points in the picture alone.

Between two views of a flat picture all points move by one map of the plane (nearly affine at arm's length).  A head's
do not: what stands out, the nose, moves against what lies back, the temples.  For each frame the best affine map from
a reference frame of the track is taken out; what is left, measured along the depth that all heads have, is the
*parallax* (the sine of the head's turn between both, for a head), and how much the map is foreshortened is the
*tilt* (the angle through which a plane must have turned).  A head that turns shows both alike; a sheet shows tilt
and little parallax.

The mesh net wants to see a head even in a tilted photo: there it invents about a quarter of a head's parallax (0.24
of it at 16 to 30 degrees on 22 simulated photos, models/TRIED-liveness.md) and turns its own depth along with it, so
the net's yaw is never used here.
A film on a screen shows the parallax of the head that was filmed: relief speaks against pictures that do not move
in themselves, and for nobody.
"""

import math

import numpy as np
from numpy.typing import NDArray

from edge.vision.landmarks import Mesh

# Points that stay where they are when somebody talks or frowns: eye corners, temples, forehead, the bridge, tip and
# wings of the nose, upper cheeks.  Chin and jaw move with the mouth.
_POINTS = np.array([33, 133, 362, 263, 127, 356, 234, 454, 10, 109, 338, 151, 9, 8, 168, 6, 197, 195, 5, 4, 1, 2,
                    98, 327, 48, 278, 50, 280, 117, 346])  # fmt: skip
# Their depth in distances between the outer eye corners, larger is further back: the mean of 100 frontal meshes (NUAA
# and LFW development photos), made symmetric; from head to head it differs by 0.01 to 0.06.
_DEPTH = np.array([0.11, 0.05, 0.05, 0.11, 0.66, 0.66, 0.71, 0.71, -0.07, -0.06, -0.06, -0.11, -0.15, -0.13, -0.13,
                   -0.18, -0.24, -0.3, -0.36, -0.39, -0.37, -0.2, -0.11, -0.11, -0.19, -0.19, 0.04, 0.04, 0.11, 0.11
                   ])  # fmt: skip
_RIGHT, _LEFT = 0, 3  # rows of the outer eye corners

LEAST_TILT = math.sin(math.radians(25.0))  # brows and smiles of a talking man make up to 18 degrees of it
LEAST_PARALLAX = 0.2  # a head turned by 12 degrees; a sheet would have to turn by 55
LEAST_FRAMES = 5  # with enough movement: one mesh that jumps is no movement
REFERENCE_FRAMES = 8  # their mean is the reference: one frame may hold a blink or a syllable


class ReliefWatch:
    """The relief of one track: feed it every mesh, `relief` is None until enough movement was seen."""

    def __init__(self) -> None:
        self._reference: tuple[NDArray[np.float64], NDArray[np.float64], float] | None = None
        self._calm: list[NDArray[np.float64]] = []
        self._parallax = self._plane = 0.0
        self._frames = 0

    def step(self, mesh: Mesh, *, calm: bool) -> float | None:
        """Take in one frame; ``calm``: the face looks ahead and holds still, so it may be the reference."""
        points = mesh.points[_POINTS, :2].astype(np.float64)
        if self._reference is None:
            if calm:
                self._calm.append(points)
            if len(self._calm) == REFERENCE_FRAMES:
                self._reference = _reference(np.mean(self._calm, axis=0))
            return None
        parallax, tilt = self._compare(points)
        if tilt >= LEAST_TILT or parallax >= LEAST_PARALLAX:
            self._frames += 1
            self._parallax += parallax**2
            self._plane += max(tilt, parallax) ** 2
        return self.relief

    @property
    def relief(self) -> float | None:
        """About 0 to 0.4 for a sheet, 0.5 to 1 for a head; None until enough movement was seen."""
        if self._frames < LEAST_FRAMES:
            return None
        return math.sqrt(self._parallax / self._plane)

    def _compare(self, points: NDArray[np.float64]) -> tuple[float, float]:
        if self._reference is None:
            return 0.0, 0.0
        solve, centre, size = self._reference
        (a, b), (c, d), _, (x, y) = (solve @ ((points - centre) / size)).tolist()
        # Singular values of the 2x2 map: their ratio is the cosine of the plane's turn.
        half_sum, half_difference = math.hypot(a + d, b - c) / 2, math.hypot(a - d, b + c) / 2
        large, small = half_sum + half_difference, abs(half_sum - half_difference)
        scale = max(large, 1e-6)
        return math.hypot(x, y) / scale, math.sqrt(max(0.0, 1 - (small / scale) ** 2))


def _reference(points: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """A matrix (4, 30) from a later frame's points to: the affine map's three rows, and the parallax."""
    centre = points.mean(0)
    size = max(float(np.hypot(*(points[_LEFT] - points[_RIGHT]))), 1e-6)
    known = np.column_stack([(points - centre) / size, np.ones(len(points))])
    solve = np.linalg.pinv(known)
    beyond = _DEPTH - known @ (solve @ _DEPTH)
    return np.vstack([solve, beyond / (beyond @ beyond)]), np.asarray(centre, np.float64), size
