"""Issues the office's signed documents for a terminal: the roster, sealed so that only its camera side reads it,
and the policy.

A roster names nobody: numbers are salted scrypt digests, names are masked, references exist as embeddings and only
inside the seal.  ``person_ref`` is an HMAC of the number under a secret of the office: the same person keeps it from
roster to roster, and it says nothing to whoever lacks the secret.
"""

import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import numpy as np
from joserfc.jwk import OKPKey

from edge.core import names
from edge.core.identity import IdentityNumber, digest
from edge.core.policy import Policy
from edge.core.types import Action, Method, Standing
from edge.ports import Floats
from edge.wire import seal
from edge.wire.documents import PolicyDoc, RosterDoc, RosterPerson, ScryptParams, to_base64
from edge.wire.envelope import Typ, sign

# About 50 ms on a desktop and 300 ms on a Raspberry Pi 4 for each look-up, 16 MiB: RFC 7914's interactive figure.
SCRYPT = ScryptParams(n=2**14, r=8, p=1, length=32)
SALT_BYTES = 16
LIFE = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Enrolled:
    """Somebody the office knows, with references float32 (D,) by the model's version id."""

    number: IdentityNumber = field(repr=False)
    name: str = field(repr=False)
    scheme: str
    standing: Standing
    valid_until: date | None = None
    method: Method | None = None
    last_certified: date | None = None
    exemptions: frozenset[Action] = frozenset()
    references: Mapping[str, Sequence[Floats]] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Addressee:
    """For which terminal a document is, its number and from when it holds."""

    site: str
    device: str
    number: int
    issued_at: datetime
    life: timedelta = LIFE

    @property
    def expires_at(self) -> datetime:
        return self.issued_at + self.life


def issue_roster(
    to: Addressee,
    people: Sequence[Enrolled],
    models: Sequence[str],
    *,
    secret: bytes,
    signing_key: OKPKey,
    roster_key: OKPKey,
    scrypt: ScryptParams = SCRYPT,
) -> str:
    """A compact JWE to ``roster_key`` around the office's JWS of the roster; a fresh salt every time."""
    salt = secrets.token_bytes(SALT_BYTES)
    document = RosterDoc(
        site=to.site,
        device=to.device,
        number=to.number,
        issued_at=to.issued_at,
        expires_at=to.expires_at,
        models=tuple(models),
        salt=to_base64(salt),
        params=scrypt,
        persons=tuple(_person(each, salt, scrypt, secret) for each in people),
    )
    jws = sign(document.to_bytes(), signing_key, Typ.ROSTER)
    return seal.seal(jws.encode("ascii"), roster_key, seal.ROSTER)


def issue_policy(to: Addressee, policy: Policy, signing_key: OKPKey) -> str:
    """A compact JWS of the policy."""
    document = PolicyDoc(
        site=to.site,
        device=to.device,
        number=to.number,
        issued_at=to.issued_at,
        expires_at=to.expires_at,
        policy=policy.to_mapping(),
    )
    return sign(document.to_bytes(), signing_key, Typ.POLICY)


def person_ref(number: IdentityNumber, secret: bytes) -> str:
    """The office's opaque reference of a person: 32 hexadecimal characters."""
    return hmac.new(secret, number.number.encode(), hashlib.sha256).hexdigest()[:32]


def _person(person: Enrolled, salt: bytes, scrypt: ScryptParams, secret: bytes) -> RosterPerson:
    return RosterPerson(
        digest=digest(person.number, salt, scrypt),
        person_ref=person_ref(person.number, secret),
        masked_name=names.mask(person.name),
        scheme=person.scheme,
        standing=person.standing,
        valid_until=person.valid_until,
        method=person.method,
        last_certified=person.last_certified,
        exemptions=tuple(sorted(person.exemptions)),
        references={
            model: tuple(to_base64(np.ascontiguousarray(row, dtype="<f4").tobytes()) for row in rows)
            for model, rows in person.references.items()
        },
    )
