"""Somebody at the real page who wants to know whether they are certified, and is patient with interruptions."""

import asyncio
import contextlib
import time

import aiohttp

from edge.core.types import Screen, Touch
from edge.errors import AnxinError
from edge.kiosk import protocol
from edge.kiosk.protocol import ViewShown


class Visitor:
    """Looks herself up, touches "finish", and sees the last page; begins again when the terminal was interrupted."""

    def __init__(self, url: str, number: str) -> None:
        self._url = url
        self._number = number
        self.promised = 0  # how often a closing page was shown to her

    def visit(self, *, within_s: float = 60.0) -> None:
        """Return when a closing page was shown and the terminal is idle again."""
        deadline_s = time.monotonic() + within_s
        while time.monotonic() < deadline_s:
            with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError, EOFError, AnxinError):
                if asyncio.run(self._try(deadline_s)):
                    return
            time.sleep(0.1)
        raise AssertionError("the visit did not come to its end in time")

    async def _try(self, deadline_s: float) -> bool:
        closed = False
        async with aiohttp.ClientSession() as http, http.ws_connect(self._url) as socket:
            while time.monotonic() < deadline_s:
                message = await socket.receive(timeout=15)
                if message.type is not aiohttp.WSMsgType.TEXT:
                    raise EOFError
                shown = protocol.to_page(message.data)
                if not isinstance(shown, ViewShown):
                    continue
                if shown.screen is Screen.CLOSING and not closed:
                    closed = True
                    self.promised += 1
                if shown.screen is Screen.IDLE and closed:
                    return True
                await self._answer(socket, shown)
        return False

    async def _answer(self, socket: aiohttp.ClientWebSocketResponse, shown: ViewShown) -> None:
        offered = {choice.touch: choice.value for choice in shown.choices}
        if shown.keypad:
            await socket.send_json({"type": "number", "text": self._number, "source": "keypad"})
            return
        for wish in (Touch.FINISH, Touch.START_SELF):
            if wish in offered:
                value = offered[wish]
                await socket.send_json({"type": "touch", "touch": wish, "value": value, "serial": shown.serial})
                return
