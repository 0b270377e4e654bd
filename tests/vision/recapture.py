"""A model of recapture: a picture shown on a screen or printed, photographed again.  A model, not a measurement.

What it has: gamma and white point of the medium, black that is not black (leakage, room light on the glass), glare,
the regular sub-pixels of a screen and the dots of a print as a periodic mask with harmonics damped by the lens and
by the sensor's pixels and then aliased by the Bayer grid; bezel and paper margin; perspective; exposure; noise;
bilinear demosaicing; reduction to 640x480; sharpening; JPEG.  What it lacks: view-angle colours, flicker and rolling
bands, polarisers, real halftone screens of several angles, compression in time.  ``Camera.shoot`` with a bare picture
is the control: the same camera without a medium in between.

A *picture* is RGB uint8 (height, width, 3); a ``box`` is float (4,) left, top, right, bottom of a face in it.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.ports import Floats, Pixels

WIDTH, HEIGHT = 640, 480
Light = NDArray[np.float32]  # linear light, (height, width, 3), 1 is white
Point = NDArray[np.float64]


@dataclass(frozen=True)
class Medium:
    """What shows the picture: ``width_faces`` is the lit area's width in face widths, ``shape`` height by width."""

    kind: str
    width_faces: float
    shape: float
    glows: bool
    dots_per_face: float  # screen pixels, or dots of the print, across the face
    stripes: tuple[float, float, float]  # share of a dot that each colour fills; 1 is no grid
    white: tuple[float, float, float]
    black: float  # of white, in the dark
    shine: float  # share of the room's light thrown back evenly
    rim_faces: float  # bezel or paper margin round the lit area
    rim_luma: float
    glare: float = 0.0


def some_medium(kind: str, rng: np.random.Generator) -> Medium:
    """A likely one of its kind: phone, tablet, monitor, print or photo."""
    warm = rng.uniform(-0.08, 0.1)
    white = (1.0 - max(warm, 0), 1.0 - abs(warm) / 2, 1.0 + min(warm, 0))
    if kind == "phone":
        wide = rng.random() < 0.35
        width = rng.uniform(2.2, 3.6) if wide else rng.uniform(1.25, 2.1)
        # 6.7 cm of glass at about 400 dots an inch; OLED has round dots with gaps, LCD tall stripes.
        dots = rng.uniform(900, 1200) / width * (2.1 if wide else 1.0)
        stripes = (0.30, 0.30, 0.30) if rng.random() < 0.5 else (0.22, 0.30, 0.25)
        shape = 1 / 2.1 if wide else 2.1
        return Medium(
            kind, width, shape, True, dots, stripes, white, rng.uniform(0.0, 0.002), rng.uniform(0.005, 0.05),
            rng.uniform(0.03, 0.12) * width, rng.uniform(0.01, 0.06), rng.choice([0.0, 0.0, 0.3, 0.8]),
        )  # fmt: skip
    if kind in ("tablet", "monitor"):
        width = rng.uniform(2.2, 3.8) if kind == "tablet" else rng.uniform(3.0, 6.0)
        dots = rng.uniform(1400, 2400) / width if kind == "tablet" else rng.uniform(1300, 2600) / width
        return Medium(
            kind, width, rng.choice([0.56, 0.625, 0.75]), True, dots, (0.30, 0.30, 0.30), white,
            rng.uniform(0.0005, 0.004), rng.uniform(0.005, 0.05), rng.uniform(0.05, 0.2), rng.uniform(0.01, 0.3),
            rng.choice([0.0, 0.0, 0.2, 0.6]),
        )  # fmt: skip
    if kind == "print":
        width = rng.uniform(1.6, 3.2)
        dots = rng.uniform(130, 400)  # 60 to 150 lines an inch
        return Medium(
            kind, width, rng.choice([0.75, 1.33, 1.41]), False, dots, (0.7, 0.7, 0.7), (1.0, 0.98, 0.94),
            rng.uniform(0.06, 0.15), 0.0, rng.choice([0.0, 0.12, 0.25]), rng.uniform(0.7, 0.95),
        )  # fmt: skip
    if kind == "photo":
        return Medium(
            kind, rng.uniform(1.4, 3.0), rng.choice([0.67, 1.5]), False, 900.0, (1.0, 1.0, 1.0), (1.0, 0.99, 0.97),
            rng.uniform(0.02, 0.06), rng.uniform(0.0, 0.03), rng.choice([0.0, 0.06]), 0.9, rng.choice([0.0, 0.3]),
        )  # fmt: skip
    raise ValueError(f"no such medium: {kind}")


@dataclass(frozen=True)
class Camera:
    """``native`` is the sensor's pixels per pixel of the 640x480 frame; ``blur_px`` the lens, in sensor pixels."""

    native: int = 2
    blur_px: float = 0.7
    noise: float = 0.006
    sharpen: float = 0.4
    jpeg: int = 90
    target_luma: float = 0.42

    def shoot(self, light: Light, rng: np.random.Generator) -> Pixels:
        """The frame of linear light given at the sensor's resolution."""
        seen = cv2.GaussianBlur(light, (0, 0), self.blur_px) if self.blur_px > 0.2 else light
        middle = seen[
            HEIGHT * self.native // 5 : -HEIGHT * self.native // 5,
            WIDTH * self.native // 5 : -WIDTH * self.native // 5,
        ]
        mean = float(np.power(np.clip(middle, 0, 1), 1 / 2.2).mean())
        seen = seen * np.float32((self.target_luma / max(mean, 1e-3)) ** 2.2)
        raw = np.empty(seen.shape[:2], np.float32)
        for row, column, colour in ((0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 2)):
            raw[row::2, column::2] = seen[row::2, column::2, colour]
        shot = rng.standard_normal(raw.shape, np.float32)
        raw = raw + shot * np.sqrt(np.maximum(raw, 0) * np.float32(self.noise) + np.float32(self.noise**2))
        mosaic = (np.clip(raw, 0, 1) * 65535).astype(np.uint16)
        linear = cv2.cvtColor(mosaic, cv2.COLOR_BayerBG2RGB).astype(np.float32) / 65535
        if self.native > 1:
            linear = cv2.resize(linear, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
        frame = np.power(np.clip(linear, 0, 1), 1 / 2.2) * 255
        if self.sharpen:
            frame = frame + self.sharpen * (frame - cv2.GaussianBlur(frame, (0, 0), 1.2))
        eight: Pixels = np.clip(frame, 0, 255).astype(np.uint8)
        if not self.jpeg:
            return eight
        _, coded = cv2.imencode(".jpg", eight[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, self.jpeg])
        back = np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)
        return np.asarray(cv2.cvtColor(back, cv2.COLOR_BGR2RGB), np.uint8)


def some_camera(rng: np.random.Generator) -> Camera:
    """A likely webcam or module: 640x480 native to three times as fine, quiet to noisy.

    Soft lenses blur by a sensor pixel; the pixels of a sensor that bins many into one are far coarser than its lens.
    """
    return Camera(
        native=int(rng.choice([1, 2, 2, 3])),
        blur_px=float(rng.uniform(0.15, 1.1)),
        noise=float(rng.choice([0.002, 0.005, 0.01])),
        sharpen=float(rng.uniform(0.0, 0.8)),
        jpeg=int(rng.choice([0, 80, 90, 95])),
        target_luma=float(rng.uniform(0.36, 0.5)),
    )


def linear(picture: Pixels) -> Light:
    return np.asarray(np.power(picture.astype(np.float32) / 255, 2.2), np.float32)


def photograph(picture: Pixels, camera: Camera, rng: np.random.Generator) -> Pixels:
    """The control: the scene itself before the same camera."""
    size = (WIDTH * camera.native, HEIGHT * camera.native)
    return camera.shoot(cv2.resize(linear(picture), size, interpolation=cv2.INTER_CUBIC), rng)


@dataclass(frozen=True)
class Hold:
    """How the medium is held before the camera: where the face lands (shares of the frame) and the angles."""

    face_width: float = 0.26
    x: float = 0.5
    y: float = 0.5
    roll_deg: float = 0.0
    yaw_deg: float = 0.0
    pitch_deg: float = 0.0


def some_hold(rng: np.random.Generator) -> Hold:
    return Hold(
        float(rng.uniform(0.2, 0.38)), float(rng.uniform(0.42, 0.58)), float(rng.uniform(0.42, 0.6)),
        float(rng.normal(0, 3)), float(rng.normal(0, 6)), float(rng.normal(0, 6)),
    )  # fmt: skip


def recapture(
    picture: Pixels, box: Floats, medium: Medium, hold: Hold, camera: Camera, room: Pixels, rng: np.random.Generator
) -> Pixels:
    """The frame that ``camera`` takes of ``picture`` on ``medium`` before ``room`` (any picture, out of focus)."""
    native, face = camera.native, float(box[2] - box[0])
    wide, high = WIDTH * native, HEIGHT * native
    to_picture = np.linalg.inv(_placing(box, hold, wide, high))
    x, y = np.meshgrid(np.arange(wide, dtype=np.float32), np.arange(high, dtype=np.float32))
    depth = to_picture[2, 0] * x + to_picture[2, 1] * y + to_picture[2, 2]
    u = ((to_picture[0, 0] * x + to_picture[0, 1] * y + to_picture[0, 2]) / depth).astype(np.float32)
    v = ((to_picture[1, 0] * x + to_picture[1, 1] * y + to_picture[1, 2]) / depth).astype(np.float32)
    shown = cv2.remap(linear(picture), u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)

    ambient = np.float32(rng.uniform(0.15, 0.5) if medium.glows else rng.uniform(0.6, 1.0))
    white = np.array(medium.white, np.float32)
    black = np.float32(medium.black)
    shown = (black + (1 - black) * shown) * white
    period = face / medium.dots_per_face  # of the dots, in the picture's pixels
    sensor_px = face * (1 / (hold.face_width * wide))  # one sensor pixel, in the picture's pixels
    shown = shown * _mask(u / period, v / period, sensor_px / period, medium, camera.blur_px)
    if not medium.glows:
        shown = shown * ambient
    shown = shown + np.float32(medium.shine) * ambient

    centre_u, centre_v = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    half_u = medium.width_faces * face / 2
    half_v = half_u * medium.shape
    shift_u, shift_v = rng.uniform(-0.15, 0.15) * half_u, rng.uniform(-0.2, 0.2) * half_v
    across, along = np.abs(u - centre_u - shift_u), np.abs(v - centre_v - shift_v)
    rim = medium.rim_faces * face
    inside = (across < half_u) & (along < half_v)
    on_rim = (across < half_u + rim) & (along < half_v + rim) & ~inside
    if medium.glare:
        gx, gy = rng.uniform(-1, 1) * half_u, rng.uniform(-1, 1) * half_v
        spread = rng.uniform(0.1, 0.5) * face
        spot = np.exp(-(((u - centre_u - gx) / spread) ** 2 + ((v - centre_v - gy) / spread) ** 2) / 2)
        shown = shown + (np.float32(medium.glare) * ambient * spot)[:, :, None].astype(np.float32)
    behind = cv2.GaussianBlur(cv2.resize(linear(room), (wide, high)), (0, 0), 4.0 * native) * ambient
    scene = np.where(inside[:, :, None], shown, behind)
    scene[on_rim] = np.float32(medium.rim_luma) * ambient
    return camera.shoot(np.asarray(scene, np.float32), rng)


def _placing(box: Floats, hold: Hold, wide: int, high: int) -> Point:
    """The homography from the picture to the sensor for a flat thing held so."""
    face = float(box[2] - box[0])
    yaw, pitch, roll = (math.radians(a) for a in (hold.yaw_deg, hold.pitch_deg, hold.roll_deg))
    turn_y = np.array([[math.cos(yaw), 0, math.sin(yaw)], [0, 1, 0], [-math.sin(yaw), 0, math.cos(yaw)]])
    turn_x = np.array([[1, 0, 0], [0, math.cos(pitch), -math.sin(pitch)], [0, math.sin(pitch), math.cos(pitch)]])
    turn_z = np.array([[math.cos(roll), -math.sin(roll), 0], [math.sin(roll), math.cos(roll), 0], [0, 0, 1]])
    turn = turn_z @ turn_x @ turn_y
    focal = 0.77 * wide  # a lens of 66 degrees
    distance = focal / (hold.face_width * wide)  # in face widths
    # Columns: the sheet's two axes (in face widths) and its centre, as the camera sees them.
    plane = np.stack([turn[:, 0], turn[:, 1], np.array([0, 0, distance])], 1)
    lens = np.array([[focal, 0, hold.x * wide], [0, focal, hold.y * high], [0, 0, 1]])
    middle = np.array([[1 / face, 0, -(box[0] + box[2]) / 2 / face], [0, 1 / face, -(box[1] + box[3]) / 2 / face],
                       [0, 0, 1]])  # fmt: skip
    return np.asarray(lens @ plane @ middle, np.float64)


def _mask(u: Light, v: Light, step: float, medium: Medium, blur_px: float) -> Light:
    """The grid of dots at ``u, v`` (in dots), mean 1, harmonics damped as pixels and lens of the camera damp them.

    ``step`` is dots per sensor pixel.  The lens blur of the camera follows, but cannot damp what has been aliased, so
    the damping is done here.
    """
    out = np.ones((*u.shape, 3), np.float32)
    if medium.stripes[0] >= 1:
        return out
    print_like = not medium.glows
    for colour, filled in enumerate(medium.stripes):
        phase = 0.0 if print_like else colour / 3
        for harmonic in (1, 2, 3):
            fill_v = filled if print_like else 0.8
            along = 2 * np.sinc(harmonic * filled) * _damped(harmonic * step, blur_px)
            down = 2 * np.sinc(harmonic * fill_v) * _damped(harmonic * step, blur_px)
            if abs(along) > 1e-3:
                out[:, :, colour] += np.float32(along) * np.cos(2 * np.pi * harmonic * (u - phase))
            if abs(down) > 1e-3:
                out[:, :, colour] += np.float32(down) * np.cos(2 * np.pi * harmonic * v)
    return np.maximum(out, 0)


def _damped(cycles_per_px: float, blur_px: float) -> float:
    """What a square pixel and a Gaussian lens leave of so fine a wave."""
    return float(abs(np.sinc(cycles_per_px)) * math.exp(-2 * (math.pi * blur_px * cycles_per_px) ** 2))
