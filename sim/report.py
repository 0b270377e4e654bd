"""What a run came to: visit by visit, expected against seen."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from edge.core.types import Attempt
from sim.people import Page
from sim.scenario import Visit


@dataclass(frozen=True, slots=True)
class VisitReport:
    """One visit.  ``outcome`` and ``reasons`` come from the record; at depth ``wire`` only the page is known here."""

    key: str
    outcome: str | None
    reasons: tuple[str, ...]
    page: str
    seconds: float
    as_expected: bool
    difference: str = ""
    attempts: int = 0
    match: float | None = None
    passive: float | None = None
    liveness: float | None = None  # the sum of all cues' log-likelihood ratios


@dataclass(frozen=True, slots=True)
class Report:
    """A whole run; ``seconds`` are the scene's."""

    title: str
    seed: int
    visits: tuple[VisitReport, ...]
    seconds: float
    depth: str = ""

    @property
    def as_expected(self) -> bool:
        return all(visit.as_expected for visit in self.visits)

    def plain(self) -> dict[str, object]:
        """For JSON."""
        return {**asdict(self), "as_expected": self.as_expected}


def judge(visit: Visit, attempts: Sequence[Attempt], ending: Page | None, seconds: float) -> VisitReport:
    """Compare what was recorded and shown with what the scenario expects."""
    last = attempts[-1] if attempts else None
    page = ending.prompt if ending else ""
    expect = visit.expect
    differences = []
    if len(attempts) > 1:
        differences.append(f"{len(attempts)} records")
    outcome = last.outcome if last else None
    if outcome != expect.outcome:
        differences.append(f"outcome {outcome or 'none'}, not {expect.outcome or 'none'}")
    if last is not None and not set(expect.reasons) <= set(last.reasons):
        differences.append(f"reasons {', '.join(last.reasons) or 'none'}, not {', '.join(expect.reasons)}")
    if expect.page and page != expect.page:
        differences.append(f"page {page or 'none'}, not {expect.page}")
    return VisitReport(
        visit.key,
        outcome.value if outcome else None,
        last.reasons if last else (),
        page,
        round(seconds, 2),
        not differences,
        "; ".join(differences),
        last.attempts if last else 0,
        round(last.match.score, 3) if last and last.match else None,
        round(last.passive.score, 3) if last and last.passive else None,
        round(last.liveness.score, 2) if last and last.liveness else None,
    )
