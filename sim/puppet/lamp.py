"""The terminal's page as a lamp: how much of its light falls on what is how far away, and what that changes.

A page is a rectangle that shines evenly into all directions (Lambert), so what it throws on a surface that faces it
follows from its size, its luminance and the distance (the view factor of a rectangle).  A surface then looks as
bright as its own colour times the room's light plus the page's.  Everything here is relative to the page as it
usually is, so a page that asks nothing changes no byte of a picture.

The figures of the page are those of a common 13-inch kiosk screen; nobody measured one.
"""

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from edge.core import light
from edge.core.light import Rgb

GAMMA = 2.2  # of the puppets' pictures, roughly
FACE_M = 0.15  # the width of a face
FIELD_OF_VIEW_DEG = 60.0
WALL_M = 2.5  # from the page to what is behind the person
LUX = 300.0  # on a face, in a well-lit room
SCREEN_CD = 350.0  # of a phone's or tablet's white
GLASS = 0.04  # what glass mirrors (Fresnel, upright)
PANEL = 0.006  # what a dark panel scatters back


@dataclass(frozen=True, slots=True)
class Screen:
    """The terminal's screen: size, luminance of white, share of it that takes the asked colour."""

    width_m: float = 0.29
    height_m: float = 0.18
    white_cd: float = 300.0
    share: float = 0.75

    def lux(self, away_m: float) -> float:
        """Illuminance of white, on a surface that faces the screen's middle from ``away_m``."""
        x, y = self.width_m / 2 / away_m, self.height_m / 2 / away_m
        across, down = math.sqrt(1 + x * x), math.sqrt(1 + y * y)
        # The view factor of a rectangle from a point before its middle: four times that from before a corner.
        factor = 2 / math.pi * (x / across * math.atan(y / across) + y / down * math.atan(x / down))
        return math.pi * self.white_cd * self.share * factor


@dataclass(slots=True)
class Lamp:
    """What the page shows when: `shine` with growing times, then ask what it changes at a time (seconds)."""

    screen: Screen = field(default_factory=Screen)
    asked: list[tuple[int, str | None]] = field(default_factory=list)

    def shine(self, colour: str | None, at_s: float) -> None:
        """From now on the page fades to ``colour`` (#rrggbb); None: to its own."""
        if (self.asked[-1][1] if self.asked else None) != colour:
            self.asked = [*self.asked[-7:], (round(at_s * 1e9), colour)]

    def light(self, at_s: float) -> Rgb:
        """Linear light of the page, 0..1."""
        return light.page_light(self.asked, round(at_s * 1e9))

    def idle(self, at_s: float) -> bool:
        """Whether the page is as it usually is."""
        return not self.asked or (self.asked[-1][1] is None and at_s * 1e9 - self.asked[-1][0] > light.FADE_S * 1e9)

    def change(self, at_s: float, away_m: float, room: Rgb) -> NDArray[np.float32]:
        """float32 (3,): by what a surface's colours change in the picture; ``room`` is its own light, in lux."""
        lux, now, usual = self.screen.lux(away_m), self.light(at_s), light.page_light((), 0)
        shares = [(r + lux * p) / (r + lux * u) for r, p, u in zip(room, now, usual, strict=True)]
        return np.array(shares, np.float32) ** np.float32(1 / GAMMA)

    def veil(self, at_s: float, mirrored: NDArray[np.float32]) -> NDArray[np.float32]:
        """float32 (N, 3): linear light that a screen's glass adds to its own, of its white.

        ``mirrored`` float32 (N,) is 1 where the glass mirrors the page into the camera, 0 where it mirrors the dark.
        """
        now, usual = self.light(at_s), light.page_light((), 0)
        more = np.array([p - u for p, u in zip(now, usual, strict=True)], np.float32)
        bright = self.screen.white_cd * self.screen.share / SCREEN_CD
        scattered = PANEL * self.screen.lux(0.45) / math.pi / SCREEN_CD
        return (GLASS * bright * mirrored[:, None] + np.float32(scattered)) * more


def away_m(face_width: float) -> float:
    """How far a face is that takes this share of the picture's width."""
    return FACE_M / (2 * math.tan(math.radians(FIELD_OF_VIEW_DEG / 2)) * max(face_width, 0.02))
