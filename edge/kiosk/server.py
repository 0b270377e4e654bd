"""The page's server: aiohttp on loopback, in a thread of the terminal's process, behind the Guide port.

The thread ``page`` runs one asyncio loop.  `Page.show`, `Page.say` and `Page.preview` are called by other threads:
they render a few sentences at most, hand over, and return.  Frames live in memory only, newest one only, and
are dropped as soon as the page no longer asks for a picture.
"""

import asyncio
import errno
import logging
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import simplejpeg
from aiohttp import WSCloseCode, WSMsgType, web

from edge.core.phrases import OF_ACTION, OF_ADVICE
from edge.core.types import Event, NumberEntered, Say, Screen, Touch, Touched, View
from edge.errors import ConfigError, UntrustedError
from edge.kiosk import protocol, security
from edge.kiosk.protocol import Language, NumberTyped, Ready, TouchMade, ViewShown
from edge.kiosk.texts import LANGUAGES, PAGE_WORDS, Texts
from edge.ports import Frame, Pixels

STATIC: Final = Path(__file__).parent / "static"
MAX_CLIENTS: Final = 8
MAX_REFUSED: Final = 20  # of one connection, then it is closed
MAX_WAITING: Final = 64  # messages for one client; one that is further behind is closed and may come again
JPEG_QUALITY: Final = 75
BEAT_S: Final = 0.5
START_S: Final = 10.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Current:
    """The view that counts now, and the first serial that differs from it in advice or preview at most."""

    view: View
    shown: ViewShown
    since: int
    json: str


class _Client:
    """One connection: what waits to be sent, and whether it wants a picture.  Used by the page's thread only."""

    def __init__(self, socket: web.WebSocketResponse, transport: asyncio.Transport | None) -> None:
        self.socket = socket
        self._transport = transport
        self.wants_picture = False
        self.refused = 0
        self.serial = -1
        self._texts: deque[str] = deque()
        self._picture: bytes | None = None
        self._something = asyncio.Event()

    def put(self, text: str) -> bool:
        """Queue a message; False when this client is too far behind."""
        self._texts.append(text)
        self._something.set()
        return len(self._texts) <= MAX_WAITING

    def put_view(self, current: _Current) -> bool:
        if current.shown.serial <= self.serial:
            return True
        self.serial = current.shown.serial
        if not current.shown.preview:
            self._picture = None
        return self.put(current.json)

    def put_picture(self, jpeg: bytes) -> None:
        self.wants_picture = False
        self._picture = jpeg
        self._something.set()

    def abort(self) -> None:
        """Drop the connection without waiting for the other side."""
        if self._transport is not None:
            self._transport.abort()

    async def send(self) -> None:
        """Send what waits, for as long as the connection lives."""
        with suppress(ConnectionError):
            while True:
                await self._something.wait()
                self._something.clear()
                while self._texts:
                    await self.socket.send_str(self._texts.popleft())
                if self._picture is not None:
                    jpeg, self._picture = self._picture, None
                    await self.socket.send_bytes(jpeg)


class Page:
    """The person's page, as a `Guide`.  ``port`` 0 takes a free one; `port` tells it after `open`.

    ``beat`` is called each `BEAT_S` for as long as the page's thread lives.
    """

    def __init__(
        self, host: str, port: int, language: Language, texts: Texts, beat: Callable[[], None] = lambda: None
    ) -> None:
        self.host = host
        self.port = port
        self.language: Language = language
        self.texts = texts
        self.refused = 0  # requests and messages refused since the start
        self._beat = beat
        self._lock = threading.Lock()
        self._current: _Current | None = None
        self._serial = 0
        self._newest: Frame | None = None
        self._watchers = 0
        self._clients: set[_Client] = set()
        self._tell: Callable[[Event], None] = _nobody
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    # --- the port, for any thread ---

    def open(self, tell: Callable[[Event], None]) -> None:
        """Serve until `close`; raises `ConfigError` when the address cannot be had."""
        if self._thread is not None:
            return
        self._tell = tell
        started = threading.Event()
        failure: list[OSError] = []
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve(started, failure)), name="page", daemon=True
        )
        self._thread.start()
        came = started.wait(START_S)
        if failure or not came:
            self.close()
            raise ConfigError(self._why(failure[0] if failure else None))

    def show(self, view: View) -> None:
        """Make this the page, in every window; showing the same view again changes nothing."""
        with self._lock:
            before = self._current
            if before is not None and before.view == view:
                return
            self._serial += 1
            shown = self._rendered(view, self._serial)
            same = before is not None and _for_touching(before.shown) == _for_touching(shown)
            since = before.since if same and before is not None else self._serial
            current = self._current = _Current(view, shown, since, shown.model_dump_json())
            if not view.preview:
                self._newest = None
            self._post(self._send_view, current)

    def say(self, say: Say) -> None:
        """Speak and caption a text."""
        saying = protocol.Saying(text=self.texts.render(say.key, say.params))
        with self._lock:
            self._post(self._send_all, saying.model_dump_json())

    def preview(self, frame: Frame) -> None:
        """Offer a frame for the live picture; dropped at once unless a window waits for one."""
        current = self._current
        if self._watchers == 0 or current is None or not current.shown.preview:
            return
        with self._lock:
            if self._current is not current:
                return  # the page changed meanwhile, and may be somebody else's
            waiting, self._newest = self._newest, frame
            if waiting is None:
                self._post(self._frame_came.set)

    def close(self) -> None:
        """Stop serving; the thread has ended when this returns.  Can be repeated."""
        thread, self._thread = self._thread, None
        with self._lock:
            if thread is not None:
                self._post(self._stop.set)
            self._newest = None
        if thread is not None and thread is not threading.current_thread():
            thread.join(START_S)

    @property
    def url(self) -> str:
        return f"http://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}/"

    @property
    def clients(self) -> int:
        """How many windows are connected."""
        return len(self._clients)

    # --- the page's thread ---

    async def _serve(self, started: threading.Event, failure: list[OSError]) -> None:
        self._stop = asyncio.Event()
        self._frame_came = asyncio.Event()
        app = web.Application(
            middlewares=[security.guard(lambda: security.hosts_of(self.host, self.port), self._refuse)],
            client_max_size=0,
        )
        app.on_response_prepare.append(security.stamp())
        app.router.add_get("/", self._index)
        app.router.add_get("/ws", self._socket)
        app.router.add_static("/static/", STATIC)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        try:
            site = web.TCPSite(runner, self.host, self.port)
            try:
                await site.start()
            except OSError as error:
                failure.append(error)
                started.set()
                return
            self.port = runner.addresses[0][1]
            with self._lock:
                self._loop = asyncio.get_running_loop()
            started.set()
            helpers = [asyncio.create_task(self._pictures()), asyncio.create_task(self._live())]
            ended = asyncio.create_task(self._stop.wait())
            # A helper that ends has met what nobody expected: let that end the thread, which stops the beat.
            await asyncio.wait([ended, *helpers], return_when=asyncio.FIRST_COMPLETED)
            for task in helpers:
                task.cancel()
            ended.cancel()
            for result in await asyncio.gather(*helpers, return_exceptions=True):
                if isinstance(result, Exception):
                    raise result
        finally:
            with self._lock:
                self._loop = None
            await asyncio.gather(*(c.socket.close(code=WSCloseCode.GOING_AWAY) for c in self._clients))
            await runner.cleanup()

    async def _index(self, _request: web.Request) -> web.StreamResponse:
        return web.FileResponse(STATIC / "index.html")

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        if len(self._clients) >= MAX_CLIENTS:
            return web.Response(status=503, text="Too many windows show this page; close one.")
        socket = web.WebSocketResponse(
            max_msg_size=protocol.MAX_MESSAGE_BYTES, heartbeat=20.0, timeout=1.0, compress=False
        )
        await socket.prepare(request)
        client = _Client(socket, request.transport)
        client.put(self._hello())
        if self._current is not None:
            client.put_view(self._current)
        self._clients.add(client)
        sender = asyncio.create_task(client.send())
        try:
            async for message in socket:
                if message.type is not WSMsgType.TEXT or not self._heard(client, message.data):
                    client.refused += 1
                    self._refuse()
                if client.refused > MAX_REFUSED:
                    await socket.close(code=WSCloseCode.POLICY_VIOLATION)
            if socket.close_code == WSCloseCode.MESSAGE_TOO_BIG:
                self._refuse()
        finally:
            self._clients.discard(client)
            self._count_watchers()
            sender.cancel()
            with suppress(asyncio.CancelledError):
                await sender
        return socket

    def _heard(self, client: _Client, raw: str) -> bool:
        """Take one message; False when it does not fit the protocol."""
        try:
            message = protocol.from_page(raw)
        except UntrustedError:
            return False
        current = self._current
        match message:
            case Ready():
                client.wants_picture = True
                self._count_watchers()
            case TouchMade() if current is not None and _offers(current, message):
                self._tell(Touched(message.touch, message.value))
            case NumberTyped() if current is not None and current.shown.keypad and _fresh(current, message.serial):
                self._tell(NumberEntered(message.text, message.source))
            case _:
                _log.debug("A touch of an older view was ignored.")
        return True

    def _refuse(self) -> None:
        self.refused += 1
        _log.log(
            logging.WARNING if self.refused == 1 else logging.DEBUG,
            "The page's server refused a message or request that does not fit (number %d since the start).",
            self.refused,
        )

    def _send_view(self, current: _Current) -> None:
        for client in list(self._clients):
            self._keep_or_close(client, client.put_view(current))

    def _send_all(self, text: str) -> None:
        for client in list(self._clients):
            self._keep_or_close(client, client.put(text))

    def _keep_or_close(self, client: _Client, keeps_up: bool) -> None:
        if not keeps_up:
            self._clients.discard(client)
            client.abort()

    def _count_watchers(self) -> None:
        self._watchers = sum(client.wants_picture for client in self._clients)

    async def _pictures(self) -> None:
        """Encode each wanted frame once, at most `protocol.MAX_PREVIEW_FPS` times a second."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            await self._frame_came.wait()
            await asyncio.sleep(max(0.0, due - loop.time()))
            self._frame_came.clear()
            with self._lock:
                frame, self._newest = self._newest, None
            waiting = [client for client in self._clients if client.wants_picture]
            if frame is None or not waiting:
                continue
            due = max(due, loop.time() - 1 / protocol.MAX_PREVIEW_FPS) + 1 / protocol.MAX_PREVIEW_FPS
            jpeg = encoded(frame.rgb)
            for client in waiting:
                client.put_picture(jpeg)
            self._count_watchers()

    async def _live(self) -> None:
        while True:
            self._beat()
            await asyncio.sleep(BEAT_S)

    # --- helpers ---

    def _post(self, what: Callable[..., object], *args: object) -> None:
        """Run ``what`` on the page's thread, if there is one; the caller holds the lock."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(what, *args)

    def _hello(self) -> str:
        words = {key: self.texts.render(key, {}) for key in sorted(PAGE_WORDS)}
        voices = {
            language: tuple(sorted(file.stem for file in (STATIC / "voice" / language).glob("*.ogg")))
            for language in LANGUAGES
        }
        return protocol.Hello(language=self.language, words=words, voices=voices).model_dump_json()

    def _rendered(self, view: View, serial: int) -> ViewShown:
        def text(key: str) -> protocol.Text:
            return self.texts.render(key, view.params)

        advice, action = view.advice, view.action
        prompt = text(view.prompt)
        return ViewShown(
            serial=serial,
            screen=view.screen,
            prompt=prompt,
            detail=text(view.detail) if view.detail else None,
            choices=tuple(
                protocol.ChoiceShown(touch=c.touch, value=c.value, label=text(c.label)) for c in view.choices
            ),
            keypad=view.keypad,
            preview=view.preview,
            advice=None if advice is None else protocol.AdviceShown(kind=advice, text=text(OF_ADVICE[advice])),
            action=None
            if action is None
            else protocol.ActionShown(kind=action, text=prompt if view.prompt == OF_ACTION[action] else None),
            ticket=view.params.get("ticket", "") if view.screen is Screen.CLOSING else "",
            tone=view.tone,
            light=view.light,
        )

    def _why(self, error: OSError | None) -> str:
        if error is None:
            return f"The page did not start within {START_S:.0f} s; restart the terminal."
        if error.errno == errno.EADDRINUSE:
            return (
                f"Port {self.port} on {self.host} is taken by another program, perhaps a second terminal; "
                "stop it, or set `page.port` to a free port."
            )
        reason = (error.strerror or "no reason given").lower()
        return f"The page cannot listen on {self.host}, port {self.port} ({reason}); set another `page.port`."


def encoded(rgb: Pixels) -> bytes:
    """A JPEG of ``rgb`` uint8 (H, W, 3), reduced by whole steps to `protocol.MAX_PREVIEW_SIDE_PX` at most."""
    step = -(-max(rgb.shape[:2]) // protocol.MAX_PREVIEW_SIDE_PX)
    jpeg: bytes = simplejpeg.encode_jpeg(np.ascontiguousarray(rgb[::step, ::step]), quality=JPEG_QUALITY)
    return jpeg


def _for_touching(shown: ViewShown) -> tuple[object, ...]:
    """What a touch depends on: where this is equal, a touch of the older view is as good as one of the newer."""
    moving = shown.screen is Screen.FRAMING  # its prompt is the advice of the moment
    return shown.screen, None if moving else shown.prompt.key, shown.choices, shown.keypad


def _fresh(current: _Current, serial: int | None) -> bool:
    return serial is None or current.since <= serial <= current.shown.serial


def _offers(current: _Current, message: TouchMade) -> bool:
    if not _fresh(current, message.serial):
        return False
    if current.shown.keypad and message.touch is Touch.STILL_HERE:  # somebody is typing
        return not message.value
    return any(
        choice.touch is message.touch and (choice.value == message.value or _takes_number(current, choice.touch))
        for choice in current.shown.choices
    )


def _takes_number(current: _Current, touch: Touch) -> bool:
    """Whether this button carries what was typed: a staff number."""
    return current.shown.keypad and touch is Touch.START_ASSISTED


def _nobody(_event: Event) -> None:
    return None
