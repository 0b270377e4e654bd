"""The people whom this terminal knows: a sealed, signed file from the inbox, open only in memory.

On the disk the roster stays as the office sealed it (JWS inside JWE); names and reference embeddings exist in
this process's memory and nowhere else.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from joserfc.jwk import OKPKey

from edge.core.identity import digest
from edge.core.types import Person
from edge.errors import UntrustedError
from edge.ports import Clock, Floats
from edge.wire import envelope, keys, seal
from edge.wire.acceptance import Acceptance, Accepted
from edge.wire.documents import RosterDoc, RosterPerson, ScryptParams, check_addressee, from_base64
from edge.wire.messages import parse

INBOX_FILE = "roster.jwe"
KEPT_FILE = "roster.accepted.jwe"

# Base64 twice: the JWS around the document, the JWE around the JWS.
_MAX_JWS_BYTES = RosterDoc.MAX_BYTES // 3 * 4 + 4096
_MAX_FILE_BYTES = _MAX_JWS_BYTES // 3 * 4 + 8192


@dataclass(frozen=True, slots=True, eq=False)
class _People:
    """A roster in memory: people by digest, float32 (N, D) references by person and model."""

    salt: bytes
    params: ScryptParams
    expires_at: datetime
    by_digest: dict[str, Person]
    references: dict[tuple[str, str], Floats]
    dimensions: dict[str, int]


class RosterFile:
    """`edge.ports.Roster` on ``inbox/roster.jwe``.

    ``model`` is the version id of the embedding model in use: `Person.has_reference` speaks of it alone.  Without
    any roster, or with an expired one, nobody is known, and everybody is handed over kindly.
    """

    def __init__(
        self,
        inbox: Path,
        state: Path,
        *,
        site: str,
        device: str,
        roster_key: Path,
        office: keys.KeyRing,
        clock: Clock,
        model: str,
    ) -> None:
        self._site, self._device = site, device
        self._key_file = roster_key
        self._key: OKPKey | None = None
        self._office = office
        self._clock = clock
        self._model = model
        self._document = Acceptance("roster", inbox / INBOX_FILE, state / KEPT_FILE, _MAX_FILE_BYTES, self._examine)

    def open(self) -> str | None:
        """Read the kept roster, then the inbox; returns why a new one was refused.

        Raises `ConfigError` for the key and `StateError` for a damaged kept roster.
        """
        self._key = keys.load_private(self._key_file, "X25519")
        self._document.open()
        return self.refresh()

    def refresh(self) -> str | None:
        """Look for a new roster; cheap when nothing changed.  The sentence why one was refused, once per file."""
        return self._document.refresh(self._clock.state().synced)

    @property
    def version(self) -> str:
        """The roster's number; ``none`` before the first."""
        current = self._document.current
        return "none" if current is None else str(current.number)

    @property
    def expired(self) -> bool:
        """Whether the people in it may no longer be used."""
        current = self._document.current
        return current is not None and self._clock.now() >= current.content.expires_at

    def find(self, number: str) -> Person | None:
        """The person of a normalized identity number; takes as long as the roster's scrypt cost asks."""
        people = self._people()
        return None if people is None else people.by_digest.get(digest(number, people.salt, people.params))

    def references(self, person_ref: str, model: str) -> Floats:
        """float32 (N, D), unit rows, of this model's version id; (0, D) when there are none."""
        people = self._people()
        if people is None:
            return np.empty((0, 0), np.float32)
        found = people.references.get((person_ref, model))
        return np.empty((0, people.dimensions.get(model, 0)), np.float32) if found is None else found

    def _people(self) -> _People | None:
        current = self._document.current
        return None if current is None or self.expired else current.content

    def _examine(self, data: bytes, at_least: int, check_date: bool) -> Accepted[_People]:
        if self._key is None:
            raise RuntimeError("The roster is not open.")
        jws = seal.unseal(data, self._key, seal.ROSTER, _MAX_JWS_BYTES)
        payload = envelope.verify(jws, self._office.verifying, envelope.Typ.ROSTER, RosterDoc.MAX_BYTES)
        document = parse(RosterDoc, payload)
        now = self._clock.now() if check_date else document.issued_at
        check_addressee(document, site=self._site, device=self._device, now=now, at_least=at_least)
        return Accepted(document.number, hashlib.sha256(jws).hexdigest(), self._load(document))

    def _load(self, document: RosterDoc) -> _People:
        references: dict[tuple[str, str], Floats] = {}
        dimensions: dict[str, int] = {}
        for person in document.persons:
            for model, rows in person.references.items():
                if rows:
                    matrix = _matrix(rows)
                    if dimensions.setdefault(model, matrix.shape[1]) != matrix.shape[1]:
                        raise UntrustedError("A roster's references of one model differ in length; it was refused.")
                    references[person.person_ref, model] = matrix
        by_digest = {
            each.digest: _person(each, (each.person_ref, self._model) in references) for each in document.persons
        }
        return _People(
            from_base64(document.salt), document.params, document.expires_at, by_digest, references, dimensions
        )


def _matrix(rows: tuple[str, ...]) -> Floats:
    """float32 (N, D) of base64 rows; every row a unit vector, or the roster is refused."""
    data = [from_base64(row) for row in rows]
    if not data[0] or len({len(row) for row in data}) != 1 or len(data[0]) % 4:
        raise UntrustedError("A roster holds a reference of impossible length; it was refused.")
    matrix = np.frombuffer(b"".join(data), dtype="<f4").reshape(len(data), -1).astype(np.float32)
    # A comparison with NaN is false, so this refuses those too.
    if not np.all(np.abs(np.linalg.norm(matrix, axis=1) - 1.0) < 1e-2):
        raise UntrustedError("A roster holds a reference that is not a unit vector; it was refused.")
    matrix.setflags(write=False)
    return matrix


def _person(entry: RosterPerson, has_reference: bool) -> Person:
    return Person(
        person_ref=entry.person_ref,
        masked_name=entry.masked_name,
        scheme=entry.scheme,
        standing=entry.standing,
        valid_until=entry.valid_until,
        method=entry.method,
        last_certified=entry.last_certified,
        exemptions=frozenset(entry.exemptions),
        has_reference=has_reference,
    )
