"""Terminals that sign results, and an office on a desk: what the office's tests are about."""

import hashlib
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from central.consumer import Consumer, Incoming
from central.devices import Devices, entry, to_text
from central.examine import Arrival, Fit, Unfit, examine
from central.intake import Verdict
from central.ledger import Ledger
from edge.ports import Slot
from edge.wire import keys, topics
from edge.wire.envelope import Typ, make_result, sign, verify
from edge.wire.messages import Receipt, parse
from tests.wire.people import FACTS, attempt

SITE = "hall"
NOON = datetime(2026, 3, 9, 4, 0, tzinfo=UTC)
OFFICE_KEY = keys.generate("Ed25519", "office-1")


class Terminal:
    """A terminal with a signing key and a chain of its own."""

    def __init__(self, device: str = "dev-1", site: str = SITE) -> None:
        self.site, self.device = site, device
        self.key = keys.generate("Ed25519", f"{device}-1")
        self.roster_key = keys.generate("X25519", f"{device}-roster")
        self.slot = Slot(1, "0" * 64)
        self.made = 0

    def entry(self) -> Any:
        return entry(self.site, self.device, self.key, self.roster_key)

    def result(self, slot: Slot | None = None, key: Any = None, facts: Any = None, **changes: object) -> str:
        """The next result of the chain as a compact JWS; one with a ``slot`` of its own leaves the chain as it is."""
        self.made += 1
        facts = facts or replace(FACTS, site=self.site, device=self.device)
        _, jws = make_result(
            attempt(**changes),
            slot or self.slot,
            facts,
            now=NOON + timedelta(seconds=self.made),
            monotonic_ns=self.made,
            rand=hashlib.sha256(f"{self.device} {self.made}".encode()).digest()[:10],
            office=None,
            sign=lambda payload: sign(payload, key or self.key, Typ.RESULT),
        )
        if slot is None:
            self.slot = Slot(self.slot.seq + 1, hashlib.sha256(jws.encode()).hexdigest())
        return jws

    def topic(self, kind: topics.Kind = topics.Kind.RESULT) -> str:
        return topics.build(self.site, self.device, kind)


class Office:
    """A ledger in a folder, and terminals that it knows."""

    def __init__(self, folder: Path, *terminals: Terminal, url: str | None = None) -> None:
        self.folder = folder
        self.devices_file = folder / "devices.json"
        self.register(*terminals)
        self.devices = Devices(self.devices_file).open()
        self.ledger = Ledger(url or f"sqlite:///{folder / 'ledger.sqlite'}").open()

    def register(self, *terminals: Terminal) -> None:
        self.devices_file.write_text(to_text(each.entry() for each in terminals))

    def examine(self, jws: str | bytes, terminal: Terminal, *, retained: bool = False) -> Fit | Unfit:
        raw = jws.encode() if isinstance(jws, str) else jws
        topic = topics.Topic(terminal.site, terminal.device, topics.Kind.RESULT)
        return examine(Arrival(topic, raw, NOON, retained), self.devices)

    def take(self, jws: str | bytes, terminal: Terminal, *, retained: bool = False) -> Verdict:
        (verdict,) = self.ledger.take([self.examine(jws, terminal, retained=retained)])
        return verdict

    def seqs(self, device: str = "dev-1") -> list[int]:
        return [row.seq for row in self.ledger.results(device)]

    def reasons(self) -> list[str]:
        return [row.reason for row in self.ledger.quarantine()]

    def close(self) -> None:
        self.ledger.close()


class MemoryLink:
    """A broker's session in memory: what is not acknowledged can be sent again."""

    def __init__(self) -> None:
        self.connected = True
        self.waiting: deque[Incoming] = deque()
        self.unacknowledged: dict[int, Incoming] = {}
        self.sent: list[tuple[str, bytes]] = []
        self._token = 0

    def bring(self, topic: str, payload: str | bytes, *, retained: bool = False) -> None:
        self._token += 1
        raw = payload.encode() if isinstance(payload, str) else payload
        self.waiting.append(Incoming(topic, raw, retained, self._token))

    def received(self, timeout_s: float, most: int) -> Sequence[Incoming]:
        batch = [self.waiting.popleft() for _ in range(min(most, len(self.waiting)))]
        self.unacknowledged |= {each.token: each for each in batch}
        return batch

    def acknowledge(self, token: int) -> None:
        del self.unacknowledged[token]

    def publish(self, topic: str, payload: bytes, properties: dict[str, str]) -> bool:
        if self.connected:
            self.sent.append((topic, payload))
        return self.connected

    def receipts(self) -> list[Receipt]:
        """What the terminals would believe of what was sent to them."""
        ring = {str(OFFICE_KEY.kid): OFFICE_KEY}
        return [parse(Receipt, verify(raw, ring, Typ.RECEIPT, Receipt.MAX_BYTES)) for _, raw in self.sent]


def consumer(office: Office, link: MemoryLink, monotonic_s: Callable[[], float] = lambda: 0.0) -> Consumer:
    return Consumer(
        "office", link, office.ledger, office.devices, OFFICE_KEY, now=lambda: NOON, monotonic_s=monotonic_s
    )
