"""Keys as JWK files: Ed25519 to sign, X25519 to open what is sealed.  Made once, mode 0600, never overwritten."""

import json
import secrets
from pathlib import Path
from typing import Any, Literal

from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from edge.errors import StateError
from provisioning.files import PRIVATE, PUBLIC, read, write

Curve = Literal["Ed25519", "X25519"]


def keep_key(path: Path, curve: Curve) -> OKPKey:
    """The private key in ``path``, made on the first call; ``kid`` is its RFC 7638 thumbprint.

    Raises `StateError` when the file is there and holds something else: a key is never replaced silently.
    """
    if path.exists():
        return load_key(path, curve)
    key = OKPKey.generate_key(curve, {"use": "sig" if curve == "Ed25519" else "enc"}, private=True, auto_kid=True)
    write(path, _text(key.as_dict(private=True)), mode=PRIVATE)
    return key


def load_key(path: Path, curve: Curve) -> OKPKey:
    """The private key in ``path``; raises `StateError` when it is not one of ``curve``."""
    try:
        key = OKPKey.import_key(json.loads(read(path)))
    except (ValueError, TypeError, JoseError):
        key = None
    if key is None or not key.is_private or key.curve_name != curve:
        raise StateError(f"{path} is not a private {curve} key; restore it from the site's backup.")
    return key


def public_jwk(key: OKPKey) -> dict[str, Any]:
    """The public half as a JWK."""
    return dict(key.as_dict(private=False))


def write_key_set(path: Path, *keys: OKPKey) -> bool:
    """A JWK set of public halves."""
    return write(path, _text({"keys": [public_jwk(key) for key in keys]}), mode=PUBLIC)


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


def _text(value: object) -> str:
    return json.dumps(value, indent=1, sort_keys=True) + "\n"
