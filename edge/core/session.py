"""The session: one pure function and one table.

    Idle ─▶ Identify ─▶ Confirm ─▶ Consent ─▶ Framing ⇄ Challenge ─▶ Deciding ─▶ Closing ─▶ Idle
              │            │          │          │          │            ▲
              └────────────┴──────────┴──────────┴──────────┴────────────┘   (every ending with a record)

`step(state, event, policy) -> (state, effects)` is the whole machine.  Time enters only as `Tick`, randomness only as
`Drawn`, so `replay` of the recorded events gives the same session.  An event for which the present phase has no row
below is ignored: events come in any order, and an answer may arrive when nobody waits for it any more.

What holds whatever happens (tests/core/test_machine.py tries to break it):
  * Certified needs consent, match, liveness and the prompted action on one unbroken track, looked at since
    the last `Watch`, with trusted eyes and a synchronised clock (`looking.decide`).
  * A visit makes at most one `Record`, and no page says "done" before `Recorded` (`ending.end`).
  * Every phase has a deadline, and a way to help.  Nobody is hurried: a deadline of a person is at least 15 s, is
    never shown, and ends in a question, in one more try, or with a colleague.
  * The page has a light of its own only while Framing shows the light challenge (`lighting`), and whatever leads
    away from there puts it out.
  * What is shown is a function of the state (`views.render`); a page changes only when that changes.

Deadlines          ends in                              by
  Idle             (help closes)                        reading_ask_s
  Identify         the office's answer: a ticket        look_up_s
  any page         "are you still there?", good-bye     reading_ask_s (idle_ask_s before the camera) + idle_end_s
  any visit        a colleague                          session_most_s
  Framing          one more try / a colleague           framing_s × max_tries; camera_wait_s without a camera
    its light      the action                           4.7 s (`light`)
  Challenge        gently again / a colleague           action_window_s × max_tries
  Deciding         one more try; "not stored"           deciding_s; record_s
  Closing          Idle                                 closing_s, closing_ticket_s, goodbye_s, or a touch
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from typing import Any

from edge.core import arrival, ending, looking, views
from edge.core.ending import Step, amend
from edge.core.phrases import Phrase
from edge.core.policy import Policy, seconds_ns
from edge.core.reasons import Reason
from edge.core.state import Question, State
from edge.core.types import (
    CameraState,
    Drawn,
    Effect,
    Event,
    EyesState,
    LookedUp,
    NumberEntered,
    Outcome,
    Recorded,
    RecordFailed,
    Say,
    Screen,
    Seen,
    Show,
    Tick,
    Touch,
    Touched,
)

Move = Callable[[State, Any, Policy], Step]
Key = type[Event] | Touch  # a touch is known by its button, every other event by its kind


def _tick_deciding(state: State, _event: Tick, policy: Policy) -> Step:
    waited_ns = state.now_ns - state.visit.entered_ns
    if state.visit.ending is None:
        return looking.deciding_overdue(state, policy) if waited_ns > seconds_ns(policy.deciding_s) else (state, ())
    return ending.not_stored(state) if waited_ns > seconds_ns(policy.record_s) else (state, ())


def _tick_closing(state: State, _event: Tick, policy: Policy) -> Step:
    stays_ns = seconds_ns(views.closing_time_s(state, policy))
    return ending.over(state, policy) if state.now_ns - state.visit.entered_ns > stays_ns else (state, ())


def _stored(state: State, _event: Recorded, _policy: Policy) -> Step:
    return ending.stored(state)


def _not_stored(state: State, _event: RecordFailed, _policy: Policy) -> Step:
    return ending.not_stored(state)


def _finish(state: State, _event: Touched, policy: Policy) -> Step:
    return ending.over(state, policy)


TABLE: Mapping[Screen, Mapping[Key, Move]] = MappingProxyType(
    {
        Screen.IDLE: {
            Drawn: arrival.drawn,
            Tick: arrival.idle_tick,
            Touch.START_SELF: arrival.begin_visit,
            Touch.START_FOR_OTHER: arrival.begin_visit,
            Touch.START_ASSISTED: arrival.begin_visit,
            NumberEntered: arrival.card_at_idle,
        },
        Screen.IDENTIFY: {
            Touch.START_FOR_OTHER: arrival.relation_given,
            Touch.START_ASSISTED: arrival.staff_given,
            NumberEntered: arrival.number_entered,
            LookedUp: arrival.looked_up,
            Tick: arrival.identify_tick,
            Touch.YES: arrival.certify_early,
            Touch.FINISH: arrival.answer_is_enough,
            Touch.BACK: arrival.identify_back,
        },
        Screen.CONFIRM: {
            Touch.YES: arrival.confirmed,
            Touch.NO: arrival.not_me,
            Touch.BACK: arrival.confirm_back,
        },
        Screen.CONSENT: {
            Touch.AGREE: arrival.agreed,
            Touch.DECLINE: arrival.declined,
            Touch.BACK: arrival.consent_back,
        },
        Screen.FRAMING: {
            Seen: looking.framing_seen,
            Tick: looking.framing_tick,
            Touch.BACK: looking.back_to_consent,
            CameraState: looking.camera,
            EyesState: looking.eyes,
        },
        Screen.CHALLENGE: {
            Seen: looking.challenge_seen,
            Tick: looking.challenge_tick,
            Touch.SHOW_AGAIN: looking.show_again,
            Touch.ANOTHER_ACTION: looking.another_action,
            Touch.CANNOT: looking.cannot,
            Touch.BACK: looking.back_to_consent,
            CameraState: looking.camera,
            EyesState: looking.eyes,
        },
        Screen.DECIDING: {
            Seen: looking.deciding_seen,
            Tick: _tick_deciding,
            CameraState: looking.camera,
            EyesState: looking.eyes,
            Recorded: _stored,
            RecordFailed: _not_stored,
        },
        Screen.CLOSING: {
            Tick: _tick_closing,
            Touch.FINISH: _finish,
        },
    }
)

# Where somebody may be thinking, and where a face in the picture is presence enough by itself.
ASKS_WHETHER_THERE = frozenset({Screen.IDENTIFY, Screen.CONFIRM, Screen.CONSENT, Screen.FRAMING, Screen.CHALLENGE})
BEFORE_THE_CAMERA = frozenset({Screen.FRAMING, Screen.CHALLENGE, Screen.DECIDING})


def begin(policy: Policy) -> State:  # noqa: ARG001  (every entry takes the policy)
    """The state of a terminal that was just switched on.

    It waits for the first `Tick` and `Drawn`; the camera is taken to work until a `CameraState` says otherwise, and
    the eyes are not trusted until an `EyesState` says so.
    """
    return State()


def step(state: State, event: Event, policy: Policy) -> tuple[State, tuple[Effect, ...]]:
    """The next state and what is to be done, in this order.  Accepts every event in every state; never raises."""
    state = _know(state, event)
    if state.now is None and not isinstance(event, Drawn):
        return _present(state, (), policy)
    state, effects, done = _everywhere(state, event, policy)
    if not done:
        move = TABLE[state.phase].get(event.touch if isinstance(event, Touched) else type(event))
        if move is not None:
            state, effects = move(state, event, policy)
    return _present(state, effects, policy)


def replay(events: Iterable[Event], policy: Policy) -> tuple[State, tuple[Effect, ...]]:
    """The state and all effects after ``events``, from the beginning."""
    state, effects = begin(policy), list[Effect]()
    for event in events:
        state, more = step(state, event, policy)
        effects += more
    return state, tuple(effects)


def _know(state: State, event: Event) -> State:
    """What the machine learns from an event whatever the phase."""
    match event:
        case Tick(at_ns, now, clock) if _possible(at_ns, now):
            return replace(state, now_ns=max(state.now_ns, at_ns), now=now, clock=clock)
        case CameraState(working):
            return replace(state, camera_working=working)
        case EyesState(trusted):
            return replace(state, eyes_trusted=trusted)
        case Seen(seen) if seen.faces > 0 and not seen.frozen:
            return amend(state, face_ns=state.now_ns)
    return state


def _possible(at_ns: int, now: datetime) -> bool:
    """Whether a Tick can be reckoned with: a machine without a clock says 1970, a broken one may say anything."""
    return now.utcoffset() is not None and 1970 <= now.year < 9000 and 0 <= at_ns < 2**63


def _everywhere(state: State, event: Event, policy: Policy) -> tuple[State, tuple[Effect, ...], bool]:
    """The moves that every phase has: help, presence, and the longest visit.  True: the event is dealt with."""
    if isinstance(event, Touched):
        return _touched(state, event, policy)
    if isinstance(event, NumberEntered) and state.phase is Screen.IDENTIFY:
        return amend(state, touched_ns=state.now_ns, asked_ns=None), (), False
    if isinstance(event, Tick) and state.phase in ASKS_WHETHER_THERE:
        return _ticked(state, policy)
    return state, (), False


def _touched(state: State, event: Touched, policy: Policy) -> tuple[State, tuple[Effect, ...], bool]:
    visit = state.visit
    asked = visit.asked_ns is not None
    state = amend(state, touched_ns=state.now_ns, asked_ns=None)
    if event.touch is Touch.HELP:
        # The last page waits for who reads the help over it: a ticket is still to be written down.
        state = ending.to(state, state.phase) if state.phase is Screen.CLOSING else state
        return amend(state, helping=True, showing=None, utterances=visit.utterances + 1), (), True
    if visit.helping:
        if event.touch is Touch.FINISH:
            return *_help_wanted(state, policy), True
        return *(_help_closes(state, policy) if event.touch in {Touch.BACK, Touch.STILL_HERE} else (state, ())), True
    if asked and event.touch is Touch.FINISH:
        return *ending.leave(state, policy), True
    return state, (), event.touch is Touch.STILL_HERE


def _help_closes(state: State, policy: Policy) -> Step:
    """Back to the page, with all its time before it."""
    state = amend(state, helping=False)
    if state.phase is Screen.CHALLENGE:
        return looking.reask(state, policy)
    return (state if state.phase is Screen.DECIDING else ending.to(state, state.phase)), ()


def _help_wanted(state: State, policy: Policy) -> Step:
    if state.phase in {Screen.IDLE, Screen.DECIDING}:
        return _help_closes(state, policy)
    if state.phase is Screen.CLOSING:
        return ending.over(state, policy)
    return ending.refer(state, policy, Phrase.CLOSING_COLLEAGUE, *state.visit.misses, Reason.HELP_WANTED)


def _ticked(state: State, policy: Policy) -> tuple[State, tuple[Effect, ...], bool]:
    visit = state.visit
    if state.now_ns - visit.begun_ns > seconds_ns(policy.session_most_s):
        if visit.person is None:
            return *ending.over(state, policy), True
        took_long = (*visit.misses, Reason.TOOK_LONG)
        return *ending.end(state, policy, Outcome.REFERRED, Phrase.CLOSING_COLLEAGUE, *took_long), True
    if state.phase is Screen.IDENTIFY and visit.question is Question.LOOKING:
        return state, (), False
    reads = visit.helping or state.phase not in BEFORE_THE_CAMERA
    patience_ns = seconds_ns(policy.reading_ask_s if reads else policy.idle_ask_s)
    quiet_ns = state.now_ns - _last_sign_ns(state, policy)
    if visit.asked_ns is None:
        asks = quiet_ns >= patience_ns
        return amend(state, asked_ns=state.now_ns, showing=None) if asks else state, (), False
    if quiet_ns < patience_ns:
        return amend(state, asked_ns=None), (), False
    if state.now_ns - visit.asked_ns >= seconds_ns(policy.idle_end_s):
        return *ending.leave(state, policy), True
    return state, (), False


def _last_sign_ns(state: State, policy: Policy) -> int:
    """When the person last touched or was seen; on a page of buttons a face alone counts only for a while."""
    visit = state.visit
    face_counts = state.phase in BEFORE_THE_CAMERA or state.now_ns - visit.touched_ns < seconds_ns(
        policy.face_holds_s
    )
    return max(visit.touched_ns, visit.face_ns or 0) if face_counts else visit.touched_ns


def _present(state: State, effects: tuple[Effect, ...], policy: Policy) -> tuple[State, tuple[Effect, ...]]:
    """Show and speak what the state says, if that changed."""
    view = views.render(state, policy)
    if view != state.shown:
        effects = (*effects, Show(view))
    key, params = views.spoken(state, view)
    spoken = (key, repr(sorted(params.items())), state.visit.utterances)
    if key and spoken != state.spoken:
        effects = (*effects, Say(key, params))
    return replace(state, shown=view, spoken=spoken), effects
