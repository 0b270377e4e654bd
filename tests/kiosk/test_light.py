"""The page's light: dark ink stays legible on every colour, nothing flashes, the page fades as the rules reckon."""

import re
from collections.abc import Callable
from itertools import pairwise, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core import light
from edge.core.phrases import Phrase
from edge.core.types import Screen, View
from edge.errors import UntrustedError
from edge.kiosk import protocol
from edge.kiosk.protocol import ViewShown
from edge.kiosk.server import STATIC, Page
from tests.kiosk.window import window

CSS = (STATIC / "page.css").read_text(encoding="utf-8")
NONCES = st.integers(0, 2**128 - 1).map(lambda number: f"{number:032x}")


def luminance(colour: str) -> float:
    """WCAG's relative luminance."""
    red, green, blue = (light.linear(int(colour[at : at + 2], 16)) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, bright = sorted((luminance(one), luminance(other)))
    return (bright + 0.05) / (dark + 0.05)


def of_css(name: str) -> str:
    found = re.search(rf"--{name}: ([^;]+);", CSS)
    assert found is not None
    return found[1].strip()


@pytest.mark.parametrize("colour", [*light.COLOURS, light.PAPER])
def test_the_ink_is_legible_on_every_colour(colour: str) -> None:
    assert contrast(of_css("ink"), colour) >= 7


def test_the_page_fades_as_fast_as_the_rules_reckon_and_from_the_colour_they_reckon_with() -> None:
    assert of_css("fade") == f"{light.FADE_S}s"
    assert f'[data-tone="good"] {{ --paper: {light.PAPER};' in CSS


def flashes_a_second(luminances: list[float], step_s: float) -> float:
    """Pairs of opposite changes of a tenth or more, the darker below 0.8, as WCAG 2.3.1 counts them."""
    changes = [b - a for a, b in pairwise(luminances) if abs(b - a) >= 0.1 and min(a, b) < 0.8]
    opposite = sum(a * b < 0 for a, b in pairwise(changes))
    return opposite / (len(luminances) * step_s)


@given(NONCES, st.integers(0, 20))
def test_no_sequence_flashes(nonce: str, draw: int) -> None:
    steps = light.sequence(nonce, draw)
    bright = [luminance(each.colour) for each in steps]
    assert min(each.lasts_s for each in steps) >= 0.6
    assert flashes_a_second(bright, light.STEP_S) <= 1.5  # three are allowed
    assert all(abs(a - b) < 0.25 for a, b in pairwise(bright))


def test_no_colour_is_a_saturated_red() -> None:
    """WCAG 2.3.1: R / (R + G + B) of 0.8 and more counts as red, and red flashes are worse than others."""
    for colour in light.COLOURS:
        parts = [light.linear(int(colour[at : at + 2], 16)) for at in (1, 3, 5)]
        assert parts[0] / sum(parts) < 0.6


def test_no_two_colours_are_far_apart_in_brightness() -> None:
    assert max(abs(luminance(a) - luminance(b)) for a, b in permutations(light.COLOURS, 2)) < 0.25


@pytest.mark.parametrize("colour", ["red", "#fff", "#FFFFFF", "url(x)", "#12345g", "#123456; x", ""])
def test_nothing_but_a_colour_is_a_light(colour: str, view_shown: Callable[..., str]) -> None:
    with pytest.raises(UntrustedError):
        protocol.to_page(view_shown(light=colour))


@pytest.fixture
def view_shown() -> Callable[..., str]:
    def made(**changes: str) -> str:
        text = protocol.Text(key="framing.light", zh="看", en="look")
        shown = ViewShown(serial=1, screen=Screen.FRAMING, prompt=text)
        return shown.model_copy(update=changes).model_dump_json()

    return made


@pytest.mark.asyncio
async def test_the_page_is_told_its_light_and_then_none(page: Page) -> None:
    async with window(page) as person:
        page.show(View(Screen.FRAMING, Phrase.FRAMING_LIGHT, preview=True, light="#86e6e6"))
        assert (await person.hears(ViewShown)).light == "#86e6e6"
        page.show(View(Screen.FRAMING, Phrase.FRAMING_LIGHT, preview=True))
        assert (await person.hears(ViewShown)).light is None
