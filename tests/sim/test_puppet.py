"""The puppets before the terminal's real models: what is meant is what they see."""

import itertools
from collections.abc import Mapping

import numpy as np
import pytest

from edge.core.types import Action, Advice, Observation
from edge.ports import Floats, Frame, Net
from edge.vision.pipeline import Eyes
from sim import portraits
from sim.puppet import attackers
from sim.puppet.body import Body, Place
from sim.puppet.room import Light
from sim.puppet.scene import Actor, LivePerson, Scene
from sim.puppet.wardrobe import Wardrobe

FPS = 10


def embedding(nets: Mapping[str, Net], name: str) -> Floats:
    described = Eyes(nets).describe(Frame(0, 0, portraits.pixels(name)))
    assert described is not None
    return described.embedding[None]


def watch(
    nets: Mapping[str, Net], actor: Actor, reference: Floats, seconds: float, light: Light | None = None
) -> list[Observation]:
    scene, eyes = Scene(3, light=light), Eyes(nets)
    scene.actors = [actor]
    eyes.watch(reference)
    return [
        eyes.observe(Frame(n, int((n / FPS + 1000) * 1e9), scene.render(n, n / FPS)))
        for n in range(int(seconds * FPS))
    ]


def passive(seen: list[Observation]) -> float:
    return float(np.median([each.passive for each in seen if each.passive is not None]))


def match(seen: list[Observation]) -> float:
    return [each.match for each in seen if each.match is not None][-1]


@pytest.mark.parametrize("name", ["collins", "hopper", "obama", "obama3", "biden"])
def test_a_live_puppet_is_one_bona_fide_face_of_its_own_person(
    nets: Mapping[str, Net], wardrobe: Wardrobe, name: str
) -> None:
    seen = watch(nets, LivePerson(wardrobe.bust(name), Body(Place(), 1)), embedding(nets, name), 1.5)
    assert {each.faces for each in seen} == {1} and {each.advice for each in seen} == {Advice.READY}
    assert len({each.track for each in seen}) == 1
    assert 0.2 < np.median([each.face_width for each in seen]) < 0.4
    assert passive(seen) > 0.9
    assert match(seen) > 0.6


def test_another_photo_of_the_same_man_matches_and_another_man_does_not(
    nets: Mapping[str, Net], wardrobe: Wardrobe
) -> None:
    puppet = wardrobe.bust("obama")
    assert match(watch(nets, LivePerson(puppet, Body(Place(), 1)), embedding(nets, "obama3"), 1)) > 0.5
    assert match(watch(nets, LivePerson(puppet, Body(Place(), 1)), embedding(nets, "biden"), 1)) < 0.25


@pytest.mark.parametrize("name", ["collins", "hopper", "obama", "biden"])
def test_a_printed_photo_matches_but_is_no_live_face(nets: Mapping[str, Net], name: str) -> None:
    sheet = attackers.printed(portraits.PORTRAITS[name], portraits.pixels(name), Body(Place(), 1))
    seen = watch(nets, sheet, embedding(nets, name), 1)
    assert match(seen) > 0.6 and passive(seen) < 0.15


@pytest.mark.parametrize("name", ["collins", "obama"])
def test_a_phone_that_replays_a_film_matches_but_is_no_live_face(
    nets: Mapping[str, Net], wardrobe: Wardrobe, name: str
) -> None:
    phone = attackers.phone(wardrobe.bust(name), Body(Place(), 2), Body(Place(0.5, 0.45, 0.24), 1), seed=4)
    seen = watch(nets, phone, embedding(nets, name), 1)
    assert match(seen) > 0.5 and passive(seen) < 0.15


@pytest.mark.parametrize("action", list(Action))
def test_the_eyes_find_the_movement_that_the_puppet_makes(
    nets: Mapping[str, Net], wardrobe: Wardrobe, action: Action
) -> None:
    body = Body(Place(), 1)
    over_s = body.do(action, 1.2)
    seen = watch(nets, LivePerson(wardrobe.bust("obama"), body), embedding(nets, "obama"), over_s + 0.4)
    found = [act.action for each in seen for act in each.actions]
    assert action in found and set(found) <= {action, Action.BLINK}


def test_a_dark_hall_and_a_window_behind_are_noticed(nets: Mapping[str, Net], wardrobe: Wardrobe) -> None:
    puppet, reference = wardrobe.bust("obama"), embedding(nets, "obama")
    for light, advice in ((Light(level=0.05), Advice.TOO_DARK), (Light(behind=1.0), Advice.BACKLIGHT)):
        seen = watch(nets, LivePerson(puppet, Body(Place(), 1)), reference, 1, light)
        assert seen[-1].advice is advice


def test_the_same_seed_draws_the_same_bytes_and_another_seed_does_not(wardrobe: Wardrobe) -> None:
    def film(seed: int) -> list[bytes]:
        scene, body = Scene(seed), Body(Place(), seed)
        body.do(Action.TURN_LEFT, 0.1)
        scene.actors = [LivePerson(wardrobe.bust("collins"), body)]
        return [scene.render(n, n / FPS).tobytes() for n in range(4)]

    assert film(5) == film(5)
    assert not set(film(5)) & set(film(6))


def test_no_two_frames_are_the_same_even_of_an_empty_room() -> None:
    scene = Scene(1)
    assert len({scene.render(n, n / FPS).tobytes() for n in range(20)}) == 20


def test_a_body_never_jumps() -> None:
    body = Body(Place(-0.5), 3)
    body.walk(Place(), 0.0, 1.5)
    body.do(Action.TURN_RIGHT, 1.0)
    body.walk(Place(0.6, 0.5, 0.2), 1.2, 1.0)
    poses = [body.pose(n / 100) for n in range(400)]
    for one, other in itertools.pairwise(poses):
        assert abs(one.x - other.x) < 0.03 and abs(one.yaw_deg - other.yaw_deg) < 2
