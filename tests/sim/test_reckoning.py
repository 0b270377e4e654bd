"""The demo's last line is true: it tells of a lost result, of a person who ended otherwise, of an altered row."""

import hashlib
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from central.devices import Devices
from central.examine import Arrival, examine
from central.ledger import Ledger
from edge.adapters.outbox_sqlite import OUTBOX_FILE, SqliteOutbox
from edge.core.types import Outcome
from edge.ports import Slot
from edge.wire import topics
from edge.wire.envelope import Typ, make_result, sign
from edge.wire.keys import load_private
from provisioning.dev import Eyes, provision_dev
from provisioning.layout import Layout
from provisioning.settings import Wanted
from sim.reckoning import reckon
from sim.report import Report, VisitReport
from sim.scenario import Expect, Scenario, Visit
from tests.wire.people import FACTS, NOON, attempt

DONE = "closing.done"
PLAN = Scenario(
    title="two",
    visits=(
        Visit(key="first", who="li", face="obama", expect=Expect(outcome=Outcome.CERTIFIED, page=DONE)),
        Visit(key="second", who="li", face="obama", expect=Expect(outcome=Outcome.CERTIFIED, page=DONE)),
    ),
)


def no_eyes() -> Eyes:
    raise AssertionError("nobody has a photo here")


def ended(*pages: str) -> Report:
    visits = tuple(
        VisitReport(visit.key, None, (), page, 9.0, page == DONE, "" if page == DONE else f"page {page}")
        for visit, page in zip(PLAN.visits, pages, strict=True)
    )
    return Report("two", 1, visits, 18.0, "wire")


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """A site whose terminal signed two results; nothing was delivered yet."""
    list(provision_dev(tmp_path / "site", Wanted(), open_eyes=no_eyes))
    layout = Layout(tmp_path / "site")
    key = load_private(layout.device / "signing.jwk", "Ed25519")
    facts = replace(FACTS, site="dev", device="dev-1")

    def make(slot: Slot) -> tuple[str, str]:
        rand = hashlib.sha256(str(slot.seq).encode()).digest()[:10]
        now = NOON + timedelta(seconds=slot.seq)
        return make_result(
            attempt(), slot, facts, now=now, monotonic_ns=slot.seq, rand=rand, office=None,
            sign=lambda payload: sign(payload, key, Typ.RESULT),
        )  # fmt: skip

    with SqliteOutbox(layout.spool / OUTBOX_FILE, "dev-1") as outbox:
        outbox.commit(make)
        outbox.commit(make)
    return layout


def deliver(layout: Layout, *seqs: int) -> None:
    devices = Devices(layout.devices).open()
    topic = topics.Topic("dev", "dev-1", topics.Kind.RESULT)
    with SqliteOutbox(layout.spool / OUTBOX_FILE, "dev-1") as outbox:
        rows = {row.seq: row.jws.encode() for row in outbox.pending(10)}
    ledger = Ledger(f"sqlite:///{layout.ledger}").open()
    try:
        ledger.take([examine(Arrival(topic, rows[seq], NOON, False), devices) for seq in seqs])
    finally:
        ledger.close()


def test_two_people_and_two_rows_are_as_expected(layout: Layout) -> None:
    deliver(layout, 1, 2)

    result = reckon(PLAN, ended(DONE, DONE), layout)

    assert result.fine
    assert result.last_line() == (
        "demo: 2/2 people as expected, 2 results in the ledger, 0 lost, 0 duplicated, 0 unsigned"
    )


def test_a_result_that_never_arrived_is_lost(layout: Layout) -> None:
    deliver(layout, 1)

    result = reckon(PLAN, ended(DONE, DONE), layout)

    assert not result.fine
    assert (result.as_expected, result.results, result.lost) == (1, 1, 1)


def test_a_promise_that_nothing_was_signed_for_is_lost_too(layout: Layout) -> None:
    deliver(layout, 1, 2)
    three = PLAN.model_copy(update={"visits": (*PLAN.visits, PLAN.visits[0].model_copy(update={"key": "third"}))})
    report = ended(DONE, DONE)
    more = replace(report, visits=(*report.visits, replace(report.visits[0], key="third")))

    assert reckon(three, more, layout).lost == 1


def test_who_gave_up_has_no_row_and_the_next_one_keeps_theirs(layout: Layout) -> None:
    deliver(layout, 1, 2)
    three = PLAN.model_copy(update={"visits": (PLAN.visits[0].model_copy(update={"key": "gone"}), *PLAN.visits)})
    report = ended(DONE, DONE)
    more = replace(report, visits=(replace(report.visits[0], key="gone", page=""), *report.visits))

    result = reckon(three, more, layout)

    assert [person.as_expected for person in result.people] == [False, True, True]
    assert result.lost == 0


def test_a_row_that_somebody_changed_is_not_counted_as_signed(layout: Layout) -> None:
    deliver(layout, 1, 2)
    with closing(sqlite3.connect(layout.ledger)) as db, db:
        db.execute("UPDATE results SET outcome = 'referred' WHERE seq = 2")

    result = reckon(PLAN, ended(DONE, DONE), layout)

    assert result.unsigned == 1
    assert not result.fine
