"""The offline audit: does the ledger hold what the terminals signed, all of it, and nothing else?

It needs the ledger and the devices file, and neither broker nor any private key.  For every row: the signature by a
key that was registered for that terminal, the hash, the columns that repeat what was signed, and the link to the
row before; for every terminal: the gaps in seq, and the office's own head over the order of arrival (so
that a row that was taken out is missed even where it was the last).
"""

import hashlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from itertools import groupby, pairwise
from typing import Any

from sqlalchemy import Row

from central.devices import Devices
from central.examine import Arrival, Fit, examine
from central.intake import Owner, copied_columns, next_head
from central.ledger import Ledger
from edge.errors import UntrustedError
from edge.wire import topics
from edge.wire.envelope import GENESIS

MOST_NAMED = 20


@dataclass(slots=True)
class DeviceReport:
    """What the audit found of one terminal.  Lists name sequence numbers; a gap is (first, last) missing."""

    site: str
    device: str
    results: int = 0
    verified: int = 0
    unsigned: list[int] = field(default_factory=list)
    altered: list[int] = field(default_factory=list)
    breaks: list[int] = field(default_factory=list)
    gaps: list[tuple[int, int]] = field(default_factory=list)
    gaps_in_quarantine: int = 0  # missing numbers whose messages lie in quarantine
    head_wrong: bool = False
    quarantined: dict[str, int] = field(default_factory=dict)

    @property
    def missing(self) -> int:
        return sum(last - first + 1 for first, last in self.gaps)

    @property
    def fine(self) -> bool:
        return not (self.unsigned or self.altered or self.breaks or self.gaps or self.head_wrong or self.quarantined)

    def sentences(self) -> list[str]:
        """What is wrong, one sentence each; empty when nothing is."""
        who = f"{self.site}/{self.device}"
        found = []
        if self.unsigned:
            found.append(f"{who}: {_numbers(self.unsigned)} not signed by a registered key of this terminal.")
        if self.altered:
            found.append(f"{who}: {_numbers(self.altered)} changed in the ledger after being recorded.")
        if self.breaks:
            found.append(f"{who}: {_numbers(self.breaks)} not linked to the result before.")
        if self.gaps:
            spans = ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in self.gaps[:MOST_NAMED])
            known = f" ({self.gaps_in_quarantine} of them lie in quarantine)" if self.gaps_in_quarantine else ""
            are = "result is" if self.missing == 1 else "results are"
            found.append(f"{who}: {self.missing} {are} missing: seq {spans}{known}.")
        if self.head_wrong:
            found.append(f"{who}: the rows are not those that the office acknowledged: one was removed or exchanged.")
        if self.quarantined:
            why = ", ".join(f"{count} {reason}" for reason, count in sorted(self.quarantined.items()))
            found.append(f"{who}: in quarantine: {why}.")
        return found


@dataclass(slots=True)
class Report:
    """The whole ledger's."""

    devices: list[DeviceReport]

    @property
    def fine(self) -> bool:
        return all(device.fine for device in self.devices)

    def last_line(self) -> str:
        """The sum in one line."""
        each = self.devices
        verified = sum(d.verified for d in each)
        of = sum(1 for d in each if d.results)
        unsigned = sum(len(d.unsigned) for d in each)
        gaps = sum(len(d.gaps) for d in each)
        # The database refuses a second row of one result_id or one seq; what tried to be one is in quarantine.
        duplicates = sum(d.quarantined.get("seq_reused", 0) + d.quarantined.get("result_id_reused", 0) for d in each)
        quarantined = sum(sum(d.quarantined.values()) for d in each)
        results, devices = ("result" if verified == 1 else "results"), ("device" if of == 1 else "devices")
        line = (
            f"ledger: {verified} {results} of {of} {devices} verified, "
            f"{unsigned} unsigned, {gaps} gaps, {duplicates} duplicates, {quarantined} quarantined"
        )
        broken = sum(len(d.breaks) + len(d.altered) + d.head_wrong for d in each)
        return f"{line}, {broken} broken or altered" if broken else line

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "fine": self.fine,
            "summary": self.last_line(),
            "devices": [
                {**asdict(d), "missing": d.missing, "fine": d.fine, "findings": d.sentences()} for d in self.devices
            ],
        }


def audit(ledger: Ledger, devices: Devices) -> Report:
    """Check every row of ``ledger``, as it is at one moment, against the keys in ``devices``."""
    reports: dict[Owner, DeviceReport] = {}

    def of(owner: Owner) -> DeviceReport:
        return reports.setdefault(owner, DeviceReport(*owner))

    with ledger.snapshot():
        put_aside: dict[Owner, set[int]] = {}
        for row in ledger.quarantine():
            owner = (row.site, row.device)
            of(owner).quarantined[row.reason] = of(owner).quarantined.get(row.reason, 0) + 1
            if row.seq is not None:
                put_aside.setdefault(owner, set()).add(row.seq)
        # What the office acknowledged last; a terminal whose rows are gone altogether is still in it.
        heads = {(row.site, row.device): (row.results, row.head) for row in ledger.devices()}
        for owner, newest in heads.items():
            of(owner).head_wrong = newest != (0, GENESIS)
        for owner, rows in groupby(ledger.results(), key=lambda row: (row.site, row.device)):
            links = [_check_row(row, devices, of(owner)) for row in rows]
            of(owner).head_wrong = not _heads_hold(links, *heads.get(owner, (0, GENESIS)))
            _check_chain(links, of(owner), put_aside.get(owner, set()))
    return Report([reports[owner] for owner in sorted(reports)])


@dataclass(frozen=True, slots=True)
class _Link:
    seq: int
    prev: str
    hash: str
    place: int
    head: str


def _check_row(row: Row[Any], devices: Devices, report: DeviceReport) -> _Link:
    report.results += 1
    true_hash = hashlib.sha256(row.jws.encode("utf-8")).hexdigest()
    try:
        topic = topics.parse(topics.build(row.site, row.device, topics.Kind.RESULT))
        seen = examine(Arrival(topic, row.jws.encode("utf-8"), datetime.now(UTC)), devices)
    except (UntrustedError, ValueError):
        seen = None
    if not isinstance(seen, Fit):
        report.unsigned.append(row.seq)
    elif any(getattr(row, name) != value for name, value in copied_columns(seen).items()) or true_hash != row.hash:
        report.altered.append(row.seq)
    else:
        report.verified += 1
    return _Link(row.seq, row.prev, true_hash, row.place, row.head)


def _check_chain(links: Iterable[_Link], report: DeviceReport, put_aside: set[int]) -> None:
    ordered = sorted(links, key=lambda link: link.seq)
    first = ordered[0]
    if first.seq > 1:
        report.gaps.append((1, first.seq - 1))
    elif first.prev != GENESIS:
        report.breaks.append(first.seq)
    for before, after in pairwise(ordered):
        if after.seq > before.seq + 1:
            report.gaps.append((before.seq + 1, after.seq - 1))
        elif after.prev != before.hash:
            report.breaks.append(after.seq)
    report.gaps_in_quarantine = sum(
        1 for seq in put_aside if any(first <= seq <= last for first, last in report.gaps)
    )


def _heads_hold(links: Iterable[_Link], count: int, head: str) -> bool:
    expected, place = GENESIS, 0
    for link in sorted(links, key=lambda link: link.place):
        place += 1
        expected = next_head(expected, link.hash)
        if (link.place, link.head) != (place, expected):
            return False
    return (place, expected) == (count, head)


def _numbers(found: list[int]) -> str:
    named = ", ".join(map(str, found[:MOST_NAMED])) + (", ..." if len(found) > MOST_NAMED else "")
    return f"seq {named} {'is' if len(found) == 1 else 'are'}"
