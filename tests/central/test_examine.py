"""Nothing that a message can hold stops the office."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from central.devices import Devices
from central.examine import Arrival, Fit, Unfit, examine
from edge.wire import topics
from edge.wire.envelope import Typ, sign
from tests.central.terminals import Terminal

TERMINAL = Terminal()
TOPIC = topics.Topic("hall", "dev-1", topics.Kind.RESULT)
GENUINE = TERMINAL.result().encode()

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=10,
)


@pytest.fixture(scope="module")
def devices(tmp_path_factory: pytest.TempPathFactory) -> Devices:
    from central.devices import to_text

    file: Path = tmp_path_factory.mktemp("office") / "devices.json"
    file.write_text(to_text([TERMINAL.entry()]))
    return Devices(file).open()


def look(payload: bytes, devices: Devices) -> Fit | Unfit:
    return examine(Arrival(TOPIC, payload, datetime(2026, 3, 9, tzinfo=UTC)), devices)


@settings(max_examples=200, deadline=None)
@given(payload=st.binary(max_size=300) | st.lists(st.binary(max_size=40), min_size=3, max_size=3).map(b".".join))
def test_any_bytes_are_put_aside(devices: Devices, payload: bytes) -> None:
    assert isinstance(look(payload, devices), Unfit)


@settings(max_examples=100, deadline=None)
@given(value=json_values)
def test_anything_that_the_terminal_signs_is_at_most_malformed(devices: Devices, value: object) -> None:
    import json

    signed = sign(json.dumps(value).encode(), TERMINAL.key, Typ.RESULT).encode()
    seen = look(signed, devices)
    assert isinstance(seen, Unfit)
    assert seen.reason == "malformed"


@settings(max_examples=150, deadline=None)
@given(at=st.integers(0, len(GENUINE) - 1), byte=st.integers(0, 255))
def test_one_changed_byte_is_one_too_many(devices: Devices, at: int, byte: int) -> None:
    altered = GENUINE[:at] + bytes([byte]) + GENUINE[at + 1 :]
    assert isinstance(look(altered, devices), Unfit if altered != GENUINE else Fit)


def test_a_document_of_another_kind_is_no_result(devices: Devices) -> None:
    for kind in (Typ.RECEIPT, Typ.ROSTER, Typ.POLICY):
        seen = look(sign(b"{}", TERMINAL.key, kind).encode(), devices)
        assert isinstance(seen, Unfit)
        assert seen.reason == "bad_signature"
