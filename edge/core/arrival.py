"""The moves until the camera looks: Idle, Identify, Confirm, Consent.

A number that does not parse leaves nothing behind.  An answer that needs no certification ends here; so does every
case that only a person can settle.
"""

import re
import unicodedata
from dataclasses import replace
from datetime import date
from typing import assert_never

from edge.core import identity, looking
from edge.core.eligibility import Scheme, in_maintenance, local_date, standing_on
from edge.core.ending import Step, amend, close, end, leave, over, refer, to, visits_in_vain
from edge.core.identity import IdentityNumber
from edge.core.phrases import Phrase
from edge.core.policy import Policy, seconds_ns
from edge.core.reasons import Reason
from edge.core.state import Question, State, Visit, Wait
from edge.core.types import (
    Consent,
    Drawn,
    LookedUp,
    LookUp,
    Mode,
    NumberEntered,
    Outcome,
    Person,
    Relation,
    Reset,
    Screen,
    Standing,
    Tick,
    Touch,
    Touched,
)

STAFF_NUMBER = re.compile(r"[A-Za-z0-9]{1,12}")  # shorter than any identity number, so that none can be one
NONCE = re.compile(r"[0-9a-f]{16,64}")
NONCE_PATIENCE_NS = 1_000_000_000
MODE_OF = {Touch.START_SELF: Mode.SELF, Touch.START_FOR_OTHER: Mode.FOR_OTHER, Touch.START_ASSISTED: Mode.ASSISTED}


def waiting(state: State, scheme: Scheme) -> Wait | None:
    """Why no certification can start now; None when it can."""
    if state.now is None or not state.clock.synced:
        return Wait.CLOCK
    if not state.eyes_trusted:
        return Wait.EYES
    if not state.camera_working:
        return Wait.CAMERA
    return Wait.MAINTENANCE if in_maintenance(local_date(state.now, scheme), scheme) else None


# --- Idle ----------------------------------------------------------------------------------------------------


def drawn(state: State, event: Drawn, _policy: Policy) -> Step:
    return (replace(state, nonce=event.nonce) if NONCE.fullmatch(event.nonce) else state), ()


def idle_tick(state: State, _event: Tick, policy: Policy) -> Step:
    """Close a forgotten help page, and ask again for a nonce that did not come."""
    effects: tuple[Reset, ...] = ()
    if not state.nonce and state.nonce_asked_ns is None:
        state = replace(state, nonce_asked_ns=state.now_ns)
    elif not state.nonce and state.now_ns - (state.nonce_asked_ns or 0) >= NONCE_PATIENCE_NS:
        state, effects = replace(state, nonce_asked_ns=state.now_ns), (Reset(),)
    if state.visit.helping and state.now_ns - state.visit.touched_ns > seconds_ns(policy.reading_ask_s):
        state = amend(state, helping=False)
    return state, effects


def begin_visit(state: State, event: Touched, policy: Policy) -> Step:
    if not state.nonce:
        return state, ()
    state = _new_visit(state, MODE_OF[event.touch])
    match state.visit.mode:
        case Mode.SELF:
            return state, ()
        case Mode.FOR_OTHER:
            return relation_given(amend(state, question=Question.RELATION), event, policy)
        case Mode.ASSISTED:
            asking = amend(state, question=Question.STAFF)
            return staff_given(asking, event, policy) if event.value else (asking, ())
        case _ as never:
            assert_never(never)


def card_at_idle(state: State, event: NumberEntered, policy: Policy) -> Step:
    """A card or a QR code held up on the attract page begins a visit for oneself."""
    if not state.nonce or state.now_ns < state.quiet_until_ns:
        return state, ()
    return number_entered(_new_visit(state, Mode.SELF), event, policy)


def _new_visit(state: State, mode: Mode) -> State:
    visit = Visit(begun_at=state.now, begun_ns=state.now_ns, touched_ns=state.now_ns, mode=mode)
    return to(replace(state, visit=visit), Screen.IDENTIFY)


# --- Identify ------------------------------------------------------------------------------------------------


def relation_given(state: State, event: Touched, _policy: Policy) -> Step:
    known = event.value in set(Relation)
    if state.visit.question is not Question.RELATION or not known:
        return state, ()
    return to(state, Screen.IDENTIFY, relation=Relation(event.value), question=Question.NUMBER), ()


def staff_given(state: State, event: Touched, _policy: Policy) -> Step:
    return _staff(state, event.value) if state.visit.question is Question.STAFF else (state, ())


def number_entered(state: State, event: NumberEntered, policy: Policy) -> Step:
    visit = state.visit
    if visit.question is Question.STAFF:
        return _staff(state, event.text)
    if visit.question is not Question.NUMBER or state.now is None:
        return state, ()
    # By the clock of an unsynced machine everybody may be born in the future: then any real date will do.
    today = local_date(state.now, policy.scheme) if state.clock.synced else date.max
    found = identity.parse(event.text, today)
    if isinstance(found, IdentityNumber):
        looking_up = to(state, Screen.IDENTIFY, question=Question.LOOKING, number=found.number, notice=None)
        return amend(looking_up, helping=False), (LookUp(found.number),)
    return amend(
        state,
        notice=identity.PHRASE_OF[found],
        digits=identity.count(event.text),
        utterances=visit.utterances + 1,
        helping=False,
    ), ()


def looked_up(state: State, event: LookedUp, policy: Policy) -> Step:
    if state.visit.question is not Question.LOOKING:
        return state, ()
    if event.person is None:
        return refer(state, policy, Phrase.CLOSING_NOT_ON_ROSTER, Reason.NOT_ON_ROSTER)
    return _answer(state, event.person, policy)


def identify_tick(state: State, _event: Tick, policy: Policy) -> Step:
    overdue = state.now_ns - state.visit.entered_ns > seconds_ns(policy.look_up_s)
    if state.visit.question is Question.LOOKING and overdue:
        return refer(state, policy, Phrase.CLOSING_NOT_ON_ROSTER, Reason.LOOK_UP_UNANSWERED)
    return state, ()


def certify_early(state: State, _event: Touched, _policy: Policy) -> Step:
    visit = state.visit
    if visit.question is not Question.ANSWER or visit.wait is not None:
        return state, ()
    return to(state, Screen.CONFIRM), ()


def answer_is_enough(state: State, _event: Touched, policy: Policy) -> Step:
    """The person leaves it at the answer: recorded when there was nothing to do or they were looked at already."""
    visit = state.visit
    if visit.question is not Question.ANSWER:
        return state, ()
    if visit.standing is Standing.VALID:
        return end(state, policy, Outcome.INFORMED, Phrase.CLOSING_ALREADY_VALID, Reason.ALREADY_VALID)
    later = Phrase.CLOSING_MAINTENANCE if visit.wait is Wait.MAINTENANCE else Phrase.CLOSING_LATER
    return end(state, policy, Outcome.ABANDONED, later, Reason.WALKED_AWAY) if visit.tries else close(state, later)


def identify_back(state: State, _event: Touched, policy: Policy) -> Step:
    visit = state.visit
    if visit.question is Question.ANSWER:
        return _another_number(state, policy, None)
    if visit.question is Question.NUMBER and visit.mode is Mode.FOR_OTHER:
        return to(state, Screen.IDENTIFY, question=Question.RELATION, relation=None, notice=None), ()
    return (state, ()) if visit.question is Question.LOOKING else over(state, policy)


def _staff(state: State, text: str) -> Step:
    staff = "".join(unicodedata.normalize("NFKC", text[:64]).split())
    if not STAFF_NUMBER.fullmatch(staff):
        again = state.visit.utterances + 1
        return amend(state, notice=Phrase.STAFF_NUMBER_AGAIN, utterances=again, helping=False), ()
    return to(state, Screen.IDENTIFY, staff=staff, question=Question.NUMBER, notice=None, helping=False), ()


def _ask_number(state: State, notice: Phrase | None) -> Step:
    cleared = to(state, Screen.IDENTIFY, question=Question.NUMBER, notice=notice, wait=None)
    return amend(cleared, number=None, person=None, standing=None), ()


def _answer(state: State, person: Person, policy: Policy) -> Step:
    """What the roster's answer means today."""
    scheme = policy.scheme_of(person.scheme)
    state = amend(state, person=person, number=None)
    if scheme is None or state.now is None:
        return refer(state, policy, Phrase.CLOSING_COLLEAGUE, Reason.SCHEME_UNKNOWN)
    standing = person.standing
    if state.clock.synced:
        standing = standing_on(standing, person.valid_until, local_date(state.now, scheme), scheme)
    wait = waiting(state, scheme)
    state = amend(state, standing=standing, wait=wait)
    match standing:
        case Standing.NOT_IN_SCOPE:
            return end(state, policy, Outcome.INFORMED, Phrase.CLOSING_NOT_IN_SCOPE, Reason.NOT_IN_SCOPE)
        case Standing.UNDER_REVIEW:
            return end(state, policy, Outcome.INFORMED, Phrase.CLOSING_UNDER_REVIEW, Reason.UNDER_REVIEW)
        case Standing.SUSPENDED:
            return refer(state, policy, Phrase.CLOSING_SUSPENDED, Reason.SUSPENDED)
        case Standing.LOST_ELIGIBILITY:
            return refer(state, policy, Phrase.CLOSING_LOST_ELIGIBILITY, Reason.LOST_ELIGIBILITY)
        case Standing.VALID:
            return to(state, Screen.IDENTIFY, question=Question.ANSWER), ()
        case Standing.DUE | Standing.OVERDUE | Standing.RESTORED:
            if wait is not None:
                return to(state, Screen.IDENTIFY, question=Question.ANSWER), ()
            return to(state, Screen.CONFIRM), ()
        case _ as never:
            assert_never(never)


# --- Confirm -------------------------------------------------------------------------------------------------


def confirmed(state: State, _event: Touched, policy: Policy) -> Step:
    person = state.visit.person
    scheme = policy.scheme_of(person.scheme) if person else None
    if person is None or scheme is None:
        return leave(state, policy)
    wait = waiting(state, scheme)
    if wait is not None:
        return to(state, Screen.IDENTIFY, question=Question.ANSWER, wait=wait), ()
    if not person.has_reference:
        return refer(state, policy, Phrase.CLOSING_COLLEAGUE, Reason.NO_REFERENCE)
    if visits_in_vain(state, person.person_ref, policy) >= policy.visits_most:
        return refer(state, policy, Phrase.CLOSING_COLLEAGUE, Reason.MANY_VISITS)
    return to(state, Screen.CONSENT), ()


def not_me(state: State, _event: Touched, policy: Policy) -> Step:
    return _another_number(state, policy, Phrase.ASK_NUMBER_AGAIN)


def confirm_back(state: State, _event: Touched, policy: Policy) -> Step:
    return _another_number(state, policy, None)


def _another_number(state: State, policy: Policy, notice: Phrase | None) -> Step:
    """Who was already looked at leaves a record: going back must not make looks that nobody counts."""
    return leave(state, policy) if state.visit.tries else _ask_number(state, notice)


# --- Consent -------------------------------------------------------------------------------------------------


def agreed(state: State, _event: Touched, policy: Policy) -> Step:
    if state.now is None:
        return state, ()
    given = amend(state, consent=Consent(True, policy.consent_text, state.now))
    if given.visit.tries > policy.max_tries:
        return refer(given, policy, Phrase.CLOSING_COLLEAGUE, *given.visit.misses, Reason.CONTINUITY_LOST)
    return looking.start(given, policy)


def declined(state: State, _event: Touched, policy: Policy) -> Step:
    if state.now is None:
        return state, ()
    refused = amend(state, consent=Consent(False, policy.consent_text, state.now))
    return refer(refused, policy, Phrase.CLOSING_DECLINED, Reason.CONSENT_DECLINED)


def consent_back(state: State, _event: Touched, _policy: Policy) -> Step:
    return to(state, Screen.CONFIRM), ()
