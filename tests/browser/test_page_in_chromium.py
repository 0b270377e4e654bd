"""The person's page in a real Chromium: large, calm, never scrolling, and forgetting what it must forget."""

import asyncio
import json
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge.core.phrases import Phrase
from edge.core.types import Advice, Event, NumberEntered, Say, Touch, Touched
from edge.kiosk.server import Page
from edge.ports import Frame
from tests.browser import screens
from tests.browser.chromium import Tab

SIZES = ((800, 480), (1024, 600), (1280, 800), (1080, 1920))
SMALLEST_TEXT_PX = 24
SMALLEST_TARGET_PX = 64
SMALLEST_CONTRAST = 7.0
NUMBER = "11010119450101123X"
SHOTS = Path(__file__).parents[2] / "artefacts" / "page"
# Everything that can be seen, measured in the page itself.
MEASURE = (Path(__file__).parent / "measure.js").read_text(encoding="utf-8")

pytestmark = pytest.mark.browser


def lit_frame(number: int) -> Frame:
    """A soft picture of a light blob where a face would be: nobody's."""
    y, x = np.mgrid[0:480, 0:640]
    blob = np.exp(-(((x - 250) / 90) ** 2 + ((y - 240) / 120) ** 2))
    rgb = np.stack([120 + 110 * blob, 120 + 80 * blob, 125 + 50 * blob], axis=-1).astype(np.uint8)
    return Frame(number, number, rgb)


async def shown(tab: Tab, page: Page, name: str) -> None:
    view = screens.SCREENS[name]
    page.show(view)
    prompt = page.texts.render(view.prompt, view.params).zh
    await tab.until(f"document.querySelector('#prompt .zh').textContent === {json.dumps(prompt)}")
    await tab.until("document.body.dataset.state === 'showing'")


async def see(tab: Tab, page: Page, numbers: Iterator[int]) -> None:
    """Offer frames until the picture on the page is no longer empty."""
    async with asyncio.timeout(15):
        while await tab.value("document.querySelector('#preview').width") == 4:
            page.preview(lit_frame(next(numbers)))
            await asyncio.sleep(0.05)


async def heard(told: list[Event], count: int) -> None:
    """Wait until the session was told ``count`` things."""
    async with asyncio.timeout(10):
        while len(told) < count:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


def complaints(name: str, found: dict[str, Any]) -> list[str]:
    wrong = [f"{name}: {what}" for what in found["wrong"]]
    if found["promptPx"] < SMALLEST_TEXT_PX or found["smallestTextPx"] < SMALLEST_TEXT_PX:
        wrong.append(f"{name}: text of {found['smallestTextPx']} px")
    if found["smallestTargetPx"] < SMALLEST_TARGET_PX:
        wrong.append(f"{name}: a target of {found['smallestTargetPx']} px")
    if found["smallestContrast"] < SMALLEST_CONTRAST:
        wrong.append(f"{name}: contrast {found['smallestContrast']:.1f}")
    return wrong


@pytest.mark.asyncio
@pytest.mark.parametrize(("width_px", "height_px"), SIZES)
async def test_every_page_is_large_and_fits_without_scrolling(
    tab: Tab, page: Page, width_px: int, height_px: int
) -> None:
    folder = SHOTS / f"{width_px}x{height_px}"
    folder.mkdir(parents=True, exist_ok=True)
    await tab.size(width_px, height_px)
    await tab.still()
    wrong: list[str] = []
    numbers = count(1)
    for name, view in screens.SCREENS.items():
        await shown(tab, page, name)
        if view.keypad and not await tab.value("document.querySelector('#number').textContent"):
            for sign in NUMBER:
                await tab.key(sign)
        if view.preview:
            await see(tab, page, numbers)
        wrong += complaints(name, await tab.value(MEASURE))
        if view is screens.CONSENT and await tab.value("document.body.dataset.brief"):
            wrong.append("the consent is not there in both languages")
        (folder / f"{name}.jpg").write_bytes(await tab.screenshot())
    assert wrong == []
    assert tab.complaints == []


@pytest.mark.asyncio
async def test_a_person_types_her_number_and_it_is_gone_from_the_page_afterwards(
    tab: Tab, page: Page, told: list[Event]
) -> None:
    await shown(tab, page, "04-number")
    await asyncio.sleep(0.5)  # the page takes no touch at first
    for sign in NUMBER:
        nth = "123456789X0".index(sign) + 1
        await tab.press(f"#keys button:nth-child({nth})")
    await tab.press("#keys button:nth-child(12)")
    await tab.key("X")
    assert await tab.value("[...document.querySelectorAll('#number span')].map((s) => s.textContent)") == [
        "110101", "19450101", "123X",
    ]  # fmt: skip
    await tab.press("#done")
    await heard(told, 2)
    assert told == [Touched(Touch.STILL_HERE), NumberEntered(NUMBER, "keypad")]
    kept = f"document.querySelector('#number').textContent === '{NUMBER}'"
    gone = "!/110101|19450101|123X/.test(document.documentElement.outerHTML)"
    await shown(tab, page, "05-number-compare")  # to be compared with the card
    assert await tab.value(kept)
    await shown(tab, page, "21-help-number")
    assert await tab.value(kept)
    await shown(tab, page, "04-number")
    assert await tab.value(kept)
    await shown(tab, page, "19-still-there")
    assert await tab.value(gone)
    await shown(tab, page, "04-number")
    assert await tab.value(kept)
    await shown(tab, page, "08-confirm")
    assert await tab.value(gone)
    await shown(tab, page, "04-number")
    assert await tab.value(gone)


@pytest.mark.asyncio
async def test_a_colleague_types_a_staff_number_on_the_keyboard(tab: Tab, page: Page, told: list[Event]) -> None:
    await shown(tab, page, "06-staff-number")
    await asyncio.sleep(0.5)
    for sign in "a12":
        await tab.key(sign)
    await tab.key("Backspace")
    await tab.key("Enter")
    await heard(told, 2)
    assert told == [Touched(Touch.STILL_HERE), Touched(Touch.START_ASSISTED, "A1")]


@pytest.mark.asyncio
async def test_a_trembling_finger_that_taps_twice_means_once(tab: Tab, page: Page, told: list[Event]) -> None:
    await shown(tab, page, "01-idle")
    await asyncio.sleep(0.5)
    await tab.press("#choices button:nth-child(1)")
    await tab.press("#choices button:nth-child(1)")
    await heard(told, 1)
    await shown(tab, page, "08-confirm")
    await tab.press("#choices button:nth-child(1)")  # still the same movement of the finger
    await asyncio.sleep(0.8)
    await tab.press("#choices button:nth-child(2)")
    await heard(told, 2)
    assert told == [Touched(Touch.START_SELF), Touched(Touch.NO)]


@pytest.mark.asyncio
async def test_the_picture_is_mirrored_and_wiped_when_the_page_no_longer_shows_it(tab: Tab, page: Page) -> None:
    await shown(tab, page, "11-framing-left")
    await see(tab, page, count(1))
    assert "matrix(-1" in await tab.value("getComputedStyle(document.querySelector('#preview')).transform")
    await shown(tab, page, "17-done")
    blank = "!document.querySelector('#preview').getContext('2d').getImageData(0, 0, 4, 3).data.some((v) => v)"
    assert await tab.value(f"document.querySelector('#preview').width === 4 && {blank}")


@pytest.mark.asyncio
async def test_when_the_terminal_restarts_the_page_waits_kindly_and_comes_back(
    tab: Tab, page: Page, told: list[Event]
) -> None:
    await shown(tab, page, "08-confirm")
    page.close()
    await tab.until("document.body.dataset.state === 'waiting'")
    assert "欧阳" not in await tab.value("document.body.innerText + document.body.outerHTML")
    found = await tab.value(MEASURE)
    assert found["smallestTextPx"] >= SMALLEST_TEXT_PX
    again = Page("127.0.0.1", page.port, "zh", page.texts)
    again.open(told.append)
    try:
        await shown(tab, again, "01-idle")
    finally:
        again.close()


@pytest.mark.asyncio
async def test_what_is_spoken_and_not_on_the_page_is_captioned(tab: Tab, page: Page) -> None:
    await shown(tab, page, "13-framing-ready")
    page.say(Say(Phrase.DECIDING, {}))
    await tab.until("document.querySelector('#note .zh').textContent.includes('谢谢')")
    page.show(screens.framing(Advice.TOO_FAR))
    await tab.until("document.querySelector('#note').hidden")
    live = "document.querySelector('#words').getAttribute('aria-live')"
    assert await tab.value(live) == "assertive"


@pytest.mark.asyncio
async def test_for_somebody_who_wants_no_motion_nothing_moves(tab: Tab, page: Page) -> None:
    await tab.still()
    await shown(tab, page, "14-challenge-turn_left")
    assert await tab.value("document.getAnimations().length") == 0


BACKGROUND = "getComputedStyle(document.body).backgroundColor"
WORDS = "document.querySelector('#words').innerText"


def as_computed(colour: str) -> str:
    return f"rgb({int(colour[1:3], 16)}, {int(colour[3:5], 16)}, {int(colour[5:7], 16)})"


@pytest.mark.asyncio
@pytest.mark.parametrize("reduced", [False, True])
async def test_the_page_lights_the_face_softly_and_is_its_own_again(tab: Tab, page: Page, reduced: bool) -> None:
    """Fades, for people who want no motion as well: a jump of colour is harder on the eyes than a fade."""
    if reduced:
        await tab.still()
    await shown(tab, page, "13-light-86e6e6")
    await tab.until(f"{BACKGROUND} === '{as_computed('#86e6e6')}'")
    before = await tab.value(WORDS)
    await tab.call(
        "Runtime.evaluate",
        expression="""window.seen = new Set(); window.own = null; (function look() {
            window.seen.add(getComputedStyle(document.body).backgroundColor); requestAnimationFrame(look); })()""",
    )
    page.show(screens.lit("#ffb4aa"))
    await tab.until(f"{BACKGROUND} === '{as_computed('#ffb4aa')}'")
    assert len(await tab.value("[...window.seen]")) > 4  # on its way it had other colours
    button = "getComputedStyle(document.querySelector('#choices button')).backgroundColor"
    await tab.until(f"{button} === '{as_computed('#ffb4aa')}'")
    assert await tab.value(WORDS) == before
    moving = "document.getAnimations().filter((each) => !(each instanceof CSSTransition)).length"
    assert await tab.value(moving) == 0
    await shown(tab, page, "13-framing-ready")
    await tab.until(f"{BACKGROUND} === '{as_computed('#fbf7ef')}'")
    assert await tab.value("document.body.style.getPropertyValue('--light')") == ""
    assert tab.complaints == []


@pytest.mark.asyncio
async def test_a_touch_during_the_light_counts_as_on_any_page(tab: Tab, page: Page, told: list[Event]) -> None:
    await shown(tab, page, "13-light-86e6e6")
    await asyncio.sleep(0.5)  # the page takes no touch at first
    page.show(screens.lit("#ffb4aa"))
    await tab.until("document.body.style.getPropertyValue('--light') === '#ffb4aa'")
    await tab.press("#choices button:nth-child(1)")  # another colour is no new page
    await heard(told, 1)
    assert told == [Touched(Touch.BACK)]
