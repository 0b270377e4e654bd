"""The units: understood by systemd, closed as far as the services' work allows, and of one mind with the program."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from edge.config import TerminalConfig

UNITS = Path(__file__).parents[2] / "systemd"
SERVICES = ("terminal", "uplink", "office")
EXPOSURE_MOST = "15"  # tenths: the target of 1.5
needs_analyze = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")


def unit(name: str) -> str:
    return (UNITS / f"anxin-{name}.service").read_text(encoding="utf-8")


def values(name: str, key: str) -> list[str]:
    return re.findall(rf"^{key}=(.*)$", unit(name), re.MULTILINE)


@needs_analyze
@pytest.mark.parametrize("name", SERVICES)
def test_systemd_understands_every_line(name: str, tmp_path: Path) -> None:
    # Only the program is exchanged: /opt/anxin is not installed where tests run.
    text = unit(name).replace("/opt/anxin/venv/bin/anxin", sys.executable)
    (tmp_path / f"anxin-{name}.service").write_text(text, encoding="utf-8")
    said = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", tmp_path / f"anxin-{name}.service"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    ours = [line for line in (said.stdout + said.stderr).splitlines() if "anxin" in line]
    assert (said.returncode, ours) == (0, [])


@needs_analyze
@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_no_more_exposed_than_promised(name: str) -> None:
    said = subprocess.run(
        [
            "systemd-analyze",
            "security",
            "--offline=true",
            f"--threshold={EXPOSURE_MOST}",
            "--no-pager",
            UNITS / f"anxin-{name}.service",
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert said.returncode == 0, said.stdout[-200:]


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_watched_and_comes_back(name: str) -> None:
    assert values(name, "Type") == ["notify"]
    assert values(name, "Restart") == ["always"]
    assert values(name, "StartLimitIntervalSec") == ["0"]
    assert len(values(name, "WatchdogSec")) == 1
    assert values(name, "LimitCORE") == ["0"]


def test_the_terminal_reaches_nothing_but_loopback_and_the_uplink_no_camera() -> None:
    assert (values("terminal", "IPAddressDeny"), values("terminal", "IPAddressAllow")) == (["any"], ["localhost"])
    assert values("terminal", "DevicePolicy") == ["closed"]
    assert values("uplink", "PrivateDevices") == ["yes"]
    assert "/etc/anxin/terminal" in values("uplink", "InaccessiblePaths")[0]
    assert "anxin-spool" not in unit("office")


def test_services_that_read_the_kernels_clock_are_let() -> None:
    # ProtectClock= also forbids to read: with it the terminal would wait for ever for a clock that is right.
    for name in ("terminal", "uplink"):
        assert values(name, "ProtectClock") == []
        assert "adjtimex clock_adjtime" in values(name, "SystemCallFilter")


def test_users_and_folders_are_those_of_the_units() -> None:
    users = (UNITS / "anxin.sysusers").read_text(encoding="utf-8")
    folders = (UNITS / "anxin.tmpfiles").read_text(encoding="utf-8")
    for name in SERVICES:
        (user,) = values(name, "User")
        assert re.search(rf"^u {user}\s", users, re.MULTILINE)
        assert f"/etc/anxin/{name} " in folders
    for path in (*values("terminal", "ReadWritePaths"), *values("uplink", "ReadWritePaths")):
        assert re.search(rf"^d {path}\s+2770 root\s+anxin-spool", folders, re.MULTILINE)
    assert not re.search(r"^[rRDeQ]", folders, re.MULTILINE)  # nothing that removes


@pytest.mark.parametrize(
    ("tool", "file"), [("systemd-sysusers", "anxin.sysusers"), ("systemd-tmpfiles", "anxin.tmpfiles")]
)
def test_users_and_folders_are_well_formed(tool: str, file: str, tmp_path: Path) -> None:
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not installed")
    if tool == "systemd-sysusers":
        (tmp_path / "etc").mkdir()
        arguments = [f"--root={tmp_path}", "--dry-run", str(UNITS / file)]
    else:
        arguments = [f"--root={tmp_path}", "--cat-config", str(UNITS / file)]
    said = subprocess.run([tool, *arguments], capture_output=True, text=True, timeout=60, check=False)
    assert said.returncode == 0, said.stderr


def test_the_folder_of_units_is_no_python_package() -> None:
    # It would shadow systemd-python (design: architecture.md).
    assert not list(UNITS.rglob("*.py"))
    assert TerminalConfig.model_fields["spool_dir"].is_required()
