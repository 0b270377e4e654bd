"""A simulated person's window before the terminal's real page server."""

import asyncio
import socket
from collections.abc import Callable

import pytest

from edge.core.types import Choice, Event, NumberEntered, Screen, Touch, Touched, View
from edge.kiosk.protocol import NumberTyped, TouchMade, ViewShown
from edge.kiosk.server import Page
from edge.kiosk.texts import Texts
from sim.window import Window

IDLE = View(Screen.IDLE, "idle.welcome", choices=(Choice(Touch.START_SELF, "button.self"),))
KEYPAD = View(Screen.IDENTIFY, "identify.ask_number", keypad=True)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not true():  # noqa: ASYNC110  (what is waited for happens in the page's thread)
            await asyncio.sleep(0.01)


@pytest.mark.asyncio
async def test_a_person_reads_touches_and_types_and_finds_the_page_again_after_it_died() -> None:
    port, heard = free_port(), list[Event]()
    seen: list[ViewShown] = []

    def open_page() -> Page:
        page = Page("127.0.0.1", port, "zh", Texts.load())
        page.open(heard.append)
        page.show(IDLE)
        return page

    page = open_page()
    try:
        async with Window(page.url, seen.append, lambda _connected: None) as window:
            await until(lambda: len(seen) == 1)
            assert seen[0].prompt.key == "idle.welcome"
            assert await window.send(TouchMade(touch=Touch.START_SELF))
            await until(lambda: heard == [Touched(Touch.START_SELF)])
            page.show(KEYPAD)
            await until(lambda: len(seen) == 2)
            assert await window.send(NumberTyped(text="110105194910081016"))
            await until(lambda: isinstance(heard[-1], NumberEntered))
            page.close()
            await until(lambda: not window.connected)
            assert not await window.send(TouchMade(touch=Touch.YES))
            page = open_page()
            await until(lambda: len(seen) == 3)
            assert window.reconnections == 1
    finally:
        page.close()
