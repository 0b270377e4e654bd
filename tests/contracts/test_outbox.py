"""What every outbox promises, held by the fake and by SQLite alike; and SQLite's own stories of damage."""

import contextlib
import hashlib
import itertools
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from edge.adapters.outbox_sqlite import GENESIS, MAX_ALARMS, SqliteOutbox
from edge.errors import NotDurableError, StateError
from edge.ports import Slot
from tests.fakes import MemoryOutbox

NOON = datetime(2026, 3, 9, 4, 0, tzinfo=UTC)
AnyOutbox = MemoryOutbox | SqliteOutbox


def made(slot: Slot) -> tuple[str, str]:
    return f"r-{slot.seq}", f"signed-{slot.seq}-{slot.prev}"


def link(jws: str) -> str:
    return hashlib.sha256(jws.encode()).hexdigest()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    SqliteOutbox.create(tmp_path / "outbox.sqlite", "terminal-1")
    return tmp_path / "outbox.sqlite"


@pytest.fixture(params=["fake", "sqlite"])
def outbox(request: pytest.FixtureRequest, path: Path) -> Iterator[AnyOutbox]:
    if request.param == "fake":
        yield MemoryOutbox(lambda: NOON)
        return
    with SqliteOutbox(path, "terminal-1", lambda: NOON) as real:
        yield real


def test_results_wait_in_order_and_each_names_the_one_before(outbox: AnyOutbox) -> None:
    assert [outbox.commit(made) for _ in range(3)] == ["r-1", "r-2", "r-3"]
    first, second, third = outbox.pending(10)
    assert (first.seq, second.seq, third.seq) == (1, 2, 3)
    assert first.jws == f"signed-1-{GENESIS}"
    assert second.jws == f"signed-2-{link(first.jws)}"
    assert third.jws == f"signed-3-{link(second.jws)}"
    assert first.committed_at == NOON and first.sends == 0


def test_a_settled_result_goes_once_and_its_place_is_never_given_again(outbox: AnyOutbox) -> None:
    outbox.commit(made)
    [row] = outbox.pending(10)
    assert outbox.settle("r-1") and not outbox.settle("r-1") and not outbox.settle("nobody")
    assert outbox.depth() == (0, None) and outbox.get("r-1") is None
    outbox.commit(made)
    [later] = outbox.pending(10)
    assert later.seq == 2 and later.jws.endswith(link(row.jws))
    assert outbox.chain() == Slot(2, link(later.jws))


def test_many_are_settled_at_once(outbox: AnyOutbox) -> None:
    for _ in range(4):
        outbox.commit(made)
    assert outbox.settle_all(["r-1", "r-3", "nobody"]) == 2
    assert [row.result_id for row in outbox.pending(10)] == ["r-2", "r-4"]


def test_depth_counts_and_pending_is_bounded(outbox: AnyOutbox) -> None:
    for _ in range(5):
        outbox.commit(made)
    assert outbox.depth() == (5, NOON)
    assert [row.seq for row in outbox.pending(2)] == [1, 2]


def test_a_maker_that_fails_leaves_no_gap(outbox: AnyOutbox) -> None:
    def broken(slot: Slot) -> tuple[str, str]:
        raise ValueError("cannot sign")

    with pytest.raises(ValueError, match="cannot sign"):
        outbox.commit(broken)
    assert outbox.commit(made) == "r-1" and outbox.depth()[0] == 1


def test_the_same_id_twice_is_not_stored_twice(outbox: AnyOutbox) -> None:
    outbox.commit(made)
    with pytest.raises(NotDurableError):
        outbox.commit(lambda slot: ("r-1", "again"))
    assert outbox.depth()[0] == 1 and outbox.chain().seq == 1


def test_resendings_are_counted_for_those_who_ask(outbox: AnyOutbox) -> None:
    outbox.commit(made)
    outbox.note_resent(["r-1", "gone"])
    outbox.note_resent(["r-1"])
    found = outbox.get("r-1")
    assert found is not None and found.sends == 2


def test_alarms_and_status_wait_for_the_uplink(outbox: AnyOutbox) -> None:
    assert outbox.read_status() is None
    outbox.write_status(b"one")
    outbox.write_status(b"two")
    assert outbox.read_status() == b"two"
    outbox.queue_alarm(b"a")
    outbox.queue_alarm(b"b")
    [(number, payload), (_, later)] = outbox.alarms(10)
    assert (payload, later) == (b"a", b"b")
    outbox.drop_alarm(number)
    assert [payload for _, payload in outbox.alarms(10)] == [b"b"]


class Chain(RuleBasedStateMachine):
    """Commits, receipts, failed commits, closings and sudden ends in any order."""

    def __init__(self) -> None:
        super().__init__()
        import tempfile

        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "o.sqlite"
        SqliteOutbox.create(self.path, "t")
        self.outbox = SqliteOutbox(self.path, "t")
        self.outbox.open()
        self.waiting: list[tuple[str, str]] = []
        self.seq, self.head = 0, GENESIS

    @rule(text=st.text("abc", max_size=5))
    def commit(self, text: str) -> None:
        slots = []

        def make(slot: Slot) -> tuple[str, str]:
            slots.append(slot)
            return f"r-{slot.seq}", f"{text}.{slot.seq}.{slot.prev}"

        result_id = self.outbox.commit(make)
        assert slots == [Slot(self.seq + 1, self.head)]
        jws = f"{text}.{slots[0].seq}.{slots[0].prev}"
        self.waiting.append((result_id, jws))
        self.seq, self.head = self.seq + 1, link(jws)

    @rule()
    def a_commit_is_cut_short(self) -> None:
        def cut(slot: Slot) -> tuple[str, str]:
            raise KeyboardInterrupt

        with contextlib.suppress(KeyboardInterrupt):
            self.outbox.commit(cut)

    @rule()
    def the_disk_is_full_for_a_moment(self) -> None:
        db = self.outbox._connect()
        pages = db.execute("PRAGMA page_count").fetchone()[0]
        db.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(NotDurableError):
            self.outbox.commit(lambda slot: (f"r-{slot.seq}", "x" * 200_000))

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def settle(self, data: st.DataObject) -> None:
        at = data.draw(st.integers(0, len(self.waiting) - 1))
        assert self.outbox.settle(self.waiting.pop(at)[0])

    @rule()
    def restart(self) -> None:
        self.outbox.close()
        self.outbox = SqliteOutbox(self.path, "t")
        self.outbox.open()

    @rule()
    def another_process_looks(self) -> None:
        with SqliteOutbox(self.path, "t") as other:
            assert other.depth()[0] == len(self.waiting)

    @invariant()
    def nothing_is_lost_or_moved(self) -> None:
        assert [(row.result_id, row.jws) for row in self.outbox.pending(1000)] == self.waiting
        assert self.outbox.chain() == Slot(self.seq, self.head)

    def teardown(self) -> None:
        self.outbox.close()
        self.folder.cleanup()


Chain.TestCase.settings = settings(max_examples=12, stateful_step_count=25, deadline=None)
TestChain = Chain.TestCase


# --- kill -9 at every point of a commit ----------------------------------------------------------------------

CHILD = """
import os, signal, sqlite3, sys
from pathlib import Path
point = int(sys.argv[2])
real, count = sqlite3.connect, 0

class Killing(sqlite3.Connection):
    def execute(self, sql, *rest):
        global count
        watched = armed and not sql.startswith(("SELECT", "PRAGMA"))
        if watched and count == point:
            os.kill(os.getpid(), signal.SIGKILL)
        done = super().execute(sql, *rest)
        if watched:
            count += 1
            if sql == "COMMIT" and point == 99:
                os.kill(os.getpid(), signal.SIGKILL)
        return done

armed = False
sqlite3.connect = lambda *a, **k: real(*a, factory=Killing, **k)
from edge.adapters.outbox_sqlite import SqliteOutbox
with SqliteOutbox(Path(sys.argv[1]), "terminal-1") as outbox:
    armed = True
    outbox.commit(lambda slot: (f"r-{slot.seq}", f"signed-{slot.seq}-{slot.prev}"))
"""
POINTS = {"before BEGIN": 0, "before INSERT": 1, "before UPDATE": 2, "before COMMIT": 3, "after COMMIT": 99}


@pytest.mark.process
@pytest.mark.parametrize("point", POINTS)
def test_a_kill_in_the_middle_of_a_commit_leaves_all_or_nothing(path: Path, point: str) -> None:
    with SqliteOutbox(path, "terminal-1") as before:
        before.commit(made)
    child = subprocess.run([sys.executable, "-c", CHILD, str(path), str(POINTS[point])], check=False, timeout=60)
    assert child.returncode == -signal.SIGKILL
    with SqliteOutbox(path, "terminal-1") as after:
        stored = point == "after COMMIT"
        assert after.depth()[0] == (2 if stored else 1)
        after.commit(made)
        rows = after.pending(10)
        assert [row.seq for row in rows] == ([1, 2, 3] if stored else [1, 2])
        assert rows[-1].jws.endswith(link(rows[-2].jws))


def test_two_processes_share_it_without_a_gap(path: Path) -> None:
    code = CHILD.replace("outbox.commit(lambda", "[outbox.commit(lambda").replace(
        '{slot.prev}"))', '{slot.prev}")) for _ in range(25)]'
    )
    others = [subprocess.Popen([sys.executable, "-c", code, str(path), "-1"]) for _ in range(2)]
    with SqliteOutbox(path, "terminal-1") as mine:
        for _ in range(25):
            mine.commit(made)
        assert [other.wait(60) for other in others] == [0, 0]
        rows = mine.pending(100)
    assert [row.seq for row in rows] == list(range(1, 76))
    assert all(later.jws.endswith(link(row.jws)) for row, later in itertools.pairwise(rows))


def test_two_threads_share_it_without_a_gap(path: Path) -> None:
    with SqliteOutbox(path, "terminal-1") as outbox:
        threads = [threading.Thread(target=lambda: [outbox.commit(made) for _ in range(10)]) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [row.seq for row in outbox.pending(100)] == list(range(1, 31))


def test_a_service_may_start_at_any_moment_of_the_other_ones_commits(path: Path) -> None:
    """An examination in two reads took a healthy outbox for a damaged one in 3 of 100 starts."""
    over = threading.Event()

    def busy() -> None:
        with SqliteOutbox(path, "terminal-1") as outbox:
            while not over.is_set():
                outbox.commit(made)

    other = threading.Thread(target=busy)
    other.start()
    try:
        for _ in range(300):
            SqliteOutbox(path, "terminal-1").__enter__().close()
    finally:
        over.set()
        other.join()


# --- stored state that is not what it should be --------------------------------------------------------------


def refused(path: Path, says: str, device: str = "terminal-1") -> None:
    before = path.read_bytes() if path.exists() else None
    with pytest.raises(StateError, match=says), SqliteOutbox(path, device):
        pass
    assert (path.read_bytes() if path.exists() else None) == before


def test_an_outbox_that_never_was_is_not_made_by_opening(tmp_path: Path) -> None:
    refused(tmp_path / "outbox.sqlite", "anxin provision")
    assert not list(tmp_path.iterdir())


def test_a_lost_outbox_is_not_replaced_silently(path: Path) -> None:
    path.unlink()
    refused(path, "results may be lost")
    with pytest.raises(StateError, match="results may be lost"):
        SqliteOutbox.create(path, "terminal-1")


def test_an_outbox_that_is_there_is_not_made_again(path: Path) -> None:
    with pytest.raises(StateError, match="not replaced"):
        SqliteOutbox.create(path, "terminal-1")


def test_an_empty_file_is_refused(path: Path) -> None:
    path.write_bytes(b"")
    refused(path, "empty or no outbox")


def test_a_file_of_something_else_is_refused(path: Path) -> None:
    path.write_bytes(b"a text file that somebody left here, long enough to be looked at" * 20)
    refused(path, "is damaged .*have it examined")


def test_another_program_s_database_is_refused(path: Path) -> None:
    path.unlink()
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE t (x)")
        db.commit()
    refused(path, "no outbox of Anxin")


def test_another_terminal_s_outbox_is_refused(path: Path) -> None:
    refused(path, "belongs to terminal-1", device="terminal-2")


def test_a_newer_format_is_refused(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 9")
    refused(path, "format 9")


def test_a_torn_page_is_refused(path: Path) -> None:
    with SqliteOutbox(path, "terminal-1") as outbox:
        for _ in range(40):
            outbox.commit(lambda slot: (f"r-{slot.seq}", "x" * 3000))
    data = bytearray(path.read_bytes())
    for at in range(4096 * 3, len(data), 4096):
        data[at : at + 64] = bytes(range(64))
    path.write_bytes(data)
    refused(path, "damaged")


def test_a_row_that_is_not_the_head_of_the_chain_is_refused(path: Path) -> None:
    with SqliteOutbox(path, "terminal-1") as outbox:
        outbox.commit(made)
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("UPDATE results SET jws = 'forged'")
        db.commit()
    refused(path, "not the head")


def test_a_full_disk_stores_nothing_and_the_next_attempt_takes_the_same_place(path: Path) -> None:
    with SqliteOutbox(path, "terminal-1") as outbox:
        outbox.commit(made)
        db = outbox._connect()
        db.execute(f"PRAGMA max_page_count = {db.execute('PRAGMA page_count').fetchone()[0]}")
        with pytest.raises(NotDurableError, match="free space"):
            outbox.commit(lambda slot: ("big", "x" * 100_000))
        assert outbox.commit(made) == "r-2"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 6 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", folder], check=False, capture_output=True
    )
    if made.returncode != 0:
        pytest.skip("a small disk cannot be mounted here (needs root)")
    yield folder
    subprocess.run(["umount", folder], check=True)


@pytest.mark.process
def test_a_read_only_disk_is_not_called_a_damaged_outbox(small_disk: Path) -> None:
    path = small_disk / "outbox.sqlite"
    SqliteOutbox.create(path, "terminal-1")
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    refused(path, "kept as it is; check that its disk is neither full nor read-only")
    subprocess.run(["mount", "-o", "remount,rw", small_disk], check=True)
    with SqliteOutbox(path, "terminal-1") as outbox:
        assert outbox.commit(made) == "r-1"


@pytest.mark.process
def test_an_outbox_that_filled_its_disk_still_gives_up_what_the_office_has(small_disk: Path) -> None:
    path = small_disk / "outbox.sqlite"
    SqliteOutbox.create(path, "terminal-1")
    with SqliteOutbox(path, "terminal-1") as outbox:
        for _ in range(3):
            stored = outbox.depth()[0]
            with pytest.raises(NotDurableError, match="full"):
                while True:
                    outbox.commit(lambda slot: (f"r-{slot.seq}", "x" * 4000))
                    stored += 1
            assert outbox.depth()[0] == stored > 20
            rows = [row.result_id for row in outbox.pending(1000)]
            for at in range(0, len(rows) - 5, 20):
                outbox.settle_all(rows[at : min(at + 20, len(rows) - 5)])
            assert outbox.depth()[0] == 5
            last = outbox.pending(10)[-1]
            assert outbox.commit(made) == f"r-{last.seq + 1}"
        rows = list(outbox.pending(1000))
    with SqliteOutbox(path, "terminal-1") as again:
        assert list(again.pending(1000)) == rows
        assert path.with_name("outbox.sqlite.ballast").stat().st_size > 0, "the next full disk finds it again"


def test_a_file_removed_under_a_running_terminal_is_noticed_before_anything_is_promised(path: Path) -> None:
    with SqliteOutbox(path, "terminal-1") as outbox:
        outbox.commit(made)
        path.rename(path.with_name("moved"))
        with pytest.raises(NotDurableError, match="gone"):
            outbox.commit(made)


def test_a_writer_that_holds_the_file_too_long_makes_the_commit_fail_cleanly(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.adapters.outbox_sqlite.BUSY_S", 0.05)
    with SqliteOutbox(path, "terminal-1") as outbox, contextlib.closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(NotDurableError, match="locked"):
            outbox.commit(made)
        other.rollback()
        assert outbox.commit(made) == "r-1"


def test_alarms_are_bounded_and_the_oldest_go(path: Path) -> None:
    with SqliteOutbox(path, "terminal-1") as outbox:
        with outbox._transaction() as db:
            db.executemany("INSERT INTO alarms (payload) VALUES (?)", [(b"old",)] * MAX_ALARMS)
        outbox.queue_alarm(b"new")
        kept = outbox.alarms(1000)
    assert len(kept) == MAX_ALARMS and kept[-1][1] == b"new"


def test_every_commit_is_synchronous_and_journalled(path: Path) -> None:
    with SqliteOutbox(path, "terminal-1") as outbox:
        db = outbox._connect()
        assert db.execute("PRAGMA synchronous").fetchone()[0] == 2
        assert db.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
