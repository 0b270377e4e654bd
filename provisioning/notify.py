"""The service manager's side of sd_notify: one datagram socket per process, read as systemd reads it.

The socket has an abstract name (``@anxin-...``), so nothing stays in the file system whatever happens.
"""

import contextlib
import secrets
import socket
from dataclasses import dataclass, field


@dataclass(slots=True)
class Notices:
    """What a process has said so far; times are monotonic seconds of whoever calls `NotifySocket.read`."""

    ready: bool = False
    stopping: bool = False
    status: str = ""
    fed_s: float | None = None
    unknown: list[str] = field(default_factory=list)

    def take(self, datagram: bytes, now_s: float) -> None:
        for line in datagram.decode("utf-8", "replace").splitlines():
            name, _, value = line.partition("=")
            match name:
                case "READY":
                    self.ready = value == "1"
                    self.fed_s = now_s
                case "STOPPING":
                    self.stopping = value == "1"
                case "STATUS":
                    self.status = value
                case "WATCHDOG":
                    self.fed_s = now_s
                case _ if len(self.unknown) < 20:
                    self.unknown.append(name)


class NotifySocket:
    """The address that goes into NOTIFY_SOCKET, and what arrived there."""

    def __init__(self) -> None:
        self.address = f"@anxin-{secrets.token_hex(8)}"
        self.notices = Notices()
        self._socket: socket.socket | None = None

    def open(self) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._socket.bind("\0" + self.address[1:])

    def read(self, now_s: float) -> Notices:
        """Everything that arrived, folded into the notices; never waits."""
        if self._socket is not None:
            with contextlib.suppress(BlockingIOError):
                while True:
                    self.notices.take(self._socket.recv(4096), now_s)
        return self.notices

    def forget(self) -> None:
        """Start afresh for the next process."""
        self.read(0.0)
        self.notices = Notices()

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None
