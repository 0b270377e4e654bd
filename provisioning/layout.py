"""Where everything of a development site lies.

SITE/
  office.toml terminal.toml uplink.toml   what the three programs are started with
  ca/        the site's authority          broker/   mosquitto: configuration, access list, store, log
  office/    keys, devices.json, ledger    device/   certificate and keys of the terminal
  state/     terminal/ and uplink/         spool/    the outbox, shared by the two
  inbox/     roster.jwe and policy.jws     logs/     what the processes print
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from edge.adapters.outbox_sqlite import OUTBOX_FILE
from edge.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Layout:
    """The paths of a site; ``root`` is its folder."""

    root: Path

    @property
    def office_config(self) -> Path:
        return self.root / "office.toml"

    @property
    def terminal_config(self) -> Path:
        return self.root / "terminal.toml"

    @property
    def uplink_config(self) -> Path:
        return self.root / "uplink.toml"

    @property
    def ca(self) -> Path:
        return self.root / "ca"

    @property
    def broker(self) -> Path:
        return self.root / "broker"

    @property
    def office(self) -> Path:
        return self.root / "office"

    @property
    def device(self) -> Path:
        return self.root / "device"

    @property
    def state(self) -> Path:
        return self.root / "state"

    @property
    def spool(self) -> Path:
        return self.root / "spool"

    @property
    def outbox(self) -> Path:
        return self.spool / OUTBOX_FILE

    @property
    def inbox(self) -> Path:
        return self.root / "inbox"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def ledger(self) -> Path:
        return self.office / "ledger.sqlite"

    @property
    def devices(self) -> Path:
        return self.office / "devices.json"

    def read_broker_port(self) -> int:
        """The port that uplink.toml names; raises `ConfigError` when this is no site."""
        try:
            raw = tomllib.loads(self.uplink_config.read_text(encoding="utf-8"))
            return int(raw["broker"]["port"])
        except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError, ValueError):
            raise ConfigError(
                f"{self.root} is not a site of Anxin; make one with `anxin provision dev {self.root}`."
            ) from None
