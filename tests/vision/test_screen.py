"""A fine pattern on the face, and a frame of straight edges round it."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from edge.ports import Floats, Pixels
from edge.vision import screen
from tests.vision import photos

FACE: Floats = np.array([250, 160, 390, 300], np.float32)


def _room(seed: int) -> Pixels:
    """A soft wall with a head before it: round edges, no straight ones."""
    rng = np.random.default_rng(seed)
    wall = cv2.resize(rng.uniform(90, 150, (6, 8, 3)).astype(np.float32), (photos.WIDTH, photos.HEIGHT))
    cv2.ellipse(wall, (320, 225), (82, 118), 0, 0, 360, (150, 115, 95), -1)
    cv2.ellipse(wall, (320, 520), (230, 190), 0, 0, 360, (60, 70, 110), -1)
    return photos.noisy(cv2.GaussianBlur(wall, (0, 0), 1.5).astype(np.uint8), seed)


def _framed(rgb: Pixels, half_width: int, half_height: int, tilt_deg: float) -> Pixels:
    """A dark bezel of 14 px round a glowing rectangle about the face."""
    out = rgb.copy()
    for grow, light in ((14, (15, 15, 18)), (0, None)):
        size = (2.0 * (half_width + grow), 2.0 * (half_height + grow))
        corners = cv2.boxPoints(((320.0, 230.0), size, tilt_deg)).astype(np.int32)
        mask = np.zeros(rgb.shape[:2], np.uint8)
        cv2.fillConvexPoly(mask, corners, 255)
        out[mask > 0] = rgb[mask > 0] if light is None else light
    return out


@pytest.mark.parametrize("tilt_deg", [0.0, 4.0, -7.0])
@pytest.mark.parametrize("half", [(120, 170), (200, 130)])
def test_a_bezel_round_the_face_is_noticed(tilt_deg: float, half: tuple[int, int]) -> None:
    plain = _room(3)
    framed = screen.border(_framed(plain, *half, tilt_deg), FACE)
    assert framed > 0.8
    assert framed > screen.border(plain, FACE) + 0.2


@pytest.mark.parametrize("seed", range(4))
def test_a_person_before_a_soft_wall_has_no_border(seed: int) -> None:
    assert screen.border(_room(seed), FACE) < 0.65


def test_one_door_behind_a_person_is_no_frame() -> None:
    room = _room(5)
    room[:, 470:478] = 40
    assert screen.border(room, FACE) < 0.75


@pytest.mark.parametrize("portrait", [photos.collins, photos.hopper])
def test_skin_and_cloth_have_no_pattern(portrait: Callable[[], Pixels]) -> None:
    rgb = portrait()
    for quality in (95, 60, 30):
        coded = cv2.imencode(".jpg", rgb, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        back = np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)
        assert screen.moire(back, FACE) < 2.6


@pytest.mark.parametrize(("along", "across"), [(0.21, 0.05), (0.15, 0.17), (0.03, 0.29)])
def test_a_beat_of_a_screen_is_noticed_in_light_and_in_colour(along: float, across: float) -> None:
    rgb = photos.collins().astype(np.float32)
    y, x = np.mgrid[: photos.HEIGHT, : photos.WIDTH].astype(np.float32)
    wave = np.cos(2 * np.pi * (along * y + across * x))
    for colours in ((1.0, 1.0, 1.0), (1.0, 0.0, -1.0)):
        shown = rgb * (1 + 0.04 * wave[:, :, None] * np.array(colours, np.float32))
        assert screen.moire(photos.noisy(np.clip(shown, 0, 255).astype(np.uint8), 1), FACE) > 3.2


def test_a_frame_too_small_to_tell_has_no_pattern() -> None:
    assert screen.moire(np.zeros((100, 100, 3), np.uint8), FACE) == 0.0


@pytest.mark.parametrize("at", [(-30, -30), (600, 440), (320, 470)])
def test_a_face_at_the_rim_of_the_frame_is_measured(at: tuple[int, int]) -> None:
    box = np.array([at[0], at[1], at[0] + 140, at[1] + 140], np.float32)
    assert 0.0 <= screen.border(_room(1), box) <= 1.0
    assert screen.moire(_room(1), box) < 2.6
