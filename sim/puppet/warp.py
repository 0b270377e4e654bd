"""One bust in one pose, drawn: turn the mesh in 3D, then look every pixel up in the texture.

The triangles are painted far to near as numbers; each number has the affine map back to the texture; one remap
fetches the colours.  A nose in front of a cheek therefore hides it, and the cost does not grow with the mesh.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.ports import Pixels
from sim.puppet import anatomy, lids
from sim.puppet.bust import CENTRE_PX, FACE_PX, Bust

EYE_DISTANCE = 4.5  # from the lens to the face, in face widths: about 70 cm

TEETH = 0.9  # how much of the teeth that the photo shows stay in view
TEARS_DEG = 6.0  # a turn beyond this shows what the photo does not
LEAN_TAKEN_BACK = 0.6  # all of it would uncover too much that the photo does not show


@dataclass(frozen=True, slots=True)
class Pose:
    """Where a person is and what the head does.

    ``x``, ``y`` are the face's centre and ``width`` the face box's width, all as shares of the frame (of its width,
    height, width).  Degrees: yaw positive to the person's own left, pitch up, roll towards their own left
    shoulder.  ``blink`` (right, left), ``mouth`` and ``brow`` are 0..1.
    """

    x: float = 0.5
    y: float = 0.42
    width: float = 0.30
    yaw_deg: float = 0.0
    pitch_deg: float = 0.0
    roll_deg: float = 0.0
    blink: tuple[float, float] = (0.0, 0.0)
    mouth: float = 0.0
    brow: float = 0.0


def draw(bust: Bust, pose: Pose, width_px: int, height_px: int) -> Pixels:
    """Premultiplied RGBA uint8 (height, width, 4): the person alone, transparent around."""
    scale = pose.width * width_px / FACE_PX
    shift = np.array(
        [pose.x * width_px - CENTRE_PX[0] * scale, pose.y * height_px - CENTRE_PX[1] * scale], np.float32
    )
    placed = _posed(bust, pose)
    flat = placed[:, :2] * scale + shift
    back_x, back_y = _body(scale, shift, width_px, height_px)
    left_empty = [outline * scale + shift for outline in bust.moving]
    _head(bust, flat.astype(np.float32), placed[:, 2], left_empty, back_x, back_y)
    texture = bust.texture
    if max(pose.blink) > 0.02:
        texture = lids.close(texture, bust.lids, pose.blink)
    if scale < 0.6:
        texture = cv2.GaussianBlur(texture, (0, 0), 0.45 / scale)
    out = cv2.remap(
        texture, back_x, back_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=(0, 0, 0, 0)
    )
    if abs(pose.yaw_deg) > TEARS_DEG:
        _smooth_edge(out, flat[:468], 0.022 * pose.width * width_px)
    if pose.mouth > 0.04:
        _mouth_inside(out, flat, bust.rest[:, :2], scale, pose.mouth)
    return np.asarray(out, np.uint8)


def _posed(bust: Bust, pose: Pose) -> NDArray[np.float32]:
    """(N, 3): the mesh with its expression, turned about the neck's joint, in the texture's pixels."""
    points = bust.rest.copy()
    calm = bust.at_rest
    open_eyes = calm.awake * (1 - max(pose.blink))
    face = anatomy.Face(pose.mouth, calm.lips * max(0.0, 1 - 3 * pose.mouth), pose.brow, open_eyes)
    points[:468] = anatomy.deform(bust.rest[:468], face)
    if pose.mouth:
        points[468:, 1] += anatomy.drag(bust.rest[468:], bust.rest[:468], pose.mouth)
    away = EYE_DISTANCE * bust.face_width_px
    local = points - bust.pivot
    # The photo was taken in perspective: undo it at rest, so that rest gives the photo back exactly.
    local[:, :2] *= ((away + points[:, 2]) / away)[:, None]
    lean = [min(max(angle * LEAN_TAKEN_BACK, -10.0), 10.0) for angle in bust.lean_deg]
    yaw, pitch, roll = np.radians([pose.yaw_deg - lean[0], pose.pitch_deg - lean[1], pose.roll_deg - lean[2]])
    cy, sy, cp, sp, cr, sr = np.cos(yaw), np.sin(yaw), np.cos(pitch), np.sin(pitch), np.cos(roll), np.sin(roll)
    about_y = np.array([[cy, 0, -sy], [0, 1, 0], [sy, 0, cy]])
    about_x = np.array([[1, 0, 0], [0, cp, sp], [0, -sp, cp]])
    about_z = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    turned = local @ (about_z @ about_y @ about_x).T
    mixed = local + (turned - local) * bust.follow[:, None]
    depth = mixed[:, 2] + bust.pivot[2]
    mixed[:, :2] *= (away / (away + depth))[:, None]
    mixed[:, :2] += bust.pivot[:2]
    mixed[:, 2] = depth
    return np.asarray(mixed, np.float32)


def _smooth_edge(out: Pixels, face: NDArray[np.float32], radius_px: float) -> None:
    """Round off the head's outline: where a turn stretches the photo's edge, its wiggles become teeth."""
    margin = 0.25 * np.ptp(face, axis=0)
    low = np.maximum((face.min(0) - margin).astype(int), 0)
    high = np.minimum((face.max(0) + margin).astype(int), (out.shape[1], out.shape[0]))
    if (high - low < 8).any():
        return
    view = out[low[1] : high[1], low[0] : high[0]]
    blurred = cv2.GaussianBlur(view, (0, 0), radius_px)
    band = (blurred[..., 3] > 4) & (blurred[..., 3] < 251)
    soft, sharp = blurred[band].astype(np.float32), view[band].astype(np.float32)
    share = soft[:, 3:] / 255
    wanted = np.clip((share - 0.5) * 4 + 0.5, 0, 1)
    filled = soft[:, :3] / share * (1 - sharp[:, 3:] / 255)
    view[band] = np.clip(np.hstack([(sharp[:, :3] + filled) * wanted, 255 * wanted]), 0, 255).astype(np.uint8)


def _body(
    scale: float, shift: NDArray[np.float32], width_px: int, height_px: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The maps back to the texture where nothing turns: a scale and a shift."""
    row = (np.arange(width_px, dtype=np.float32) - shift[0]) / np.float32(scale)
    column = (np.arange(height_px, dtype=np.float32) - shift[1]) / np.float32(scale)
    return np.tile(row, (height_px, 1)), np.repeat(column[:, None], width_px, axis=1)


def _head(
    bust: Bust,
    flat: NDArray[np.float32],
    depth: NDArray[np.float32],
    left_empty: list[NDArray[np.float32]],
    back_x: NDArray[np.float32],
    back_y: NDArray[np.float32],
) -> None:
    """Overwrite the maps where the mesh lies, and look nowhere where it lay at rest and lies no more."""
    height, width = back_x.shape
    low = np.maximum(np.floor(flat.min(0)).astype(int), 0)
    high = np.minimum(np.ceil(flat.max(0)).astype(int) + 1, (width, height))
    if (high <= low).any():
        return
    corners = flat[bust.triangles] - low  # (T, 3, 2)
    order = np.argsort(-depth[bust.triangles].mean(1))
    fixed = np.round(corners * 16).astype(np.int32)
    numbers = np.zeros((high[1] - low[1], high[0] - low[0]), np.int32)
    nowhere = len(bust.triangles)
    for outline in left_empty:
        cv2.fillPoly(numbers, [np.round((outline - low) * 16).astype(np.int32)], nowhere + 1, cv2.LINE_8, 4)
    for index in order.tolist():
        cv2.fillConvexPoly(numbers, fixed[index], index + 1, cv2.LINE_8, 4)
    maps = np.vstack([_back(corners, bust.rest[bust.triangles, :2]), [[0, 0, -1e4, 0, 0, -1e4]]]).astype(np.float32)
    places = np.flatnonzero(numbers)
    which = numbers.ravel()[places] - 1
    rows, columns = np.divmod(places, numbers.shape[1])
    x, y = columns.astype(np.float32), rows.astype(np.float32)
    at = (rows + low[1]) * width + columns + low[0]
    a, b, c, d, e, f = maps.T.copy()
    back_x.ravel()[at] = a[which] * x + b[which] * y + c[which]
    back_y.ravel()[at] = d[which] * x + e[which] * y + f[which]


def _back(to: NDArray[np.float32], of: NDArray[np.float32]) -> NDArray[np.float32]:
    """(T, 6): for triangles drawn at ``to`` (T, 3, 2), the affine map from there back to ``of`` (T, 3, 2)."""
    edge_1, edge_2 = to[:, 1] - to[:, 0], to[:, 2] - to[:, 0]
    from_1, from_2 = of[:, 1] - of[:, 0], of[:, 2] - of[:, 0]
    area = edge_1[:, 0] * edge_2[:, 1] - edge_1[:, 1] * edge_2[:, 0]
    area = np.where(np.abs(area) < 1e-3, 1e9, area)  # collapsed: at most a line of pixels, all of one corner
    inverse = np.stack([edge_2[:, 1], -edge_2[:, 0], -edge_1[:, 1], edge_1[:, 0]], 1) / area[:, None]
    linear = np.stack(
        [
            from_1[:, 0] * inverse[:, 0] + from_2[:, 0] * inverse[:, 2],
            from_1[:, 0] * inverse[:, 1] + from_2[:, 0] * inverse[:, 3],
            from_1[:, 1] * inverse[:, 0] + from_2[:, 1] * inverse[:, 2],
            from_1[:, 1] * inverse[:, 1] + from_2[:, 1] * inverse[:, 3],
        ],
        1,
    )
    move_x = of[:, 0, 0] - linear[:, 0] * to[:, 0, 0] - linear[:, 1] * to[:, 0, 1]
    move_y = of[:, 0, 1] - linear[:, 2] * to[:, 0, 0] - linear[:, 3] * to[:, 0, 1]
    rows = np.stack([linear[:, 0], linear[:, 1], move_x, linear[:, 2], linear[:, 3], move_y], 1)
    return np.asarray(rows, np.float32)


def _mouth_inside(
    out: Pixels, flat: NDArray[np.float32], rest: NDArray[np.float32], scale: float, mouth: float
) -> None:
    """Darkness between the lips, under whatever teeth the photo shows, and a tongue below."""
    upper, lower = list(anatomy.INNER_UPPER), list(anatomy.INNER_LOWER)
    gap = float(np.linalg.norm(rest[upper] - rest[lower], axis=1).mean()) * scale
    teeth = flat[upper] + np.array([0, TEETH * gap], np.float32)
    corners = flat[list(anatomy.MOUTH_CORNERS)]
    shape = np.vstack([corners[:1], teeth, corners[1:], flat[lower[::-1]]])
    low = np.maximum(np.floor(shape.min(0)).astype(int) - 4, 0)
    high = np.minimum(np.ceil(shape.max(0)).astype(int) + 5, (out.shape[1], out.shape[0]))
    if (high - low < 4).any():
        return
    hole = np.zeros((high[1] - low[1], high[0] - low[0]), np.uint8)
    cv2.fillPoly(hole, [np.round((shape - low) * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    cover = cv2.GaussianBlur(hole, (0, 0), 0.8).astype(np.float32) / 255 * min(1.0, mouth * 4)
    down = np.linspace(0, 1, len(hole), dtype=np.float32)[:, None, None]
    inside = np.array([34, 16, 14], np.float32) + down**2 * np.array([62, 26, 26], np.float32)
    patch = out[low[1] : high[1], low[0] : high[0], :3]
    patch[:] = (patch * (1 - cover[..., None]) + inside * cover[..., None]).astype(np.uint8)
