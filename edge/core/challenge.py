"""One random prompted action, and whether it was answered.

What counts: the action that was asked, begun no sooner after the prompt than a person can react (a movement already
under way does not count), finished within the window, and on the track that was matched (the session's to check).
Eyes blink by themselves all the time; they are asked to stay shut for a while, which they never do by themselves, and
a short blink is neither an answer nor a wrong movement.

People try things, so another movement is no failure.  But a film of somebody who makes every movement in turn must
not pass by luck: when more than ``policy.other_actions_most`` other movements (natural blinks aside) are seen under
one prompt, that try is used up and a different action is asked; the second time a colleague takes over.  This makes
luck rarer, not impossible (how rare: models/TRIED-actions.md); such a film still has to look bona fide to the passive
check on every frame.
"""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime

from edge.core.policy import ActionVerdict, Policy, judge_action, seconds_ns
from edge.core.types import Action, ActionSeen

LAG_NS = 500_000_000
TICKET_LETTERS = "ACEFHKLMNPRTWXY"  # nothing that reads like a digit or another letter
TICKET_DIGITS = "23456789"


@dataclass(frozen=True, slots=True)
class Prompt:
    """One action asked at one moment, and what has been seen since."""

    action: Action
    since_ns: int  # when this action was first asked; a gentle repetition does not undo a movement begun before it
    asked_ns: int  # when it was last asked
    asked_at: datetime
    known: tuple[ActionSeen, ...] = ()  # everything seen under this prompt, each movement once
    answer: ActionSeen | None = None
    others: int = 0  # other movements among those known, and under earlier showings of this prompt
    too_many_others: bool = False


def choose(nonce: str, draw: int, policy: Policy, without: Collection[Action]) -> Action | None:
    """The action of draw number ``draw``: what the policy allows without ``without``; None when nothing is left.

    Nobody who does not know the nonce can foresee it, and everybody who knows it can check it.
    """
    left = [action for action in policy.actions if action not in without]
    if not left:
        return None
    number = int.from_bytes(hashlib.sha256(f"anxin action {nonce} {draw}".encode()).digest())
    return left[number % len(left)]


def again(prompt: Prompt, now_ns: int, now: datetime) -> Prompt:
    """The same action, asked gently once more."""
    return Prompt(prompt.action, prompt.since_ns, now_ns, now)


def anew(prompt: Prompt, now_ns: int, now: datetime) -> Prompt:
    """The same prompt from its beginning, because somebody wants to see it again.

    The other movements so far stay counted: else a film could be shown the prompt until it comes to the right one.
    """
    return Prompt(prompt.action, now_ns, now_ns, now, others=prompt.others)


def deadline_ns(prompt: Prompt, policy: Policy) -> int:
    """When the prompt's window is over; a frame taken in time may be understood a moment later."""
    return prompt.asked_ns + seconds_ns(policy.action_window_s) + LAG_NS


def hear(prompt: Prompt, seen: Collection[ActionSeen], until_ns: int, policy: Policy) -> Prompt:
    """The prompt after one more observation, of ``until_ns``; its ``answer`` is set once it is answered."""
    fresh = tuple(each for each in seen if not _known(each, prompt) and each.completed_ns <= until_ns)
    if prompt.answer is not None or prompt.too_many_others or not fresh:
        return prompt
    known = prompt.known + fresh
    ends_ns = deadline_ns(prompt, policy)
    judged = [(each, judge_action(each, prompt.action, prompt.since_ns, ends_ns, policy)) for each in known]
    counting = [each for each, verdict in judged if verdict is ActionVerdict.COUNTS]
    others = prompt.others + sum(_is_other(each, prompt, ends_ns, policy) for each in fresh)
    too_many = others > policy.other_actions_most
    answer = None if too_many else min(counting, key=lambda each: each.completed_ns, default=None)
    return replace(prompt, known=known, answer=answer, others=others, too_many_others=too_many)


def ticket(nonce: str) -> str:
    """A short name for a handover, like K-38472, that can be read aloud and does not give the nonce away."""
    number = int.from_bytes(hashlib.sha256(f"anxin ticket {nonce}".encode()).digest())
    number, letter = divmod(number, len(TICKET_LETTERS))
    digits = ""
    for _ in range(5):
        number, digit = divmod(number, len(TICKET_DIGITS))
        digits += TICKET_DIGITS[digit]
    return f"{TICKET_LETTERS[letter]}-{digits}"


def _is_other(seen: ActionSeen, prompt: Prompt, ends_ns: int, policy: Policy) -> bool:
    return judge_action(seen, prompt.action, prompt.since_ns, ends_ns, policy) is ActionVerdict.OTHER


def _known(seen: ActionSeen, prompt: Prompt) -> bool:
    return any(each.action is seen.action and each.started_ns == seen.started_ns for each in prompt.known)
