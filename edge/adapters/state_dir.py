"""A service's own folder: it knows whose it is, can be written, and is used by one process at a time."""

import fcntl
import os
from pathlib import Path

from edge.errors import StateError

MARKER = "device"
LOCK = "lock"


class StateDir:
    """The state folder of ``owner`` (``site/device``); `open` raises `StateError` and then has changed nothing.

    The site belongs to it: a terminal that is moved with results of its old site in the outbox would publish them
    where the office must take them for another's.

    An empty folder (as a service manager makes it) is taken into use; one with files but without our marker is
    not ours to write into.
    """

    def __init__(self, path: Path, owner: str) -> None:
        self.path = path
        self._owner = owner
        self._lock: int | None = None

    def open(self) -> None:
        """Check the owner, prove that the folder can be written, and keep others out until `close`."""
        marker = self.path / MARKER
        try:
            names = {entry.name for entry in self.path.iterdir()}
            owner = marker.read_text(encoding="utf-8").strip() if MARKER in names else None
        except FileNotFoundError:
            raise StateError(f"{self.path} does not exist; run `anxin provision` for this terminal first.") from None
        except (OSError, UnicodeDecodeError) as error:
            raise StateError(f"{self.path} cannot be read ({error}); check its owner and mode.") from None
        if owner is None and names - {LOCK}:
            raise StateError(
                f"{self.path} holds files but does not say whose; give this terminal a folder of its own."
            )
        if owner not in (None, self._owner):
            raise StateError(
                f"{self.path} belongs to another terminal than {self._owner}; name the right folder, or the right "
                "site and device, in the configuration."
            )
        try:
            self._lock = os.open(self.path / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.close()
            raise StateError(f"{self.path} is used by another process; stop that one first.") from None
        except OSError as error:
            self.close()
            raise StateError(
                f"{self.path} cannot be written ({error.strerror}); check its owner and space."
            ) from None
        if owner is None:
            self._mark(marker)

    def close(self) -> None:
        """Let others in; can be repeated."""
        lock, self._lock = self._lock, None
        if lock is not None:
            os.close(lock)

    def _mark(self, marker: Path) -> None:
        fresh = marker.with_name(MARKER + ".new")
        try:
            with fresh.open("w", encoding="utf-8") as out:
                out.write(self._owner + "\n")
                out.flush()
                os.fsync(out.fileno())
            fresh.replace(marker)
        except OSError as error:
            self.close()
            raise StateError(
                f"{self.path} cannot be written ({error.strerror}); check its owner and space."
            ) from None
