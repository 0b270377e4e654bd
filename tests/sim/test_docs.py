"""docs/simulator.md names every key of a scenario and every fault."""

from pathlib import Path

import pytest
from pydantic import BaseModel

from sim.scenario import Camera, Expect, Fault, FaultKind, Habits, Kind, Room, Scenario, Visit

DOCS = (Path(__file__).parents[2] / "docs" / "simulator.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("part", [Scenario, Visit, Habits, Expect, Fault, Room, Camera])
def test_every_key_of_a_scenario_is_explained(part: type[BaseModel]) -> None:
    assert [key for key in part.model_fields if f"`{key}`" not in DOCS] == []


def test_every_fault_and_every_kind_of_visitor_is_explained() -> None:
    assert [word.value for word in (*FaultKind, *Kind) if f"`{word.value}`" not in DOCS] == []
