"""A real page, and a real Chromium that shows it."""

import shutil
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from edge.core.types import Event
from edge.kiosk.server import Page
from edge.kiosk.texts import Texts
from tests.browser.chromium import Tab, chromium

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture
def told() -> list[Event]:
    return []


@pytest.fixture
def page(told: list[Event]) -> Iterator[Page]:
    page = Page("127.0.0.1", 0, "zh", Texts.load())
    page.open(told.append)
    yield page
    page.close()


@pytest_asyncio.fixture
async def tab(page: Page) -> AsyncIterator[Tab]:
    """The first tab, at 1280x800, greeted by the page; nothing was asked of anybody but the page."""
    if PROGRAM is None:
        pytest.skip("Chromium is not installed (apt install chromium): the page was NOT tried in a browser")
    async with chromium(PROGRAM) as tab:
        await tab.size(1280, 800)
        await tab.go(page.url)
        await tab.until("document.querySelectorAll('#keys button').length === 12")
        yield tab
        assert [url for url in tab.requests if not url.startswith((page.url, page.url.replace("http", "ws")))] == []
