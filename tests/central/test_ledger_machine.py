"""Whatever comes in whatever order: every signed result has one row, and no row lacks a signature."""

import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from central.audit import audit
from edge.ports import Slot
from tests.central.terminals import Office, Terminal


class LedgerMachine(RuleBasedStateMachine):
    """Two terminals; a network that repeats, reorders and forgets; a forger and a cloned card."""

    results = Bundle("results")

    @initialize()
    def start(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.terminals = [Terminal("dev-1"), Terminal("dev-2")]
        self.office = Office(Path(self.folder.name), *self.terminals)
        self.recorded: dict[str, str] = {}
        self.signed: set[str] = set()
        self.aside: set[str] = set()
        self.heads = ["0" * 64, "0" * 64]

    @rule(target=results, who=st.integers(0, 1))
    def somebody_finishes(self, who: int) -> tuple[int, str]:
        jws = self.terminals[who].result()
        self.signed.add(jws)
        return who, jws

    @rule(sent=results)
    def it_arrives(self, sent: tuple[int, str]) -> None:
        who, jws = sent
        verdict = self.office.take(jws, self.terminals[who])
        expected = "duplicate" if jws in self.recorded else "recorded"
        assert verdict.verdict == expected
        assert verdict.seq is not None
        self.recorded[jws] = verdict.result_id or ""
        if expected == "recorded":
            assert verdict.head != self.heads[who]
        self.heads[who] = verdict.head

    @rule(sent=results)
    def it_arrives_on_the_other_terminals_topic(self, sent: tuple[int, str]) -> None:
        who, jws = sent
        assert self.office.take(jws, self.terminals[1 - who]).reason == "bad_signature"
        self.aside.add(jws)

    @rule(sent=results, at=st.integers(0, 10_000))
    def a_character_is_changed_on_the_way(self, sent: tuple[int, str], at: int) -> None:
        who, jws = sent
        at %= len(jws)
        altered = jws[:at] + ("A" if jws[at] != "A" else "B") + jws[at + 1 :]
        verdict = self.office.take(altered, self.terminals[who])
        assert verdict.reason == "bad_signature"
        self.aside.add(altered)

    @rule(who=st.integers(0, 1), seq=st.integers(1, 6), prev=st.sampled_from(["0" * 64, "7" * 64]))
    def a_copy_of_the_card_signs_something_else(self, who: int, seq: int, prev: str) -> None:
        # Only where the true one is known: otherwise whoever comes first keeps the place (central/ledger.py).
        terminal = self.terminals[who]
        if seq in self.office.seqs(terminal.device):
            jws = terminal.result(Slot(seq, prev), scheme="copied")
            assert self.office.take(jws, terminal).reason == "seq_reused"
            self.aside.add(jws)

    @rule()
    def the_office_restarts(self) -> None:
        self.office.ledger.close()
        self.office.ledger.open()

    @invariant()
    def every_row_is_a_signed_result_and_every_taken_one_has_a_row(self) -> None:
        if not hasattr(self, "office"):
            return
        rows = [row.jws for row in self.office.ledger.results()]
        assert sorted(rows) == sorted(self.recorded)
        assert set(rows) <= self.signed
        assert len(list(self.office.ledger.quarantine())) >= bool(self.aside)

    def teardown(self) -> None:
        if not hasattr(self, "office"):
            return
        report = audit(self.office.ledger, self.office.devices)
        for device in report.devices:
            assert not (device.unsigned or device.altered or device.breaks or device.head_wrong)
            seqs = self.office.seqs(device.device)
            assert device.missing == (seqs[-1] if seqs else 0) - len(seqs)
        self.office.close()
        self.folder.cleanup()


LedgerMachine.TestCase.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
TestLedger = LedgerMachine.TestCase
