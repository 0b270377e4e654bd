"""A portrait made ready to move: its person cut out of the photo, and a mesh with depth over it.

The texture is scaled so that the detector's face box is `FACE_PX` wide, whatever the photo's size.  The mesh has the
468 landmarks of the face with the depth that the landmark model gives, and around them a grid at the depth of
the ears, which follows the head's turn fully near the head and not at all at the shoulders.  That makes the
silhouette stay where it is while the features slide across it, as they do on a real head.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.ports import Pixels
from edge.vision.landmarks import eye_openness
from edge.vision.landmarks import pose as measured_pose
from sim.portraits import Portrait
from sim.puppet import anatomy, lids

Points = NDArray[np.float32]

FACE_PX = 230
CANVAS_PX = (1012, 1035)  # width, height of the texture
CENTRE_PX = (506, 345)  # the face box's centre in it
GRID_STEP = 0.14  # of the face's width
FACE_BRIGHTNESS = 0.52
CALM_EYES = 0.31  # height by width of the lids


@dataclass(frozen=True, slots=True, eq=False)
class Bust:
    """``texture`` uint8 (H, W, 4) is RGB and coverage, premultiplied; ``rest`` float32 (N, 3) px, depth away from us.

    The first 468 points are the landmarks.  ``follow`` float32 (N,) is how far each point follows the head, 0..1;
    ``triangles`` int32 (T, 3), the moving ones; ``moving`` are outlines float32 (K, 2) of what they cover at rest;
    ``pivot`` float32 (3,) the joint on which the head turns; ``lean_deg`` how the photo's head is turned already
    (yaw, pitch, roll), of which a pose takes back a part; ``at_rest`` is the calm face that the photo is brought to.
    """

    name: str
    texture: Pixels
    rest: Points
    follow: NDArray[np.float32]
    triangles: NDArray[np.int32]
    moving: tuple[NDArray[np.float32], ...]
    pivot: NDArray[np.float32]
    lids: tuple[lids.Lid, lids.Lid]
    lean_deg: tuple[float, float, float]
    at_rest: anatomy.Face
    face_width_px: float


def canvas(portrait: Portrait, photo: Pixels) -> tuple[Pixels, NDArray[np.float64]]:
    """The photo scaled and shifted onto the texture's canvas uint8 (H, W, 3), and the (2, 3) matrix that did it.

    Where the photo ends below or beside the person, its last row or column goes on.
    """
    scale = FACE_PX / portrait.face_width_px
    shrink = 1.0
    if scale < 0.75:
        # Shrink by area first: one bilinear step down from a large photo would alias.
        shrink = scale
        photo = np.asarray(cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
        scale = 1.0
    matrix = np.array(
        [
            [scale, 0.0, CENTRE_PX[0] - portrait.face_x_px * shrink * scale],
            [0.0, scale, CENTRE_PX[1] - portrait.face_y_px * shrink * scale],
        ]
    )
    how = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_LINEAR
    picture = cv2.warpAffine(photo, matrix, CANVAS_PX, flags=how, borderMode=cv2.BORDER_REPLICATE)
    end = int(matrix[1, 2] + scale * photo.shape[0]) - 1
    if end < CANVAS_PX[1]:
        # Cloth without stripes where the photo's last row goes on.
        picture[end:] = cv2.GaussianBlur(picture[end - 4 : end], (0, 0), 22).mean(0, keepdims=True).astype(np.uint8)
    whole = matrix.copy()
    whole[:, :2] *= shrink
    return np.asarray(picture, np.uint8), whole


def build(portrait: Portrait, picture: Pixels, landmarks: Points) -> Bust:
    """Cut the person out of ``picture`` (a `canvas`) and mesh them; ``landmarks`` float32 (468, 3) on that canvas."""
    coverage = _matte(picture, portrait)
    picture = _well_lit(picture, landmarks)
    texture = np.dstack([_spread(picture, coverage), (coverage * 255 + 0.5).astype(np.uint8)])
    oval = landmarks[list(anatomy.OVAL)]
    width = float(oval[:, 0].max() - oval[:, 0].min())
    top, chin = float(oval[:, 1].min()), float(oval[:, 1].max())
    ears_z = float(np.percentile(oval[:, 2], 80)) + 0.05 * width
    centre = (float(oval[:, 0].min() + oval[:, 0].max()) / 2, (top + chin) / 2)
    grid = _grid(oval[:, :2], width)
    around = np.column_stack([grid, _grid_depth(grid, oval, ears_z, width)]).astype(np.float32)
    rest = np.vstack([landmarks, around]).astype(np.float32)
    follow = np.ones(len(rest), np.float32)
    follow[468:] = _follow(grid, centre, width, chin)
    pivot = np.array([centre[0], centre[1] + 0.25 * (chin - top), ears_z], np.float32)
    triangles = _worth_drawing(_triangles(landmarks, grid), rest, follow, coverage)
    moving = _outlines(rest, triangles)
    lean = measured_pose(landmarks)
    return Bust(
        portrait.name,
        _premultiplied(texture),
        rest,
        follow,
        triangles,
        moving,
        pivot,
        lids.both(np.ascontiguousarray(texture[..., :3]), landmarks),
        (lean.yaw_deg, lean.pitch_deg, lean.roll_deg),
        _calm(landmarks),
        width,
    )


def _calm(landmarks: Points) -> anatomy.Face:
    """Eyes open and lips together, as people look at a terminal, whatever they did for the photographer."""
    wider = (CALM_EYES / eye_openness(landmarks) - 1) * 1.6
    return anatomy.Face(lips=1.0 if anatomy.lips_apart(landmarks) > 0.02 else 0.0, awake=min(max(wider, 0.0), 0.8))


def _matte(picture: Pixels, portrait: Portrait) -> NDArray[np.float32]:
    """How far each pixel belongs to the person, 0..1: the drawn outline, refined at its edge by GrabCut."""
    half = 0.5
    outline = np.array(portrait.outline) * FACE_PX + np.array(CENTRE_PX)
    size = (int(CANVAS_PX[0] * half), int(CANVAS_PX[1] * half))
    inside = np.zeros(size[::-1], np.uint8)
    corners = (outline * half).round().astype(np.int32)
    corners[corners[:, 1] >= (outline[:, 1].max() - 2) * half, 1] = size[1] + 20  # the body goes on below the photo
    cv2.fillPoly(inside, [corners], 1)
    reach = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (11, 11))
    sure = cv2.erode(inside, reach, borderValue=1)
    maybe = cv2.dilate(inside, reach, borderValue=0)
    marks = np.where(sure == 1, cv2.GC_FGD, np.where(inside == 1, cv2.GC_PR_FGD, cv2.GC_PR_BGD)).astype(np.uint8)
    marks[maybe == 0] = cv2.GC_BGD
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    cv2.setRNGSeed(1)  # GrabCut's mixtures start at random: the same cut every time
    cv2.grabCut(small, marks, (0, 0, 0, 0), np.zeros((1, 65)), np.zeros((1, 65)), 2, cv2.GC_INIT_WITH_MASK)
    cut = ((marks == cv2.GC_FGD) | (marks == cv2.GC_PR_FGD)).astype(np.uint8)
    cut = cv2.morphologyEx(cut, cv2.MORPH_OPEN, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3)))
    soft = cv2.GaussianBlur(cut.astype(np.float32), (0, 0), 1.6)
    # Inward: a rim of the old background would betray the cut.
    soft = np.clip((soft - 0.45) / 0.5, 0, 1)
    return np.asarray(cv2.resize(soft, CANVAS_PX, interpolation=cv2.INTER_LINEAR), np.float32)


def _well_lit(picture: Pixels, landmarks: Points) -> Pixels:
    """The picture as if taken in even room light: half-way (in stops) to a face of medium brightness."""
    face = np.zeros(picture.shape[:2], np.uint8)
    cv2.fillConvexPoly(face, cv2.convexHull(np.ascontiguousarray(landmarks[:, :2])).round().astype(np.int32), 255)
    brightness = cv2.mean(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), face)[0] / 255
    gamma = 1 + 0.5 * (np.log(FACE_BRIGHTNESS) / np.log(brightness) - 1)
    table = (255 * (np.arange(256) / 255) ** gamma + 0.5).astype(np.uint8)
    return np.asarray(cv2.LUT(picture, table), np.uint8)


def _spread(picture: Pixels, coverage: NDArray[np.float32]) -> Pixels:
    """The picture with the person's own colours carried outward over its old surroundings."""
    body = (coverage > 0.9).astype(np.float32)
    colour = picture.astype(np.float32) * body[..., None]
    weight = body.copy()
    out, seen = colour.copy(), body.copy()
    for sigma in (2.0, 6.0, 18.0):
        blurred = cv2.GaussianBlur(colour, (0, 0), sigma)
        mass = cv2.GaussianBlur(weight, (0, 0), sigma)
        fill = (seen < 0.5) & (mass > 1e-3)
        out[fill] = blurred[fill] / mass[fill, None]
        seen[fill] = 1.0
    return np.asarray(np.clip(out, 0, 255), np.uint8)


def _premultiplied(texture: Pixels) -> Pixels:
    alpha = texture[..., 3:].astype(np.float32) / 255
    out = texture.copy()
    out[..., :3] = (texture[..., :3] * alpha + 0.5).astype(np.uint8)
    return out


def _grid(oval: NDArray[np.float32], width: float) -> NDArray[np.float32]:
    """(M, 2): places around the face, none within a short distance of the oval, out to where nothing moves."""
    step = GRID_STEP * width
    hull = cv2.convexHull(np.ascontiguousarray(oval))
    # Rings along the rim first: a grid that meets it in steps would make a saw of a cheek that turns.
    outward = oval - oval.mean(0)
    outward /= np.linalg.norm(outward, axis=1)[:, None]
    rings = np.vstack([oval + outward * share * width for share in (0.07, 0.15, 0.25)])
    low, high = oval.min(0) - np.array([1.4, 1.3]) * width, oval.max(0) + np.array([1.4, 1.3]) * width
    xs, ys = np.arange(low[0], high[0], step), np.arange(low[1], high[1], step)
    places = [
        (x + (step / 2 if row % 2 else 0.0), y)
        for row, y in enumerate(ys)
        for x in xs
        if cv2.pointPolygonTest(hull, (float(x + (step / 2 if row % 2 else 0.0)), float(y)), True) < -0.34 * width
    ]
    return np.vstack([rings, np.array(places, np.float32)]).astype(np.float32)


def _grid_depth(
    grid: NDArray[np.float32], oval: NDArray[np.float32], ears_z: float, width: float
) -> NDArray[np.float32]:
    """Just outside the face as deep as its rim, further out as deep as the ears: nothing tears between the two."""
    away = np.linalg.norm(grid[:, None] - oval[None, :, :2], axis=2)
    near = np.exp(-((away / (0.12 * width)) ** 2)) + 1e-9
    rim = (near * oval[None, :, 2]).sum(1) / near.sum(1)
    share = 1 - smooth((away.min(1) / (0.40 * width)).astype(np.float32))
    return np.asarray(ears_z + (rim - ears_z) * share, np.float32)


def _worth_drawing(
    triangles: NDArray[np.int32], rest: Points, follow: NDArray[np.float32], coverage: NDArray[np.float32]
) -> NDArray[np.int32]:
    """Only the triangles that move and that something of the person is in."""
    near = cv2.dilate(coverage, np.ones((65, 65), np.uint8)) > 0.02
    middle = rest[triangles, :2].mean(1).round().astype(int)
    inside = (middle >= 0).all(1) & (middle < np.array(CANVAS_PX)).all(1)
    covered = np.zeros(len(triangles), bool)
    covered[inside] = near[middle[inside, 1], middle[inside, 0]]
    return np.asarray(triangles[covered & (follow[triangles].max(1) > 0.01)], np.int32)


def _outlines(rest: Points, triangles: NDArray[np.int32]) -> tuple[NDArray[np.float32], ...]:
    mask = np.zeros(CANVAS_PX[::-1], np.uint8)
    for corners in rest[triangles, :2].round().astype(np.int32):
        cv2.fillConvexPoly(mask, corners, 1)
    # Inside the rim: there the mesh lies at rest, and a seam of nothing would show.
    mask = cv2.erode(mask, np.ones((9, 9), np.uint8))
    found, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_TC89_L1)
    return tuple(contour[:, 0].astype(np.float32) for contour in found)


def _follow(grid: NDArray[np.float32], centre: tuple[float, float], width: float, chin: float) -> NDArray[np.float32]:
    aside = np.asarray(np.abs(grid[:, 0] - centre[0]) / width, np.float32)
    below = (grid[:, 1] - chin) / width
    beside = 1 - smooth((aside - 0.85) / 0.45)
    under = 1 - smooth((below + 0.12) / 0.42)
    above = 1 - smooth(np.asarray((centre[1] - grid[:, 1] - 1.35 * width) / (0.4 * width), np.float32))
    return np.asarray(beside * under * above, np.float32)


def smooth(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """The cubic that goes from 0 at 0 to 1 at 1, level at both ends and beyond."""
    x = np.clip(x, 0, 1)
    return np.asarray(x * x * (3 - 2 * x), np.float32)


def _triangles(landmarks: Points, grid: NDArray[np.float32]) -> NDArray[np.int32]:
    """(T, 3): Delaunay over all points, on a face with eyes wide and mouth open: lids and lips apart."""
    open_face = anatomy.wide_awake(landmarks)[:, :2]
    places = np.vstack([open_face, grid]).astype(np.float32)
    low, high = places.min(0) - 10, places.max(0) + 10
    plane = cv2.Subdiv2D((int(low[0]), int(low[1]), int(high[0] - low[0]) + 2, int(high[1] - low[1]) + 2))
    numbers = {plane.insert((float(x), float(y))): index for index, (x, y) in enumerate(places)}
    found = []
    for x0, y0, x1, y1, x2, y2 in plane.getTriangleList():
        corners = []
        for x, y in ((x0, y0), (x1, y1), (x2, y2)):
            where = plane.locate((float(x), float(y)))
            corners.append(numbers.get(int(where[2]), -1) if where[0] == cv2.SUBDIV2D_PTLOC_VERTEX else -1)
        if min(corners) >= 0 and len(set(corners)) == 3:
            found.append(corners)
    return np.array(found, np.int32)
