"""The light challenge in whole visits: nobody needs to know of it, and everybody ends where they ended without."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from edge.core.policy import Policy
from edge.core.types import Attempt, Outcome
from edge.ports import Net
from sim import scenario
from sim.frames import puppet_world, scripted_world
from sim.inprocess import Run, World
from sim.puppet.wardrobe import Wardrobe
from sim.scenario import Camera

LIT = replace(Policy(), light_challenge=True)


class Watched(Run):
    """A run that keeps what was recorded of the light: the statistic, or None where there was none."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.answers: list[tuple[Outcome, float | None]] = []

    def _record(self, attempt: Attempt) -> str:
        cue = attempt.liveness.cues.get("light") if attempt.liveness else None
        self.answers.append((attempt.outcome, cue.statistic if cue else None))
        return super()._record(attempt)


@pytest.mark.parametrize("name", ["demo", "two_people", "slow_people", "wrong_number", "interrupted", "bad_light"])
def test_with_light_every_visit_ends_as_without(name: str) -> None:
    run = Watched(scripted_world(scenario.load(name), 2, LIT))
    report = run.run()
    assert [f"{visit.key}: {visit.difference}" for visit in report.visits if not visit.as_expected] == []
    lit = [score for outcome, score in run.answers if outcome is Outcome.CERTIFIED]
    assert lit and all(score is not None and score > 0.7 for score in lit)


def test_the_page_lights_a_face_before_the_real_eyes_and_it_follows(
    nets: Mapping[str, Net], wardrobe: Wardrobe
) -> None:
    plan = scenario.load("demo")
    plan = plan.model_copy(update={"camera": Camera(frames_per_second=10), "visits": plan.visits[:1]})
    run = Watched(puppet_world(plan, 5, nets, LIT, wardrobe=wardrobe))
    assert all(visit.as_expected for visit in run.run().visits)
    assert [outcome for outcome, _ in run.answers] == [Outcome.CERTIFIED]
    assert (run.answers[0][1] or 0) > 0.9
