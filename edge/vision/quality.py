"""Is this frame good enough to judge somebody by, and if not: the one thing that would help most."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from edge.core.types import Advice
from edge.ports import Floats, Pixels
from edge.vision import geometry
from edge.vision.detect import Face
from edge.vision.landmarks import Mesh, Pose
from edge.vision.settings import EyesSettings

# A second difference two pixels wide: the noise of single pixels hardly shows in it.
_EDGES = np.array([[1, 0, -2, 0, 1]], np.float32)
_SIZE_PX = 96  # faces are measured at one size, so that figures compare across distances
# Skin that shows on every uncovered face (mesh indices): upper cheeks; round the mouth without the lips; eye sockets.
_CHEEKS = np.array([50, 101, 118, 280, 330, 347])
_ROUND_MOUTH = np.array([164, 167, 393, 186, 410, 212, 432, 18, 200, 83, 313])
_SOCKETS = np.array([230, 231, 229, 450, 451, 449, 27, 257, 56, 286])
_SKIN = np.concatenate([_CHEEKS, _ROUND_MOUTH, _SOCKETS])
_SKIN_PARTS = (slice(0, 6), slice(6, 17), slice(17, 27))


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured on one face.

    Shares are of the frame's width and height; luma 0..255; ``sharpness`` is the strength of edges along or across,
    whichever is weaker (a moving head blurs one way only), in hundredths of the contrast, at a face of 96 px: so it
    says the same for any distance and light;
    ``chroma_step`` is the distance in (Cr, Cb) between mouth and cheeks; ``mouth_light`` the luma round the mouth by
    that of the cheeks; ``socket_step`` how much darker the eye sockets are than the cheeks (0..1).
    """

    face_width: float
    face_width_px: float
    face_x: float
    face_y: float
    sharpness: float
    luma_face: float
    luma_behind: float
    chroma_step: float
    mouth_light: float
    socket_step: float


def measure(rgb: Pixels, mesh: Mesh) -> Figures:
    """The figures of one face."""
    height, width = rgb.shape[:2]
    left, top, right, bottom = mesh.box.tolist()
    face = cv2.cvtColor(_cut(rgb, mesh.box), cv2.COLOR_RGB2YCrCb)
    rim = _SIZE_PX // 8
    luma = np.ascontiguousarray(face[rim:-rim, rim:-rim, 0])
    light, contrast = _mean_and_deviation(luma)
    edges = min(_mean_and_deviation(cv2.filter2D(luma, cv2.CV_32F, kernel))[1] for kernel in (_EDGES, _EDGES.T))
    cheeks, mouth, sockets = _skin(face, mesh)
    return Figures(
        face_width=(right - left) / width,
        face_width_px=right - left,
        face_x=(left + right) / 2 / width,
        face_y=(top + bottom) / 2 / height,
        sharpness=100 * edges / max(contrast, 1.0),
        luma_face=light,
        luma_behind=_behind(rgb, mesh.box),
        chroma_step=math.dist(mouth[1:], cheeks[1:]),
        mouth_light=mouth[0] / max(cheeks[0], 1.0),
        socket_step=max(0.0, 1 - sockets[0] / max(cheeks[0], 1.0)),
    )


def advise(
    figures: Figures, pose: Pose, speed_widths_s: float, rivals: Sequence[Face], settings: EyesSettings
) -> Advice:
    """The one thing that helps most: who is there, then place, light, what covers the face, pose, calm."""
    return (
        _company(rivals)
        or _place(figures, settings)
        or _light(figures, settings)
        or _cover(figures, settings)
        or _attitude(figures, pose, speed_widths_s, settings)
        or Advice.READY
    )


def advise_photo(
    figures: Figures, pose: Pose, face_width_px: float, rivals: Sequence[Face], settings: EyesSettings
) -> Advice:
    """The same for a photo of an enrolment, where the face may be anywhere and fill the picture."""
    return (
        _company(rivals)
        or (Advice.TOO_FAR if face_width_px < settings.least_face_px else None)
        or _light(figures, settings)
        or _cover(figures, settings)
        or _attitude(figures, pose, 0.0, settings)
        or Advice.READY
    )


def _company(rivals: Sequence[Face]) -> Advice | None:
    return Advice.TWO_FACES if rivals else None


def _place(figures: Figures, settings: EyesSettings) -> Advice | None:
    if figures.face_width < settings.least_face_width or figures.face_width_px < settings.least_face_px:
        return Advice.TOO_FAR
    if figures.face_width > settings.most_face_width:
        return Advice.TOO_NEAR
    aside, down = figures.face_x - 0.5, figures.face_y - 0.5
    if abs(aside) > settings.off_centre_x:
        # The frame is not mirrored: its right is the person's left.
        return Advice.MOVE_LEFT if aside < 0 else Advice.MOVE_RIGHT
    if abs(down) > settings.off_centre_y:
        return Advice.MOVE_UP if down > 0 else Advice.MOVE_DOWN
    return None


def _light(figures: Figures, settings: EyesSettings) -> Advice | None:
    behind = figures.luma_behind - figures.luma_face
    if behind > settings.backlight_luma and figures.luma_face < settings.backlit_face_luma:
        return Advice.BACKLIGHT
    if figures.luma_face < settings.face_least_luma:
        return Advice.TOO_DARK
    if figures.luma_face > settings.face_most_luma:
        return Advice.TOO_BRIGHT
    return None


def _cover(figures: Figures, settings: EyesSettings) -> Advice | None:
    low, high = settings.bare_mouth_light
    suspect = settings.covered_suspect_chroma if not low <= figures.mouth_light <= high else settings.covered_chroma
    mouth = figures.chroma_step > suspect
    return Advice.UNCOVER_FACE if mouth or figures.socket_step > settings.covered_eyes else None


def _attitude(figures: Figures, pose: Pose, speed_widths_s: float, settings: EyesSettings) -> Advice | None:
    if (
        abs(pose.yaw_deg) > settings.most_yaw_deg
        or abs(pose.pitch_deg) > settings.most_pitch_deg
        or abs(pose.roll_deg) > settings.most_roll_deg
    ):
        return Advice.LOOK_STRAIGHT
    if speed_widths_s > settings.most_speed_widths_s or figures.sharpness < settings.least_sharpness:
        return Advice.HOLD_STILL
    return None


def _cut(rgb: Pixels, box: Floats) -> Pixels:
    """The face's box, as far as it is inside the frame, at 96x96."""
    height, width = rgb.shape[:2]
    left, top, right, bottom = map(int, box.tolist())
    left, top = min(max(left, 0), width - 2), min(max(top, 0), height - 2)
    right, bottom = min(max(right, left + 2), width), min(max(bottom, top + 2), height)
    return geometry.resize(rgb[top:bottom, left:right], _SIZE_PX, _SIZE_PX)


def _skin(face: Any, mesh: Mesh) -> list[list[int]]:
    """The medians of (Y, Cr, Cb) on cheeks, round the mouth and in the eye sockets, read from the 96x96 face."""
    left, top, right, bottom = mesh.box.tolist()
    across, down = _SIZE_PX / max(right - left, 1e-3), _SIZE_PX / max(bottom - top, 1e-3)
    places = mesh.points.take(_SKIN, axis=0).tolist()
    columns = [min(max(int((x - left) * across), 0), _SIZE_PX - 1) for x, _, _ in places]
    rows = [min(max(int((y - top) * down), 0), _SIZE_PX - 1) for _, y, _ in places]
    seen = cv2.blur(face, (3, 3))[rows, columns].tolist()
    return [[sorted(channel)[len(channel) // 2] for channel in zip(*seen[part], strict=True)] for part in _SKIN_PARTS]


def _mean_and_deviation(plane: Any) -> tuple[float, float]:
    mean, deviation = cv2.meanStdDev(plane)
    return float(mean[0, 0]), float(deviation[0, 0])


def _behind(rgb: Pixels, box: Floats) -> float:
    """Mean luma beside and above the face, within twice its box; the frame's where there is nothing else."""
    height, width = rgb.shape[:2]
    x0, y0, x1, y1 = map(int, box.tolist())
    reach_x, reach_y = (x1 - x0) // 2, (y1 - y0) // 2
    left, right = max(0, x0 - reach_x), min(width, x1 + reach_x)
    top, middle, bottom = max(0, y0 - reach_y), max(0, y0), min(height, y1)
    step = max(1, (x1 - x0) // 48)  # every pixel would say no more
    total, count = 0.0, 0
    for part in (
        rgb[top:middle:step, left:right],
        rgb[middle:bottom:step, left : max(left, x0)],
        rgb[middle:bottom:step, min(right, x1) : right],
    ):
        pixels = part.shape[0] * part.shape[1]
        if pixels:
            total += _luma(part) * pixels
            count += pixels
    return total / count if count else _luma(rgb)


def _luma(rgb: Pixels) -> float:
    """The mean of 0..255; ITU-R BT.601."""
    red, green, blue, _ = cv2.mean(rgb)
    return float(0.299 * red + 0.587 * green + 0.114 * blue)
