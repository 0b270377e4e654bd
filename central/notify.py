"""The office's word to the service manager (sd_notify), without a library: one datagram per notice."""

import contextlib
import os
import socket
from collections.abc import Mapping


class ServiceManager:
    """Speaks to NOTIFY_SOCKET where it is set, and to nobody where it is not.  Never raises."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self._address = (os.environ if environment is None else environment).get("NOTIFY_SOCKET", "")
        self._status = ""

    def ready(self) -> None:
        self._send("READY=1")

    def status(self, text: str) -> None:
        """Say it once, however often it is repeated."""
        if text != self._status:
            self._status = text
            self._send("STATUS=" + text.replace("\n", " "))

    def watchdog(self) -> None:
        self._send("WATCHDOG=1")

    def stopping(self) -> None:
        self._send("STOPPING=1")

    def _send(self, text: str) -> None:
        if not self._address.startswith(("/", "@")):
            return
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        # A service manager that does not listen is no reason to stop taking results.
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.sendto(text.encode(), address)
