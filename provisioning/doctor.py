"""Say what is wrong with a site or one program's settings, in sentences, and what to do.

Reads the configuration files and everything they name; changes nothing.  Exit code 0 when all is well, 1 when there
is something to do.

examples:
  anxin doctor ./site
  anxin doctor --config /etc/anxin/terminal.toml
  anxin doctor ./site --json
"""

import argparse
import json
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from rich.console import Console

from edge.config import OfficeConfig, TerminalConfig, UplinkConfig, load
from edge.errors import AnxinError, ConfigError
from provisioning import checks
from provisioning.checks import Finding, ToDo, wrong
from provisioning.layout import Layout

Check = tuple[str, Callable[[], str]]


@dataclass(slots=True)
class Settings:
    """What could be read of a site; None: no such file, or it is wrong."""

    office: OfficeConfig | None = None
    terminal: TerminalConfig | None = None
    uplink: UplinkConfig | None = None
    folder: Path = Path()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``anxin doctor``."""
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("folder", nargs="?", type=Path, metavar="SITE_DIR", help="a site of `anxin provision`")
    what.add_argument("--config", type=Path, metavar="FILE", help="one terminal.toml, uplink.toml or office.toml")
    parser.add_argument("--json", action="store_true", help="one JSON document, for programs")


def main(args: argparse.Namespace) -> int:
    """Examine, print, and return 0 or 1; raises `ConfigError` when there is nothing to examine."""
    found = list(examine_site(args.folder) if args.folder is not None else examine_file(args.config))
    console = Console(highlight=False, soft_wrap=True)
    if args.json:
        document = {"checks": [each.as_dict() for each in found], "summary": last_line(found)}
        console.out(json.dumps(document, ensure_ascii=False), highlight=False)
    else:
        for each in found:
            mark = "[green]✓[/]" if each.fine else "[red]✗[/]"
            console.print(f"{mark} {each.name:<24}", end="")
            console.print(each.said, markup=False)
            if each.todo:
                console.print(f"{'':<26}→ {each.todo}", markup=False)
        console.print(last_line(found), markup=False)
    return 0 if all(each.fine for each in found) else 1


def last_line(found: list[Finding]) -> str:
    """The sum in one line."""
    fine = sum(each.fine for each in found)
    todo = f", {len(found) - fine} to do" if fine < len(found) else ""
    return f"doctor: {fine} of {len(found)} checks fine{todo}"


def examine_site(root: Path) -> Iterator[Finding]:
    """Every check of a site's folder; raises `ConfigError` when it holds no settings at all."""
    layout = Layout(root.resolve())
    files = (layout.office_config, layout.terminal_config, layout.uplink_config)
    if not any(file.exists() for file in files):
        raise ConfigError(f"{root} is not a site; make one with `anxin provision dev {root}`.")
    yield from _examine(files, layout.root)


def examine_file(file: Path) -> Iterator[Finding]:
    """The checks of one program; raises `ConfigError` when there is no such file."""
    if not file.exists():
        raise ConfigError(f"{file} does not exist; name one of the three configuration files.")
    yield from _examine((file,), file.parent.resolve())


def _examine(files: tuple[Path, ...], folder: Path) -> Iterator[Finding]:
    settings = Settings(folder=folder)
    for file in files:
        yield _run((f"settings {file.name}", partial(_load, file, settings)))
    now = datetime.now(UTC)
    for check in _checks(settings, now):
        yield _run(check)


def _checks(settings: Settings, now: datetime) -> Iterator[Check]:
    office, terminal, uplink = settings.office, settings.terminal, settings.uplink
    if office is not None:
        yield "office's signing key", partial(checks.key, office.signing_key, "Ed25519")
        yield "office's encryption key", partial(checks.key, office.encryption_key, "X25519")
        yield "office's certificate", partial(checks.certificate, office.broker, office.office, now)
        yield "ledger", partial(checks.ledger, office, settings.folder)
        if uplink is None:
            yield "broker", partial(checks.broker, office.broker)
    if terminal is not None:
        device, owner = terminal.device.device, f"{terminal.device.site}/{terminal.device.device}"
        yield "clock", partial(checks.clock, terminal)
        yield "terminal's signing key", partial(checks.key, terminal.signing_key, "Ed25519")
        yield "terminal's roster key", partial(checks.key, terminal.roster_key, "X25519")
        yield "office's public keys", partial(checks.office_keys, terminal.office_keys)
        yield "policy", partial(checks.policy, terminal, now)
        yield "roster", partial(checks.roster, terminal, now)
        yield "models", partial(checks.models, terminal.models_dir)
        yield "camera", partial(checks.camera, terminal)
        yield "terminal's state", partial(checks.state_folder, terminal.state_dir, owner)
        yield "outbox", partial(checks.outbox, terminal.spool_dir, device, now)
    if uplink is not None:
        device, owner = uplink.device.device, f"{uplink.device.site}/{uplink.device.device}"
        yield "terminal's certificate", partial(checks.certificate, uplink.broker, device, now)
        yield "uplink's state", partial(checks.state_folder, uplink.state_dir, owner)
        if terminal is None:
            yield "office's public keys", partial(checks.office_keys, uplink.office_keys)
            yield "outbox", partial(checks.outbox, uplink.spool_dir, device, now)
        yield "broker", partial(checks.broker, uplink.broker)
    if terminal is not None and uplink is not None:
        yield "one terminal", partial(checks.same_device, terminal, uplink)
    if office is not None and terminal is not None:
        yield "registration", partial(checks.registration, office, terminal)


def _load(file: Path, settings: Settings) -> str:
    if file.name == "office.toml" or (file.name != "uplink.toml" and _has(file, "office")):
        settings.office = load(OfficeConfig, file)
    elif file.name == "terminal.toml" or (file.name != "uplink.toml" and _has(file, "camera")):
        settings.terminal = load(TerminalConfig, file)
    else:
        settings.uplink = load(UplinkConfig, file)
    return str(file)


def _has(file: Path, key: str) -> bool:
    try:
        return key in tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False


def _run(check: Check) -> Finding:
    name, look = check
    try:
        return Finding(name, look())
    except AnxinError as error:
        answer = wrong(error)
    except ToDo as error:
        answer = error
    return Finding(name, answer.said, answer.todo)
