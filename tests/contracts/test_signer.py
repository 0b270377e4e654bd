"""A signer signs what the office verifies, under the name that the office registered."""

from pathlib import Path

import pytest

from edge.adapters.signer_jwk import JwkSigner
from edge.errors import ConfigError
from edge.wire import keys
from edge.wire.envelope import Typ, verify


def test_what_the_device_signs_verifies_with_its_public_key(tmp_path: Path) -> None:
    key = keys.generate("Ed25519", "terminal-1-sign")
    keys.write_private(tmp_path / "sign.jwk", key)
    signer = JwkSigner(tmp_path / "sign.jwk")
    signer.open()
    assert signer.key_id == "terminal-1-sign"
    ring = keys.KeyRing.of([key]).verifying
    assert verify(signer.sign(b"{}"), ring, Typ.RESULT, 100) == b"{}"


def test_a_key_of_the_wrong_kind_is_refused(tmp_path: Path) -> None:
    keys.write_private(tmp_path / "sign.jwk", keys.generate("X25519", "terminal-1-roster"))
    with pytest.raises(ConfigError):
        JwkSigner(tmp_path / "sign.jwk").open()
