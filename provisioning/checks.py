"""What `anxin doctor` looks at.  Each check reads, changes nothing, and answers in a sentence and a thing to do."""

import contextlib
import os
import ssl
import stat
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path

from central.devices import Devices
from central.ledger import Ledger
from edge.adapters.clock_system import SystemClock
from edge.adapters.outbox_sqlite import OUTBOX_FILE, SqliteOutbox
from edge.adapters.policy_file import INBOX_FILE as POLICY_FILE
from edge.adapters.roster_file import INBOX_FILE as ROSTER_FILE
from edge.adapters.state_dir import MARKER
from edge.config import BrokerSection, DeviceSection, OfficeConfig, TerminalConfig, UplinkConfig
from edge.core.policy import Policy
from edge.errors import AnxinError, ConfigError, ModelError, UntrustedError
from edge.wire import envelope, seal
from edge.wire.documents import Document, PolicyDoc, RosterDoc, check_addressee
from edge.wire.keys import Curve, KeyRing, load_private
from edge.wire.messages import parse
from provisioning import ca
from provisioning.broker import handshake

SOON = timedelta(days=21)
LONG_IN_THE_OUTBOX = timedelta(hours=24)
LEAST_FREE_BYTES = 200 * 1024 * 1024
MAX_DOCUMENT_BYTES = 100 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Finding:
    """One check's answer.  ``todo`` is empty when all is well."""

    name: str
    said: str
    todo: str = ""

    @property
    def fine(self) -> bool:
        return not self.todo

    def as_dict(self) -> dict[str, object]:
        return {**asdict(self), "fine": self.fine}


class ToDo(Exception):  # noqa: N818  (not an error: an answer)
    """Ends a check: what is wrong, and what to do about it."""

    def __init__(self, said: str, todo: str) -> None:
        super().__init__(said)
        self.said, self.todo = said, todo


def wrong(error: AnxinError) -> ToDo:
    """An error of ours says both in one sentence: what is wrong; what to do."""
    if isinstance(error, UntrustedError) and (";" not in str(error) or str(error).endswith("; it was refused.")):
        return ToDo(str(error), "Ask the office for a new one, or provision again.")
    if isinstance(error, ConfigError) and ";" not in str(error):
        return ToDo(f"{error}.", "Correct it (docs/configuration.md) and ask again: what it names was not looked at.")
    said, _, todo = str(error).rpartition(";")
    return ToDo(f"{said}.", todo.strip()) if said else ToDo(str(error), "See the sentence before.")


# --- keys and certificates -----------------------------------------------------------------------------------


def key(file: Path, curve: Curve) -> str:
    """A private key: there, of its curve, and nobody else's to read."""
    return f"{load_private(file, curve).kid}, mode 0600"


def office_keys(file: Path) -> str:
    """The office's public keys: one that signs, one that seals."""
    ring = KeyRing.load(file)
    if not ring.verifying or not ring.sealing:
        raise ToDo(f"{file} lacks the office's signing or encryption key.", "Ask the office for its key set again.")
    return f"{len(ring.verifying)} to verify, {len(ring.sealing)} to encrypt"


def certificate(broker: BrokerSection, owner: str, now: datetime) -> str:
    """The client's certificate: issued by the site's authority to this name, in force, and its key private."""
    for file in (broker.ca_file, broker.cert_file, broker.key_file):
        if not file.is_file():
            raise ToDo(f"{file} is missing.", "Provision the site again; keys that are there are kept.")
    mode = stat.S_IMODE(broker.key_file.stat().st_mode)
    if mode & 0o077:
        raise ToDo(f"{broker.key_file} can be read by others (mode {mode:o}).", f"chmod 600 {broker.key_file}")
    own, root = ca.load_certificate(broker.cert_file), ca.load_certificate(broker.ca_file)
    if not ca.issued_by(own, root):
        raise ToDo(
            f"{broker.cert_file} was not issued by {broker.ca_file}.", "Provision again, or copy the right pair."
        )
    name = ca.common_name_of(own)
    if name != owner:
        raise ToDo(
            f"{broker.cert_file} is made out to {name or 'nobody'}, this is {owner}.",
            "Put this one's certificate there: the broker takes its name for the client's.",
        )
    for each, file in ((root, broker.ca_file), (own, broker.cert_file)):
        if now < each.not_valid_before_utc:
            raise ToDo(
                f"{file} is valid only from {each.not_valid_before_utc:%Y-%m-%d %H:%M} UTC.",
                "Set the clock: by it that is in the future.",
            )
        if now >= each.not_valid_after_utc:
            raise ToDo(f"{file} expired on {each.not_valid_after_utc:%Y-%m-%d}.", "Provision again to renew it.")
    try:
        ssl.create_default_context().load_cert_chain(broker.cert_file, broker.key_file)
    except (OSError, ssl.SSLError):
        raise ToDo(f"{broker.key_file} is not the key of {broker.cert_file}.", "Put the right pair there.") from None
    if now >= own.not_valid_after_utc - SOON:
        raise ToDo(f"{broker.cert_file} ends on {own.not_valid_after_utc:%Y-%m-%d}.", "Provision again to renew it.")
    return f"{name}, until {own.not_valid_after_utc:%Y-%m-%d}"


def broker(section: BrokerSection) -> str:
    """Whether the broker answers and proves who it is."""
    if missing := [file for file in (section.ca_file, section.cert_file, section.key_file) if not file.is_file()]:
        raise ToDo(f"Not asked: {missing[0]} is missing.", "Provision the site again; keys that are there are kept.")
    try:
        handshake(section.host, section.port, section.ca_file, (section.cert_file, section.key_file))
    except ssl.SSLCertVerificationError as error:
        raise ToDo(
            f"{section.host}:{section.port} has a certificate that cannot be believed ({error.verify_message}).",
            "Check `host`, `ca_file`, the broker's certificate and the clock.",
        ) from None
    except (OSError, ssl.SSLError) as error:
        what = error.strerror if isinstance(error, OSError) and error.strerror else "no TLS 1.3"
        raise ToDo(
            f"The broker does not answer on {section.host}:{section.port} ({what}).",
            "Start it (`anxin provision run SITE_DIR` on a development site), or check address and network.",
        ) from None
    return f"{section.host}:{section.port} answers with a certificate of this site's authority"


# --- the terminal --------------------------------------------------------------------------------------------


def models(folder: Path | None) -> str:
    """Hashes and known answers."""
    from edge import app

    report = app.verify_models(folder)
    if not report.ok:
        raise ToDo(report.sentence, "Install the models again (`anxin models verify` says more).")
    return report.sentence


def camera(config: TerminalConfig) -> str:
    """Whether the source is there; it is not opened, because a running terminal has it open."""
    from edge.cameras import open_camera

    kind, _, rest = config.camera.source.partition(":")
    path = Path(rest)
    if kind == "file" and not path.is_file():
        raise ToDo(f"There is no video {path}.", "Put it there, or correct `camera.source`.")
    if kind == "folder" and not (path.is_dir() and any(path.iterdir())):
        raise ToDo(f"There are no pictures in {path}.", "Put some there, or correct `camera.source`.")
    if kind == "socket" and not path.is_socket():
        raise ToDo(f"Nobody serves frames at {path}.", "Start what does, or choose a camera in `camera.source`.")
    if kind == "v4l2":
        from edge.adapters.camera_v4l2 import find_device

        return f"{rest} is {find_device(rest)}"
    open_camera(config.camera.source)
    return config.camera.source


def state_folder(folder: Path, ours: str) -> str:
    """A service's own folder: there, writable, of this terminal (``site/device``), with room."""
    if not folder.is_dir():
        raise ToDo(f"{folder} does not exist.", "Provision the site again.")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ToDo(f"{folder} cannot be written by this user.", "Check its owner and mode.")
    marker = folder / MARKER
    owner = marker.read_text(encoding="utf-8", errors="replace").strip() if marker.is_file() else ""
    if owner and owner != ours:
        raise ToDo(
            f"{folder} belongs to {owner}, this is {ours}.", "Name the right folder, or the right site and device."
        )
    if not owner and {entry.name for entry in folder.iterdir()} - {"lock"}:
        raise ToDo(f"{folder} holds files but does not say whose.", "Give this terminal a folder of its own.")
    free = os.statvfs(folder).f_bavail * os.statvfs(folder).f_frsize
    if free < LEAST_FREE_BYTES:
        raise ToDo(f"Only {free // 2**20} MiB are free at {folder}.", "Free space: results must be kept somewhere.")
    return f"{folder}{'' if owner else ' (not used yet)'}"


def outbox(spool: Path, device: str, now: datetime) -> str:
    """The outbox: sound, of this device, and draining."""
    with SqliteOutbox(spool / OUTBOX_FILE, device) as box:
        waiting, oldest = box.depth()
        last = box.chain().seq
    if oldest is not None and now - oldest > LONG_IN_THE_OUTBOX:
        raise ToDo(
            f"{waiting} results wait, the oldest since {oldest:%Y-%m-%d %H:%M} UTC.",
            "Nothing is lost; check the uplink, the network and the office.",
        )
    return f"sound; {waiting} of {last} results wait for a receipt"


def policy(config: TerminalConfig, now: datetime) -> str:
    """The policy in the inbox."""
    office = KeyRing.load(config.office_keys)
    raw = _document(config.inbox_dir / POLICY_FILE)
    document = parse(PolicyDoc, envelope.verify(raw, office.verifying, envelope.Typ.POLICY, PolicyDoc.MAX_BYTES))
    try:
        version = Policy.from_mapping(document.policy).version
    except ValueError as error:
        raise ToDo(f"The policy cannot be followed: {error}.", "Ask the office for a new one.") from None
    return f"number {document.number}, version {version}, {_in_force(document, config.device, now)}"


def roster(config: TerminalConfig, now: datetime) -> str:
    """The roster in the inbox, opened with this terminal's key."""
    from edge import app

    office = KeyRing.load(config.office_keys)
    raw = _document(config.inbox_dir / ROSTER_FILE)
    opened = seal.unseal(raw, load_private(config.roster_key, "X25519"), seal.ROSTER, MAX_DOCUMENT_BYTES)
    document = parse(RosterDoc, envelope.verify(opened, office.verifying, envelope.Typ.ROSTER, RosterDoc.MAX_BYTES))
    until = _in_force(document, config.device, now)
    with contextlib.suppress(ModelError):  # said by the check of the models
        model = app.versions(config.models_dir)["face_embedding"]
        others = sum(1 for person in document.persons if person.references and model not in person.references)
        if others:
            raise ToDo(
                f"The references of {others} people are of another model than {model}.",
                "Issue the roster again with this terminal's models.",
            )
    return f"number {document.number}, {len(document.persons)} people, {until}"


def clock(config: TerminalConfig) -> str:
    """Whether certifications may be made by this clock."""
    system = SystemClock(config.clock.trust)
    system.open()
    state = system.state()
    if not state.synced:
        raise ToDo(
            f"The clock is not synchronised ({system.now():%Y-%m-%d %H:%M} UTC): look-ups work, certifications wait.",
            "Connect to the network, or start a time service.",
        )
    why = "believed as it is (`clock.trust`)" if config.clock.trust == "host" else "synchronised, says the kernel"
    return f"{system.now():%Y-%m-%d %H:%M} UTC, {why}"


# --- the office ----------------------------------------------------------------------------------------------


def ledger(config: OfficeConfig, folder: Path) -> str:
    """The ledger's database, if it was made already."""
    url = config.database_url(folder)
    if url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).exists():
        return "not there yet; the office's first start makes it"
    book = Ledger(url).open(create=False)
    try:
        recorded, aside = book.counts()
    finally:
        book.close()
    if aside:
        raise ToDo(
            f"{recorded} results, {aside} messages in quarantine.", "`anxin central verify` says why they are there."
        )
    return f"{recorded} results, none in quarantine"


def registration(office: OfficeConfig, terminal: TerminalConfig) -> str:
    """Whether office and terminal know each other's keys."""
    site, device = terminal.device.site, terminal.device.device
    known = Devices(office.devices_file).open().find(site, device)
    if known is None:
        raise ToDo(f"{site}/{device} is not in {office.devices_file}.", "Provision the site again.")
    signs = load_private(terminal.signing_key, "Ed25519")
    registered = known.ring.verifying.get(str(signs.kid))
    if registered is None or registered.thumbprint() != signs.thumbprint():
        raise ToDo(
            f"The office does not know the key with which {device} signs: its results would be put aside.",
            "Provision the site again: the new key joins the old ones.",
        )
    office_signs = load_private(office.signing_key, "Ed25519")
    if str(office_signs.kid) not in KeyRing.load(terminal.office_keys).verifying:
        raise ToDo("The terminal does not know the key with which the office signs.", "Provision the site again.")
    return f"{site}/{device} and the office know each other's keys"


def same_device(terminal: TerminalConfig, uplink: UplinkConfig) -> str:
    """Whether the two services of a terminal agree who they are."""
    if (terminal.device, terminal.spool_dir) != (uplink.device, uplink.spool_dir):
        raise ToDo("terminal.toml and uplink.toml name different devices or spools.", "Make them the same.")
    return f"{terminal.device.site}/{terminal.device.device} in both"


def _document(file: Path) -> bytes:
    try:
        with file.open("rb") as source:
            return source.read(MAX_DOCUMENT_BYTES)
    except OSError as error:
        raise ToDo(
            f"{file} cannot be read ({error.strerror}).", "Ask the office for it, or provision again."
        ) from None


def _in_force(document: Document, device: DeviceSection, now: datetime) -> str:
    check_addressee(document, site=device.site, device=device.device, now=now)
    if now >= document.expires_at - SOON:
        raise ToDo(f"It ends on {document.expires_at:%Y-%m-%d}.", "Ask the office for a new one.")
    return f"until {document.expires_at:%Y-%m-%d}"
