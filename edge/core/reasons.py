"""Why an attempt ended as it did, for the office's ledger.  The page never says which."""

from enum import StrEnum, unique


@unique
class Reason(StrEnum):
    """A word of `Attempt.reasons`."""

    # informed
    ALREADY_VALID = "already_valid"
    NOT_IN_SCOPE = "not_in_scope"
    UNDER_REVIEW = "under_review"
    # referred before the camera
    NOT_ON_ROSTER = "not_on_roster"
    LOOK_UP_UNANSWERED = "look_up_unanswered"
    SCHEME_UNKNOWN = "scheme_unknown"
    SUSPENDED = "suspended"
    LOST_ELIGIBILITY = "lost_eligibility"
    NO_REFERENCE = "no_reference"
    MANY_VISITS = "many_visits_in_vain"
    CONSENT_DECLINED = "consent_declined"
    HELP_WANTED = "help_wanted"
    # referred after looking
    NO_MATCH = "no_match"
    PRESENTATION_ATTACK = "presentation_attack_suspected"
    LIVENESS_UNSURE = "liveness_unsure"  # not enough for a bona fide face, not enough to suspect anybody
    ACTION_NOT_SEEN = "action_not_seen"
    OTHER_ACTIONS = "many_other_actions"
    CANNOT_DO_ACTION = "cannot_do_action"
    NO_CLEAR_VIEW = "no_clear_view"
    TOO_FEW_FRAMES = "too_few_frames"
    CONTINUITY_LOST = "continuity_lost"
    TOOK_LONG = "took_long"
    CAMERA_LOST = "camera_lost"
    CLOCK_NOT_SYNCED = "clock_not_synced"
    EYES_NOT_TRUSTED = "eyes_not_trusted"
    # abandoned
    WALKED_AWAY = "walked_away"
