"""A real Chromium over its DevTools protocol, in as few lines as the page's tests need.

Debian's ``chromium`` is driven directly: no browser is downloaded and no driver installed.
"""

import asyncio
import base64
import os
import signal
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--no-first-run",
    "--disable-gpu",
    "--disable-extensions",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--hide-scrollbars=false",
    "--force-color-profile=srgb",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--remote-debugging-port=0",
)


class Tab:
    """One tab: `call` a method of the protocol, `value` of a script, `requests` it made so far."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._next = 0
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._reader: asyncio.Task[None] | None = None
        self.requests: list[str] = []
        self.complaints: list[str] = []

    async def __aenter__(self) -> Self:
        self._reader = asyncio.create_task(self._read())
        for domain in ("Page", "Runtime", "Network", "Log"):
            await self.call(f"{domain}.enable")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        assert self._reader is not None
        self._reader.cancel()
        with suppress(asyncio.CancelledError):
            await self._reader

    async def _read(self) -> None:
        async for message in self._socket:
            told = message.json()
            params = told.get("params", {})
            if "id" in told:
                self._answers.pop(told["id"]).set_result(told)
            elif told["method"] in ("Network.requestWillBeSent", "Network.webSocketCreated"):
                self.requests.append(params.get("url") or params["request"]["url"])
            elif told["method"] == "Runtime.exceptionThrown":
                self.complaints.append(params["exceptionDetails"].get("exception", {}).get("description", "?"))
            elif told["method"] == "Log.entryAdded" and params["entry"]["level"] == "error":
                self.complaints.append(params["entry"]["text"])

    async def call(self, method: str, **params: Any) -> dict[str, Any]:
        self._next += 1
        answer = self._answers[self._next] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": self._next, "method": method, "params": params})
        told = await asyncio.wait_for(answer, 30)
        assert "error" not in told, told
        result: dict[str, Any] = told["result"]
        return result

    async def value(self, script: str) -> Any:
        told = await self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in told, told["exceptionDetails"]
        return told["result"].get("value")

    async def until(self, script: str, within_s: float = 15.0) -> None:
        """Wait until ``script`` is true."""
        async with asyncio.timeout(within_s):
            while not await self.value(script):  # noqa: ASYNC110 - the page has no event to wait for
                await asyncio.sleep(0.03)

    async def size(self, width_px: int, height_px: int) -> None:
        await self.call(
            "Emulation.setDeviceMetricsOverride", width=width_px, height=height_px, deviceScaleFactor=1, mobile=False
        )

    async def still(self) -> None:
        """Look at the pages as somebody does who wants no motion."""
        await self.call(
            "Emulation.setEmulatedMedia", features=[{"name": "prefers-reduced-motion", "value": "reduce"}]
        )

    async def go(self, url: str) -> None:
        await self.call("Page.navigate", url=url)

    async def press(self, selector: str) -> None:
        """Press the middle of an element as a finger or a mouse would."""
        where = await self.value(
            f"(() => {{ const r = document.querySelector({selector!r}).getBoundingClientRect();"
            " return [r.x + r.width / 2, r.y + r.height / 2]; })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            await self.call(
                "Input.dispatchMouseEvent", type=kind, x=where[0], y=where[1], button="left", clickCount=1
            )

    async def key(self, key: str) -> None:
        text = {"text": key} if len(key) == 1 else {}
        await self.call("Input.dispatchKeyEvent", type="keyDown", key=key, **text)
        await self.call("Input.dispatchKeyEvent", type="keyUp", key=key)

    async def screenshot(self) -> bytes:
        """A JPEG of what is seen."""
        shot = await self.call("Page.captureScreenshot", format="jpeg", quality=80)
        return base64.b64decode(shot["data"])


@asynccontextmanager
async def chromium(program: str) -> AsyncIterator[Tab]:
    """Start ``program``, give its first tab, and leave no process behind."""
    with tempfile.TemporaryDirectory(prefix="anxin-browser-", ignore_cleanup_errors=True) as folder:
        process = subprocess.Popen(  # noqa: ASYNC220 - starting it is quick, and it must end synchronously too
            [program, *FLAGS, f"--user-data-dir={folder}", "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            port_file = Path(folder) / "DevToolsActivePort"
            async with asyncio.timeout(30):
                while not (port_file.exists() and port_file.read_text().count("\n")):  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
            port = port_file.read_text().split("\n")[0]
            async with aiohttp.ClientSession() as http:
                async with http.get(f"http://127.0.0.1:{port}/json/list") as answer:
                    tab = next(t for t in await answer.json() if t["type"] == "page")
                async with (
                    http.ws_connect(tab["webSocketDebuggerUrl"], max_msg_size=0) as socket,
                    Tab(socket) as page,
                ):
                    yield page
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
