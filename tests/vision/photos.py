"""Pictures for the eyes: two public-domain portraits out of packages of the simulator, and what can befall them."""

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import cv2
import matplotlib.cbook
import numpy as np
import skimage.data

from edge.ports import Frame, Pixels

WIDTH, HEIGHT = 640, 480
FRAME_NS = 66_666_667


def collins() -> Pixels:
    """Eileen Collins (NASA, public domain), her upper half filling a 640x480 frame: fit in every way."""
    return np.asarray(cv2.resize(skimage.data.astronaut()[:384], (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA))


def hopper() -> Pixels:
    """Grace Hopper (US Navy, public domain), the whole portrait."""
    path = Path(str(matplotlib.cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)))
    return np.ascontiguousarray(cv2.imread(str(path))[:, :, ::-1])


def gigapixels() -> bytes:
    """A PNG file that says it has 60,000 x 60,000 pixels: more than OpenCV agrees to decode."""
    content = bytearray(cv2.imencode(".png", np.zeros((8, 8, 3), np.uint8))[1].tobytes())
    content[16:24] = struct.pack(">II", 60_000, 60_000)
    content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))
    return bytes(content)


def moved(rgb: Pixels, x: float = 0, y: float = 0, size: float = 1.0, roll_deg: float = 0.0) -> Pixels:
    """Shifted by pixels, scaled and turned about the middle; the edge goes on."""
    matrix = cv2.getRotationMatrix2D((WIDTH / 2, HEIGHT / 2), -roll_deg, size)
    matrix[:, 2] += (x, y)
    return np.asarray(cv2.warpAffine(rgb, matrix, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REPLICATE), np.uint8)


def noisy(rgb: Pixels, seed: int) -> Pixels:
    """What a sensor adds: no two frames are the same."""
    noise = np.random.default_rng(seed).integers(-3, 4, rgb.shape, np.int16)
    return np.clip(rgb + noise, 0, 255).astype(np.uint8)


def film(picture: Callable[[int], Pixels], count: int, start: int = 0, step: int = 1) -> list[Frame]:
    """``count`` frames at 15 a second, each with noise of its own."""
    numbers = range(start, start + count * step, step)
    return [Frame(n, n * FRAME_NS, noisy(picture(n), n)) for n in numbers]


def still(rgb: Pixels, count: int, start: int = 0) -> list[Frame]:
    return film(lambda _: rgb, count, start)
