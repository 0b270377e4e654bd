"""The light challenge: the page changes its colour softly, and a face before it must change with it.

A page of some 0.05 m² and 300 cd/m² throws about 50 lux on a face half a metre away, and hardly 2 lux on a wall at
2.5 m (the inverse square).  So the skin's colour follows the page's by several per cent in a room of 300 lux, and the
room behind does not follow.  What differs:

    a person        the skin follows, what is behind does not
    a screen        shines by itself and mirrors about 4 %: it does not follow, or follows where it mirrors, its
                    picture's background as much as its picture's face
    a print         follows as skin does, but its printed background follows as much as its face
    a film of the right person, lit by a page once: the skin follows the colours of then, not those asked now

and what light cannot tell: in a bright room the page drowns, and nothing follows.  That is `Answer.UNTOLD` and never
speaks against anybody.  A face that does not follow speaks against it only where the wall behind is seen to follow:
then the room is dark enough, and whatever is nearer must follow more.  A print cut out along the face, a mask, and a
screen that is tinted in time with the page pass.  docs/adr/0009-light-challenge.md has the figures.

Only hues are compared, ln R/G and ln B/G: brightness follows every movement and the camera's exposure, hue does not.
The camera's white balance changes face and room alike, so their difference is looked at as well.  The colours are
soft and of nearly equal brightness, each stands for `STEP_S` and fades into the next within `FADE_S`: at most 0.8
pairs of opposite changes a second, where three are allowed (WCAG 2.3.1), and no saturated red.

Pure: the same observations and times give the same answer.  Colours are "#rrggbb" of sRGB; light is linear, 0..1.
"""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum, unique
from itertools import pairwise
from statistics import correlation, fmean, pstdev

from edge.core.types import Observation

Rgb = tuple[float, float, float]
Hues = list[tuple[float, float]]  # (ln R/G, ln B/G), one pair a sample

STEPS = 6
STEP_S = 0.7
FADE_S = 0.25  # page.css has the same figure; tests/kiosk compares them
TAIL_S = 0.5  # the page is its own again, and what is late still arrives
# Pairs differ in hue, hardly in luminance (0.50 to 0.71 of white), and dark ink is legible on all (7.8:1 and more).
COLOURS: tuple[str, ...] = (
    "#d4d4d4",  # soft white
    "#86e6e6",  # cyan
    "#e0e086",  # yellow
    "#ffa6ff",  # magenta
    "#98e098",  # green
    "#ffb4aa",  # rose
    "#b4b4ff",  # blue
)
PAPER = "#e6f2e6"  # the page's own colour when the picture is good, before and after

# Two sequences of one person must not be alike, and each must move both hues: of all drawn, only those are used whose
# hues spread at least so much (of about 0.4 at most) and follow neither each other nor a slow drift.
LEAST_SPREAD = 0.26
MOST_ALIKE = 0.75

LAGS_S: tuple[float, ...] = tuple(step * 0.05 for step in range(13))  # the page draws late, the camera shows late
LEAST_SAMPLES = 24  # of about 4.7 s: five frames a second, four in each colour
LEAST_SHARE = 0.8  # of the colours, with at least two samples each
# Deviation of the head's yaw, and of its width as a share, beyond which hue moves by itself: that of a man who talks
# and turns by 3.5 degrees moved by 5 %, else by 1.3 % (median of 41 stretches of the talking face; no page lit him).
STILL_YAW_DEG = 2.0
STILL_WIDTH = 0.04

# When an answer is believed.  Chosen on the physical model (docs/adr/0009-light-challenge.md), with wide margins.
SURE = 4.0  # the change is so many times its own uncertainty
FOLLOWS = 0.75  # correlation with what was asked, at the best lag
LEAST_CHANGE = 0.02  # ln hue per unit of the page's light: less is the camera's own doing
ALIKE = 0.6  # what is round the face changes by so much of what the face changes
# A wall at 2.5 m gets a 25th of what a face at 0.5 m gets; at 1.5 m, with skin three times as dark as the wall, that
# leaves 3.  A face that the room lights more than its wall answers less, and is brighter in the picture by as much.
NEARER = 2.0
NEARER_BY_BRIGHTNESS = 3.0
GLARING = 4.0  # so many times brighter than what is beside it, a face is lit by something else than that is
OTHER_UNREST = 0.05  # deviation of hue that nothing asked explains: far more than heads and lamps make


@unique
class Answer(StrEnum):
    """What the face did under the page's light."""

    FOLLOWED = "followed"  # as a face does
    ALIKE = "alike"  # but everything round it did as much, as a flat sheet or glass does
    SILENT = "silent"  # it did not, though the room behind did
    OTHER = "other"  # it changed its colours, but not as asked
    UNTOLD = "untold"  # too bright, too few frames, too much movement: this says nothing


# What `LightAnswer.score` makes of an answer; a followed one scores its correlation.
SCORES = {Answer.OTHER: -0.25, Answer.ALIKE: -0.5, Answer.SILENT: -1.0}


@dataclass(frozen=True, slots=True)
class Step:
    """One colour of a sequence."""

    colour: str
    lasts_s: float


@dataclass(frozen=True, slots=True)
class Sample:
    """What one observation says about light; linear, 0..1."""

    at_ns: int
    skin: Rgb
    behind: Rgb | None
    room: Rgb | None
    yaw_deg: float
    width: float


@dataclass(frozen=True, slots=True)
class Showing:
    """A sequence under way: what was asked when, and what was seen since.

    ``asked`` holds (time of the view, colour); the last one has ``None`` for the page's own colour.
    """

    steps: tuple[Step, ...]
    asked: tuple[tuple[int, str | None], ...]
    track: int | None = None
    samples: tuple[Sample, ...] = ()

    @property
    def colour(self) -> str | None:
        """What `View.light` has to be now."""
        return self.asked[-1][1]

    @property
    def shown(self) -> bool:
        """Whether every colour was shown; the page has its own again."""
        return self.asked[-1][1] is None

    def over(self, now_ns: int) -> bool:
        """Whether there is nothing more to wait for."""
        return self.shown and now_ns - self.asked[-1][0] >= TAIL_S * 1e9


@dataclass(frozen=True, slots=True)
class LightAnswer:
    """What came of it.  Strengths are ln hue per unit of the page's linear light (0.2: a fifth from dark to full).

    ``error`` is the standard error of ``strength``, ``follows`` the correlation with what was asked, ``delay_s`` the
    lag at which it is greatest.  ``behind`` and ``room`` are the strengths of what is round the face and of the rest
    of the room, ``unrest`` the deviation of the skin's hue that nothing asked explains.
    """

    answer: Answer
    frames: int
    strength: float = 0.0
    error: float = 0.0
    follows: float = 0.0
    delay_s: float = 0.0
    behind: float | None = None
    room: float | None = None
    unrest: float = 0.0

    @property
    def score(self) -> float | None:
        """One figure, -1 (not a face) .. 1 (followed as a face does); None: nothing can be told."""
        if self.answer is Answer.UNTOLD:
            return None
        return self.follows if self.answer is Answer.FOLLOWED else SCORES[self.answer]


# --- the sequence --------------------------------------------------------------------------------------------


def sequence(nonce: str, draw: int) -> tuple[Step, ...]:
    """The colours of draw number ``draw``, none twice in a row.

    Nobody who does not know the nonce can foresee them, and everybody who knows it can check them.
    """
    attempt = 0
    while True:
        digest = hashlib.sha256(f"anxin light {nonce} {draw} {attempt}".encode()).digest()
        colours = _colours(digest)
        if _tells(colours):
            return tuple(Step(colour, STEP_S) for colour in colours)
        attempt += 1


def begin(nonce: str, draw: int, now_ns: int) -> Showing:
    """The first colour, shown by a view of ``now_ns``."""
    steps = sequence(nonce, draw)
    return Showing(steps, ((now_ns, steps[0].colour),))


def go_on(showing: Showing, now_ns: int) -> Showing:
    """After time passed: the next colour if it is due.  Call it on every tick and show its `colour`."""
    since_ns, _ = showing.asked[-1]
    number = len(showing.asked) - 1
    if showing.shown or now_ns - since_ns < round(showing.steps[number].lasts_s * 1e9):
        return showing
    colour = showing.steps[number + 1].colour if number + 1 < len(showing.steps) else None
    return replace(showing, asked=(*showing.asked, (now_ns, colour)))


def see(showing: Showing, seen: Observation) -> Showing:
    """With one more observation, if it says anything; another track than the first is not listened to."""
    skin = seen.cues.skin
    if skin is None or seen.frozen or seen.faces != 1 or seen.at_ns < showing.asked[0][0]:
        return showing
    if showing.track not in {None, seen.track} or not _usable(skin):
        return showing
    behind, room = _if_usable(seen.cues.behind), _if_usable(seen.cues.room)
    sample = Sample(seen.at_ns, skin, behind, room, seen.yaw_deg, seen.face_width)
    return replace(showing, track=seen.track, samples=(*showing.samples, sample))


def page_light(asked: Sequence[tuple[int, str | None]], at_ns: int) -> Rgb:
    """Linear light of the page at a time, fades included; before the first colour it is the page's own."""
    before, now, since_ns = PAPER, PAPER, None
    for begins_ns, colour in asked:
        if begins_ns > at_ns:
            break
        before, now, since_ns = now, colour or PAPER, begins_ns
    share = 1.0 if since_ns is None else min(1.0, (at_ns - since_ns) / (FADE_S * 1e9))
    old, new = _bytes(before), _bytes(now)
    red, green, blue = (linear(a + (b - a) * share) for a, b in zip(old, new, strict=True))
    return red, green, blue


def linear(byte: float) -> float:
    """Linear light 0..1 of an sRGB byte 0..255 (IEC 61966-2-1)."""
    value = byte / 255
    return value / 12.92 if value <= 0.04045 else float(((value + 0.055) / 1.055) ** 2.4)


# --- the answer ----------------------------------------------------------------------------------------------


def answer(showing: Showing) -> LightAnswer:
    """What the samples of a showing say.  `Answer.UNTOLD` for everything that does not tell."""
    samples = showing.samples
    if len(samples) < LEAST_SAMPLES or not _covered(showing):
        return LightAnswer(Answer.UNTOLD, len(samples))
    asked = _lights(showing)
    skin = [_hue(each.skin) for each in samples]
    room = _all([each.room for each in samples])
    raw = _fit(skin, asked)
    # The white balance moves face and room together; what moves only the room is not the face's.
    apart = _fit(_less(skin, room), asked) if room else raw
    fit = max(raw, apart, key=lambda each: each.follows)
    behind = _at_lag(_all([each.behind for each in samples]), asked, raw.delay_s)
    walls = _fit(room, asked) if room else None
    return LightAnswer(
        _judged(fit, raw, behind, walls, samples),
        len(samples),
        fit.strength,
        fit.error,
        fit.follows,
        fit.delay_s,
        behind.strength if behind else None,
        walls.strength if walls else None,
        fit.unrest,
    )


@dataclass(frozen=True, slots=True)
class _Fit:
    strength: float
    error: float
    follows: float
    delay_s: float
    unrest: float

    @property
    def sure(self) -> bool:
        return self.strength >= SURE * self.error and self.follows >= FOLLOWS


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a skin would do that follows the page's light so much later, as hues without their drift."""

    times: list[int]
    by_lag: dict[float, Hues]


def _judged(fit: _Fit, raw: _Fit, behind: _Fit | None, walls: _Fit | None, samples: Sequence[Sample]) -> Answer:
    if fit.sure and fit.strength >= LEAST_CHANGE:
        # With the white balance still in both: it moves them alike.
        if behind is None:
            return Answer.UNTOLD
        if behind.strength + 2 * behind.error < ALIKE * raw.strength:
            return Answer.FOLLOWED
        if not (behind.sure and behind.strength >= ALIKE * raw.strength):
            return Answer.UNTOLD
        glaring = _brighter([(each.skin, each.behind) for each in samples]) > GLARING
        return Answer.UNTOLD if glaring else Answer.ALIKE
    if walls is not None and walls.sure:
        brighter = _brighter([(each.skin, each.room) for each in samples])
        least = walls.strength * min(NEARER, NEARER_BY_BRIGHTNESS / brighter)
        if raw.strength + 2 * raw.error < least:
            return Answer.SILENT
    calm_room = walls is None or walls.unrest < fit.unrest / 2
    other = fit.unrest >= OTHER_UNREST and fit.follows < FOLLOWS and calm_room and _still(samples)
    return Answer.OTHER if other else Answer.UNTOLD


def _brighter(pairs: Sequence[tuple[Rgb, Rgb | None]]) -> float:
    """How many times brighter the one is than the other, on the whole (green is most of brightness)."""
    return math.exp(fmean(math.log(one[1] / other[1]) for one, other in pairs if other is not None))


def _fit(hues: Hues, asked: _Asked) -> _Fit:
    """The regression on what was asked, at the lag where it follows best."""
    flat = _without_drift(hues, asked.times)
    return max((_regressed(flat, asked, lag_s) for lag_s in LAGS_S), key=lambda each: each.follows)


def _at_lag(hues: Hues | None, asked: _Asked, lag_s: float) -> _Fit | None:
    return _regressed(_without_drift(hues, asked.times), asked, lag_s) if hues else None


def _lights(showing: Showing) -> _Asked:
    times = [each.at_ns for each in showing.samples]
    by_lag = {}
    for lag_s in LAGS_S:
        lights = [page_light(showing.asked, at_ns - round(lag_s * 1e9)) for at_ns in times]
        by_lag[lag_s] = _without_drift([(red - green, blue - green) for red, green, blue in lights], times)
    return _Asked(times, by_lag)


def _regressed(flat: Hues, all_asked: _Asked, lag_s: float) -> _Fit:
    asked = all_asked.by_lag[lag_s]
    xx = sum(a * a + b * b for a, b in asked)
    yy = sum(a * a + b * b for a, b in flat)
    xy = sum(a * c + b * d for (a, b), (c, d) in zip(asked, flat, strict=True))
    strength = xy / xx
    rest = [(c - strength * a, d - strength * b) for (a, b), (c, d) in zip(asked, flat, strict=True)]
    left = sum(a * a + b * b for a, b in rest)
    # Neighbouring frames err alike: count them as the fewer independent ones that they are worth (AR(1)).
    alike = sum(a * c + b * d for (a, b), (c, d) in pairwise(rest)) / max(left, 1e-12)
    alike = min(max(alike, 0.0), 0.95)
    count = 2 * len(flat)
    worth = max(count * (1 - alike) / (1 + alike) - 5, 3.0)
    return _Fit(
        strength,
        math.sqrt(left / xx / worth),
        xy / math.sqrt(xx * yy) if yy > 0 else 0.0,
        lag_s,
        math.sqrt(left / count),
    )


def _without_drift(hues: Hues, times: list[int]) -> Hues:
    """Each hue less the straight line through it: exposure, white balance and the sun drift."""
    mean_t = fmean(times)
    seconds = [(at_ns - mean_t) / 1e9 for at_ns in times]
    tt = max(sum(t * t for t in seconds), 1e-9)
    lines = []
    for column in zip(*hues, strict=True):
        mean = fmean(column)
        slope = sum(t * (value - mean) for t, value in zip(seconds, column, strict=True)) / tt
        lines.append([value - mean - slope * t for t, value in zip(seconds, column, strict=True)])
    return list(zip(*lines, strict=True))


def _covered(showing: Showing) -> bool:
    """Whether nearly every colour was shown to a face."""
    pairs = list(pairwise(showing.asked))
    seen = sum(
        sum(begins_ns + FADE_S * 1e9 <= each.at_ns < ends_ns + FADE_S * 1e9 for each in showing.samples) >= 2
        for (begins_ns, _), (ends_ns, _) in pairs
    )
    return showing.shown and seen >= LEAST_SHARE * len(showing.steps)


def _still(samples: Sequence[Sample]) -> bool:
    return pstdev([each.yaw_deg for each in samples]) <= STILL_YAW_DEG and pstdev(
        [each.width for each in samples]
    ) <= STILL_WIDTH * fmean(each.width for each in samples)


def _all(lights: Sequence[Rgb | None]) -> Hues | None:
    """The hues, if nearly all frames have them; a gap is filled with the one before."""
    there = [each for each in lights if each is not None]
    if len(there) < LEAST_SHARE * len(lights):
        return None
    hues, last = [], _hue(there[0])
    for each in lights:
        last = _hue(each) if each is not None else last
        hues.append(last)
    return hues


def _less(hues: Hues, others: Hues | None) -> Hues:
    return [(a - c, b - d) for (a, b), (c, d) in zip(hues, others or hues, strict=True)]


def _hue(light: Rgb) -> tuple[float, float]:
    red, green, blue = light
    return math.log(red / green), math.log(blue / green)


def _if_usable(light: Rgb | None) -> Rgb | None:
    return light if light is not None and _usable(light) else None


def _usable(light: Rgb) -> bool:
    return all(math.isfinite(channel) and 1e-4 <= channel <= 1.0 for channel in light)


# --- drawing colours -----------------------------------------------------------------------------------------


def _colours(digest: bytes) -> tuple[str, ...]:
    number = int.from_bytes(digest)
    drawn: list[str] = []
    while len(drawn) < STEPS:
        left = [colour for colour in COLOURS if not drawn or colour != drawn[-1]]
        number, which = divmod(number, len(left))
        drawn.append(left[which])
    return tuple(drawn)


def _tells(colours: Sequence[str]) -> bool:
    """Whether both hues move enough, each by itself, and not as a slow drift would."""
    lights = [tuple(linear(byte) for byte in _bytes(colour)) for colour in colours]
    red, blue = [light[0] - light[1] for light in lights], [light[2] - light[1] for light in lights]
    drift = [float(number) for number in range(len(colours))]
    if min(pstdev(red), pstdev(blue)) < LEAST_SPREAD:
        return False
    pairs = ((red, blue), (red, drift), (blue, drift))
    return all(abs(correlation(one, other)) <= MOST_ALIKE for one, other in pairs)


def _bytes(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
