"""What the service manager hears."""

import os
import socket
from pathlib import Path

import pytest

from edge.adapters.notify_systemd import QuietNotifier, SystemdNotifier, notifier, watchdog_s
from edge.ports import Notifier
from tests.fakes import FakeNotifier


def speak(to: Notifier) -> None:
    to.ready()
    to.status("one line\nonly")
    to.watchdog()
    to.stopping()


def test_the_service_manager_hears_each_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("systemd.daemon", reason="systemd-python is not installed")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        real = notifier()
        assert isinstance(real, SystemdNotifier)
        speak(real)
        heard = [manager.recv(4096).decode() for _ in range(4)]
    assert heard == ["READY=1", "STATUS=one line only", "WATCHDOG=1", "STOPPING=1"]


def test_without_a_service_manager_nothing_is_said() -> None:
    quiet = notifier({})
    assert isinstance(quiet, QuietNotifier)
    speak(quiet)


def test_the_stand_in_hears_the_same() -> None:
    fake = FakeNotifier()
    speak(fake)
    assert [word.split("=")[0] for word in fake.told] == ["READY", "STATUS", "WATCHDOG", "STOPPING"]


def test_the_watchdog_s_patience_is_read_from_the_environment() -> None:
    assert watchdog_s({}) is None
    assert watchdog_s({"WATCHDOG_USEC": "30000000"}) == 30.0
    assert watchdog_s({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}) == 30.0
    assert watchdog_s({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}) is None
    assert watchdog_s({"WATCHDOG_USEC": "often"}) is None
