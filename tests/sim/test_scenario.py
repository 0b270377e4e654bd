"""Scenario files and the cast: parsed strictly, or refused with the key's name."""

from datetime import date
from pathlib import Path

import pytest

from central.enrolment import read_people
from edge.core.identity import IdentityNumber, parse
from edge.errors import ConfigError, ToolError
from sim import cast, portraits, scenario

GOOD = """
title = "One"
[[visits]]
key = "li"
who = "li"
face = "obama"
"""


def written(tmp_path: Path, text: str) -> str:
    file = tmp_path / "one.toml"
    file.write_text(text, encoding="utf-8")
    return str(file)


@pytest.mark.parametrize("name", scenario.names())
def test_every_scenario_that_we_ship_is_well_formed(name: str) -> None:
    plan = scenario.load(name)
    assert plan.story and all(visit.expect.page or visit.expect.outcome for visit in plan.visits)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (GOOD + "habbits = { haste = 2 }", "habbits"),
        (GOOD + "habits = { hast = 2 }", "hast"),
        ("colour = 1\n" + GOOD, "colour"),
        (GOOD + "kind = 'hologram'", "kind"),
        (GOOD + "number = '1'", "either"),
        (GOOD.replace('who = "li"', 'who = "nobody"'), "nobody"),
        (GOOD + "mode = 'for_other'", "relation"),
        (GOOD + "[[faults]]\nkind = 'camera_lost'\nvisit = 'wu'", "wu"),
        (GOOD + "[[faults]]\nkind = 'meteor'\nvisit = 'li'", "kind"),
        ("title = ", "TOML"),
    ],
)
def test_a_wrong_key_or_value_is_refused_by_name(tmp_path: Path, text: str, key: str) -> None:
    with pytest.raises(ConfigError, match=key):
        scenario.load(written(tmp_path, text))


def test_an_unknown_scenario_names_those_there_are() -> None:
    with pytest.raises(ConfigError, match="demo"):
        scenario.load("demmo")


def test_every_invented_number_is_well_formed_and_one_person_s_own() -> None:
    members = cast.load().values()
    assert all(isinstance(parse(member.number, date(2026, 11, 23)), IdentityNumber) for member in members)
    assert len({member.number for member in members}) == len(members)
    assert not any(member.number in repr(member) or member.name in repr(member) for member in members)


def test_the_list_of_people_is_what_provisioning_reads(tmp_path: Path) -> None:
    if len(portraits.available()) < len(portraits.PORTRAITS):
        pytest.skip("not all portraits are here: run `anxin sim portraits`")
    file = tmp_path / "people.toml"
    cast.write_people(file, cast.load(), date(2026, 11, 23))
    people = read_people(file).person
    assert len(people) == len(cast.load())
    assert people[0].valid_until == date(2026, 12, 31)
    assert all(Path(photo).is_file() for person in people for photo in person.photos)


def test_a_portrait_that_is_missing_or_altered_is_said_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANXIN_CACHE", str(tmp_path))
    with pytest.raises(ToolError, match="anxin sim portraits"):
        portraits.verified("obama")
    (tmp_path / "portraits").mkdir()
    (tmp_path / "portraits" / "obama.jpg").write_bytes(b"not him")
    with pytest.raises(ToolError, match="not the portrait"):
        portraits.verified("obama")
    with pytest.raises(ToolError, match="SHA-256"):
        portraits.fetch(tmp_path / "portraits" / "obama.jpg")
