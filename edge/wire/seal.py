"""Encryption: compact JWE (RFC 7516), ECDH-ES over X25519 with A256GCM, from anybody to one key.

A seal hides, it does not prove who made it: what is sealed for trust (a roster) is signed first and sealed after.
"""

import base64
import json
import re

from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from edge.errors import UntrustedError

ALGORITHM = "ECDH-ES"
ENCRYPTION = "A256GCM"
IDENTITY = "anxin-identity+jwe"
ROSTER = "anxin-roster+jwe"
MAX_IDENTITY_BYTES = 256
MAX_HEADER_BYTES = 1024

_COMPACT = re.compile(rb"[A-Za-z0-9_-]+\.\.[A-Za-z0-9_-]{16}\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]{22}")


class _OneWay(jwe.JWERegistry):
    """Our one pair of algorithms, with a bound of our own on the size."""

    def __init__(self, max_bytes: int) -> None:
        super().__init__(algorithms=[ALGORITHM, ENCRYPTION])
        self.max_ciphertext_length = (max_bytes + 2) // 3 * 4


def seal(plain: bytes, recipient: OKPKey, typ: str) -> str:
    """A compact JWE that only the holder of ``recipient``'s private half opens."""
    header = {"alg": ALGORITHM, "enc": ENCRYPTION, "kid": str(recipient.kid), "typ": typ}
    return jwe.encrypt_compact(header, plain, recipient, registry=_OneWay(len(plain)))


def unseal(token: bytes | str, key: OKPKey, typ: str, max_bytes: int) -> bytes:
    """The plain bytes of a JWE made for ``key`` as ``typ``; `UntrustedError` otherwise, repeating nothing of it."""
    data = token if isinstance(token, bytes) else token.encode("utf-8", "replace")
    if len(data) > (max_bytes + 2) // 3 * 4 + MAX_HEADER_BYTES + 64:
        raise UntrustedError(f"A sealed document of {len(data)} bytes was refused: too large for its kind.")
    if not _COMPACT.fullmatch(data):
        raise UntrustedError("A document is not a compact JWE of our kind; it was refused.")
    header = _header(data.split(b".", 1)[0])
    if header.get("typ") != typ:
        raise UntrustedError("A sealed document is of another kind than its place asks for; it was refused.")
    if header.get("kid") != str(key.kid):
        raise UntrustedError("A document is sealed for another key; ask the office to seal it for this terminal.")
    try:
        opened = jwe.decrypt_compact(data, key, registry=_OneWay(max_bytes))
    except (JoseError, ValueError, TypeError, KeyError):
        raise UntrustedError(
            "A sealed document cannot be opened: altered, or not for this key; ask the office for it again."
        ) from None
    if any(_encode(_decode(part)) != part for part in data.split(b".")):
        raise UntrustedError("A sealed document is not in its canonical form; it was refused.")
    return bytes(opened.plaintext or b"")


def _decode(part: bytes) -> bytes:
    return base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4))


def _encode(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def _header(part: bytes) -> dict[str, object]:
    try:
        text = _decode(part) if len(part) <= MAX_HEADER_BYTES else b""
        header = json.loads(text)
    except (ValueError, RecursionError):
        header = None
    if not isinstance(header, dict) or set(header) != {"alg", "enc", "kid", "typ", "epk"}:
        raise UntrustedError("A sealed document has an unexpected header; it was refused.")
    if (header["alg"], header["enc"]) != (ALGORITHM, ENCRYPTION):
        raise UntrustedError("A sealed document uses other algorithms than ours; it was refused.")
    return header
