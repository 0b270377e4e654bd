"""A client of the page as a window of the browser would be, in Python."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeVar

import aiohttp

from edge.kiosk import protocol
from edge.kiosk.protocol import Hello, Saying, ViewShown
from edge.kiosk.server import Page

T = TypeVar("T", Hello, ViewShown, Saying)
PATIENCE_S = 5.0


class Window:
    """What one window hears, in order; `next` waits for a message of a kind."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket

    async def hears(self, kind: type[T]) -> T:
        message = protocol.to_page(await self.socket.receive_str(timeout=PATIENCE_S))
        assert isinstance(message, kind)
        return message

    async def sees(self) -> bytes:
        return await self.socket.receive_bytes(timeout=PATIENCE_S)

    async def says(self, **message: object) -> None:
        await self.socket.send_json(message)

    async def settles(self, page: Page) -> None:
        """Return when everything sent before has been taken: an answer comes to what is malformed, in order."""
        before = page.refused
        await self.socket.send_str("?")
        async with asyncio.timeout(PATIENCE_S):
            while page.refused == before:  # noqa: ASYNC110 - the count is all there is to see
                await asyncio.sleep(0.002)


@asynccontextmanager
async def window(page: Page, **headers: str) -> AsyncIterator[Window]:
    """A connected window that has been greeted."""
    async with aiohttp.ClientSession() as http, http.ws_connect(page.url + "ws", headers=headers) as socket:
        opened = Window(socket)
        await opened.hears(Hello)
        yield opened
