"""Crops and similarities: there and back again, for any place, size and angle."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.vision import geometry

angles = st.floats(-180, 180)
scales = st.floats(0.05, 20)
shifts = st.floats(-500, 500)
seeds = st.integers(0, 2**32 - 1)


def similarity(scale: float, degrees: float, x: float, y: float) -> geometry.Matrix:
    cos, sin = scale * np.cos(np.radians(degrees)), scale * np.sin(np.radians(degrees))
    return np.array([[cos, -sin, x], [sin, cos, y]])


@settings(deadline=None)
@given(scale=scales, degrees=angles, x=shifts, y=shifts, seed=seeds)
def test_umeyama_recovers_any_similarity(scale: float, degrees: float, x: float, y: float, seed: int) -> None:
    points = np.random.default_rng(seed).uniform(-100, 100, (5, 2))
    wanted = similarity(scale, degrees, x, y)
    moved = points @ wanted[:, :2].T + wanted[:, 2]
    assert np.allclose(geometry.umeyama(points, moved), wanted, atol=1e-6 * max(1, scale))


@settings(deadline=None)
@given(seed=seeds, noise=st.floats(0.1, 10))
def test_no_other_similarity_fits_noisy_points_better(seed: int, noise: float) -> None:
    rng = np.random.default_rng(seed)
    points = rng.uniform(-100, 100, (5, 2))
    wanted = similarity(1.3, 20, 5, -7)
    target = points @ wanted[:, :2].T + wanted[:, 2] + rng.normal(0, noise, points.shape)
    best = geometry.umeyama(points, target)

    def error(matrix: geometry.Matrix) -> float:
        return float(((points @ matrix[:, :2].T + matrix[:, 2] - target) ** 2).sum())

    for _ in range(10):
        other = best + similarity(rng.normal(0, 0.05), rng.uniform(-180, 180), *rng.normal(0, 1, 2))
        assert error(best) <= error(other) + 1e-9


def test_points_that_all_coincide_have_no_similarity() -> None:
    with pytest.raises(ValueError, match="two different points"):
        geometry.umeyama(np.ones((5, 2)), np.zeros((5, 2)))


@settings(deadline=None)
@given(x=st.floats(0, 640), y=st.floats(0, 480), side=st.floats(10, 800), roll=angles, seed=seeds)
def test_a_point_goes_to_the_crop_and_back(x: float, y: float, side: float, roll: float, seed: int) -> None:
    matrix = geometry.square_crop((x, y), side, roll, 192)
    points = np.random.default_rng(seed).uniform(0, 640, (20, 2))
    there = points @ matrix[:, :2].T + matrix[:, 2]
    assert np.allclose(geometry.apply(geometry.invert(matrix), there), points, atol=1e-2)
    assert np.allclose(geometry.apply(matrix, np.array([[x, y]])), 96, atol=1e-2)
    assert geometry.scale_of(matrix) == pytest.approx(192 / side)


@settings(deadline=None, max_examples=30)
@given(width=st.integers(40, 700), height=st.integers(40, 700))
def test_a_letterbox_keeps_the_shape_and_its_matrix_is_true(width: int, height: int) -> None:
    rgb = np.zeros((height, width, 3), np.uint8)
    rgb[height // 4 : height // 2, width // 4 : width // 2] = 255
    square, matrix = geometry.letterbox(rgb, 128)
    assert square.shape == (128, 128, 3)
    ys, xs = np.nonzero(square[:, :, 0] > 127)
    corners = np.array([[width // 4, height // 4], [width // 2, height // 2]])
    wanted = geometry.apply(matrix, corners)
    assert np.abs(np.array([[xs.min(), ys.min()], [xs.max() + 1, ys.max() + 1]]) - wanted).max() <= 1.01


def test_a_tilted_eye_line_is_level_in_the_crop() -> None:
    eyes = np.array([[300.0, 200.0], [380.0, 240.0]])
    roll = float(np.degrees(np.arctan2(40, 80)))
    there = geometry.apply(geometry.square_crop((340.0, 220.0), 200, roll, 192), eyes)
    assert there[0, 1] == pytest.approx(there[1, 1], abs=1e-3) and there[0, 0] < there[1, 0]


def test_a_crop_of_a_much_larger_picture_averages_instead_of_skipping() -> None:
    fine = np.indices((1000, 1000)).sum(0) % 2 * 255  # a checkerboard of single pixels
    rgb = np.repeat(fine[:, :, None], 3, axis=2).astype(np.uint8)
    crop = geometry.warp(rgb, geometry.square_crop((500.0, 500.0), 800, 0, 100), 100)
    assert crop[10:-10, 10:-10].std() < 3


def test_a_crop_at_the_scale_of_the_picture_is_the_picture() -> None:
    rgb = cv2.GaussianBlur(np.random.default_rng(1).integers(0, 255, (200, 200, 3), np.uint8), (0, 0), 2)
    crop = geometry.warp(rgb, geometry.square_crop((100.0, 100.0), 100, 0, 100), 100)
    assert np.abs(crop.astype(int) - rgb[50:150, 50:150].astype(int)).max() <= 2


@settings(deadline=None)
@given(scale=scales, degrees=angles, x=shifts, y=shifts, seed=seeds)
def test_depth_grows_with_the_picture_and_nothing_else(
    scale: float, degrees: float, x: float, y: float, seed: int
) -> None:
    points = np.random.default_rng(seed).uniform(-100, 100, (20, 3)).astype(np.float32)
    matrix = similarity(scale, degrees, x, y)
    moved = geometry.apply_in_space(matrix, points)
    assert moved.shape == (20, 3) and moved.dtype == np.float32
    assert np.allclose(moved[:, :2], geometry.apply(matrix, points[:, :2]), atol=1e-3 * max(1, scale))
    assert np.allclose(moved[:, 2], scale * points[:, 2], atol=1e-3 * max(1, scale))


@settings(deadline=None, max_examples=30)
@given(width=st.integers(20, 500), height=st.integers(20, 500), seed=seeds)
def test_a_smaller_picture_has_the_light_of_the_larger(width: int, height: int, seed: int) -> None:
    fine = np.random.default_rng(seed).integers(0, 256, (height // 4 + 1, width // 4 + 1, 3), np.uint8)
    rgb = np.asarray(cv2.resize(fine, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)
    small = geometry.resize(rgb, 16, 16)
    whole = cv2.resize(rgb, (16, 16), interpolation=cv2.INTER_AREA)
    assert small.shape == (16, 16, 3)
    assert abs(float(small.mean()) - float(whole.mean())) < 6


def test_a_picture_with_an_odd_last_row_is_halved_as_if_it_were_not_there() -> None:
    rgb = np.random.default_rng(2).integers(0, 256, (65, 81, 3), np.uint8)
    assert np.array_equal(geometry.resize(rgb, 40, 32), geometry.resize(rgb[:64, :80], 40, 32))


def test_a_large_frames_letterbox_still_averages_noise() -> None:
    noise = np.random.default_rng(3).integers(0, 256, (480, 640, 3), np.uint8)
    square, _ = geometry.letterbox(noise, 128)
    inside = square[16:112].astype(float)
    assert inside.std() < 0.35 * noise.std() and abs(inside.mean() - noise.mean()) < 2
