"""People, papers and screens under the page's light, by the formulas of light alone: no pixels, thousands a minute.

What falls on a surface is the room's light and the page's, which falls off with the square of the distance; skin,
wall and paper reflect both, a screen adds its own and mirrors a little.  Hues wander besides (`noise`), as measured
skin does when a head moves: slowly, and not only by the sensor's noise.  `tests/sim/score_light.py` has the pixels.
"""

import math
import random
from dataclasses import dataclass, replace
from enum import StrEnum

from edge.core import light
from edge.core.light import Rgb, Showing
from edge.core.types import Advice, Cues, Observation

PAGE_LUX = 50.0  # on a face at `FACE_M`
FACE_M, WALL_M = 0.5, 2.5
SCREEN_CD = 300.0  # white of a phone
SKIN, GREY = (0.35, 0.22, 0.16), (0.4, 0.4, 0.38)
TICK_NS = 100_000_000


class Who(StrEnum):
    PERSON = "person"
    PRINT = "print"
    SCREEN = "screen"  # a phone: what is beside the face is the room
    TABLET = "tablet"  # the film's own background is beside the face
    FILM = "film"  # on a tablet, of somebody lit by a page with another sequence


@dataclass(frozen=True)
class Setting:
    """One visit.  ``lux`` of the room on the face, ``wall_lux`` on the wall (as much unless told), ``mirrored`` the
    glass's share of the page that comes back over the face, by the film's own light; ``late_s`` page and camera.
    """

    who: Who = Who.PERSON
    lux: float = 300.0
    wall_lux: float | None = None
    warmth: float = 0.0
    noise: float = 0.006
    balance: float = 0.0  # share of a tint that the camera takes back at once; the rest of its work is a drift
    mirrored: float = 0.0
    late_s: float = 0.12
    fps: float = 12.0
    sway_deg: float = 1.0
    flicker: float = 0.0  # a television in the room: changes of hue of everything
    seed: int = 1


def visit(setting: Setting) -> Showing:
    """A whole showing, with everything that the eyes saw of it."""
    chance = random.Random(f"{setting.seed}/{setting.who}")
    nonce = f"{chance.getrandbits(128):032x}"
    began_ns = 5_000_000_000 + chance.randrange(TICK_NS)
    showing = light.begin(nonce, 0, began_ns)
    film = _run(light.sequence(f"{chance.getrandbits(128):032x}", 0), began_ns - chance.randrange(700_000_000))
    tints = [_Wander(chance, setting.noise) for _ in range(6)]
    television = _Wander(chance, setting.flicker, holds=0.8)
    tick_ns, number = began_ns, 0
    while not showing.over(tick_ns):
        at_ns = began_ns + round(number * 1e9 / setting.fps)
        if at_ns > tick_ns:
            tick_ns += TICK_NS
            showing = light.go_on(showing, tick_ns)
            continue
        number += 1
        page = light.page_light(showing.asked, at_ns - round(setting.late_s * 1e9))
        then = light.page_light(film, at_ns)
        cues = _seen(setting, page, then, [each.step() for each in tints], television.step())
        yaw = setting.sway_deg * math.sin(2 * math.pi * 0.2 * at_ns / 1e9)
        seen = Observation(number, at_ns, 1, Advice.READY, track=3, face_width=0.3, yaw_deg=yaw, cues=cues)
        showing = light.see(showing, seen)
    return showing


def answer(setting: Setting) -> light.LightAnswer:
    return light.answer(visit(setting))


def answers(setting: Setting, count: int) -> list[light.LightAnswer]:
    return [answer(replace(setting, seed=seed)) for seed in range(count)]


def _run(steps: tuple[light.Step, ...], began_ns: int) -> tuple[tuple[int, str | None], ...]:
    """A sequence again and again, as a film of it may be looped."""
    step_ns = round(light.STEP_S * 1e9)
    return tuple((began_ns + number * step_ns, steps[number % len(steps)].colour) for number in range(10))


def _seen(setting: Setting, page: Rgb, then: Rgb, tints: list[float], television: float) -> Cues:
    wall_lux = setting.lux if setting.wall_lux is None else setting.wall_lux
    paper = setting.who is Who.PRINT
    screen = setting.who in {Who.SCREEN, Who.TABLET, Who.FILM}
    # Luminance of white: what is lit reflects as much, what glows has its own.  The camera exposes for the face.
    near, far = SCREEN_CD if screen else setting.lux / math.pi, wall_lux / math.pi
    exposed = near if screen else near * (1 + 0.6 * PAGE_LUX / setting.lux)
    beside = near if paper or setting.who in {Who.TABLET, Who.FILM} else far
    face = _lit(page, setting.lux, FACE_M, setting.warmth)
    wall = _lit(page, wall_lux, WALL_M, setting.warmth)
    film = _lit(then, 120.0, FACE_M, 0.0)
    glass = _scaled(page, setting.mirrored)
    skin, behind = {
        Who.PERSON: (face, wall),
        Who.PRINT: (face, face),
        Who.SCREEN: (_plus((1.0, 1.0, 1.0), glass), wall),
        Who.TABLET: (_plus((1.0, 1.0, 1.0), glass), _plus((1.0, 1.0, 1.0), glass)),
        Who.FILM: (_plus(film, glass), _plus(_lit(then, 120.0, WALL_M, 0.0), glass)),
    }[setting.who]
    # A camera that takes the picture for grey takes back part of the face's tint, everywhere.
    back = tuple((channel / skin[1]) ** -setting.balance for channel in skin)
    red, blue = 1 + television, 1 - television

    def of(colour: Rgb, lit: Rgb, white: float, red_tint: float, blue_tint: float) -> Rgb:
        tint = (math.exp(red_tint) * red, 1.0, math.exp(blue_tint) * blue)
        r, g, b = (
            min(white / exposed * c * v * w * t / 2, 1.0) for c, v, w, t in zip(colour, lit, back, tint, strict=True)
        )
        return r, g, b

    return Cues(
        skin=of(SKIN, skin, near, tints[0], tints[1]),
        behind=of(GREY, behind, beside, tints[2], tints[3]),
        # The room is a large part of the picture and does not move: a tenth of the noise.
        room=of(GREY, wall, far, tints[4] / 10, tints[5] / 10),
    )


def _lit(page: Rgb, room_lux: float, away_m: float, warmth: float) -> Rgb:
    """By how much more than the room alone the room and the page light something."""
    page_lux = PAGE_LUX * (FACE_M / away_m) ** 2
    room = (room_lux * (1 + 0.3 * warmth), room_lux, room_lux * (1 - 0.4 * warmth))
    red, green, blue = ((r + page_lux * p) / room_lux for r, p in zip(room, page, strict=True))
    return red, green, blue


def _scaled(colour: Rgb, by: float) -> Rgb:
    return colour[0] * by, colour[1] * by, colour[2] * by


def _plus(one: Rgb, other: Rgb) -> Rgb:
    return one[0] + other[0], one[1] + other[1], one[2] + other[2]


class _Wander:
    """Noise that keeps ``holds`` of itself from frame to frame."""

    def __init__(self, chance: random.Random, size: float, holds: float = 0.9) -> None:
        self._chance, self._size, self._holds = chance, size, holds
        self._value = chance.gauss(0, size)

    def step(self) -> float:
        fresh = math.sqrt(1 - self._holds**2) * self._chance.gauss(0, self._size)
        self._value = self._holds * self._value + fresh
        return self._value
