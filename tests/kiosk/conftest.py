"""A real page on a free port, and what the person told it."""

import threading
from collections.abc import Iterator

import pytest

from edge.core.types import Event
from edge.kiosk.server import Page
from edge.kiosk.texts import Texts


@pytest.fixture(scope="session")
def texts() -> Texts:
    return Texts.load()


@pytest.fixture
def told() -> list[Event]:
    return []


@pytest.fixture
def page(texts: Texts, told: list[Event]) -> Iterator[Page]:
    before = set(threading.enumerate())
    page = Page("127.0.0.1", 0, "zh", texts)
    page.open(told.append)
    yield page
    page.close()
    assert set(threading.enumerate()) <= before
