"""The moves that end a visit: with a record, or without one when there is nothing to record.

`end` is the only place that makes a `Record` effect.  It leads to Deciding with an `Ending`, from where only
`Recorded`, `RecordFailed` or the deadline lead to Closing, and Closing leads to `over`: so a visit has at most one
record, and nothing is called done before it is durable.
"""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from edge.core.challenge import ticket
from edge.core.phrases import Phrase
from edge.core.policy import Policy, seconds_ns
from edge.core.reasons import Reason
from edge.core.state import Ending, Question, State, Visit
from edge.core.types import (
    ActionEvidence,
    Alarm,
    Attempt,
    Effect,
    Outcome,
    Record,
    Reset,
    Screen,
    Standing,
    StopWatching,
)

Step = tuple[State, tuple[Effect, ...]]
MOST_ACTIONS = 32  # the wire's bound; nobody is asked that often
MOST_VISITS = 1000  # remembered; more than a terminal has in a day


def to(state: State, phase: Screen, **changes: Any) -> State:
    """The state in ``phase`` from now on, with changes to the visit.  No page keeps the light of the one before."""
    changes = {"showing": None, "entered_ns": state.now_ns} | changes
    return replace(state, phase=phase, visit=replace(state.visit, **changes))


def amend(state: State, **changes: Any) -> State:
    """The same phase, with changes to the visit."""
    return replace(state, visit=replace(state.visit, **changes))


def moment(state: State, at_ns: int) -> datetime:
    """The calendar time of a monotonic one, by the last Tick."""
    assert state.now is not None  # noqa: S101  (no visit begins before the first Tick)
    return state.now + timedelta(microseconds=(at_ns - state.now_ns) // 1000)


def unanswered(state: State) -> tuple[ActionEvidence, ...]:
    """The visit's actions, with the open prompt as one that was not seen."""
    visit = state.visit
    if visit.prompt is None or visit.passed:
        return visit.actions
    missed = ActionEvidence(visit.prompt.action, False, visit.prompt.asked_at, None, None)
    return (*visit.actions, missed)[-MOST_ACTIONS:]


def end(
    state: State, policy: Policy, outcome: Outcome, phrase: Phrase, *reasons: str, until: date | None = None
) -> Step:
    """Record this visit and wait for the record; ``phrase`` is the page that follows it."""
    visit = state.visit
    person, evidence = visit.person, visit.evidence
    assert state.now is not None and visit.begun_at is not None  # noqa: S101
    attempt = Attempt(
        scheme=person.scheme if person else policy.scheme.name,
        mode=visit.mode,
        outcome=outcome,
        reasons=tuple(dict.fromkeys(str(reason) for reason in reasons)),
        attempts=min(visit.tries, policy.max_tries),
        started_at=visit.begun_at,
        decided_at=max(state.now, visit.begun_at),
        clock=state.clock,
        challenge_nonce=state.nonce,
        policy_version=policy.version,
        person_ref=person.person_ref if person else None,
        number=visit.number if person is None else None,
        relation=visit.relation,
        staff=visit.staff,
        consent=visit.consent,
        captured_at=moment(state, evidence.last_ns) if evidence.last_ns is not None else None,
        match=evidence.match_record(policy),
        passive=evidence.passive_record(policy),
        liveness=evidence.liveness_record(policy),
        actions=unanswered(state),
        quality=evidence.quality(),
        ticket=ticket(state.nonce) if outcome is Outcome.REFERRED else None,
        valid_until=until,
    )
    effects: list[Effect] = [StopWatching()] if visit.watching else []
    effects.append(Record(attempt))
    if outcome is Outcome.REFERRED and Reason.PRESENTATION_ATTACK in reasons:
        state, alarms = _suspected(state, policy)
        effects += alarms
    ending = Ending(phrase, attempt)
    return to(state, Screen.DECIDING, ending=ending, watching=False, helping=False, asked_ns=None), tuple(effects)


def refer(state: State, policy: Policy, phrase: Phrase, *reasons: str) -> Step:
    """Hand over to a person, with a ticket."""
    return end(state, policy, Outcome.REFERRED, phrase, *reasons)


def close(state: State, phrase: Phrase) -> Step:
    """Say good-bye where there is nothing to record."""
    return to(state, Screen.CLOSING, ending=Ending(phrase), helping=False, asked_ns=None), ()


def leave(state: State, policy: Policy) -> Step:
    """The person went away, or said that they would."""
    visit = state.visit
    if visit.person is None:
        return over(state, policy)
    if state.phase is Screen.IDENTIFY and visit.question is Question.ANSWER and not visit.tries:
        if visit.standing is Standing.VALID:
            return end(state, policy, Outcome.INFORMED, Phrase.CLOSING_GOODBYE, Reason.ALREADY_VALID)
        return over(state, policy)
    return end(state, policy, Outcome.ABANDONED, Phrase.CLOSING_GOODBYE, Reason.WALKED_AWAY)


def over(state: State, policy: Policy) -> Step:
    """Forget the visit; a new nonce has to come before the next one."""
    effects: tuple[Effect, ...] = (StopWatching(), Reset()) if state.visit.watching else (Reset(),)
    blank = replace(
        state,
        phase=Screen.IDLE,
        nonce="",
        nonce_asked_ns=state.now_ns,
        quiet_until_ns=state.now_ns + seconds_ns(policy.quiet_s),
        visits=_visits(state, policy),
        visit=Visit(touched_ns=state.now_ns),
        shown=None,
        spoken=None,
    )
    return blank, effects


def stored(state: State) -> Step:
    """The record is durable: now the page may say so."""
    ending = state.visit.ending
    if ending is None or ending.attempt is None:
        return state, ()
    return to(state, Screen.CLOSING, ending=replace(ending, stored=True), helping=False), ()


def not_stored(state: State) -> Step:
    """The record is not durable: nothing is promised, and no ticket that nobody would find."""
    ending = state.visit.ending
    if ending is None or ending.attempt is None:
        return state, ()
    promised = ending.attempt.outcome in {Outcome.CERTIFIED, Outcome.REFERRED}
    phrase = Phrase.CLOSING_NOT_STORED if promised else Phrase.CLOSING_GOODBYE
    return to(state, Screen.CLOSING, ending=replace(ending, phrase=phrase), helping=False), ()


def visits_in_vain(state: State, person_ref: str, policy: Policy) -> int:
    """How often this person was looked at here of late without being certified."""
    since_ns = state.now_ns - seconds_ns(policy.visits_within_s)
    return sum(ref == person_ref and at_ns > since_ns for ref, at_ns in state.visits)


def _visits(state: State, policy: Policy) -> tuple[tuple[str, int], ...]:
    """Those in vain, with the visit that ends now if it counts; a certificate clears them.

    It counts if it showed an action, missed a try, or once had a score below its threshold.

    The memory is this process's: a restart forgets it, and so does the `MOST_VISITS`-th other visit.
    """
    visit = state.visit
    person = visit.person
    if person is None:
        return state.visits
    attempt = visit.ending.attempt if visit.ending else None
    if attempt is not None and attempt.outcome is Outcome.CERTIFIED:
        return tuple(each for each in state.visits if each[0] != person.person_ref)
    if not (visit.draws or visit.misses or visit.spoken_against):
        return state.visits
    since_ns = state.now_ns - seconds_ns(policy.visits_within_s)
    kept = tuple(each for each in state.visits if each[1] > since_ns)
    return (*kept, (person.person_ref, state.now_ns))[-MOST_VISITS:]


def _suspected(state: State, policy: Policy) -> tuple[State, list[Effect]]:
    since_ns = state.now_ns - seconds_ns(policy.attacks_within_s)
    attacks = (*(at_ns for at_ns in state.attacks if at_ns > since_ns), state.now_ns)
    if len(attacks) < policy.attacks_for_alarm:
        return replace(state, attacks=attacks), []
    alarm = Alarm("repeated_presentation_attacks", f"{len(attacks)} within {policy.attacks_within_s:.0f} s")
    return replace(state, attacks=()), [alarm]
