"""What happens to people at the terminal, told as timelines."""

from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import pairwise

import pytest

from edge.core.phrases import Phrase
from edge.core.policy import Policy
from edge.core.types import (
    Action,
    Advice,
    ClockState,
    Consent,
    EyesState,
    LookedUp,
    Method,
    Mode,
    NumberEntered,
    Outcome,
    Person,
    Record,
    Recorded,
    Relation,
    Reset,
    Screen,
    Show,
    Standing,
    StopWatching,
    Touch,
)
from tests.core.timeline import NOBODY, NUMBER, UNSYNCED, WANG, Story, not_stored


def only(action: Action, **more: object) -> Policy:
    return replace(Policy(), actions=(action,), **more)  # type: ignore[arg-type]


def roster(**differs: object) -> dict[str, Person]:
    return {NUMBER: replace(WANG, **differs)}  # type: ignore[arg-type]


# --- the main road -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", list(Action))
def test_a_retiree_who_is_due_is_certified_with_one_action(action: Action) -> None:
    story = Story(policy=only(action)).walks_up().looks(3).obeys()
    assert story.record.outcome is Outcome.CERTIFIED
    assert story.record.reasons == ()
    assert story.record.attempts == 1
    assert story.record.valid_until == date(2027, 11, 30)
    assert story.record.person_ref == "ref-wang" and story.record.number is None
    assert story.record.consent is not None and story.record.consent.given
    assert story.record.match is not None and story.record.match.score == 0.62
    assert story.record.passive is not None and story.record.passive.frames >= 5
    assert [(seen.action, seen.passed) for seen in story.record.actions] == [(action, True)]
    assert story.record.started_at < story.record.captured_at <= story.record.decided_at  # type: ignore[operator]
    assert story.record.ticket is None
    assert story.view.prompt == Phrase.CLOSING_DONE
    assert story.view.params["until"] == "2027-11-30"
    assert story.wait(13).view.prompt == Phrase.IDLE_WELCOME
    assert story.replays()


def test_the_pages_come_in_this_order() -> None:
    story = Story(policy=only(Action.NOD)).walks_up().looks(3).obeys().wait(13)
    pages = [str(view.screen) for view in story.views]
    assert [page for page, before in zip(pages, ["", *pages], strict=False) if page != before] == [
        "idle", "identify", "confirm", "consent", "framing", "challenge", "deciding", "closing", "idle",
    ]  # fmt: skip
    assert story.said == [
        "identify.ask_number", "identify.looking_up", "confirm.self", "consent.text", "framing.begin", "advice.ready",
        "action.nod", "deciding.one_moment", "closing.done",
    ]  # fmt: skip


def test_a_quick_visitor_is_done_within_half_a_minute() -> None:
    assert Story().walks_up().looks(3).obeys().seconds < 30


def test_a_helper_enters_the_number_and_the_beneficiary_is_looked_at() -> None:
    story = Story(policy=only(Action.NOD)).touch(Touch.START_FOR_OTHER)
    assert story.view.prompt == Phrase.ASK_RELATION
    story.touch(Touch.START_FOR_OTHER, Relation.CHILD).enters(NUMBER)
    assert story.view.prompt == Phrase.CONFIRM_OTHER
    story.touch(Touch.YES)
    assert story.view.prompt == Phrase.CONSENT_ASK_OTHER
    story.touch(Touch.AGREE).looks(3).obeys()
    assert (story.record.outcome, story.record.mode) == (Outcome.CERTIFIED, Mode.FOR_OTHER)
    assert story.record.relation is Relation.CHILD
    assert story.watches == ["ref-wang"]


def test_a_colleague_assists_with_a_staff_number() -> None:
    story = Story().touch(Touch.START_ASSISTED)
    assert story.view.prompt == Phrase.ASK_STAFF_NUMBER and story.view.keypad
    assert story.touch(Touch.START_ASSISTED, "what?").view.prompt == Phrase.STAFF_NUMBER_AGAIN
    story.touch(Touch.START_ASSISTED, "B 2041").enters(NUMBER)
    assert story.view.prompt == Phrase.CONFIRM_ASSISTED
    story.touch(Touch.YES).touch(Touch.AGREE).looks(3).obeys()
    assert (story.record.mode, story.record.staff) == (Mode.ASSISTED, "B2041")


def test_an_identity_number_is_never_kept_as_a_staff_number() -> None:
    story = Story().touch(Touch.START_ASSISTED).enters(NUMBER)
    assert story.view.prompt == Phrase.STAFF_NUMBER_AGAIN
    assert story.state.visit.staff is None
    story.enters("2041")
    assert story.view.prompt == Phrase.ASK_NUMBER_OTHER


def test_a_card_laid_down_at_the_attract_page_begins_a_visit() -> None:
    story = Story()
    story.tell(NumberEntered(NUMBER, source="card"))
    assert story.view.prompt == Phrase.CONFIRM_SELF


def test_a_card_left_on_the_reader_does_not_begin_again_at_once() -> None:
    story = Story().walks_up().looks(3).obeys().touch(Touch.FINISH)
    story.tell(NumberEntered(NUMBER, source="card"))
    assert story.view.screen is Screen.IDLE


# --- numbers and standings -----------------------------------------------------------------------------------


def test_a_mistyped_number_is_met_with_the_next_step_and_leaves_nothing() -> None:
    story = Story().touch(Touch.START_SELF).enters("110105194912310021")
    assert story.view.prompt == Phrase.NUMBER_CHECK_DIGIT and story.view.keypad
    assert story.state.visit.number is None
    said = len(story.said)
    story.enters("110105194912310021")
    assert len(story.said) == said + 1, "the same mistake is explained again"
    story.enters(NUMBER)
    assert story.view.prompt == Phrase.CONFIRM_SELF
    assert story.records == []


def test_somebody_who_is_not_on_the_roster_gets_a_ticket() -> None:
    story = Story(roster={}).touch(Touch.START_SELF).enters(NUMBER)
    assert (story.record.outcome, story.record.reasons) == (Outcome.REFERRED, ("not_on_roster",))
    assert story.record.person_ref is None and story.record.number == NUMBER
    assert NUMBER not in repr(story.record) and NUMBER not in repr(story.state)
    assert story.view.prompt == Phrase.CLOSING_NOT_ON_ROSTER
    assert story.view.params["ticket"] == story.record.ticket


def test_a_look_up_without_an_answer_ends_with_a_ticket() -> None:
    story = Story(answers_look_ups=False).touch(Touch.START_SELF).enters(NUMBER).wait(9)
    assert story.record.reasons == ("look_up_unanswered",)
    story.tell(LookedUp(WANG))
    assert story.view.screen is Screen.CLOSING, "a late answer changes nothing"


def test_somebody_valid_by_data_matching_has_nothing_to_do() -> None:
    people = roster(standing=Standing.VALID, valid_until=date(2027, 8, 31), method=Method.DATA_MATCH)
    story = Story(roster=people).touch(Touch.START_SELF).enters(NUMBER)
    assert story.view.prompt == Phrase.VALID_BY_DATA
    assert story.view.params["until"] == "2027-08-31"
    story.touch(Touch.FINISH)
    assert (story.record.outcome, story.record.reasons) == (Outcome.INFORMED, ("already_valid",))
    assert story.view.prompt == Phrase.CLOSING_ALREADY_VALID


def test_somebody_valid_may_certify_early() -> None:
    story = Story(roster=roster(standing=Standing.VALID, valid_until=date(2027, 8, 31)))
    story.touch(Touch.START_SELF).enters(NUMBER).touch(Touch.YES).touch(Touch.YES).touch(Touch.AGREE)
    story.looks(3).obeys()
    assert story.record.outcome is Outcome.CERTIFIED
    assert story.record.valid_until == date(2027, 11, 30)


@pytest.mark.parametrize(
    ("standing", "outcome", "prompt", "ticket"),
    [
        (Standing.NOT_IN_SCOPE, Outcome.INFORMED, Phrase.CLOSING_NOT_IN_SCOPE, False),
        (Standing.UNDER_REVIEW, Outcome.INFORMED, Phrase.CLOSING_UNDER_REVIEW, False),
        (Standing.SUSPENDED, Outcome.REFERRED, Phrase.CLOSING_SUSPENDED, True),
        (Standing.LOST_ELIGIBILITY, Outcome.REFERRED, Phrase.CLOSING_LOST_ELIGIBILITY, True),
    ],
)
def test_what_only_the_office_can_settle(standing: Standing, outcome: Outcome, prompt: Phrase, ticket: bool) -> None:
    story = Story(roster=roster(standing=standing)).touch(Touch.START_SELF).enters(NUMBER)
    assert (story.record.outcome, story.record.reasons) == (outcome, (str(standing),))
    assert story.view.prompt == prompt
    assert (story.record.ticket is not None) == ticket


def test_a_roster_of_last_month_does_not_make_somebody_valid_today() -> None:
    people = roster(standing=Standing.VALID, valid_until=date(2026, 10, 31))
    story = Story(roster=people).touch(Touch.START_SELF).enters(NUMBER)
    assert story.view.prompt == Phrase.CONFIRM_SELF
    assert story.view.detail == Phrase.CONFIRM_OVERDUE_DETAIL


def test_somebody_of_a_scheme_that_the_policy_does_not_know_is_referred() -> None:
    story = Story(roster=roster(scheme="elsewhere")).touch(Touch.START_SELF).enters(NUMBER)
    assert story.record.reasons == ("scheme_unknown",)


def test_no_is_no_mistake() -> None:
    story = Story().touch(Touch.START_SELF).enters(NUMBER).touch(Touch.NO)
    assert story.view.prompt == Phrase.ASK_NUMBER_AGAIN
    assert story.state.visit.person is None
    assert story.touch(Touch.BACK).view.screen is Screen.IDLE
    assert story.records == []


def test_somebody_without_a_reference_photo_is_referred_before_being_looked_at() -> None:
    story = Story(roster=roster(has_reference=False)).touch(Touch.START_SELF).enters(NUMBER).touch(Touch.YES)
    assert story.record.reasons == ("no_reference",)
    assert story.watches == []


# --- consent -------------------------------------------------------------------------------------------------


def test_refusing_consent_leads_to_the_other_way_without_nagging() -> None:
    story = Story().touch(Touch.START_SELF).enters(NUMBER).touch(Touch.YES).touch(Touch.DECLINE)
    assert (story.record.outcome, story.record.reasons) == (Outcome.REFERRED, ("consent_declined",))
    assert isinstance(story.record.consent, Consent) and not story.record.consent.given
    assert story.record.consent.text_version == story.policy.consent_text
    assert story.view.prompt == Phrase.CLOSING_DECLINED
    assert story.watches == []


def test_stepping_back_from_the_camera_takes_the_consent_back() -> None:
    story = Story().walks_up().looks(0.5).touch(Touch.BACK)
    assert story.view.screen is Screen.CONSENT
    assert story.state.visit.consent is None
    assert any(isinstance(effect, StopWatching) for _, effect in story.effects)


def test_stepping_back_again_and_again_is_not_an_endless_supply_of_tries() -> None:
    story = Story().walks_up()
    for _ in range(40):
        story.looks(1, match=0.3).touch(Touch.BACK).touch(Touch.AGREE)
        if story.records:
            break
    assert story.record.outcome is Outcome.REFERRED
    assert story.record.attempts == 3


# --- before the camera ---------------------------------------------------------------------------------------


def test_an_instruction_stays_long_enough_to_be_heard() -> None:
    story = Story().walks_up()
    for _ in range(20):
        story.looks(0.1, advice=Advice.TOO_FAR, passive=None).looks(0.1, advice=Advice.TOO_DARK, passive=None)
    shown = [at for at, effect in story.effects if isinstance(effect, Show) and effect.view.screen is Screen.FRAMING]
    assert all(later - sooner >= 1.0 for sooner, later in pairwise(shown))


def test_a_person_who_settles_slowly_is_not_hurried() -> None:
    story = Story().walks_up().looks(30, advice=Advice.TOO_FAR, passive=None)
    assert story.state.visit.tries == 1
    assert story.looks(3).obeys().record.outcome is Outcome.CERTIFIED


def test_a_backlit_face_is_coached_first_and_judged_afterwards() -> None:
    story = Story().walks_up().looks(10, advice=Advice.BACKLIGHT, passive=0.04)
    assert story.view.prompt == Phrase.ADVICE_BACKLIGHT
    assert story.looks(3).obeys().record.outcome is Outcome.CERTIFIED


def test_a_second_face_starts_the_evidence_again() -> None:
    story = Story().walks_up().looks(1).looks(2, faces=2, advice=Advice.TWO_FACES)
    assert story.state.visit.evidence.ready_frames == 0
    assert story.watches == ["ref-wang", "ref-wang"]
    assert story.view.prompt == Phrase.ADVICE_TWO_FACES
    assert story.looks(3, track=2).obeys(track=2).record.outcome is Outcome.CERTIFIED


def test_frames_from_before_the_watch_do_not_count() -> None:
    story = Story().walks_up()
    begun_ns = story.state.visit.watch_ns
    for _ in range(50):
        story.wait(0.1).sees(at_ns=begun_ns)
    assert story.state.visit.evidence.ready_frames == 0


def test_a_frozen_picture_is_no_evidence() -> None:
    assert Story().walks_up().looks(10, frozen=True).state.visit.evidence.ready_frames == 0


def test_no_action_is_asked_before_the_neutral_face_is_known() -> None:
    story = Story().walks_up().looks(6, neutral=False)
    assert story.view.screen is Screen.FRAMING
    assert story.looks(1).view.screen is Screen.CHALLENGE


def test_a_face_without_any_comparison_ends_with_a_colleague() -> None:
    story = Story().walks_up().looks(60, match=None, probe_frames=0)
    assert (story.record.outcome, story.record.reasons) == (Outcome.REFERRED, ("no_reference",))


def test_an_impostor_is_referred_within_twenty_seconds_and_not_told_why() -> None:
    story = Story().walks_up()
    begun = story.seconds
    while not story.records and story.seconds < begun + 60:
        story.looks(0.1, match=0.08, probe_frames=30)
    assert story.seconds - begun < 20
    assert (story.record.outcome, story.record.reasons) == (Outcome.REFERRED, ("no_match",))
    assert story.view.prompt == Phrase.CLOSING_COLLEAGUE
    assert story.alarms == []


def test_an_old_reference_photo_gets_three_kind_tries() -> None:
    story = Story().walks_up()
    while not story.records:
        story.looks(0.1, match=0.38)
    assert (story.record.attempts, story.record.reasons) == (3, ("no_match",))
    assert Phrase.FRAMING_ONCE_MORE in story.prompts
    assert story.seconds < 25


def test_a_printed_photo_is_referred_and_a_second_one_raises_an_alarm() -> None:
    story = Story().walks_up()
    while not story.records:
        story.looks(0.1, passive=0.01)
    assert story.record.reasons == ("presentation_attack_suspected",)
    assert story.record.passive is not None and story.record.passive.score == 0.01
    assert story.view.prompt == Phrase.CLOSING_COLLEAGUE
    assert story.seconds < 25 and story.alarms == []
    story.wait(40).walks_up()
    while len(story.records) < 2:
        story.looks(0.1, passive=0.01)
    assert story.alarms == ["repeated_presentation_attacks"]
    assert story.replays()


@pytest.mark.parametrize("shakes_off", ["steps out", "second face"])
def test_what_spoke_against_a_face_is_not_shaken_off_by_leaving_the_picture(shakes_off: str) -> None:
    story = Story().walks_up()
    track = 1
    while not story.records and story.seconds < 300:
        story.looks(1.5, passive=0.5, track=track)
        if shakes_off == "second face":
            story.looks(0.2, faces=2, advice=Advice.TWO_FACES, track=track)
        track += 1
    assert story.record.outcome is Outcome.REFERRED
    assert set(story.record.reasons) == {"presentation_attack_suspected", "continuity_lost"}
    assert story.seconds < 40


def test_a_good_face_may_come_and_go() -> None:
    story = Story().walks_up()
    for track in range(1, 12):
        story.looks(0.8, track=track).looks(0.5, faces=2, advice=Advice.TWO_FACES, track=track)
    assert story.state.visit.restarts == 0
    assert story.looks(3, track=20).obeys(track=20).record.outcome is Outcome.CERTIFIED


def test_the_odd_bad_frame_does_not_spoil_a_bona_fide_session() -> None:
    story = Story().walks_up()
    for _ in range(10):
        story.looks(0.2).looks(0.1, passive=0.1)
    assert story.obeys().record.outcome is Outcome.CERTIFIED


def test_a_lost_camera_is_waited_for_and_looking_begins_again() -> None:
    story = Story(policy=only(Action.NOD)).walks_up().looks(3)
    assert story.view.screen is Screen.CHALLENGE
    story.camera(working=False)
    assert story.view.prompt == Phrase.CAMERA_WAIT
    story.wait(10).camera(working=True)
    assert story.looks(3, track=5).obeys(track=5).record.outcome is Outcome.CERTIFIED


def test_a_camera_that_stays_away_ends_the_visit_kindly() -> None:
    story = Story().walks_up().looks(1).camera(working=False).wait(21)
    assert story.record.reasons == ("camera_lost",)
    assert story.view.prompt == Phrase.CLOSING_CAMERA
    assert story.wait(31).view.prompt == Phrase.IDLE_WAIT_CAMERA


def test_a_camera_that_comes_and_goes_keeps_nobody_waiting_for_a_quarter_of_an_hour() -> None:
    story = Story().walks_up()
    while not story.records and story.seconds < 120:
        story.camera(working=True).looks(2.1, advice=Advice.HOLD_STILL).camera(working=False).wait(1)
    assert story.record.reasons == ("camera_lost",)
    assert story.view.prompt == Phrase.CLOSING_CAMERA


def test_an_action_that_the_camera_s_loss_cut_short_stays_in_the_record() -> None:
    story = Story(policy=only(Action.NOD)).walks_up().looks(3).camera(working=False).wait(5).camera(working=True)
    record = story.looks(3, track=5).obeys(track=5).record
    assert [seen.passed for seen in record.actions] == [False, True]


def test_eyes_that_lose_trust_certify_nobody() -> None:
    story = Story().walks_up().looks(3).tell(EyesState(False))
    assert (story.record.outcome, story.record.reasons) == (Outcome.REFERRED, ("eyes_not_trusted",))


# --- the action ----------------------------------------------------------------------------------------------


def test_a_person_who_thinks_for_a_while_is_not_hurried() -> None:
    story = Story(policy=only(Action.NOD)).walks_up().looks(3)
    shown = len(story.views)
    assert len(story.looks(13).views) == shown, "the page stands still for 15 s from the prompt"
    assert story.obeys().record.outcome is Outcome.CERTIFIED


def test_a_person_who_looks_away_is_asked_again_gently_and_then_met_by_a_colleague() -> None:
    story = Story(policy=only(Action.NOD)).walks_up().looks(3)
    story.looks(16)
    assert story.view.detail == Phrase.CHALLENGE_AGAIN_DETAIL
    assert story.state.visit.tries == 2
    story.looks(32)
    assert (story.record.outcome, story.record.reasons) == (Outcome.REFERRED, ("action_not_seen",))
    assert [seen.passed for seen in story.record.actions] == [False, False, False]
    assert story.view.prompt == Phrase.CLOSING_COLLEAGUE


def test_a_movement_begun_just_before_the_gentle_repetition_counts() -> None:
    story = Story(policy=only(Action.NOD)).walks_up()
    while story.asked is None:
        story.looks(0.1)
    story.looks(15.2).moves(Action.NOD)
    assert story.record.outcome is Outcome.CERTIFIED
    assert story.record.actions[-1].latency_ms == 15_800


def test_the_second_prompt_can_still_be_answered() -> None:
    story = Story(policy=only(Action.OPEN_MOUTH)).walks_up().looks(3).looks(16).obeys()
    assert (story.record.outcome, story.record.attempts) == (Outcome.CERTIFIED, 2)
    assert [seen.passed for seen in story.record.actions] == [False, True]


def test_asking_to_see_it_again_costs_nothing_twice_and_then_a_try() -> None:
    story = Story(policy=only(Action.NOD)).walks_up().looks(3)
    for _ in range(2):
        story.looks(10).touch(Touch.SHOW_AGAIN)
    assert story.said.count("action.nod") == 3
    assert story.looks(1).state.visit.tries == 1
    story.looks(10).touch(Touch.HELP).touch(Touch.BACK)
    assert (story.state.visit.tries, story.said.count("action.nod")) == (2, 4)
    assert story.obeys().record.outcome is Outcome.CERTIFIED


def test_who_wants_to_see_it_again_and_again_meets_a_colleague() -> None:
    story = Story(policy=only(Action.NOD)).walks_up().looks(3)
    for _ in range(5):
        story.looks(10).touch(Touch.SHOW_AGAIN)
    assert (story.record.outcome, story.record.reasons) == (Outcome.REFERRED, ("action_not_seen",))


def test_a_film_is_not_shown_the_prompt_until_it_comes_to_the_right_movement() -> None:
    story = Story(policy=replace(only(Action.NOD), repeats_most=100)).walks_up().looks(3)
    for other in (Action.TURN_LEFT, Action.TURN_RIGHT, Action.OPEN_MOUTH):
        story.looks(1).moves(other).touch(Touch.SHOW_AGAIN)
    assert story.state.visit.tries == 2
    story.looks(3)
    for other in (Action.TURN_LEFT, Action.TURN_RIGHT, Action.OPEN_MOUTH):
        story.looks(1).moves(other).touch(Touch.HELP).touch(Touch.BACK)
    assert story.record.reasons == ("many_other_actions",)


def test_another_action_can_be_had_and_never_the_same_again() -> None:
    story = Story().walks_up().looks(3)
    first = story.asked
    assert Touch.ANOTHER_ACTION in story.touches_offered
    story.touch(Touch.ANOTHER_ACTION)
    assert story.asked not in {first, None}
    assert Touch.ANOTHER_ACTION not in story.touches_offered, "what is left is to say that one cannot"
    story.touch(Touch.CANNOT)
    assert (story.record.outcome, story.record.reasons) == (Outcome.REFERRED, ("cannot_do_action",))
    assert story.view.prompt == Phrase.CLOSING_CANNOT


def test_refusing_until_an_action_fits_ends_with_a_colleague() -> None:
    story = Story().walks_up().looks(3)
    for _ in range(2):
        story.touch(Touch.ANOTHER_ACTION)
    assert (story.record.outcome, story.record.reasons) == (Outcome.REFERRED, ("cannot_do_action",))
    assert story.view.prompt == Phrase.CLOSING_CANNOT


def test_whose_neck_does_not_turn_is_not_asked_to_turn_it_the_other_way() -> None:
    turns = (Action.TURN_LEFT, Action.TURN_RIGHT, Action.NOD)
    story = Story(policy=replace(Policy(), actions=turns, visits_most=100))
    for _ in range(8):
        story.walks_up().looks(3)
        if story.asked is not Action.NOD:
            assert story.touch(Touch.ANOTHER_ACTION).asked is Action.NOD
        story.touch(Touch.CANNOT).touch(Touch.CANNOT).touch(Touch.FINISH).wait(5)


@pytest.mark.parametrize("leaves", ["steps out", "goes back", "lost camera"])
def test_leaving_and_coming_back_does_not_draw_another_action(leaves: str) -> None:
    story = Story().walks_up().looks(3)
    first = story.asked
    for track in range(2, 5):
        match leaves:
            case "steps out":
                story.wait(1).looks(3, track=track)
            case "goes back":
                story.touch(Touch.BACK).touch(Touch.AGREE).looks(3, track=track)
            case "lost camera":
                story.camera(working=False).wait(1).camera(working=True).looks(3, track=track)
        assert story.asked is first and first is not None


def test_who_came_in_vain_three_times_today_is_met_by_a_colleague_at_once() -> None:
    story = Story()
    for _ in range(3):
        story.walks_up().looks(3).touch(Touch.HELP).touch(Touch.FINISH).wait(40)
    assert len(story.records) == 3
    story.walks_up()
    assert story.records[-1].reasons == ("many_visits_in_vain",)
    assert (story.records[-1].consent, story.records[-1].ticket is None) == (None, False)
    story.wait(40)
    story.now_ns += 86_400 * 1_000_000_000
    story.wait(0.1)
    story.walks_up().looks(3, track=9).obeys(track=9)
    assert story.records[-1].outcome is Outcome.CERTIFIED
    assert story.state.visits and story.wait(40).state.visits == ()


@pytest.mark.parametrize("way", [Touch.NO, Touch.BACK])
def test_going_back_to_the_number_after_a_look_leaves_a_record_and_counts(way: Touch) -> None:
    """Else whoever holds up a film sees prompt after prompt until it is the film's, and nobody hears of it."""
    story = Story()
    for _ in range(3):
        story.walks_up().looks(3).touch(Touch.BACK).touch(Touch.BACK).touch(way)
        assert (story.records[-1].outcome, story.records[-1].reasons) == (Outcome.ABANDONED, ("walked_away",))
        assert story.view.prompt == Phrase.CLOSING_GOODBYE
        story.wait(10)
    assert story.walks_up().records[-1].reasons == ("many_visits_in_vain",)


@pytest.mark.parametrize("way", [Touch.BACK, Touch.FINISH, None])
def test_a_covered_lens_is_no_way_out_of_a_visit_that_nobody_hears_of(way: Touch | None) -> None:
    story = Story().walks_up().looks(3).touch(Touch.BACK).touch(Touch.BACK).camera(working=False).touch(Touch.YES)
    assert story.view.prompt == Phrase.DUE_WAIT
    story = story.touch(way) if way else story.wait(125)
    assert (story.record.outcome, story.record.reasons) == (Outcome.ABANDONED, ("walked_away",))
    assert len(story.wait(30).state.visits) == 1


def test_a_face_that_did_not_match_is_not_shown_again_and_again_by_leaving_early() -> None:
    story = Story()
    for _ in range(3):
        story.walks_up().looks(2, match=0.4).touch(Touch.HELP).touch(Touch.FINISH).wait(40)
    assert story.walks_up().records[-1].reasons == ("many_visits_in_vain",)


def test_the_light_is_not_begun_anew_until_its_colours_suit_a_film() -> None:
    story = Story(policy=replace(Policy(), light_challenge=True)).walks_up().looks(3)
    lit = 0
    while not story.records:
        story.looks(0.5)
        if story.view.light:
            lit += 1
            story.touch(Touch.HELP).touch(Touch.BACK)
        assert lit <= 12
    assert story.record.reasons == ("continuity_lost",)


def test_whatever_its_number_a_track_that_ends_under_the_prompt_begins_the_look_anew() -> None:
    for track in (0, 1):
        story = Story().walks_up().looks(3, track=track)
        assert story.asked is not None
        assert story.sees(track=track + 7).view.screen is Screen.FRAMING


def test_somebody_else_is_not_held_for_who_came_in_vain() -> None:
    other = "110105194912310185"
    neighbour = replace(WANG, person_ref="ref-li")
    story = Story(roster={NUMBER: WANG, other: neighbour})
    for _ in range(3):
        story.walks_up().looks(3).touch(Touch.HELP).touch(Touch.FINISH).wait(40)
    story.walks_up(other).looks(3).obeys()
    assert story.records[-1].outcome is Outcome.CERTIFIED


def test_a_visit_that_came_to_nothing_before_the_action_is_not_counted() -> None:
    story = Story()
    for _ in range(4):
        story.walks_up().looks(0.5).touch(Touch.HELP).touch(Touch.FINISH).wait(40)
    assert story.walks_up().looks(3).obeys().records[-1].outcome is Outcome.CERTIFIED


def test_somebody_who_cannot_do_it_is_offered_another_action_and_then_a_colleague() -> None:
    story = Story().walks_up().looks(3)
    first = story.asked
    story.touch(Touch.CANNOT)
    assert story.asked not in (first, None)
    story.touch(Touch.CANNOT)
    assert story.record.reasons == ("cannot_do_action",)
    assert story.record.ticket is not None


def test_a_blind_person_is_never_told_to_blink() -> None:
    asked: set[Action | None] = set()
    story = Story(policy=replace(Policy(), visits_most=100), roster=roster(exemptions=frozenset({Action.BLINK})))
    for _ in range(12):
        story.walks_up().looks(3)
        asked.add(story.asked)
        asked.add(story.touch(Touch.ANOTHER_ACTION).asked)
        story.touch(Touch.CANNOT).touch(Touch.FINISH).wait(5)
    assert asked == set(Action) - {Action.BLINK}


def test_somebody_exempt_from_every_action_is_met_by_a_colleague() -> None:
    story = Story(roster=roster(exemptions=frozenset(Action))).walks_up().looks(3)
    assert story.record.reasons == ("cannot_do_action",)
    assert story.view.prompt == Phrase.CLOSING_CANNOT


def test_a_movement_already_under_way_does_not_count() -> None:
    story = Story(policy=only(Action.NOD)).walks_up().looks(1)
    while story.asked is None:
        story.looks(0.1)
    story.moves(Action.NOD, lasts=0.5)
    assert story.records == []
    story.looks(0.5).moves(Action.NOD)
    assert story.record.outcome is Outcome.CERTIFIED


def test_eyes_that_blink_by_themselves_say_nothing_and_eyes_kept_shut_are_meant() -> None:
    story = Story(policy=only(Action.BLINK)).walks_up().looks(3).looks(1)
    for _ in range(6):
        story.moves(Action.BLINK, lasts=0.3).looks(0.3)
    assert story.records == []
    assert story.looks(1).moves(Action.BLINK, lasts=1.2).record.outcome is Outcome.CERTIFIED


def test_trying_the_wrong_movement_first_is_no_failure() -> None:
    story = Story(policy=only(Action.NOD)).walks_up().looks(3).looks(1).moves(Action.TURN_LEFT).obeys()
    assert (story.record.outcome, story.record.attempts) == (Outcome.CERTIFIED, 1)


def test_a_film_that_makes_every_other_movement_meets_a_colleague() -> None:
    story = Story(policy=replace(Policy(), actions=(Action.NOD, Action.OPEN_MOUTH))).walks_up().looks(3)
    first = story.asked
    others = [action for action in Action if action not in (Action.NOD, Action.OPEN_MOUTH, Action.BLINK)]
    story.looks(1).moves(others[0], lasts=0.4)
    assert story.state.visit.tries == 1
    story.moves(others[1], lasts=0.4)
    assert story.view.detail == Phrase.CHALLENGE_SLOWLY_DETAIL
    assert story.asked not in (first, None), "a different action is asked"
    assert story.state.visit.tries == 2
    story.looks(1).moves(others[0], lasts=0.4).moves(others[1], lasts=0.4)
    assert (story.record.outcome, story.record.reasons) == (Outcome.REFERRED, ("many_other_actions",))


def test_somebody_who_talks_and_blinks_meanwhile_is_not_held_up() -> None:
    story = Story(policy=only(Action.TURN_LEFT)).walks_up().looks(3)
    for _ in range(6):
        story.looks(1).moves(Action.BLINK, lasts=0.2)
    assert story.moves(Action.OPEN_MOUTH).obeys().record.attempts == 1


def test_a_swap_during_the_challenge_goes_back_to_looking() -> None:
    story = Story(policy=only(Action.NOD)).walks_up().looks(3)
    story.looks(0.3, track=2, match=None, probe_frames=0)
    assert story.view.screen is Screen.FRAMING
    assert story.state.visit.tries == 1, "a lost track is nobody's fault"
    assert story.watches == ["ref-wang", "ref-wang"]


def test_tracks_that_keep_breaking_use_up_tries_in_the_end() -> None:
    story = Story(policy=only(Action.NOD)).walks_up()
    for track in range(1, 40):
        if not story.records:
            story.looks(3, track=track)
    assert (story.record.outcome, story.record.reasons) == (Outcome.REFERRED, ("continuity_lost",))


def test_the_impostor_who_takes_the_seat_after_the_match_is_not_certified() -> None:
    story = Story(policy=only(Action.NOD)).walks_up().looks(3).looks(1)
    story.moves(Action.NOD, track=2, match=0.1)
    assert all(record.outcome is not Outcome.CERTIFIED for record in story.records)


# --- waiting, help, leaving ----------------------------------------------------------------------------------


def test_somebody_who_hesitates_is_asked_and_goes_on() -> None:
    story = Story().touch(Touch.START_SELF).wait(85)
    assert story.view.prompt == Phrase.ASK_NUMBER, "typing takes time"
    story.wait(10)
    assert story.view.prompt == Phrase.STILL_THERE
    story.touch(Touch.STILL_HERE)
    assert story.view.prompt == Phrase.ASK_NUMBER


def test_a_card_laid_down_answers_the_question_too() -> None:
    story = Story().touch(Touch.START_SELF).wait(95)
    assert story.view.prompt == Phrase.STILL_THERE
    story.tell(NumberEntered(NUMBER, source="card")).wait(1)
    assert story.view.prompt == Phrase.CONFIRM_SELF
    assert story.wait(35).view.prompt == Phrase.CONFIRM_SELF


def test_a_colleague_can_be_had_from_the_question_whether_somebody_is_there() -> None:
    story = Story().touch(Touch.START_SELF).enters(NUMBER).wait(95)
    assert story.touches_offered == {Touch.STILL_HERE, Touch.FINISH, Touch.HELP}
    story.touch(Touch.HELP).touch(Touch.FINISH)
    assert story.record.reasons == ("help_wanted",)


def test_a_face_that_comes_back_answers_the_question() -> None:
    story = Story().walks_up().looks(2, advice=Advice.TOO_FAR).wait(41)
    assert story.view.prompt == Phrase.STILL_THERE
    assert story.looks(0.5, advice=Advice.TOO_FAR).view.prompt != Phrase.STILL_THERE


def test_somebody_who_walked_away_before_saying_who_they_are_leaves_no_record() -> None:
    story = Story().touch(Touch.START_SELF).wait(130)
    assert story.records == [] and story.view.screen is Screen.IDLE and story.resets == 1


@pytest.mark.parametrize("touches", [(), (Touch.YES,), (Touch.YES, Touch.AGREE)])
def test_somebody_who_walked_away_after_that_is_recorded_as_abandoned(touches: tuple[Touch, ...]) -> None:
    story = Story().touch(Touch.START_SELF).enters(NUMBER)
    for touch in touches:
        story.touch(touch)
    story.wait(130)
    assert (story.record.outcome, story.record.reasons) == (Outcome.ABANDONED, ("walked_away",))
    assert story.record.ticket is None
    assert story.view.screen is Screen.IDLE
    assert story.replays()


def test_somebody_who_walked_away_from_the_answer_was_informed() -> None:
    people = roster(standing=Standing.VALID, valid_until=date(2027, 8, 31))
    assert Story(roster=people).touch(Touch.START_SELF).enters(NUMBER).wait(130).record.outcome is Outcome.INFORMED


def test_a_picture_of_a_wall_does_not_keep_a_visit_open_for_ever() -> None:
    story = Story().touch(Touch.START_SELF)
    for _ in range(400):
        story.wait(0.9).sees()
    assert story.view.screen is Screen.IDLE


def test_help_is_there_on_every_page_and_leads_back() -> None:
    story = Story(policy=only(Action.NOD))
    pages = [
        lambda: story, lambda: story.touch(Touch.START_SELF), lambda: story.enters(NUMBER),
        lambda: story.touch(Touch.YES), lambda: story.touch(Touch.AGREE), lambda: story.looks(3),
        story.obeys,
    ]  # fmt: skip
    for turn in pages:
        turn()
        before = story.view
        assert Touch.HELP in story.touches_offered
        story.touch(Touch.HELP)
        assert str(story.view.prompt).startswith("help.")
        story.tell(story.events[-1])  # time goes on
        story.touch(Touch.BACK)
        assert (story.view.screen, story.view.prompt) == (before.screen, before.prompt)
    assert story.record.outcome is Outcome.CERTIFIED


def test_a_ticket_is_still_there_after_the_help_was_read() -> None:
    story = Story(roster={}).touch(Touch.START_SELF).enters(NUMBER).wait(25)
    ticket = story.view.params["ticket"]
    story.touch(Touch.HELP).wait(20).touch(Touch.BACK).wait(20)
    assert story.view.params.get("ticket") == ticket
    assert story.wait(15).view.screen is Screen.IDLE


def test_help_can_end_with_a_colleague() -> None:
    story = Story().walks_up().touch(Touch.HELP).touch(Touch.FINISH)
    assert (story.record.outcome, story.record.reasons) == (Outcome.REFERRED, ("help_wanted",))


def test_reading_the_help_does_not_use_up_the_action_s_time() -> None:
    story = Story(policy=only(Action.NOD)).walks_up().looks(3).touch(Touch.HELP).looks(30).touch(Touch.BACK)
    assert story.state.visit.tries == 1
    assert story.looks(10).obeys().record.attempts == 1


def test_nobody_is_kept_for_ever() -> None:
    story = Story(policy=replace(only(Action.NOD), session_most_s=120.0, repeats_most=100)).walks_up().looks(3)
    for _ in range(12):
        if not story.records:
            story.looks(10).touch(Touch.SHOW_AGAIN)
    assert story.record.reasons == ("took_long",)


# --- when the terminal itself is not ready -------------------------------------------------------------------


def test_in_the_maintenance_window_look_ups_work_and_certification_waits() -> None:
    story = Story(starts=datetime(2026, 12, 1, 2, tzinfo=UTC))
    assert story.view.prompt == Phrase.IDLE_MAINTENANCE
    assert story.view.params["resumes"] == "2026-12-04"
    story.touch(Touch.START_SELF).enters(NUMBER)
    assert story.view.prompt == Phrase.DUE_MAINTENANCE_UNTIL
    assert story.view.params["resumes"] == "2026-12-04"
    assert Touch.YES not in story.touches_offered
    story.touch(Touch.YES).touch(Touch.FINISH)
    assert story.view.prompt == Phrase.CLOSING_MAINTENANCE
    assert story.records == [] and story.watches == []


def test_the_window_opens_at_midnight_in_shanghai_not_in_london() -> None:
    assert Story(starts=datetime(2026, 12, 3, 15, 58, tzinfo=UTC)).view.prompt == Phrase.IDLE_MAINTENANCE
    assert Story(starts=datetime(2026, 12, 3, 16, 0, tzinfo=UTC)).view.prompt == Phrase.IDLE_WELCOME
    assert Story(starts=datetime(2026, 11, 30, 16, 0, tzinfo=UTC)).view.prompt == Phrase.IDLE_MAINTENANCE


def test_who_began_before_the_window_may_finish() -> None:
    story = Story(starts=datetime(2026, 11, 30, 15, 59, 50, tzinfo=UTC), policy=only(Action.NOD)).walks_up()
    assert story.looks(15).obeys().record.outcome is Outcome.CERTIFIED
    assert story.record.valid_until == date(2027, 12, 31), "by then it is December in Shanghai"


def test_an_unsynchronised_clock_lets_certification_wait_and_look_ups_work() -> None:
    story = Story(clock=UNSYNCED)
    assert story.view.prompt == Phrase.IDLE_WAIT_CLOCK
    story.touch(Touch.START_SELF).enters(NUMBER)
    assert story.view.prompt == Phrase.DUE_WAIT
    assert story.touch(Touch.FINISH).view.prompt == Phrase.CLOSING_LATER
    assert story.records == []


def test_a_number_can_be_looked_up_by_a_machine_that_believes_in_1970() -> None:
    starts = datetime(1970, 1, 1, tzinfo=UTC)
    number = "11010519780101001X"
    story = Story(clock=UNSYNCED, starts=starts, roster={number: WANG}).touch(Touch.START_SELF).enters(number)
    assert story.view.prompt == Phrase.DUE_WAIT


def test_a_clock_that_loses_its_source_before_the_decision_certifies_nobody() -> None:
    story = Story(policy=only(Action.NOD)).walks_up().looks(3)
    story.clock = ClockState(synced=False, source="ntp")
    story.obeys()
    assert (story.record.outcome, story.record.reasons) == (Outcome.REFERRED, ("clock_not_synced",))


def test_untrusted_eyes_and_a_lost_camera_let_certification_wait() -> None:
    assert Story(eyes_trusted=False).view.prompt == Phrase.IDLE_WAIT_EYES
    assert Story().camera(working=False).view.prompt == Phrase.IDLE_WAIT_CAMERA


def test_nothing_is_promised_that_was_not_stored() -> None:
    story = Story(store=not_stored, policy=only(Action.NOD)).walks_up().looks(3).obeys()
    assert story.view.prompt == Phrase.CLOSING_NOT_STORED
    assert Phrase.CLOSING_DONE not in story.prompts
    assert story.wait(20).view.screen is Screen.IDLE


def test_done_waits_for_the_disk() -> None:
    story = Story(store=lambda: None, policy=only(Action.NOD)).walks_up().looks(3).obeys().wait(5)
    assert story.view.screen is Screen.DECIDING
    assert Phrase.CLOSING_DONE not in story.prompts
    story.tell(Recorded("late but in time"))
    assert story.view.prompt == Phrase.CLOSING_DONE


def test_a_disk_that_never_answers_is_not_waited_for_for_ever() -> None:
    story = Story(store=lambda: None, policy=only(Action.NOD)).walks_up().looks(3).obeys().wait(11)
    assert story.view.prompt == Phrase.CLOSING_NOT_STORED
    story.tell(Recorded("too late"))
    assert story.view.prompt == Phrase.CLOSING_NOT_STORED


def test_a_nonce_that_never_came_is_asked_for_again() -> None:
    story = Story()
    story.walks_up().looks(3).obeys()
    story._draw = lambda: None  # type: ignore[method-assign]
    story.touch(Touch.FINISH)
    assert story.touch(Touch.START_SELF).view.screen is Screen.IDLE
    before = story.resets
    story.wait(2.5)
    assert story.resets - before in {2, 3}


def test_tickets_are_short_and_differ() -> None:
    story = Story(roster={})
    for _ in range(20):
        story.touch(Touch.START_SELF).enters(NUMBER).touch(Touch.FINISH).wait(4)
    tickets = [record.ticket for record in story.records]
    assert len(set(tickets)) == 20
    assert all(ticket is not None and len(ticket) == 7 and not set(ticket) & set("01OIL5S8B") - {"8", "5", "L"}
               for ticket in tickets)  # fmt: skip


def test_every_visit_of_a_day_leaves_its_own_record_and_replays() -> None:
    story = Story()
    for _ in range(5):
        story.walks_up().looks(3).obeys().wait(20)
    assert [record.outcome for record in story.records] == [Outcome.CERTIFIED] * 5
    assert len({record.challenge_nonce for record in story.records}) == 5
    assert sum(isinstance(effect, Record) for _, effect in story.effects) == 5
    assert sum(isinstance(effect, Reset) for _, effect in story.effects) == 5
    assert story.replays()


def test_an_empty_room_shows_the_attract_page_and_says_nothing() -> None:
    story = Story().wait(600)
    story.tell(story.events[-1])
    assert story.said == []
    assert len(story.views) <= 2
    assert NOBODY.faces == 0
