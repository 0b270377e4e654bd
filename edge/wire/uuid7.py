"""UUID version 7 (RFC 9562): identifiers that sort by time."""

import re
import uuid

PATTERN = r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"
RANDOM_BYTES = 10

_PATTERN = re.compile(PATTERN)


def uuid7(unix_ms: int, rand: bytes) -> str:
    """The UUIDv7 of a moment and ten random bytes (74 of their 80 bits are used), in lower case.

    ``unix_ms`` are milliseconds since 1970-01-01 UTC, 0 to 2**48 - 1.  Raises `ValueError` otherwise.
    """
    if not 0 <= unix_ms < 1 << 48:
        raise ValueError("A UUIDv7 holds milliseconds from 1970 to the year 10889.")
    if len(rand) != RANDOM_BYTES:
        raise ValueError("A UUIDv7 takes ten random bytes.")
    bits = int.from_bytes(rand, "big")
    rand_a, rand_b = bits >> 68, bits & ((1 << 62) - 1)
    return str(uuid.UUID(int=unix_ms << 80 | 0x7 << 76 | rand_a << 64 | 0b10 << 62 | rand_b))


def unix_ms(text: str) -> int:
    """The moment in a UUIDv7; raises `ValueError` when ``text`` is not one."""
    if not _PATTERN.match(text):
        raise ValueError("This is not a UUIDv7.")
    return uuid.UUID(text).int >> 80
