"""A site's keys: made on the first run, kept ever after (`edge.wire.keys` reads and writes them)."""

import json
import secrets
from pathlib import Path

from joserfc.jwk import OKPKey

from edge.errors import StateError
from edge.wire.keys import Curve, KeyRing, generate, load_private, write_private
from provisioning.files import PRIVATE, folder, read, write


def keep_key(path: Path, curve: Curve, owner: str) -> OKPKey:
    """The private key in ``path``, made on the first call with a ``kid`` that starts with ``owner``.

    Raises `ConfigError` when the file is there and holds something else: a key is never replaced silently.
    """
    if not path.exists():
        folder(path.parent)
        write_private(path, generate(curve, f"{owner}-{secrets.token_hex(4)}"))
    return load_private(path, curve)


def write_key_set(path: Path, *keys: OKPKey) -> bool:
    """A JWK set of the public halves; False when it was there already."""
    return write(path, json.dumps(KeyRing.of(keys).to_jwks(), indent=1) + "\n")


def keep_secret(path: Path, size_bytes: int = 32) -> bytes:
    """Random bytes of the office's own in ``path`` (hex), made on the first call; raises `StateError`."""
    if not path.exists():
        write(path, secrets.token_hex(size_bytes) + "\n", mode=PRIVATE)
    try:
        value = bytes.fromhex(read(path).decode("ascii").strip())
    except ValueError:
        value = b""
    if len(value) != size_bytes:
        raise StateError(f"{path} is damaged; restore it from the site's backup.")
    return value
