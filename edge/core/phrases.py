"""Every text key that a view or the voice can use; the page's catalogues hold one text per language for each.

The tone of all of them: kind, plain, and about the next thing to do.  No text says that something failed, was
rejected or was an error, and none says which of the checks was not met.  Words in braces in a comment are the
parameters that come with the key: ``until`` and ``resumes`` are ISO dates (the page writes them out), ``name`` is
masked like 王*英, ``ticket`` is like K-38472, ``place``, ``hours`` (Chinese) and ``place_en``, ``hours_en`` come from
the policy's office.  ``office`` below stands for those four.
"""

from collections.abc import Mapping
from enum import StrEnum, unique
from types import MappingProxyType

from edge.core.types import Action, Advice, Relation, Screen


@unique
class Phrase(StrEnum):
    """A key of the text catalogue."""

    # --- the attract page (Screen.IDLE) ----------------------------------------------------------------------
    IDLE_WELCOME = "idle.welcome"  # prompt: here you can do your yearly pension certification; who is it for?
    IDLE_WELCOME_DETAIL = "idle.welcome_detail"  # detail: have your identity card ready; about one minute, no hurry
    IDLE_MAINTENANCE = "idle.maintenance"  # prompt: closed for maintenance, certification resumes on {resumes}
    IDLE_WAIT_CLOCK = "idle.wait_clock"  # prompt: the terminal is still setting its clock; certification a bit later
    IDLE_WAIT_EYES = "idle.wait_eyes"  # prompt: the terminal is still checking itself; certification a bit later
    IDLE_WAIT_CAMERA = "idle.wait_camera"  # prompt: the camera is not ready yet; certification a bit later
    IDLE_LOOK_UP_DETAIL = "idle.look_up_detail"  # detail while waiting: you can still look up your standing or ask

    # --- who is it for, who are you (Screen.IDENTIFY) --------------------------------------------------------
    ASK_RELATION = "identify.ask_relation"  # prompt: what are you to the person you are helping?
    ASK_STAFF_NUMBER = "identify.ask_staff_number"  # prompt (keypad): colleague, please enter your staff number
    STAFF_NUMBER_AGAIN = "identify.staff_number_again"  # prompt (keypad): a staff number has 1 to 12 letters/digits
    ASK_NUMBER = "identify.ask_number"  # prompt (keypad): please enter your identity number
    ASK_NUMBER_OTHER = "identify.ask_number_other"  # prompt (keypad): ... the number of the person you are helping
    ASK_NUMBER_DETAIL = "identify.ask_number_detail"  # detail: copy it from the card, digit by digit
    ASK_NUMBER_AGAIN = "identify.ask_number_again"  # prompt (keypad) after "no, not me": let's enter it once more
    BRING_THEM_DETAIL = "identify.bring_them_detail"  # detail for a helper: they must be here, their face counts
    LOOKING_UP = "identify.looking_up"  # prompt: one moment please, I am looking
    # One kind sentence per `identity.Problem`, each as a prompt (keypad stays open); {count} characters came in.
    NUMBER_EMPTY = "identify.number_empty"  # please enter the number on your card
    NUMBER_TOO_SHORT = "identify.number_too_short"  # some digits are still missing: {count} so far of 18
    NUMBER_TOO_LONG = "identify.number_too_long"  # there are a few too many: {count}, a card has 18
    NUMBER_BAD_CHARACTER = "identify.number_bad_character"  # only digits, and an X at the end
    NUMBER_CHECK_DIGIT = "identify.number_check_digit"  # one digit seems different from the card, please compare
    NUMBER_IMPOSSIBLE_DATE = "identify.number_impossible_date"  # please compare digits 7 to 14, the date of birth
    NUMBER_UNKNOWN_PLACE = "identify.number_unknown_place"  # please compare the first six digits
    NUMBER_UNKNOWN_FORM = "identify.number_unknown_form"  # please compare with the card; a colleague can help too
    # The answer to a look-up that needs no certification today; these are prompts of Screen.IDENTIFY.
    VALID_ALREADY = "identify.valid_already"  # {name}, you are already certified until {until}: nothing to do
    VALID_BY_DATA = "identify.valid_by_data"  # {name}, certified automatically (data matching) until {until}
    VALID_EARLY_DETAIL = "identify.valid_early_detail"  # detail: you may finish here, or certify early if you like
    VALID_DETAIL = "identify.valid_detail"  # detail: you may finish here (certifying early is not possible just now)
    DUE_MAINTENANCE = "identify.due_maintenance"  # {name}, please come from {resumes} on to certify; nothing is lost
    DUE_MAINTENANCE_UNTIL = "identify.due_maintenance_until"  # the same for somebody certified until {until}
    DUE_WAIT = "identify.due_wait"  # {name}, please certify a little later today; the terminal is not ready yet

    # --- is it you (Screen.CONFIRM) --------------------------------------------------------------------------
    CONFIRM_SELF = "confirm.self"  # prompt: are you {name}?
    CONFIRM_OTHER = "confirm.other"  # prompt: is {name} here with you? it is their face that is looked at
    CONFIRM_ASSISTED = "confirm.assisted"  # prompt: is {name} here in front of the camera?
    CONFIRM_UNTIL_DETAIL = "confirm.until_detail"  # detail: the last certification is good until {until}
    CONFIRM_OVERDUE_DETAIL = "confirm.overdue_detail"  # detail: it ended on {until}; good that you are here
    CONFIRM_FIRST_DETAIL = "confirm.first_detail"  # detail (no earlier date known): it takes about a minute

    # --- consent (Screen.CONSENT) ----------------------------------------------------------------------------
    CONSENT_ASK = "consent.ask"  # prompt: may the camera look at your face?
    CONSENT_ASK_OTHER = "consent.ask_other"  # prompt: does {name} agree that the camera looks at their face?
    CONSENT_TEXT = "consent.text"  # detail, read aloud: face compared on this terminal only, no picture kept or sent,
    # only the signed result goes to the office; you may say no and certify with a colleague; text {version}

    # --- look at the camera (Screen.FRAMING; the advice below is its prompt) ---------------------------------
    FRAMING_BEGIN = "framing.begin"  # prompt until the first advice: please look at the camera, into the oval
    FRAMING_DETAIL = "framing.detail"  # detail: take your time, there is no hurry
    FRAMING_ONCE_MORE = "framing.once_more"  # prompt at a new try: let's look once more; sit comfortably, look here
    FRAMING_AGAIN_DETAIL = "framing.again_detail"  # detail at a new try: glasses or a cap may come off if you like
    FRAMING_LIGHT = "framing.light"  # prompt: the screen changes its colour softly, nothing to do, keep looking
    CAMERA_WAIT = "framing.camera_wait"  # prompt: one moment please, the camera is getting ready again
    ADVICE_READY = "advice.ready"  # very good, please keep looking
    ADVICE_NO_FACE = "advice.no_face"  # please step in front of the camera
    ADVICE_TWO_FACES = "advice.two_faces"  # one person at a time please; companions a step aside
    ADVICE_TOO_FAR = "advice.too_far"  # please come a little closer
    ADVICE_TOO_NEAR = "advice.too_near"  # please lean back a little
    ADVICE_MOVE_LEFT = "advice.move_left"  # a little to your left
    ADVICE_MOVE_RIGHT = "advice.move_right"  # a little to your right
    ADVICE_MOVE_UP = "advice.move_up"  # a little higher
    ADVICE_MOVE_DOWN = "advice.move_down"  # a little lower
    ADVICE_TOO_DARK = "advice.too_dark"  # it is a bit dark; please turn to the light
    ADVICE_TOO_BRIGHT = "advice.too_bright"  # it is very bright; please turn a little away from the light
    ADVICE_BACKLIGHT = "advice.backlight"  # there is light behind you; please turn a little to the side
    ADVICE_LOOK_STRAIGHT = "advice.look_straight"  # please look straight into the camera
    ADVICE_UNCOVER_FACE = "advice.uncover_face"  # please let me see the whole face: mask, hat, hand, hair
    ADVICE_HOLD_STILL = "advice.hold_still"  # please hold still for a moment

    # --- one small action (Screen.CHALLENGE) -----------------------------------------------------------------
    ACTION_TURN_LEFT = "action.turn_left"  # prompt: please turn your head slowly to your left, then back
    ACTION_TURN_RIGHT = "action.turn_right"  # prompt: ... to your right, then back
    ACTION_NOD = "action.nod"  # prompt: please nod once, slowly
    ACTION_BLINK = "action.blink"  # prompt: please close your eyes just while you count to two
    # (never "open them": who is blind and has no exemption is asked it, too)
    ACTION_OPEN_MOUTH = "action.open_mouth"  # prompt: please open your mouth, then close it
    CHALLENGE_DETAIL = "challenge.detail"  # detail: take your time
    CHALLENGE_AGAIN_DETAIL = "challenge.again_detail"  # detail of a gentle repetition: no hurry, like in the picture
    CHALLENGE_OTHER_DETAIL = "challenge.other_detail"  # detail when another action is asked: let's try this instead
    CHALLENGE_SLOWLY_DETAIL = "challenge.slowly_detail"  # detail after many other movements: only this one, slowly

    # --- one moment (Screen.DECIDING) ------------------------------------------------------------------------
    DECIDING = "deciding.one_moment"  # prompt: thank you, one moment please
    DECIDING_HOLD = "deciding.hold"  # prompt while a little more is seen: thank you; please keep looking a moment

    # --- the end (Screen.CLOSING) ----------------------------------------------------------------------------
    CLOSING_DONE = "closing.done"  # done! {name} is certified until {until}
    CLOSING_DONE_DETAIL = "closing.done_detail"  # detail: nothing more to do until then. Take care!
    CLOSING_ALREADY_VALID = "closing.already_valid"  # {name}, certified until {until}: nothing to do. Good-bye
    CLOSING_NOT_IN_SCOPE = "closing.not_in_scope"  # you need no certification: there is nothing to do
    CLOSING_UNDER_REVIEW = "closing.under_review"  # a colleague is already looking after this: nothing to do today
    CLOSING_LATER = "closing.later"  # please come again a little later; nothing is lost
    CLOSING_MAINTENANCE = "closing.maintenance"  # please come again from {resumes} on; nothing is lost
    # Those with a ticket (params: ticket and office); the detail of each is CLOSING_TICKET_DETAIL.
    CLOSING_COLLEAGUE = "closing.colleague"  # a colleague will gladly do the rest with you
    CLOSING_NOT_ON_ROSTER = "closing.not_on_roster"  # your number is kept elsewhere; a colleague finds it for you
    CLOSING_SUSPENDED = "closing.suspended"  # a colleague helps you to have the payments resumed (no promise)
    CLOSING_LOST_ELIGIBILITY = "closing.lost_eligibility"  # a colleague has something to talk over with you
    CLOSING_DECLINED = "closing.declined"  # that is quite all right; a colleague certifies you without the camera
    CLOSING_CANNOT = "closing.cannot"  # that is no trouble at all; a colleague certifies you another way
    CLOSING_CAMERA = "closing.camera"  # the camera is not ready; a colleague will help you
    CLOSING_TICKET_DETAIL = "closing.ticket_detail"  # detail: your ticket {ticket}; {place}, {hours}
    CLOSING_NOT_STORED = "closing.not_stored"  # please come again later or ask a colleague: nothing is done yet
    CLOSING_NOT_STORED_DETAIL = "closing.not_stored_detail"  # detail: {place}, {hours}; you lose nothing
    CLOSING_GOODBYE = "closing.goodbye"  # good-bye; you can begin again whenever you like

    # --- over any page ---------------------------------------------------------------------------------------
    STILL_THERE = "ask.still_there"  # prompt: are you still there? just touch the screen
    STILL_THERE_DETAIL = "ask.still_there_detail"  # detail: take all the time you need
    HELP_IDLE = "help.idle"  # prompt: touch the upper button, say who you are, look at the camera, one small movement
    HELP_IDENTIFY = "help.identify"  # prompt: the number is beside the card's photo, 18 digits, the last may be X
    HELP_CONFIRM = "help.confirm"  # prompt: touch yes if the name is right, no to enter the number again
    HELP_CONSENT = "help.consent"  # prompt: you decide; with no, a colleague certifies you without the camera
    HELP_FRAMING = "help.framing"  # prompt: look at the screen's oval as into a mirror; I tell you what helps
    HELP_CHALLENGE = "help.challenge"  # prompt: one small movement, as in the picture; if you cannot, touch I can't
    HELP_DECIDING = "help.deciding"  # prompt: I am writing down the result; it takes a moment
    HELP_CLOSING = "help.closing"  # prompt: you can go now; with a ticket, please see the colleague
    HELP_DETAIL = "help.detail"  # detail: a colleague is at {place}, {hours}

    # --- buttons ---------------------------------------------------------------------------------------------
    BUTTON_SELF = "button.self"  # for myself (本人认证)
    BUTTON_FOR_OTHER = "button.for_other"  # for somebody else (代他人认证)
    BUTTON_ASSISTED = "button.assisted"  # staff
    BUTTON_YES = "button.yes"  # yes
    BUTTON_NO = "button.no"  # no
    BUTTON_CERTIFY_EARLY = "button.certify_early"  # certify now all the same
    BUTTON_AGREE = "button.agree"  # I agree
    BUTTON_DECLINE = "button.decline"  # no, another way please
    BUTTON_SHOW_AGAIN = "button.show_again"  # show me again
    BUTTON_ANOTHER_ACTION = "button.another_action"  # another movement
    BUTTON_CANNOT = "button.cannot"  # I can't do this
    BUTTON_STILL_HERE = "button.still_here"  # yes, I am here
    BUTTON_HELP = "button.help"  # help
    BUTTON_BACK = "button.back"  # back
    BUTTON_CONTINUE = "button.continue"  # go on (closes the help; sends a staff number)
    BUTTON_FINISH = "button.finish"  # finish
    BUTTON_LEAVE = "button.leave"  # not today, please (beside "I am here": ends the visit)
    BUTTON_COLLEAGUE = "button.colleague"  # let a colleague help me (ends in a ticket)

    # --- relations (buttons after "for somebody else": I am their ...) ---------------------------------------
    RELATION_SPOUSE = "relation.spouse"
    RELATION_CHILD = "relation.child"
    RELATION_RELATIVE = "relation.relative"
    RELATION_NEIGHBOUR = "relation.neighbour"
    RELATION_CARER = "relation.carer"
    RELATION_OTHER = "relation.other"


OF_ADVICE: Mapping[Advice, Phrase] = MappingProxyType({advice: Phrase(f"advice.{advice}") for advice in Advice})
OF_ACTION: Mapping[Action, Phrase] = MappingProxyType({action: Phrase(f"action.{action}") for action in Action})
OF_RELATION: Mapping[Relation, Phrase] = MappingProxyType(
    {relation: Phrase(f"relation.{relation}") for relation in Relation}
)
HELP_OF: Mapping[Screen, Phrase] = MappingProxyType({screen: Phrase(f"help.{screen}") for screen in Screen})
