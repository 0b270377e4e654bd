"""Simulated people: slow, seeded, sometimes wrong, and never faster than a human."""

from edge.core.types import Action, Advice, Mode, Relation, Screen, Touch
from sim.people import Act, Deed, Leave, Mind, Page, Press, SendAside, Shift, Type
from sim.scenario import Habits, Kind, Visit

NUMBER = "110105194910081016"
IDLE = Page(Screen.IDLE, "idle.welcome", choices=((Touch.START_SELF, ""),))
KEYPAD = Page(Screen.IDENTIFY, "identify.ask_number", keypad=True, choices=((Touch.BACK, ""),))
CONSENT = Page(Screen.CONSENT, "consent.ask", choices=((Touch.AGREE, ""), (Touch.DECLINE, "")))
CLOSING = Page(Screen.CLOSING, "closing.done", choices=((Touch.FINISH, ""),))


def mind(seed: int = 1, mode: Mode = Mode.SELF, relation: Relation | None = None, **habits: object) -> Mind:
    visit = Visit(
        key="v",
        who="li",
        face="obama",
        kind=Kind.LIVE,
        mode=mode,
        relation=relation,
        habits=Habits.model_validate(habits),
    )
    return Mind(visit, NUMBER, seed)


def challenge(action: Action) -> Page:
    return Page(Screen.CHALLENGE, f"action.{action}", choices=((Touch.CANNOT, ""),), action=action)


def watch(person: Mind, seconds: float, since_s: float = 0.0) -> list[tuple[float, Deed]]:
    done = []
    for tenth in range(int(seconds * 10)):
        now_s = since_s + tenth / 10
        done += [(now_s, deed) for deed in person.turn(now_s)]
    return done


def test_the_same_seed_is_the_same_person_and_another_seed_is_not() -> None:
    def times(seed: int) -> list[float]:
        person = mind(seed)
        person.read(KEYPAD, 0)
        return [at_s for at_s, _ in watch(person, 30)]

    assert times(4) == times(4)
    assert len({tuple(times(seed)) for seed in range(6)}) > 3


def test_an_old_person_needs_seconds_to_type_eighteen_digits() -> None:
    person = mind()
    person.read(KEYPAD, 0)
    (at_s, deed), *_ = watch(person, 60)
    assert isinstance(deed, Type) and deed.text == NUMBER and 6 < at_s < 20
    assert NUMBER not in repr(deed)


def test_somebody_who_mistypes_compares_and_corrects() -> None:
    person = mind(wrong_number_first=True)
    person.read(KEYPAD, 0)
    first = next(deed for _, deed in watch(person, 25) if isinstance(deed, Type))
    person.read(Page(Screen.IDENTIFY, "identify.number_check_digit", keypad=True), 25)
    second = next(deed for _, deed in watch(person, 25, 25) if isinstance(deed, Type))
    assert first.text != NUMBER and sum(a != b for a, b in zip(first.text, NUMBER, strict=True)) == 1
    assert second.text == NUMBER


def test_nobody_answers_a_prompt_faster_than_a_human() -> None:
    for seed in range(30):
        person = mind(seed, haste=20)
        person.read(challenge(Action.NOD), 10)
        at_s, deed = watch(person, 8, 10)[0]
        assert isinstance(deed, Act) and deed.action is Action.NOD and 0.4 < at_s - 10 < 3


def test_who_turns_the_wrong_way_first_then_turns_the_right_way() -> None:
    person = mind(wrong_way_first=True)
    person.read(challenge(Action.TURN_LEFT), 0)
    acts = [deed.action for _, deed in watch(person, 6) if isinstance(deed, Act)]
    assert acts[:2] == [Action.TURN_RIGHT, Action.TURN_LEFT]


def test_who_cannot_do_an_action_says_so_and_does_not_try() -> None:
    person = mind(cannot=["blink"])
    person.read(challenge(Action.BLINK), 0)
    deeds = [deed for _, deed in watch(person, 10)]
    assert deeds[0] == Press(Touch.CANNOT) and not any(isinstance(deed, Act) for deed in deeds)


def test_an_unseen_movement_is_made_again_a_little_larger() -> None:
    person = mind()
    person.read(challenge(Action.OPEN_MOUTH), 0)
    sizes = [deed.size for _, deed in watch(person, 20) if isinstance(deed, Act)]
    assert len(sizes) >= 2 and sizes[1] > sizes[0]


def test_advice_is_followed() -> None:
    for advice, wanted in (
        (Advice.TOO_FAR, Shift(width=1.25)),
        (Advice.MOVE_LEFT, Shift(x=0.09)),
        (Advice.TWO_FACES, SendAside()),
    ):
        person = mind()
        person.read(Page(Screen.FRAMING, f"advice.{advice}", advice=advice), 0)
        assert watch(person, 4)[0][1] == wanted


def test_the_same_page_again_does_not_begin_the_thinking_anew() -> None:
    person = mind(3)
    person.read(CONSENT, 0)
    person.read(CONSENT, 1.0)
    restless = mind(3)
    restless.read(CONSENT, 0)
    assert watch(person, 20)[0] == watch(restless, 20)[0]


def test_a_helper_says_what_they_are_to_the_beneficiary() -> None:
    person = mind(mode=Mode.FOR_OTHER, relation=Relation.CHILD)
    person.read(Page(Screen.IDENTIFY, "identify.ask_relation"), 0)
    assert watch(person, 10)[0][1] == Press(Touch.START_FOR_OTHER, "child")


def test_at_the_end_they_read_press_finish_and_go() -> None:
    person = mind()
    person.read(CLOSING, 0)
    assert watch(person, 20)[0][1] == Press(Touch.FINISH)
    person.read(IDLE, 20)
    assert isinstance(watch(person, 5, 20)[-1][1], Leave) and person.gone
    assert person.ending is not None and person.ending.prompt == "closing.done"


def test_who_loses_patience_goes() -> None:
    person = mind(patience_s=30)
    person.read(Page(Screen.DECIDING, "deciding.one_moment"), 0)
    assert [type(deed) for _, deed in watch(person, 40)] == [Leave] and person.gone


def test_a_terminal_that_begins_again_is_begun_again_with() -> None:
    person = mind()
    person.read(IDLE, 0)
    watch(person, 4)
    person.read(KEYPAD, 4)
    person.read(IDLE, 5)
    assert watch(person, 6, 5)[0][1] == Press(Touch.START_SELF)
