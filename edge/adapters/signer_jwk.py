"""The device's signing key, a JWK file (Ed25519, mode 0600)."""

from pathlib import Path

from joserfc.jwk import OKPKey

from edge.wire import envelope, keys


class JwkSigner:
    """`edge.ports.Signer` on a key file; `open` raises `ConfigError`."""

    def __init__(self, file: Path) -> None:
        self.key_id = ""
        self._file = file
        self._key: OKPKey | None = None

    def open(self) -> None:
        self._key = keys.load_private(self._file, "Ed25519")
        self.key_id = str(self._key.kid)

    def sign(self, payload: bytes) -> str:
        """A compact JWS (EdDSA, typ anxin-result+jws) over ``payload``."""
        if self._key is None:
            raise RuntimeError("The signer is not open.")
        return envelope.sign(payload, self._key, envelope.Typ.RESULT)
