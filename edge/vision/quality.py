"""Is this frame good enough to judge somebody by, and if not: the one thing that would help most."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from edge.core.types import Advice
from edge.ports import Floats, Pixels
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
    box = mesh.box
    face = _cut(rgb, box)
    luma = cv2.cvtColor(face, cv2.COLOR_RGB2GRAY)
    middle = luma[_SIZE_PX // 8 : -_SIZE_PX // 8, _SIZE_PX // 8 : -_SIZE_PX // 8]
    contrast = float(middle.std())
    edges = min(float(cv2.filter2D(middle, cv2.CV_32F, kernel).std()) for kernel in (_EDGES, _EDGES.T))
    cheeks, mouth, sockets = (_skin(face, box, mesh.points[part]) for part in (_CHEEKS, _ROUND_MOUTH, _SOCKETS))
    return Figures(
        face_width=float(box[2] - box[0]) / width,
        face_x=float(box[0] + box[2]) / 2 / width,
        face_y=float(box[1] + box[3]) / 2 / height,
        sharpness=100 * edges / max(contrast, 1.0),
        luma_face=float(middle.mean()),
        luma_behind=_behind(rgb, box),
        chroma_step=float(np.hypot(*(mouth[1:] - cheeks[1:]))),
        mouth_light=float(mouth[0]) / max(float(cheeks[0]), 1.0),
        socket_step=max(0.0, 1 - float(sockets[0]) / max(float(cheeks[0]), 1.0)),
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
        or (Advice.TOO_FAR if face_width_px < settings.photo_least_face_px else None)
        or _light(figures, settings)
        or _cover(figures, settings)
        or _attitude(figures, pose, 0.0, settings)
        or Advice.READY
    )


def _company(rivals: Sequence[Face]) -> Advice | None:
    return Advice.TWO_FACES if rivals else None


def _place(figures: Figures, settings: EyesSettings) -> Advice | None:
    if figures.face_width < settings.least_face_width:
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
    bright = figures.mouth_light > 1.0 and figures.chroma_step > settings.covered_bright_chroma
    mouth = bright or figures.chroma_step > settings.covered_chroma
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
    """The face's box at 96x96; what lies outside the frame repeats its edge."""
    height, width = rgb.shape[:2]
    left, top = np.clip(box[:2].astype(int), 0, [width - 2, height - 2])
    right, bottom = np.clip(box[2:].astype(int), [left + 2, top + 2], [width, height])
    part = rgb[top:bottom, left:right]
    way = cv2.INTER_AREA if min(part.shape[:2]) > _SIZE_PX else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(part, (_SIZE_PX, _SIZE_PX), interpolation=way), np.uint8)


def _skin(face: Pixels, box: Floats, points: Floats) -> Floats:
    """Median (Y, Cr, Cb) at ``points`` of the frame, from the 96x96 face; a grid of 3x3 pixels round each."""
    at = ((points[:, :2] - box[:2]) / np.maximum(box[2:] - box[:2], 1e-3) * _SIZE_PX).astype(int)
    offsets = np.stack(np.meshgrid([-1, 0, 1], [-1, 0, 1]), axis=-1).reshape(1, 9, 2)
    x, y = np.moveaxis(np.clip(at[:, None] + offsets, 0, _SIZE_PX - 1).reshape(-1, 2), 1, 0)
    patch = cv2.cvtColor(face[y, x].reshape(-1, 1, 3), cv2.COLOR_RGB2YCrCb)
    return np.asarray(np.median(patch.reshape(-1, 3), axis=0), np.float32)


def _behind(rgb: Pixels, box: Floats) -> float:
    """Mean luma beside and above the face, within twice its box; the face's own where there is nothing else."""
    height, width = rgb.shape[:2]
    x0, y0, x1, y1 = (float(v) for v in box)
    reach_x, reach_y = (x1 - x0) / 2, (y1 - y0) / 2
    left, right = max(0, int(x0 - reach_x)), min(width, int(x1 + reach_x))
    top, bottom = max(0, int(y0 - reach_y)), min(height, int(y1))
    step = max(1, int((x1 - x0) / 24))
    parts = [
        rgb[top : max(top, int(y0)) : step, left:right:step],
        rgb[max(top, int(y0)) : bottom : step, left : max(left, int(x0)) : step],
        rgb[max(top, int(y0)) : bottom : step, min(right, int(x1)) : right : step],
    ]
    pixels = np.concatenate([part.reshape(-1, 3) for part in parts])
    if not len(pixels):
        pixels = rgb[::step, ::step].reshape(-1, 3)
    return float(pixels.mean(0) @ np.array([0.299, 0.587, 0.114]))
