"""The site runner: processes as systemd would start, watch and restart them."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.errors import ConfigError, LinkError, StateError
from provisioning.broker import Broker, accepts_tls, free_port, write_broker_files
from provisioning.layout import Layout
from provisioning.notify import NotifySocket
from provisioning.site import Program, Service, Site
from tests.provisioning.mqtt_client import wait_until

needs_mosquitto = pytest.mark.skipif(
    shutil.which("mosquitto", path="/usr/sbin:/usr/bin") is None, reason="mosquitto is not installed"
)
SPEAKER = """
import os, signal, socket, sys, time
def say(text):
    address = os.environ["NOTIFY_SOCKET"].replace("@", chr(0), 1)
    socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(text.encode(), address)
signal.signal(signal.SIGTERM, lambda *_: (say("STOPPING=1"), sys.exit(0)))
say("READY=1\\nSTATUS=well")
time.sleep(60)
"""


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """A process that speaks sd_notify, in the place of one of ours."""
    package = tmp_path / "stand_in" / "edge"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text(SPEAKER)
    service = Service(Program("speaker", ()), tmp_path, {"PYTHONPATH": str(package.parent), "PYTHONSAFEPATH": "1"})
    yield service
    service.close()


def test_what_a_process_says_is_read_as_systemd_reads_it() -> None:
    manager = NotifySocket()
    manager.open()
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as speaker:
            speaker.connect("\0" + manager.address[1:])
            assert not manager.read(1.0).ready
            speaker.send(b"READY=1\nSTATUS=two of three\nX_OWN=1")
            assert (manager.read(2.0).ready, manager.notices.status, manager.notices.fed_s) == (
                True,
                "two of three",
                2.0,
            )
            speaker.send(b"WATCHDOG=1")
            speaker.send(b"STOPPING=1")
            assert (manager.read(5.0).fed_s, manager.notices.stopping) == (5.0, True)
            manager.forget()
            assert not manager.read(6.0).ready
    finally:
        manager.close()


@pytest.mark.process
def test_a_killed_process_comes_back_and_a_stopped_one_does_not(service: Service) -> None:
    service.start()
    wait_until(lambda: service.ready, "it did not get ready")
    assert service.status == "well"
    service.kill()
    assert (service.pid, service.ready, service.last_exit) == (None, False, -signal.SIGKILL)
    service.turn(100.0)
    assert service.pid is None
    service.turn(101.0)
    wait_until(lambda: service.ready, "it did not come back")
    assert service.starts == 2
    assert service.stop() == 0
    service.turn(200.0)
    service.turn(300.0)
    assert service.pid is None


@pytest.mark.process
def test_a_process_that_starves_its_watchdog_is_ended(service: Service) -> None:
    import time

    service.start()
    wait_until(lambda: service.ready, "it did not get ready")
    service.turn(time.monotonic() + 1)
    assert service.pid is not None
    service.turn(time.monotonic() + 1000)
    wait_until(lambda: service.pid is None, "it was not ended")
    service.turn(0.0)
    assert service.last_exit == -signal.SIGABRT


@pytest.mark.process
def test_a_process_that_does_not_even_hear_the_watchdog_is_killed(service: Service) -> None:
    import time

    service.start()
    wait_until(lambda: service.ready, "it did not get ready")
    service.signal(signal.SIGSTOP)
    late_s = time.monotonic() + 1000
    service.turn(late_s)
    service.turn(late_s + 1)
    assert service.pid is not None
    service.turn(late_s + 10)
    wait_until(lambda: service.pid is None, "it was not killed")
    service.turn(late_s + 11)
    assert service.last_exit == -signal.SIGKILL


def test_a_site_is_run_once_at_a_time(layout: Layout) -> None:
    with Site(layout.root):
        with pytest.raises(StateError, match="runs already; end that run first"), Site(layout.root):
            pass
        with pytest.raises(StateError, match="runs already"), Site(layout.root):
            pass
    with Site(layout.root):
        pass


@pytest.mark.process
@needs_mosquitto
def test_the_broker_is_there_when_start_returns_and_gone_when_stop_does(layout: Layout) -> None:
    broker = Broker(layout.broker, layout.read_broker_port())
    with broker:
        assert accepts_tls(broker.port, layout.device / "ca.crt")
        first = broker.pid
        broker.start()
        assert broker.pid == first
        with pytest.raises(StateError, match="still runs"):
            broker.wipe_store()
    assert broker.pid is None
    assert not accepts_tls(broker.port, layout.device / "ca.crt")
    assert (layout.broker / "store" / "mosquitto.db").exists()
    broker.wipe_store()
    assert not list((layout.broker / "store").iterdir())


@pytest.mark.process
@needs_mosquitto
def test_two_that_start_the_broker_at_once_start_one(layout: Layout) -> None:
    """A run and its demo both did: the first mosquitto stayed behind, unknown to anybody."""
    broker = Broker(layout.broker, layout.read_broker_port())
    together = threading.Barrier(4)

    def start() -> None:
        together.wait(10)
        broker.start()

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    broker.stop()

    assert not accepts_tls(broker.port, broker.folder / "ca.crt")


@pytest.mark.process
@needs_mosquitto
def test_a_port_that_is_taken_is_said_at_once(layout: Layout) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        write_broker_files(layout.broker, port := other.getsockname()[1], "office")
        with pytest.raises(LinkError, match=r"mosquitto\.log"):
            Broker(layout.broker, port).start()


@pytest.mark.process
def test_a_program_that_cannot_start_is_said_with_its_log(layout: Layout) -> None:
    layout.office_config.write_text("nonsense = 1\n")
    with (
        Site(layout.root, restart=False) as site,
        pytest.raises(StateError, match=r"office ended with code 10.*office\.log"),
    ):
        site.start(["office"])
    assert "nonsense" in (layout.logs / "office.log").read_text()


def test_a_folder_that_is_no_site_starts_nothing(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="not a site"), Site(tmp_path):
        pass


def test_a_free_port_is_free_and_below_the_ephemeral_ones() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", port := free_port()))
        assert 20000 <= port < 30000
        assert free_port(port) != port
    assert sys.platform == "linux"


@pytest.mark.process
@needs_mosquitto
def test_a_site_runs_and_mends_itself_until_ctrl_c_and_leaves_nothing_behind(layout: Layout) -> None:
    command = [sys.executable, "-m", "edge", "provision", "run", str(layout.root)]
    without = ["--without", "terminal", "--without", "uplink"]
    with subprocess.Popen([*command, *without], stdout=subprocess.PIPE, text=True) as runner:
        assert runner.stdout is not None
        said = [runner.stdout.readline()]
        while "connected" not in said[-1]:
            said.append(runner.stdout.readline())
            assert said[-1], said
        port = layout.read_broker_port()
        assert accepts_tls(port, layout.device / "ca.crt")
        broker = int((layout.broker / "mosquitto.pid").read_text())
        os.kill(broker, signal.SIGKILL)
        while "broker   ended; it is started again" not in said[-1]:
            said.append(runner.stdout.readline())
            assert said[-1], said
        wait_until(lambda: accepts_tls(port, layout.device / "ca.crt"), "the broker did not come back")
        while "connected" not in said[-1] or "waiting" in said[-1]:
            said.append(runner.stdout.readline())
            assert said[-1], said
        runner.send_signal(signal.SIGINT)
        assert runner.wait(30) == 0
    assert said[0].startswith("site: broker, office run")
    assert not accepts_tls(port, layout.device / "ca.crt")
    assert "Normal disconnection" in (layout.logs / "office.log").read_text()
