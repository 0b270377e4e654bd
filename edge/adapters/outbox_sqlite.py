"""The durable queue between terminal and uplink: one SQLite file (WAL, synchronous=FULL) in the spool folder.

The terminal commits signed results; the uplink reads them and settles those for which the office's receipt came.
Both open the same file; SQLite's own locks order them.  Rows that are settled go, the head of the chain (seq and
hash) stays, so that the next result continues it.  Two small tables ride along: alarms that wait for the broker,
and one row in which the terminal leaves its status for the uplink to publish.

A file that is missing, empty, damaged or another terminal's is refused and kept (`StateError`): an outbox that
starts afresh by itself would break the chain and hide what was lost.  `SqliteOutbox.create`, which provisioning
calls, makes the first one and a marker beside it; while the marker is there it makes no second.
"""

import contextlib
import hashlib
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from edge.errors import NotDurableError, StateError
from edge.ports import Queued, Slot

OUTBOX_FILE = "outbox.sqlite"
APPLICATION_ID = 0x414E5849  # "ANXI"
SCHEMA = 1
GENESIS = "0" * 64
BUSY_S = 5.0
MAX_ALARMS = 500

# The journal is folded into the file after this many pages (of 4096 bytes), and then cut to this size.
JOURNAL_PAGES = 256
JOURNAL_BYTES = JOURNAL_PAGES * 4096

# Room that is given up when the disk is full, so that receipts can be settled and rows removed: to delete, SQLite
# must write.  More than a journal and the pages that it brings to the file.  New results never touch it.
BALLAST_BYTES = 4 * 1024 * 1024

_TABLES = f"""
CREATE TABLE chain (one INTEGER PRIMARY KEY CHECK (one = 1), device TEXT NOT NULL, seq INTEGER NOT NULL,
  head TEXT NOT NULL) STRICT;
CREATE TABLE results (seq INTEGER PRIMARY KEY, result_id TEXT NOT NULL UNIQUE, jws TEXT NOT NULL,
  committed_at TEXT NOT NULL, sends INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE TABLE alarms (number INTEGER PRIMARY KEY AUTOINCREMENT, payload BLOB NOT NULL) STRICT;
CREATE TABLE terminal_status (one INTEGER PRIMARY KEY CHECK (one = 1), payload BLOB NOT NULL) STRICT;
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {SCHEMA};
"""


class SqliteOutbox:
    """`edge.ports.Outbox` on ``path``; safe between processes and between the threads of one."""

    def __init__(self, path: Path, device: str, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._path = path
        self._device = device
        self._now = now
        self._db: sqlite3.Connection | None = None
        self._inode: tuple[int, int] | None = None
        self._examined: tuple[int, int] | None = None  # the file whose every page was looked at
        self._lock = threading.Lock()

    @classmethod
    def create(cls, path: Path, device: str) -> None:
        """Make the first outbox of ``device``; `StateError` when there is, or ever was, one at ``path``."""
        marker = _marker(path)
        if path.exists():
            raise StateError(f"{path} exists; it may hold results that the office lacks, so it is not replaced.")
        if marker.exists():
            raise StateError(_gone(path))
        fresh = path.with_name(path.name + ".new")
        try:
            fresh.unlink(missing_ok=True)
            with contextlib.closing(sqlite3.connect(fresh, isolation_level=None)) as db:
                db.execute("PRAGMA synchronous = FULL")
                db.executescript(f"BEGIN; {_TABLES} COMMIT;")
                db.execute("INSERT INTO chain VALUES (1, ?, 0, ?)", (device, GENESIS))
                db.execute("PRAGMA journal_mode = WAL")
            fresh.chmod(0o660)  # the two services are two users of one group
            _fill(_ballast(path))
            fresh.rename(path)
            marker.write_text(f"{device}\n", encoding="ascii")
            _sync_folder(path.parent)
        except (sqlite3.Error, OSError) as error:
            raise StateError(f"{path} cannot be made ({_words(error)}); check the folder and its space.") from None

    def open(self) -> None:
        """Open and examine the file; raises `StateError`, and then the file is as it was."""
        if not self._path.exists() and _marker(self._path).exists():
            raise StateError(_gone(self._path))
        if not self._path.exists():
            raise StateError(f"{self._path} does not exist; run `anxin provision` for this terminal first.")
        with self._lock:
            self._drop()
            self._examined = None
            self._connect()
        self._restore_ballast()

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; can be repeated."""
        with self._lock:
            self._drop()

    # --- edge.ports.Outbox -----------------------------------------------------------------------------------

    def commit(self, make: Callable[[Slot], tuple[str, str]]) -> str:
        """Give ``make`` the next slot, store the (result_id, jws) it returns, and return the result_id.

        Returns only when the row is on the disk; raises `NotDurableError` otherwise, and then nothing was stored.
        What ``make`` raises comes through, and nothing was stored either.
        """
        try:
            with self._transaction() as db:
                seq, head = db.execute("SELECT seq, head FROM chain").fetchone()
                result_id, jws = make(Slot(seq + 1, head))
                link = hashlib.sha256(jws.encode("ascii")).hexdigest()
                db.execute(
                    "INSERT INTO results (seq, result_id, jws, committed_at) VALUES (?, ?, ?, ?)",
                    (seq + 1, result_id, jws, self._now().astimezone(UTC).isoformat()),
                )
                db.execute("UPDATE chain SET seq = ?, head = ?", (seq + 1, link))
        except NotDurableError:
            raise
        except StateError as error:
            raise NotDurableError(str(error)) from None
        return result_id

    def pending(self, limit: int) -> Sequence[Queued]:
        """The oldest rows without a receipt, by seq."""
        with self._reading() as db:
            rows = db.execute(f"SELECT {_QUEUED} FROM results ORDER BY seq LIMIT ?", (limit,)).fetchall()  # noqa: S608
        return [_queued(row) for row in rows]

    def settle(self, result_id: str) -> bool:
        """Remove a row for which a verified receipt came; False if it was not there."""
        return self.settle_all([result_id]) > 0

    def depth(self) -> tuple[int, datetime | None]:
        """How many rows wait, and since when the oldest does."""
        with self._reading() as db:
            count, oldest = db.execute(
                "SELECT count(*), (SELECT committed_at FROM results ORDER BY seq LIMIT 1) FROM results"
            ).fetchone()
        return count, None if oldest is None else datetime.fromisoformat(oldest)

    # --- beyond the port: what the two services tell each other ----------------------------------------------

    def get(self, result_id: str) -> Queued | None:
        """The waiting row of this id."""
        with self._reading() as db:
            row = db.execute(f"SELECT {_QUEUED} FROM results WHERE result_id = ?", (result_id,)).fetchone()  # noqa: S608
        return None if row is None else _queued(row)

    def chain(self) -> Slot:
        """The head: the last seq that was given and the hash of its result (zeros before the first)."""
        with self._reading() as db:
            seq, head = db.execute("SELECT seq, head FROM chain").fetchone()
        return Slot(seq, head)

    def settle_all(self, result_ids: Sequence[str]) -> int:
        """Settle many in one transaction; how many were there.  On a full disk the ballast makes room for it."""
        try:
            return self._delete(result_ids)
        except NotDurableError:
            if not _release(_ballast(self._path)):
                raise
        found = self._delete(result_ids)
        with self._lock:
            try:
                self._connect().execute("PRAGMA wal_checkpoint(TRUNCATE)")
            except sqlite3.Error:
                self._drop()
        self._restore_ballast()
        return found

    def note_resent(self, result_ids: Sequence[str]) -> None:
        """Count one more sending of each beyond its first; for people who ask why something is slow."""
        with self._transaction() as db:
            again = [(each,) for each in result_ids]
            db.executemany("UPDATE results SET sends = sends + 1 WHERE result_id = ?", again)

    def queue_alarm(self, payload: bytes) -> None:
        """Keep an encoded `AlarmMessage` until the broker has it; of more than 500 the oldest go."""
        with self._transaction() as db:
            db.execute("INSERT INTO alarms (payload) VALUES (?)", (payload,))
            db.execute("DELETE FROM alarms WHERE number <= (SELECT max(number) FROM alarms) - ?", (MAX_ALARMS,))

    def alarms(self, limit: int) -> Sequence[tuple[int, bytes]]:
        """The oldest alarms: (number, payload)."""
        with self._reading() as db:
            return [
                (number, bytes(payload))
                for number, payload in db.execute(
                    "SELECT number, payload FROM alarms ORDER BY number LIMIT ?", (limit,)
                )
            ]

    def drop_alarm(self, number: int) -> None:
        """Forget an alarm that the broker accepted."""
        with self._transaction() as db:
            db.execute("DELETE FROM alarms WHERE number = ?", (number,))

    def write_status(self, payload: bytes) -> None:
        """Leave the terminal's encoded `TerminalStatus`; it replaces the last one."""
        with self._transaction() as db:
            db.execute("INSERT OR REPLACE INTO terminal_status VALUES (1, ?)", (payload,))

    def read_status(self) -> bytes | None:
        """What the terminal wrote last."""
        with self._reading() as db:
            row = db.execute("SELECT payload FROM terminal_status").fetchone()
        return None if row is None else bytes(row[0])

    def _delete(self, result_ids: Sequence[str]) -> int:
        with self._transaction() as db:
            found = 0
            for each in result_ids:
                found += db.execute("DELETE FROM results WHERE result_id = ?", (each,)).rowcount
            return found

    def _restore_ballast(self) -> None:
        """Best effort: while the disk is full there is none, and the next start or settling tries again."""
        with contextlib.suppress(OSError):
            _fill(_ballast(self._path))

    # --- connections and transactions ------------------------------------------------------------------------

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                db = self._connect()
                db.execute("BEGIN IMMEDIATE")
                yield db
                db.execute("COMMIT")
            except sqlite3.Error as error:
                # A connection whose commit failed is not asked again: its state may be half-way.
                self._drop()
                raise NotDurableError(f"{self._path} could not be written ({_words(error)}); free space.") from None
            except BaseException:
                self._roll_back()
                raise

    @contextlib.contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                yield self._connect()
            except sqlite3.Error as error:
                self._drop()
                raise StateError(f"{self._path} could not be read ({_words(error)}); check the disk.") from None

    def _connect(self) -> sqlite3.Connection:
        if self._db is not None and _inode(self._path) == self._inode:
            return self._db
        # A file that was removed or replaced under us would swallow what is committed to it.
        self._drop()
        self._inode = _inode(self._path)
        if self._inode is None:
            raise StateError(f"{self._path} is gone; restore it, it may hold results that the office lacks.")
        try:
            db = sqlite3.connect(
                f"file:{_uri(self._path)}?mode=rw",
                uri=True,
                isolation_level=None,
                timeout=BUSY_S,
                check_same_thread=False,
            )
        except sqlite3.Error as error:
            raise StateError(f"{self._path} cannot be opened ({_words(error)}); check its owner and mode.") from None
        try:
            self._examine(db)
            db.execute("PRAGMA synchronous = FULL")
            db.execute(f"PRAGMA wal_autocheckpoint = {JOURNAL_PAGES}")
            db.execute(f"PRAGMA journal_size_limit = {JOURNAL_BYTES}")
            if not _marker(self._path).exists():
                _marker(self._path).write_text(f"{self._device}\n", encoding="ascii")
                _sync_folder(self._path.parent)
        except (sqlite3.Error, OSError) as error:
            db.close()
            raise StateError(_unusable(self._path, error)) from None
        except StateError:
            db.close()
            raise
        self._db, self._examined = db, self._inode
        return db

    def _examine(self, db: sqlite3.Connection) -> None:
        kept = "it is kept as it is: have it examined, or restore the right one"
        application, version = (
            db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")
        )
        if application != APPLICATION_ID:
            raise StateError(f"{self._path} is empty or no outbox of Anxin; {kept}.")
        if version != SCHEMA:
            raise StateError(f"{self._path} has format {version} and this program knows {SCHEMA}; {kept}.")
        # The whole file once; a connection that broke (a full disk) must not make the next person wait for it.
        if self._examined != self._inode and db.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
            raise StateError(f"{self._path} is damaged; {kept}.")
        # One moment for both: the other service may commit between two reads.
        db.execute("BEGIN")
        chain = db.execute("SELECT device, seq, head FROM chain").fetchall()
        last = db.execute("SELECT seq, jws FROM results ORDER BY seq DESC LIMIT 1").fetchone()
        db.execute("COMMIT")
        if len(chain) != 1:
            raise StateError(f"{self._path} has lost the head of its chain; {kept}.")
        device, seq, head = chain[0]
        if device != self._device:
            raise StateError(f"{self._path} belongs to {device}, this terminal is {self._device}; {kept}.")
        if last is not None and last[0] > seq:
            raise StateError(f"{self._path} holds results beyond the head of its chain; {kept}.")
        if last is not None and last[0] == seq and hashlib.sha256(last[1].encode()).hexdigest() != head:
            raise StateError(f"{self._path} holds a result that is not the head of its chain; {kept}.")
        if db.execute("PRAGMA journal_mode = WAL").fetchone()[0] != "wal":
            raise StateError(f"{self._path} cannot keep a journal; check that its folder is writable.")

    def _roll_back(self) -> None:
        if self._db is not None:
            try:
                self._db.execute("ROLLBACK")
            except sqlite3.Error:
                self._drop()

    def _drop(self) -> None:
        db, self._db = self._db, None
        if db is not None:
            with contextlib.suppress(sqlite3.Error):
                db.close()


_QUEUED = "result_id, seq, jws, committed_at, sends"


def _queued(row: tuple[str, int, str, str, int]) -> Queued:
    return Queued(row[0], row[1], row[2], datetime.fromisoformat(row[3]), row[4])


def _marker(path: Path) -> Path:
    return path.with_name(path.name + ".exists")


def _ballast(path: Path) -> Path:
    return path.with_name(path.name + ".ballast")


def _fill(ballast: Path) -> None:
    """Occupy the ballast's bytes; raises `OSError` and then occupies none."""
    if ballast.exists() and ballast.stat().st_size == BALLAST_BYTES:
        return
    fd = os.open(ballast, os.O_WRONLY | os.O_CREAT, 0o660)
    try:
        with contextlib.suppress(PermissionError):
            os.fchmod(fd, 0o660)  # whatever the umask: the other service must be able to give it up
        os.posix_fallocate(fd, 0, BALLAST_BYTES)
    except OSError:
        os.ftruncate(fd, 0)
        raise
    finally:
        os.close(fd)


def _release(ballast: Path) -> bool:
    """Give the bytes back; False when there were none."""
    try:
        held = ballast.stat().st_size
        os.truncate(ballast, 0)
    except OSError:
        return False
    return held > 0


def _inode(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _uri(path: Path) -> str:
    return str(path.absolute()).replace("%", "%25").replace("?", "%3f").replace("#", "%23")


def _words(error: Exception) -> str:
    return error.strerror or "input/output error" if isinstance(error, OSError) else str(error)


def _gone(path: Path) -> str:
    """A second outbox would give away the same places of the chain again, and the office would put them aside."""
    return (
        f"{path} is gone although this terminal had one, and results may be lost with it; restore it, or provision "
        "this terminal anew under another device name, in another folder."
    )


def _unusable(path: Path, error: Exception) -> str:
    """A damaged file must be examined; with a disk that is full or read-only the file may be quite all right."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_IOERR) & 0xFF
    if isinstance(error, sqlite3.DatabaseError) and code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return f"{path} is damaged ({_words(error)}); it is kept as it is: have it examined."
    if code == sqlite3.SQLITE_BUSY:
        return f"{path} is held by another process ({_words(error)}); end that one, or wait."
    return (
        f"{path} cannot be used ({_words(error)}) and is kept as it is; check that its disk is neither full nor "
        "read-only, and its owner and mode."
    )


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
