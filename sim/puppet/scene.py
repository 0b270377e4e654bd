"""The picture of one moment: the room, whoever is in it from far to near, and the sensor that sees it.

The page's light (`Scene.lamp`) falls on all of it, each by its distance; while the page is as usual nothing changes.
"""

from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np

from edge.ports import Pixels
from sim.puppet import room
from sim.puppet.body import Body
from sim.puppet.bust import Bust
from sim.puppet.lamp import GAMMA, WALL_M, Lamp, away_m
from sim.puppet.room import Light
from sim.puppet.sensor import Sensor, SensorSettings
from sim.puppet.warp import draw

LIGHT_ONE = 128  # the byte that leaves a colour as it is


class Actor(Protocol):
    """Somebody or something before the camera."""

    glows: bool  # a screen brings its own light
    mirrors_below: float  # such a screen shows the page mirrored below this share of the picture's height

    def width(self, at_s: float) -> float:
        """The face's width as a share of the picture's: how far away it is follows."""
        ...

    def nearness(self, at_s: float) -> float:
        """Larger is nearer and drawn later."""
        ...

    def draw(self, at_s: float, width_px: int, height_px: int) -> Pixels | None:
        """Premultiplied RGBA uint8 (H, W, 4), or None when it is out of the picture."""
        ...


@dataclass(slots=True, eq=False)
class LivePerson:
    """A bona fide face: a bust that does what its body does."""

    bust: Bust
    body: Body
    glows: bool = False
    mirrors_below: float = 2.0

    def width(self, at_s: float) -> float:
        return self.body.place(at_s).width

    def nearness(self, at_s: float) -> float:
        return self.body.place(at_s).width

    def draw(self, at_s: float, width_px: int, height_px: int) -> Pixels | None:
        pose = self.body.pose(at_s)
        half = 2.3 * pose.width
        if pose.x + half < 0 or pose.x - half > 1:
            return None
        return draw(self.bust, pose, width_px, height_px)


class Scene:
    """Renders frames; the same seed, actors and times give the same bytes."""

    def __init__(
        self,
        seed: int,
        *,
        light: Light | None = None,
        sensor: SensorSettings | None = None,
        width_px: int = 640,
        height_px: int = 480,
    ) -> None:
        self.width_px, self.height_px = width_px, height_px
        self.actors: list[Actor] = []
        self.lamp = Lamp()
        self._seed = seed
        self._sensor = Sensor(sensor or SensorSettings(), seed, width_px, height_px)
        self.set_light(light or Light())

    def set_light(self, light: Light) -> None:
        """From now on the room is lit like this."""
        self.light = light
        self._wall = room.wall(self._seed, light, self.width_px, self.height_px)
        falling = room.falling(light, self.width_px, self.height_px)
        self._falling = np.clip(falling * LIGHT_ONE, 0, 255).astype(np.uint8)

    def render(self, number: int, at_s: float) -> Pixels:
        """RGB uint8 (H, W, 3): frame ``number`` at ``at_s`` (growing)."""
        idle = self.lamp.idle(at_s)
        picture = self._wall if idle else self._wall_lit(number, at_s)
        for actor in sorted(self.actors, key=lambda each: each.nearness(at_s)):
            layer = actor.draw(at_s, self.width_px, self.height_px)
            if layer is not None:
                shone = layer if idle else self._shone_on(layer, actor, at_s)
                picture = self._over(picture, shone, lit=not actor.glows)
        return self._sensor.expose(picture, number, at_s)

    def _wall_lit(self, number: int, at_s: float) -> Pixels:
        """The wall changes by parts of a grey level: dithered, or it would not change at all."""
        dither = np.random.default_rng([self._seed, 13, number]).random(self._wall.shape[:2], np.float32)
        lit = self._wall * self.lamp.change(at_s, WALL_M, self.light.on_face)
        return np.asarray(np.clip(lit + dither[..., None], 0, 255), np.uint8)

    def _shone_on(self, layer: Pixels, actor: Actor, at_s: float) -> Pixels:
        """The layer under the page's light: paper and skin reflect it by their own colour, glass mirrors it."""
        out = layer.copy()
        if not actor.glows:
            change = self.lamp.change(at_s, away_m(actor.width(at_s)), self.light.on_face)
            for channel, share in enumerate(change):
                table = np.clip(np.arange(256) * share + 0.5, 0, 255).astype(np.uint8)
                out[..., channel] = cv2.LUT(layer[..., channel], table)
            return out
        down = np.linspace(0, 1, self.height_px, dtype=np.float32)
        mirrored = np.clip((down - actor.mirrors_below) / 0.06 + 0.5, 0, 1)
        veil = self.lamp.veil(at_s, mirrored)
        rows = np.flatnonzero(layer[..., 3].any(1))
        part = layer[rows, :, :3].astype(np.float32) / 255
        covered = (layer[rows, :, 3:] > 0).astype(np.float32)
        brighter = np.maximum(part**GAMMA + veil[rows, None] * covered, 0) ** np.float32(1 / GAMMA)
        out[rows, :, :3] = np.clip(brighter * 255 + 0.5, 0, 255).astype(np.uint8)
        return out

    def _over(self, picture: Pixels, layer: Pixels, *, lit: bool) -> Pixels:
        coverage = layer[..., 3]
        rows, columns = np.flatnonzero(coverage.any(1)), np.flatnonzero(coverage.any(0))
        if not rows.size:
            return picture
        where = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        colour = cv2.cvtColor(layer[where], cv2.COLOR_RGBA2RGB)
        if lit:
            colour = cv2.multiply(colour, self._falling[where], scale=1 / LIGHT_ONE)
        through = cv2.cvtColor(255 - coverage[where], cv2.COLOR_GRAY2RGB)
        out = picture.copy()
        out[where] = cv2.add(colour, cv2.multiply(picture[where], through, scale=1 / 255))
        return out
