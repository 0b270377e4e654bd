"""A wall stays behind a head that moves; a sheet takes it along."""

import cv2
import numpy as np
import pytest

from edge.ports import Pixels
from edge.vision import backdrop
from edge.vision.backdrop import BackdropWatch
from edge.vision.landmarks import Mesh
from tests.vision import photos


def _wall(seed: int, contrast: float = 60.0) -> Pixels:
    """Boards, posters, books: corners everywhere."""
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(120 - contrast, 120 + contrast, (24, 32, 3)).astype(np.float32)
    return np.asarray(cv2.resize(coarse, (photos.WIDTH, photos.HEIGHT), interpolation=cv2.INTER_NEAREST), np.uint8)


def _mesh(x: float, y: float, roll_deg: float = 0.0) -> Mesh:
    points = np.random.default_rng(1).uniform(-70, 70, (468, 3))
    turn = np.radians(roll_deg)
    matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    points[:, :2] = points[:, :2] @ matrix.T + (320 + x, 240 + y)
    return Mesh(points.astype(np.float32), 1.0)


def _path(number: int) -> tuple[float, float, float]:
    return 14 * np.sin(number / 5), 6 * np.cos(number / 7), 3 * np.sin(number / 9)


def _watched(wall: Pixels, *, sheet: bool, frames: int = 60, still: bool = False) -> float | None:
    watch = BackdropWatch()
    for number in range(frames):
        x, y, roll = (0.0, 0.0, 0.0) if still else _path(number)
        shown = photos.moved(wall, x, y) if sheet else wall
        if sheet:
            roll = 0.0
        watch.step(photos.noisy(shown, number), _mesh(x, y, roll))
    return watch.stays


@pytest.mark.parametrize("seed", range(3))
def test_a_head_leaves_its_wall_behind(seed: int) -> None:
    stays = _watched(_wall(seed), sheet=False)
    assert stays is not None
    assert stays > 0.85


@pytest.mark.parametrize("seed", range(3))
def test_a_sheet_takes_its_surroundings_along(seed: int) -> None:
    stays = _watched(_wall(seed), sheet=True)
    assert stays is not None
    assert stays < 0.2


def test_before_a_bare_wall_nothing_is_told() -> None:
    assert _watched(_wall(0, contrast=0.0), sheet=False) is None


@pytest.mark.parametrize("sheet", [True, False])
def test_of_a_face_that_keeps_still_nothing_is_told(sheet: bool) -> None:
    assert _watched(_wall(0), sheet=sheet, still=True) is None


def test_two_movements_are_too_few() -> None:
    assert _watched(_wall(0), sheet=True, frames=2 * backdrop._EVERY + 2) is None
