"""The same ledger on PostgreSQL: a server of the test's own, on a socket in a folder of its own."""

import os
import pwd
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from central.audit import audit
from edge.ports import Slot
from tests.central.terminals import Office, Terminal

pytest.importorskip("psycopg", reason="psycopg (the extra `postgresql`) is not installed")
SERVERS = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(not SERVERS, reason="no PostgreSQL server is installed (apt install postgresql)"),
]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A server with one database; ended and deleted at the end."""
    binaries = SERVERS[-1].parent
    # PostgreSQL refuses to run as root, and root's temporary folders are closed to others.
    user = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    before = ["runuser", "-u", user, "--"] if os.geteuid() == 0 else []
    folder = Path(tempfile.mkdtemp(prefix="anxin-pg-", dir="/tmp"))
    if before:
        shutil.chown(folder, user)

    def run(*command: str) -> None:
        subprocess.run([*before, *command], check=True, capture_output=True, timeout=60, cwd=folder)

    options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off"
    try:
        run(str(binaries / "initdb"), "-D", f"{folder}/data", "-A", "trust", "-U", "anxin", "-N")
        run(str(binaries / "pg_ctl"), "-D", f"{folder}/data", "-l", f"{folder}/log", "-o", options, "-w", "start")
        try:
            run(str(binaries / "createdb"), "-h", str(folder), "-U", "anxin", "anxin")
            yield f"postgresql+psycopg://anxin@/anxin?host={folder}"
        finally:
            run(str(binaries / "pg_ctl"), "-D", f"{folder}/data", "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def office(url: str, tmp_path: Path) -> Iterator[Office]:
    """Terminals of their own for every test: the database stays."""
    name = f"dev-{tmp_path.name.strip('_').replace('_', '-')[-20:]}"
    office = Office(tmp_path, Terminal(f"{name}-a"), Terminal(f"{name}-b"), url=url)
    yield office
    office.close()


def terminals(office: Office) -> list[Terminal]:
    found = []
    for device in office.devices.all():
        terminal = Terminal(device.device)
        found.append(terminal)
    office.register(*found)
    office.devices.refresh()
    return found


def test_recorded_once_out_of_order_and_put_aside_as_on_sqlite(office: Office) -> None:
    one, _ = terminals(office)
    first, second, third = one.result(), one.result(), one.result()
    said = [office.take(jws, one) for jws in (first, third, second, third)]
    assert [each.verdict for each in said] == ["recorded", "recorded", "recorded", "duplicate"]
    assert [each.gap for each in said] == [False, True, False, False]
    assert office.take(one.result(Slot(2, "0" * 64)), one).reason == "seq_reused"
    for _ in range(2):
        assert office.take(b"\x00\xff", one).reason == "bad_signature"
    assert {row.times for row in office.ledger.quarantine(one.device)} == {1, 2}
    report = next(each for each in audit(office.ledger, office.devices).devices if each.device == one.device)
    assert (report.verified, report.gaps, report.head_wrong) == (3, [], False)


def test_two_consumers_at_once_record_everything_once(office: Office, tmp_path: Path) -> None:
    both = terminals(office)
    sent = [(each, each.result()) for _ in range(20) for each in both]
    second = Office(tmp_path, *both, url=office.ledger.url)
    verdicts: list[str] = []

    def consume(desk: Office) -> None:
        verdicts.extend(desk.take(jws, terminal).verdict for terminal, jws in sent)

    threads = [threading.Thread(target=consume, args=(desk,)) for desk in (office, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    second.close()
    assert sorted(verdicts) == ["duplicate"] * 40 + ["recorded"] * 40
    for terminal in both:
        assert office.seqs(terminal.device) == list(range(1, 21))
