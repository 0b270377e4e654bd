"""From the outbox to the ledger, all processes real, while everything that can be killed is killed."""

import hashlib
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from central.audit import audit
from central.devices import Devices
from central.ledger import Ledger
from edge.adapters.outbox_sqlite import OUTBOX_FILE, SqliteOutbox
from edge.ports import Slot
from edge.wire.envelope import Typ, make_result, sign
from edge.wire.keys import load_private
from provisioning.layout import Layout
from provisioning.site import Site
from tests.provisioning.mqtt_client import wait_until
from tests.wire.people import FACTS, NOON, attempt

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(
        shutil.which("mosquitto", path="/usr/sbin:/usr/bin") is None, reason="mosquitto is not installed"
    ),
]


class Recorder:
    """Commits results as the terminal's recorder does."""

    def __init__(self, layout: Layout) -> None:
        self.outbox = SqliteOutbox(layout.spool / OUTBOX_FILE, "dev-1")
        self.hashes: list[str] = []
        self._key = load_private(layout.device / "signing.jwk", "Ed25519")

    def record(self, count: int) -> None:
        for _ in range(count):
            self.outbox.commit(self._make)

    def _make(self, slot: Slot) -> tuple[str, str]:
        result_id, jws = make_result(
            attempt(),
            slot,
            replace(FACTS, site="dev", device="dev-1"),
            now=NOON,
            monotonic_ns=1,
            rand=secrets.token_bytes(10),
            office=None,
            sign=lambda payload: sign(payload, self._key, Typ.RESULT),
        )
        self.hashes.append(hashlib.sha256(jws.encode()).hexdigest())
        return result_id, jws


@pytest.fixture
def recorder(layout: Layout) -> Iterator[Recorder]:
    recorder = Recorder(layout)
    with recorder.outbox:
        yield recorder


def test_every_finished_attempt_has_one_row_whatever_is_killed(layout: Layout, recorder: Recorder) -> None:
    # Shorter waits than a real terminal's, so that the test does not wait for them.
    text = layout.uplink_config.read_text().replace(
        "\n[broker]", "\n[retry]\nfirst_s = 0.3\nmost_s = 2.0\n\n[broker]"
    )
    layout.uplink_config.write_text(text)
    recorder.record(20)
    with Site(layout.root) as site:
        site.start(("broker", "office", "uplink"))
        recorder.record(20)
        site.kill("uplink")
        recorder.record(20)
        site.kill("office")
        recorder.record(20)
        site.broker.kill()
        site.broker.wipe_store()
        recorder.record(20)
        site.broker.start()
        wait_until(lambda: recorder.outbox.depth()[0] == 0, "the outbox did not drain", patience_s=60)
    ledger = Ledger(f"sqlite:///{layout.ledger}").open(create=False)
    try:
        assert [row.hash for row in ledger.results()] == recorder.hashes
        report = audit(ledger, Devices(layout.devices).open())
    finally:
        ledger.close()
    assert report.fine
    assert report.last_line().startswith("ledger: 100 results of 1 device verified, 0 unsigned, 0 gaps, 0 duplicates")
    for log in Path(layout.logs).glob("*.log"):
        assert "Traceback" not in log.read_text()
