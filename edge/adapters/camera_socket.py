"""Frames from a local process over a Unix stream socket (`edge.core.frame_header`), behind `edge.ports.Camera`."""

import select
import socket
import time
from pathlib import Path

import numpy as np

from edge.core.frame_header import FrameHeader
from edge.errors import CameraError, CameraGoneError
from edge.ports import Frame, Pixels


class SocketCamera:
    """The newest frame that a producer at ``path`` has sent; what queued up before it is thrown away."""

    def __init__(self, path: Path, connect_timeout_s: float = 2.0) -> None:
        self.name = path.name
        self._path = path
        self._connect_timeout_s = connect_timeout_s
        self._socket: socket.socket | None = None
        self._parser = _Parser()

    def open(self) -> None:
        self.close()
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.settimeout(self._connect_timeout_s)
            connection.connect(str(self._path))
            connection.setblocking(False)
        except OSError as error:
            connection.close()
            raise CameraGoneError(
                f"nobody sends frames at {self._path} ({error.strerror or error}); start that process first."
            ) from None
        self._socket, self._parser = connection, _Parser()

    def read(self, timeout_s: float) -> Frame | None:
        connection = self._socket
        if connection is None:
            raise CameraError(f"{self.name} is not open; open the camera before reading it.")
        deadline = time.monotonic() + timeout_s
        newest: Frame | None = None
        while True:
            # With a frame in hand look only at what is already here.
            wait_s = 0.0 if newest else max(0.0, deadline - time.monotonic())
            if not select.select([connection], [], [], wait_s)[0]:
                if newest is None:
                    raise CameraError(f"{self.name} gave no new frame within {timeout_s:g} s.")
                return newest
            try:
                newest = self._parser.take(connection) or newest
            except (OSError, ValueError) as error:
                if newest is not None:
                    return newest  # the next call meets the same end
                raise CameraError(f"{self.name} sends no more frames ({error}); restart that process.") from None
            if newest is not None and time.monotonic() > deadline:
                return newest

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
        self._socket = None


class _Parser:
    """Puts frames together from whatever pieces the socket gives."""

    def __init__(self) -> None:
        self._header: FrameHeader | None = None
        self._buffer = np.empty(FrameHeader.LAYOUT.size, np.uint8)
        self._filled = 0

    def take(self, connection: socket.socket) -> Frame | None:
        """Read once; the frame that this completes, if any.  ConnectionError at the end, ValueError on nonsense."""
        got = connection.recv_into(self._buffer.data[self._filled :])
        if got == 0:
            raise ConnectionError("the connection was closed")
        self._filled += got
        if self._filled < len(self._buffer):
            return None
        self._filled = 0
        if self._header is None:
            self._header = FrameHeader.unpack(self._buffer.tobytes())
            self._buffer = np.empty(self._header.payload_bytes, np.uint8)
            return None
        header, self._header = self._header, None
        rgb: Pixels = self._buffer.reshape(header.height_px, header.width_px, 3)
        self._buffer = np.empty(FrameHeader.LAYOUT.size, np.uint8)
        return Frame(header.number, header.at_ns, rgb)
