"""The known-answer test of the eyes, repeated while the terminal runs (field failure 14).

The start tests once.  Memory that went bad, or a runtime that changed its mind, shows only later: so the test is
repeated once a day when nobody is there, and at once when a model answered with a number that is none.
"""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from edge.core.types import Event, EyesState
from edge.errors import ModelError
from edge.ports import Clock

EVERY_S = 24 * 3600.0
QUIET_S = 300.0
"""Nobody has been looked at for so long: the next one is not kept waiting (the test takes 0.3 s)."""

DOUBT_S = 10.0
"""A model that keeps answering nonsense although the test passes is not asked more often than this."""

log = logging.getLogger(__name__)


class Verdict(Protocol):
    """Whether the eyes can be believed, and in words."""

    @property
    def ok(self) -> bool: ...

    @property
    def sentence(self) -> str: ...


class SelfTest:
    """Holds the newest verdict.  `turn` and `doubt` are for the eyes' thread, the properties for any.

    Eyes that passed at the start and fail later are not believed again: nobody is certified any more, and once
    nobody is there the process ends, so that everything is loaded and tested anew.
    """

    def __init__(
        self,
        first: Verdict,
        test: Callable[[], Verdict],
        clock: Clock,
        tell: Callable[[Event], None],
        alarm: Callable[[str, str], None],
    ) -> None:
        self._verdict = first
        self._test = test
        self._clock = clock
        self._tell = tell
        self._alarm = alarm
        self._tested_ns = self._quiet_since_ns = clock.monotonic_ns()
        self._tested_at = clock.now()
        self._doubted = self._fell = False
        self._doubt_tested_ns: int | None = None

    @property
    def ok(self) -> bool:
        return self._verdict.ok

    @property
    def sentence(self) -> str:
        return self._verdict.sentence

    @property
    def tested_at(self) -> datetime:
        """When the newest verdict was made, as the calendar clock said then."""
        return self._tested_at

    def doubt(self) -> None:
        """Something impossible came out of a model: test before the next frame is believed."""
        self._doubted = True

    def turn(self, *, resting: bool) -> None:
        """Test again if it is time to; ``resting``: nobody is being looked at.

        Raises `ModelError` when the eyes fell and nobody has been there for a while: only a new process helps.
        """
        now_ns = self._clock.monotonic_ns()
        if not resting:
            self._quiet_since_ns = now_ns
        quiet = now_ns - self._quiet_since_ns >= QUIET_S * 1e9
        if self._fell:
            if quiet:
                raise ModelError(f"{self.sentence} The service starts again, to load and test everything anew.")
            return
        due = quiet and now_ns - self._tested_ns >= EVERY_S * 1e9
        patient = self._doubt_tested_ns is not None and now_ns - self._doubt_tested_ns < DOUBT_S * 1e9
        doubted = self._doubted and not patient
        if doubted:
            self._doubt_tested_ns = now_ns
        if self._verdict.ok and (due or doubted):
            self._again()

    def _again(self) -> None:
        verdict = self._test()
        self._tested_ns, self._tested_at = self._clock.monotonic_ns(), self._clock.now()
        self._verdict, self._doubted = verdict, False
        if verdict.ok:
            log.info("the eyes passed their known-answer test again")
            return
        self._fell = True
        log.warning("the eyes failed their known-answer test: %s", verdict.sentence)
        self._tell(EyesState(trusted=False))
        self._alarm("known_answer_test_failed", verdict.sentence)
