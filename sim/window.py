"""A window of the page as a simulated person has it: a WebSocket client that survives a terminal that dies.

It keeps connecting for as long as it is open, tells every page that comes, and drops what is pressed while there is
no connection, as a screen that is white does.
"""

import asyncio
import contextlib
from collections.abc import Callable

import aiohttp

from edge.errors import UntrustedError
from edge.kiosk.protocol import NumberTyped, TouchMade, ViewShown, to_page

AGAIN_S = 0.25


class Window:
    """One connection to ``ws://HOST:PORT/ws``.  Use as an async context manager."""

    def __init__(self, url: str, on_view: Callable[[ViewShown], None], on_change: Callable[[bool], None]) -> None:
        self._url = url.rstrip("/").replace("http://", "ws://") + "/ws"
        self._on_view, self._on_change = on_view, on_change
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._serial: int | None = None
        self._task: asyncio.Task[None] | None = None
        self.reconnections = 0

    @property
    def connected(self) -> bool:
        return self._socket is not None and not self._socket.closed

    async def send(self, message: TouchMade | NumberTyped) -> bool:
        """Send with the serial of the view that is shown; False when there is no connection."""
        socket = self._socket
        if socket is None or socket.closed:
            return False
        try:
            await socket.send_str(message.model_copy(update={"serial": self._serial}).model_dump_json())
        except (ConnectionError, aiohttp.ClientError):
            return False
        return True

    async def drop(self) -> None:
        """Lose the connection, as a browser that dies does; a new one follows."""
        if self._socket is not None:
            await self._socket.close()

    async def __aenter__(self) -> "Window":
        self._task = asyncio.create_task(self._live())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _live(self) -> None:
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=2.0)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            while True:
                try:
                    async with session.ws_connect(self._url, heartbeat=5.0) as socket:
                        self._socket = socket
                        self._on_change(True)
                        await self._listen(socket)
                except (aiohttp.ClientError, ConnectionError, TimeoutError):
                    pass
                if self._socket is not None:
                    self._socket = None
                    self.reconnections += 1
                    self._on_change(False)
                await asyncio.sleep(AGAIN_S)

    async def _listen(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async for message in socket:
            if message.type is not aiohttp.WSMsgType.TEXT:
                continue
            try:
                said = to_page(message.data)
            except UntrustedError:
                continue  # a page of another version: nothing to read on it
            if isinstance(said, ViewShown):
                self._serial = said.serial
                self._on_view(said)
