"""Serves frames over a local socket, as `edge.core.frame_header` says, to any number of consumers.

The producer never waits: a consumer that does not keep up misses frames, one that dies is forgotten.
"""

import contextlib
import socket
import threading
from pathlib import Path

import numpy as np

from edge.core.frame_header import FrameHeader
from edge.errors import CameraError
from edge.ports import Frame

ACCEPT_TURN_S = 0.2
SEND_WITHIN_S = 2.0


class FrameServer:
    """Listens on ``path``; `offer` gives a frame to whoever is connected."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._consumers: list[_Consumer] = []
        self._over = threading.Event()
        self._listener: socket.socket | None = None
        self._thread: threading.Thread | None = None

    def open(self) -> None:
        """Raises `CameraError` when the socket cannot be made there."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            if self._path.is_socket():
                self._path.unlink()
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            listener.bind(str(self._path))
        except OSError as error:
            listener.close()
            raise CameraError(f"No socket can be made at {self._path} ({error}); choose another path.") from None
        self._path.chmod(0o600)
        listener.listen(4)
        listener.settimeout(ACCEPT_TURN_S)
        self._listener = listener
        self._over.clear()
        self._thread = threading.Thread(target=self._accept, name="sim-frames", daemon=True)
        self._thread.start()

    @property
    def consumers(self) -> int:
        """How many are connected."""
        with self._lock:
            self._consumers = [each for each in self._consumers if each.alive]
            return len(self._consumers)

    def offer(self, frame: Frame) -> None:
        """Hand over a frame; returns at once."""
        height, width = frame.rgb.shape[:2]
        header = FrameHeader(frame.number, frame.at_ns, width, height).pack()
        payload = header + np.ascontiguousarray(frame.rgb).tobytes()
        with self._lock:
            self._consumers = [each for each in self._consumers if each.alive]
            for consumer in self._consumers:
                consumer.put(payload)

    def close(self) -> None:
        """Stop serving; no thread and no socket file are left.  Can be repeated."""
        self._over.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        if self._listener is not None:
            self._listener.close()
            self._listener = None
            self._path.unlink(missing_ok=True)
        with self._lock:
            consumers, self._consumers = self._consumers, []
        for consumer in consumers:
            consumer.close()

    def _accept(self) -> None:
        listener = self._listener
        while listener is not None and not self._over.is_set():
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            with self._lock:
                self._consumers.append(_Consumer(connection))

    def __enter__(self) -> "FrameServer":
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Consumer:
    """One connection and the thread that feeds it the newest frame."""

    def __init__(self, connection: socket.socket) -> None:
        connection.settimeout(SEND_WITHIN_S)
        self._connection = connection
        self._newest: bytes | None = None
        self._changed = threading.Condition()
        self._over = False
        self._thread = threading.Thread(target=self._feed, name="sim-frames-consumer", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def put(self, payload: bytes) -> None:
        with self._changed:
            self._newest = payload
            self._changed.notify()

    def close(self) -> None:
        with self._changed:
            self._over = True
            self._changed.notify()
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)
        self._thread.join()

    def _feed(self) -> None:
        with self._connection:
            while True:
                with self._changed:
                    while self._newest is None and not self._over:
                        self._changed.wait(1.0)
                    if self._over:
                        return
                    payload, self._newest = self._newest, None
                try:
                    self._connection.sendall(payload or b"")
                except OSError:
                    return  # killed, closed, or stuck for longer than a terminal may be
