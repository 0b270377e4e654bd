"""Does what is beside the face come along with it, as a sheet does, or stay, as a wall behind a head does?

Between two frames of a track in which the face has moved, corners beside the head (at its height, beyond hair, above
shoulders) are followed by optical flow and held against two answers: moved as the face did, or not at all.  A picture
cut out along the head, or one on a stand, stays like a wall; what is in a hand comes along.
"""

from statistics import median

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.ports import Floats, Pixels
from edge.vision import geometry
from edge.vision.landmarks import Mesh

_FACE_PX = 80  # the strip beside the face is seen at this width of the face: corners of a few pixels are enough
_NEAR, _FAR = 0.85, 1.5  # from the face's centre, in face widths: beyond most hair
_ABOVE, _BELOW = 0.7, 0.35
_EVERY = 5  # frames: a third of a second or less
_LONGEST = 40  # frames after which the earlier one is taken anew, moved or not
_MOVED = 0.02  # face widths: three times the mesh's own trembling
_LEAST_CORNERS = 5
LEAST_PAIRS = 4  # of two pairs one may be somebody who walks by
# Eye corners, temples, forehead, bridge, cheeks: what a chin that talks does not move.
_RIGID = np.array([33, 133, 362, 263, 127, 356, 10, 109, 338, 151, 9, 168, 197, 117, 346])


class BackdropWatch:
    """One track: feed it every frame; `stays` is None until the face has moved often enough."""

    def __init__(self) -> None:
        self._earlier: tuple[Mesh, geometry.Matrix, NDArray[np.uint8]] | None = None
        self._age = 0
        self._shares: list[float] = []

    @property
    def stays(self) -> float | None:
        """0: what is beside the face moves with it; 1: it stays.  The median over pairs of frames."""
        return median(self._shares) if len(self._shares) >= LEAST_PAIRS else None

    def step(self, rgb: Pixels, mesh: Mesh) -> None:
        self._age += 1
        if self._earlier is None:
            self._take(rgb, mesh)
        elif self._age % _EVERY == 0:
            before, matrix, strip = self._earlier
            flow = geometry.umeyama(before.points[_RIGID, :2], mesh.points[_RIGID, :2])
            if self._age >= _LONGEST or _reach(before, flow) >= _MOVED:
                share = _compare(strip, _strip(rgb, matrix), matrix, flow)
                if share is not None:
                    self._shares.append(share)
                self._take(rgb, mesh)

    def _take(self, rgb: Pixels, mesh: Mesh) -> None:
        matrix = _window(mesh)
        self._earlier, self._age = (mesh, matrix, _strip(rgb, matrix)), 0


def _window(mesh: Mesh) -> geometry.Matrix:
    box = mesh.detector_box.astype(np.float64)
    scale = _FACE_PX / max(float(box[2] - box[0]), 1.0)
    centre_x, centre_y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    return np.array(
        [[scale, 0, _FAR * _FACE_PX - scale * centre_x], [0, scale, _ABOVE * _FACE_PX - scale * centre_y]]
    )


def _strip(rgb: Pixels, matrix: geometry.Matrix) -> NDArray[np.uint8]:
    size = (round(2 * _FAR * _FACE_PX), round((_ABOVE + _BELOW) * _FACE_PX))
    cut = cv2.warpAffine(rgb, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    return np.asarray(cv2.cvtColor(cut, cv2.COLOR_RGB2GRAY), np.uint8)


def _reach(before: Mesh, flow: geometry.Matrix) -> float:
    """How far the face's own movement would carry the points beside it, in face widths."""
    box = before.detector_box
    width, middle = max(float(box[2] - box[0]), 1.0), (box[:2] + box[2:]) / 2
    beside = (middle + np.array([[-1.2 * width, 0], [1.2 * width, 0]])).astype(np.float32)
    return float(np.linalg.norm(geometry.apply(flow, beside) - beside, axis=1).mean()) / width


def _compare(
    before: NDArray[np.uint8], after: NDArray[np.uint8], matrix: geometry.Matrix, flow: geometry.Matrix
) -> float | None:
    """0: the corners moved as the face did, 1: not at all; None with too few that should have."""
    beside = np.zeros_like(before)
    inner = round((_FAR - _NEAR) * _FACE_PX)
    beside[:, :inner] = beside[:, -inner:] = 255
    corners = cv2.goodFeaturesToTrack(before, 40, 0.02, 4, mask=beside)
    if corners is None or len(corners) < _LEAST_CORNERS:
        return None
    start: Floats = np.asarray(corners, np.float32)
    end, found = _follow(before, after, start)
    back, found_back = _follow(after, before, end)
    kept = found & found_back & (np.linalg.norm(back - start, axis=2)[:, 0] < 0.5)
    there = geometry.apply(geometry.invert(matrix), start[kept, 0])
    carried = geometry.apply(matrix, geometry.apply(flow, there))
    moved = np.linalg.norm(carried - start[kept, 0], axis=1)
    clear = moved > _MOVED * _FACE_PX
    if clear.sum() < _LEAST_CORNERS:
        return None
    from_carried = np.linalg.norm(end[kept, 0] - carried, axis=1)[clear]
    from_still = np.linalg.norm(end[kept, 0] - start[kept, 0], axis=1)[clear]
    return float(np.median(from_carried / (from_carried + from_still + 1e-3)))


def _follow(before: NDArray[np.uint8], after: NDArray[np.uint8], points: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    end, found, _ = cv2.calcOpticalFlowPyrLK(before, after, points, points.copy(), winSize=(11, 11), maxLevel=2)
    return np.asarray(end, np.float32), np.asarray(found[:, 0] > 0)
