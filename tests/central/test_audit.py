"""The audit: years later, with nothing but the ledger and the registered keys."""

import argparse
import json
import re
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from central import cli
from central.audit import Report, audit
from central.devices import Devices, entry, to_text
from central.ledger import Ledger
from edge.core.types import CueEvidence, LivenessEvidence, Outcome
from edge.ports import Slot
from edge.wire import keys
from tests.central.terminals import Office, Terminal


@pytest.fixture
def full(office: Office, terminal: Terminal) -> Office:
    """Five results, all well."""
    for _ in range(5):
        office.take(terminal.result(), terminal)
    return office


def tamper(office: Office, statement: str) -> Report:
    """What the audit says after somebody wrote into the database by hand."""
    with sqlite3.connect(office.folder / "ledger.sqlite") as database:
        database.execute(statement)
    database.close()
    return audit(office.ledger, office.devices)


def test_a_ledger_as_it_should_be(full: Office) -> None:
    report = audit(full.ledger, full.devices)
    assert report.fine
    assert report.last_line() == (
        "ledger: 5 results of 1 device verified, 0 unsigned, 0 gaps, 0 duplicates, 0 quarantined"
    )


def test_a_deleted_row_is_missed(full: Office) -> None:
    report = tamper(full, "DELETE FROM results WHERE seq = 3")
    (device,) = report.devices
    assert (device.gaps, device.head_wrong) == ([(3, 3)], True)
    assert "1 result is missing: seq 3" in device.sentences()[0]


def test_the_last_row_is_missed_too(full: Office) -> None:
    report = tamper(full, "DELETE FROM results WHERE seq = 5")
    (device,) = report.devices
    assert (device.gaps, device.head_wrong, report.fine) == ([], True, False)


def test_a_whole_terminal_that_was_deleted_is_missed(full: Office) -> None:
    (device,) = tamper(full, "DELETE FROM results").devices
    assert device.head_wrong


def test_rows_whose_terminal_the_office_forgot_are_found(full: Office) -> None:
    (device,) = tamper(full, "DELETE FROM devices").devices
    assert device.head_wrong


def test_the_audit_sees_one_moment_while_the_office_goes_on(full: Office, terminal: Terminal) -> None:
    with full.ledger.snapshot():
        before = len(list(full.ledger.results()))
        writer = Ledger(full.ledger.url).open()
        arrived = full.examine(terminal.result(), terminal)
        assert writer.take([arrived])[0].verdict == "recorded"
        writer.close()
        assert (before, len(list(full.ledger.results()))) == (5, 5)
        assert [row.results for row in full.ledger.devices()] == [5]
    assert audit(full.ledger, full.devices).last_line().startswith("ledger: 6 results")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE results SET outcome = 'certified', person_ref = 'p-other' WHERE seq = 2",
        "UPDATE results SET decided_at = '2026-01-01T00:00:00.000Z' WHERE seq = 2",
        "UPDATE results SET hash = prev WHERE seq = 2",
    ],
)
def test_an_altered_column_is_found(full: Office, statement: str) -> None:
    (device,) = tamper(full, statement).devices
    assert (device.altered, device.verified) == ([2], 4)


def test_an_altered_signature_is_found(full: Office) -> None:
    (device,) = tamper(full, "UPDATE results SET jws = replace(jws, '.', '.A') WHERE seq = 2").devices
    assert device.unsigned == [2]
    assert device.breaks == [3]


def test_a_row_that_no_terminal_signed_is_found(full: Office, terminal: Terminal) -> None:
    forged = Terminal().result(Slot(6, "0" * 64))
    columns = "site, device, prev, outcome, scheme, mode, reasons, decided_at, received_at, gap, place, head"
    report = tamper(
        full,
        f"INSERT INTO results (result_id, seq, hash, jws, {columns}) "
        f"SELECT 'x', 6, 'y', '{forged}', {columns.replace('place', '6')} FROM results WHERE seq = 5",
    )
    (device,) = report.devices
    assert device.unsigned == [6]
    assert device.head_wrong


def test_a_gap_whose_result_lies_in_quarantine_says_so(office: Office, terminal: Terminal) -> None:
    office.take(terminal.result(), terminal)
    office.take(terminal.result(match=None), terminal)
    office.take(terminal.result(), terminal)
    (device,) = audit(office.ledger, office.devices).devices
    assert (device.gaps, device.gaps_in_quarantine) == ([(2, 2)], 1)
    assert "in quarantine: 1 inconsistent:certified_without_a_match." in device.sentences()[-1]


def test_a_retired_key_still_proves_old_results(full: Office, terminal: Terminal) -> None:
    renewed = Terminal()
    renewed.key, renewed.slot = keys.generate("Ed25519", "dev-1-2"), terminal.slot
    renewed.made = terminal.made
    older = terminal.entry()
    full.devices_file.write_text(to_text([entry("hall", "dev-1", renewed.key, renewed.roster_key, older)]))
    full.devices.refresh()
    full.take(renewed.result(), renewed)
    assert audit(full.ledger, full.devices).last_line().startswith("ledger: 6 results of 1 device verified")


def command(folder: Path, *arguments: str) -> int:
    parser = argparse.ArgumentParser()
    cli.add_arguments(parser)
    return cli.main(parser.parse_args([*arguments, "--config", str(folder / "office.toml")]))


@pytest.fixture
def settings_file(full: Office) -> Callable[..., int]:
    (full.folder / "office.toml").write_text(
        'office = "office"\ndatabase = "ledger.sqlite"\nsigning_key = "a"\nencryption_key = "b"\n'
        'devices_file = "devices.json"\n'
        '[broker]\nhost = "127.0.0.1"\nca_file = "c"\ncert_file = "d"\nkey_file = "e"\n'
    )
    return lambda *arguments: command(full.folder, *arguments)


def test_verify_ends_with_one_line_and_its_exit_code(
    settings_file: Callable[..., int], full: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    assert settings_file("verify") == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("ledger: 5 results of 1 device verified")
    tamper(full, "DELETE FROM results WHERE seq = 5")
    assert settings_file("verify", "--json") == 1
    said = json.loads(capsys.readouterr().out)
    assert (said["fine"], said["devices"][0]["head_wrong"]) == (False, True)


def test_the_table_shows_no_person(
    settings_file: Callable[..., int], full: Office, terminal: Terminal, capsys: pytest.CaptureFixture[str]
) -> None:
    full.take(terminal.result(outcome=Outcome.REFERRED, reasons=("glare",), ticket="A-17"), terminal)
    full.take(Terminal().result(), terminal)
    assert settings_file("ledger") == 0
    assert settings_file("ledger", "--json", "--device", "dev-1") == 0
    shown = capsys.readouterr().out
    assert "p-000017" not in shown
    assert "A-17" not in shown
    lines = [json.loads(line) for line in shown.splitlines() if line.startswith("{")]
    assert [line["verdict"] for line in lines] == ["recorded"] * 6 + ["quarantined"]
    assert lines[5]["reasons"] == ["glare"]
    assert settings_file("ledger", "--device", "nobody") == 0


def test_the_ledger_shows_what_a_decision_rests_on(
    settings_file: Callable[..., int], full: Office, terminal: Terminal, capsys: pytest.CaptureFixture[str]
) -> None:
    cues = {"passive": CueEvidence(-2.5, -2.5), "border": CueEvidence(0.9, -1.0)}
    suspected = {"outcome": Outcome.REFERRED, "reasons": ("presentation_attack_suspected",)}
    full.take(terminal.result(**suspected, liveness=LivenessEvidence(-3.5, 1.0, 20, cues)), terminal)
    full.take(terminal.result(liveness=None), terminal)
    assert settings_file("ledger") == 0
    rows = [line for line in capsys.readouterr().out.splitlines() if "dev-1" in line]
    assert "0.71≥0.36 / +3.0≥+1.0" in rows[0]
    assert "0.71≥0.36 / -3.5<+1.0" in rows[5]
    assert "0.71≥0.36 / -" in rows[6]
    assert settings_file("ledger", "--json") == 0
    evidence = [json.loads(line)["evidence"] for line in capsys.readouterr().out.splitlines()]
    assert evidence[5]["liveness"]["cues"]["border"] == {"statistic": 0.9, "llr": -1.0}
    assert evidence[5]["policy"] == "3" and evidence[5]["actions"] == [{"kind": "nod", "outcome": "passed"}]
    assert evidence[6]["liveness"] is None


@pytest.mark.parametrize("columns", [80, 100, 120, 139, 140, 200])
def test_no_window_is_so_narrow_that_the_ledger_hides_something(
    settings_file: Callable[..., int],
    full: Office,
    terminal: Terminal,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    columns: int,
) -> None:
    reasons = ("presentation_attack_suspected", "many_other_actions")
    full.take(terminal.result(outcome=Outcome.REFERRED, reasons=reasons, ticket="A-17"), terminal)
    full.take(Terminal().result(), terminal)
    monkeypatch.setenv("COLUMNS", str(columns))
    assert settings_file("ledger") == 0
    shown = capsys.readouterr().out
    assert max(map(len, shown.splitlines()[:-3])) <= columns
    for text in ("mode", "received at", "0.71≥0.36 / +3.0≥+1.0", "nod passed", "recorded", "log-likelihood"):
        assert text in shown
    words = {word for reason in reasons for word in reason.split("_")}
    assert words <= set(re.findall(r"[a-z]+", shown)), "no word is broken"


def test_a_complaint_with_a_ticket_leads_to_its_result(
    settings_file: Callable[..., int], full: Office, terminal: Terminal, capsys: pytest.CaptureFixture[str]
) -> None:
    full.take(terminal.result(outcome=Outcome.REFERRED, reasons=("glare",), ticket="A-17"), terminal)
    assert settings_file("ledger", "--ticket", "a-17") == 0
    shown = capsys.readouterr().out
    assert "glare" in shown and "certified" not in shown and "gap" not in shown
    assert shown.splitlines()[-1] == "ledger: 1 result with this ticket"
    assert settings_file("ledger", "--ticket", "A-17", "--json") == 0
    assert [json.loads(line)["seq"] for line in capsys.readouterr().out.splitlines()] == [6]
    assert settings_file("ledger", "--ticket", "A-18") == 1


def test_a_result_whose_cues_do_not_add_up_is_put_aside(full: Office, terminal: Terminal) -> None:
    padded = LivenessEvidence(3.0, 1.0, 20, {"passive": CueEvidence(-2.5, -2.5)})
    assert full.take(terminal.result(liveness=padded), terminal).verdict == "quarantined"
    assert full.reasons() == ["inconsistent:liveness_does_not_add_up"]


def test_the_audit_needs_no_key_and_no_broker(full: Office) -> None:
    ledger = Ledger(full.ledger.url).open(create=False)
    try:
        assert audit(ledger, Devices(full.devices_file).open()).fine
    finally:
        ledger.close()
