"""One place for the newest frame: a camera puts, the eyes take, and what nobody took in time is dropped."""

import threading

from edge.ports import Frame


class NewestFrame:
    """A slot of one frame between two threads; ``dropped`` counts the frames that were overwritten unseen."""

    def __init__(self) -> None:
        self.dropped = 0
        self._frame: Frame | None = None
        self._changed = threading.Condition()

    def put(self, frame: Frame) -> None:
        """Make ``frame`` the newest one; never waits for the taker."""
        with self._changed:
            if self._frame is not None:
                self.dropped += 1
            self._frame = frame
            self._changed.notify()

    def take(self, timeout_s: float) -> Frame | None:
        """The newest frame, once; None if no new one came within ``timeout_s``."""
        with self._changed:
            if self._frame is None:
                self._changed.wait(timeout_s)
            frame, self._frame = self._frame, None
            return frame

    def clear(self) -> None:
        """Forget the frame, so that no picture of the last person is left here."""
        with self._changed:
            self._frame = None
