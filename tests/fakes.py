"""Stand-ins behind the ports for tests; the contract suites hold them to the same promises as the real things."""

import hashlib
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import numpy as np

from edge.core.types import ClockState, Person
from edge.errors import LinkError, NotDurableError
from edge.ports import Floats, Incoming, Queued, Slot


class MemoryOutbox:
    """An outbox without a disk.  ``full`` makes every write fail."""

    def __init__(self, now: Callable[[], datetime] = lambda: datetime(2026, 3, 9, tzinfo=UTC)) -> None:
        self.rows: dict[str, Queued] = {}
        self.full = False
        self.notes: dict[int, bytes] = {}
        self.status: bytes | None = None
        self._now, self._head, self._numbers = now, Slot(0, "0" * 64), 0

    def commit(self, make: Callable[[Slot], tuple[str, str]]) -> str:
        seq = self._head.seq + 1
        result_id, jws = make(Slot(seq, self._head.prev))
        if self.full or result_id in self.rows:
            raise NotDurableError("The test's disk is full.")
        self.rows[result_id] = Queued(result_id, seq, jws, self._now(), 0)
        self._head = Slot(seq, hashlib.sha256(jws.encode()).hexdigest())
        return result_id

    def pending(self, limit: int) -> Sequence[Queued]:
        return sorted(self.rows.values(), key=lambda row: row.seq)[:limit]

    def settle(self, result_id: str) -> bool:
        return self.rows.pop(result_id, None) is not None

    def settle_all(self, result_ids: Sequence[str]) -> int:
        return sum(self.settle(each) for each in result_ids)

    def depth(self) -> tuple[int, datetime | None]:
        return len(self.rows), min((row.committed_at for row in self.rows.values()), default=None)

    def get(self, result_id: str) -> Queued | None:
        return self.rows.get(result_id)

    def chain(self) -> Slot:
        return self._head

    def note_resent(self, result_ids: Sequence[str]) -> None:
        for each in result_ids:
            if row := self.rows.get(each):
                self.rows[each] = Queued(row.result_id, row.seq, row.jws, row.committed_at, row.sends + 1)

    def queue_alarm(self, payload: bytes) -> None:
        self._numbers += 1
        self.notes[self._numbers] = payload

    def alarms(self, limit: int) -> Sequence[tuple[int, bytes]]:
        return list(self.notes.items())[:limit]

    def drop_alarm(self, number: int) -> None:
        self.notes.pop(number, None)

    def read_status(self) -> bytes | None:
        return self.status

    def write_status(self, payload: bytes) -> None:
        self.status = payload


class MemoryRoster:
    """People by number, without a file."""

    def __init__(self, people: Mapping[str, Person], references: Mapping[tuple[str, str], Floats]) -> None:
        self.version = "1"
        self._people, self._references = people, references

    def find(self, number: str) -> Person | None:
        return self._people.get(number)

    def references(self, person_ref: str, model: str) -> Floats:
        return self._references.get((person_ref, model), np.empty((0, 4), np.float32))


class FakeClock:
    """A clock that moves when told to."""

    boot_id = "0f1e2d3c-0000-4000-8000-0123456789ab"

    def __init__(self, start: datetime = datetime(2026, 3, 9, 4, 0, tzinfo=UTC)) -> None:
        self.start, self.ns, self.synced = start, 0, True

    def advance(self, seconds: float) -> None:
        self.ns += int(seconds * 1e9)

    def now(self) -> datetime:
        return self.start + timedelta(microseconds=self.ns // 1000)

    def monotonic_ns(self) -> int:
        return self.ns

    def state(self) -> ClockState:
        return ClockState(self.synced, "test", 0.0)


class FakeNotifier:
    """Remembers what the service manager would have been told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def ready(self) -> None:
        self.told.append("READY=1")

    def status(self, text: str) -> None:
        self.told.append("STATUS=" + text)

    def watchdog(self) -> None:
        self.told.append("WATCHDOG=1")

    def stopping(self) -> None:
        self.told.append("STOPPING=1")


class FakeLink:
    """A link to a broker that exists only in the test: ``hear`` gets what is published, ``tell`` sends down."""

    def __init__(self, hear: Callable[["FakeLink", str, bytes, bool], int] = lambda *_: 0) -> None:
        self.connected, self.reachable, self.problem = False, True, ""
        self.taken_over = 0
        self.opened = 0
        self.acked: list[int] = []
        self._hear, self._tokens = hear, 0
        self._answers: deque[tuple[int, int]] = deque()
        self._inbox: deque[Incoming] = deque()

    def open(self) -> None:
        if not self.reachable:
            self.problem = "The broker does not answer."
            raise LinkError(self.problem)
        self.connected, self.opened = True, self.opened + 1

    def lose(self) -> None:
        """The connection breaks; what was under way is forgotten."""
        self.connected = False
        self._answers.clear()
        self._inbox.clear()

    def tell(self, topic: str, payload: bytes, retained: bool = False) -> None:
        self._tokens += 1
        self._inbox.append(Incoming(topic, payload, retained, {}, self._tokens))

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        qos: int = 1,
        retain: bool = False,
        properties: Mapping[str, str] | None = None,
    ) -> int:
        if not self.connected:
            raise LinkError("Not connected.")
        self._tokens += 1
        token = self._tokens
        code = self._hear(self, topic, payload, retain)
        if qos:
            self._answers.append((token, code))
        return token

    def acknowledged(self) -> Sequence[tuple[int, int]]:
        answers = list(self._answers)
        self._answers.clear()
        return answers

    def received(self, timeout_s: float) -> Sequence[Incoming]:
        inbox = list(self._inbox)
        self._inbox.clear()
        return inbox

    def acknowledge(self, token: int) -> None:
        self.acked.append(token)

    def close(self) -> None:
        self.connected = False
