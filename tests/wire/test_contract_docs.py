"""The published contract says what the models say, or the build fails."""

import json
from pathlib import Path

import pytest

from edge.wire import schema
from edge.wire.documents import PolicyDoc, RosterDoc, RosterPerson, ScryptParams
from edge.wire.envelope import Typ
from edge.wire.messages import (
    ActionRecord,
    AlarmMessage,
    ClockReading,
    CueRecord,
    Health,
    LivenessRecord,
    Machine,
    MatchRecord,
    Message,
    PassiveRecord,
    Receipt,
    ResultPayload,
    Status,
    TerminalStatus,
)
from edge.wire.topics import Kind

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "contract.md").read_text(encoding="utf-8")


def test_the_published_asyncapi_is_what_the_models_say() -> None:
    published = (DOCS / "asyncapi.yaml").read_text(encoding="utf-8")
    assert published == schema.text(), "run: python -m edge.wire.schema docs/asyncapi.yaml"


def test_every_reference_in_it_leads_somewhere() -> None:
    document = schema.asyncapi()

    def references(node: object) -> list[str]:
        if isinstance(node, dict):
            here = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
            return here + [ref for value in node.values() for ref in references(value)]
        return [ref for value in node for ref in references(value)] if isinstance(node, list) else []

    found = references(document)
    assert found
    for reference in found:
        node = document
        for step in reference.removeprefix("#/").split("/"):
            node = node[step]


@pytest.mark.parametrize(
    "model",
    [
        ResultPayload,
        MatchRecord,
        PassiveRecord,
        LivenessRecord,
        CueRecord,
        ActionRecord,
        ClockReading,
        Receipt,
        Status,
        TerminalStatus,
        Health,
        Machine,
        AlarmMessage,
        RosterDoc,
        RosterPerson,
        ScryptParams,
        PolicyDoc,
    ],
)
def test_the_page_names_every_field(model: type[Message]) -> None:
    missing = [name for name in model.model_fields if f"`{name}`" not in PAGE]
    assert not missing, f"docs/contract.md does not mention {missing} of {model.__name__}"


def test_the_page_names_every_topic_and_kind_of_signature() -> None:
    assert [kind for kind in Kind if f"`{kind}`" not in PAGE] == []
    assert [typ for typ in Typ if f"`{typ}`" not in PAGE] == []


def test_the_page_gives_every_size_limit() -> None:
    for model in (ResultPayload, Receipt, Status, Health, AlarmMessage, RosterDoc, PolicyDoc):
        size = model.MAX_BYTES
        said = f"{size // 1024**2} MiB" if size % 1024**2 == 0 else f"{size // 1024} KiB"
        assert said in PAGE


def test_the_schema_forbids_what_the_parser_forbids() -> None:
    schemas = json.loads(schema.text())["components"]["schemas"]
    assert all(each.get("additionalProperties") is False for name, each in schemas.items() if "properties" in each)
