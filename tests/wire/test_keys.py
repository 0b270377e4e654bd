"""Private keys are refused when anybody else could have read them."""

import json
from pathlib import Path

import pytest

from edge.errors import ConfigError, StateError
from edge.wire import keys


def test_a_written_key_reads_back_and_is_private(tmp_path: Path) -> None:
    key = keys.generate("Ed25519", "terminal-1-sign")
    keys.write_private(tmp_path / "sign.jwk", key)
    assert (tmp_path / "sign.jwk").stat().st_mode & 0o777 == 0o600
    assert keys.public_jwk(keys.load_private(tmp_path / "sign.jwk", "Ed25519")) == keys.public_jwk(key)


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    keys.write_private(tmp_path / "sign.jwk", keys.generate("Ed25519", "one"))
    with pytest.raises(StateError, match="never overwritten"):
        keys.write_private(tmp_path / "sign.jwk", keys.generate("Ed25519", "two"))


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    keys.write_private(tmp_path / "sign.jwk", keys.generate("Ed25519", "one"))
    (tmp_path / "sign.jwk").chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        keys.load_private(tmp_path / "sign.jwk", "Ed25519")


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"kty":"OKP","crv":"Ed25519","x":"AA","d":"AA","kid":"k"}'])
def test_a_file_that_is_no_key_is_refused_without_its_content(tmp_path: Path, text: str) -> None:
    (tmp_path / "sign.jwk").write_text(text)
    (tmp_path / "sign.jwk").chmod(0o600)
    with pytest.raises(ConfigError, match=r"sign\.jwk"):
        keys.load_private(tmp_path / "sign.jwk", "Ed25519")


def test_a_missing_key_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="anxin provision"):
        keys.load_private(tmp_path / "sign.jwk", "Ed25519")


def test_a_sealing_key_does_not_sign(tmp_path: Path) -> None:
    keys.write_private(tmp_path / "roster.jwk", keys.generate("X25519", "one"))
    with pytest.raises(ConfigError, match="Ed25519"):
        keys.load_private(tmp_path / "roster.jwk", "Ed25519")


def test_an_office_ring_holds_public_halves_only(tmp_path: Path) -> None:
    signing, sealing = keys.generate("Ed25519", "office-sign"), keys.generate("X25519", "office-seal")
    ring = keys.KeyRing.of([signing, sealing])
    (tmp_path / "office.jwks").write_text(json.dumps(ring.to_jwks()))
    loaded = keys.KeyRing.load(tmp_path / "office.jwks")
    assert set(loaded.verifying) == {"office-sign"} and [key.kid for key in loaded.sealing] == ["office-seal"]
    assert '"d"' not in (tmp_path / "office.jwks").read_text()
