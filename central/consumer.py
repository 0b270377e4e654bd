"""The office's consumer: what terminals publish goes into the ledger, and each result gets a signed receipt.

`Consumer.turn` is the whole of it: take what came, commit it in one transaction, acknowledge it to the broker, send
the receipts.  The order is the promise: a message is acknowledged only after its commit, and a receipt is sent only
then, so a crash between any two steps costs a repetition and nothing else.  While the database refuses, nothing
is acknowledged and the same messages are tried again.
"""

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from joserfc.jwk import OKPKey

from central.devices import Devices
from central.examine import RECONSIDERED, Arrival, Fit, examine
from central.intake import TOO_MANY, Verdict
from central.ledger import Ledger
from edge.errors import ConfigError, StateError, UntrustedError
from edge.wire import topics
from edge.wire.envelope import Typ, sign
from edge.wire.events import attributes
from edge.wire.messages import AlarmMessage, Health, Receipt, Status, parse

LOG = logging.getLogger(__name__)

BATCH = 100
RETRY_FIRST_S = 0.5
RETRY_MOST_S = 30.0
REFRESH_S = 2.0
MOST_KINDS_LOGGED = 1000

HEARD: dict[topics.Kind, type[Status] | type[Health] | type[AlarmMessage]] = {
    topics.Kind.STATUS: Status,
    topics.Kind.HEALTH: Health,
    topics.Kind.ALARM: AlarmMessage,
}


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message from the broker; ``token`` is what `Link.acknowledge` wants."""

    topic: str
    payload: bytes
    retained: bool
    token: int


class Link(Protocol):
    """What the consumer needs of an MQTT session."""

    connected: bool

    def received(self, timeout_s: float, most: int) -> Sequence[Incoming]:
        """What came, oldest first; waits at most ``timeout_s`` for the first."""
        ...

    def acknowledge(self, token: int) -> None:
        """The message is safe here.  Nothing happens if its connection is gone: the broker sends it again."""
        ...

    def publish(self, topic: str, payload: bytes, properties: dict[str, str]) -> bool:
        """Hand a message to the broker; False when there is none, and then it is not kept."""
        ...


class Consumer:
    """Takes messages from a link into a ledger.  One thread calls `turn` for ever."""

    def __init__(
        self,
        office: str,
        link: Link,
        ledger: Ledger,
        devices: Devices,
        signing_key: OKPKey,
        *,
        now: Callable[[], datetime],
        monotonic_s: Callable[[], float],
    ) -> None:
        self.office = office
        self.counts: Counter[str] = Counter()
        self.failing = ""  # why the database refuses, while it does
        self._link = link
        self._ledger = ledger
        self._devices = devices
        self._signing_key = signing_key
        self._now = now
        self._monotonic_s = monotonic_s
        self._waiting: list[Incoming] = []
        self._retry_s = RETRY_FIRST_S
        self._retry_at_s = 0.0
        self._refresh_at_s = 0.0
        self._logged: set[str] = set()

    def turn(self, timeout_s: float) -> list[Verdict]:
        """One round; what became of the results in it.  Never raises for anything a message can hold."""
        if self._waiting and self._monotonic_s() < self._retry_at_s:
            # Unacknowledged messages are in hand; more would only fill the memory.
            self._link.received(timeout_s, 0)
            return []
        self._refresh()
        if not self._waiting:
            self._waiting = list(self._link.received(timeout_s, BATCH))
        if not self._waiting:
            return []
        try:
            verdicts = self._take(self._waiting)
        except StateError as error:
            self._failed(error)
            return []
        done, self._waiting = self._waiting, []
        self.failing, self._retry_s = "", RETRY_FIRST_S
        for message in done:
            self._link.acknowledge(message.token)
        for verdict in verdicts:
            self._answer(verdict)
        return verdicts

    def reconsider(self) -> list[Verdict]:
        """Look again at what was put aside for a reason that a newer devices file or office may have removed."""
        fit: list[Fit] = []
        for row in self._ledger.quarantine():
            if row.reason in RECONSIDERED and row.size_bytes == len(row.raw):
                seen = examine(
                    Arrival(topics.Topic(row.site, row.device, topics.Kind.RESULT), row.raw, self._now()),
                    self._devices,
                )
                if isinstance(seen, Fit):
                    fit.append(seen)
        verdicts = []
        for start in range(0, len(fit), BATCH):
            verdicts += self._ledger.take(fit[start : start + BATCH])
        for verdict in verdicts:
            self._answer(verdict)
        return verdicts

    def _take(self, messages: Sequence[Incoming]) -> list[Verdict]:
        at = self._now()
        results = []
        for message in messages:
            try:
                topic = topics.parse(message.topic)
                if topic.kind is topics.Kind.RESULT:
                    results.append(Arrival(topic, message.payload, at, message.retained))
                else:
                    self._hear(topic, message, at)
            except UntrustedError as error:
                self.counts["refused"] += 1
                where = ascii(message.topic[:80])
                self._log_once(f"refused {where}", "%s (topic %s)", error, where)
        return self._ledger.take([examine(each, self._devices) for each in results]) if results else []

    def _hear(self, topic: topics.Topic, message: Incoming, at: datetime) -> None:
        kind = HEARD.get(topic.kind)
        if kind is None:
            raise UntrustedError("A message came on a topic that the office does not take.")
        if message.retained and topic.kind is not topics.Kind.STATUS:
            raise UntrustedError(f"A retained {kind.__name__} was refused: only a status may be.")
        if self._devices.find(topic.site, topic.device) is None:
            raise UntrustedError(f"A {kind.__name__} of a terminal that is not registered was refused.")
        if not message.payload:
            return  # a retained status that was cleared
        said: Status | Health | AlarmMessage = parse(kind, message.payload)
        if (said.site, said.device) != (topic.site, topic.device):
            raise UntrustedError(f"A {kind.__name__} names another terminal than its topic; it was refused.")
        if self._ledger.heard(said, at) and isinstance(said, AlarmMessage):
            self.counts["alarms"] += 1
            LOG.warning("alarm from %s/%s: %s", said.site, said.device, said.kind)

    def _answer(self, verdict: Verdict) -> None:
        self.counts[verdict.verdict] += 1
        where = f"{verdict.site}/{verdict.device}"
        if verdict.verdict == "quarantined":
            text = "%s: a message was dropped: %s" if verdict.reason == TOO_MANY else "%s: a result was put aside: %s"
            self._log_once(f"{where} {verdict.reason}", text, where, verdict.reason)
        if verdict.result_id is None or verdict.seq is None:
            return
        receipt = Receipt(
            result_id=verdict.result_id,
            result_hash=verdict.hash,
            site=verdict.site,
            device=verdict.device,
            seq=verdict.seq,
            verdict=verdict.verdict,
            reason=verdict.reason,
            ledger_at=self._now(),
            ledger_head=verdict.head,
        )
        topic = topics.build(verdict.site, verdict.device, topics.Kind.RECEIPT)
        jws = sign(receipt.to_bytes(), self._signing_key, Typ.RECEIPT)
        # The event's id is the result's, so that a repeated receipt is the same event.
        about = attributes(topics.Kind.RECEIPT, verdict.site, verdict.device, verdict.result_id, receipt.ledger_at)
        properties = {**about, "source": f"/anxin/office/{self.office}"}
        # A receipt that is lost is asked for again: the terminal resends, and gets "duplicate".
        if not self._link.publish(topic, jws.encode("ascii"), properties):
            self.counts["receipts_not_sent"] += 1

    def _refresh(self) -> None:
        now_s = self._monotonic_s()
        if now_s < self._refresh_at_s:
            return
        self._refresh_at_s = now_s + REFRESH_S
        try:
            if self._devices.refresh():
                LOG.info("the devices file was read again")
                self.reconsider()
        except (ConfigError, StateError) as error:
            LOG.warning("%s", error)

    def _failed(self, error: StateError) -> None:
        if not self.failing:
            LOG.error("%s Results wait at the broker and are tried again.", error)
        self.failing = str(error)
        self.counts["database_failures"] += 1
        self._retry_at_s = self._monotonic_s() + self._retry_s
        self._retry_s = min(self._retry_s * 2, RETRY_MOST_S)

    def _log_once(self, what: str, text: str, *args: object) -> None:
        first = what not in self._logged and len(self._logged) < MOST_KINDS_LOGGED
        if first:
            self._logged.add(what)
        LOG.log(logging.WARNING if first else logging.DEBUG, text, *args)


def utc_now() -> datetime:
    return datetime.now(UTC)
