"""The consumer: commit, then acknowledge, then the receipt; whatever comes."""

import logging

import pytest

from central import intake
from edge.core.types import ClockState
from edge.errors import StateError
from edge.wire import topics
from edge.wire.messages import AlarmMessage, Health, OutboxReport, parse
from edge.wire.uuid7 import uuid7
from tests.central.terminals import NOON, MemoryLink, Office, Terminal, consumer


def test_a_result_is_committed_acknowledged_and_answered(office: Office, terminal: Terminal) -> None:
    link = MemoryLink()
    jws = terminal.result()
    link.bring(terminal.topic(), jws)
    consumer(office, link).turn(0)
    assert office.seqs() == [1]
    assert link.unacknowledged == {}
    (receipt,) = link.receipts()
    (row,) = office.ledger.results()
    assert link.sent[0][0] == "anxin/v1/hall/dev-1/down/receipt"
    assert (receipt.verdict, receipt.result_hash, receipt.seq, receipt.ledger_head) == (
        "recorded",
        row.hash,
        1,
        row.head,
    )


def test_a_repetition_gets_its_receipt_again(office: Office, terminal: Terminal) -> None:
    link = MemoryLink()
    jws = terminal.result()
    for _ in range(2):
        link.bring(terminal.topic(), jws)
    consumer(office, link).turn(0)
    assert [receipt.verdict for receipt in link.receipts()] == ["recorded", "duplicate"]
    assert len({receipt.result_id for receipt in link.receipts()}) == 1


def test_what_is_put_aside_is_acknowledged_and_answered_with_its_reason(office: Office, terminal: Terminal) -> None:
    link = MemoryLink()
    link.bring(terminal.topic(), terminal.result(clock=ClockState(False, "kernel")))
    consumer(office, link).turn(0)
    (receipt,) = link.receipts()
    assert receipt.verdict == "quarantined"
    assert receipt.reason == "inconsistent:certified_by_an_unsynchronised_clock"
    assert link.unacknowledged == {}


def test_nonsense_never_stops_the_office_and_is_never_asked_for_again(
    office: Office, terminal: Terminal, caplog: pytest.LogCaptureFixture
) -> None:
    link = MemoryLink()
    strange = [
        ("anxin/v1/hall/dev-1/up/result", b""),
        ("anxin/v1/hall/dev-1/up/result", b"\x00" * 70_000),
        ("anxin/v1/hall/dev-1/up/status", b"{}"),
        ("anxin/v1/hall/dev-1/up/status", b"{" * 9_000),
        ("anxin/v1/hall/stranger/up/status", b"{}"),
        ("anxin/v1/hall/dev-1/up/reply", b"{}"),
        ("anxin/v1/hall/dev-1/down/receipt", b"x"),
        ("anxin/v1/../dev-1/up/result", b"x"),
        ("$SYS/broker", b"x"),
        ("", b""),
        ("anxin/v1/hall/dev-1/up/alarm", b'{"kind": 7}'),
    ]
    for _ in range(3):
        for topic, payload in strange:
            link.bring(topic, payload)
    link.bring(terminal.topic(), terminal.result())
    with caplog.at_level(logging.WARNING):
        consumer_ = consumer(office, link)
        consumer_.turn(0)
    assert link.unacknowledged == {}
    assert office.seqs() == [1]
    assert consumer_.counts["refused"] == 27
    # Each kind of nonsense is logged once, however often it came.
    assert len(caplog.records) == len({record.getMessage() for record in caplog.records}) <= len(strange)


def test_a_retained_health_or_alarm_is_refused(office: Office, terminal: Terminal) -> None:
    link = MemoryLink()
    alarm = AlarmMessage(
        alarm_id=uuid7(1, bytes(10)), site="hall", device="dev-1", boot_id="0f1e2d3c-0000", at=NOON, kind="tamper"
    )
    link.bring(terminal.topic(topics.Kind.ALARM), alarm.to_bytes(), retained=True)
    consumer_ = consumer(office, link)
    consumer_.turn(0)
    assert (consumer_.counts["refused"], list(office.ledger.alarms())) == (1, [])
    link.bring(terminal.topic(topics.Kind.ALARM), alarm.to_bytes())
    consumer_.turn(0)
    assert [row.kind for row in office.ledger.alarms()] == ["tamper"]


def test_a_result_that_a_broker_calls_retained_stays_at_its_terminal_until_it_is_recorded(
    office: Office, terminal: Terminal
) -> None:
    link, jws = MemoryLink(), terminal.result()
    link.bring(terminal.topic(), jws, retained=True)
    consumer_ = consumer(office, link)
    consumer_.turn(0)
    assert (office.seqs(), office.reasons(), link.unacknowledged) == ([], ["retained"], {})
    assert link.receipts() == [], "a receipt would remove the only copy that can still become a row"
    link.bring(terminal.topic(), jws)
    consumer_.turn(0)
    assert (office.seqs(), office.reasons()) == ([1], [])
    assert [receipt.verdict for receipt in link.receipts()] == ["recorded"]


def test_health_is_kept_as_it_was_said_last(office: Office, terminal: Terminal) -> None:
    link = MemoryLink()
    health = Health.model_validate(
        {
            "site": "hall",
            "device": "dev-1",
            "boot_id": "0f1e2d3c-0000",
            "at": NOON,
            "outbox": OutboxReport(depth=3),
            "clock": {"synced": True, "source": "kernel", "monotonic_ns": 1},
            "connections": 1,
            "resends": 0,
            "refused": 0,
            "machine": {},
        }
    )
    link.bring(terminal.topic(topics.Kind.HEALTH), health.to_bytes())
    consumer(office, link).turn(0)
    (row,) = office.ledger.devices()
    assert parse(Health, row.health_json.encode()).outbox.depth == 3


def test_a_terminal_cannot_report_for_another(office: Office, terminal: Terminal) -> None:
    link = MemoryLink()
    alarm = AlarmMessage(
        alarm_id=uuid7(1, bytes(10)), site="hall", device="dev-2", boot_id="0f1e2d3c-0000", at=NOON, kind="tamper"
    )
    link.bring(terminal.topic(topics.Kind.ALARM), alarm.to_bytes())
    consumer(office, link).turn(0)
    assert list(office.ledger.alarms()) == []


def test_while_the_database_refuses_nothing_is_acknowledged_and_nothing_is_lost(
    office: Office, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    link, seconds = MemoryLink(), [0.0]
    consumer_ = consumer(office, link, lambda: seconds[0])
    link.bring(terminal.topic(), terminal.result())

    def refuse(_examined: object) -> None:
        raise StateError("The test's disk is full.")

    with monkeypatch.context() as broken:
        broken.setattr(office.ledger, "take", refuse)
        for seconds[0] in (0.0, 0.1, 0.2, 1.0, 1.1):
            assert consumer_.turn(0) == []
        assert consumer_.failing
        assert consumer_.counts["database_failures"] == 2  # with a growing wait between the tries
    assert (len(link.unacknowledged), link.sent) == (1, [])
    link.bring(terminal.topic(), terminal.result())
    seconds[0] = 10.0
    consumer_.turn(0)
    consumer_.turn(0)
    assert office.seqs() == [1, 2]
    assert (link.unacknowledged, consumer_.failing) == ({}, "")


def test_a_lost_receipt_costs_a_resend_and_nothing_else(office: Office, terminal: Terminal) -> None:
    link = MemoryLink()
    consumer_ = consumer(office, link)
    jws = terminal.result()
    link.connected = False
    link.bring(terminal.topic(), jws)
    consumer_.turn(0)
    assert (link.sent, consumer_.counts["receipts_not_sent"]) == ([], 1)
    link.connected = True
    link.bring(terminal.topic(), jws)
    consumer_.turn(0)
    assert [receipt.verdict for receipt in link.receipts()] == ["duplicate"]
    assert office.seqs() == [1]


def test_registering_a_terminal_brings_in_what_waited(office: Office, terminal: Terminal) -> None:
    stranger, link, seconds = Terminal("dev-9"), MemoryLink(), [0.0]
    consumer_ = consumer(office, link, lambda: seconds[0])
    for _ in range(2):
        link.bring(stranger.topic(), stranger.result())
    consumer_.turn(0)
    assert [receipt.reason for receipt in link.receipts()] == ["unknown_device"] * 2
    office.register(terminal, stranger)
    seconds[0] = 10.0
    consumer_.turn(0)
    assert office.seqs("dev-9") == [1, 2]
    assert [receipt.verdict for receipt in link.receipts()[2:]] == ["recorded"] * 2
    assert office.reasons() == []


def test_a_damaged_devices_file_leaves_the_known_terminals_alone(office: Office, terminal: Terminal) -> None:
    link, seconds = MemoryLink(), [0.0]
    consumer_ = consumer(office, link, lambda: seconds[0])
    consumer_.turn(0)
    office.devices_file.write_text("{")
    seconds[0] = 10.0
    link.bring(terminal.topic(), terminal.result())
    consumer_.turn(0)
    assert office.seqs() == [1]


def test_who_floods_the_quarantine_fills_no_disk_and_keeps_nobody_else_out(
    office: Office, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "MOST_UNPROVEN", 10)
    link, seconds = MemoryLink(), [0.0]
    consumer_ = consumer(office, link, lambda: seconds[0])
    stranger = Terminal("dev-9")
    for number in range(40):  # a made-up site each time does not help
        link.bring(f"anxin/v1/site-{number % 7}/dev-9/up/result", f"rubbish {number}")
    late = stranger.result()
    link.bring(stranger.topic(), late)
    link.bring(terminal.topic(), terminal.result())
    consumer_.turn(0)
    assert office.seqs() == [1] and len(office.reasons()) == 10
    assert [receipt.device for receipt in link.receipts()] == ["dev-1"], "no receipt for what is not kept"
    assert link.unacknowledged == {}
    office.register(terminal, stranger)
    seconds[0] = 10.0
    link.bring(stranger.topic(), late)
    consumer_.turn(0)
    assert office.seqs("dev-9") == [1]
