"""The ledger: exactly one row for every signed result, whatever comes, however often, in whatever order."""

import hashlib
import sqlite3
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from central.devices import Devices, to_text
from central.intake import next_head
from central.ledger import Ledger
from edge.core.types import ClockState
from edge.errors import ConfigError, StateError, ToolError
from edge.ports import Slot
from edge.wire.messages import AlarmMessage, Status
from edge.wire.uuid7 import uuid7
from tests.central.terminals import NOON, SITE, Office, Terminal


def test_a_result_is_recorded_once_however_often_it_is_sent(office: Office, terminal: Terminal) -> None:
    jws = terminal.result()
    assert [office.take(jws, terminal).verdict for _ in range(3)] == ["recorded", "duplicate", "duplicate"]
    (row,) = office.ledger.results()
    assert (row.jws, row.hash, row.seq, row.outcome) == (
        jws,
        hashlib.sha256(jws.encode()).hexdigest(),
        1,
        "certified",
    )


def test_results_that_come_out_of_order_are_all_recorded_and_the_gap_closes(
    office: Office, terminal: Terminal
) -> None:
    first, second, third = terminal.result(), terminal.result(), terminal.result()
    assert office.take(first, terminal).gap is False
    early = office.take(third, terminal)
    assert (early.verdict, early.gap) == ("recorded", True)
    assert office.take(second, terminal).verdict == "recorded"
    assert office.seqs() == [1, 2, 3]
    assert office.reasons() == []


def test_a_result_that_is_not_linked_to_its_neighbours_is_put_aside(office: Office, terminal: Terminal) -> None:
    office.take(terminal.result(), terminal)
    strange = terminal.result(Slot(2, "a" * 64))
    verdict = office.take(strange, terminal)
    assert (verdict.verdict, verdict.reason, verdict.seq) == ("quarantined", "chain_break", 2)
    # The right second result still finds its place.
    assert office.take(terminal.result(), terminal).verdict == "recorded"


def test_a_late_result_must_also_fit_the_one_after_it(office: Office, terminal: Terminal) -> None:
    terminal.result()
    third = terminal.result(Slot(2, "a" * 64))
    assert office.take(third, terminal).gap
    other = Terminal()
    other.key = terminal.key
    assert office.take(other.result(), terminal).reason == "chain_break"


def test_a_chain_starts_at_one_and_nowhere_else(office: Office, terminal: Terminal) -> None:
    assert office.take(terminal.result(Slot(1, "b" * 64)), terminal).reason == "chain_break"
    assert office.take(terminal.result(Slot(5, "0" * 64)), terminal).reason == "chain_break"


def test_two_cards_with_one_identity_lose_nothing(office: Office, terminal: Terminal) -> None:
    clone = Terminal()
    clone.key = terminal.key
    clone.result()  # so that the clone's ids differ
    office.take(terminal.result(), terminal)
    verdict = office.take(clone.result(Slot(1, "0" * 64), scheme="other"), terminal)
    assert (verdict.verdict, verdict.reason) == ("quarantined", "seq_reused")
    (aside,) = office.ledger.quarantine()
    assert aside.raw.startswith(b"ey")


def test_a_forged_result_is_put_aside_once_and_counted(office: Office, terminal: Terminal) -> None:
    thief = Terminal("dev-1")
    jws = thief.result()
    for _ in range(3):
        assert office.take(jws, terminal).reason == "bad_signature"
    (row,) = office.ledger.quarantine()
    assert (row.times, row.reason, row.seq) == (3, "bad_signature", 1)
    assert office.seqs() == []


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "bad_signature"),
        (b"not a token", "bad_signature"),
        (b"\xff\xfe\x00", "bad_signature"),
        (b"a.b.c", "bad_signature"),
        (b"x" * 100_000, "oversized"),
    ],
)
def test_garbage_is_kept_with_its_reason(office: Office, terminal: Terminal, raw: bytes, reason: str) -> None:
    verdict = office.take(raw, terminal)
    assert (verdict.verdict, verdict.reason, verdict.result_id) == ("quarantined", reason, None)
    (row,) = office.ledger.quarantine()
    assert row.size_bytes == len(raw)
    assert raw.startswith(row.raw)


def test_a_result_on_another_terminals_topic_is_foreign_or_forged(tmp_path: Path, terminal: Terminal) -> None:
    neighbour = Terminal("dev-2")
    office = Office(tmp_path, terminal, neighbour)
    try:
        assert office.take(neighbour.result(), terminal).reason == "bad_signature"
        with_a_lie = neighbour.result(key=terminal.key)
        verdict = office.take(with_a_lie, terminal)
        assert (verdict.reason, verdict.result_id) == ("foreign", None)
    finally:
        office.close()


def test_an_unregistered_terminals_results_wait_until_it_is_registered(tmp_path: Path, terminal: Terminal) -> None:
    office = Office(tmp_path)
    try:
        jws = terminal.result()
        verdict = office.take(jws, terminal)
        assert (verdict.verdict, verdict.reason, verdict.seq) == ("quarantined", "unknown_device", 1)
        assert not list(office.ledger.devices())
        office.register(terminal)
        assert office.devices.refresh()
        assert office.take(jws, terminal).verdict == "recorded"
        assert office.reasons() == []
        assert [row.reason for row in office.ledger.quarantine(unresolved=False)] == ["unknown_device"]
    finally:
        office.close()


def test_a_result_that_cannot_be_true_is_put_aside(office: Office, terminal: Terminal) -> None:
    jws = terminal.result(clock=ClockState(False, "kernel"))
    assert office.take(jws, terminal).reason == "inconsistent:certified_by_an_unsynchronised_clock"
    nobody = Terminal()
    nobody.key = terminal.key
    assert office.take(nobody.result(match=None), terminal).reason == "inconsistent:certified_without_a_match"


def test_a_retained_result_is_somebodys_replay(office: Office, terminal: Terminal) -> None:
    jws = terminal.result()
    assert office.take(jws, terminal, retained=True).reason == "retained"
    assert office.take(jws, terminal).verdict == "recorded"
    assert office.take(jws, terminal, retained=True).verdict == "duplicate"
    assert office.reasons() == []


def test_a_moment_at_the_end_of_the_calendar_does_not_stop_the_office(office: Office, terminal: Terminal) -> None:
    first = datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=8)))
    last = datetime(9999, 12, 31, 23, 59, tzinfo=timezone(-timedelta(hours=8)))
    for moment in (first, last):
        verdict = office.take(terminal.result(started_at=moment, decided_at=moment), terminal)
        assert verdict.verdict == "recorded"


def test_every_recorded_row_extends_the_head_that_receipts_carry(office: Office, terminal: Terminal) -> None:
    heads = [office.take(terminal.result(), terminal).head for _ in range(3)]
    expected = "0" * 64
    for row, head in zip(office.ledger.results(), heads, strict=True):
        expected = next_head(expected, row.hash)
        assert head == expected == row.head
    (device,) = office.ledger.devices()
    assert (device.results, device.head) == (3, expected)


def test_what_was_committed_is_there_after_a_restart(office: Office, terminal: Terminal) -> None:
    jws = terminal.result()
    office.take(jws, terminal)
    office.ledger.close()
    office.ledger.open()
    assert office.take(jws, terminal).verdict == "duplicate"
    with sqlite3.connect(office.folder / "ledger.sqlite") as database:
        assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    database.close()


def test_somebody_reads_the_ledger_while_the_office_writes(office: Office, terminal: Terminal) -> None:
    office.take(terminal.result(), terminal)
    reader = Ledger(office.ledger.url).open(create=False)
    rows = reader.results()
    next(rows)
    assert office.take(terminal.result(), terminal).verdict == "recorded"
    rows.close()  # type: ignore[attr-defined]
    reader.close()


def test_a_late_will_of_an_older_run_does_not_say_offline(office: Office, terminal: Terminal) -> None:
    runs = [uuid7(1_700_000_000_000 + n, bytes(10)) for n in range(2)]

    def said(state: str, run: str) -> Status:
        return Status.model_validate(
            {
                "state": state,
                "site": SITE,
                "device": terminal.device,
                "boot_id": "0f1e2d3c-0000",
                "run_id": run,
                "at": NOON,
                "software": "0.1.0",
            }
        )

    assert office.ledger.heard(said("online", runs[0]), NOON)
    assert office.ledger.heard(said("online", runs[1]), NOON)
    assert not office.ledger.heard(said("offline", runs[0]), NOON)
    assert [row.status for row in office.ledger.devices()] == ["online"]
    assert office.ledger.heard(said("offline", runs[1]), NOON)
    assert [row.status for row in office.ledger.devices()] == ["offline"]


def test_an_alarm_is_noted_once(office: Office, terminal: Terminal) -> None:
    alarm = AlarmMessage(
        alarm_id=uuid7(1_700_000_000_000, bytes(10)),
        site=SITE,
        device=terminal.device,
        boot_id="0f1e2d3c-0000",
        at=NOON.astimezone(UTC),
        kind="camera_lost",
        detail="with a \0 in it",
    )
    assert office.ledger.heard(alarm, NOON)
    assert not office.ledger.heard(alarm, NOON)
    assert [(row.kind, row.detail) for row in office.ledger.alarms()] == [("camera_lost", "with a  in it")]


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("nonsense", ConfigError),
        ("mysql+nodriver://x/y", (ConfigError, ToolError)),
        ("sqlite:////proc/nowhere/ledger.sqlite", StateError),
    ],
)
def test_an_impossible_database_is_one_sentence(url: str, error: type[Exception]) -> None:
    with pytest.raises(error, match=r"\.$"):
        Ledger(url).open()


def test_a_damaged_ledger_is_refused_and_kept(tmp_path: Path) -> None:
    file = tmp_path / "ledger.sqlite"
    file.write_bytes(b"this was a database once" * 100)
    before = file.read_bytes()
    with pytest.raises(StateError, match="nothing was recorded; check its disk"):
        Ledger(f"sqlite:///{file}").open()
    assert file.read_bytes() == before


def test_looking_at_a_ledger_that_is_not_there_makes_none(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="no ledger"):
        Ledger(f"sqlite:///{tmp_path / 'ledger.sqlite'}").open(create=False)
    assert not list(tmp_path.iterdir())


def test_a_device_s_name_is_given_once_over_all_sites(tmp_path: Path) -> None:
    devices = tmp_path / "devices.json"
    devices.write_text(to_text([Terminal("dev-1", "hall").entry(), Terminal("dev-1", "market").entry()]))
    with pytest.raises(ConfigError, match="names the device dev-1 twice; a name is given once over all sites"):
        Devices(devices).open()
