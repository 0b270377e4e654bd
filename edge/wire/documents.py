"""The office's signed documents for a terminal: the roster and the policy.

Each names its addressee, carries a number that only grows, and expires.  A roster travels as a JWS of the
office inside a JWE to the device's roster key (`edge.wire.seal`), a policy as a JWS alone.
"""

import base64
import binascii
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from edge.core.types import Action, Method, Standing
from edge.errors import UntrustedError
from edge.wire.messages import Day, Message, Moment, Name, PersonRef, Scheme, Version

Base64 = Annotated[str, Field(pattern=r"^[A-Za-z0-9+/]*={0,2}$", max_length=16 * 1024)]


class Document(Message):
    """What every document of the office has; ``device`` ``*`` means all of the site's terminals."""

    schema_version: Literal[1] = 1
    site: Name
    device: Name | Literal["*"]
    number: Annotated[int, Field(ge=1, le=2**53)]
    issued_at: Moment
    expires_at: Moment


class ScryptParams(Message):
    """How an identity number becomes a digest (RFC 7914): cost, block size, parallelism, length in bytes."""

    n: Annotated[int, Field(ge=2, le=2**17)]
    r: Annotated[int, Field(ge=1, le=16)]
    p: Annotated[int, Field(ge=1, le=4)]
    length: Annotated[int, Field(ge=16, le=64)] = 32

    @model_validator(mode="after")
    def _cost_is_a_power_of_two(self) -> "ScryptParams":
        if self.n & (self.n - 1):
            raise ValueError("n must be a power of two")
        return self


class RosterPerson(Message):
    """One person; ``references`` are rows of little-endian float32 in base64, by the model's version id."""

    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{32,128}$")]
    person_ref: PersonRef
    masked_name: Annotated[str, Field(max_length=64)]
    scheme: Scheme
    standing: Standing
    valid_until: Day | None = None
    method: Method | None = None
    last_certified: Day | None = None
    exemptions: tuple[Action, ...] = ()
    references: Annotated[
        Mapping[Version, Annotated[tuple[Base64, ...], Field(max_length=16)]], Field(max_length=4)
    ] = {}


class RosterDoc(Document):
    """The people whom one terminal knows."""

    MAX_BYTES: ClassVar[int] = 48 * 1024 * 1024

    device: Name
    models: Annotated[tuple[Version, ...], Field(max_length=4)]
    salt: Base64
    params: ScryptParams
    persons: Annotated[tuple[RosterPerson, ...], Field(max_length=20_000)]

    @model_validator(mode="after")
    def _nobody_is_there_twice(self) -> "RosterDoc":
        for values in ([p.digest for p in self.persons], [p.person_ref for p in self.persons]):
            if len(set(values)) != len(values):
                raise ValueError("a digest or person_ref occurs twice")
        return self


class PolicyDoc(Document):
    """The rules of certification; ``policy`` is the mapping that `edge.core.policy.Policy.from_mapping` reads."""

    MAX_BYTES: ClassVar[int] = 256 * 1024

    policy: Mapping[str, Any]


def check_addressee(document: Document, *, site: str, device: str, now: datetime, at_least: int = 1) -> None:
    """Refuse (`UntrustedError`) a document for another terminal, expired, or older than what was accepted."""
    what = type(document).__name__.removesuffix("Doc").lower()
    if document.site != site or document.device not in (device, "*"):
        raise UntrustedError(f"This {what} was made for another terminal; ask the office for this terminal's.")
    if document.number < at_least:
        raise UntrustedError(
            f"This {what} has number {document.number}, older than the accepted {at_least}; ask for a new one."
        )
    if now >= document.expires_at:
        raise UntrustedError(f"This {what} expired on {document.expires_at:%Y-%m-%d}; ask the office for a new one.")


def to_base64(data: bytes) -> str:
    """Standard base64 with padding."""
    return base64.b64encode(data).decode("ascii")


def from_base64(text: str) -> bytes:
    """The bytes of standard base64; raises `UntrustedError` when it is not that."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise UntrustedError("A document holds something that is not base64; it was refused.") from None
