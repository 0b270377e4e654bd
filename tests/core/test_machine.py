"""The session as a machine: every state meets every event, and what must hold holds whatever comes."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.core.phrases import Phrase
from edge.core.policy import Policy, Verdict, judge_match, seconds_ns
from edge.core.reasons import Reason
from edge.core.session import TABLE, begin, replay, step
from edge.core.state import State
from edge.core.types import (
    Action,
    ActionSeen,
    Advice,
    CameraState,
    ClockState,
    Cues,
    Drawn,
    Effect,
    Event,
    EyesState,
    LookedUp,
    NumberEntered,
    Observation,
    Outcome,
    Person,
    Record,
    Recorded,
    RecordFailed,
    Relation,
    Reset,
    Screen,
    Seen,
    Show,
    Standing,
    Tick,
    Touch,
    Touched,
    Watch,
)
from tests.core.timeline import A_MONDAY, GENUINE, NUMBER, SYNCED, UNSYNCED, WANG, Story

POLICY = replace(Policy(), max_tries=2, ready_dwell_s=0.2, patience_s=0.5, min_ready_frames=2, min_passive_frames=2)
A_NOD = replace(Policy(), actions=(Action.NOD,))


def states() -> Iterator[tuple[str, State]]:
    """One state for every page and every question on it."""
    silent: dict[str, Any] = {"store": lambda: None}
    yield "off", begin(A_NOD)
    yield "idle", Story(policy=A_NOD).state
    yield "relation", Story(policy=A_NOD).touch(Touch.START_FOR_OTHER).state
    yield "staff", Story(policy=A_NOD).touch(Touch.START_ASSISTED).state
    yield "number", Story(policy=A_NOD).touch(Touch.START_SELF).state
    yield "mistyped", Story(policy=A_NOD).touch(Touch.START_SELF).enters("1").state
    yield "looking up", Story(policy=A_NOD, answers_look_ups=False).touch(Touch.START_SELF).enters(NUMBER).state
    valid = {NUMBER: replace(WANG, standing=Standing.VALID, valid_until=date(2027, 10, 31))}
    yield "answer", Story(policy=A_NOD, roster=valid).touch(Touch.START_SELF).enters(NUMBER).state
    yield "waiting", Story(policy=A_NOD, clock=UNSYNCED).touch(Touch.START_SELF).enters(NUMBER).state
    yield "confirm", Story(policy=A_NOD).touch(Touch.START_SELF).enters(NUMBER).state
    yield "consent", Story(policy=A_NOD).touch(Touch.START_SELF).enters(NUMBER).touch(Touch.YES).state
    yield "framing", Story(policy=A_NOD).walks_up().looks(0.5).state
    yield "camera lost", Story(policy=A_NOD).walks_up().looks(0.5).camera(working=False).state
    yield "crowd", Story(policy=A_NOD).walks_up().looks(0.5, faces=2, advice=Advice.TWO_FACES).state
    yield "challenge", Story(policy=A_NOD).walks_up().looks(3).state
    yield "help", Story(policy=A_NOD).walks_up().looks(3).touch(Touch.HELP).state
    yield "still there", Story(policy=A_NOD).touch(Touch.START_SELF).wait(95).state
    # Evidence can only come up short at the decision when the office asks for more in the middle of a visit.
    story = Story(policy=A_NOD).walks_up().looks(3)
    story.policy = replace(A_NOD, min_passive_frames=200)
    yield "deciding", story.obeys().state
    yield "recording", Story(policy=A_NOD, **silent).walks_up().looks(3).obeys().state
    yield "closing", Story(policy=A_NOD).walks_up().looks(3).obeys().state
    yield "ticket", Story(policy=A_NOD, roster={}).touch(Touch.START_SELF).enters(NUMBER).state


STATES = dict(states())


def events(now_ns: int) -> list[Event]:
    """Every kind of event, with sensible, odd and hostile contents."""
    movement = ActionSeen(Action.NOD, now_ns, now_ns + 1, 0.5)
    backwards = ActionSeen(Action.NOD, now_ns + 10, now_ns, float("nan"))
    return [
        *(Touched(touch) for touch in Touch),
        *(Touched(touch, value) for touch in Touch for value in ("child", "2041", "\x00" * 1000, NUMBER)),
        *(Tick(now_ns + seconds_ns(after), A_MONDAY, SYNCED) for after in (-5, 0, 0.1, 20, 100, 10_000)),
        Tick(now_ns, A_MONDAY.replace(tzinfo=None), SYNCED),
        Tick(2**80, A_MONDAY, SYNCED),
        Tick(now_ns, datetime.max.replace(tzinfo=UTC), SYNCED),
        Tick(now_ns, datetime.min.replace(tzinfo=UTC), SYNCED),
        Tick(now_ns, datetime(1970, 1, 1, tzinfo=UTC), UNSYNCED),
        Tick(now_ns, A_MONDAY, UNSYNCED),
        Seen(replace(GENUINE, at_ns=now_ns + 1)),
        Seen(replace(GENUINE, at_ns=now_ns + 1, actions=(movement, backwards))),
        Seen(replace(GENUINE, at_ns=now_ns + 1, match=float("nan"), passive=float("inf"))),
        Seen(replace(GENUINE, at_ns=2**80)),
        Seen(replace(GENUINE, at_ns=-(2**80))),
        Seen(replace(GENUINE, at_ns=now_ns + 1, faces=3, advice=Advice.TWO_FACES)),
        Seen(replace(GENUINE, at_ns=now_ns + 1, track=99)),
        Seen(Observation(frame_no=1, at_ns=now_ns + 1, faces=0, advice=Advice.NO_FACE)),
        *(NumberEntered(text) for text in (NUMBER, "", "1" * 100_000, "٣" * 18, "\ud800", "ABC123456789012")),
        LookedUp(None),
        *(LookedUp(replace(WANG, standing=standing)) for standing in Standing),
        LookedUp(Person("", "", "", Standing.VALID)),
        LookedUp(replace(WANG, valid_until=date.min)),
        LookedUp(replace(WANG, valid_until=date.max)),
        Recorded("x"),
        RecordFailed(),
        CameraState(False),
        CameraState(True),
        EyesState(False),
        EyesState(True),
        Drawn(""),
        Drawn("not hex"),
        Drawn("cd" * 16),
    ]


@pytest.mark.parametrize("name", STATES)
def test_every_state_takes_every_event_and_then_every_other(name: str) -> None:
    start = STATES[name]
    for first in events(start.now_ns):
        state, effects = step(start, first, A_NOD)
        _check_effects(start, effects)
        for second in events(state.now_ns)[::7]:
            _check_effects(state, step(state, second, A_NOD)[1])


def test_the_table_names_every_page_and_only_known_events() -> None:
    assert set(TABLE) == set(Screen)
    known = set(Touch) | set(Event.__args__)
    assert {key for rows in TABLE.values() for key in rows} <= known


@pytest.mark.parametrize("name", [name for name in STATES if name != "off"])
def test_every_page_offers_help_and_only_touches_that_do_something(name: str) -> None:
    state = STATES[name]
    view = state.shown
    assert view is not None
    offered = {choice.touch for choice in view.choices}
    assert Touch.HELP in offered or state.visit.helping
    everywhere = {Touch.HELP, Touch.STILL_HERE}
    if not state.visit.helping and state.visit.asked_ns is None:
        assert offered - everywhere <= set(TABLE[state.phase])


@pytest.mark.parametrize("name", STATES)
def test_left_alone_every_state_comes_back_to_the_attract_page(name: str) -> None:
    state = STATES[name]
    for second in range(200):
        at_ns = state.now_ns + seconds_ns(1)
        state, effects = step(state, Tick(at_ns, A_MONDAY + timedelta(seconds=second), SYNCED), A_NOD)
        if any(isinstance(effect, Reset) for effect in effects):
            state, _ = step(state, Drawn("ab" * 16), A_NOD)
    assert state.phase is Screen.IDLE and not state.visit.helping


@pytest.mark.parametrize("name", STATES)
def test_no_page_ever_hurries_blames_or_shows_a_number(name: str) -> None:
    view = STATES[name].shown
    if view is not None:
        words = " ".join([view.prompt, view.detail, *view.params.values()])
        assert NUMBER not in words
        assert not {"fail", "reject", "error", "wrong", "second", "countdown"} & set(words.lower().split())
        assert view.prompt in set(Phrase)
        assert not view.detail or view.detail in set(Phrase)
        assert all(choice.label in set(Phrase) for choice in view.choices)


def test_no_text_key_blames_or_hurries() -> None:
    for phrase in Phrase:
        assert not any(word in phrase.value for word in ("fail", "reject", "error", "wrong", "invalid", "countdown"))


# --- random histories ----------------------------------------------------------------------------------------


@st.composite
def observations(draw: st.DrawFn) -> dict[str, Any]:
    return {
        "faces": draw(st.sampled_from([1, 1, 1, 1, 1, 0, 2])),
        "advice": draw(st.sampled_from([Advice.READY] * 6 + [Advice.TOO_FAR, Advice.TWO_FACES])),
        "track": draw(st.sampled_from([1] * 8 + [2])),
        "match": draw(st.sampled_from([0.6] * 6 + [0.3, 0.1, None])),
        "passive": draw(st.sampled_from([0.9997] * 6 + [0.9, 0.02, None])),
        "cues": Cues(
            relief=draw(st.sampled_from([None, None, 0.9, 0.1, float("nan")])),
            moire=draw(st.sampled_from([None, 0.0, 0.2, 5.0])),
            border=draw(st.sampled_from([None, 0.0, 0.2, 5.0])),
        ),
        "neutral": draw(st.sampled_from([True] * 6 + [False])),
        "frozen": draw(st.sampled_from([False] * 9 + [True])),
        "moves": draw(st.sampled_from([None, None, None, "asked", *Action])),
        "age_s": draw(st.sampled_from([0.0] * 8 + [0.5, 5.0])),
        "times": draw(st.integers(1, 8)),
    }


SENSIBLE = ["start", "number", "found", "yes", "agree", "looks", "looks", "looks", "stored", "finish"]
PLAYS = st.one_of(
    st.sampled_from(SENSIBLE),
    st.sampled_from(SENSIBLE),
    observations(),
    observations(),
    st.sampled_from(list(Touch)),
    st.sampled_from(
        ["wait", "long wait", "nobody", "failed", "camera off", "camera on", "eyes off", "eyes on", "unsync"]
    ),
)


class Player:
    """Plays a random history with a bias to sensible ones, and checks the promises at every step."""

    def __init__(self, policy: Policy = POLICY) -> None:
        self.policy = policy
        self.state, self.now_ns, self.frame = begin(policy), seconds_ns(50), 0
        self.events: list[Event] = []
        self.effects: list[Effect] = []
        self.clock = SYNCED
        self.seen_since_watch: list[Observation] = []
        self.watched = False
        self.records = 0  # of this visit
        self.stored = False
        self.nonces = 0
        for event in (EyesState(True), Drawn("0" * 32)):
            self.tell(event)
        self.tick()

    def tell(self, event: Event) -> None:
        before = self.state
        self.events.append(event)
        self.state, effects = step(before, event, self.policy)
        self.effects += effects
        # Whoever steers what is asked meets three prompts at most: one drawn, one after a refusal, one after others.
        assert self.state.visit.draws <= 2 + self.policy.refusals_most
        if isinstance(event, Seen):
            self.seen_since_watch.append(event.observation)
        if isinstance(event, Recorded) and self.records:
            self.stored = True
        for effect in effects:
            self.promise(before, effect)
        for effect in effects:
            if isinstance(effect, Reset):
                self.nonces += 1
                self.tell(Drawn(f"{self.nonces:032x}"))

    def promise(self, before: State, effect: Effect) -> None:
        match effect:
            case Watch():
                self.watched, self.seen_since_watch = True, []
            case Record(attempt):
                self.records += 1
                assert self.records == 1, "one record a visit"
                assert attempt.started_at <= attempt.decided_at
                if attempt.outcome is Outcome.CERTIFIED:
                    self.certified(attempt)
            case Show(view) if view.light is not None:
                assert self.policy.light_challenge
                assert (view.screen, view.prompt) == (Screen.FRAMING, Phrase.FRAMING_LIGHT)
            case Show(view) if view.prompt in {Phrase.CLOSING_DONE} or "ticket" in view.params:
                assert self.stored, "nothing is called done before it is durable"
            case Reset():
                assert self.records == 1 or not self.watched, "who was looked at leaves a record"
                self.records, self.stored, self.watched = 0, False, False

    def certified(self, attempt: Any) -> None:
        state = self.state
        assert self.watched
        assert attempt.consent is not None and attempt.consent.given
        assert attempt.clock.synced and state.eyes_trusted and state.camera_working
        assert attempt.person_ref == WANG.person_ref and attempt.ticket is None
        assert attempt.match is not None and attempt.match.score >= attempt.match.threshold
        assert judge_match(attempt.match.score, attempt.match.probe_frames, self.policy) is Verdict.PASS
        assert attempt.liveness is not None and attempt.liveness.score >= attempt.liveness.threshold
        assert attempt.liveness.frames >= self.policy.min_passive_frames
        (passed,) = [seen for seen in attempt.actions if seen.passed]
        assert passed.latency_ms is not None and passed.latency_ms >= self.policy.reaction_least_s * 1000
        # An independent look at the observations: one face, one track, and no second face, to the very end.
        assert state.visit.evidence.track in {1, 2}
        last = None
        for seen in reversed(self.seen_since_watch):
            if (
                seen.frozen
                or seen.faces == 0
                or seen.at_ns <= state.visit.watch_ns + seconds_ns(self.policy.settle_s)
            ):
                continue
            if seen.faces > 1 or seen.advice is Advice.TWO_FACES or seen.track != state.visit.evidence.track:
                break
            last = seen
        assert last is not None and state.visit.prompt is not None
        assert last.at_ns <= state.visit.prompt.asked_ns, "the track is older than the prompt"

    def tick(self, seconds: float = 0.1) -> None:
        self.now_ns += seconds_ns(seconds)
        now = A_MONDAY + timedelta(microseconds=self.now_ns // 1000)
        self.tell(Tick(self.now_ns, now, self.clock))

    def look(self, times: int = 6, moves: Any = None, age_s: float = 0.0, **facts: Any) -> None:
        for place in range(times):
            self.tick()
            self.frame += 1
            actions: tuple[ActionSeen, ...] = ()
            asked = self.state.visit.prompt.action if self.state.visit.prompt else None
            action = asked if moves == "asked" else moves
            at_ns = self.now_ns - seconds_ns(age_s)
            if action is not None and place == times - 1:
                actions = (ActionSeen(action, at_ns - seconds_ns(0.3), at_ns, 0.5),)
            self.tell(Seen(replace(GENUINE, frame_no=self.frame, at_ns=at_ns, actions=actions, **facts)))

    def play(self, move: Any) -> None:
        match move:
            case dict():
                self.look(**move)
            case Touch():
                self.tell(Touched(move, Relation.CHILD if move is Touch.START_FOR_OTHER else "2041"))
                self.tick()
            case "start":
                self.tell(Touched(Touch.START_SELF))
            case "number":
                self.tell(NumberEntered(NUMBER))
            case "found":
                self.tell(LookedUp(WANG))
            case "yes" | "agree" | "finish":
                self.tell(Touched(Touch(move)))
                self.tick()
            case "looks":
                self.look(8)
                self.look(6, "asked")
                self.look(6, "asked")
            case "look":
                self.look(20)
            case "stored":
                self.tell(Recorded("r"))
            case "failed":
                self.tell(RecordFailed())
            case "wait":
                self.tick(2)
            case "long wait":
                self.tick(30)
            case "nobody":
                self.look(5, faces=0, advice=Advice.NO_FACE)
            case "camera off" | "camera on":
                self.tell(CameraState(move == "camera on"))
            case "eyes off" | "eyes on":
                self.tell(EyesState(move == "eyes on"))
            case "unsync":
                self.clock = ClockState(synced=not self.clock.synced, source="ntp")


@settings(max_examples=80)
@given(st.lists(PLAYS, max_size=40))
def test_whatever_happens_the_promises_hold_and_the_session_replays(history: list[Any]) -> None:
    player = Player()
    for move in history:
        player.play(move)
    state, effects = replay(player.events, POLICY)
    assert state == player.state
    assert list(effects) == player.effects


WAYS_OUT = st.sampled_from([Touch.BACK, Touch.NO, Touch.YES, Touch.HELP, "finish", "camera off", "wait", "long wait"])


@settings(max_examples=200)
@given(st.lists(WAYS_OUT, min_size=3, max_size=8))
def test_no_way_out_after_a_look_goes_unrecorded(ways: list[Any]) -> None:
    player = Player()
    for move in ["start", "number", "found", "yes", "agree", "look", *ways, "stored", *["long wait"] * 6]:
        player.play(move)
    assert sum(isinstance(effect, Record) for effect in player.effects) >= 1


@settings(max_examples=60)
@given(st.lists(PLAYS, max_size=40))
def test_whatever_happens_the_page_s_light_is_out_when_the_light_challenge_is_over(history: list[Any]) -> None:
    player = Player(replace(POLICY, light_challenge=True))
    for move in ["start", "number", "found", "yes", "agree", "look", *history]:
        player.play(move)
        state, view = player.state, player.state.shown
        assert view is not None
        lit = state.visit.showing is not None and not state.visit.showing.shown
        assert (view.light is not None) == lit
        if lit:
            assert state.phase is Screen.FRAMING and state.visit.camera_lost_ns is None
            assert not state.visit.helping and state.visit.asked_ns is None


@settings(max_examples=40)
@given(st.lists(PLAYS, max_size=6), st.lists(PLAYS, max_size=4))
def test_a_sensible_visit_with_disturbances_certifies_or_hands_over_but_keeps_its_promises(
    before: list[Any], during: list[Any]
) -> None:
    player = Player()
    for move in [
        *before,
        "finish",
        "long wait",
        "long wait",
        "long wait",
        "start",
        "number",
        "found",
        "yes",
        "agree",
    ]:
        player.play(move)
    for move in ["looks", *during, "looks", "looks", "stored"]:
        player.play(move)


def test_the_player_of_random_histories_does_reach_certification() -> None:
    player = Player()
    for move in ["start", "number", "found", "yes", "agree", "looks", "looks", "stored"]:
        player.play(move)
    outcomes = [effect.attempt.outcome for effect in player.effects if isinstance(effect, Record)]
    assert outcomes == [Outcome.CERTIFIED]


def _check_effects(before: State, effects: tuple[Effect, ...]) -> None:
    records = [effect for effect in effects if isinstance(effect, Record)]
    assert len(records) <= 1
    if before.visit.ending is not None:
        assert not records
    for effect in effects:
        if isinstance(effect, Show) and effect.view.prompt == Phrase.CLOSING_DONE:
            assert before.phase in {Screen.DECIDING, Screen.CLOSING}


def test_the_readers_page_names_every_page_reason_and_deadline() -> None:
    text = Path(__file__).parents[2].joinpath("docs/session.md").read_text(encoding="utf-8")
    for word in [*Screen, *Outcome, *Reason]:
        assert f"`{word}`" in text, word
    deadlines = {key for key in Policy().to_mapping() if key.endswith("_s")}
    unnamed = {key for key in deadlines if f"`{key}`" not in text}
    assert unnamed == {
        "reaction_least_s",
        "eyes_shut_s",
        "face_holds_s",
        "quiet_s",
        "attacks_within_s",
    }
