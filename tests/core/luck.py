"""How often a film that happens to move would answer a prompt: whole challenges played against the rules.

A `Film` is what the eyes report of a recording, in a loop.  `challenge_passed` begins it at some offset and plays one
challenge as `edge.core.looking` does: a random action, its window, gentle repetitions, too many other movements, and
the button "another action" as often as it is allowed.  Everything but the action is set aside: the film is taken to
match, to look bona fide on every frame, and never to break its track.
"""

import math
import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from edge.core import challenge
from edge.core.policy import Policy
from edge.core.types import Action, ActionSeen

_NS = 1_000_000_000
TURNS = frozenset({Action.TURN_LEFT, Action.TURN_RIGHT})  # put aside together, as `edge.core.looking` does
_A_DAY = datetime(2026, 11, 23, tzinfo=UTC)


@dataclass(frozen=True)
class Film:
    """Movements (times within 0 .. ``length_ns``), played again and again."""

    movements: Sequence[ActionSeen]
    length_ns: int

    def after(self, at_ns: int, until_ns: int) -> list[ActionSeen]:
        """What is completed after ``at_ns`` and not after ``until_ns``, in order; both count through the loops."""
        found = []
        for loop in range(at_ns // self.length_ns, until_ns // self.length_ns + 1):
            shift = loop * self.length_ns
            for seen in self.movements:
                if at_ns < seen.completed_ns + shift <= until_ns:
                    moved = replace(seen, started_ns=seen.started_ns + shift, completed_ns=seen.completed_ns + shift)
                    found.append(moved)
        return sorted(found, key=lambda each: each.completed_ns)


@dataclass(frozen=True)
class Attacker:
    """Who plays the film: asks for another action until one of ``wants`` is asked, if the terminal lets them.

    ``repeats``: how often "show me again" is pressed at the end of a window, so that a new one begins for nothing.
    """

    wants: frozenset[Action] = frozenset(Action)
    refusals: int = 0
    repeats: int = 0


def challenge_passed(
    film: Film,
    policy: Policy,
    dice: random.Random,
    attacker: Attacker = Attacker(),
    first: Action | None = None,
) -> bool:
    """One challenge against the film from a random moment on; ``first``: the first action asked, else random."""
    now_ns = dice.randrange(film.length_ns)
    tries, refused, refusals, many = 1, set[Action](), attacker.refusals, False
    repeats = attacker.repeats
    action = first or dice.choice(policy.actions)
    while action not in attacker.wants and refusals:
        refusals -= 1
        refused |= TURNS if action in TURNS else {action}
        left = [each for each in policy.actions if each not in refused]
        if not left:
            return False
        action = dice.choice(left)
    prompt = challenge.Prompt(action, now_ns, now_ns, _A_DAY)
    while True:
        ends_ns = challenge.deadline_ns(prompt, policy)
        for seen in film.after(now_ns, ends_ns):
            now_ns = seen.completed_ns
            prompt = challenge.hear(prompt, (seen,), now_ns, policy)
            if prompt.answer is not None:
                return True
            if prompt.too_many_others:
                break
        if repeats and not prompt.too_many_others:
            repeats, now_ns = repeats - 1, ends_ns
            prompt = challenge.anew(prompt, now_ns, _A_DAY)
            continue
        if tries >= policy.max_tries or (prompt.too_many_others and many):
            return False
        tries += 1
        if prompt.too_many_others:
            many = True
            left = [each for each in policy.actions if each not in refused | {prompt.action}] or [prompt.action]
            prompt = challenge.Prompt(dice.choice(left), now_ns, now_ns, _A_DAY)
        else:
            now_ns = ends_ns
            prompt = challenge.again(prompt, now_ns, _A_DAY)


def chance(
    film: Film,
    policy: Policy,
    seed: int,
    rounds: int,
    attacker: Attacker = Attacker(),
    first: Action | None = None,
) -> float:
    """The share of ``rounds`` challenges that the film passes."""
    dice = random.Random(seed)
    return sum(challenge_passed(film, policy, dice, attacker, first) for _ in range(rounds)) / rounds


def show_reel(every_s: float, seed: int, loops: int = 40, only: Collection[Action] = tuple(Action)) -> Film:
    """A film made to pass: each of ``only`` once a round in a random order, one every ``every_s``, all clear."""
    dice, movements, at_s = random.Random(seed), [], 0.0
    for _ in range(loops):
        for action in dice.sample(list(only), len(only)):
            begins_ns = round(at_s * _NS)
            movements.append(ActionSeen(action, begins_ns, begins_ns + round(1.5 * _NS), 0.8))
            at_s += every_s
    return Film(movements, math.ceil(at_s * _NS))
