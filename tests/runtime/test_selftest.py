"""The eyes are tested again while the terminal runs, and eyes that fell are not believed again."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from edge.core.types import Advice, Event, EyesState, Observation
from edge.errors import ModelError
from edge.ports import Floats, Frame
from edge.runtime.perceive import PerceiveLoop
from edge.runtime.selftest import SelfTest
from edge.runtime.slot import NewestFrame
from tests.fakes import FakeClock

MINUTE_S = 60.0


@dataclass(frozen=True)
class Said:
    ok: bool
    sentence: str = "said"


class Watch:
    """A self-test in a terminal whose time we pass."""

    def __init__(self, *, first: bool = True) -> None:
        self.clock = FakeClock()
        self.next = Said(ok=True)
        self.asked = 0
        self.told: list[Event] = []
        self.alarms: list[str] = []
        self.test = SelfTest(
            Said(ok=first), self._ask, self.clock, self.told.append, lambda kind, _: self.alarms.append(kind)
        )

    def _ask(self) -> Said:
        self.asked += 1
        return self.next

    def pass_(self, hours: float, *, resting: bool = True) -> "Watch":
        for _ in range(round(hours * 60)):
            self.clock.advance(MINUTE_S)
            self.test.turn(resting=resting)
        return self


def test_once_a_day_when_nobody_is_there() -> None:
    watch = Watch()
    first = watch.test.tested_at
    watch.pass_(23)
    assert watch.asked == 0
    watch.pass_(50)
    assert watch.asked == 3
    assert (watch.test.tested_at - first).total_seconds() == pytest.approx(72 * 3600, abs=600)
    assert (watch.told, watch.alarms) == ([], [])


def test_nobody_who_stands_there_is_kept_waiting_for_it() -> None:
    watch = Watch().pass_(30, resting=False)
    assert watch.asked == 0
    watch.pass_(0.06)
    assert watch.asked == 0  # the next one may come at once
    watch.pass_(0.1)
    assert watch.asked == 1


def test_eyes_that_fall_certify_nobody_and_the_process_ends_when_nobody_is_there() -> None:
    watch = Watch()
    watch.next = Said(ok=False, sentence="face_embedding does not give its known answer.")
    watch.pass_(23)
    watch.test.doubt()
    watch.test.turn(resting=False)
    assert watch.told == [EyesState(trusted=False)]
    assert watch.alarms == ["known_answer_test_failed"]
    assert not watch.test.ok and "known answer" in watch.test.sentence
    watch.pass_(1, resting=False)
    assert watch.asked == 1
    with pytest.raises(ModelError, match="starts again"):
        watch.pass_(1)


def test_one_impossible_number_of_sound_eyes_is_looked_into_and_forgotten() -> None:
    watch = Watch()
    watch.test.doubt()
    watch.test.turn(resting=False)
    watch.test.turn(resting=False)
    assert (watch.asked, watch.told, watch.test.ok) == (1, [], True)


def test_a_model_that_keeps_answering_nonsense_is_not_tested_at_every_frame() -> None:
    watch = Watch()
    for _ in range(45):  # three seconds at 15 frames a second
        watch.test.doubt()
        watch.test.turn(resting=False)
        watch.clock.advance(1 / 15)
    assert watch.asked == 1
    watch.clock.advance(10)
    watch.test.doubt()
    watch.test.turn(resting=False)
    assert watch.asked == 2


def test_eyes_that_failed_at_the_start_are_left_alone() -> None:
    watch = Watch(first=False)
    watch.test.doubt()
    watch.pass_(60)
    assert watch.asked == 0


class Impossible:
    """Eyes whose embedding net answers with a number that is none."""

    def __init__(self, clock: FakeClock, match: float) -> None:
        self.clock, self.match = clock, match

    def watch(self, references: Floats | None) -> None: ...

    def observe(self, frame: Frame) -> Observation:
        seen = Observation(frame.number, frame.at_ns, faces=1, advice=Advice.READY, match=0.9)
        return replace(seen, match=self.match)


class Speechless(Impossible):
    """Eyes whose detector answers with numbers that are none."""

    def observe(self, frame: Frame) -> Observation:
        raise ModelError("face_detection answered with a number that is none.")


def test_a_detector_that_answers_nonsense_is_doubted_and_not_taken_for_an_empty_room(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock, frames, doubts = FakeClock(), NewestFrame(), []
    loop = PerceiveLoop(frames, Speechless(clock, 0.9), clock, lambda: doubts.append(1))
    loop.look(None)
    for number in range(3):
        clock.advance(1)
        frames.put(Frame(number, clock.monotonic_ns(), np.zeros((4, 4, 3), np.uint8)))
        assert loop.turn(0) is None
    assert len(doubts) == 3
    assert len(caplog.records) == 1  # said once, not at every frame


@pytest.mark.parametrize(("match", "counts"), [(0.9, True), (float("nan"), False), (float("inf"), False)])
def test_a_number_that_is_none_is_no_evidence_and_raises_a_doubt(match: float, counts: bool) -> None:
    clock, frames, doubts = FakeClock(), NewestFrame(), []
    loop = PerceiveLoop(frames, Impossible(clock, match), clock, lambda: doubts.append(1))
    assert loop.resting
    loop.look(None)
    clock.advance(1)
    frames.put(Frame(1, clock.monotonic_ns(), np.zeros((4, 4, 3), np.uint8)))
    assert (loop.turn(0) is not None) is counts
    assert (not doubts) is counts
    assert not loop.resting
