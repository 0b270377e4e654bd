"""Makes a development site: a whole office, broker and terminal in one folder, for one machine.

Every step can be repeated: keys are made once and kept, certificates are renewed when they near their end, documents
are issued anew with the next number, and state (the ledger, the outbox, what the services keep) is never touched.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from joserfc.jwk import OKPKey

from central.devices import entry, read_entries, to_text
from central.enrolment import Describe, Enrolment, enrol, read_people
from central.roster import Addressee, issue_policy, issue_roster
from edge.adapters.outbox_sqlite import SqliteOutbox
from edge.core.eligibility import Scheme
from edge.core.policy import Policy
from edge.errors import ConfigError, StateError
from provisioning.broker import write_broker_files
from provisioning.ca import Authority
from provisioning.files import PRIVATE, PUBLIC, folder, read, write
from provisioning.keys import keep_key, keep_secret, write_key_set
from provisioning.layout import Layout
from provisioning.settings import OFFICE, Choices, Wanted, check, choose, says, texts

# On a development site every day is a working day; a real policy closes on the 1st to 3rd.
POLICY = Policy(scheme=Scheme(windows=()))


@dataclass(frozen=True, slots=True)
class Step:
    """What was done, for people."""

    what: str
    said: str


@dataclass(frozen=True, slots=True)
class Eyes:
    """What enrolment needs of the eyes: the embedding model's version id, and the description of a photo."""

    model: str
    describe: Describe


@dataclass(frozen=True, slots=True)
class _Keys:
    office_signing: OKPKey
    office_encryption: OKPKey
    device_signing: OKPKey
    device_roster: OKPKey
    person_secret: bytes


def provision_dev(
    root: Path,
    wanted: Wanted,
    people: Path | None = None,
    *,
    open_eyes: Callable[[], Eyes],
    policy: Policy = POLICY,
    now: datetime | None = None,
) -> Iterator[Step]:
    """Make or renew the site in ``root``, step by step; raises `AnxinError` with what to do.

    ``open_eyes`` is called only if there are photos to look at.
    """
    at = now or datetime.now(UTC)
    layout = Layout(folder(root).resolve())
    choices = choose(layout, wanted)
    if choices.device == OFFICE:
        raise ConfigError(f"`{OFFICE}` is the office's own name; choose another one for the terminal.")
    yield _certificates(layout, choices, at)
    keys = _keys(layout, choices)
    yield Step("keys", "signing, roster, office: mode 0600, kept from run to run")
    changed = write_broker_files(layout.broker, choices.broker_port, OFFICE)
    yield Step("broker", f"mosquitto on 127.0.0.1:{choices.broker_port}{'' if changed else ', as it was'}")
    yield _configuration(layout, choices)
    yield _devices(layout, choices, keys)
    yield _policy(layout, choices, keys, policy, at)
    yield _roster(layout, choices, keys, people, open_eyes, at)
    yield _state(layout, choices)


def _certificates(layout: Layout, choices: Choices, now: datetime) -> Step:
    authority = Authority.open(folder(layout.ca, mode=0o700), f"Anxin {choices.site} development authority", now)
    root = read(layout.ca / "ca.crt")
    for each in (layout.broker, layout.office, layout.device):
        write(folder(each) / "ca.crt", root)
    made = (
        authority.server(
            layout.broker / "server.crt", layout.broker / "server.key", ("localhost", "127.0.0.1", "::1"), now
        ),
        authority.client(layout.office / "client.crt", layout.office / "client.key", OFFICE, now),
        authority.client(layout.device / "client.crt", layout.device / "client.key", choices.device, now),
    )
    return Step("certificates", f"{sum(made)} issued, {len(made) - sum(made)} still good")


def _keys(layout: Layout, choices: Choices) -> _Keys:
    keys = _Keys(
        office_signing=keep_key(layout.office / "signing.jwk", "Ed25519", OFFICE),
        office_encryption=keep_key(layout.office / "encryption.jwk", "X25519", OFFICE),
        device_signing=keep_key(layout.device / "signing.jwk", "Ed25519", choices.device),
        device_roster=keep_key(layout.device / "roster.jwk", "X25519", choices.device),
        person_secret=keep_secret(layout.office / "person.secret"),
    )
    write_key_set(layout.device / "office_keys.json", keys.office_signing, keys.office_encryption)
    return keys


def _configuration(layout: Layout, choices: Choices) -> Step:
    written = [
        name
        for name, text in texts(choices).items()
        # The office's holds the name of its shared subscription, which is a secret (docs/office.md).
        if not says(layout.root / name, choices)
        and write(layout.root / name, text, mode=PRIVATE if name == "office.toml" else PUBLIC)
    ]
    check(layout)
    return Step("settings", f"{', '.join(written)} written" if written else "kept as they are")


def _devices(layout: Layout, choices: Choices, keys: _Keys) -> Step:
    known = {
        (each.site, each.device): each for each in (read_entries(layout.devices) if layout.devices.exists() else ())
    }
    key = (choices.site, choices.device)
    known[key] = entry(*key, keys.device_signing, keys.device_roster, known.get(key))
    write(layout.devices, to_text(known[each] for each in sorted(known)))
    return Step("registration", f"{choices.site}/{choices.device} in the office's list of devices")


def _policy(layout: Layout, choices: Choices, keys: _Keys, policy: Policy, now: datetime) -> Step:
    number = _next_number(layout, "policy")
    issued = policy if policy.version != Policy().version else replace(policy, version=f"dev-{number}")
    jws = issue_policy(Addressee(choices.site, choices.device, number, now), issued, keys.office_signing)
    write(folder(layout.inbox) / "policy.jws", jws)
    return Step("policy", f"number {number}, version {issued.version}")


def _roster(
    layout: Layout,
    choices: Choices,
    keys: _Keys,
    people: Path | None,
    open_eyes: Callable[[], Eyes],
    now: datetime,
) -> Step:
    file = layout.inbox / "roster.jwe"
    if people is None and file.exists():
        return Step("roster", "kept: to renew it, give --people again (photos and numbers are not kept here)")
    entries = read_people(people) if people is not None else None
    eyes = open_eyes() if entries is not None and any(each.photos for each in entries.person) else None
    enrolled = Enrolment((), ())
    if entries is not None and people is not None:
        model, describe = (eyes.model, eyes.describe) if eyes else (None, None)
        enrolled = enrol(entries, people, now.date(), model, describe)
    number = _next_number(layout, "roster")
    jwe = issue_roster(
        Addressee(choices.site, choices.device, number, now),
        enrolled.people,
        [eyes.model] if eyes else [],
        secret=keys.person_secret,
        signing_key=keys.office_signing,
        roster_key=keys.device_roster,
    )
    write(file, jwe)
    photos = sum(len(rows) for each in enrolled.people for rows in each.references.values())
    said = f"number {number}: {len(enrolled.people)} people, {photos} references, sealed to this terminal"
    hint = () if people else ("nobody will be found on it: give --people",)
    return Step("roster", "; ".join((said, *hint, *enrolled.remarks)))


def _state(layout: Layout, choices: Choices) -> Step:
    for name in ("terminal", "uplink"):
        folder(layout.state / name, mode=0o700)
    folder(layout.logs)
    folder(layout.spool, mode=0o700)
    if not layout.outbox.exists():
        SqliteOutbox.create(layout.outbox, choices.device)
        return Step("state", "outbox made; the ledger is made by the office's first start")
    with SqliteOutbox(layout.outbox, choices.device) as kept:
        waiting, _ = kept.depth()
    return Step("state", f"kept; {waiting} results wait in the outbox")


def _next_number(layout: Layout, kind: str) -> int:
    """The next number of a kind of document: it only grows, and is noted before it is used."""
    file = layout.office / "numbers.json"
    numbers: dict[str, int] = {}
    if file.exists():
        try:
            numbers = {str(name): int(value) for name, value in json.loads(read(file)).items()}
        except (ValueError, AttributeError, TypeError):
            raise StateError(f"{file} is damaged; write the last numbers of roster and policy into it.") from None
    numbers[kind] = numbers.get(kind, 0) + 1
    write(file, json.dumps(numbers, sort_keys=True) + "\n")
    return numbers[kind]


def read_policy(file: Path) -> Policy:
    """A policy from a TOML file with the keys of `edge.core.policy.Policy`; raises `ConfigError`."""
    import tomllib

    try:
        return Policy.from_mapping(_plain_dates(tomllib.loads(file.read_text(encoding="utf-8"))))
    except OSError as error:
        raise ConfigError(f"{file} cannot be read ({error.strerror}); give the policy's file.") from None
    except ValueError as error:
        raise ConfigError(f"{file}: {error}; correct it.") from None


def _plain_dates(value: object) -> dict[str, object]:
    """TOML has dates of its own; the policy's mapping has JSON's types."""
    plain = json.loads(json.dumps(value, default=str))
    return dict(plain)


def done(steps: Sequence[Step], root: Path) -> str:
    """The last line."""
    return f"site: {len(steps)} steps done in {root}; next: anxin provision run {root}"
