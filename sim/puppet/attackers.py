"""Presentation attacks: a printed photo held up, and a phone that replays a film."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.ports import Pixels
from sim.portraits import Portrait
from sim.puppet.body import Body, Place
from sim.puppet.bust import Bust
from sim.puppet.lamp import Lamp
from sim.puppet.room import Light
from sim.puppet.scene import LivePerson, Scene

Clip = Callable[[float], Pixels]  # seconds -> RGB uint8


class Held:
    """A flat thing in somebody's hands: it trembles and tilts, and its edges are where they are.

    ``face_x``, ``face_y`` and ``face_width`` say where in the sheet the face is (shares of its width, height, width),
    so that the hands bring the face to the place where a face should be.
    """

    def __init__(
        self,
        sheet: Clip,
        body: Body,
        face: tuple[float, float, float],
        *,
        glows: bool,
        curl: float = 0.0,
        mirrors_below: float = 2.0,
    ) -> None:
        self.glows = glows
        self.mirrors_below = mirrors_below
        self._sheet, self.body, self._face, self._curl = sheet, body, face, curl

    def width(self, at_s: float) -> float:
        return self.body.place(at_s).width

    def nearness(self, at_s: float) -> float:
        return self.width(at_s) + 1.0

    def draw(self, at_s: float, width_px: int, height_px: int) -> Pixels | None:
        pose = self.body.pose(at_s)
        sheet = self._sheet(at_s)
        high, wide = sheet.shape[:2]
        scale = pose.width * width_px / (self._face[2] * wide)
        centre = np.array([pose.x * width_px, pose.y * height_px])
        origin = centre - np.array([self._face[0] * wide, self._face[1] * high]) * scale
        if origin[0] > width_px or origin[0] + wide * scale < 0:
            return None
        # The tilt of hands: a few degrees about every axis, in perspective.
        corners = np.array([[0, 0], [wide, 0], [wide, high], [0, high]], np.float64)
        local = (corners - [wide / 2, high / 2]) * scale
        yaw, pitch, roll = (math.radians(3.0 * a) for a in (pose.yaw_deg, pose.pitch_deg, pose.roll_deg))
        x = local[:, 0] * math.cos(yaw)
        y = local[:, 1] * math.cos(pitch)
        depth = 1 + (local[:, 0] * math.sin(yaw) + local[:, 1] * math.sin(pitch)) / (2.2 * width_px)
        turned = np.stack([x * math.cos(roll) - y * math.sin(roll), x * math.sin(roll) + y * math.cos(roll)], 1)
        placed = turned / depth[:, None] + origin + np.array([wide / 2, high / 2]) * scale
        matrix = cv2.getPerspectiveTransform(corners.astype(np.float32), placed.astype(np.float32))
        cover = np.full((high, wide), 255, np.uint8)
        shown = self._bent(sheet) if self._curl else sheet
        if scale < 0.7:
            shown = np.asarray(cv2.GaussianBlur(shown, (0, 0), 0.4 / scale), np.uint8)
        layer = np.dstack([shown, cover])
        return np.asarray(cv2.warpPerspective(layer, matrix, (width_px, height_px), flags=cv2.INTER_LINEAR), np.uint8)

    def _bent(self, sheet: Pixels) -> Pixels:
        """Paper that curls is lighter on one side."""
        shade = 1 + self._curl * np.sin(np.linspace(-1.2, 1.6, sheet.shape[1], dtype=np.float32))
        return np.clip(sheet * shade[None, :, None], 0, 255).astype(np.uint8)


def printed(portrait: Portrait, photo: Pixels, body: Body) -> Held:
    """A photo from an office printer: white border, weak blacks, halftone."""
    face = portrait.face_width_px
    left, top = int(max(portrait.face_x_px - 0.78 * face, 0)), int(max(portrait.face_y_px - 0.92 * face, 0))
    right, bottom = int(portrait.face_x_px + 0.78 * face), int(portrait.face_y_px + 0.95 * face)
    cut = photo[top : min(bottom, photo.shape[0]), left : min(right, photo.shape[1])]
    scale = 460 / cut.shape[1]
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    picture = cv2.resize(cut, None, fx=scale, fy=scale, interpolation=how).astype(np.float32)
    picture = 62 + picture * (165 / 255)
    y, x = np.mgrid[0 : picture.shape[0], 0 : picture.shape[1]].astype(np.float32)
    for channel, degrees in enumerate((15.0, 75.0, 45.0)):
        a = math.radians(degrees)
        screen = np.cos(1.9 * (x * math.cos(a) + y * math.sin(a))) + np.cos(1.9 * (y * math.cos(a) - x * math.sin(a)))
        picture[..., channel] += 5.5 * screen
    border = 34
    sheet = cv2.copyMakeBorder(
        np.clip(picture, 0, 255).astype(np.uint8),
        border,
        border,
        border,
        border,
        cv2.BORDER_CONSTANT,
        value=(236, 235, 230),
    )
    high, wide = sheet.shape[:2]
    at = (
        ((portrait.face_x_px - left) * scale + border) / wide,
        ((portrait.face_y_px - top) * scale + border) / high,
        face * scale / wide,
    )
    return Held(lambda _: sheet, body, at, glows=False, curl=0.05)


@dataclass(slots=True)
class _Film:
    """A phone's screen that plays a scene: bezel, glow, pixels that beat against the sensor's."""

    scene: Scene
    size: tuple[int, int]  # of the screen, px
    bezel_px: int
    moire: NDArray[np.float32]
    count: int = 0

    def __call__(self, at_s: float) -> Pixels:
        frame = self.scene.render(self.count, at_s)
        self.count += 1
        wide, high = self.size
        # Portrait format: the middle of the film.
        cut = int(frame.shape[0] * wide / high)
        left = (frame.shape[1] - cut) // 2
        shown = cv2.resize(frame[:, left : left + cut], (wide, high), interpolation=cv2.INTER_AREA).astype(np.float32)
        shown = 255 * (np.clip(shown, 0, 255) / 255) ** 0.82
        shown = shown * self.moire + np.array([4, 8, 20], np.float32)
        b = self.bezel_px
        out = np.full((high + 3 * b, wide + 2 * b, 3), 14, np.uint8)
        out[2 * b : 2 * b + high, b : b + wide] = np.clip(shown, 0, 255).astype(np.uint8)
        cv2.circle(out, (wide // 2 + b, b), max(2, b // 5), (40, 40, 46), -1, cv2.LINE_AA)
        return out


def phone(
    bust: Bust,
    film_body: Body,
    hands: Body,
    seed: int,
    face_width_in_film: float = 0.42,
    *,
    film_lamp: Lamp | None = None,
    film_light: Light | None = None,
    whole: bool = False,
) -> Held:
    """A phone that plays ``bust`` doing what ``film_body`` does; ``hands`` hold it before the camera.

    The film was made under ``film_lamp`` and ``film_light``.  ``whole``: a tablet, which shows the film's background,
    too.  How it is tilted, and so which part of its glass mirrors the terminal's page, follows from the seed.
    """
    film_body.walk(Place(0.5, 0.45, face_width_in_film), -1.0, 0.1)
    scene = Scene(seed + 91, light=film_light, width_px=480, height_px=360)
    if film_lamp is not None:
        scene.lamp = film_lamp
    scene.actors.append(LivePerson(bust, film_body))
    wide, high, bezel = (480, 360, 16) if whole else (270, 400, 13)
    y, x = np.mgrid[0:high, 0:wide].astype(np.float32)
    beat = 1 + 0.07 * np.sin(0.36 * x + 0.05 * y) * np.sin(0.31 * y - 0.04 * x) + 0.035 * np.sin(1.9 * y)
    film = _Film(scene, (wide, high), bezel, np.repeat(beat[..., None], 3, 2).astype(np.float32))
    cut = 360 * wide / high
    in_screen = face_width_in_film * 480 / cut
    sheet_w, sheet_h = wide + 2 * bezel, high + 3 * bezel
    face = (0.5, (2 * bezel + 0.45 * high) / sheet_h, in_screen * wide / sheet_w)
    # The page is below the camera: upright glass mirrors it below the middle, tilted glass elsewhere or not at all.
    below = float(np.random.default_rng([seed, 17]).uniform(0.3, 1.3))
    return Held(film, hands, face, glows=True, mirrors_below=below)
