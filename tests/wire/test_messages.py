"""Messages are what the contract says, or refused with a sentence that repeats nothing of them."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.core.types import Action, Standing
from edge.errors import UntrustedError
from edge.wire.documents import PolicyDoc, RosterDoc, RosterPerson, ScryptParams, check_addressee
from edge.wire.messages import Receipt, parse
from edge.wire.uuid7 import unix_ms, uuid7

NOW = datetime(2026, 3, 9, 4, 0, tzinfo=UTC)
RECEIPT: dict[str, Any] = {
    "schema_version": 1,
    "result_id": uuid7(1_700_000_000_000, bytes(10)),
    "result_hash": "a" * 64,
    "site": "chaoyang-07",
    "device": "terminal-1",
    "seq": 1,
    "verdict": "recorded",
    "ledger_at": "2026-03-09T12:00:00+08:00",
    "ledger_head": "b" * 64,
}


def told(**changes: object) -> bytes:
    return json.dumps(RECEIPT | changes).encode()


def test_a_receipt_reads_with_its_zone() -> None:
    assert parse(Receipt, told()).ledger_at == NOW
    assert parse(Receipt, told(ledger_at="2026-03-09T04:00:00.5Z")).ledger_at == NOW + timedelta(seconds=0.5)


@pytest.mark.parametrize(
    "changes",
    [
        {"seq": "1"},
        {"seq": True},
        {"seq": 1.5},
        {"seq": -1},
        {"schema_version": 2},
        {"verdict": "rejected"},
        {"device": "Terminal 1"},
        {"device": "terminal-1\n"},
        {"device": "../other"},
        {"result_hash": "A" * 64},
        {"result_id": "0f1e2d3c-0000-4000-8000-0123456789ab"},
        {"ledger_at": "2026-03-09T12:00:00"},
        {"ledger_at": "2026-03-09 12:00:00+08:00"},
        {"ledger_at": 1_772_000_000},
        {"ledger_at": "2026-13-09T12:00:00Z"},
        {"reason": "A sentence, with spaces"},
        {"extra": 1},
    ],
)
def test_what_is_not_of_the_contract_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(UntrustedError, match="refused"):
        parse(Receipt, told(**changes))


def test_a_refusal_repeats_neither_value_nor_unknown_name() -> None:
    with pytest.raises(UntrustedError) as refused:
        parse(Receipt, told(**{"11010519491231002X": 1}))
    assert "11010519491231002X" not in str(refused.value)
    with pytest.raises(UntrustedError) as refused:
        parse(Receipt, told(verdict="11010519491231002X"))
    assert "11010519491231002X" not in str(refused.value)
    assert "verdict" in str(refused.value)


@settings(max_examples=200, deadline=None)
@given(
    st.binary(max_size=600)
    | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(json.dumps).map(str.encode)
)
def test_noise_is_refused(noise: bytes) -> None:
    with pytest.raises(UntrustedError):
        parse(Receipt, noise)


def test_deep_nesting_and_great_size_are_refused() -> None:
    with pytest.raises(UntrustedError):
        parse(Receipt, b"[" * 4000)
    with pytest.raises(UntrustedError, match="is the most"):
        parse(Receipt, told() + b" " * 5000)


def test_identifiers_sort_by_time_and_tell_it() -> None:
    early, late = uuid7(1, b"\xff" * 10), uuid7(2, bytes(10))
    assert early < late and unix_ms(early) == 1 and unix_ms(late) == 2
    # RFC 9562, appendix A.6: rand_a 0xCC3, rand_b 0x18C4DC0C0C07398F
    rand = (0xCC3 << 68 | 0x18C4DC0C0C07398F).to_bytes(10, "big")
    assert uuid7(0x017F22E279B0, rand) == "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"


def roster(**changes: object) -> RosterDoc:
    person = RosterPerson(
        digest="ab" * 32,
        person_ref="p-1",
        masked_name="王*英",
        scheme="beijing",
        standing=Standing.DUE,
        exemptions=(Action.BLINK,),
    )
    values: dict[str, Any] = {
        "site": "chaoyang-07",
        "device": "terminal-1",
        "number": 7,
        "issued_at": NOW,
        "expires_at": NOW + timedelta(days=30),
        "models": ("sface-int8-1",),
        "salt": "AAAA",
        "params": ScryptParams(n=16384, r=8, p=1),
        "persons": (person,),
    }
    return RosterDoc(**(values | changes))


def test_a_roster_reads_as_it_was_written() -> None:
    assert parse(RosterDoc, roster().to_bytes()) == roster()


def test_a_roster_with_somebody_twice_is_refused() -> None:
    twice = json.loads(roster().to_bytes())
    twice["persons"] *= 2
    with pytest.raises(UntrustedError):
        parse(RosterDoc, json.dumps(twice).encode())


@pytest.mark.parametrize(
    ("changes", "site", "device", "now", "at_least", "says"),
    [
        ({}, "chaoyang-07", "terminal-2", NOW, 1, "another terminal"),
        ({}, "haidian-01", "terminal-1", NOW, 1, "another terminal"),
        ({}, "chaoyang-07", "terminal-1", NOW + timedelta(days=31), 1, "expired"),
        ({}, "chaoyang-07", "terminal-1", NOW, 8, "older"),
    ],
)
def test_a_roster_that_is_not_for_here_and_now_is_refused(
    changes: dict[str, object], site: str, device: str, now: datetime, at_least: int, says: str
) -> None:
    with pytest.raises(UntrustedError, match=says):
        check_addressee(roster(**changes), site=site, device=device, now=now, at_least=at_least)


def test_a_policy_may_be_for_a_whole_site() -> None:
    policy = PolicyDoc(
        site="chaoyang-07", device="*", number=1, issued_at=NOW, expires_at=NOW + timedelta(days=1), policy={"a": 1}
    )
    check_addressee(parse(PolicyDoc, policy.to_bytes()), site="chaoyang-07", device="any", now=NOW)
