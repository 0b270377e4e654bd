"""The terminal's loop with a real session and a real outbox: what the page shows against what is on the disk."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest
from joserfc.jwk import OKPKey

from edge.adapters.outbox_sqlite import SqliteOutbox
from edge.core.eligibility import DatedWindow, Scheme
from edge.core.phrases import Phrase
from edge.core.policy import Policy
from edge.core.types import (
    Action,
    ActionSeen,
    Advice,
    Event,
    EyesState,
    NumberEntered,
    Observation,
    Person,
    Say,
    Screen,
    Standing,
    Touch,
    Touched,
    View,
)
from edge.errors import NotDurableError
from edge.ports import Floats, Frame
from edge.runtime.perceive import PerceiveLoop
from edge.runtime.recorder import Recorder
from edge.runtime.slot import NewestFrame
from edge.runtime.terminal import Services, TerminalLoop
from edge.wire import envelope, keys
from edge.wire.messages import ResultPayload, parse
from tests.fakes import FakeClock, MemoryRoster

NUMBER = "11010519491231002X"
MODEL = "embedding-1"
WANG = Person("ref-wang", "王*英", "beijing", Standing.DUE, date(2026, 12, 31))
FRAME_S = 0.1


class Room:
    """The eyes on a person: a genuine face that does what the page asks."""

    def __init__(self) -> None:
        self.references: list[Floats | None] = []
        self.doing: Action | None = None
        self.began_ns = 0

    def watch(self, references: Floats | None) -> None:
        self.references.append(references)

    def observe(self, frame: Frame) -> Observation:
        seen = Observation(
            frame.number, frame.at_ns, faces=1, advice=Advice.READY, track=1, match=0.7, probe_frames=8,
            passive=0.9997, neutral=True,
        )  # fmt: skip
        if self.doing is None:
            return seen
        action = ActionSeen(self.doing, self.began_ns, frame.at_ns, 0.5)
        return replace(seen, actions=(action,))


@dataclass
class Paper:
    """A page that remembers."""

    views: list[View] = field(default_factory=list)
    on_show: Callable[[View], None] = lambda _: None

    def open(self, tell: Callable[[Event], None]) -> None: ...

    def show(self, view: View) -> None:
        self.views.append(view)
        self.on_show(view)

    def say(self, say: Say) -> None: ...

    def preview(self, frame: Frame) -> None: ...

    def close(self) -> None: ...


class Visit:
    """One terminal in one thread: `wait` turns its loops as the threads would."""

    def __init__(self, folder: Path) -> None:
        self.clock = FakeClock(datetime(2026, 11, 23, 2, 0, tzinfo=UTC))  # 10:00 in Shanghai; due this month
        SqliteOutbox.create(folder / "outbox.sqlite", "t-1")
        self.outbox = SqliteOutbox(folder / "outbox.sqlite", "t-1")
        self.outbox.open()
        self.key: OKPKey = keys.generate("Ed25519", "t-1")
        self.frames, self.room, self.page = NewestFrame(), Room(), Paper()
        self.eyes = PerceiveLoop(self.frames, self.room, self.clock)
        self.number = 0
        self.disk_works = True
        references = {("ref-wang", MODEL): np.eye(1, 4, dtype=np.float32)}
        recorder = Recorder(
            self.outbox, self, self.clock, keys.generate("X25519", "office"), self._facts, lambda: bytes(10)
        )
        self.newer: list[Policy] = []  # in the inbox
        self.services = Services(
            guide=self.page,
            roster=MemoryRoster({NUMBER: WANG}, references),
            eyes=self.eyes,
            clock=self.clock,
            record=recorder,
            alarm=lambda _kind, _detail: None,
            draw=lambda: "0" * 32,
            embedding_model=MODEL,
            refresh=lambda: self.newer.pop() if self.newer else None,
        )
        self.loop = TerminalLoop(self.services, replace(Policy(), actions=(Action.NOD,)), eyes_trusted=True)
        self.wait(0.3)

    key_id = "t-1"

    def sign(self, payload: bytes) -> str:
        if not self.disk_works:
            raise NotDurableError("no space left")
        return envelope.sign(payload, self.key, envelope.Typ.RESULT)

    def _facts(self) -> envelope.DeviceFacts:
        return envelope.DeviceFacts("s", "t-1", self.clock.boot_id, "0", {"face_embedding": MODEL}, "1")

    def wait(self, seconds: float) -> "Visit":
        for _ in range(round(seconds / FRAME_S)):
            self.clock.advance(FRAME_S)
            self.number += 1
            self.frames.put(Frame(self.number, self.clock.monotonic_ns(), np.zeros((2, 2, 3), np.uint8)))
            if (seen := self.eyes.turn(0)) is not None:
                self.loop.seen(*seen)
            self.loop.turn(0.001)
        return self

    def touch(self, touch: Touch) -> "Visit":
        self.loop.tell(Touched(touch))
        return self.wait(0.3)

    def as_far_as_the_camera(self) -> "Visit":
        self.touch(Touch.START_SELF)
        self.loop.tell(NumberEntered(NUMBER))
        return self.wait(0.3).touch(Touch.YES).touch(Touch.AGREE)

    def nods_when_asked(self) -> "Visit":
        for _ in range(100):
            if self.view.action is Action.NOD:
                break
            self.wait(FRAME_S)
        self.wait(0.8)
        self.room.began_ns = self.clock.monotonic_ns()
        self.wait(0.4)
        self.room.doing = Action.NOD
        return self.wait(0.2)

    @property
    def view(self) -> View:
        return self.page.views[-1]

    def results(self) -> list[ResultPayload]:
        ring = {"t-1": self.key}
        return [
            parse(ResultPayload, envelope.verify(row.jws, ring, envelope.Typ.RESULT, ResultPayload.MAX_BYTES))
            for row in self.outbox.pending(10)
        ]


@pytest.fixture
def visit(tmp_path: Path) -> Iterator[Visit]:
    visit = Visit(tmp_path)
    yield visit
    visit.outbox.close()


def test_done_is_shown_only_when_the_signed_result_is_already_on_the_disk(visit: Visit) -> None:
    rows_when_shown: list[tuple[str, int]] = []
    visit.page.on_show = lambda view: rows_when_shown.append((view.prompt, visit.outbox.depth()[0]))

    visit.as_far_as_the_camera().nods_when_asked().wait(3)

    assert visit.view.prompt == "closing.done"
    assert dict(rows_when_shown)["closing.done"] == 1
    (result,) = visit.results()
    assert (result.outcome, result.seq, result.person_ref) == ("certified", 1, "ref-wang")
    assert result.match is not None and result.match.model == MODEL


def test_when_the_disk_is_full_nothing_is_promised_and_the_person_is_told_what_to_do(visit: Visit) -> None:
    visit.disk_works = False

    visit.as_far_as_the_camera().nods_when_asked().wait(3)

    assert visit.outbox.depth()[0] == 0
    assert "closing.done" not in {view.prompt for view in visit.page.views}
    assert visit.view.screen is Screen.CLOSING


def test_the_eyes_rest_while_nobody_is_looked_at_and_forget_the_person_afterwards(visit: Visit) -> None:
    assert visit.eyes.observed == 0

    visit.as_far_as_the_camera().nods_when_asked().wait(3)
    observed = visit.eyes.observed
    visit.wait(20)

    assert observed > 0
    assert visit.eyes.observed == observed
    assert visit.view.screen is Screen.IDLE
    assert visit.room.references[-1] is None


def test_a_frame_taken_before_the_question_is_no_answer_to_it(visit: Visit) -> None:
    old = Frame(1, visit.clock.monotonic_ns(), np.zeros((2, 2, 3), np.uint8))
    visit.clock.advance(1)
    visit.eyes.look(None)
    visit.frames.put(old)

    assert visit.eyes.turn(0) is None


def test_an_observation_of_an_earlier_question_is_dropped_and_control_events_never_are(visit: Visit) -> None:
    stale = visit.eyes.current
    visit.as_far_as_the_camera()
    seen = visit.room.observe(Frame(1, visit.clock.monotonic_ns(), np.zeros((2, 2, 3), np.uint8)))
    for _ in range(100):
        visit.loop.seen(stale, type("Seen", (), {"observation": seen})())
    visit.loop.tell(Touched(Touch.HELP))
    visit.loop.turn(0.001)

    assert "help" in visit.view.prompt


def test_what_came_over_night_counts_for_the_first_person_of_the_morning(visit: Visit) -> None:
    visit.newer = [replace(Policy(), scheme=Scheme(windows=(DatedWindow(date(2026, 11, 23), date(2026, 11, 24)),)))]
    visit.wait(31)
    assert visit.view.prompt == Phrase.IDLE_MAINTENANCE


def test_nothing_is_adopted_in_the_middle_of_a_visit(visit: Visit) -> None:
    visit.touch(Touch.START_SELF)
    visit.newer = [Policy(version="newer")]
    visit.wait(40)
    assert len(visit.newer) == 1


def test_eyes_that_fail_while_somebody_is_forgotten_are_not_trusted_by_who_comes_next(visit: Visit) -> None:
    nonces = iter(["1" * 32, "2" * 32])

    def draw() -> str:
        nonce = next(nonces)
        if nonce.startswith("2"):  # the eyes' thread has just tested again
            visit.loop.tell(EyesState(trusted=False))
        return nonce

    visit.loop = TerminalLoop(replace(visit.services, draw=draw), Policy(), eyes_trusted=True)
    assert visit.wait(0.3).view.prompt == Phrase.IDLE_WELCOME
    visit.touch(Touch.START_SELF).touch(Touch.BACK).wait(0.3)
    assert visit.view.prompt == Phrase.IDLE_WAIT_EYES
