"""Signatures: compact JWS (RFC 7515) with Ed25519, and the one way from an attempt to a signed result.

``alg`` is always ``EdDSA`` (RFC 8037, as the contract says; RFC 9864 renames it, see docs/adr/0004), ``typ``
tells the kinds apart so that no document can pass for another, ``kid`` names the key.
"""

import base64
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum, unique
from typing import Any, Literal, Protocol

from joserfc import jws
from joserfc.errors import JoseError, UnsupportedAlgorithmError
from joserfc.jwk import OKPKey

from edge.core.types import Attempt, LivenessEvidence, PassiveEvidence
from edge.errors import UntrustedError
from edge.wire import seal
from edge.wire.messages import (
    ActionRecord,
    ClockReading,
    ConsentRecord,
    CueRecord,
    LivenessRecord,
    MatchRecord,
    PassiveRecord,
    ResultPayload,
)
from edge.wire.uuid7 import uuid7

ALGORITHM = "EdDSA"
GENESIS = "0" * 64
MAX_HEADER_BYTES = 512


@unique
class Typ(StrEnum):
    """What a signature is for."""

    RESULT = "anxin-result+jws"
    RECEIPT = "anxin-receipt+jws"
    ROSTER = "anxin-roster+jws"
    POLICY = "anxin-policy+jws"


_COMPACT = re.compile(rb"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{86}")


class _EdDsaOnly(jws.JWSRegistry):
    """No other algorithm exists here, and ``EdDSA`` is meant, so joserfc's advice to rename it is not repeated."""

    max_header_length = MAX_HEADER_BYTES

    def __init__(self, max_payload_bytes: int) -> None:
        super().__init__(algorithms=[ALGORITHM])
        self.max_payload_length = (max_payload_bytes + 2) // 3 * 4

    def get_alg(self, name: str) -> Any:
        if name != ALGORITHM:
            raise UnsupportedAlgorithmError
        return self.algorithms[name]


def sign(payload: bytes, key: OKPKey, typ: Typ) -> str:
    """A compact JWS over ``payload`` by a private Ed25519 key."""
    header = {"alg": ALGORITHM, "kid": str(key.kid), "typ": str(typ)}
    return jws.serialize_compact(header, payload, key, registry=_EdDsaOnly(len(payload)))


def verify(token: bytes | str, keys: Mapping[str, OKPKey], typ: Typ, max_bytes: int) -> bytes:
    """The payload of a compact JWS that one of ``keys`` (by key id) signed as ``typ``.

    Every failure raises `UntrustedError` with a sentence that repeats nothing of the token.
    """
    data = _ascii(token)
    # Three quarters of a payload of max_bytes, its header and its signature.
    if len(data) > (max_bytes + 2) // 3 * 4 + MAX_HEADER_BYTES + 88:
        raise UntrustedError(f"A signed message of {len(data)} bytes was refused: too large for its kind.")
    if not _COMPACT.fullmatch(data):
        raise UntrustedError("A message is not a compact JWS with an Ed25519 signature; it was refused.")
    header = _header(data.split(b".", 1)[0])
    if header.get("typ") != typ:
        raise UntrustedError("A signed message is of another kind than its place asks for; it was refused.")
    key = keys.get(str(header.get("kid")))
    if key is None:
        raise UntrustedError("A message is signed with a key that is not registered; it was refused.")
    try:
        verified = jws.deserialize_compact(data, key, registry=_EdDsaOnly(max_bytes))
    except (JoseError, ValueError, TypeError, KeyError):
        raise UntrustedError("The signature of a message does not hold; it was refused.") from None
    # One signature, one spelling: the last character's spare bits must be zero, whatever the library thinks.
    if any(_encode(_decode(part)) != part for part in data.split(b".")):
        raise UntrustedError("A signed message is not in its canonical form; it was refused.")
    return bytes(verified.payload or b"")


def result_hash(token: str) -> str:
    """The link of a device's chain: SHA-256 (hex) of the compact JWS."""
    return hashlib.sha256(token.encode("ascii")).hexdigest()


def _ascii(token: bytes | str) -> bytes:
    if isinstance(token, bytes):
        return token
    try:
        return token.encode("ascii")
    except UnicodeEncodeError:
        raise UntrustedError("A message is not a compact JWS; it was refused.") from None


def _decode(part: bytes) -> bytes:
    return base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4))


def _encode(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def _header(part: bytes) -> dict[str, str]:
    try:
        header = json.loads(_decode(part)) if len(part) <= MAX_HEADER_BYTES else None
    except (ValueError, RecursionError):
        header = None
    if not isinstance(header, dict) or set(header) != {"alg", "kid", "typ"} or header["alg"] != ALGORITHM:
        raise UntrustedError("A signed message has an unexpected header; it was refused.")
    return header


# --- results -------------------------------------------------------------------------------------------------


class ChainSlot(Protocol):
    """What of `edge.ports.Slot` a result needs: its place in the device's chain."""

    @property
    def seq(self) -> int: ...

    @property
    def prev(self) -> str: ...


@dataclass(frozen=True, slots=True)
class DeviceFacts:
    """What every result says of the terminal that made it.

    ``models`` maps roles to version ids; those of ``face_embedding`` and ``passive_liveness`` are also named
    beside their scores.
    """

    site: str
    device: str
    boot_id: str
    software: str
    models: Mapping[str, str]
    roster: str


def make_result(
    attempt: Attempt,
    slot: ChainSlot,
    facts: DeviceFacts,
    *,
    now: datetime,
    monotonic_ns: int,
    rand: bytes,
    office: OKPKey | None,
    sign: Callable[[bytes], str],
) -> tuple[str, str]:
    """(result_id, compact JWS) of an attempt, for `edge.ports.Outbox.commit`.

    ``rand`` are ten random bytes for the UUIDv7, ``office`` the office's X25519 key that seals the identity
    number of somebody who is not on the roster; without it the number is left out rather than sent in clear.
    """
    result_id = uuid7(int(now.timestamp() * 1000), rand)
    sealed = None
    if attempt.person_ref is None and attempt.number is not None and office is not None:
        sealed = seal.seal(attempt.number.encode(), office, seal.IDENTITY)
    payload = ResultPayload(
        result_id=result_id,
        site=facts.site,
        device=facts.device,
        boot_id=facts.boot_id,
        seq=slot.seq,
        prev=slot.prev,
        person_ref=attempt.person_ref,
        sealed_identity=sealed,
        scheme=attempt.scheme,
        mode=attempt.mode,
        relation=attempt.relation,
        staff=attempt.staff,
        outcome=attempt.outcome.value,
        reasons=attempt.reasons,
        attempts=attempt.attempts,
        match=_match(attempt, facts),
        passive=_passive(attempt, facts),
        liveness=_liveness(attempt),
        action=tuple(
            ActionRecord(
                kind=seen.action,
                outcome="passed" if seen.passed else "not_seen",
                prompted_at=seen.prompted_at,
                latency_ms=seen.latency_ms,
                score=seen.score,
            )
            for seen in attempt.actions
        ),
        quality=dict(attempt.quality),
        consent=_consent(attempt),
        started_at=attempt.started_at,
        captured_at=attempt.captured_at,
        decided_at=attempt.decided_at,
        clock=ClockReading(
            synced=attempt.clock.synced,
            source=attempt.clock.source,
            error_s=attempt.clock.error_s,
            monotonic_ns=monotonic_ns,
        ),
        policy=attempt.policy_version,
        roster=facts.roster,
        models=dict(facts.models),
        software=facts.software,
        challenge=attempt.challenge_nonce,
        ticket=attempt.ticket,
        valid_until=attempt.valid_until,
    )
    return result_id, sign(payload.to_bytes())


def _consent(attempt: Attempt) -> ConsentRecord | None:
    asked = attempt.consent
    return None if asked is None else ConsentRecord(given=asked.given, text_version=asked.text_version, at=asked.at)


def _match(attempt: Attempt, facts: DeviceFacts) -> MatchRecord | None:
    seen = attempt.match
    if seen is None:
        return None
    return MatchRecord(
        score=seen.score,
        threshold=seen.threshold,
        model=facts.models.get("face_embedding", ""),
        probe_frames=seen.probe_frames,
    )


def _passive(attempt: Attempt, facts: DeviceFacts) -> PassiveRecord | None:
    seen = attempt.passive
    if seen is None:
        return None
    return PassiveRecord(
        outcome=_outcome(attempt.liveness or seen),
        score=seen.score,
        threshold=seen.threshold,
        model=facts.models.get("passive_liveness", ""),
        frames=seen.frames,
    )


def _liveness(attempt: Attempt) -> LivenessRecord | None:
    seen = attempt.liveness
    if seen is None:
        return None
    return LivenessRecord(
        outcome=_outcome(seen),
        score=seen.score,
        threshold=seen.threshold,
        frames=seen.frames,
        cues={name: CueRecord(statistic=cue.statistic, llr=cue.llr) for name, cue in seen.cues.items()},
    )


def _outcome(seen: LivenessEvidence | PassiveEvidence) -> Literal["bona_fide", "presentation_attack"]:
    return "bona_fide" if seen.score >= seen.threshold else "presentation_attack"
