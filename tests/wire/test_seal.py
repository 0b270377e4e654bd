"""A seal opens for one key, whole or not at all."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.errors import UntrustedError
from edge.wire import keys, seal

DEVICE = keys.generate("X25519", "terminal-1-roster")
TOKEN = seal.seal(b"who is on the roster", DEVICE, seal.ROSTER)


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=4000))
def test_whatever_is_sealed_opens_as_it_was(plain: bytes) -> None:
    assert seal.unseal(seal.seal(plain, DEVICE, seal.ROSTER), DEVICE, seal.ROSTER, 4000) == plain


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(TOKEN) - 1), st.integers(0, 7))
def test_one_flipped_bit_keeps_it_shut(at: int, bit: int) -> None:
    damaged = bytearray(TOKEN.encode())
    damaged[at] ^= 1 << bit
    with pytest.raises(UntrustedError):
        seal.unseal(bytes(damaged), DEVICE, seal.ROSTER, 1000)


def test_another_terminal_s_seal_says_so() -> None:
    with pytest.raises(UntrustedError, match="another key"):
        seal.unseal(TOKEN, keys.generate("X25519", "terminal-2-roster"), seal.ROSTER, 1000)
    with pytest.raises(UntrustedError, match="cannot be opened"):
        seal.unseal(TOKEN, keys.generate("X25519", "terminal-1-roster"), seal.ROSTER, 1000)


def test_an_identity_does_not_open_as_a_roster() -> None:
    with pytest.raises(UntrustedError, match="another kind"):
        seal.unseal(TOKEN, DEVICE, seal.IDENTITY, 1000)


def test_a_large_roster_passes_and_a_larger_one_is_refused_unread() -> None:
    token = seal.seal(bytes(1_000_000), DEVICE, seal.ROSTER)
    assert len(seal.unseal(token, DEVICE, seal.ROSTER, 1_000_000)) == 1_000_000
    with pytest.raises(UntrustedError, match="too large"):
        seal.unseal(token, DEVICE, seal.ROSTER, 100_000)
