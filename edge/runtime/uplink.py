"""The uplink's loop: from the outbox to the broker until the office's signed receipt is back.

A row's way: pending in the outbox -> published (in flight) -> PUBACK, which proves nothing -> the office's signed
receipt -> settled.  Without a receipt the row is published again, with backoff and full jitter.  Which rows are in
flight is known only in memory: after a restart or a reconnect everything pending is sent again from the start,
and the office drops what it has.

Nothing that the broker sends can end this loop: what is not a receipt of our office for one of our rows is
refused, counted, logged once, and acknowledged so that it does not come again.
"""

import logging
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from edge.core.retry import delay_s
from edge.errors import LinkError, NotDurableError, UntrustedError
from edge.ports import Clock, Incoming, Link, Outbox, Queued
from edge.runtime.faults import FaultLog
from edge.wire import envelope, topics
from edge.wire.events import attributes
from edge.wire.keys import KeyRing
from edge.wire.messages import (
    AlarmMessage,
    ClockReading,
    Health,
    Machine,
    OutboxReport,
    Receipt,
    Status,
    TerminalStatus,
    parse,
)
from edge.wire.topics import Kind
from edge.wire.uuid7 import RANDOM_BYTES, uuid7

FAILED = 0x80  # MQTT 5 reason codes from here on are failures
NO_SUBSCRIBERS = 0x10

LOOK_S = 1.0
"""How often alarms and the terminal's status are looked for."""

ALARM_AGAIN_S = 30.0
RECONNECT_FIRST_S, RECONNECT_MOST_S = 1.0, 60.0
STABLE_S = 10.0
"""A connection that lasted so long ends the series of failed ones."""

LOSSES_MOST, LOSSES_WITHIN_S, CLONE_AGAIN_S = 5, 600.0, 3600.0
"""So many lost connections in ten minutes, each soon restored, look like a second card with our identity."""

TERMINAL_SILENT_S = 60.0
FAREWELL_S = 2.0

log = logging.getLogger(__name__)


class Spool(Outbox, Protocol):
    """What of the outbox the uplink needs beyond its port; see `edge.adapters.outbox_sqlite`."""

    def get(self, result_id: str) -> Queued | None: ...

    def settle_all(self, result_ids: Sequence[str]) -> int: ...

    def note_resent(self, result_ids: Sequence[str]) -> None: ...

    def queue_alarm(self, payload: bytes) -> None: ...

    def alarms(self, limit: int) -> Sequence[tuple[int, bytes]]: ...

    def drop_alarm(self, number: int) -> None: ...

    def read_status(self) -> bytes | None: ...


class BrokerLink(Link, Protocol):
    """What of the link the uplink needs beyond its port; see `edge.adapters.link_paho`."""

    problem: str
    taken_over: int


@dataclass(frozen=True, slots=True)
class UplinkSettings:
    """Who this is and how it behaves; times as in `edge.config`."""

    site: str
    device: str
    software: str
    window: int = 20
    first_s: float = 2.0
    most_s: float = 300.0
    health_every_s: float = 60.0


@dataclass(slots=True)
class _Flight:
    """A row that was published: how often, and when it is sent again unless its receipt comes."""

    attempt: int
    again_ns: int
    token: int | None


class Uplink:
    """Delivers what the outbox holds.  `turn` is called by one thread, over and over.

    ``rand`` is uniform in [0, 1), ``random_bytes`` gives fresh bytes, ``wait`` sleeps for seconds (and may wake
    early), ``machine`` reads the machine's figures.
    """

    def __init__(
        self,
        settings: UplinkSettings,
        spool: Spool,
        clock: Clock,
        office: KeyRing,
        *,
        rand: Callable[[], float],
        random_bytes: Callable[[int], bytes],
        wait: Callable[[float], object],
        machine: Callable[[], Machine],
    ) -> None:
        self._set = settings
        self._spool = spool
        self._clock = clock
        self._office = office
        self._rand = rand
        self._random_bytes = random_bytes
        self._wait = wait
        self._machine = machine
        self._link: BrokerLink | None = None
        self._run_id = self._new_id()
        self._faults = FaultLog(log)
        self._flights: dict[str, _Flight] = {}
        self._alarm_flights: dict[int, tuple[int, int]] = {}  # number: (token, sent at)
        self._was_connected = False
        self._connected_ns = 0
        self._open_at_ns = 0
        self._attempt = 0
        self._losses: deque[int] = deque(maxlen=LOSSES_MOST)
        self._taken_over = 0
        self._clone_alarm_ns: int | None = None
        self._look_at_ns = 0
        self._health_at_ns = 0
        self._told: tuple[object, ...] | None = None
        self._terminal: TerminalStatus | None = None
        self._silence_told = False
        self.connections = 0
        self.resends = 0
        self.refused = 0
        self.settled = 0

    def attach(self, link: BrokerLink) -> None:
        """The link to use; apart from the constructor because a link's will comes from `will`."""
        self._link = link

    # --- what the link needs ---------------------------------------------------------------------------------

    def subscriptions(self) -> tuple[str, ...]:
        """What a terminal listens to."""
        return (topics.build(self._set.site, self._set.device, Kind.RECEIPT),)

    def will(self) -> tuple[str, bytes, Mapping[str, str]]:
        """(topic, payload, properties) of what the broker says when this connection ends without a goodbye."""
        status = self._status("offline")
        return self._topic(Kind.STATUS), status.to_bytes(), self._attributes(Kind.STATUS)

    # --- the loop --------------------------------------------------------------------------------------------

    def turn(self, timeout_s: float = 0.2) -> None:
        """Do what is due, then give the link up to ``timeout_s`` to work.

        Raises `StateError` when the outbox cannot be read and `ConfigError` when our certificate files cannot be
        used: then only a restart, or somebody, helps.
        """
        link = self._the_link()
        now = self._clock.monotonic_ns()
        if not link.connected:
            if self._was_connected:
                self._lost(now)
            if now < self._open_at_ns or not self._connect(now):
                self._wait(min(timeout_s, max(0.0, (self._open_at_ns - now) / 1e9)) or timeout_s)
                return
        if now >= self._look_at_ns:
            self._look_at_ns = now + int(LOOK_S * 1e9)
            self._look(now)
        try:
            self._send_results(now)
            self._send_health(now)
        except LinkError as error:
            self._faults.stands("send", str(error))
        messages = link.received(timeout_s)
        self._answers(link.acknowledged())
        if messages:
            self._take(messages)

    def close(self) -> None:
        """Say offline, if the broker still listens, and go."""
        link = self._the_link()
        if link.connected:
            try:
                token = self._publish(Kind.STATUS, self._status("offline").to_bytes(), retain=True)
                for _ in range(int(FAREWELL_S / 0.1)):
                    link.received(0.1)
                    if not link.connected or any(answered == token for answered, _ in link.acknowledged()):
                        break
            except LinkError:
                log.debug("the farewell could not be sent; the broker's will says it")
        link.close()

    def status_line(self) -> str:
        """One line for the service manager."""
        depth, oldest = self._spool.depth()
        link = self._the_link()
        where = "connected" if link.connected else f"no broker: {link.problem}"
        age = "" if oldest is None else f", the oldest since {oldest:%Y-%m-%d %H:%M} UTC"
        return f"{where}; {depth} results wait{age}; {self.settled} settled, {self.refused} messages refused"

    # --- the connection --------------------------------------------------------------------------------------

    def _connect(self, now: int) -> bool:
        link = self._the_link()
        try:
            link.open()
        except LinkError as error:
            self._faults.stands("broker", str(error))
            self._retry_later(now)
            return False
        self._faults.clears("broker", "The broker is there again.")
        self.connections += 1
        self._was_connected = True
        self._connected_ns = now
        self._flights.clear()
        self._alarm_flights.clear()
        self._told = None
        self._look_at_ns = 0
        return True

    def _lost(self, now: int) -> None:
        link = self._the_link()
        self._was_connected = False
        self._faults.stands("broker", link.problem or "The connection to the broker was lost.")
        if now - self._connected_ns >= STABLE_S * 1e9:
            self._attempt = 0
        self._retry_later(now)
        self._losses.append(now)
        often = len(self._losses) == LOSSES_MOST and now - self._losses[0] < LOSSES_WITHIN_S * 1e9
        if often or link.taken_over > self._taken_over:
            self._suspect_a_clone(now, link.taken_over > self._taken_over)
        self._taken_over = link.taken_over

    def _retry_later(self, now: int) -> None:
        wait_s = delay_s(self._attempt, self._rand(), RECONNECT_FIRST_S, RECONNECT_MOST_S)
        self._attempt += 1
        self._open_at_ns = now + int(wait_s * 1e9)

    def _suspect_a_clone(self, now: int, taken_over: bool) -> None:
        if self._clone_alarm_ns is not None and now - self._clone_alarm_ns < CLONE_AGAIN_S * 1e9:
            return
        self._clone_alarm_ns = now
        self._alarm(
            "clone_suspected",
            "Another client took this terminal's place at the broker."
            if taken_over
            else f"The broker ended {LOSSES_MOST} connections within ten minutes.",
        )

    # --- out -------------------------------------------------------------------------------------------------

    def _send_results(self, now: int) -> None:
        again = []
        try:
            for row in self._spool.pending(self._set.window):
                flight = self._flights.get(row.result_id)
                if flight is not None and now < flight.again_ns:
                    continue
                attempt = 0 if flight is None else flight.attempt + 1
                token = self._publish(Kind.RESULT, row.jws.encode("ascii"), event_id=row.result_id)
                wait_s = self._set.first_s + delay_s(attempt, self._rand(), self._set.first_s, self._set.most_s)
                self._flights[row.result_id] = _Flight(attempt, now + int(wait_s * 1e9), token)
                if attempt:
                    self.resends += 1
                    again.append(row.result_id)
            self._faults.clears("send")
        finally:
            if again:
                self._note_resent(again)

    def _note_resent(self, result_ids: Sequence[str]) -> None:
        try:
            self._spool.note_resent(result_ids)
        except NotDurableError as error:
            self._faults.stands("spool", str(error))

    def _send_health(self, now: int) -> None:
        if now < self._health_at_ns:
            return
        self._health_at_ns = now + int(self._set.health_every_s * 1e9)
        depth, oldest = self._spool.depth()
        at = self._clock.now()
        health = Health(
            site=self._set.site,
            device=self._set.device,
            boot_id=self._clock.boot_id,
            at=at,
            outbox=OutboxReport(
                depth=depth, oldest_age_s=None if oldest is None else max(0.0, (at - oldest).total_seconds())
            ),
            clock=self._reading(),
            connections=self.connections,
            resends=self.resends,
            refused=self.refused,
            machine=self._machine(),
            terminal=self._terminal,
        )
        self._publish(Kind.HEALTH, health.to_bytes(), qos=0)

    def _look(self, now: int) -> None:
        """Alarms that wait, and whether the terminal's state is another than was last told."""
        self._terminal = self._read_terminal()
        self._watch_terminal()
        try:
            told = self._essence()
            if told != self._told:
                self._publish(Kind.STATUS, self._status("online").to_bytes(), retain=True)
                self._told = told
            for number, payload in self._spool.alarms(10):
                sent = self._alarm_flights.get(number)
                if sent is None or now - sent[1] >= ALARM_AGAIN_S * 1e9:
                    self._alarm_flights[number] = (self._publish(Kind.ALARM, payload), now)
        except LinkError as error:
            self._faults.stands("send", str(error))

    def _essence(self) -> tuple[object, ...]:
        """What of the status is worth telling at once; the rest is in the next health message."""
        terminal = self._terminal
        if terminal is None:
            return (self._clock.state().synced, None)
        return (
            self._clock.state().synced,
            terminal.model_dump(exclude={"at", "clock", "latencies", "camera"}),
            terminal.camera.working,
            terminal.camera.name,
            terminal.clock.synced,
            self._terminal_is_silent(terminal),
        )

    def _read_terminal(self) -> TerminalStatus | None:
        payload = self._spool.read_status()
        if payload is None:
            return None
        try:
            status = parse(TerminalStatus, payload)
        except UntrustedError as error:
            self._faults.stands("terminal", f"What the terminal left in the spool cannot be read: {error}")
            return None
        self._faults.clears("terminal")
        return status

    def _terminal_is_silent(self, terminal: TerminalStatus) -> bool:
        silent_s = (self._clock.now() - terminal.at).total_seconds()
        return terminal.state != "stopping" and silent_s > TERMINAL_SILENT_S

    def _watch_terminal(self) -> None:
        if self._terminal is None or not self._terminal_is_silent(self._terminal):
            self._faults.clears("silent", "The terminal's service speaks again.")
            self._silence_told = False
        elif not self._silence_told:
            self._silence_told = True
            self._faults.stands("silent", "The terminal's service has been silent for a minute.")
            self._alarm("terminal_silent")

    def _alarm(self, kind: str, detail: str = "") -> None:
        message = AlarmMessage(
            alarm_id=self._new_id(),
            site=self._set.site,
            device=self._set.device,
            boot_id=self._clock.boot_id,
            at=self._clock.now(),
            kind=kind,
            detail=detail,
        )
        try:
            self._spool.queue_alarm(message.to_bytes())
        except NotDurableError as error:
            self._faults.stands("spool", str(error))

    # --- in --------------------------------------------------------------------------------------------------

    def _answers(self, answers: Sequence[tuple[int, int]]) -> None:
        """The broker's word on what we published: no proof of anything, but its refusals are worth a line."""
        alarms = {token: number for number, (token, _) in self._alarm_flights.items()}
        for token, code in answers:
            if code >= FAILED:
                self._faults.stands(f"puback {code:#x}", f"The broker refuses a message (reason {code:#x}).")
            elif token in alarms and code != NO_SUBSCRIBERS:
                try:
                    self._spool.drop_alarm(alarms[token])
                except NotDurableError as error:
                    self._faults.stands("spool", str(error))

    def _take(self, messages: Sequence[Incoming]) -> None:
        settled: dict[str, Receipt] = {}
        for message in messages:
            try:
                receipt = self._receipt(message)
                row = self._spool.get(receipt.result_id)
                if row is not None:
                    _check(receipt, row)
                    settled[receipt.result_id] = receipt
            except UntrustedError as error:
                self.refused += 1
                self._faults.stands(f"refused {error}", f"From the broker: {error}")
        if settled:
            try:
                self._spool.settle_all(list(settled))
            except NotDurableError as error:
                # Unacknowledged, they come again; and so, until then, do our rows to the office.
                self._faults.stands("spool", str(error))
                return
            self._faults.clears("spool")
            self._note(settled)
        for message in messages:
            self._the_link().acknowledge(message.token)

    def _note(self, settled: Mapping[str, Receipt]) -> None:
        self.settled += len(settled)
        for result_id, receipt in settled.items():
            self._flights.pop(result_id, None)
            if receipt.verdict == "quarantined":
                log.warning("the office put result %s aside: %s", result_id, receipt.reason)
                self._alarm("result_quarantined", f"{result_id} {receipt.reason or ''}".strip())
        # The office is there: what has waited long for its turn need not wait longer.
        soon = self._clock.monotonic_ns() + int(2 * self._set.first_s * 1e9)
        for flight in self._flights.values():
            flight.again_ns = min(flight.again_ns, soon)

    def _receipt(self, message: Incoming) -> Receipt:
        if message.retained:
            raise UntrustedError("A retained message came where none may be; it was refused.")
        topic = topics.parse(message.topic)
        if (topic.site, topic.device, topic.kind) != (self._set.site, self._set.device, Kind.RECEIPT):
            raise UntrustedError("A message for somebody else came; it was refused.")
        payload = envelope.verify(message.payload, self._office.verifying, envelope.Typ.RECEIPT, Receipt.MAX_BYTES)
        receipt = parse(Receipt, payload)
        if (receipt.site, receipt.device) != (self._set.site, self._set.device):
            raise UntrustedError("A receipt for another terminal came; it was refused.")
        return receipt

    # --- small helpers ---------------------------------------------------------------------------------------

    def _the_link(self) -> BrokerLink:
        if self._link is None:
            raise RuntimeError("The uplink has no link.")
        return self._link

    def _topic(self, kind: Kind) -> str:
        return topics.build(self._set.site, self._set.device, kind)

    def _attributes(self, kind: Kind, event_id: str | None = None) -> Mapping[str, str]:
        return attributes(kind, self._set.site, self._set.device, event_id or self._new_id(), self._clock.now())

    def _publish(
        self, kind: Kind, payload: bytes, *, qos: int = 1, retain: bool = False, event_id: str | None = None
    ) -> int:
        properties = self._attributes(kind, event_id)
        return self._the_link().publish(self._topic(kind), payload, qos=qos, retain=retain, properties=properties)

    def _new_id(self) -> str:
        return uuid7(int(self._clock.now().timestamp() * 1000), self._random_bytes(RANDOM_BYTES))

    def _reading(self) -> ClockReading:
        state = self._clock.state()
        return ClockReading(
            synced=state.synced,
            source=state.source,
            error_s=state.error_s,
            monotonic_ns=self._clock.monotonic_ns(),
        )

    def _status(self, state: Literal["online", "offline"]) -> Status:
        online = state == "online"
        return Status(
            state=state,
            site=self._set.site,
            device=self._set.device,
            boot_id=self._clock.boot_id,
            run_id=self._run_id,
            at=self._clock.now(),
            software=self._set.software,
            clock=self._reading() if online else None,
            terminal=self._terminal if online else None,
        )


def _check(receipt: Receipt, row: Queued) -> None:
    """A receipt must speak of exactly the bytes that wait here."""
    if receipt.seq != row.seq or receipt.result_hash != envelope.result_hash(row.jws):
        raise UntrustedError("A receipt for another content than the result's came; it was refused.")
