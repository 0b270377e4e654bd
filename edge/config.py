"""The settings of the three programs, as frozen pydantic models read from TOML.

Unknown keys are errors.  Every key has its unit in its name, bounds and a description; docs/configuration.md
is checked against this file by a test.  Paths may be relative: then they start at the configuration file's
folder, so that a site's folder can be moved as a whole.
"""

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator, model_validator

from edge.errors import ConfigError

_NAME = r"^[a-z0-9][a-z0-9-]{0,62}$"
_SOURCE = r"^(picamera2(:\d+)?|(v4l2|file|folder|socket):.+)$"
_FORMS = {
    _NAME: "lower-case letters, digits and dashes, 63 at most",
    _SOURCE: "picamera2, picamera2:NUMBER, v4l2:NAME, file:PATH, folder:PATH or socket:PATH",
}
Name = Annotated[str, Field(pattern=_NAME)]
Port = Annotated[int, Field(ge=1, le=65535)]


def _resolved(value: object, info: ValidationInfo) -> object:
    folder = (info.context or {}).get("folder")
    if isinstance(value, str) and folder is not None:
        return Path(folder) / Path(value).expanduser()
    return value


class Section(BaseModel):
    """A table of a configuration file: frozen, and unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @field_validator("*", mode="before")
    @classmethod
    def _paths_start_at_the_file(cls, value: object, info: ValidationInfo) -> object:
        field = cls.model_fields.get(info.field_name or "")
        if field is not None and field.annotation in (Path, Path | None):
            return _resolved(value, info)
        return value


class DeviceSection(Section):
    """Which terminal this is."""

    site: Name = Field(description="The site's name, as in the topics.")
    device: Name = Field(description="The device's name: the common name of its certificate.")


class CameraSection(Section):
    """Where frames come from."""

    source: str = Field(
        description="picamera2 | picamera2:NUMBER | v4l2:NAME (as in /dev/v4l/by-id or the driver's card name) "
        "| file:PATH (video) | folder:PATH (pictures) | socket:PATH (frames from a local process).",
        pattern=_SOURCE,
    )
    width_px: int = Field(default=640, ge=320, le=1920, description="Width of the main frames.")
    height_px: int = Field(default=480, ge=240, le=1080, description="Height of the main frames.")
    frames_per_second: int = Field(default=15, ge=5, le=30, description="Frames asked of the camera each second.")

    @field_validator("source")
    @classmethod
    def _path_starts_at_the_file(cls, value: str, info: ValidationInfo) -> str:
        kind, _, rest = value.partition(":")
        return f"{kind}:{_resolved(rest, info)}" if kind in ("file", "folder", "socket") else value


class PageSection(Section):
    """The person's page."""

    host: Literal["127.0.0.1", "::1"] = Field(default="127.0.0.1", description="Loopback only.")
    port: Port = Field(default=8780, description="TCP port of the page on loopback.")
    language: Literal["zh", "en"] = Field(default="zh", description="The language shown first.")


class ClockSection(Section):
    """What makes the calendar clock trustworthy."""

    trust: Literal["kernel", "host"] = Field(
        default="kernel",
        description="kernel: certify only while the kernel says that its clock is synchronised. host: believe "
        "the machine's clock as it is (development sites and machines with a clock of their own).",
    )


class TerminalConfig(Section):
    """``terminal.toml``: the service with the camera, the models, the session, the page and the signing key."""

    device: DeviceSection
    camera: CameraSection
    page: PageSection = PageSection()
    clock: ClockSection = ClockSection()
    state_dir: Path = Field(description="Folder of the terminal's own state, writable by it alone.")
    spool_dir: Path = Field(description="Folder of the outbox, shared with the uplink.")
    inbox_dir: Path = Field(description="Folder where the uplink or the technician puts roster.jwe and policy.jws.")
    models_dir: Path | None = Field(default=None, description="Folder of the models; absent: the packaged ones.")
    signing_key: Path = Field(description="JWK file (Ed25519, mode 0600) that signs results.")
    roster_key: Path = Field(description="JWK file (X25519, mode 0600) that opens the roster.")
    office_keys: Path = Field(description="JWK set of the office: its signing and its encryption key, public.")


class BrokerSection(Section):
    """How to reach the broker."""

    host: str = Field(description="Name or address, as in the broker's certificate.")
    port: Port = Field(default=8883, description="TCP port with TLS.")
    ca_file: Path = Field(description="PEM of the authority that signed the broker's certificate.")
    cert_file: Path = Field(description="PEM of this client's certificate.")
    key_file: Path = Field(description="PEM of this client's key, mode 0600.")
    keepalive_s: int = Field(default=30, ge=5, le=600, description="MQTT keep-alive.")
    session_expiry_s: int = Field(default=86_400, ge=0, description="How long the broker keeps this session.")


class RetrySection(Section):
    """How a result without a receipt is sent again: exponential backoff with full jitter."""

    first_s: float = Field(default=2.0, gt=0, le=600, description="First wait.")
    most_s: float = Field(default=300.0, gt=0, le=86_400, description="Longest wait.")

    @model_validator(mode="after")
    def _in_order(self) -> "RetrySection":
        if self.first_s > self.most_s:
            raise ValueError("first_s must not be longer than most_s")
        return self


class UplinkConfig(Section):
    """``uplink.toml``: the service with MQTT, and neither camera nor signing key."""

    device: DeviceSection
    broker: BrokerSection
    retry: RetrySection = RetrySection()
    state_dir: Path = Field(description="Folder of the uplink's own state.")
    spool_dir: Path = Field(description="Folder of the outbox, shared with the terminal.")
    office_keys: Path = Field(description="JWK set of the office, to verify receipts.")
    health_every_s: float = Field(default=60.0, ge=1, le=3600, description="Time between health messages.")
    window: int = Field(default=20, ge=1, le=1000, description="Results in flight at once.")


class OfficeConfig(Section):
    """``office.toml``: the central office's consumer and ledger."""

    office: Name = Field(description="The office's name: the common name of its certificate.")
    broker: BrokerSection
    database: str = Field(description="SQLAlchemy URL, or the path of an SQLite file.")
    signing_key: Path = Field(description="JWK file (Ed25519) that signs receipts, rosters and policies.")
    encryption_key: Path = Field(description="JWK file (X25519) to which terminals encrypt unknown identities.")
    devices_file: Path = Field(description="JSON of the registered devices: site, device, public keys.")
    group: str = Field(default="office", description="Name of the shared subscription.")

    def database_url(self, folder: Path) -> str:
        """The SQLAlchemy URL; a bare path means SQLite and starts at ``folder``."""
        if "://" in self.database:
            return self.database
        return f"sqlite:///{(folder / self.database).resolve()}"


ConfigT = TypeVar("ConfigT", bound=Section)


def load(kind: type[ConfigT], file: Path) -> ConfigT:
    """Read ``file`` as ``kind``; raises `ConfigError` with one sentence per mistake, naming file and key."""
    try:
        raw: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{file} does not exist; make a site with `anxin provision dev SITE_DIR`.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file} cannot be read ({error}); check its owner and mode.") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{file} is not valid TOML ({error}); correct that line.") from None
    return validate(kind, raw, str(file), folder=file.parent.resolve())


def validate(kind: type[ConfigT], raw: dict[str, Any], where: str, *, folder: Path | None = None) -> ConfigT:
    """``raw`` as ``kind``, relative paths from ``folder``; raises `ConfigError` that begins with ``where``."""
    try:
        return kind.model_validate(raw, context={"folder": folder})
    except ValidationError as error:
        mistakes = (_sentence(each) for each in error.errors(include_input=False))
        raise ConfigError(f"{where}: {', and '.join(mistakes)}") from None


def _sentence(error: Any) -> str:
    key = ".".join(str(part) for part in error["loc"])
    match error["type"]:
        case "extra_forbidden":
            return f"the key `{key}` is unknown, remove it or correct its spelling"
        case "missing":
            return f"the key `{key}` is missing, add it"
        case "int_parsing" | "int_type" | "int_from_float":
            return f"`{key}` must be a whole number"
        case "greater_than_equal":
            return f"`{key}` must be {error['ctx']['ge']} or more"
        case "less_than_equal":
            return f"`{key}` must be {error['ctx']['le']} or less"
        case "string_pattern_mismatch":
            return f"`{key}` must be {_FORMS.get(error['ctx']['pattern'], error['ctx']['pattern'])}"
        case _:
            return f"`{key}`: {error['msg']}"
