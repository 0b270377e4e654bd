"""The terminals that the office has registered, and their public keys."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from joserfc.jwk import OKPKey
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from edge.errors import ConfigError
from edge.wire.keys import KeyRing, from_jwk, public_jwk
from edge.wire.messages import Name

MAX_FILE_BYTES = 64 * 1024 * 1024


class DeviceEntry(BaseModel):
    """One terminal.  Retired signing keys stay in the list, so that its old results can be audited for ever."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    site: Name
    device: Name
    signing_keys: Annotated[tuple[dict[str, str], ...], Field(min_length=1, max_length=32)]
    roster_key: dict[str, str]


class DevicesDoc(BaseModel):
    """The devices file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1] = 1
    devices: tuple[DeviceEntry, ...]


@dataclass(frozen=True, slots=True)
class Device:
    """A registered terminal, its keys ready for use."""

    site: str
    device: str
    ring: KeyRing
    roster_key: OKPKey


class Devices:
    """The devices file in memory; `refresh` reads it again when it has changed."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._known: dict[tuple[str, str], Device] = {}
        self._stamp: tuple[int, int] | None = None

    def open(self) -> "Devices":
        """Read the file; raises `ConfigError` with what to do."""
        self._known = {(each.site, each.device): each for each in map(_ready, read_entries(self.file))}
        self._stamp = self._stamp_now()
        return self

    def refresh(self) -> bool:
        """Read the file again if it changed; a damaged one raises `ConfigError` once and the old list stays."""
        stamp = self._stamp_now()
        if stamp == self._stamp:
            return False
        self._stamp = stamp
        known = {(each.site, each.device): each for each in map(_ready, read_entries(self.file))}
        self._known = known
        return True

    def find(self, site: str, device: str) -> Device | None:
        return self._known.get((site, device))

    def all(self) -> Iterable[Device]:
        """Every registered terminal, by site and name."""
        return [self._known[key] for key in sorted(self._known)]

    def _stamp_now(self) -> tuple[int, int] | None:
        try:
            status = self.file.stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_ino


def read_entries(file: Path) -> tuple[DeviceEntry, ...]:
    """The entries of a devices file; raises `ConfigError` naming the file and what to do."""
    try:
        with file.open("rb") as source:
            raw = source.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"{file} cannot be read ({error.strerror}); `anxin provision dev` makes it.") from None
    try:
        entries = DevicesDoc.model_validate_json(raw[:MAX_FILE_BYTES]).devices
    except (ValidationError, ValueError):
        raise ConfigError(f"{file} is not a list of devices; restore it, or provision the site again.") from None
    # The broker ties a client to its device's name alone: of two with one name each could speak as the other.
    names = [entry.device for entry in entries]
    if len(set(names)) != len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ConfigError(
            f"{file} names the device {twice} twice; a name is given once over all sites, remove the wrong entry."
        )
    return entries


def entry(site: str, device: str, signing: OKPKey, roster: OKPKey, older: DeviceEntry | None = None) -> DeviceEntry:
    """A device's entry with the public halves of its keys, after those that ``older`` knew."""
    fresh = public_jwk(signing)
    kept = tuple(key for key in older.signing_keys if key != fresh) if older is not None else ()
    return DeviceEntry(site=site, device=device, signing_keys=(*kept, fresh), roster_key=public_jwk(roster))


def to_text(entries: Iterable[DeviceEntry]) -> str:
    """The devices file's content."""
    document: dict[str, Any] = DevicesDoc(devices=tuple(entries)).model_dump(mode="json")
    return json.dumps(document, indent=1) + "\n"


def _ready(entry: DeviceEntry) -> Device:
    return Device(
        entry.site,
        entry.device,
        KeyRing.from_jwks({"keys": list(entry.signing_keys)}),
        from_jwk(entry.roster_key, "X25519"),
    )
