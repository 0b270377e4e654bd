"""What arrived on ``up/result``: is it a result that the terminal of this topic signed?  Pure: no database.

The reasons for which something is put aside (`Unfit.reason`), besides those of the ledger itself:

    retained         results are never retained; somebody replays one
    oversized        larger than any result
    unknown_device   the terminal is not in the devices file
    bad_signature    not a JWS by this terminal's key
    malformed        signed, but not a result of a schema that this office knows
    foreign          signed, but it names another terminal than its topic does
    inconsistent:... signed and well formed, but it cannot be true (`edge.wire.messages.inconsistencies`)
"""

import base64
import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from central.devices import Device, Devices
from edge.errors import UntrustedError
from edge.wire import envelope
from edge.wire.messages import Name, ResultPayload, Uuid7, inconsistencies, parse
from edge.wire.topics import Topic

# A compact JWS of the largest payload, with room for its header and signature.
MAX_BYTES = ResultPayload.MAX_BYTES // 3 * 4 + 4 + 1024

# Nothing proves who made these: whoever holds one terminal's certificate can make as many as they like.
UNPROVEN = frozenset({"retained", "oversized", "unknown_device", "bad_signature"})

# What a newer devices file or a newer office may see with other eyes.
RECONSIDERED = frozenset({"unknown_device", "bad_signature", "malformed"})


@dataclass(frozen=True, slots=True)
class Arrival:
    """One message as it came, and when."""

    topic: Topic
    payload: bytes
    received_at: datetime
    retained: bool = False


@dataclass(frozen=True, slots=True)
class Fit:
    """A result that the topic's terminal signed."""

    arrival: Arrival
    result: ResultPayload
    jws: str
    hash: str


@dataclass(frozen=True, slots=True)
class Unfit:
    """What must be put aside; ``claims`` say to which of its results the terminal would take an answer."""

    arrival: Arrival
    reason: str
    hash: str
    claims: "Claims | None" = None


class Claims(BaseModel):
    """What an unbelieved message says of itself: no more than an answer to its sender needs."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    result_id: Uuid7
    site: Name
    device: Name
    seq: Annotated[int, Field(ge=1, le=2**53)]


def examine(arrival: Arrival, devices: Devices) -> Fit | Unfit:
    """Check size, sender, signature and schema; never raises for anything that a message can hold."""
    digest = hashlib.sha256(arrival.payload).hexdigest()

    def unfit(reason: str) -> Unfit:
        return Unfit(arrival, reason, digest, _claims(arrival))

    if len(arrival.payload) > MAX_BYTES:
        return Unfit(arrival, "oversized", digest)
    if arrival.retained:
        return Unfit(arrival, "retained", digest)
    device = devices.find(arrival.topic.site, arrival.topic.device)
    if device is None:
        return unfit("unknown_device")
    try:
        raw = envelope.verify(arrival.payload, device.ring.verifying, envelope.Typ.RESULT, ResultPayload.MAX_BYTES)
    except UntrustedError:
        return unfit("bad_signature")
    try:
        result = parse(ResultPayload, raw)
    except UntrustedError:
        return unfit("malformed")
    if not _is_from(result, device):
        return unfit("foreign")
    wrong = inconsistencies(result)
    if wrong:
        return unfit(f"inconsistent:{wrong[0]}")
    return Fit(arrival, result, arrival.payload.decode("ascii"), digest)


def _is_from(result: ResultPayload, device: Device) -> bool:
    return (result.site, result.device) == (device.site, device.device)


def _claims(arrival: Arrival) -> Claims | None:
    """What a message says of itself, believed or not, if it speaks for the terminal whose topic it used."""
    parts = arrival.payload.split(b".")
    if len(parts) != 3:
        return None
    try:
        claims = Claims.model_validate_json(base64.urlsafe_b64decode(parts[1] + b"=" * (-len(parts[1]) % 4)))
    except (ValidationError, ValueError):
        return None
    return claims if (claims.site, claims.device) == (arrival.topic.site, arrival.topic.device) else None
