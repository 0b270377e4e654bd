"""Whole scenarios through the real session and loops: with figures only, and with the real eyes on pixels."""

from collections.abc import Mapping

import pytest

from edge.ports import Net
from sim import scenario
from sim.frames import puppet_world, scripted_world
from sim.inprocess import Run
from sim.puppet.wardrobe import Wardrobe
from sim.report import Report
from sim.scenario import Camera


def differences(report: Report) -> list[str]:
    return [f"{visit.key}: {visit.difference}" for visit in report.visits if not visit.as_expected]


@pytest.mark.parametrize("name", scenario.names())
def test_every_scenario_ends_as_expected_whatever_the_seed(name: str) -> None:
    plan = scenario.load(name)
    for seed in range(6):
        assert differences(Run(scripted_world(plan, seed)).run()) == []


def test_a_run_replays_exactly_from_its_seed() -> None:
    plan = scenario.load("slow_people")
    assert Run(scripted_world(plan, 3)).run() == Run(scripted_world(plan, 3)).run()
    assert Run(scripted_world(plan, 3)).run() != Run(scripted_world(plan, 4)).run()


def test_events_never_hold_a_number_that_was_typed() -> None:
    plan, told = scenario.load("wrong_number"), []
    world = scripted_world(plan, 1, on_event=lambda kind, what: told.append(f"{kind} {what}"))
    Run(world).run()
    assert told and not any("1101" in line for line in told)


def test_the_seven_people_before_the_real_eyes(nets: Mapping[str, Net], wardrobe: Wardrobe) -> None:
    plan = scenario.load("demo")
    plan = plan.model_copy(update={"camera": Camera(frames_per_second=10)})  # slower, as on a busy machine
    report = Run(puppet_world(plan, 5, nets, wardrobe=wardrobe)).run()
    assert differences(report) == []
    by_key = {visit.key: visit for visit in report.visits}
    assert (by_key["li"].match or 0) > 0.5 and (by_key["impostor"].match or 0) < 0.25
    assert max(by_key[key].passive or 0 for key in ("photo", "film")) < 0.15


@pytest.mark.parametrize("name", ["bad_light", "camera_freezes"])
def test_coaching_and_a_camera_that_freezes_before_the_real_eyes(
    nets: Mapping[str, Net], wardrobe: Wardrobe, name: str
) -> None:
    plan = scenario.load(name)
    plan = plan.model_copy(update={"visits": plan.visits[:1]})
    assert differences(Run(puppet_world(plan, plan.seed, nets, wardrobe=wardrobe)).run()) == []
