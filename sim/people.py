"""A simulated person: reads what the page shows, thinks, and does something, slowly and sometimes wrongly.

A `Mind` knows nothing of sockets, clocks or pixels: `read` tells it what the page shows, `turn` asks what it does
by now.  Its delays come from its seed.  At the terminal it behaves like the people in design/product.md: it reads
before it acts, needs about a second to react to a prompt, follows advice, and tries again when nothing happens.
"""

import random
from dataclasses import dataclass, field, replace

from edge.core.types import Action, Advice, Mode, Screen, Touch, View
from edge.kiosk.protocol import ViewShown
from sim.scenario import Visit

OPPOSITE = {Action.TURN_LEFT: Action.TURN_RIGHT, Action.TURN_RIGHT: Action.TURN_LEFT}
STARTS = {Mode.SELF: Touch.START_SELF, Mode.FOR_OTHER: Touch.START_FOR_OTHER, Mode.ASSISTED: Touch.START_ASSISTED}
MOST_BEGINNINGS = 4  # how often somebody begins again when the terminal was interrupted


@dataclass(frozen=True, slots=True)
class Page:
    """What somebody sees: keys of the texts, and what can be touched."""

    screen: Screen
    prompt: str
    detail: str = ""
    choices: tuple[tuple[Touch, str], ...] = ()
    keypad: bool = False
    advice: Advice | None = None
    action: Action | None = None
    serial: int | None = None
    length: int = 12  # characters of the prompt

    @classmethod
    def of_view(cls, view: View) -> "Page":
        return cls(
            view.screen,
            str(view.prompt),
            str(view.detail),
            tuple((each.touch, each.value) for each in view.choices),
            view.keypad,
            view.advice,
            view.action,
        )

    @classmethod
    def of_shown(cls, shown: ViewShown) -> "Page":
        return cls(
            shown.screen,
            shown.prompt.key,
            shown.detail.key if shown.detail else "",
            tuple((each.touch, each.value) for each in shown.choices),
            shown.keypad,
            shown.advice.kind if shown.advice else None,
            shown.action.kind if shown.action else None,
            shown.serial,
            len(shown.prompt.zh),
        )

    @property
    def question(self) -> "Page":
        """The page without what does not ask for anything new."""
        return replace(self, serial=None, length=0)


@dataclass(frozen=True, slots=True)
class Press:
    touch: Touch
    value: str = ""


@dataclass(frozen=True, slots=True)
class Type:
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Act:
    action: Action
    size: float = 1.0


@dataclass(frozen=True, slots=True)
class Shift:
    """A step: the face's centre moves by shares of the frame, its width by a factor."""

    x: float = 0.0
    y: float = 0.0
    width: float = 1.0


@dataclass(frozen=True, slots=True)
class SendAside:
    """The companion steps out of the picture."""


@dataclass(frozen=True, slots=True)
class LightLamp:
    """Somebody switches the lamp on."""


@dataclass(frozen=True, slots=True)
class Leave:
    """They go away."""


Deed = Press | Type | Act | Shift | SendAside | LightLamp | Leave

_SHIFTS = {
    Advice.TOO_FAR: Shift(width=1.25),
    Advice.TOO_NEAR: Shift(width=0.8),
    Advice.MOVE_LEFT: Shift(x=0.09),  # the person's own left is the picture's right
    Advice.MOVE_RIGHT: Shift(x=-0.09),
    Advice.MOVE_UP: Shift(y=-0.08),
    Advice.MOVE_DOWN: Shift(y=0.08),
}


class Mind:
    """What one visitor thinks.  ``number`` is what they type."""

    def __init__(self, visit: Visit, number: str, seed: int) -> None:
        self.visit = visit
        self.gone = False
        self.ending: Page | None = None
        self.beginnings = 0
        self._number = number
        self._random = random.Random(f"{seed}/{visit.key}")  # noqa: S311
        self._page: Page | None = None
        self._plan: list[tuple[float, Deed]] = []
        self._came_s: float | None = None
        self._mistyped = False
        self._misturned = False
        self._tried = 0

    @property
    def page(self) -> Page | None:
        return self._page

    def read(self, page: Page, now_s: float) -> None:
        """The page changed (or was sent again)."""
        before, self._page = self._page, page
        if self._came_s is None:
            self._came_s = now_s
        if before is None or before.question != page.question:
            if before is None or (before.screen, before.action) != (page.screen, page.action):
                self._tried = 0
            self._plan = []
            self._think(page, now_s)

    def turn(self, now_s: float) -> list[Deed]:
        """What they do by now, in order."""
        if self.gone:
            return []
        if self._came_s is not None and now_s - self._came_s > self.visit.habits.patience_s:
            self._plan = [(now_s, Leave())]
        due = [deed for at_s, deed in self._plan if at_s <= now_s]
        self._plan = [(at_s, deed) for at_s, deed in self._plan if at_s > now_s]
        if self._page is not None and self._page.screen is Screen.IDLE:
            self.beginnings += any(isinstance(deed, Press) for deed in due)
        if any(isinstance(deed, Leave) for deed in due):
            self.gone = True
        elif not self._plan and self._page is not None and due:
            self._again(self._page, now_s)
        return due

    # --- thinking ---------------------------------------------------------------------------------------------

    def _think(self, page: Page, now_s: float) -> None:
        habits = self.visit.habits
        if habits.leaves_at is not None and page.screen.value == habits.leaves_at:
            self._do(now_s + self._reading(page), Leave())
            return
        if page.prompt == "ask.still_there":
            self._do(now_s + self._reading(page), Press(Touch.STILL_HERE))
        elif page.prompt.startswith("help."):
            self._do(now_s + self._reading(page), Press(Touch.BACK))
        else:
            {
                Screen.IDLE: self._at_idle,
                Screen.IDENTIFY: self._identify,
                Screen.CONFIRM: lambda p, t: self._do(t + self._reading(p), Press(Touch.YES)),
                Screen.CONSENT: self._consent,
                Screen.FRAMING: self._framing,
                Screen.CHALLENGE: self._challenge,
                Screen.DECIDING: lambda _p, _t: None,
                Screen.CLOSING: self._closing,
            }[page.screen](page, now_s)

    def _at_idle(self, page: Page, now_s: float) -> None:
        if self.ending is not None or self.beginnings >= MOST_BEGINNINGS:
            self._do(now_s + 0.2, Leave())
        else:
            self._do(now_s + self._reading(page), Press(STARTS[self.visit.mode]))

    def _identify(self, page: Page, now_s: float) -> None:
        touches = {touch for touch, _ in page.choices}
        if page.prompt == "identify.ask_relation" and self.visit.relation is not None:
            self._do(now_s + self._reading(page), Press(Touch.START_FOR_OTHER, self.visit.relation.value))
        elif page.keypad and Touch.START_ASSISTED in touches:
            self._do(now_s + self._reading(page) + self._typing(6), Type(self.visit.staff or "1"))
        elif page.keypad:
            self._do(now_s + self._reading(page) + self._typing(len(self._number)), Type(self._typed()))
        elif Touch.FINISH in touches:
            early = self.visit.habits.certifies_early and Touch.YES in touches
            self._do(now_s + self._reading(page), Press(Touch.YES if early else Touch.FINISH))

    def _consent(self, page: Page, now_s: float) -> None:
        answer = Touch.DECLINE if self.visit.habits.declines else Touch.AGREE
        self._do(now_s + 1.5 * self._reading(page), Press(answer))

    def _framing(self, page: Page, now_s: float) -> None:
        reaction_s = self._reaction()
        if page.advice is Advice.TWO_FACES:
            self._do(now_s + reaction_s, SendAside())
        elif page.advice in {Advice.TOO_DARK, Advice.BACKLIGHT} and self.visit.habits.lights_lamp:
            self._do(now_s + reaction_s + 1.0, LightLamp())
        elif page.advice in _SHIFTS:
            self._do(now_s + reaction_s, _SHIFTS[page.advice])

    def _challenge(self, page: Page, now_s: float) -> None:
        action = page.action
        if action is None:
            return
        if action in self.visit.habits.cannot:
            self._do(now_s + self._reading(page) + 0.5, Press(Touch.CANNOT))
            return
        at_s = now_s + self._reaction()
        wrong = OPPOSITE.get(action)
        if self.visit.habits.wrong_way_first and wrong is not None and not self._misturned:
            self._misturned = True
            self._do(at_s, Act(wrong))
            at_s += 3.2
        # Who is not understood exaggerates a little.
        size = min(1.0 + 0.15 * self._tried, 1.3)
        self._do(at_s, Act(action, size))

    def _closing(self, page: Page, now_s: float) -> None:
        self.ending = page
        self._do(now_s + 1.2 * self._reading(page) + 1.0, Press(Touch.FINISH))

    def _again(self, page: Page, now_s: float) -> None:
        """The page is still the same a while after they did something: do it again."""
        wait_s = {Screen.CHALLENGE: 5.0, Screen.FRAMING: 2.5, Screen.IDLE: 3.0}.get(page.screen, 7.0)
        self._tried += 1
        self._think(page, now_s + wait_s + self._random.uniform(0, 1.0))

    # --- how long it takes ------------------------------------------------------------------------------------

    def _do(self, at_s: float, deed: Deed) -> None:
        self._plan.append((at_s, deed))

    def _reading(self, page: Page) -> float:
        return (0.7 + 0.07 * page.length) * self._random.uniform(0.8, 1.3) / self.visit.habits.haste

    def _typing(self, characters: int) -> float:
        return sum(self._random.uniform(0.35, 0.75) for _ in range(characters)) / self.visit.habits.haste

    def _reaction(self) -> float:
        late = (1 - self.visit.habits.hearing) * self._random.uniform(1.0, 3.0)
        return self._random.uniform(0.8, 2.0) / min(self.visit.habits.haste, 1.6) + late

    def _typed(self) -> str:
        if not self.visit.habits.wrong_number_first or self._mistyped:
            return self._number
        self._mistyped = True
        place = self._random.randrange(7, 16)
        other = str((int(self._number[place]) + self._random.randint(1, 8)) % 10)
        return self._number[:place] + other + self._number[place + 1 :]
