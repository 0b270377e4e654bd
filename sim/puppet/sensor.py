"""What a small camera makes of a scene: lens blur, vignetting, exposure and white balance that lag, noise."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.ports import Pixels

TILES = 6


@dataclass(frozen=True, slots=True)
class SensorSettings:
    """``full_well`` sets shot noise (electrons at 255), ``read_noise`` is in grey levels, ``blur_px`` is the lens.

    ``balance_share`` is how much of a tint the white balance takes back that came since the first frame.
    """

    full_well: float = 9000.0
    read_noise: float = 0.9
    blur_px: float = 0.55
    vignette: float = 0.10
    exposure_target: float = 118.0
    exposure_share: float = 0.55  # how much of the wrong brightness the camera corrects
    most_gain: float = 2.2
    lag_s: float = 0.5
    balance_share: float = 0.0
    balance_lag_s: float = 2.5


class Sensor:
    """Noise and exposure; the same seed and frame numbers give the same bytes."""

    def __init__(self, settings: SensorSettings, seed: int, width_px: int, height_px: int) -> None:
        self._settings = settings
        self._seed = seed
        random = np.random.default_rng([seed, 11])
        self._noise = [
            (random.standard_normal((height_px, width_px, 3), dtype=np.float32) * 32).astype(np.int16)
            for _ in range(TILES)
        ]
        y, x = np.mgrid[-1 : 1 : height_px * 1j, -1 : 1 : width_px * 1j].astype(np.float32)
        falloff = 1 - settings.vignette * (x * x + y * y) / 2
        self._vignette = np.repeat((falloff * 255)[..., None], 3, 2).astype(np.uint8)
        self._gain: float | None = None
        self._tint_at_first: NDArray[np.float64] | None = None
        self._balance = np.ones(3)
        self._last_s = 0.0

    def expose(self, scene: Pixels, number: int, at_s: float) -> Pixels:
        """The scene RGB uint8 (H, W, 3) as frame ``number``; call with growing ``at_s``."""
        if self._settings.balance_share:
            scene = self._balanced(scene, at_s)
        gain = self._auto(scene, at_s)
        soft = cv2.GaussianBlur(scene, (0, 0), self._settings.blur_px) if self._settings.blur_px else scene
        lit = cv2.multiply(soft, self._vignette, scale=gain / 255)
        # Noise in sixteenths of a grey level: read noise, and shot noise that grows with the root of the light.
        levels = np.arange(256, dtype=np.float32)
        shot = levels * 255 / self._settings.full_well * gain
        sigma = np.sqrt(shot + (self._settings.read_noise * gain) ** 2)
        table = np.clip(sigma * 16, 0, 255).astype(np.uint8)
        strength = cv2.LUT(lit, table)
        tile = self._noise[number % TILES]
        random = np.random.default_rng([self._seed, number])
        down, right = (int(v) for v in random.integers(0, [tile.shape[0], tile.shape[1]]))
        grain = cv2.multiply(_rolled(tile, down, right), strength, scale=1 / 512, dtype=cv2.CV_16S)
        return np.asarray(cv2.add(lit, grain, dtype=cv2.CV_8U), np.uint8)

    def _balanced(self, scene: Pixels, at_s: float) -> Pixels:
        """The picture's tint is pulled back to what it was, slowly, as a camera does that takes all for grey."""
        settings = self._settings
        mean = np.maximum(cv2.mean(scene[::8, ::8])[:3], 2.0)
        tint = mean / mean[1]
        if self._tint_at_first is None:
            self._tint_at_first = tint
        wanted = (self._tint_at_first / tint) ** settings.balance_share
        pace = min(1.0, max(0.0, at_s - self._last_s) / settings.balance_lag_s)
        self._balance = self._balance + (wanted - self._balance) * pace
        levels = np.arange(256)[:, None] * self._balance
        return np.asarray(cv2.LUT(scene, np.clip(levels + 0.5, 0, 255).astype(np.uint8)[None]), np.uint8)

    def _auto(self, scene: Pixels, at_s: float) -> float:
        settings = self._settings
        mean = max(float(cv2.mean(scene[::8, ::8])[1]), 4.0)
        wanted = min((settings.exposure_target / mean) ** settings.exposure_share, settings.most_gain)
        if self._gain is None:
            self._gain = wanted
        else:
            self._gain += (wanted - self._gain) * min(1.0, max(0.0, at_s - self._last_s) / settings.lag_s)
        self._last_s = at_s
        return self._gain


def _rolled(tile: NDArray[np.int16], down: int, right: int) -> NDArray[np.int16]:
    return np.roll(tile, (down, right), axis=(0, 1))
