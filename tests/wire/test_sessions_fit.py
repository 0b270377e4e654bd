"""Whatever a session records, the wire takes: a refusal at that moment would end the terminal before "done"."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from edge.core.eligibility import Scheme
from edge.core.policy import Policy
from edge.core.session import step
from edge.core.types import Attempt, Event, LookedUp, Person, Record, Standing, Touch
from edge.ports import Slot
from edge.wire.envelope import GENESIS, make_result
from edge.wire.keys import generate
from edge.wire.messages import ResultPayload, inconsistencies, parse
from tests.core.test_machine import A_NOD, PLAYS, POLICY, STATES, Player, events
from tests.core.timeline import NUMBER, Story
from tests.wire.people import FACTS

OFFICE = generate("X25519", "office-1")


def sent(attempt: Attempt) -> ResultPayload:
    """What the office reads of an attempt; raises where the wire refuses it."""
    payloads: list[bytes] = []

    def sign(payload: bytes) -> str:
        payloads.append(payload)
        return "signed"

    make_result(
        attempt,
        Slot(1, GENESIS),
        FACTS,
        now=datetime(2026, 11, 23, tzinfo=UTC),
        monotonic_ns=1,
        rand=b"0123456789",
        office=OFFICE,
        sign=sign,
    )
    return parse(ResultPayload, payloads[0])


def could_be(event: Event) -> bool:
    """A roster's entries were parsed by the wire before they became a person."""
    return not (isinstance(event, LookedUp) and event.person == Person("", "", "", Standing.VALID))


@settings(max_examples=40)
@given(st.lists(PLAYS, max_size=40), st.booleans())
def test_every_record_of_any_history_can_be_sent(history: list[Any], lit: bool) -> None:
    player = Player(replace(POLICY, light_challenge=lit))
    for move in history:
        player.play(move)
    for effect in player.effects:
        if isinstance(effect, Record):
            result = sent(effect.attempt)
            assert result.outcome == effect.attempt.outcome
            assert inconsistencies(result) == ()


@pytest.mark.parametrize("name", STATES)
def test_every_record_of_every_odd_event_can_be_sent(name: str) -> None:
    start = STATES[name]
    for first in filter(could_be, events(start.now_ns)):
        state, effects = step(start, first, A_NOD)
        after = [each for second in filter(could_be, events(state.now_ns)) for each in step(state, second, A_NOD)[1]]
        for effect in (*effects, *after):
            if isinstance(effect, Record):
                sent(effect.attempt)


@given(st.text(max_size=99), st.text(max_size=99), st.text(max_size=99))
def test_a_policy_is_refused_or_its_names_can_be_sent(version: str, consent: str, scheme: str) -> None:
    try:
        policy = replace(Policy(), version=version, consent_text=consent, scheme=Scheme(name=scheme))
    except ValueError:
        return
    story = Story(policy=policy, roster={}).touch(Touch.START_SELF).enters(NUMBER)
    (attempt,) = story.records
    sent(replace(attempt, policy_version=policy.version, scheme=policy.scheme.name))


@pytest.mark.parametrize("field", ["version", "consent_text"])
@pytest.mark.parametrize("text", ["", "第三版", "two words", "2026-11\n", "x" * 97])
def test_a_policy_whose_names_no_result_could_carry_is_refused(field: str, text: str) -> None:
    with pytest.raises(ValueError, match=field):
        Policy.from_mapping({field: text})
    with pytest.raises(ValueError, match="scheme"):
        Scheme(name=text)


def test_a_refusal_repeats_nothing_of_the_attempt() -> None:
    (attempt,) = Story(roster={}).touch(Touch.START_SELF).enters(NUMBER).records
    with pytest.raises(ValidationError) as refusal:
        sent(replace(attempt, staff=f"{NUMBER} and 王小英"))
    assert NUMBER not in str(refusal.value)
    assert "王小英" not in str(refusal.value)
