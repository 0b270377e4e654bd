"""A real terminal whose eyes or camera fail says so in its status, keeps its page, and certifies nobody."""

import json
import shutil
import time
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edge.adapters.outbox_sqlite import OUTBOX_FILE, SqliteOutbox
from edge.ports import Frame
from edge.wire.messages import TerminalStatus, parse
from models import FOLDER
from provisioning.broker import free_port
from provisioning.dev import Eyes, provision_dev
from provisioning.settings import Wanted
from provisioning.site import Site
from sim import spoil
from sim.socket_camera import FrameServer
from tests.contracts.cameras import offering, scene

pytestmark = [pytest.mark.process, pytest.mark.timeout(180)]


def no_eyes() -> Eyes:
    raise AssertionError("nobody has a photo here")


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Path]:
    root = tmp_path / "site"
    wanted = Wanted(camera=f"socket:{tmp_path / 'frames'}", page_port=free_port())
    list(provision_dev(root, wanted, open_eyes=no_eyes))
    yield root


def until(done: Callable[[], bool], within_s: float = 60.0) -> None:
    end_s = time.monotonic() + within_s
    while not done():
        assert time.monotonic() < end_s
        time.sleep(0.1)


def row(site: Site) -> TerminalStatus:
    with SqliteOutbox(site.layout.spool / OUTBOX_FILE, "dev-1") as outbox:
        written = outbox.read_status()
    assert written is not None
    return parse(TerminalStatus, written)


def test_eyes_that_do_not_know_the_golden_face_certify_nobody_and_say_so(made: Path, tmp_path: Path) -> None:
    shutil.copytree(FOLDER, tmp_path / "models", ignore=shutil.ignore_patterns("builder", "__pycache__", "evaluate"))
    scenes = tmp_path / "models" / "golden" / "scenes.json"
    content = json.loads(scenes.read_text())
    content["scenes"][0]["embedding"] = content["scenes"][1]["embedding"]  # as if alignment or runtime had changed
    scenes.write_text(json.dumps(content))
    config = made / "terminal.toml"
    config.write_text(f'models_dir = "{tmp_path / "models"}"\n' + config.read_text())
    assert "models_dir" in tomllib.loads(config.read_text())
    with FrameServer(tmp_path / "frames") as server, offering(server), Site(made) as site:
        site.start(["terminal"])
        until(lambda: "camera gives frames" in site.status("terminal"))
        assert "eyes NOT trusted: the eyes do not know the golden face" in site.status("terminal")
        told = row(site)
    assert (told.state, told.eyes.trusted) == ("degraded", False)
    assert told.eyes.tested_at is not None
    assert "golden face" in (told.eyes.reason or "")


def test_a_covered_lens_is_said_in_health_and_the_terminal_goes_on(made: Path, tmp_path: Path) -> None:
    covered = False
    with FrameServer(tmp_path / "frames") as server, Site(made) as site:
        number = 0

        def show(until_status: str) -> None:
            nonlocal number

            def shown() -> bool:
                nonlocal number
                number += 1
                frame = Frame(number, time.monotonic_ns(), scene(number))
                server.offer(spoil.black(frame) if covered else frame)
                return until_status in site.status("terminal")

            until(shown)

        site.start(["terminal"])
        show("camera gives frames")
        pid = site.pid("terminal")
        covered = True
        show("camera lost (its pictures are black")
        time.sleep(1.1)
        told = row(site)
        assert (told.state, told.camera.working, told.eyes.trusted) == ("degraded", False, True)
        assert "covered lens" in (told.camera.reason or "")
        covered = False
        show("camera gives frames")
        assert site.pid("terminal") == pid
        told = row(site)
    assert (told.state, told.camera.working, told.camera.reason) == ("ready", True, None)
