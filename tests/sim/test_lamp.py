"""The page as a lamp: light falls off with distance, and people, paper and glass answer it each in their way."""

import asyncio
from collections.abc import Mapping

import numpy as np
import pytest

from edge.core import light
from edge.core.light import Answer
from edge.core.types import Screen, View
from edge.kiosk.server import Page as Server
from edge.kiosk.texts import Texts
from edge.ports import Net
from sim.puppet.body import Body, Place
from sim.puppet.lamp import Lamp, away_m
from sim.puppet.lamp import Screen as PageScreen
from sim.puppet.room import Light
from sim.puppet.scene import LivePerson, Scene
from sim.puppet.wardrobe import Wardrobe
from sim.window import Window
from tests.sim.lit import Visit, showing

NORMAL, SUN = Light(lux=300), Light(lux=20_000)


def test_far_away_the_page_s_light_falls_with_the_square_of_the_distance() -> None:
    screen = PageScreen()
    area, lumens = screen.width_m * screen.height_m, screen.white_cd * screen.share
    assert screen.lux(3.0) == pytest.approx(lumens * area / 9.0, rel=0.01)
    assert screen.lux(1.5) == pytest.approx(4 * screen.lux(3.0), rel=0.02)
    assert screen.lux(0.45) < lumens * area / 0.45**2  # near, its corners are farther than its middle


def test_close_before_an_endless_page_everything_is_its_light() -> None:
    screen = PageScreen(width_m=100, height_m=100)
    assert screen.lux(0.01) == pytest.approx(np.pi * screen.white_cd * screen.share, rel=0.001)


def test_a_face_that_is_larger_in_the_picture_is_nearer() -> None:
    assert away_m(0.3) == pytest.approx(0.433, abs=0.01) and away_m(0.15) == pytest.approx(2 * away_m(0.3))


def test_a_page_that_asks_nothing_changes_no_byte(wardrobe: Wardrobe) -> None:
    def film(colour: str | None, until_s: float) -> list[bytes]:
        scene = Scene(5)
        scene.actors = [LivePerson(wardrobe.bust("collins"), Body(Place(), 5))]
        scene.lamp.shine(colour, 0.0)
        scene.lamp.shine(None, until_s)
        return [scene.render(n, 1 + n / 10).tobytes() for n in range(2)]

    assert film(None, 0.0) == film("#86e6e6", 0.5)
    assert film(None, 0.0) != film("#86e6e6", 2.0)


def test_near_things_change_much_and_the_wall_hardly() -> None:
    lamp = Lamp()
    lamp.shine("#86e6e6", 0.0)
    near, far = lamp.change(1.0, 0.45, NORMAL.on_face), lamp.change(1.0, 2.5, NORMAL.on_face)
    assert near[0] < 0.97 and abs(far[0] - 1) < 0.005
    assert abs(lamp.change(1.0, 0.45, SUN.on_face)[0] - 1) < 0.002


@pytest.mark.asyncio
async def test_the_colour_of_the_page_reaches_the_person_s_window() -> None:
    """At depth `wire` the room learns from the page itself what it shines in."""
    page, seen = Server("127.0.0.1", 0, "zh", Texts.load()), list[str | None]()
    page.open(lambda _event: None)
    try:
        async with Window(page.url, lambda view: seen.append(view.light), lambda _connected: None):
            for colour in ("#86e6e6", "#ffb4aa", None):
                page.show(View(Screen.FRAMING, "framing.light", preview=True, light=colour))
                async with asyncio.timeout(10):
                    while not seen or seen[-1] != colour:  # noqa: ASYNC110  (the page has a thread of its own)
                        await asyncio.sleep(0.01)
        assert seen == ["#86e6e6", "#ffb4aa", None]
    finally:
        page.close()


def test_glass_mirrors_the_page_where_it_does_and_hardly_elsewhere() -> None:
    lamp = Lamp()
    lamp.shine("#ffa6ff", 0.0)
    dark, mirrored = lamp.veil(1.0, np.array([0.0, 1.0], np.float32))
    assert mirrored[0] > 0 > mirrored[1] and np.abs(mirrored).max() < 0.04 and np.abs(dark).max() < 0.001


@pytest.mark.parametrize(
    ("kind", "room", "expected"),
    [
        ("live", NORMAL, {Answer.FOLLOWED}),
        ("live", SUN, {Answer.UNTOLD}),
        ("print", NORMAL, {Answer.ALIKE}),
        ("phone", NORMAL, {Answer.SILENT, Answer.UNTOLD}),
        ("tablet film", NORMAL, {Answer.OTHER}),
    ],
    ids=lambda each: each if isinstance(each, str) else None,
)
def test_the_real_mesh_sees_who_follows_the_page(
    nets: Mapping[str, Net], wardrobe: Wardrobe, kind: str, room: Light, expected: set[Answer]
) -> None:
    found = light.answer(showing(Visit(kind, "obama", 5, room, fps=8), nets, wardrobe))
    assert found.answer in expected
