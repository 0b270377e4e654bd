"""The office as a process behind a real mosquitto: TLS, client certificates, the access list, kills, lost stores."""

import shutil
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from central.audit import audit
from central.devices import Devices
from central.ledger import Ledger
from central.mqtt import OfficeLink
from edge.config import OfficeConfig, load
from edge.errors import ConfigError
from edge.wire import topics
from edge.wire.envelope import Typ, result_hash, verify
from edge.wire.keys import KeyRing, load_private
from edge.wire.messages import Receipt, parse
from provisioning.ca import Authority
from provisioning.dev import provision_dev
from provisioning.eyes import open_eyes
from provisioning.layout import Layout
from provisioning.settings import Wanted
from provisioning.site import Site
from tests.central.terminals import Terminal
from tests.provisioning.mqtt_client import Client, wait_until

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(
        shutil.which("mosquitto", path="/usr/sbin:/usr/bin") is None, reason="mosquitto is not installed"
    ),
]
DENIED = 0x87
RECEIPTS = "anxin/v1/hall/dev-1/down/receipt"


@pytest.fixture(scope="module")
def layout(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    root = tmp_path_factory.mktemp("site")
    list(provision_dev(root, Wanted(site="hall"), open_eyes=open_eyes))
    layout = Layout(root)
    for stranger in ("dev-2", "broker-admin"):
        Authority.open(layout.ca, "", datetime.now(UTC)).client(
            layout.device / f"{stranger}.crt", layout.device / f"{stranger}.key", stranger, datetime.now(UTC)
        )
    return layout


@pytest.fixture(scope="module")
def site(layout: Layout) -> Iterator[Site]:
    with Site(layout.root) as site:
        site.start(("broker", "office"))
        wait_until(lambda: site.status("office").startswith("connected"), "the office did not connect")
        yield site


@pytest.fixture(scope="module")
def terminal(layout: Layout) -> Terminal:
    """The provisioned terminal's own key and chain."""
    terminal = Terminal()
    terminal.key = load_private(layout.device / "signing.jwk", "Ed25519")
    return terminal


@pytest.fixture
def ledger(layout: Layout, site: Site) -> Iterator[Ledger]:
    ledger = Ledger(f"sqlite:///{layout.ledger}").open(create=False)
    yield ledger
    ledger.close()


def seqs(ledger: Ledger) -> list[int]:
    return [row.seq for row in ledger.results()]


def receipts(layout: Layout, client: Client, count: int) -> list[Receipt]:
    office = KeyRing.load(layout.device / "office_keys.json")
    return [
        parse(Receipt, verify(raw, office.verifying, Typ.RECEIPT, Receipt.MAX_BYTES))
        for _, raw in client.wait_for(count)
    ]


def test_a_result_becomes_a_row_and_a_signed_receipt(
    site: Site, layout: Layout, terminal: Terminal, ledger: Ledger
) -> None:
    with Client(site.broker.port, layout.device) as client:
        client.subscribe(RECEIPTS)
        assert client.publish(terminal.topic(), terminal.result()) == 0
        (receipt,) = receipts(layout, client, 1)
    (row,) = ledger.results()
    assert (receipt.verdict, receipt.result_hash) == ("recorded", row.hash)


def test_nobody_speaks_or_listens_as_another(site: Site, layout: Layout, terminal: Terminal, ledger: Ledger) -> None:
    before = ledger.counts()
    port, folder = site.broker.port, layout.device
    denied = {
        "dev-2": [terminal.topic(), "anxin/v1/hall/dev-1/up/status", RECEIPTS, "anxin/v1/hall/dev-2/down/receipt"],
        "client": [RECEIPTS, "anxin/v1/hall/dev-1/down/command", "anxin/v1/hall/dev-2/up/result", "anxin/v1/x"],
    }
    for name, refused in denied.items():
        for topic in refused:
            # mosquitto also closes the connection of whoever tries.
            with Client(port, folder, name) as thief:
                assert thief.publish(topic, Terminal().result(), retain=True) == DENIED
    with Client(port, folder, "dev-2") as spy, Client(port, folder) as client:
        # mosquitto 2.0 lets everybody subscribe and filters what it delivers.  A group that a stranger joins loses
        # messages to that filter, which is why the office's group has a name that nobody can guess.
        guess = "$share/office/anxin/v1/+/+/up/result"
        for each in (RECEIPTS, "anxin/v1/#", "anxin/v1/hall/+/down/+", guess, "#", "$SYS/#"):
            spy.subscribe(each)
        client.subscribe(RECEIPTS)
        for _ in range(4):
            assert client.publish(terminal.topic(), terminal.result()) == 0
        client.wait_for(4)
        assert spy.publish("anxin/v1/hall/dev-2/up/status", b"own") == 0
        assert spy.messages == []
    assert ledger.counts() == (before[0] + 4, before[1])


def test_without_a_certificate_of_the_site_nobody_gets_in(site: Site, layout: Layout, tmp_path: Path) -> None:
    shutil.copy(layout.device / "ca.crt", tmp_path)
    elsewhere = Authority.open(tmp_path / "ca", "another authority", datetime.now(UTC))
    elsewhere.client(tmp_path / "foreign.crt", tmp_path / "foreign.key", "dev-1", datetime.now(UTC))
    for name in ("nothing", "foreign"):
        client = Client(site.broker.port, tmp_path, name, patience_s=1.0)
        with pytest.raises((ssl.SSLError, OSError, AssertionError)), client:
            client.publish("anxin/v1/hall/dev-1/up/result", b"x")
        client.__exit__()


def test_garbage_is_taken_off_the_broker_and_the_next_result_passes(
    site: Site, layout: Layout, terminal: Terminal, ledger: Ledger
) -> None:
    pid = site.pid("office")
    with Client(site.broker.port, layout.device) as client:
        client.subscribe(RECEIPTS)
        for payload in (b"", b"{}", b"\xff" * 2000, b"y" * 200_000):
            for kind in (topics.Kind.RESULT, topics.Kind.STATUS, topics.Kind.ALARM, topics.Kind.HEALTH):
                assert client.publish(terminal.topic(kind), payload) == 0
        client.publish(terminal.topic(), terminal.result())
        assert receipts(layout, client, 1)[-1].verdict == "recorded"
    assert site.pid("office") == pid
    assert {row.reason for row in ledger.quarantine()} == {"bad_signature", "oversized"}


def test_results_that_came_while_the_office_was_dead_are_there_when_it_is_back(
    site: Site, layout: Layout, terminal: Terminal, ledger: Ledger
) -> None:
    before, starts = seqs(ledger), site.starts("office")
    with Client(site.broker.port, layout.device) as client:
        client.subscribe(RECEIPTS)
        site.kill("office")
        for _ in range(20):
            client.publish(terminal.topic(), terminal.result())
        wait_until(lambda: site.starts("office") > starts, "the office was not restarted")
        assert {receipt.verdict for receipt in receipts(layout, client, 20)} == {"recorded"}
    assert seqs(ledger) == list(range(1, len(before) + 21))


def test_a_broker_that_loses_its_store_loses_no_result(
    site: Site, layout: Layout, terminal: Terminal, ledger: Ledger
) -> None:
    before = len(seqs(ledger))
    outbox = [terminal.result() for _ in range(10)]
    with Client(site.broker.port, layout.device) as client:
        for jws in outbox[:5]:
            client.publish(terminal.topic(), jws)
    site.broker.kill()
    site.broker.wipe_store()
    site.broker.start()
    with Client(site.broker.port, layout.device) as client:
        client.subscribe(RECEIPTS)

        def answered() -> bool:
            # As a terminal does: whatever has no receipt is sent again.
            known = {receipt.result_hash for receipt in receipts(layout, client, 0)}
            waiting = [jws for jws in outbox if result_hash(jws) not in known]
            for jws in waiting:
                client.publish(terminal.topic(), jws)
            return not waiting

        wait_until(answered, "the receipts did not come")
    assert seqs(ledger) == list(range(1, before + 11))
    report = audit(ledger, Devices(layout.devices).open())
    assert not any(device.gaps or device.head_wrong or device.unsigned for device in report.devices)


def test_a_key_of_the_office_that_others_may_read_is_refused(layout: Layout) -> None:
    config = load(OfficeConfig, layout.office_config)
    config.broker.key_file.chmod(0o644)
    try:
        with pytest.raises(ConfigError, match=r"private key that others may read; run `chmod 600`"):
            OfficeLink(config.office, config.broker, config.group).open()
    finally:
        config.broker.key_file.chmod(0o600)


def test_the_office_ends_when_it_is_told_to(site: Site) -> None:
    site.stop("office")
    assert site.pid("office") is None
    assert "Traceback" not in (site.layout.logs / "office.log").read_text()
    site.start(["office"])
