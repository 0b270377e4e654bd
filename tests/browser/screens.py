"""The main pages of a session as scripted views, as `edge.core.views` makes them, with long values in them."""

from typing import Final

from edge.core.light import COLOURS
from edge.core.phrases import OF_ACTION, OF_ADVICE, OF_RELATION, Phrase
from edge.core.types import Action, Advice, Choice, Relation, Screen, Touch, View

OFFICE: Final = {
    "place": "一楼社保服务窗口",
    "place_en": "the social insurance desk, ground floor",
    "hours": "周一至周五 9:00–17:00",
    "hours_en": "Monday to Friday, 9:00 to 17:00",
}
PERSON: Final = {"name": "欧阳*英", "until": "2027-11-30", "resumes": "2026-12-04", **OFFICE}
HELP: Final = Choice(Touch.HELP, Phrase.BUTTON_HELP)
BACK: Final = Choice(Touch.BACK, Phrase.BUTTON_BACK)
GO_ON: Final = Choice(Touch.BACK, Phrase.BUTTON_CONTINUE)
COLLEAGUE: Final = Choice(Touch.FINISH, Phrase.BUTTON_COLLEAGUE)
FINISH: Final = Choice(Touch.FINISH, Phrase.BUTTON_FINISH)
LEAVE: Final = Choice(Touch.FINISH, Phrase.BUTTON_LEAVE)


def keypad(prompt: Phrase, detail: str = "", **params: str) -> View:
    return View(Screen.IDENTIFY, prompt, detail, {**PERSON, **params}, choices=(BACK, HELP), keypad=True)


def framing(advice: Advice) -> View:
    return View(
        Screen.FRAMING, OF_ADVICE[advice], Phrase.FRAMING_DETAIL, choices=(BACK, HELP), preview=True, advice=advice
    )


def lit(colour: str) -> View:
    """The page while it lights the face."""
    return View(
        Screen.FRAMING,
        Phrase.FRAMING_LIGHT,
        Phrase.FRAMING_DETAIL,
        choices=(BACK, HELP),
        preview=True,
        advice=Advice.READY,
        light=colour,
    )


def challenge(action: Action, detail: Phrase = Phrase.CHALLENGE_DETAIL, advice: Advice | None = None) -> View:
    return View(
        Screen.CHALLENGE,
        OF_ACTION[action],
        detail,
        {"times": "2"},
        choices=(
            Choice(Touch.SHOW_AGAIN, Phrase.BUTTON_SHOW_AGAIN),
            Choice(Touch.ANOTHER_ACTION, Phrase.BUTTON_ANOTHER_ACTION),
            Choice(Touch.CANNOT, Phrase.BUTTON_CANNOT),
            BACK,
            HELP,
        ),
        preview=True,
        advice=advice,
        action=action,
    )


IDLE: Final = View(
    Screen.IDLE,
    Phrase.IDLE_WELCOME,
    Phrase.IDLE_WELCOME_DETAIL,
    choices=(
        Choice(Touch.START_SELF, Phrase.BUTTON_SELF),
        Choice(Touch.START_FOR_OTHER, Phrase.BUTTON_FOR_OTHER),
        Choice(Touch.START_ASSISTED, Phrase.BUTTON_ASSISTED),
        HELP,
    ),
)
RELATION: Final = View(
    Screen.IDENTIFY,
    Phrase.ASK_RELATION,
    choices=(*(Choice(Touch.START_FOR_OTHER, OF_RELATION[r], r) for r in Relation), BACK, HELP),
)
CONFIRM: Final = View(
    Screen.CONFIRM,
    Phrase.CONFIRM_SELF,
    Phrase.CONFIRM_UNTIL_DETAIL,
    PERSON,
    choices=(Choice(Touch.YES, Phrase.BUTTON_YES), Choice(Touch.NO, Phrase.BUTTON_NO), BACK, HELP),
)
CONSENT: Final = View(
    Screen.CONSENT,
    Phrase.CONSENT_ASK_OTHER,
    Phrase.CONSENT_TEXT,
    {**PERSON, "version": "2026-1"},
    choices=(Choice(Touch.AGREE, Phrase.BUTTON_AGREE), Choice(Touch.DECLINE, Phrase.BUTTON_DECLINE), BACK, HELP),
)

SCREENS: Final[dict[str, View]] = {
    "01-idle": IDLE,
    "02-idle-maintenance": View(
        Screen.IDLE,
        Phrase.IDLE_MAINTENANCE,
        Phrase.IDLE_LOOK_UP_DETAIL,
        PERSON,
        choices=IDLE.choices,
    ),
    "03-relation": RELATION,
    "04-number": keypad(Phrase.ASK_NUMBER, Phrase.ASK_NUMBER_DETAIL),
    "05-number-compare": keypad(Phrase.NUMBER_IMPOSSIBLE_DATE, Phrase.ASK_NUMBER_DETAIL),
    "05-number-other": keypad(Phrase.ASK_NUMBER_OTHER, Phrase.BRING_THEM_DETAIL),
    "05-number-too-short": keypad(Phrase.NUMBER_TOO_SHORT, Phrase.BRING_THEM_DETAIL, count="17"),
    "06-staff-number": View(
        Screen.IDENTIFY,
        Phrase.STAFF_NUMBER_AGAIN,
        choices=(Choice(Touch.START_ASSISTED, Phrase.BUTTON_CONTINUE), BACK, HELP),
        keypad=True,
    ),
    "07-already-valid": View(
        Screen.IDENTIFY,
        Phrase.VALID_BY_DATA,
        Phrase.VALID_EARLY_DETAIL,
        PERSON,
        choices=(FINISH, Choice(Touch.YES, Phrase.BUTTON_CERTIFY_EARLY), BACK, HELP),
        tone="good",
    ),
    "08-confirm": CONFIRM,
    "09-consent": CONSENT,
    "10-framing-begin": View(
        Screen.FRAMING, Phrase.FRAMING_BEGIN, Phrase.FRAMING_DETAIL, choices=(BACK, HELP), preview=True
    ),
    "11-framing-left": framing(Advice.MOVE_LEFT),
    "12-framing-uncover": framing(Advice.UNCOVER_FACE),
    "13-framing-ready": framing(Advice.READY),
    **{f"13-light-{colour[1:]}": lit(colour) for colour in COLOURS},
    **{f"14-challenge-{action}": challenge(action) for action in Action},
    "15-challenge-advice": challenge(Action.TURN_RIGHT, Phrase.CHALLENGE_AGAIN_DETAIL, Advice.TWO_FACES),
    "16-deciding": View(Screen.DECIDING, Phrase.DECIDING_HOLD, preview=True),
    "17-done": View(
        Screen.CLOSING, Phrase.CLOSING_DONE, Phrase.CLOSING_DONE_DETAIL, PERSON, choices=(FINISH, HELP), tone="good"
    ),
    "18-ticket": View(
        Screen.CLOSING,
        Phrase.CLOSING_NOT_ON_ROSTER,
        Phrase.CLOSING_TICKET_DETAIL,
        {**PERSON, "ticket": "K-38472"},
        choices=(FINISH, HELP),
        tone="attention",
    ),
    "19-still-there": View(
        Screen.CHALLENGE,
        Phrase.STILL_THERE,
        Phrase.STILL_THERE_DETAIL,
        choices=(Choice(Touch.STILL_HERE, Phrase.BUTTON_STILL_HERE), LEAVE, HELP),
        tone="attention",
    ),
    "20-help": View(Screen.IDLE, Phrase.HELP_IDLE, Phrase.HELP_DETAIL, PERSON, choices=(GO_ON,)),
    "21-help-number": View(
        Screen.IDENTIFY, Phrase.HELP_IDENTIFY, Phrase.HELP_DETAIL, PERSON, choices=(GO_ON, COLLEAGUE), keypad=True
    ),
    "22-help-framing": View(
        Screen.FRAMING, Phrase.HELP_FRAMING, Phrase.HELP_DETAIL, PERSON, choices=(GO_ON, COLLEAGUE)
    ),
}
