"""What the eyes say about a face besides the passive score, through the whole pipeline."""

import numpy as np

from edge.core.types import Action, Advice, Observation
from edge.ports import Frame, Pixels
from edge.vision.pipeline import Eyes
from sim import portraits
from sim.puppet import attackers
from sim.puppet.body import Body, Place
from sim.puppet.scene import Actor, LivePerson, Scene
from sim.puppet.wardrobe import Wardrobe
from tests.vision import photos

FPS = 10


def _watched(eyes: Eyes, actor: Actor, seconds: float) -> list[Observation]:
    scene = Scene(3)
    scene.actors = [actor]
    return [
        eyes.observe(Frame(n, round((n / FPS + 1000) * 1e9), scene.render(n, n / FPS)))
        for n in range(int(seconds * FPS))
    ]


def _median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


def _borders(seen: list[Observation]) -> list[float]:
    return [each.cues.border for each in seen if each.cues.border is not None]


def test_pattern_and_border_are_measured_in_turn_on_good_frames_only(eyes: Eyes) -> None:
    dark: Pixels = (photos.collins() // 6).astype(np.uint8)
    seen = [eyes.observe(each) for each in photos.film(lambda n: dark if n < 4 else photos.collins(), 16)]
    assert all(
        each.cues.moire is None and each.cues.border is None for each in seen if each.advice is not Advice.READY
    )
    good = [each.cues for each in seen if each.advice is Advice.READY]
    assert len(good) > 8
    assert not any(each.moire is not None and each.border is not None for each in good)
    assert sum(each.moire is not None for each in good) >= 2 <= sum(each.border is not None for each in good)


def test_who_keeps_still_is_not_called_flat(eyes: Eyes) -> None:
    assert all(eyes.observe(each).cues.relief is None for each in photos.still(photos.collins(), 24))


def test_a_head_that_turns_on_request_has_relief(eyes: Eyes, wardrobe: Wardrobe) -> None:
    body = Body(Place(), 1)
    body.do(Action.TURN_LEFT, 1.5)
    told = [each.cues.relief for each in _watched(eyes, LivePerson(wardrobe.bust("obama"), body), 3.5)]
    assert told[0] is None
    assert told[-1] is not None
    assert told[-1] > 0.6


def test_a_print_has_a_pattern_and_a_border_and_a_person_has_neither(eyes: Eyes, wardrobe: Wardrobe) -> None:
    print_ = attackers.printed(portraits.PORTRAITS["obama"], portraits.pixels("obama"), Body(Place(), 1))
    attack = _watched(eyes, print_, 1.2)
    eyes.watch(None)
    person = _watched(eyes, LivePerson(wardrobe.bust("obama"), Body(Place(), 1)), 1.2)
    assert _median(_borders(attack)) > 0.8 > _median(_borders(person)) + 0.1
    patterns = [[each.cues.moire for each in seen if each.cues.moire is not None] for seen in (attack, person)]
    assert _median(patterns[0]) > 2.8
    assert _median(patterns[1]) < 2.4
