"""kill -9 of any process, at several moments of a visit: one ledger row for each finished attempt, whatever happens.

Real processes, a real broker with TLS, a real ledger.  The visits are look-ups, because they need no eyes and leave
time for many kills; a certification takes the same way from `Record` to the ledger.
"""

import threading
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from central.audit import audit
from central.devices import Devices
from central.ledger import Ledger
from edge.adapters.outbox_sqlite import OUTBOX_FILE, SqliteOutbox
from edge.ports import Frame
from provisioning.dev import Eyes, provision_dev
from provisioning.settings import Wanted
from provisioning.site import Site
from sim.socket_camera import FrameServer
from tests.process.visitor import Visitor

pytestmark = [pytest.mark.process, pytest.mark.timeout(240)]

NUMBER = "11010519491231002X"
PEOPLE = f"""
[[person]]
number = "{NUMBER}"
name = "王秀英"
standing = "valid"
valid_until = 2099-12-31
method = "data_match"
"""


def no_eyes() -> Eyes:
    raise AssertionError("nobody has a photo here")


class DarkRoom:
    """A camera that shows noise and a lamp: there is nobody to see, but it works."""

    def __init__(self, path: Path) -> None:
        self._server = FrameServer(path)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="dark-room", daemon=True)

    def _run(self) -> None:
        rng = np.random.default_rng(1)
        number = 0
        while not self._over.wait(0.2):
            number += 1
            rgb = rng.integers(0, 20, (240, 320, 3), np.uint8)
            rgb[20:80, 100:180] += 120
            self._server.offer(Frame(number, time.monotonic_ns(), rgb))

    def __enter__(self) -> "DarkRoom":
        self._server.open()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self._server.close()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    people, camera = tmp_path / "people.toml", tmp_path / "camera.sock"
    people.write_text(PEOPLE, encoding="utf-8")
    list(provision_dev(tmp_path / "site", Wanted(camera=f"socket:{camera}"), people, open_eyes=no_eyes))
    with DarkRoom(camera), Site(tmp_path / "site") as site:
        site.start()
        yield site


def kill(site: Site, name: str) -> None:
    site.kill(name)
    if name == "broker":
        site.broker.wipe_store()
        site.broker.start()


def test_whatever_is_killed_every_finished_attempt_has_exactly_one_row(site: Site) -> None:
    url = f"http://127.0.0.1:{_page_port(site)}/ws"
    visitor = Visitor(url, NUMBER)
    visitor.visit()
    for name in ("terminal", "uplink", "office", "broker"):
        # Once while somebody is at the page, at a moment that differs by process, and once just after a visit.
        killer = threading.Timer(0.05 * len(name), kill, (site, name))
        killer.start()
        visitor.visit()
        killer.join()
        visitor.visit()
        kill(site, name)
    visitor.visit()

    finished, rows = _reconcile(site)

    assert visitor.promised >= 10
    assert finished >= visitor.promised, "a page promised what is not in the outbox's chain"
    assert len(rows) == finished, "rows in the ledger against results that the device signed"
    assert len(set(rows)) == len(rows)


def _page_port(site: Site) -> int:
    return int(tomllib.loads(site.layout.terminal_config.read_text(encoding="utf-8"))["page"]["port"])


def _reconcile(site: Site) -> tuple[int, list[str]]:
    """How many results the device ever signed, and the result ids in the ledger, once everything is delivered."""
    with SqliteOutbox(site.layout.spool / OUTBOX_FILE, "dev-1") as outbox:
        deadline_s = time.monotonic() + 60
        while outbox.depth()[0] and time.monotonic() < deadline_s:
            time.sleep(0.2)
        assert outbox.depth()[0] == 0, "the outbox did not drain"
        finished = outbox.chain().seq
    ledger = Ledger(f"sqlite:///{site.layout.ledger}").open(create=False)
    try:
        report = audit(ledger, Devices(site.layout.devices).open())
        assert report.fine, report.last_line()
        return finished, [row.result_id for row in ledger.results()]
    finally:
        ledger.close()
