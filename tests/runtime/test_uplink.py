"""What the uplink does with a broker that loses, repeats, forges and vanishes; time is the test's own."""

import json
import logging
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.errors import NotDurableError
from edge.ports import Slot
from edge.runtime.uplink import Uplink, UplinkSettings
from edge.wire import keys
from edge.wire.envelope import Typ, result_hash, sign
from edge.wire.messages import (
    AlarmMessage,
    CameraReport,
    ClockReading,
    Eyes,
    Health,
    Machine,
    Receipt,
    Status,
    TerminalStatus,
    parse,
)
from edge.wire.topics import Kind, build
from edge.wire.uuid7 import uuid7
from tests.fakes import FakeClock, FakeLink, MemoryOutbox

OFFICE = keys.generate("Ed25519", "office-sign")
STRANGER = keys.generate("Ed25519", "office-sign")
SITE, DEVICE = "s1", "terminal-1"
RECEIPTS = build(SITE, DEVICE, Kind.RECEIPT)
TURN_S = 0.2


class World:
    """A terminal's outbox and uplink, a broker that ``lose`` may rob, and an office that answers honestly."""

    def __init__(self, lose: Callable[[int], bool] = lambda _: False, window: int = 20) -> None:
        self.clock = FakeClock()
        self.outbox = MemoryOutbox(self.clock.now)
        self.link = FakeLink(self._hear)
        self.ledger: list[str] = []
        self.heard: dict[Kind, list[bytes]] = {kind: [] for kind in Kind}
        self.retained: list[Kind] = []
        self.office_is_there = True
        self.codes: dict[Kind, int] = {}
        self._lose, self._count = lose, 0
        self._random = random.Random(7)
        self.uplink = self.start(window)

    def start(self, window: int = 20) -> Uplink:
        """A fresh process: nothing in memory, everything in the outbox."""
        uplink = Uplink(
            UplinkSettings(SITE, DEVICE, "0.1.0", window=window, first_s=2.0, most_s=30.0),
            self.outbox,
            self.clock,
            keys.KeyRing.of([OFFICE]),
            rand=self._random.random,
            random_bytes=self._random.randbytes,
            wait=lambda _: None,
            machine=lambda: Machine(disk_free_bytes=1),
        )
        uplink.attach(self.link)
        self.uplink = uplink
        return uplink

    def commit(self, count: int = 1) -> None:
        for _ in range(count):
            self.outbox.commit(self._make)

    def _make(self, slot: Slot) -> tuple[str, str]:
        return uuid7(slot.seq, bytes(10)), f"jws.{slot.seq}.{slot.prev}"

    def run(self, seconds: float) -> None:
        for _ in range(max(1, round(seconds / TURN_S))):
            self.uplink.turn(TURN_S)
            self.clock.advance(TURN_S)

    def _hear(self, link: FakeLink, topic: str, payload: bytes, retain: bool) -> int:
        kind = Kind(topic.removeprefix(f"anxin/v1/{SITE}/{DEVICE}/"))
        self._count += 1
        self.heard[kind].append(payload)
        if retain:
            self.retained.append(kind)
        if kind is Kind.RESULT and not self._lose(self._count):
            if not self.office_is_there:
                return 0x10
            jws = payload.decode()
            verdict = "duplicate" if jws in self.ledger else "recorded"
            if jws not in self.ledger:
                self.ledger.append(jws)
            self.answer(jws, verdict=verdict)
        return self.codes.get(kind, 0)

    def answer(
        self, jws: str, by: Any = OFFICE, topic: str = RECEIPTS, retained: bool = False, **changes: Any
    ) -> None:
        self._count += 1
        if self._lose(self._count):
            return
        self.link.tell(topic, self.receipt(jws, by, **changes), retained)

    def receipt(self, jws: str, by: Any = OFFICE, typ: Typ = Typ.RECEIPT, **changes: Any) -> bytes:
        seq = int(jws.split(".")[1])
        values: dict[str, Any] = {
            "result_id": uuid7(seq, bytes(10)),
            "result_hash": result_hash(jws),
            "site": SITE,
            "device": DEVICE,
            "seq": seq,
            "verdict": "recorded",
            "ledger_at": datetime(2026, 3, 9, tzinfo=UTC),
            "ledger_head": "0" * 64,
        }
        return sign(Receipt(**(values | changes)).to_bytes(), by, typ).encode()


def test_a_result_leaves_the_outbox_only_for_the_office_s_receipt() -> None:
    world = World()
    world.office_is_there = False
    world.commit()
    world.run(2)
    assert len(world.heard[Kind.RESULT]) == 1 and world.outbox.depth()[0] == 1, "PUBACK is not delivery"
    world.office_is_there = True
    world.run(10)
    assert world.outbox.depth() == (0, None) and len(world.ledger) == 1


def test_a_queue_of_a_thousand_drains_in_order() -> None:
    world = World()
    world.commit(1000)
    world.run(60)
    assert world.outbox.depth()[0] == 0
    assert [int(jws.split(".")[1]) for jws in world.ledger] == list(range(1, 1001))
    assert world.uplink.resends == 0


def test_no_more_than_the_window_is_under_way() -> None:
    world = World(window=5)
    world.office_is_there = False
    world.commit(50)
    world.run(1)
    assert len(world.heard[Kind.RESULT]) == 5


def test_what_the_broker_lost_is_sent_again_until_the_office_has_it_once() -> None:
    dice = random.Random(3)
    world = World(lose=lambda _: dice.random() < 0.4)
    world.commit(30)
    world.run(400)
    assert world.outbox.depth()[0] == 0 and world.uplink.resends > 0
    assert len(world.ledger) == len(set(world.ledger)) == 30


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.sampled_from(["commit", "lose_link", "restart", "broker_gone", "broker_back", "run"]), max_size=30),
    st.integers(0, 2**32),
)
def test_whatever_happens_on_the_way_every_result_arrives_exactly_once(events: list[str], seed: int) -> None:
    dice = random.Random(seed)
    world = World(lose=lambda _: dice.random() < 0.2)
    committed = 0
    for event in events:
        match event:
            case "commit":
                world.commit()
                committed += 1
            case "lose_link":
                world.link.lose()
            case "restart":
                world.link.lose()
                world.start()
            case "broker_gone":
                world.link.lose()
                world.link.reachable = False
            case "broker_back":
                world.link.reachable = True
            case "run":
                world.run(3)
    world.link.reachable = True
    world._lose = lambda _: False
    world.run(200)
    assert world.outbox.depth()[0] == 0
    assert sorted({int(jws.split(".")[1]) for jws in world.ledger}) == list(range(1, committed + 1))
    assert len(world.ledger) == committed


def test_resending_slows_down_and_the_office_s_return_speeds_it_up() -> None:
    world = World()
    world.office_is_there = False
    world.commit(2)
    world.run(600)
    sent = len(world.heard[Kind.RESULT])
    assert 2 * 600 / 62 < sent < 2 * 600 / 4, "with most_s 30 a wait is 2 to 32 s"
    assert {row.sends for row in world.outbox.pending(9)} != {0}
    world.office_is_there = True
    world.run(40)
    assert world.outbox.depth()[0] == 0


def test_a_receipt_that_comes_twice_settles_once() -> None:
    world = World()
    world.commit()
    world.run(1)
    world.answer(world.ledger[0], verdict="duplicate")
    world.run(1)
    assert world.uplink.settled == 1 and world.uplink.refused == 0
    assert len(world.link.acked) == 2


def poison(world: World, jws: str) -> dict[str, Callable[[], None]]:
    """Everything that must not settle the result ``jws``."""
    good = world.receipt(jws)
    other = build(SITE, "terminal-2", Kind.RECEIPT)
    return {
        "signed by a stranger": lambda: world.answer(jws, by=STRANGER),
        "for another terminal": lambda: world.answer(jws, device="terminal-2"),
        "for another site": lambda: world.answer(jws, site="s2"),
        "on another terminal's topic": lambda: world.answer(jws, topic=other),
        "on a topic of nobody": lambda: world.link.tell("$SYS/broker", good),
        "retained": lambda: world.answer(jws, retained=True),
        "for other content": lambda: world.answer(jws, result_hash="0" * 64),
        "for another place": lambda: world.answer(jws, seq=9),
        "of another kind": lambda: world.link.tell(RECEIPTS, world.receipt(jws, typ=Typ.POLICY)),
        "altered": lambda: world.link.tell(RECEIPTS, good[:-3] + b"AAA"),
        "empty": lambda: world.link.tell(RECEIPTS, b""),
        "not text": lambda: world.link.tell(RECEIPTS, b"\xff\x00" * 50),
        "oversized": lambda: world.link.tell(RECEIPTS, b"A" * 60_000),
        "not of the schema": lambda: world.link.tell(
            RECEIPTS, sign(json.dumps({"verdict": "recorded"}).encode(), OFFICE, Typ.RECEIPT).encode()
        ),
    }


def test_a_receipt_that_must_not_be_believed_settles_nothing_and_never_comes_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = World()
    world.office_is_there = False
    world.commit()
    world.run(1)
    [row] = world.outbox.pending(1)
    names = poison(world, row.jws)
    for number, (name, act) in enumerate(names.items(), 1):
        act()
        world.run(0.2)
        assert world.uplink.refused == number, name
        assert world.outbox.depth()[0] == 1, name
        assert len(world.link.acked) == number, name
    world.office_is_there = True
    world.run(60)
    assert world.outbox.depth()[0] == 0


def test_a_poisoned_topic_is_logged_once_and_counted_always(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    with caplog.at_level(logging.WARNING):
        for _ in range(50):
            world.link.tell(RECEIPTS, b"poison", retained=True)
            world.run(0.2)
    assert world.uplink.refused >= 49
    assert len([each for each in caplog.records if "refused" in each.message]) == 1
    assert "poison" not in caplog.text


def test_a_quarantined_result_is_the_office_s_now_and_raises_an_alarm() -> None:
    world = World()
    world.office_is_there = False
    world.commit()
    world.run(1)
    [row] = world.outbox.pending(1)
    world.answer(row.jws, verdict="quarantined", reason="chain_broken")
    world.run(3)
    assert world.outbox.depth()[0] == 0
    [alarm] = [parse(AlarmMessage, payload) for payload in world.heard[Kind.ALARM]]
    assert alarm.kind == "result_quarantined" and "chain_broken" in alarm.detail
    assert not world.outbox.notes


def test_a_full_disk_does_not_lose_the_receipt_of_a_result(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    world.commit()

    def full(_: object) -> int:
        raise NotDurableError("no space")

    with monkeypatch.context() as broken:
        broken.setattr(world.outbox, "settle_all", full)
        world.run(1)
        assert world.outbox.depth()[0] == 1 and world.link.acked == []
    world.run(60)
    assert world.outbox.depth()[0] == 0 and len(world.ledger) == 1


def terminal_status(world: World, **changes: Any) -> bytes:
    values: dict[str, Any] = {
        "at": world.clock.now(),
        "state": "ready",
        "eyes": Eyes(trusted=True),
        "camera": CameraReport(working=True, name="camera", frames_per_second=15.0),
        "software": "0.1.0",
        "models": {"face_embedding": "m-1"},
        "policy": "3",
        "roster": "7",
        "clock": ClockReading(synced=True, source="kernel", monotonic_ns=1),
    }
    return TerminalStatus(**(values | changes)).to_bytes()


def statuses(world: World) -> list[Status]:
    return [parse(Status, payload) for payload in world.heard[Kind.STATUS]]


def test_every_connection_begins_with_a_retained_birth_and_ends_with_a_farewell() -> None:
    world = World()
    world.outbox.write_status(terminal_status(world))
    world.run(1)
    world.link.lose()
    world.run(5)
    world.uplink.close()
    first, second, last = statuses(world)
    assert (first.state, second.state, last.state) == ("online", "online", "offline")
    assert first.terminal is not None and first.terminal.eyes.trusted
    assert world.retained.count(Kind.STATUS) == 3
    assert first.run_id == last.run_id and first.boot_id == world.clock.boot_id


def test_the_will_names_the_same_boot_and_run_as_the_birth() -> None:
    world = World()
    world.run(1)
    topic, payload, properties = world.uplink.will()
    will = parse(Status, payload)
    assert topic == build(SITE, DEVICE, Kind.STATUS) and will.state == "offline"
    assert will.run_id == statuses(world)[0].run_id
    assert properties["specversion"] == "1.0" and properties["type"] == "anxin.status.v1"


def test_a_change_at_the_terminal_is_told_and_a_mere_repetition_is_not() -> None:
    world = World()
    world.outbox.write_status(terminal_status(world))
    world.run(5)
    world.outbox.write_status(terminal_status(world, camera=CameraReport(working=True, name="camera")))
    world.run(5)
    assert len(statuses(world)) == 1
    world.outbox.write_status(terminal_status(world, eyes=Eyes(trusted=False, reason="Known answers differ.")))
    world.run(5)
    told = statuses(world)
    assert len(told) == 2 and told[-1].terminal is not None and not told[-1].terminal.eyes.trusted


def test_a_terminal_that_fell_silent_is_alarmed_once() -> None:
    world = World()
    world.outbox.write_status(terminal_status(world))
    world.run(200)
    kinds = [parse(AlarmMessage, payload).kind for payload in world.heard[Kind.ALARM]]
    assert kinds == ["terminal_silent"]
    world.outbox.write_status(terminal_status(world))
    world.run(5)
    assert len(statuses(world)) == 3


def test_a_terminal_s_status_that_cannot_be_read_does_not_stop_delivery() -> None:
    world = World()
    world.outbox.write_status(b"{broken")
    world.commit(3)
    world.run(5)
    assert world.outbox.depth()[0] == 0 and statuses(world)[0].terminal is None


def test_health_comes_every_minute_with_the_queue_s_age() -> None:
    world = World()
    world.office_is_there = False
    world.commit()
    world.run(125)
    reports = [parse(Health, payload) for payload in world.heard[Kind.HEALTH]]
    assert len(reports) == 3
    assert reports[-1].outbox.depth == 1 and (reports[-1].outbox.oldest_age_s or 0) > 100
    assert reports[-1].machine.disk_free_bytes == 1 and reports[-1].connections == 1


def test_an_alarm_waits_until_somebody_hears_it() -> None:
    world = World()
    world.codes[Kind.ALARM] = 0x10
    world.outbox.queue_alarm(b"{}")
    world.run(35)
    assert len(world.heard[Kind.ALARM]) == 2 and world.outbox.notes
    world.codes[Kind.ALARM] = 0
    world.run(35)
    assert not world.outbox.notes


def test_a_broker_that_is_away_is_asked_ever_more_seldom_and_found_when_it_returns() -> None:
    world = World()
    world.link.reachable = False
    tries = []
    open_link = world.link.open
    world.link.open = lambda: (tries.append(world.clock.ns), open_link())[1]  # type: ignore[method-assign]
    world.commit(3)
    world.run(600)
    assert 8 < len(tries) < 80 and "no broker" in world.uplink.status_line()
    world.link.reachable = True
    world.run(70)
    assert world.outbox.depth()[0] == 0 and "connected" in world.uplink.status_line()


def test_a_second_card_with_our_identity_is_suspected_and_alarmed_once() -> None:
    world = World()
    for _ in range(12):
        world.run(4)
        world.link.lose()
    world.run(10)
    kinds = [parse(AlarmMessage, payload).kind for payload in world.heard[Kind.ALARM]]
    assert kinds == ["clone_suspected"]


def test_a_broker_that_says_taken_over_needs_no_second_time() -> None:
    world = World()
    world.run(1)
    world.link.taken_over = 1
    world.link.lose()
    world.run(10)
    assert [parse(AlarmMessage, payload).kind for payload in world.heard[Kind.ALARM]] == ["clone_suspected"]


def test_a_calendar_that_jumps_back_disturbs_no_delivery() -> None:
    world = World()
    world.commit(5)
    world.run(0.2)
    world.clock.start -= timedelta(days=700)
    world.commit(5)
    world.run(10)
    assert world.outbox.depth()[0] == 0 and len(world.ledger) == 10


def test_results_carry_what_a_router_needs_and_nothing_of_the_person() -> None:
    world = World()
    seen: list[dict[str, str]] = []
    publish = world.link.publish

    def watch(topic: str, payload: bytes, **rest: Any) -> int:
        if topic.endswith("up/result"):
            seen.append(dict(rest["properties"]))
        return publish(topic, payload, **rest)

    world.link.publish = watch  # type: ignore[method-assign,assignment]
    world.commit()
    world.run(1)
    [properties] = seen
    assert set(properties) == {"content-type", "specversion", "id", "source", "type", "time"}
    assert properties["content-type"] == "application/jose" and properties["id"] == uuid7(1, bytes(10))
