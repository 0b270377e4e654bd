"""A whole visit in a real Chromium: the real session, the real page, and a scripted camera behind them."""

import asyncio
from collections.abc import Callable

import pytest

from edge.core.types import Event, Outcome, Touch
from edge.kiosk.server import Page
from tests.browser.chromium import Tab
from tests.core.timeline import NUMBER, Story

pytestmark = pytest.mark.browser


class Desk:
    """The session and the page, joined: what is touched goes in, what is to be shown comes out."""

    def __init__(self, page: Page, told: list[Event]) -> None:
        self.story = Story()
        self.page = page
        self._told = told
        self._shown = 0
        self.show()

    def show(self) -> None:
        for view in self.story.views[self._shown :]:
            self.page.show(view)
        self._shown = len(self.story.views)

    async def hear(self, until: Callable[[Story], bool]) -> None:
        """Take what the person does at the screen until the session has got somewhere."""
        async with asyncio.timeout(20):
            while not until(self.story):
                while self._told:
                    self.story.tell(self._told.pop(0))
                self.story.wait(0.1)
                self.show()
                await asyncio.sleep(0.02)


@pytest.mark.asyncio
async def test_somebody_is_certified_from_the_first_touch_to_done(tab: Tab, page: Page, told: list[Event]) -> None:
    desk = Desk(page, told)

    async def reads(words: str) -> None:
        await tab.until(f"document.querySelector('#words').innerText.includes({words!r})")
        await asyncio.sleep(0.5)  # the page takes no touch at first

    async def touches(touch: Touch) -> None:
        await tab.press(f"[data-touch={touch}]")

    await reads("给谁办")
    await touches(Touch.START_SELF)
    await desk.hear(lambda story: story.view.keypad)
    await reads("身份证号码")
    for sign in NUMBER[:-1]:
        await tab.key(sign)
    await tab.press("#done")
    await desk.hear(lambda story: "number_too_short" in story.view.prompt)
    await reads("17 位")  # told kindly that one is missing, with what was typed still there
    await tab.key("x")
    await tab.press("#done")
    await desk.hear(lambda story: Touch.YES in story.touches_offered)
    await reads("王*英")
    assert not await tab.value(f"document.documentElement.outerHTML.includes('{NUMBER[6:14]}')")
    await touches(Touch.YES)
    await desk.hear(lambda story: Touch.AGREE in story.touches_offered)
    await reads("不存照片")
    await touches(Touch.AGREE)
    await desk.hear(lambda story: story.view.preview)
    desk.story.looks(3)
    desk.show()
    assert desk.story.asked is not None
    await tab.until(f"document.body.dataset.action === '{desk.story.asked}'")
    desk.story.obeys().looks(1)
    desk.show()
    await reads("办好了")
    assert desk.story.record.outcome is Outcome.CERTIFIED
    assert tab.complaints == []
