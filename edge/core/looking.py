"""The moves before the camera: Framing, Challenge, and the decision.

A try ends in one of three ways: certified, one more try (three at most), or a person takes over.  What was missing
is for the record; the page only says the next thing to do.
"""

from typing import Any

from edge.core import challenge, lighting
from edge.core.eligibility import local_date, valid_until
from edge.core.ending import MOST_ACTIONS, Step, amend, close, end, moment, refer, to, unanswered
from edge.core.evidence import Evidence, breaks, collect, crowded
from edge.core.phrases import Phrase
from edge.core.policy import Policy, Verdict, seconds_ns
from edge.core.reasons import Reason
from edge.core.state import State
from edge.core.types import (
    Action,
    ActionEvidence,
    CameraState,
    EyesState,
    Observation,
    Outcome,
    Screen,
    Seen,
    StopWatching,
    Tick,
    Touched,
    Watch,
)

AHEAD_NS = 2_000_000_000  # an observation may be newer than the last Tick, but not by more than a stalled loop
TURNS = frozenset({Action.TURN_LEFT, Action.TURN_RIGHT})
ABSENT_NS = 3_000_000_000  # without a face for so long nobody is being asked anything


def start(state: State, policy: Policy, **changes: Any) -> Step:
    """Look at the face afresh: nothing seen before counts."""
    visit = state.visit
    if visit.person is None:
        return state, ()
    if (hindrance := _hindrance(state)) is not None:
        return refer(state, policy, Phrase.CLOSING_COLLEAGUE, hindrance)
    fresh: dict[str, Any] = {
        "tries": max(1, visit.tries),
        "watching": True,
        "watch_ns": state.now_ns,
        "evidence": Evidence(),
        "advice": None,
        "notice": None,
        "prompt": None,
        "passed": False,
        "crowd": False,
        "camera_lost_ns": None if state.camera_working else state.now_ns,
    }
    return to(state, Screen.FRAMING, **(fresh | changes)), (Watch(visit.person.person_ref),)


def next_try(state: State, policy: Policy, *reasons: Reason, clear: bool = False) -> Step:
    """One try is over without a certification: look once more, or hand over kindly."""
    visit = state.visit
    misses = tuple(dict.fromkeys((*visit.misses, *reasons)))
    clear_misses = visit.clear_misses + clear
    actions = unanswered(state)
    if visit.tries >= policy.max_tries or clear_misses >= policy.clear_tries:
        return refer(state, policy, Phrase.CLOSING_COLLEAGUE, *misses)
    return start(
        state,
        policy,
        tries=visit.tries + 1,
        misses=misses,
        clear_misses=clear_misses,
        restarts=0,
        actions=actions,
        notice=Phrase.FRAMING_ONCE_MORE,
    )


# --- Framing -------------------------------------------------------------------------------------------------


def framing_seen(state: State, event: Seen, policy: Policy) -> Step:
    seen = event.observation
    if not _usable(state, seen, policy):
        return state, ()
    if state.visit.showing is not None:
        broken = breaks(state.visit.evidence, seen)
        return _continuity_lost(state, policy) if broken else (lighting.see(state, seen), ())
    state = _advise(state, seen, policy)
    if breaks(state.visit.evidence, seen) and _missed(*_verdicts(state, policy)):
        return _continuity_lost(state, policy)  # what spoke against a face is not shaken off by stepping out
    if crowded(seen):
        return (state, ()) if state.visit.crowd else _forget_the_crowd(state)
    state = amend(state, crowd=False, evidence=collect(state.visit.evidence, seen))
    evidence = state.visit.evidence
    match, alive = _verdicts(state, policy)
    state = amend(state, spoken_against=state.visit.spoken_against or bool(_missed(match, alive)))
    if match is Verdict.PASS and alive is Verdict.PASS:
        if not evidence.settled(policy):
            return state, ()
        if lighting.exhausted(state, policy):
            return refer(state, policy, Phrase.CLOSING_COLLEAGUE, *state.visit.misses, Reason.CONTINUITY_LOST)
        return lighting.begin(state) if lighting.due(state, policy) else ask(state, policy)
    if Verdict.MORE in {match, alive} or not evidence.exhausted(policy):
        return state, ()
    return next_try(state, policy, *_missed(match, alive), clear=Verdict.FAR in {match, alive})


def framing_tick(state: State, _event: Tick, policy: Policy) -> Step:
    visit = state.visit
    if visit.showing is not None:
        return lighting.tick(state), ()
    if visit.camera_lost_ns is not None:
        if state.now_ns - visit.camera_lost_ns > seconds_ns(policy.camera_wait_s):
            return refer(state, policy, Phrase.CLOSING_CAMERA, Reason.CAMERA_LOST)
        return state, ()
    if visit.helping or _absent(state) or state.now_ns - visit.entered_ns <= seconds_ns(policy.framing_s):
        return state, ()
    evidence = visit.evidence
    if evidence.ready_frames >= policy.patience_frames and evidence.match is None:
        return refer(state, policy, Phrase.CLOSING_COLLEAGUE, Reason.NO_REFERENCE)
    return next_try(state, policy, Reason.NO_CLEAR_VIEW)


def back_to_consent(state: State, _event: Touched, policy: Policy) -> Step:
    """Taking the consent back.  What was looked at still counts as looking, or tries would never end."""
    visit = state.visit
    spent = visit.restarts >= policy.max_restarts
    return to(
        state,
        Screen.CONSENT,
        consent=None,
        watching=False,
        evidence=Evidence(),
        actions=unanswered(state),
        prompt=None,
        passed=False,
        camera_lost_ns=None,
        restarts=0 if spent else visit.restarts + 1,
        tries=visit.tries + spent,
    ), (StopWatching(),)


# --- Challenge -----------------------------------------------------------------------------------------------


def ask(state: State, policy: Policy, notice: Phrase | None = None, *, but: Action | None = None) -> Step:
    """Ask one random action of those that this person can do and has not put aside; ``but`` is not asked now.

    What was drawn stays: neither stepping out of the picture nor going back draws another action.
    """
    visit = state.visit
    assert visit.person is not None and state.now is not None  # noqa: S101
    without = visit.person.exemptions | visit.refused
    action, draws = visit.action, visit.draws
    if action is None or action in without or action is but:
        action = challenge.choose(state.nonce, draws, policy, without | ({but} if but else set()))
        action, draws = action or challenge.choose(state.nonce, draws, policy, without), draws + 1
    if action is None:
        return refer(state, policy, Phrase.CLOSING_CANNOT, Reason.CANNOT_DO_ACTION)
    prompt = challenge.Prompt(action, state.now_ns, state.now_ns, state.now)
    asked = {"prompt": prompt, "action": action, "draws": draws, "passed": False, "notice": notice}
    return to(state, Screen.CHALLENGE, **asked), ()


def challenge_seen(state: State, event: Seen, policy: Policy) -> Step:
    seen, prompt = event.observation, state.visit.prompt
    if prompt is None or not _usable(state, seen, policy):
        return state, ()
    if breaks(state.visit.evidence, seen):
        return _continuity_lost(state, policy)
    state = amend(state, evidence=collect(state.visit.evidence, seen))
    if seen.at_ns <= prompt.since_ns or seen.faces != 1:
        return state, ()
    prompt = challenge.hear(prompt, seen.actions, seen.at_ns, policy)
    state = amend(state, prompt=prompt)
    if prompt.too_many_others:
        return _other_movements(state, policy)
    if prompt.answer is None:
        return state, ()
    asked_ns = prompt.asked_ns if prompt.answer.started_ns >= prompt.asked_ns else prompt.since_ns
    latency_ms = (prompt.answer.completed_ns - asked_ns) // 1_000_000
    done = ActionEvidence(prompt.action, True, moment(state, asked_ns), latency_ms, prompt.answer.score)
    actions = (*state.visit.actions, done)[-MOST_ACTIONS:]
    return decide(to(state, Screen.DECIDING, passed=True, actions=actions), policy)


def challenge_tick(state: State, _event: Tick, policy: Policy) -> Step:
    visit = state.visit
    prompt = visit.prompt
    if prompt is None or visit.helping or _absent(state):
        return state, ()
    if state.now_ns <= challenge.deadline_ns(prompt, policy):
        return state, ()
    return _one_more_prompt(state, policy, Reason.ACTION_NOT_SEEN, Phrase.CHALLENGE_AGAIN_DETAIL)


def show_again(state: State, _event: Touched, policy: Policy) -> Step:
    return reask(state, policy)


def another_action(state: State, _event: Touched, policy: Policy) -> Step:
    return _put_aside(state, policy)


def cannot(state: State, _event: Touched, policy: Policy) -> Step:
    """The first time another action may help; the second time a person does."""
    if state.visit.cannots:
        return refer(state, policy, Phrase.CLOSING_CANNOT, Reason.CANNOT_DO_ACTION)
    return _put_aside(amend(state, cannots=1), policy)


def reask(state: State, policy: Policy) -> Step:
    """The open prompt, asked anew: its time begins now, and it is spoken again.  Costs nothing the first times."""
    visit = state.visit
    if visit.prompt is None or state.now is None:
        return state, ()
    if visit.repeats >= policy.repeats_most:
        return _one_more_prompt(state, policy, Reason.ACTION_NOT_SEEN, Phrase.CHALLENGE_AGAIN_DETAIL)
    prompt = challenge.anew(visit.prompt, state.now_ns, state.now)
    return amend(state, prompt=prompt, repeats=visit.repeats + 1, utterances=visit.utterances + 1), ()


def _put_aside(state: State, policy: Policy) -> Step:
    visit = state.visit
    if visit.prompt is None:
        return state, ()
    if visit.refusals >= policy.refusals_most:
        return refer(state, policy, Phrase.CLOSING_CANNOT, Reason.CANNOT_DO_ACTION)
    # Whose neck does not turn to one side is not asked to turn it to the other.
    like = TURNS if visit.prompt.action in TURNS else {visit.prompt.action}
    refused, refusals = visit.refused | like, visit.refusals + 1
    aside = amend(state, refused=refused, refusals=refusals, actions=unanswered(state), prompt=None)
    return ask(aside, policy, Phrase.CHALLENGE_OTHER_DETAIL)


def _one_more_prompt(state: State, policy: Policy, reason: Reason, notice: Phrase) -> Step:
    visit = state.visit
    misses = tuple(dict.fromkeys((*visit.misses, reason)))
    repeated = reason is Reason.OTHER_ACTIONS and reason in visit.misses
    if repeated or visit.tries >= policy.max_tries:
        return refer(state, policy, Phrase.CLOSING_COLLEAGUE, *misses)
    state = amend(state, tries=visit.tries + 1, misses=misses, actions=unanswered(state))
    if reason is Reason.OTHER_ACTIONS and visit.prompt is not None:
        return ask(amend(state, prompt=None), policy, notice, but=visit.prompt.action)
    assert visit.prompt is not None and state.now is not None  # noqa: S101
    prompt = challenge.again(visit.prompt, state.now_ns, state.now)
    return amend(state, notice=notice, prompt=prompt, utterances=visit.utterances + 1), ()


def _other_movements(state: State, policy: Policy) -> Step:
    return _one_more_prompt(state, policy, Reason.OTHER_ACTIONS, Phrase.CHALLENGE_SLOWLY_DETAIL)


# --- Deciding ------------------------------------------------------------------------------------------------


def decide(state: State, policy: Policy) -> Step:
    """Put match, alive and action together; a little more may be seen when a frame or two is missing."""
    match, alive = _verdicts(state, policy)
    if match is Verdict.PASS and alive is Verdict.PASS:
        return _certify(state, policy)
    if Verdict.MORE in {match, alive}:
        return state, ()
    return next_try(state, policy, *_missed(match, alive), clear=Verdict.FAR in {match, alive})


def deciding_seen(state: State, event: Seen, policy: Policy) -> Step:
    seen = event.observation
    if state.visit.ending is not None or not _usable(state, seen, policy):
        return state, ()
    if breaks(state.visit.evidence, seen):
        return _continuity_lost(state, policy)
    return decide(amend(state, evidence=collect(state.visit.evidence, seen)), policy)


def deciding_overdue(state: State, policy: Policy) -> Step:
    return next_try(state, policy, Reason.TOO_FEW_FRAMES)


def _certify(state: State, policy: Policy) -> Step:
    visit = state.visit
    assert visit.person is not None and state.now is not None  # noqa: S101
    scheme = policy.scheme_of(visit.person.scheme)
    if (hindrance := _hindrance(state)) is not None:
        return refer(state, policy, Phrase.CLOSING_COLLEAGUE, hindrance)
    if scheme is None:
        return refer(state, policy, Phrase.CLOSING_COLLEAGUE, Reason.SCHEME_UNKNOWN)
    if not (visit.passed and visit.consent is not None and visit.consent.given):
        return close(state, Phrase.CLOSING_LATER)  # no path leads here; if one ever does, nobody is certified
    until = valid_until(local_date(state.now, scheme), scheme)
    return end(state, policy, Outcome.CERTIFIED, Phrase.CLOSING_DONE, until=until)


# --- what can happen at any of these -------------------------------------------------------------------------


def camera(state: State, event: CameraState, policy: Policy) -> Step:
    """A lost camera pauses the visit; when it is back, looking begins again.  One that comes and goes is given up."""
    visit = state.visit
    if visit.ending is not None:
        return state, ()
    if event.working:
        return start(state, policy) if visit.camera_lost_ns is not None else (state, ())
    if visit.camera_lost_ns is not None:
        return state, ()
    if visit.camera_losses >= policy.max_restarts:
        return refer(state, policy, Phrase.CLOSING_CAMERA, Reason.CAMERA_LOST)
    actions = unanswered(state)
    lost = amend(state, evidence=Evidence(), actions=actions, prompt=None, passed=False, camera_lost_ns=state.now_ns)
    return to(lost, Screen.FRAMING, advice=None, notice=None, camera_losses=visit.camera_losses + 1), ()


def eyes(state: State, event: EyesState, policy: Policy) -> Step:
    if event.trusted or state.visit.ending is not None:
        return state, ()
    return refer(state, policy, Phrase.CLOSING_COLLEAGUE, Reason.EYES_NOT_TRUSTED)


def _hindrance(state: State) -> Reason | None:
    """What of the machine keeps anybody from being certified, at the first look as at the last step."""
    if not state.eyes_trusted:
        return Reason.EYES_NOT_TRUSTED
    return None if state.clock.synced else Reason.CLOCK_NOT_SYNCED


def _usable(state: State, seen: Observation, policy: Policy) -> bool:
    """Whether an observation says anything about this person at this step; an old or repeated frame does not."""
    visit = state.visit
    paused = visit.helping and state.phase is not Screen.DECIDING
    if paused or seen.frozen or visit.camera_lost_ns is not None:
        return False
    return visit.watch_ns + seconds_ns(policy.settle_s) < seen.at_ns <= state.now_ns + AHEAD_NS


def _absent(state: State) -> bool:
    visit = state.visit
    return state.now_ns - max(visit.touched_ns, visit.entered_ns, visit.face_ns or 0) > ABSENT_NS


def _advise(state: State, seen: Observation, policy: Policy) -> State:
    """One instruction at a time, long enough to be heard."""
    visit = state.visit
    since_ns = visit.advice_ns if visit.advice is not None else visit.entered_ns
    if seen.advice is visit.advice or state.now_ns - since_ns < seconds_ns(policy.advice_hold_s):
        return state
    return amend(state, advice=seen.advice, advice_ns=state.now_ns, notice=None)


def _forget_the_crowd(state: State) -> Step:
    person = state.visit.person
    assert person is not None  # noqa: S101
    return amend(state, crowd=True, evidence=Evidence(), watch_ns=state.now_ns), (Watch(person.person_ref),)


def _continuity_lost(state: State, policy: Policy) -> Step:
    visit = state.visit
    if visit.restarts >= policy.max_restarts:
        return next_try(state, policy, *_missed(*_verdicts(state, policy)), Reason.CONTINUITY_LOST)
    return start(state, policy, restarts=visit.restarts + 1, actions=unanswered(state))


def _verdicts(state: State, policy: Policy) -> tuple[Verdict, Verdict]:
    """Of the match and of liveness, so far."""
    evidence = state.visit.evidence
    return evidence.of_match(policy), evidence.of_liveness(policy)


def _missed(match: Verdict, alive: Verdict) -> tuple[Reason, ...]:
    """What was missing, in the ledger's words.  A doubt is no suspicion: only a clear one may raise an alarm."""
    reasons = [Reason.NO_MATCH] if match in {Verdict.BELOW, Verdict.FAR} else []
    if alive in {Verdict.BELOW, Verdict.FAR}:
        reasons.append(Reason.PRESENTATION_ATTACK if alive is Verdict.FAR else Reason.LIVENESS_UNSURE)
    return tuple(reasons)
