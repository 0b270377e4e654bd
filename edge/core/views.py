"""The page that a state shows, and the sentence it speaks.  Pure: the same state, the same page.

Nothing here says which check was not met, and nothing counts down.
"""

from collections.abc import Mapping

from edge.core.arrival import waiting
from edge.core.eligibility import local_date, resumes_on
from edge.core.phrases import HELP_OF, OF_ACTION, OF_ADVICE, OF_RELATION, Phrase
from edge.core.policy import Policy
from edge.core.state import Question, State, Wait
from edge.core.types import (
    Advice,
    Choice,
    Method,
    Mode,
    Relation,
    Screen,
    Standing,
    Touch,
    View,
)

HELP = Choice(Touch.HELP, Phrase.BUTTON_HELP)
BACK = Choice(Touch.BACK, Phrase.BUTTON_BACK)
FINISH = Choice(Touch.FINISH, Phrase.BUTTON_FINISH)
LEAVE = Choice(Touch.FINISH, Phrase.BUTTON_LEAVE)
STARTS = (
    Choice(Touch.START_SELF, Phrase.BUTTON_SELF),
    Choice(Touch.START_FOR_OTHER, Phrase.BUTTON_FOR_OTHER),
    Choice(Touch.START_ASSISTED, Phrase.BUTTON_ASSISTED),
)
IDLE_PROMPT = {
    None: Phrase.IDLE_WELCOME,
    Wait.CLOCK: Phrase.IDLE_WAIT_CLOCK,
    Wait.EYES: Phrase.IDLE_WAIT_EYES,
    Wait.CAMERA: Phrase.IDLE_WAIT_CAMERA,
    Wait.MAINTENANCE: Phrase.IDLE_MAINTENANCE,
}
CONFIRM_PROMPT = {
    Mode.SELF: Phrase.CONFIRM_SELF,
    Mode.FOR_OTHER: Phrase.CONFIRM_OTHER,
    Mode.ASSISTED: Phrase.CONFIRM_ASSISTED,
}


def render(state: State, policy: Policy) -> View:
    """The page of this state."""
    visit = state.visit
    if visit.helping:
        return _help(state, policy)
    if visit.asked_ns is not None and state.phase is not Screen.IDLE:
        return View(
            state.phase,
            Phrase.STILL_THERE,
            Phrase.STILL_THERE_DETAIL,
            choices=(Choice(Touch.STILL_HERE, Phrase.BUTTON_STILL_HERE), LEAVE, HELP),
            preview=_preview(state),
            tone="attention",
        )
    pages = {
        Screen.IDLE: _idle,
        Screen.IDENTIFY: _identify,
        Screen.CONFIRM: _confirm,
        Screen.CONSENT: _consent,
        Screen.FRAMING: _framing,
        Screen.CHALLENGE: _challenge,
        Screen.DECIDING: _deciding,
        Screen.CLOSING: _closing,
    }
    return pages[state.phase](state, policy)


def spoken(state: State, view: View) -> tuple[str, Mapping[str, str]]:
    """The key and parameters to speak with a page; an empty key for silence.

    The attract page does not call after people who pass by.
    """
    if state.phase is Screen.IDLE and not state.visit.helping:
        return "", {}
    return (view.detail if view.detail == Phrase.CONSENT_TEXT else view.prompt), view.params


def closing_time_s(state: State, policy: Policy) -> float:
    """How long the last page stays."""
    ending = state.visit.ending
    if ending is None or ending.phrase is Phrase.CLOSING_GOODBYE:
        return policy.goodbye_s
    has_ticket = ending.attempt is not None and ending.attempt.ticket is not None
    return policy.closing_ticket_s if has_ticket else policy.closing_s


def _idle(state: State, policy: Policy) -> View:
    wait = waiting(state, policy.scheme)
    detail = Phrase.IDLE_WELCOME_DETAIL if wait is None else Phrase.IDLE_LOOK_UP_DETAIL
    params = _resumes(state, policy) if wait is Wait.MAINTENANCE else {}
    return View(Screen.IDLE, IDLE_PROMPT[wait], detail, params, (*STARTS, HELP))


def _identify(state: State, policy: Policy) -> View:
    visit = state.visit
    match visit.question:
        case Question.RELATION:
            relations = tuple(Choice(Touch.START_FOR_OTHER, OF_RELATION[each], each) for each in Relation)
            return View(Screen.IDENTIFY, Phrase.ASK_RELATION, choices=(*relations, BACK, HELP))
        case Question.STAFF:
            go_on = Choice(Touch.START_ASSISTED, Phrase.BUTTON_CONTINUE)
            prompt = visit.notice or Phrase.ASK_STAFF_NUMBER
            return View(Screen.IDENTIFY, prompt, choices=(go_on, BACK, HELP), keypad=True)
        case Question.LOOKING:
            return View(Screen.IDENTIFY, Phrase.LOOKING_UP, choices=(HELP,))
        case Question.ANSWER:
            return _answer(state, policy)
        case _:
            usual = Phrase.ASK_NUMBER if visit.mode is Mode.SELF else Phrase.ASK_NUMBER_OTHER
            detail = Phrase.ASK_NUMBER_DETAIL if visit.mode is Mode.SELF else Phrase.BRING_THEM_DETAIL
            params = _params(count=str(visit.digits)) if visit.digits else {}
            prompt = visit.notice or usual
            return View(Screen.IDENTIFY, prompt, detail, params, choices=(BACK, HELP), keypad=True)


def _answer(state: State, policy: Policy) -> View:
    visit = state.visit
    person = visit.person
    until = person.valid_until.isoformat() if person and person.valid_until else ""
    params = _params(name=person.masked_name if person else "", until=until)
    if visit.standing is Standing.VALID:
        by_data = person is not None and person.method is Method.DATA_MATCH
        early = (Choice(Touch.YES, Phrase.BUTTON_CERTIFY_EARLY),) if visit.wait is None else ()
        return View(
            Screen.IDENTIFY,
            Phrase.VALID_BY_DATA if by_data else Phrase.VALID_ALREADY,
            Phrase.VALID_EARLY_DETAIL if early else Phrase.VALID_DETAIL,
            params,
            (FINISH, *early, BACK, HELP),
            tone="good",
        )
    if visit.wait is Wait.MAINTENANCE:
        params = {**params, **_resumes(state, policy)}
        prompt = Phrase.DUE_MAINTENANCE_UNTIL if until else Phrase.DUE_MAINTENANCE
    else:
        prompt = Phrase.DUE_WAIT
    return View(Screen.IDENTIFY, prompt, "", params, (FINISH, BACK, HELP))


def _confirm(state: State, _policy: Policy) -> View:
    person = state.visit.person
    until = person.valid_until.isoformat() if person and person.valid_until else ""
    detail = Phrase.CONFIRM_FIRST_DETAIL
    if until:
        overdue = state.visit.standing is Standing.OVERDUE
        detail = Phrase.CONFIRM_OVERDUE_DETAIL if overdue else Phrase.CONFIRM_UNTIL_DETAIL
    choices = (Choice(Touch.YES, Phrase.BUTTON_YES), Choice(Touch.NO, Phrase.BUTTON_NO), BACK, HELP)
    params = _params(name=person.masked_name if person else "", until=until)
    return View(Screen.CONFIRM, CONFIRM_PROMPT[state.visit.mode], detail, params, choices)


def _consent(state: State, policy: Policy) -> View:
    visit = state.visit
    prompt = Phrase.CONSENT_ASK if visit.mode is Mode.SELF else Phrase.CONSENT_ASK_OTHER
    params = _params(name=visit.person.masked_name if visit.person else "", version=policy.consent_text)
    agree = Choice(Touch.AGREE, Phrase.BUTTON_AGREE)
    decline = Choice(Touch.DECLINE, Phrase.BUTTON_DECLINE)
    return View(Screen.CONSENT, prompt, Phrase.CONSENT_TEXT, params, (agree, decline, BACK, HELP))


def _framing(state: State, _policy: Policy) -> View:
    visit = state.visit
    if visit.camera_lost_ns is not None:
        return View(Screen.FRAMING, Phrase.CAMERA_WAIT, Phrase.FRAMING_DETAIL, choices=(BACK, HELP), tone="attention")
    if visit.showing is not None:
        detail = Phrase.FRAMING_DETAIL
        return View(
            Screen.FRAMING,
            Phrase.FRAMING_LIGHT,
            detail,
            choices=(BACK, HELP),
            preview=True,
            tone="good",
            light=visit.showing.colour,
        )
    prompt = visit.notice or (OF_ADVICE[visit.advice] if visit.advice else Phrase.FRAMING_BEGIN)
    detail = Phrase.FRAMING_DETAIL if visit.tries < 2 else Phrase.FRAMING_AGAIN_DETAIL
    return View(
        Screen.FRAMING,
        prompt,
        detail,
        choices=(BACK, HELP),
        preview=True,
        advice=visit.advice,
        tone="good" if visit.advice is Advice.READY else "calm",
    )


def _challenge(state: State, policy: Policy) -> View:
    visit = state.visit
    action = visit.prompt.action if visit.prompt else None
    more = visit.refusals < policy.refusals_most
    other = (Choice(Touch.ANOTHER_ACTION, Phrase.BUTTON_ANOTHER_ACTION),) if more else ()
    return View(
        Screen.CHALLENGE,
        OF_ACTION[action] if action else Phrase.DECIDING,
        visit.notice or Phrase.CHALLENGE_DETAIL,
        choices=(
            Choice(Touch.SHOW_AGAIN, Phrase.BUTTON_SHOW_AGAIN),
            *other,
            Choice(Touch.CANNOT, Phrase.BUTTON_CANNOT),
            BACK,
            HELP,
        ),
        preview=True,
        action=action,
    )


def _deciding(state: State, _policy: Policy) -> View:
    prompt = Phrase.DECIDING_HOLD if state.visit.ending is None else Phrase.DECIDING
    return View(Screen.DECIDING, prompt, choices=(HELP,), preview=_preview(state))


def _closing(state: State, policy: Policy) -> View:
    ending, person = state.visit.ending, state.visit.person
    phrase = ending.phrase if ending else Phrase.CLOSING_GOODBYE
    attempt = ending.attempt if ending else None
    until = attempt.valid_until if attempt and attempt.valid_until else person.valid_until if person else None
    params = _office(policy)
    params["name"] = person.masked_name if person else ""
    params["until"] = until.isoformat() if until else ""
    detail, tone = "", "calm"
    if phrase is Phrase.CLOSING_DONE:
        detail, tone = Phrase.CLOSING_DONE_DETAIL, "good"
    elif phrase is Phrase.CLOSING_NOT_STORED:
        detail = Phrase.CLOSING_NOT_STORED_DETAIL
    elif phrase is Phrase.CLOSING_MAINTENANCE:
        params |= _resumes(state, policy)
    elif attempt is not None and attempt.ticket is not None:
        detail = Phrase.CLOSING_TICKET_DETAIL
        params["ticket"] = attempt.ticket
    return View(Screen.CLOSING, phrase, detail, params, (FINISH, HELP), tone=tone)


def _help(state: State, policy: Policy) -> View:
    go_on = Choice(Touch.BACK, Phrase.BUTTON_CONTINUE)
    colleague = Choice(Touch.FINISH, Phrase.BUTTON_COLLEAGUE)
    offers_ticket = state.phase not in {Screen.IDLE, Screen.DECIDING, Screen.CLOSING}
    return View(
        state.phase,
        HELP_OF[state.phase],
        Phrase.HELP_DETAIL,
        _office(policy),
        (go_on, colleague) if offers_ticket else (go_on,),
        keypad=state.phase is Screen.IDENTIFY and state.visit.question is Question.NUMBER,
    )


def _preview(state: State) -> bool:
    deciding = state.phase is Screen.DECIDING and state.visit.ending is None
    return deciding or state.phase in {Screen.FRAMING, Screen.CHALLENGE}


def _office(policy: Policy) -> dict[str, str]:
    office = policy.office
    return _params(place=office.place, hours=office.hours, place_en=office.place_en, hours_en=office.hours_en)


def _resumes(state: State, policy: Policy) -> dict[str, str]:
    person = state.visit.person
    scheme = (policy.scheme_of(person.scheme) if person else None) or policy.scheme
    return _params(resumes=resumes_on(local_date(state.now, scheme), scheme).isoformat()) if state.now else {}


def _params(**params: str) -> dict[str, str]:
    return params
