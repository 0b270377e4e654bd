"""The room behind the person: a wall, soft furniture out of focus, and the light that falls on everything."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.core.light import Rgb
from edge.ports import Pixels
from sim.puppet.lamp import GAMMA, LUX


@dataclass(frozen=True, slots=True)
class Light:
    """``level`` 1 is a well-lit room; ``warmth`` -1 (blue daylight) .. 1 (lamp); ``from_left`` -1..1: one-sided;
    ``behind`` 0..1 is a bright window behind the person, to which the camera's exposure gives way.  ``lux`` is what
    falls on a face at level 1: the camera hides it, but the page's light has to stand up to it.
    """

    level: float = 1.0
    warmth: float = 0.2
    from_left: float = 0.25
    behind: float = 0.0
    lux: float = LUX

    @property
    def on_face(self) -> Rgb:
        """Lux on a face, in each colour."""
        level = self.lux * max(self.level * (1 - 0.72 * self.behind), 1e-3) ** GAMMA
        red, _, blue = (float(v) ** GAMMA for v in _colour(self))
        return level * red, level, level * blue


def wall(seed: int, light: Light, width_px: int, height_px: int) -> Pixels:
    """RGB uint8 (H, W, 3): the empty room as this seed furnished it; nothing in it has a sharp edge."""
    random = np.random.default_rng([seed, 7])
    y, x = np.mgrid[0:height_px, 0:width_px].astype(np.float32)
    x, y = x / width_px, y / height_px
    tone = np.array([176, 172, 160], np.float32) + random.normal(0, 7, 3).astype(np.float32)
    room = np.ones((height_px, width_px, 3), np.float32) * tone
    room *= (1.06 - 0.22 * y)[..., None]
    for _ in range(7):
        _furniture(room, random, x, y)
    room = cv2.GaussianBlur(room, (0, 0), 0.022 * width_px)
    mottle = cv2.resize(
        random.normal(0, 1, (30, 40)).astype(np.float32), (width_px, height_px), interpolation=cv2.INTER_CUBIC
    )
    room *= (1 + 0.004 * mottle)[..., None]
    room *= falling(light, width_px, height_px)
    if light.behind:
        glow = np.exp(-(((x - 0.55) / 0.38) ** 2 + ((y - 0.32) / 0.42) ** 2)) * light.behind
        room += (255 - room) * np.clip(glow * 1.25, 0, 1)[..., None]
    return np.asarray(np.clip(room, 0, 255), np.uint8)


def falling(light: Light, width_px: int, height_px: int) -> NDArray[np.float32]:
    """float32 (H, W, 3): by how much each place is lit, colour included."""
    x = np.linspace(-1, 1, width_px, dtype=np.float32)[None, :, None]
    y = np.linspace(-1, 1, height_px, dtype=np.float32)[:, None, None]
    colour = _colour(light)
    shade = 1 - 0.16 * light.from_left * x - 0.06 * y
    dim = light.level * (1 - 0.72 * light.behind)
    return np.asarray(shade * colour * dim, np.float32)


def _colour(light: Light) -> NDArray[np.float32]:
    return np.array([1 + 0.06 * light.warmth, 1.0, 1 - 0.10 * light.warmth], np.float32)


def _furniture(
    room: NDArray[np.float32], random: np.random.Generator, x: NDArray[np.float32], y: NDArray[np.float32]
) -> None:
    """One round-cornered thing: a cupboard, a plant, a notice, a doorway; soft from the start."""
    centre = random.uniform([0.0, 0.2], [1.0, 1.0])
    size = random.uniform([0.06, 0.10], [0.20, 0.40])
    grey, hue = random.uniform(80, 190), random.normal(0, 12, 3)
    colour = (grey * np.array([1.04, 0.98, 0.88]) + hue).astype(np.float32)
    inside = np.exp(-(np.abs((x - centre[0]) / size[0]) ** 3 + np.abs((y - centre[1]) / size[1]) ** 3))
    share = (inside * random.uniform(0.25, 0.6))[..., None]
    room += (colour - room) * share
