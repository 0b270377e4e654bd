"""Three lists compared at the end: what the screen promised, what the device signed, what the ledger holds."""

import contextlib
import json
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from types import TracebackType
from typing import Any, Self

from sqlalchemy import Row

from central.audit import Report as AuditReport
from central.audit import audit
from central.devices import Devices
from central.ledger import Ledger
from edge.core.phrases import Phrase
from edge.errors import StateError
from provisioning.layout import Layout
from sim.report import Report, VisitReport
from sim.scenario import Scenario, Visit

NOT_STORED = str(Phrase.CLOSING_NOT_STORED)


class Office:
    """The site's ledger and outbox, opened to be read; `with` closes them."""

    def __init__(self, layout: Layout, *, ledger: bool = True) -> None:
        self._layout = layout
        self._wants_ledger = ledger
        self._ledger: Ledger | None = None

    @property
    def ledger(self) -> Ledger:
        if self._ledger is None:
            raise StateError("The ledger is not open.")
        return self._ledger

    def rows(self) -> list[Row[Any]]:
        """The ledger's results, in order."""
        return list(self.ledger.results())

    def audit(self) -> AuditReport:
        return audit(self.ledger, Devices(self._layout.devices).open())

    def waiting(self) -> int:
        """How many results wait in the outbox."""
        return self._outbox("SELECT count(*) FROM results")

    def signed(self) -> int:
        """How many results the device ever signed: the head of its chain."""
        return self._outbox("SELECT seq FROM chain")

    def _outbox(self, query: str) -> int:
        with contextlib.closing(sqlite3.connect(f"file:{self._layout.outbox}?mode=ro", uri=True, timeout=10)) as db:
            return int(db.execute(query).fetchone()[0])

    def __enter__(self) -> Self:
        if self._wants_ledger:
            self._ledger = Ledger(f"sqlite:///{self._layout.ledger}").open(create=False)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._ledger is not None:
            self._ledger.close()


@dataclass(frozen=True, slots=True)
class Person:
    """One visit: what the scenario expects, what the page said at its end, and its row in the ledger."""

    key: str
    page: str
    outcome: str | None
    reasons: tuple[str, ...]
    as_expected: bool
    difference: str = ""


@dataclass(frozen=True, slots=True)
class Reckoning:
    """The end of a run, in figures."""

    people: tuple[Person, ...]
    promised: int
    signed: int
    results: int
    lost: int
    duplicated: int
    unsigned: int
    quarantined: int
    audit_line: str
    findings: tuple[str, ...] = field(default=())

    @property
    def as_expected(self) -> int:
        return sum(person.as_expected for person in self.people)

    @property
    def fine(self) -> bool:
        wrong = self.lost + self.duplicated + self.unsigned + self.quarantined + len(self.findings)
        return self.as_expected == len(self.people) and wrong == 0 and self.results == self.signed

    def sentences(self) -> Iterator[str]:
        """What was not as it should be, and the audit's own line."""
        yield self.audit_line
        for person in self.people:
            if not person.as_expected:
                yield f"{person.key}: {person.difference}"
        yield from self.findings

    def last_line(self) -> str:
        return (
            f"demo: {self.as_expected}/{len(self.people)} people as expected, {self.results} results in the ledger, "
            f"{self.lost} lost, {self.duplicated} duplicated, {self.unsigned} unsigned"
        )

    def plain(self) -> dict[str, object]:
        """For JSON."""
        return {**asdict(self), "fine": self.fine, "summary": self.last_line()}


def reckon(plan: Scenario, report: Report, layout: Layout) -> Reckoning:
    """Compare the three lists once everything has stopped moving."""
    with Office(layout) as office:
        rows, signed, found = office.rows(), office.signed(), office.audit()
    seqs = {row.seq for row in rows}
    promised = sum(_promised(visit) for visit in report.visits)
    missing = sum(1 for seq in range(1, signed + 1) if seq not in seqs)
    return Reckoning(
        people=tuple(_people(plan.visits, report.visits, rows)),
        promised=promised,
        signed=signed,
        results=len(rows),
        lost=missing + max(0, promised - signed),
        duplicated=len(rows) - len({row.result_id for row in rows}) + len(rows) - len(seqs),
        unsigned=sum(len(device.unsigned) + len(device.altered) for device in found.devices),
        quarantined=sum(sum(device.quarantined.values()) for device in found.devices),
        audit_line=found.last_line(),
        findings=tuple(sentence for device in found.devices for sentence in device.sentences()),
    )


def _promised(visit: VisitReport) -> bool:
    """Whether the person's last page said that something was done."""
    return visit.page.startswith("closing.") and visit.page != NOT_STORED


def _people(visits: Sequence[Visit], ended: Sequence[VisitReport], rows: Sequence[Row[Any]]) -> Iterator[Person]:
    """Each visit with its row: people come one after the other, so the rows are in the order of the visits.

    Who saw no closing page, or was told that nothing was stored, has none.
    """
    recorded = iter(sorted(rows, key=lambda row: row.seq))
    for visit, end in zip(visits, ended, strict=True):
        row = next(recorded, None) if _promised(end) and visit.expect.outcome is not None else None
        outcome = str(row.outcome) if row is not None else None
        reasons = reasons_of(row)
        wrong = [end.difference] if end.difference else []
        if outcome != (visit.expect.outcome.value if visit.expect.outcome else None):
            wrong.append(f"the ledger says {outcome or 'nothing'}, not {visit.expect.outcome}")
        if not set(visit.expect.reasons) <= set(reasons):
            wrong.append(f"for {', '.join(reasons) or 'no reason'}, not {', '.join(visit.expect.reasons)}")
        yield Person(visit.key, end.page, outcome, reasons, not wrong, "; ".join(wrong))


def reasons_of(row: Row[Any] | None) -> tuple[str, ...]:
    """The reasons in a ledger row."""
    return () if row is None else tuple(json.loads(row.reasons))
