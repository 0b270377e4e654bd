"""Clips of movements with labels, acted by puppets made from photos of many faces.

A photo becomes a mesh with depth (`sim.puppet`); a `Part` says who acts before which camera, and `act` draws the
frames and tells when each movement began and ended.  Nothing here is a recording: skin does not wrinkle, and a turn
beyond about 30 degrees shows what no photo knows.  It varies what one real video cannot: faces, glasses, size, place,
where "ahead" is, frame rate, and how far and how slowly somebody moves.
"""

import math
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np

from edge.core.types import Action
from edge.ports import Floats, Frame, Net, Pixels
from edge.vision.pipeline import find_mesh
from sim.portraits import Portrait
from sim.puppet import room
from sim.puppet.bust import Bust, build, canvas
from sim.puppet.sensor import Sensor, SensorSettings
from sim.puppet.warp import Pose, draw

_NS = 1_000_000_000
_ALL = ((-2.1, 3.0), (-2.1, -1.4), (2.1, -1.4), (2.1, 3.0))  # the photo's surroundings are part of the puppet


@dataclass(frozen=True)
class Movement:
    """One movement on request: ``amount`` in degrees (turn, nod) or as a share (lids, jaw); the way there, the time
    it is held, and the way back in seconds."""

    action: Action
    begins_s: float
    amount: float
    there_s: float
    held_s: float
    back_s: float

    @property
    def ends_s(self) -> float:
        return self.begins_s + self.there_s + self.held_s + self.back_s

    def share(self, at_s: float) -> float:
        passed_s = at_s - self.begins_s
        if passed_s < self.there_s:
            return _smooth(passed_s / self.there_s)
        if passed_s < self.there_s + self.held_s:
            return 1.0
        return _smooth((self.ends_s - at_s) / self.back_s)


@dataclass(frozen=True)
class Part:
    """A face before a camera: rest pose, place, light, rate, and what it does."""

    rest: Pose
    frames_per_second: float
    seconds: float
    movements: tuple[Movement, ...] = ()
    blinks_s: tuple[float, ...] = ()  # natural blinks begin here
    talks: float = 0.0  # how lively the mouth and head go on their own, 0..1
    looks: float = 0.0  # degrees by which the head wanders
    gain: float = 1.0
    noise: float = 0.9
    width_px: int = 640
    height_px: int = 480
    seed: int = 0
    phases: tuple[float, ...] = field(default=())

    def pose(self, at_s: float) -> Pose:
        wave = [math.sin(2 * math.pi * f * at_s + p) for f, p in zip(_FREQUENCIES, self.phases, strict=True)]
        yaw = self.rest.yaw_deg + 0.5 * wave[0] + self.looks * (0.7 * wave[1] + 0.3 * wave[2])
        pitch = self.rest.pitch_deg + 0.4 * wave[3] + 0.45 * self.looks * wave[4] + 1.5 * self.talks * wave[5]
        yaw += 2.0 * self.talks * wave[6]
        mouth = self.talks * max(0.0, wave[7]) * (0.10 + 0.25 * abs(wave[8]))
        lids = max(
            [_blink((at_s - begins) / 0.22) for begins in self.blinks_s if 0 <= at_s - begins <= 0.22], default=0.0
        )
        for each in self.movements:
            if not each.begins_s <= at_s <= each.ends_s:
                continue
            amount = each.amount * each.share(at_s)
            match each.action:
                case Action.TURN_LEFT:
                    yaw += amount
                case Action.TURN_RIGHT:
                    yaw -= amount
                case Action.NOD:
                    pitch -= amount
                case Action.OPEN_MOUTH:
                    mouth = max(mouth, amount)
                case Action.BLINK:
                    lids = max(lids, amount)
        x = self.rest.x + 0.002 * wave[9]
        return replace(self.rest, x=x, yaw_deg=yaw, pitch_deg=pitch, mouth=mouth, blink=(lids, lids))


_FREQUENCIES = (0.31, 0.13, 0.37, 0.41, 0.17, 1.1, 0.7, 4.3, 0.53, 0.23)


def puppet(nets: Mapping[str, Net], photo: Pixels, name: str = "somebody", *, glasses: bool = False) -> Bust | None:
    """A puppet of the largest face of an RGB photo, with painted glasses if wanted; None without a face."""
    points = find_mesh(nets, photo)
    if points is None:
        return None
    if glasses:
        photo = with_glasses(photo, points)
    low, high = points[:, :2].min(0), points[:, :2].max(0)
    x, y = (low + high) / 2
    face = Portrait(name, None, "", "", float(x), float(y), float(high[0] - low[0]), _ALL, "")
    picture, matrix = canvas(face, photo)
    placed = points.copy()
    placed[:, :2] = points[:, :2] @ matrix[:, :2].T + matrix[:, 2]
    placed[:, 2] *= math.sqrt(abs(np.linalg.det(matrix[:, :2])))
    return build(face, picture, placed.astype(np.float32))


def with_glasses(photo: Pixels, points: Floats) -> Pixels:
    """The photo with dark frames round both eyes, and a reflection on each glass."""
    out = photo.copy()
    right, left = points[[33, 133], :2].mean(0), points[[263, 362], :2].mean(0)
    apart = float(np.linalg.norm(left - right))
    tilt = math.degrees(math.atan2(*(left - right)[::-1]))
    thick = max(1, round(0.05 * apart))
    ends = []
    for centre, side in ((right, 1), (left, -1)):
        middle = (round(float(centre[0])), round(float(centre[1] + 0.06 * apart)))
        axes = (round(0.40 * apart), round(0.30 * apart))
        cv2.ellipse(out, middle, axes, tilt, 0, 360, (38, 30, 28), thick, cv2.LINE_AA)
        glint = out.copy()
        spot = (round(middle[0] - 0.15 * apart), round(middle[1] - 0.12 * apart))
        cv2.ellipse(
            glint, spot, (max(1, round(0.10 * apart)), max(1, round(0.05 * apart))), -30, 0, 360, (245, 245, 250), -1
        )
        out = cv2.addWeighted(glint, 0.5, out, 0.5, 0)
        ends.append((middle[0] + side * axes[0], middle[1]))
    cv2.line(out, ends[0], ends[1], (38, 30, 28), thick, cv2.LINE_AA)
    return np.asarray(out, np.uint8)


def act(bust: Bust, part: Part) -> Iterator[Frame]:
    """The frames of the part; each is drawn when it is asked for."""
    wall = room.wall(part.seed, room.Light(), part.width_px, part.height_px)
    sensor = Sensor(SensorSettings(read_noise=part.noise), part.seed, part.width_px, part.height_px)
    for number in range(round(part.seconds * part.frames_per_second)):
        at_s = number / part.frames_per_second
        layer = draw(bust, part.pose(at_s), part.width_px, part.height_px)
        through = cv2.cvtColor(255 - layer[..., 3], cv2.COLOR_GRAY2RGB)
        picture = cv2.add(layer[..., :3], cv2.multiply(wall, through, scale=1 / 255))
        if part.gain != 1.0:
            picture = cv2.convertScaleAbs(picture, alpha=part.gain)
        yield Frame(number, round(at_s * _NS), sensor.expose(np.asarray(picture, np.uint8), number, at_s))


def some_part(seed: int, *, idle: bool = False) -> Part:
    """A part with everything at random; ``idle``: talks, looks about and blinks, and does nothing on request."""
    dice = random.Random(seed)
    rest = Pose(
        x=dice.uniform(0.3, 0.7),
        y=dice.uniform(0.38, 0.52),
        width=dice.choice((0.18, 0.22, 0.28, 0.36)),
        yaw_deg=dice.choice((0.0, 0.0, -15.0, 15.0, -20.0, 20.0)) + dice.uniform(-3, 3),
        pitch_deg=dice.choice((0.0, 0.0, 12.0, -12.0)) + dice.uniform(-3, 3),
        roll_deg=dice.uniform(-10, 10),
    )
    at_s, movements = 2.0, []
    for action in [] if idle else dice.sample(list(Action), 5):
        movement = some_movement(dice, action, at_s, rest)
        movements.append(movement)
        at_s = movement.ends_s + dice.uniform(1.2, 2.0)
    seconds = 20.0 if idle else at_s
    blinks, when = [], dice.uniform(0.5, 4)
    while when < seconds:
        if all(not m.begins_s - 0.6 < when < m.ends_s + 0.4 for m in movements):
            blinks.append(when)
        when += dice.uniform(2.5, 6)
    return Part(
        rest,
        dice.choice((10.0, 12.5, 15.0, 15.0, 25.0)),
        seconds,
        tuple(movements),
        tuple(blinks),
        talks=dice.uniform(0.5, 1.0) if idle else 0.0,
        looks=dice.uniform(3.0, 7.0) if idle else dice.uniform(0.0, 1.0),
        gain=dice.choice((1.0, 1.0, 0.5)),
        noise=dice.choice((0.9, 2.5)),
        seed=seed,
        phases=tuple(dice.uniform(0, 2 * math.pi) for _ in _FREQUENCIES),
    )


def some_movement(dice: random.Random, action: Action, begins_s: float, rest: Pose) -> Movement:
    """As people make it when asked, from the least that an old neck can do to clear, from brisk to slow."""
    match action:
        case Action.TURN_LEFT | Action.TURN_RIGHT:
            amount, held_s, way_s = dice.uniform(24, 34), dice.uniform(0.2, 1.2), dice.uniform(0.5, 1.4)
        case Action.NOD:
            amount, held_s, way_s = dice.uniform(13, 22), dice.uniform(0.0, 0.5), dice.uniform(0.3, 1.1)
        case Action.OPEN_MOUTH:
            amount, held_s, way_s = dice.uniform(0.55, 1.0), dice.uniform(0.4, 1.2), dice.uniform(0.25, 0.7)
        case Action.BLINK if dice.random() < 0.5:  # shut for a count of two
            amount, held_s, way_s = dice.uniform(0.9, 1.0), dice.uniform(0.8, 2.2), dice.uniform(0.12, 0.3)
        case Action.BLINK:
            amount, held_s, way_s = dice.uniform(0.85, 1.0), dice.uniform(0.05, 0.25), dice.uniform(0.06, 0.14)
    return Movement(action, begins_s, amount, way_s, held_s, way_s * dice.uniform(1.0, 1.3))


def photos(folder: Path, count: int, seed: int) -> list[tuple[str, Pixels]]:
    """``count`` pictures (RGB) of a folder, any depth, at random but always the same."""
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in {".jpg", ".png"})
    chosen = random.Random(seed).sample(files, min(count, len(files)))
    return [(file.stem, np.ascontiguousarray(cv2.imread(str(file))[:, :, ::-1])) for file in chosen]


def _smooth(share: float) -> float:
    t = min(max(share, 0.0), 1.0)
    return t * t * (3 - 2 * t)


def _blink(share: float) -> float:
    return _smooth(share / 0.3) if share < 0.3 else 1.0 if share < 0.55 else _smooth((1 - share) / 0.45)
