"""What the bench shows to the eyes: the golden scene in 640x480, every frame with a sensor's noise of its own."""

from collections.abc import Iterator

import cv2
import numpy as np

from edge import app
from edge.ports import Frame, Pixels

WIDTH, HEIGHT, RATE = 640, 480, 15
FRAME_NS = 1_000_000_000 // RATE
_NOISE, _ROOM = 3, 64  # grey levels; pixels by which the grain is shifted from frame to frame


def scene() -> Pixels:
    """Somebody who stands well, uint8 (480, 640, 3)."""
    bgr = cv2.imread(str(app.models_folder() / "golden" / "scene.jpg"))
    return letterboxed(np.asarray(cv2.cvtColor(np.asarray(bgr), cv2.COLOR_BGR2RGB), np.uint8))


def astronaut() -> Pixels:
    """A photo that every peer's users have, too (scikit-image ships it), uint8 (480, 640, 3)."""
    import skimage.data

    return letterboxed(skimage.data.astronaut())


def empty() -> Pixels:
    """Nobody there."""
    return np.full((HEIGHT, WIDTH, 3), 120, np.uint8)


def letterboxed(rgb: Pixels) -> Pixels:
    """The picture as large as it fits into a frame, on black."""
    scale = min(WIDTH / rgb.shape[1], HEIGHT / rgb.shape[0])
    width, height = round(rgb.shape[1] * scale), round(rgb.shape[0] * scale)
    frame = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    left, top = (WIDTH - width) // 2, (HEIGHT - height) // 2
    frame[top : top + height, left : left + width] = cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA)
    return frame


def frames(rgb: Pixels, count: int) -> Iterator[Frame]:
    """``count`` frames of a picture, made one by one: just written when they are looked at, as by a camera."""
    rng = np.random.default_rng(0)
    bright = np.clip(rgb, _NOISE, 255 - _NOISE)
    grain = rng.integers(0, 2 * _NOISE + 1, (HEIGHT + _ROOM, WIDTH + _ROOM, 3), np.uint8)
    for number in range(count):
        y, x = rng.integers(0, _ROOM, 2)
        yield Frame(number, number * FRAME_NS, bright + grain[y : y + HEIGHT, x : x + WIDTH] - np.uint8(_NOISE))
