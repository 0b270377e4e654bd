"""What the terminal tells the uplink about itself, through the spool: a status row and alarms.

The terminal has no network; the uplink publishes what it finds there.  A spool that cannot be written must not
stop the terminal from helping people, so failures are logged once and tried again.
"""

import logging
import secrets
import threading
from collections.abc import Callable
from datetime import datetime
from typing import Literal, Protocol

from edge.core.types import CameraState, Event
from edge.errors import StateError
from edge.ports import Clock
from edge.wire.envelope import DeviceFacts
from edge.wire.messages import AlarmMessage, CameraReport, ClockReading, Eyes, TerminalStatus
from edge.wire.uuid7 import uuid7

REPEAT_S = 10.0
"""The row is renewed this often even when nothing changed, so that an old one can be told from a current one."""

ALARM_AGAIN_S = 600.0
"""A camera with a loose contact comes and goes; the office is told once in so long, the row every time."""

log = logging.getLogger(__name__)


class Spool(Protocol):
    """What of the outbox the reporter needs; both raise `StateError`."""

    def write_status(self, payload: bytes) -> None: ...

    def queue_alarm(self, payload: bytes) -> None: ...


class ModelsReport(Protocol):
    """Whether the models can be believed, in words, and since when (None: it is not known)."""

    @property
    def ok(self) -> bool: ...

    @property
    def sentence(self) -> str: ...

    @property
    def tested_at(self) -> datetime | None: ...


class Reporter:
    """Keeps the status row current.  `frame_seen` and the camera's listener may be called by other threads."""

    def __init__(
        self,
        spool: Spool,
        clock: Clock,
        facts: Callable[[], DeviceFacts],
        models: ModelsReport,
        camera_name: str,
        policy_version: Callable[[], str],
        camera_reason: Callable[[], str] = lambda: "",
    ) -> None:
        self._spool = spool
        self._clock = clock
        self._facts = facts
        self._models = models
        self._camera_name = camera_name
        self._policy_version = policy_version
        self._camera_reason = camera_reason
        self._camera_works = False
        self._camera_alarm_ns: int | None = None
        self._frames = 0
        self._lock = threading.Lock()
        self._last: TerminalStatus | None = None
        self._last_ns = 0
        self._silent = False

    def frame_seen(self) -> None:
        with self._lock:
            self._frames += 1

    def camera(self, tell: Callable[[Event], None]) -> Callable[[Event], None]:
        """A listener that notes the camera's state and passes every event on to ``tell``."""

        def hear(event: Event) -> None:
            if isinstance(event, CameraState):
                self._camera_works = event.working
                now_ns = self._clock.monotonic_ns()
                before_ns = self._camera_alarm_ns
                if not event.working and (before_ns is None or now_ns - before_ns >= ALARM_AGAIN_S * 1e9):
                    self._camera_alarm_ns = now_ns
                    reason = self._camera_reason()
                    self.alarm("camera_lost", f"{self._camera_name}: {reason}" if reason else self._camera_name)
            tell(event)

        return hear

    def alarm(self, kind: str, detail: str = "") -> None:
        """Queue an alarm for the office; never raises."""
        facts, now = self._facts(), self._clock.now()
        message = AlarmMessage(
            alarm_id=uuid7(int(now.timestamp() * 1000), secrets.token_bytes(10)),
            site=facts.site,
            device=facts.device,
            boot_id=facts.boot_id,
            at=now,
            kind=kind,
            detail=detail[:300],
        )
        self._try(lambda: self._spool.queue_alarm(message.to_bytes()))

    def turn(self) -> str:
        """Renew the row if something changed or it grew old; returns one line for the service manager."""
        state: Literal["ready", "degraded"] = "ready" if self._models.ok and self._camera_works else "degraded"
        self._write(state)
        eyes = "eyes trusted" if self._models.ok else f"eyes NOT trusted: {self._models.sentence}"
        spool = "; the spool CANNOT be written, nobody is certified" if self._silent else ""
        why = f" ({self._camera_reason()})" if self._camera_reason() else ""
        return f"{state}; {eyes}; camera {'gives frames' if self._camera_works else 'lost'}{why}{spool}"

    def stopping(self) -> None:
        """Leave a last row."""
        self._write("stopping")

    def _write(self, state: Literal["ready", "degraded", "stopping"]) -> None:
        now_ns, clock = self._clock.monotonic_ns(), self._clock.state()
        since_s = (now_ns - self._last_ns) / 1e9
        facts = self._facts()
        row = TerminalStatus(
            at=self._clock.now(),
            state=state,
            eyes=Eyes(
                trusted=self._models.ok,
                reason=None if self._models.ok else self._models.sentence[:300],
                tested_at=self._models.tested_at,
            ),
            camera=CameraReport(
                working=self._camera_works,
                name=self._camera_name[:96],
                reason=(self._camera_reason()[:300] or None) if not self._camera_works else None,
            ),
            software=facts.software,
            models=dict(facts.models),
            policy=self._policy_version(),
            roster=facts.roster,
            clock=ClockReading(synced=clock.synced, source=clock.source, error_s=clock.error_s, monotonic_ns=now_ns),
        )
        if self._last is not None and since_s < REPEAT_S and _same(row, self._last):
            return
        with self._lock:
            frames, self._frames = self._frames, 0
        rate = round(frames / since_s, 1) if self._last is not None and since_s > 1 else None
        self._last, self._last_ns = row, now_ns
        whole = row.model_copy(update={"camera": row.camera.model_copy(update={"frames_per_second": rate})})
        self._try(lambda: self._spool.write_status(whole.to_bytes()))

    def _try(self, write: Callable[[], None]) -> None:
        try:
            write()
        except StateError as error:
            log.log(logging.DEBUG if self._silent else logging.WARNING, "the spool cannot be written: %s", error)
            self._silent = True
        else:
            self._silent = False


def _same(row: TerminalStatus, other: TerminalStatus) -> bool:
    """Whether two rows differ in nothing but their times and the clock's error, whose bound grows every second."""
    passing = {"monotonic_ns": other.clock.monotonic_ns, "error_s": other.clock.error_s}
    now = {"at": other.at, "clock": row.clock.model_copy(update=passing)}
    return row.model_copy(update=now) == other
