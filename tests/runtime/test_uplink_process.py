"""The uplink as a process of its own, against a real mosquitto and an office that answers over TLS."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from edge.adapters.clock_system import SystemClock
from edge.adapters.link_paho import PahoLink
from edge.adapters.outbox_sqlite import OUTBOX_FILE, SqliteOutbox
from edge.errors import LinkError
from edge.ports import Slot
from edge.wire import keys, topics
from edge.wire.envelope import Typ, result_hash, sign
from edge.wire.messages import Receipt, Status, parse
from edge.wire.topics import Kind, build, every_device
from edge.wire.uuid7 import uuid7
from tests.broker import OFFICE, TestBroker

pytestmark = pytest.mark.process

SIGNING = keys.generate("Ed25519", "office-sign")
SITE, DEVICE = "s1", "terminal-1"


class Office(threading.Thread):
    """Answers each result with a signed receipt, until told to stop; a ledger in a list."""

    def __init__(self, broker: TestBroker) -> None:
        super().__init__()
        self.ledger: list[str] = []
        self.statuses: list[Status] = []
        self.over = threading.Event()
        subscriptions = [every_device(Kind.RESULT), every_device(Kind.STATUS)]
        self._link = PahoLink(OFFICE, broker.client(OFFICE), subscriptions, SystemClock("host"))

    def run(self) -> None:
        while not self.over.is_set():
            try:
                if not self._link.connected:
                    self._link.open()
                for message in self._link.received(0.05):
                    self._hear(message.topic, message.payload)
                    self._link.acknowledge(message.token)
            except LinkError:
                self.over.wait(0.1)
        self._link.close()

    def _hear(self, topic: str, payload: bytes) -> None:
        if topics.parse(topic).kind is Kind.STATUS:
            self.statuses.append(parse(Status, payload))
            return
        jws = payload.decode()
        seq = int(jws.split(".")[1])
        receipt = Receipt(
            result_id=uuid7(seq, bytes(10)),
            result_hash=result_hash(jws),
            site=SITE,
            device=DEVICE,
            seq=seq,
            verdict="duplicate" if jws in self.ledger else "recorded",
            ledger_at=datetime.now(UTC),
            ledger_head="0" * 64,
        )
        if jws not in self.ledger:
            self.ledger.append(jws)
        signed = sign(receipt.to_bytes(), SIGNING, Typ.RECEIPT)
        self._link.publish(build(SITE, DEVICE, Kind.RECEIPT), signed.encode())


class Terminal:
    """A site's folder, its outbox, and the uplink's process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.site = TestBroker(folder)
        for name in ("state", "spool"):
            (folder / name).mkdir()
        (folder / "office.jwks").write_text(json.dumps(keys.KeyRing.of([SIGNING]).to_jwks()))
        SqliteOutbox.create(folder / "spool" / OUTBOX_FILE, DEVICE)
        self.outbox = SqliteOutbox(folder / "spool" / OUTBOX_FILE, DEVICE)
        self.outbox.open()
        self.manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.manager.bind(str(folder / "notify"))
        self.manager.settimeout(20)
        self.site.client(DEVICE)
        self.process: subprocess.Popen[bytes] | None = None
        self.configure()

    def configure(self, **extra: str) -> None:
        lines = [f"{key} = {value}" for key, value in extra.items()]
        (self.folder / "uplink.toml").write_text(
            "\n".join(lines)
            + f"""
state_dir = "state"
spool_dir = "spool"
office_keys = "office.jwks"
[device]
site = "{SITE}"
device = "{DEVICE}"
[broker]
host = "127.0.0.1"
port = {self.site.port}
ca_file = "ca/ca.crt"
cert_file = "{DEVICE}.crt"
key_file = "{DEVICE}.key"
keepalive_s = 5
[retry]
first_s = 0.5
most_s = 2.0
"""
        )

    def start(self) -> subprocess.Popen[bytes]:
        with (self.folder / "uplink.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "edge", "uplink", "--config", str(self.folder / "uplink.toml")],
                env=os.environ | {"NOTIFY_SOCKET": str(self.folder / "notify")},
                stderr=log,
            )
        return self.process

    def told(self, word: str) -> str:
        while not (said := self.manager.recv(4096).decode()).startswith(word):
            pass
        return said

    def commit(self, count: int) -> None:
        def make(slot: Slot) -> tuple[str, str]:
            return uuid7(slot.seq, bytes(10)), f"jws.{slot.seq}.{slot.prev}"

        for _ in range(count):
            self.outbox.commit(make)

    def drained(self, timeout_s: float = 40.0) -> None:
        end = time.monotonic() + timeout_s
        while self.outbox.depth()[0]:
            assert time.monotonic() < end, (self.folder / "uplink.log").read_text()
            time.sleep(0.05)

    def close(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.outbox.close()
        self.manager.close()
        self.site.broker.stop()


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    made = Terminal(tmp_path)
    yield made
    made.close()


def test_results_reach_the_office_once_though_broker_and_uplink_are_killed(terminal: Terminal) -> None:
    terminal.site.broker.start()
    office = Office(terminal.site)
    office.start()
    try:
        terminal.commit(40)
        first = terminal.start()
        terminal.told("READY=1")
        terminal.drained()
        # The broker dies, and its store with it; results go on being made meanwhile.
        terminal.site.broker.kill()
        terminal.site.broker.wipe_store()
        terminal.commit(20)
        terminal.site.broker.start()
        # The uplink dies in the middle of its work.
        first.send_signal(signal.SIGKILL)
        first.wait()
        terminal.commit(20)
        second = terminal.start()
        terminal.told("STATUS=connected")
        terminal.drained()
        assert [int(jws.split(".")[1]) for jws in office.ledger] == list(range(1, 81))
        second.terminate()
        assert second.wait(15) == 0
        terminal.told("STOPPING=1")
        end = time.monotonic() + 10
        while office.statuses[-1].state != "offline" and time.monotonic() < end:
            time.sleep(0.05)
        assert office.statuses[-1].state == "offline"
    finally:
        office.over.set()
        office.join()
    assert "Traceback" not in (terminal.folder / "uplink.log").read_text()


def test_without_a_broker_it_is_ready_says_so_and_ends_when_told(terminal: Terminal) -> None:
    process = terminal.start()
    terminal.told("READY=1")
    assert "no broker" in terminal.told("STATUS=")
    terminal.told("WATCHDOG=1")
    process.terminate()
    assert process.wait(15) == 0


def refusal(terminal: Terminal) -> tuple[int, str]:
    code = terminal.start().wait(30)
    return code, (terminal.folder / "uplink.log").read_text()


def test_an_unknown_setting_is_refused_with_its_name(terminal: Terminal) -> None:
    terminal.configure(windw="3")
    code, said = refusal(terminal)
    assert code == 10 and "windw" in said and "Traceback" not in said


def test_a_first_wait_longer_than_the_longest_is_refused(terminal: Terminal) -> None:
    file = terminal.folder / "uplink.toml"
    file.write_text(file.read_text().replace("first_s = 0.5", "first_s = 5"))
    code, said = refusal(terminal)
    assert code == 10 and "first_s must not be longer than most_s" in said


def test_a_lost_outbox_stops_the_start(terminal: Terminal) -> None:
    terminal.outbox.close()
    (terminal.folder / "spool" / OUTBOX_FILE).unlink()
    code, said = refusal(terminal)
    assert code == 13 and "results may be lost" in said and "another device name" in said and "Traceback" not in said


def test_another_terminal_s_state_stops_the_start(terminal: Terminal) -> None:
    (terminal.folder / "state" / "device").write_text("terminal-2\n")
    code, said = refusal(terminal)
    assert code == 13 and "another terminal" in said


def test_a_terminal_that_was_moved_does_not_offer_its_old_site_s_results_as_the_new_one_s(terminal: Terminal) -> None:
    (terminal.folder / "state" / "device").write_text(f"{SITE}/{DEVICE}\n")
    file = terminal.folder / "uplink.toml"
    file.write_text(file.read_text().replace(f'site = "{SITE}"', 'site = "market"'))
    code, said = refusal(terminal)
    assert code == 13 and "the right site and device" in said


def test_missing_keys_of_the_office_stop_the_start(terminal: Terminal) -> None:
    (terminal.folder / "office.jwks").unlink()
    code, said = refusal(terminal)
    assert code == 10 and "office.jwks" in said
