"""The three configuration files of a development site, and what an existing one already says."""

import json
import secrets
import tomllib
from dataclasses import dataclass, replace
from pathlib import Path

from edge.config import (
    CameraSection,
    DeviceSection,
    OfficeConfig,
    PageSection,
    TerminalConfig,
    UplinkConfig,
    load,
    validate,
)
from edge.errors import ConfigError
from provisioning.broker import free_port
from provisioning.layout import Layout

OFFICE = "office"
PAGE_PORT = 8780
CAMERA = "socket:camera.sock"


@dataclass(frozen=True, slots=True)
class Choices:
    """What a site is called and where it listens."""

    site: str
    device: str
    camera: str
    page_port: int
    broker_port: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the technician typed; None means: as it is, or the default."""

    site: str | None = None
    device: str | None = None
    camera: str | None = None
    page_port: int | None = None


def choose(layout: Layout, wanted: Wanted) -> Choices:
    """What the site has, with what is wanted now; raises `ConfigError` where that would make it another site."""
    _check(wanted)
    if not layout.terminal_config.exists():
        return Choices(
            site=wanted.site or "dev",
            device=wanted.device or "dev-1",
            camera=wanted.camera or CAMERA,
            page_port=wanted.page_port or free_port(PAGE_PORT),
            broker_port=free_port(),
        )
    terminal = load(TerminalConfig, layout.terminal_config)
    had = Choices(
        site=terminal.device.site,
        device=terminal.device.device,
        camera=_source_as_written(layout),
        page_port=terminal.page.port,
        broker_port=layout.read_broker_port() if layout.uplink_config.exists() else free_port(),
    )
    if (wanted.site or had.site, wanted.device or had.device) != (had.site, had.device):
        raise ConfigError(
            f"{layout.root} belongs to {had.site}/{had.device}, and its keys and records stay so; "
            "choose another folder for another terminal."
        )
    return replace(had, camera=wanted.camera or had.camera, page_port=wanted.page_port or had.page_port)


def _check(wanted: Wanted) -> None:
    """Refuse what no settings file may say before anything is written: a wrong name would stay in the site."""
    device = {"site": wanted.site or "dev", "device": wanted.device or "dev-1"}
    validate(DeviceSection, device, "The terminal's name")
    validate(CameraSection, {"source": wanted.camera or CAMERA}, "The camera")
    validate(PageSection, {"port": PAGE_PORT if wanted.page_port is None else wanted.page_port}, "The page")


def texts(choices: Choices) -> dict[str, str]:
    """File name to content.  Paths are relative, so that the site's folder can be moved as a whole."""
    device = f"[device]\nsite = {_quoted(choices.site)}\ndevice = {_quoted(choices.device)}\n"
    head = "# Written by `anxin provision dev`.  Every key is explained in docs/configuration.md.\n"
    return {
        "office.toml": f"""{head}office = {_quoted(OFFICE)}
database = "office/ledger.sqlite"
signing_key = "office/signing.jwk"
encryption_key = "office/encryption.jwk"
devices_file = "office/devices.json"
# Whoever may subscribe could join the office's group and swallow results: nobody can guess this name.
group = "office-{secrets.token_hex(8)}"

{_broker(choices, "office")}""",
        "terminal.toml": f"""{head}state_dir = "state/terminal"
spool_dir = "spool"
inbox_dir = "inbox"
signing_key = "device/signing.jwk"
roster_key = "device/roster.jwk"
office_keys = "device/office_keys.json"

{device}
[camera]
source = {_quoted(choices.camera)}

[page]
port = {choices.page_port}

[clock]
trust = "host"
""",
        "uplink.toml": f"""{head}state_dir = "state/uplink"
spool_dir = "spool"
office_keys = "device/office_keys.json"

{device}
{_broker(choices, "device")}""",
    }


def check(layout: Layout) -> tuple[OfficeConfig, TerminalConfig, UplinkConfig]:
    """The three files, read as the programs read them; raises `ConfigError`."""
    return (
        load(OfficeConfig, layout.office_config),
        load(TerminalConfig, layout.terminal_config),
        load(UplinkConfig, layout.uplink_config),
    )


def says(file: Path, choices: Choices) -> bool:
    """Whether an existing file can stay as it is: it is valid and says what is chosen."""
    if not file.exists():
        return False
    match file.name:
        case "office.toml":
            return load(OfficeConfig, file).broker.port == choices.broker_port
        case "terminal.toml":
            terminal = load(TerminalConfig, file)
            return (_source_as_written(Layout(file.parent)), terminal.page.port) == (
                choices.camera,
                choices.page_port,
            )
        case _:
            return load(UplinkConfig, file).broker.port == choices.broker_port


def _source_as_written(layout: Layout) -> str:
    """`load` makes its path absolute, and a site's settings hold relative ones."""
    raw = tomllib.loads(layout.terminal_config.read_text(encoding="utf-8"))
    return str(raw["camera"]["source"])


def _broker(choices: Choices, owner: str) -> str:
    return f"""[broker]
host = "127.0.0.1"
port = {choices.broker_port}
ca_file = "{owner}/ca.crt"
cert_file = "{owner}/client.crt"
key_file = "{owner}/client.key"
"""


def _quoted(text: str) -> str:
    """A TOML basic string; JSON's escapes are among TOML's."""
    return json.dumps(text, ensure_ascii=False)
