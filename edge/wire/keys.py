"""Keys as JWK files: Ed25519 keys that sign, X25519 keys that open.

Private files must be readable by their owner alone, or they are refused: a key that others could read proves
nothing.  Errors name the file, never its content.
"""

import json
import os
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from edge.errors import ConfigError, StateError

Curve = Literal["Ed25519", "X25519"]

MAX_FILE_BYTES = 64 * 1024
_USE: Mapping[str, str] = {"Ed25519": "sig", "X25519": "enc"}


def generate(curve: Curve, key_id: str) -> OKPKey:
    """A fresh key pair; ``key_id`` becomes the ``kid`` by which signatures and seals name it."""
    return OKPKey.generate_key(curve, {"kid": key_id, "use": _USE[curve]})


def public_jwk(key: OKPKey) -> dict[str, str]:
    """The public half as a JWK."""
    jwk = {name: str(value) for name, value in key.as_dict(private=False).items()}
    return {"kty": "OKP", "crv": jwk["crv"], "x": jwk["x"], "kid": str(key.kid), "use": _USE[jwk["crv"]]}


def from_jwk(jwk: object, curve: Curve, *, private: bool = False) -> OKPKey:
    """The key in a parsed JWK; raises `ConfigError` when it is not a ``curve`` key with a ``kid``."""
    if not isinstance(jwk, dict) or jwk.get("kty") != "OKP" or jwk.get("crv") != curve:
        raise ConfigError(f"A key is not an {curve} JWK; make the site's keys anew with `anxin provision`.")
    if not isinstance(jwk.get("kid"), str) or not jwk["kid"] or (private and "d" not in jwk):
        raise ConfigError("A JWK lacks its `kid` or its private part; make the keys anew with `anxin provision`.")
    try:
        key = OKPKey.import_key({name: jwk[name] for name in ("kty", "crv", "x", "d", "kid", "use") if name in jwk})
        # joserfc decodes lazily; a key that cannot be used is found now, not at the first signature.
        key.get_op_key("verify" if curve == "Ed25519" else "deriveKey")
    except (JoseError, ValueError, TypeError, KeyError):
        raise ConfigError("A JWK cannot be read; make the keys anew with `anxin provision`.") from None
    return key


def write_private(file: Path, key: OKPKey) -> None:
    """Write a private key as JWK, mode 0600, durably; an existing file is refused (`StateError`)."""
    text = json.dumps(key.as_dict(private=True), sort_keys=True) + "\n"
    try:
        fd = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(fd, "w", encoding="ascii") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
    except FileExistsError:
        raise StateError(f"{file} exists; a key is never overwritten, move it away first.") from None
    except OSError as error:
        raise StateError(f"{file} cannot be written ({error.strerror}); check its folder.") from None


def load_private(file: Path, curve: Curve) -> OKPKey:
    """The private key of ``file``; raises `ConfigError` when missing, readable by others, or not such a key."""
    try:
        mode = stat.S_IMODE(file.stat().st_mode)
    except FileNotFoundError:
        raise ConfigError(f"{file} does not exist; make the keys with `anxin provision`.") from None
    except OSError as error:
        raise ConfigError(f"{file} cannot be read ({error.strerror}); check its owner and mode.") from None
    if mode & 0o077:
        raise ConfigError(f"{file} is a private key that others may read (mode {mode:o}); run `chmod 600` on it.")
    try:
        return from_jwk(_json(file), curve, private=True)
    except ConfigError as error:
        raise ConfigError(f"{file}: {error}") from None


@dataclass(frozen=True, slots=True)
class KeyRing:
    """Public keys of one party: those that verify its signatures, by key id, and those that seal for it."""

    verifying: Mapping[str, OKPKey]
    sealing: tuple[OKPKey, ...] = ()

    @classmethod
    def of(cls, keys: Iterable[OKPKey]) -> Self:
        """A ring of these keys; private halves are dropped."""
        return cls.from_jwks({"keys": [public_jwk(key) for key in keys]})

    @classmethod
    def from_jwks(cls, jwks: object) -> Self:
        """The ring in a parsed JWK set; raises `ConfigError`."""
        entries = jwks.get("keys") if isinstance(jwks, dict) else None
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise ConfigError("This is not a JWK set; ask the office for its public keys again.")
        verifying: dict[str, OKPKey] = {}
        sealing = []
        for entry in entries:
            public = {name: value for name, value in entry.items() if name != "d"}
            if public.get("crv") == "X25519":
                sealing.append(from_jwk(public, "X25519"))
            else:
                key = from_jwk(public, "Ed25519")
                verifying[str(key.kid)] = key
        return cls(verifying, tuple(sealing))

    @classmethod
    def load(cls, file: Path) -> Self:
        """The ring of a JWK set file; raises `ConfigError`."""
        try:
            return cls.from_jwks(_json(file))
        except ConfigError as error:
            raise ConfigError(f"{file}: {error}") from None

    def to_jwks(self) -> dict[str, list[dict[str, str]]]:
        """The public JWK set."""
        return {"keys": [public_jwk(key) for key in (*self.verifying.values(), *self.sealing)]}


def _json(file: Path) -> Any:
    try:
        with file.open("rb") as source:
            data = source.read(MAX_FILE_BYTES + 1)
        if len(data) > MAX_FILE_BYTES:
            raise ConfigError(f"more than {MAX_FILE_BYTES} bytes; this is no key file")
        return json.loads(data)
    except OSError as error:
        raise ConfigError(f"cannot be read ({error.strerror}); check that it exists, its owner and mode") from None
    except (ValueError, RecursionError):
        raise ConfigError("not JSON; make the keys anew with `anxin provision`") from None
