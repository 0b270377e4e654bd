"""Eyelids: skin over the eye, painted into the texture, with the lashes where the lid's edge is.

Moving the mesh's lids together would squeeze lashes and iris into a wrinkle; a real lid unrolls skin over the eye.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.ports import Pixels
from sim.puppet import anatomy


@dataclass(frozen=True, slots=True, eq=False)
class Lid:
    """One eye's lid: ``shut`` float32 (h, w, 3) is its skin, at ``left``, ``top`` of the texture.

    ``cover`` float32 (h, w) 0..1 is how much of it shows when shut.

    ``upper`` and ``lower`` float32 (9, 2) are the edges of the open lids from corner to corner, in the patch.
    """

    left: int
    top: int
    shut: NDArray[np.float32]
    cover: NDArray[np.float32]
    upper: NDArray[np.float32]
    lower: NDArray[np.float32]
    lashes: NDArray[np.float32]


def both(picture: Pixels, landmarks: NDArray[np.float32]) -> tuple[Lid, Lid]:
    """The right and the left lid for a texture RGB uint8 (H, W, 3) with landmarks float32 (468, 3) on it."""
    flat = landmarks[:, :2]
    corners, upper, lower = anatomy.RIGHT_CORNERS, anatomy.RIGHT_UPPER, anatomy.RIGHT_LOWER
    right = _lid(picture, flat[[corners[0], *upper, corners[1]]], flat[[corners[0], *lower, corners[1]]])
    corners, upper, lower = anatomy.LEFT_CORNERS, anatomy.LEFT_UPPER, anatomy.LEFT_LOWER
    left = _lid(picture, flat[[corners[0], *upper, corners[1]]], flat[[corners[0], *lower, corners[1]]])
    return right, left


def close(texture: Pixels, lids: tuple[Lid, Lid], blink: tuple[float, float]) -> Pixels:
    """A copy of the texture uint8 (H, W, 4) with the lids closed by ``blink``: right, left, 0..1."""
    out = texture.copy()
    for lid, share in zip(lids, blink, strict=True):
        if share > 0.02:
            _close(out, lid, min(share, 1.0))
    return out


def _lid(picture: Pixels, upper: NDArray[np.float32], lower: NDArray[np.float32]) -> Lid:
    width = float(np.linalg.norm(upper[-1] - upper[0]))
    low = np.floor(np.minimum(upper.min(0), lower.min(0)) - 0.35 * width).astype(int)
    high = np.ceil(np.maximum(upper.max(0), lower.max(0)) + 0.35 * width).astype(int)
    patch = picture[low[1] : high[1], low[0] : high[0]]
    up, down = upper - low, lower - low
    opening = np.zeros(patch.shape[:2], np.uint8)
    cv2.fillPoly(opening, [np.round(np.vstack([up, down[::-1]]) * 16).astype(np.int32)], 255, cv2.LINE_8, 4)
    reach = max(3, int(0.16 * width)) | 1
    grown = cv2.dilate(opening, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach)))
    # Lashes and their shadow stand above the opening rather than below it.
    grown |= np.roll(grown, -max(1, int(0.13 * width)), axis=0)
    skin = cv2.inpaint(patch, grown, 4, cv2.INPAINT_TELEA)
    soft = cv2.GaussianBlur(skin, (0, 0), 0.09 * width).astype(np.float32)
    y = np.arange(patch.shape[0], dtype=np.float32)[:, None]
    bulge = 1 + 0.06 * np.exp(-(((y - (up[:, 1].min() + down[:, 1].max()) / 2) / (0.12 * width)) ** 2))
    cover = cv2.GaussianBlur(grown, (0, 0), 0.03 * width).astype(np.float32) / 255
    dark = np.percentile(patch[opening > 0], 6, axis=0).astype(np.float32)
    return Lid(int(low[0]), int(low[1]), soft * bulge[..., None], cover, up, down, dark * 0.8)


def _close(out: Pixels, lid: Lid, share: float) -> None:
    height, width = lid.cover.shape
    # Shut, lids meet low and flatter than the lower lid's edge when open.
    edge = lid.upper + (lid.lower - lid.upper) * share
    chord = edge[:1] + (edge[-1:] - edge[:1]) * np.linspace(0, 1, len(edge), dtype=np.float32)[:, None]
    edge = edge * 0.7 + chord * 0.3
    edge[:, 1] += 0.06 * width * share
    above = np.zeros((height, width), np.uint8)
    roof = np.array([[edge[-1, 0], 0], [edge[0, 0], 0]], np.float32)
    cv2.fillPoly(above, [np.round(np.vstack([edge, roof]) * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    if share > 0.93:
        above[:] = 255
    weight = (lid.cover * above.astype(np.float32) / 255)[..., None]
    view = out[lid.top : lid.top + height, lid.left : lid.left + width, :3]
    mixed = view * (1 - weight) + lid.shut * weight
    line = np.zeros((height, width), np.uint8)
    thick = max(1, round(0.015 * width))
    cv2.polylines(line, [np.round(edge * 16).astype(np.int32)], False, 255, thick, cv2.LINE_AA, 4)
    lash = cv2.GaussianBlur(line, (0, 0), 0.7).astype(np.float32)[..., None] / 255 * 0.85
    view[:] = np.clip(mixed * (1 - lash) + lid.lashes * lash, 0, 255).astype(np.uint8)
