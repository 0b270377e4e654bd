"""The picture of one moment: the room, whoever is in it from far to near, and the sensor that sees it."""

from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np

from edge.ports import Pixels
from sim.puppet import room
from sim.puppet.body import Body
from sim.puppet.bust import Bust
from sim.puppet.room import Light
from sim.puppet.sensor import Sensor, SensorSettings
from sim.puppet.warp import draw

LIGHT_ONE = 128  # the byte that leaves a colour as it is


class Actor(Protocol):
    """Somebody or something before the camera."""

    glows: bool  # a screen brings its own light

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
        picture = self._wall
        for actor in sorted(self.actors, key=lambda each: each.nearness(at_s)):
            layer = actor.draw(at_s, self.width_px, self.height_px)
            if layer is not None:
                picture = self._over(picture, layer, lit=not actor.glows)
        return self._sensor.expose(picture, number, at_s)

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
