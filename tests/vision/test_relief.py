"""Relief: a head that turns has it, a sheet that tilts has not."""

import numpy as np
import pytest

from edge.ports import Floats
from edge.vision import relief
from edge.vision.landmarks import Mesh
from edge.vision.relief import ReliefWatch

_RNG_SEED = 11


def _head(depth: float) -> Floats:
    """468 points of a face of 120 px with its depth times ``depth``: 1 is a head, 0 a sheet.  y down, z away."""
    rng = np.random.default_rng(_RNG_SEED)
    points = rng.uniform(-60, 60, (468, 3))
    at = np.array(relief._POINTS)
    points[:, 2] = 0
    points[at, :2] = rng.uniform(-55, 55, (len(at), 2))
    points[33, :2], points[263, :2] = (-45, -10), (45, -10)
    points[at, 2] = depth * 90 * relief._DEPTH
    return points.astype(np.float32)


def _turned(points: Floats, yaw_deg: float, pitch_deg: float, seed: int) -> Mesh:
    yaw, pitch = np.radians([yaw_deg, pitch_deg])
    about_y = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]])
    turned = points @ (about_x @ about_y).T
    near = 500 / (500 + turned[:, 2:])
    seen = turned[:, :2] * near + np.array([320, 240]) + np.random.default_rng(seed).normal(0, 0.4, (468, 2))
    return Mesh(np.column_stack([seen, turned[:, 2]]).astype(np.float32), 1.0)


def _watched(points: Floats, path: list[tuple[float, float]]) -> float | None:
    watch, answer = ReliefWatch(), None
    for seed in range(relief.REFERENCE_FRAMES):
        assert watch.step(_turned(points, 0, 0, seed), calm=True) is None
    for number, (yaw, pitch) in enumerate(path):
        answer = watch.step(_turned(points, yaw, pitch, 100 + number), calm=False)
    return answer


_TURN = [(a, 0.0) for a in (5, 12, 20, 28, 34, 34, 30, 34, 30, 12)]
_NOD = [(0.0, a) for a in (5, 12, 20, 28, 32, 32, 30, 30, 28, 12)]


@pytest.mark.parametrize("path", [_TURN, _NOD])
def test_a_head_that_moves_shows_its_depth(path: list[tuple[float, float]]) -> None:
    answer = _watched(_head(1.0), path)
    assert answer is not None
    assert answer > 0.7


@pytest.mark.parametrize("path", [_TURN, _NOD])
def test_a_sheet_that_is_tilted_shows_none(path: list[tuple[float, float]]) -> None:
    answer = _watched(_head(0.0), path)
    assert answer is not None
    assert answer < 0.25


@pytest.mark.parametrize("depth", [0.0, 1.0])
def test_whoever_keeps_still_is_told_nothing(depth: float) -> None:
    assert _watched(_head(depth), [(2.0, 1.0), (-3.0, 2.0)] * 20) is None


def test_one_mesh_that_jumps_is_no_movement() -> None:
    assert _watched(_head(0.0), [(40.0, 0.0)] * (relief.LEAST_FRAMES - 1)) is None


def test_without_calm_frames_there_is_no_reference() -> None:
    watch = ReliefWatch()
    assert [watch.step(_turned(_head(1.0), a, 0, int(a)), calm=False) for a in range(40)] == [None] * 40
