"""What is measured of skin, of what is beside it, and of the room: in linear light, and steadily."""

from collections.abc import Mapping

import numpy as np
import pytest

from edge.core import light
from edge.ports import Net, Pixels
from edge.vision import skin
from edge.vision.detect import Detector
from edge.vision.landmarks import Landmarker, Mesh
from tests.vision.photos import collins

FACE, WALL, EDGE = (190, 150, 130), (120, 130, 140), (60, 90, 80)


def linear(colour: tuple[int, int, int]) -> tuple[float, ...]:
    return tuple(light.linear(byte) for byte in colour)


def mesh_at(x: float, y: float, width: float) -> Mesh:
    """A face's oval of points, with those that the patches need where a face has them."""
    turn = np.linspace(0, 2 * np.pi, 468, endpoint=False)
    points = np.zeros((468, 3), np.float32)
    points[:, 0], points[:, 1] = x + width / 2 * np.cos(turn), y + 0.6 * width * np.sin(turn)
    for indices, (across, down) in {
        (9, 151): (0.0, -0.4),
        (108, 69): (-0.18, -0.4),
        (337, 299): (0.18, -0.4),
        (50, 101, 205): (-0.25, 0.1),
        (280, 330, 425): (0.25, 0.1),
    }.items():
        points[list(indices), :2] = (x + across * width, y + down * width)
    return Mesh(points, 1.0)


def scene(mesh: Mesh, face: tuple[int, int, int] = FACE) -> Pixels:
    """Edges of the picture, a wall, and a face with a mouth and eyes that are none of its skin."""
    rgb = np.full((480, 640, 3), EDGE, np.uint8)
    rgb[:, 64:576] = WALL
    x0, y0, x1, y1 = (int(v) for v in mesh.box)
    rgb[y0:y1, x0:x1] = face
    rgb[y0 + 165 : y0 + 185, x0 + 40 : x1 - 40] = (90, 30, 30)
    return rgb


@pytest.fixture
def mesh() -> Mesh:
    return mesh_at(320, 220, 180)


def test_skin_wall_and_room_are_told_apart_in_linear_light(mesh: Mesh) -> None:
    found = skin.measure(scene(mesh), mesh)
    assert found.skin == pytest.approx(linear(FACE), rel=0.01)
    assert found.behind == pytest.approx(linear(WALL), rel=0.01)
    assert found.room == pytest.approx(linear(EDGE), rel=0.01)


def test_hair_over_a_side_of_the_forehead_is_no_skin(mesh: Mesh) -> None:
    rgb = scene(mesh)
    x0, y0, *_ = (int(v) for v in mesh.box)
    rgb[y0 : y0 + 60, x0 : x0 + 75] = (70, 70, 75)
    assert skin.measure(rgb, mesh).skin == pytest.approx(linear(FACE), rel=0.01)


def test_noise_of_the_sensor_hardly_moves_the_hue(mesh: Mesh) -> None:
    chance = np.random.default_rng(1)
    hues = []
    for _ in range(20):
        rgb = np.clip(scene(mesh) + chance.normal(0, 4, (480, 640, 3)), 0, 255).astype(np.uint8)
        found = skin.measure(rgb, mesh).skin
        assert found is not None
        hues.append(np.log(found[0] / found[1]))
    assert np.std(hues) < 0.004


def test_a_face_that_brightens_until_it_is_cut_off_does_not_change_its_hue_by_leaps(mesh: Mesh) -> None:
    """One cheek is brighter and redder: whether it is cut off must not decide whether it counts."""
    rgb = scene(mesh).astype(np.float32)
    x0, y0, x1, y1 = (int(v) for v in mesh.box)
    rgb[y0:y1, (x0 + x1) // 2 : x1] *= (1.25, 1.1, 1.0)
    hues = []
    for gain in np.linspace(0.75, 1.2, 60):
        found = skin.measure(np.clip(rgb * gain, 0, 255).astype(np.uint8), mesh).skin
        if found is not None:
            hues.append(np.log(found[0] / found[1]))
    assert len(hues) > 40 and np.abs(np.diff(hues)).max() < 0.03


@pytest.mark.parametrize("byte", [0, 255])
def test_what_the_sensor_cut_off_has_no_colour(mesh: Mesh, byte: int) -> None:
    found = skin.measure(np.full((480, 640, 3), byte, np.uint8), mesh)
    assert (found.skin, found.behind, found.room) == (None, None, None)


@pytest.mark.parametrize(("x", "y", "width"), [(10, 10, 200), (640, 480, 200), (-500, 900, 100), (320, 240, 900)])
def test_a_face_that_is_partly_or_wholly_outside_breaks_nothing(x: float, y: float, width: float) -> None:
    mesh = mesh_at(x, y, width)
    skin.measure(np.full((480, 640, 3), 100, np.uint8), mesh)


def test_beside_a_face_that_fills_the_picture_there_is_no_room() -> None:
    mesh = mesh_at(320, 240, 420)
    assert skin.measure(np.full((480, 640, 3), 100, np.uint8), mesh).room is None


def test_a_real_face_has_skin_colour_and_follows_what_lights_it(nets: Mapping[str, Net]) -> None:
    rgb = collins()
    faces = Detector(nets["face_detection"]).find(rgb)
    mesh = Landmarker(nets["face_landmarks"]).at_face(rgb, faces[0])
    found = skin.measure(rgb, mesh).skin
    assert found is not None and found[0] > found[1] > found[2]  # skin is redder than green, greener than blue
    # Cyan light: a tenth less red, in linear light.
    tinted = rgb.copy()
    tinted[..., 0] = np.clip(rgb[..., 0] * 0.9 ** (1 / 2.2), 0, 255)
    lit = skin.measure(tinted, mesh).skin
    assert lit is not None
    assert np.log(lit[0] / lit[1]) - np.log(found[0] / found[1]) == pytest.approx(np.log(0.9), abs=0.02)
