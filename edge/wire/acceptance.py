"""How a document of the office (roster, policy) is taken from the inbox, kept, and never taken back.

The inbox is written by others; the kept copy is the terminal's own.  A new document replaces the kept one only
when it is trusted and its number is not lower; a refused one changes nothing and is reported once.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from edge.errors import StateError, UntrustedError

Content = TypeVar("Content")


@dataclass(frozen=True, slots=True)
class Accepted(Generic[Content]):
    """A document that was examined: its number, the hash of its JWS and what was read from it."""

    number: int
    digest: str
    content: Content


class Acceptance(Generic[Content]):
    """One kind of document: ``inbox`` is watched, ``kept`` is ours.

    ``examine(data, at_least, check_date)`` reads a document or raises `UntrustedError`; the kept one is examined
    without its date, because a terminal whose roster expired must still start, and refuse older ones.
    """

    def __init__(
        self,
        what: str,
        inbox: Path,
        kept: Path,
        max_bytes: int,
        examine: Callable[[bytes, int, bool], Accepted[Content]],
    ) -> None:
        self.current: Accepted[Content] | None = None
        self._what = what
        self._inbox = inbox
        self._kept = kept
        self._max_bytes = max_bytes
        self._examine = examine
        self._seen: tuple[int, int, int, bool] | None = None
        self._not_kept = ""  # the digest of a good one for which the disk had no room, said already

    def open(self) -> None:
        """Read the kept document, if there is one; `StateError` when it is damaged (and it stays as it is)."""
        if not self._kept.exists():
            return
        try:
            self.current = self._examine(self._read(self._kept), 1, False)
        except (UntrustedError, OSError) as error:
            why = error.strerror if isinstance(error, OSError) else error
            raise StateError(
                f"{self._kept} is damaged ({why}) Move it away, keep it for examination, and put a new {self._what} "
                "into the inbox."
            ) from None

    def refresh(self, clock_synced: bool) -> str | None:
        """Take a new document from the inbox; the sentence why it was refused, once for each file.

        What an unsynchronised clock refused is looked at again when the clock is right.
        """
        try:
            found = self._inbox.stat()
        except FileNotFoundError:
            self._seen = None
            return None
        except OSError as error:
            return f"{self._inbox} cannot be read ({error.strerror}); check its owner and mode."
        seen = (found.st_ino, found.st_size, found.st_mtime_ns, clock_synced)
        if seen == self._seen:
            return None
        self._seen = seen
        try:
            data = self._read(self._inbox)
            new = self._newer(data)
        except UntrustedError as error:
            return str(error)
        except OSError as error:
            return f"{self._inbox} cannot be read ({error.strerror}); check its owner and mode."
        if new is None:
            return None
        try:
            write_durably(self._kept, data)
        except OSError as error:
            # Without the kept copy an older document could come back after a restart.
            self._seen = None
            again, self._not_kept = new.digest == self._not_kept, new.digest
            return None if again else f"A new {self._what} could not be kept ({error.strerror}); check the disk."
        self.current, self._not_kept = new, ""
        return None

    def _newer(self, data: bytes) -> Accepted[Content] | None:
        if self.current is None:
            return self._examine(data, 1, True)
        new = self._examine(data, self.current.number, True)
        if new.number > self.current.number:
            return new
        if new.digest != self.current.digest:
            raise UntrustedError(f"This {self._what} bears the number {new.number} of another; ask for a new one.")
        return None

    def _read(self, file: Path) -> bytes:
        with file.open("rb") as source:
            data = source.read(self._max_bytes + 1)
        if len(data) > self._max_bytes:
            raise UntrustedError(f"This {self._what} has more than {self._max_bytes} bytes; it was refused.")
        return data.strip()


def write_durably(file: Path, data: bytes) -> None:
    """Replace ``file`` (mode 0600) so that a power cut leaves the old or the new one; raises `OSError`."""
    fresh = file.with_name(file.name + ".new")
    fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(fd, "wb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())
    fresh.replace(file)
    folder = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
