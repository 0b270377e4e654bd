"""Signatures hold for exactly what was signed, and for nothing else."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.core import types as t
from edge.errors import UntrustedError
from edge.ports import Slot
from edge.wire import keys, seal
from edge.wire.envelope import GENESIS, Typ, make_result, result_hash, sign, verify
from edge.wire.messages import ResultPayload, inconsistencies, parse
from tests.wire.people import FACTS, NOON, attempt, attempts

DEVICE = keys.generate("Ed25519", "terminal-1-sign")
OFFICE = keys.generate("X25519", "office-seal")
RING = {"terminal-1-sign": DEVICE}
MOST = ResultPayload.MAX_BYTES


def signed(made: t.Attempt, seq: int = 1, prev: str = GENESIS, office: object = OFFICE) -> str:
    _, token = make_result(
        made,
        Slot(seq, prev),
        FACTS,
        now=NOON,
        monotonic_ns=7,
        rand=bytes(10),
        office=office,  # type: ignore[arg-type]
        sign=lambda payload: sign(payload, DEVICE, Typ.RESULT),
    )
    return token


def opened(token: str) -> ResultPayload:
    return parse(ResultPayload, verify(token, RING, Typ.RESULT, MOST))


def test_a_certified_attempt_arrives_as_it_was_signed() -> None:
    result = opened(signed(attempt()))
    assert (result.person_ref, result.outcome, result.seq, result.prev) == ("p-000017", "certified", 1, GENESIS)
    assert result.match is not None and result.match.model == "sface-int8-1"
    assert result.action[0].outcome == "passed" and result.action[0].latency_ms == 4200
    assert inconsistencies(result) == ()


def test_a_stranger_s_number_travels_only_sealed_to_the_office() -> None:
    number = "11010519491231002X"
    token = signed(attempt(person_ref=None, number=number, outcome=t.Outcome.REFERRED, ticket="A-17"))
    result = opened(token)
    assert number.encode() not in verify(token, RING, Typ.RESULT, MOST)
    assert result.sealed_identity is not None
    assert seal.unseal(result.sealed_identity, OFFICE, seal.IDENTITY, seal.MAX_IDENTITY_BYTES) == number.encode()


def test_without_the_office_s_key_the_number_is_left_out() -> None:
    result = opened(signed(attempt(person_ref=None, number="11010519491231002X"), office=None))
    assert result.sealed_identity is None


def test_a_certificate_for_a_face_that_did_not_match_is_inconsistent() -> None:
    nothing: dict[str, object] = {"passive": None, "liveness": None, "actions": (), "consent": None}
    result = opened(signed(attempt(match=t.MatchEvidence(0.2, 0.36, 5), **nothing)))
    assert inconsistencies(result) == (
        "certified_without_a_match",
        "certified_without_liveness",
        "certified_without_an_action",
        "certified_without_consent",
    )


def test_liveness_that_its_cues_do_not_bear_out_is_inconsistent() -> None:
    cues = {"passive": t.CueEvidence(2.5, 2.5), "moire": t.CueEvidence(0.9, -2.0)}
    honest = opened(signed(attempt(liveness=t.LivenessEvidence(0.5, 1.0, 20, cues))))
    assert inconsistencies(honest) == ("certified_without_liveness",)
    assert honest.passive is not None and honest.passive.outcome == "presentation_attack"
    assert honest.liveness is not None and honest.liveness.cues["moire"].llr == -2.0
    padded = opened(signed(attempt(liveness=t.LivenessEvidence(1.5, 1.0, 20, cues))))
    assert inconsistencies(padded) == ("liveness_does_not_add_up",)
    called = honest.liveness.model_copy(update={"outcome": "bona_fide"})
    assert "liveness_against_its_threshold" in inconsistencies(honest.model_copy(update={"liveness": called}))


def test_a_result_of_a_terminal_that_judged_by_the_passive_score_alone_is_still_read() -> None:
    older = opened(signed(attempt(liveness=None)))
    assert older.liveness is None and inconsistencies(older) == ()
    assert b"liveness" not in older.to_bytes().replace(b"passive_liveness", b"")


@settings(max_examples=60, deadline=None)
@given(attempts)
def test_any_attempt_survives_the_way_and_the_chain_links_it(made: t.Attempt) -> None:
    first = signed(made)
    second = opened(signed(made, 2, result_hash(first)))
    assert second.prev == result_hash(first)
    assert (second.outcome, second.started_at, second.reasons) == (made.outcome, made.started_at, made.reasons)
    assert parse(ResultPayload, second.to_bytes()) == second


TOKEN = signed(attempt())


@settings(max_examples=400, deadline=None)
@given(st.integers(0, len(TOKEN) - 1), st.integers(0, 7))
def test_one_flipped_bit_anywhere_is_refused(at: int, bit: int) -> None:
    damaged = bytearray(TOKEN.encode())
    damaged[at] ^= 1 << bit
    with pytest.raises(UntrustedError):
        verify(bytes(damaged), RING, Typ.RESULT, MOST)


def test_every_other_spelling_of_the_last_character_is_refused() -> None:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    held = []
    for last in alphabet:
        try:
            verify(TOKEN[:-1] + last, RING, Typ.RESULT, MOST)
            held.append(last)
        except UntrustedError:
            pass
    assert held == [TOKEN[-1]]


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400) | st.text(max_size=200).map(lambda text: text.encode()))
def test_noise_is_refused_with_a_sentence(noise: bytes) -> None:
    with pytest.raises(UntrustedError, match="refused"):
        verify(noise, RING, Typ.RESULT, MOST)


def test_a_receipt_does_not_pass_for_a_result() -> None:
    token = sign(b"{}", DEVICE, Typ.RECEIPT)
    with pytest.raises(UntrustedError, match="another kind"):
        verify(token, RING, Typ.RESULT, MOST)


def test_a_key_that_is_not_registered_is_refused() -> None:
    with pytest.raises(UntrustedError, match="not registered"):
        verify(sign(b"{}", keys.generate("Ed25519", "stranger"), Typ.RESULT), RING, Typ.RESULT, MOST)


def test_another_key_under_a_known_name_is_refused() -> None:
    with pytest.raises(UntrustedError, match="does not hold"):
        verify(sign(b"{}", keys.generate("Ed25519", "terminal-1-sign"), Typ.RESULT), RING, Typ.RESULT, MOST)


def test_an_unsigned_or_symmetric_token_is_refused() -> None:
    import base64

    def b64(data: bytes) -> str:
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

    for alg in ("none", "HS256", "Ed448", "Ed25519"):
        header = json.dumps({"alg": alg, "kid": "terminal-1-sign", "typ": str(Typ.RESULT)}).encode()
        with pytest.raises(UntrustedError):
            verify(f"{b64(header)}.{b64(b'{}')}.{b64(bytes(64))}", RING, Typ.RESULT, MOST)


def test_an_oversized_token_is_refused_before_it_is_looked_at() -> None:
    with pytest.raises(UntrustedError, match="too large"):
        verify(sign(b"a" * (MOST + 3000), DEVICE, Typ.RESULT), RING, Typ.RESULT, MOST)


def test_a_result_of_the_greatest_allowed_size_passes() -> None:
    assert len(verify(sign(b"a" * MOST, DEVICE, Typ.RESULT), RING, Typ.RESULT, MOST)) == MOST
