"""The threads of a service: each turns one loop, beats, and ends the whole process when something unexpected happens.

A half-dead service is worse than a dead one (field failures 2 and 7): nothing is restarted in here, the service
manager restarts the process.
"""

import logging
import threading
from collections.abc import Callable

from edge.runtime.heartbeat import Heartbeats

log = logging.getLogger(__name__)


class Workers:
    """Named threads that run until `stop`; ``failed`` is the name of the first one that raised."""

    def __init__(self, heartbeats: Heartbeats) -> None:
        self._heartbeats = heartbeats
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self.failed: str | None = None

    def start(self, name: str, turn: Callable[[], float | None], max_age_s: float) -> None:
        """Run ``turn`` again and again; it returns the seconds to sleep before the next turn, or None for none.

        Its heartbeat is stale when a turn and its sleep last longer than ``max_age_s``.
        """
        beat = self._heartbeats.register(name, max_age_s)
        thread = threading.Thread(target=self._run, args=(name, turn, beat), name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def wait(self, timeout_s: float) -> bool:
        """Wait until the service is to end, at most ``timeout_s``; True when it is."""
        return self._stopping.wait(timeout_s)

    def stop(self) -> None:
        """Ask all threads to end; may be called by a signal handler."""
        self._stopping.set()

    def join(self, timeout_s: float) -> tuple[str, ...]:
        """Wait for the threads; returns the names of those that still run."""
        for thread in self._threads:
            thread.join(timeout_s)
        return tuple(thread.name for thread in self._threads if thread.is_alive())

    def _run(self, name: str, turn: Callable[[], float | None], beat: Callable[[], None]) -> None:
        try:
            while not self._stopping.is_set():
                pause_s = turn()
                beat()
                if pause_s:
                    self._stopping.wait(pause_s)
        except BaseException:
            # The boundary of a thread: whatever it is, the process must end and say why.
            self.failed = self.failed or name
            log.exception("the thread %s met something unexpected; the service ends and is started again", name)
            self._stopping.set()
