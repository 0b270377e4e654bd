"""What every roster promises, and which documents of the office the terminal takes."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge.adapters.policy_file import PolicyFile
from edge.adapters.roster_file import RosterFile
from edge.core.identity import digest
from edge.core.policy import Policy
from edge.core.types import Action, Person, Standing
from edge.errors import ConfigError, StateError
from edge.ports import Floats, Roster
from edge.wire import keys, seal
from edge.wire.documents import PolicyDoc, RosterDoc, RosterPerson, ScryptParams, to_base64
from edge.wire.envelope import Typ, sign
from tests.fakes import FakeClock, MemoryRoster

NUMBER, NOBODY = "11010519491231002X", "110105194912310038"
MODEL = "mobilefacenet-int8-1"
SALT = b"a site's salt"
COST = ScryptParams(n=16, r=1, p=1)
OFFICE = keys.generate("Ed25519", "office-sign")
ROWS: Floats = np.array([[1, 0, 0, 0], [0.6, 0.8, 0, 0]], np.float32)
WANG = Person("p-1", "王*英", "beijing", Standing.DUE, exemptions=frozenset({Action.BLINK}))


class Terminal:
    """A terminal's folders, its roster key, and an office that writes into its inbox."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = FakeClock()
        self.key = keys.generate("X25519", "terminal-1-roster")
        self.state, self.inbox = folder / "state", folder / "inbox"
        self.state.mkdir()
        self.inbox.mkdir()
        keys.write_private(folder / "roster.jwk", self.key)

    def document(self, **changes: Any) -> RosterDoc:
        references = {MODEL: tuple(to_base64(row.tobytes()) for row in ROWS)}
        person = RosterPerson(
            digest=digest(NUMBER, SALT, COST),
            person_ref=WANG.person_ref,
            masked_name=WANG.masked_name,
            scheme=WANG.scheme,
            standing=WANG.standing,
            exemptions=tuple(WANG.exemptions),
            references=references,
        )
        values: dict[str, Any] = {
            "site": "s",
            "device": "terminal-1",
            "number": 7,
            "issued_at": self.clock.start,
            "expires_at": self.clock.start + timedelta(days=30),
            "models": (MODEL,),
            "salt": to_base64(SALT),
            "params": COST,
            "persons": (person,),
        }
        return RosterDoc(**(values | changes))

    def deliver(self, document: RosterDoc, by: Any = OFFICE, typ: Typ = Typ.ROSTER) -> None:
        sealed = seal.seal(sign(document.to_bytes(), by, typ).encode(), self.key, seal.ROSTER)
        (self.inbox / "roster.jwe").write_text(sealed)

    def deliver_policy(self, mapping: dict[str, object], by: Any = OFFICE, **changes: Any) -> None:
        values: dict[str, Any] = {
            "site": "s",
            "device": "*",
            "number": 3,
            "issued_at": self.clock.start,
            "expires_at": self.clock.start + timedelta(days=30),
            "policy": mapping,
        }
        (self.inbox / "policy.jws").write_text(sign(PolicyDoc(**(values | changes)).to_bytes(), by, Typ.POLICY))

    def roster(self) -> RosterFile:
        return RosterFile(
            self.inbox,
            self.state,
            site="s",
            device="terminal-1",
            roster_key=self.folder / "roster.jwk",
            office=keys.KeyRing.of([OFFICE]),
            clock=self.clock,
            model=MODEL,
        )

    def policy(self) -> PolicyFile:
        ring = keys.KeyRing.of([OFFICE])
        return PolicyFile(self.inbox, self.state, site="s", device="terminal-1", office=ring, clock=self.clock)


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    return Terminal(tmp_path)


@pytest.fixture(params=["fake", "file"])
def roster(request: pytest.FixtureRequest, terminal: Terminal) -> Roster:
    if request.param == "fake":
        return MemoryRoster({NUMBER: WANG}, {("p-1", MODEL): ROWS})
    terminal.deliver(terminal.document())
    real = terminal.roster()
    assert real.open() is None
    return real


def test_somebody_on_the_roster_is_found_with_their_references(roster: Roster) -> None:
    assert roster.find(NUMBER) == WANG
    assert roster.version
    found = roster.references("p-1", MODEL)
    assert found.dtype == np.float32 and np.array_equal(found, ROWS)


def test_nobody_else_is_found(roster: Roster) -> None:
    assert roster.find(NOBODY) is None
    assert roster.references("p-2", MODEL).shape == (0, 4)
    assert len(roster.references("p-1", "another-model")) == 0


# --- what the terminal's file refuses ------------------------------------------------------------------------


def test_before_the_first_roster_nobody_is_known(terminal: Terminal) -> None:
    roster = terminal.roster()
    assert roster.open() is None and roster.version == "none" and roster.find(NUMBER) is None
    assert roster.references("p-1", MODEL).shape[0] == 0


def test_a_newer_roster_is_taken_while_running_and_kept_over_a_restart(terminal: Terminal) -> None:
    terminal.deliver(terminal.document())
    roster = terminal.roster()
    roster.open()
    terminal.deliver(terminal.document(number=8, persons=()))
    assert roster.refresh() is None
    assert roster.version == "8" and roster.find(NUMBER) is None
    (terminal.inbox / "roster.jwe").unlink()
    again = terminal.roster()
    assert again.open() is None and again.version == "8"


Spoil = Callable[[Terminal], None]
STRANGER = keys.generate("Ed25519", "office-sign")


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda t: t.deliver(t.document(number=6)), "older"),
        (lambda t: t.deliver(t.document(number=7, persons=())), "number 7 of another"),
        (lambda t: t.deliver(t.document(number=8), by=STRANGER), "signature"),
        (lambda t: t.deliver(t.document(number=8, device="terminal-2")), "another terminal"),
        (lambda t: t.deliver(t.document(number=8, expires_at=t.clock.start)), "expired"),
        (lambda t: t.deliver(t.document(number=8), typ=Typ.POLICY), "another kind"),
        (lambda t: (t.inbox / "roster.jwe").write_bytes(b"not a roster"), "JWE"),
        (lambda t: (t.inbox / "roster.jwe").write_bytes(b""), "JWE"),
        (lambda t: (t.inbox / "roster.jwe").write_bytes(b"\xff" * 100), "JWE"),
        (lambda t: t.deliver(_with_row(t, b"\x00\x00\x80\x3f\x00")), "impossible length"),
        (lambda t: t.deliver(_with_row(t, np.array([0.5, 0.5], "<f4").tobytes())), "unit vector"),
        (lambda t: t.deliver(_with_row(t, np.array([np.nan, 0.5], "<f4").tobytes())), "unit vector"),
    ],
)
def test_a_roster_that_must_not_be_believed_leaves_the_old_one_in_force(
    terminal: Terminal, spoil: Spoil, says: str
) -> None:
    terminal.deliver(terminal.document())
    roster = terminal.roster()
    roster.open()
    spoil(terminal)
    reason = roster.refresh()
    assert reason is not None and says in reason and NUMBER not in reason
    assert roster.refresh() is None, "the same file is reported once"
    assert roster.version == "7" and roster.find(NUMBER) == WANG


def _with_row(terminal: Terminal, row: bytes) -> RosterDoc:
    document = terminal.document(number=8)
    person = document.persons[0].model_copy(update={"references": {MODEL: (to_base64(row),)}})
    return document.model_copy(update={"persons": (person,)})


def test_a_roster_sealed_for_another_terminal_is_refused(terminal: Terminal) -> None:
    mine, terminal.key = terminal.key, keys.generate("X25519", "terminal-1-roster")
    terminal.deliver(terminal.document())
    reason = terminal.roster().open()
    assert reason is not None and "cannot be opened" in reason
    assert mine is not terminal.key


def test_what_a_wrong_clock_refused_is_looked_at_again(terminal: Terminal) -> None:
    terminal.deliver(terminal.document())
    terminal.clock.start += timedelta(days=400)
    terminal.clock.synced = False
    roster = terminal.roster()
    assert "expired" in (roster.open() or "")
    terminal.clock.start -= timedelta(days=400)
    terminal.clock.synced = True
    assert roster.refresh() is None and roster.version == "7"


def test_an_expired_roster_knows_nobody_and_still_refuses_older_ones(terminal: Terminal) -> None:
    terminal.deliver(terminal.document())
    roster = terminal.roster()
    roster.open()
    terminal.clock.advance(31 * 86400)
    assert roster.expired and roster.find(NUMBER) is None and len(roster.references("p-1", MODEL)) == 0
    terminal.deliver(terminal.document(number=6, expires_at=terminal.clock.now() + timedelta(days=9)))
    again = terminal.roster()
    assert "older" in (again.open() or "") and again.version == "7"


def test_a_damaged_kept_roster_stops_the_start_and_stays(terminal: Terminal) -> None:
    terminal.deliver(terminal.document())
    terminal.roster().open()
    kept = terminal.state / "roster.accepted.jwe"
    kept.write_bytes(kept.read_bytes()[:-40])
    with pytest.raises(StateError, match="Move it away"):
        terminal.roster().open()
    assert kept.exists()


def test_what_is_kept_on_the_disk_shows_neither_name_nor_reference(terminal: Terminal) -> None:
    terminal.deliver(terminal.document())
    terminal.roster().open()
    for file in terminal.state.iterdir():
        data = file.read_bytes()
        assert file.stat().st_mode & 0o077 == 0
        assert WANG.masked_name.encode() not in data and ROWS[1].tobytes() not in data


def test_a_roster_that_cannot_be_kept_is_not_taken_and_tried_again(terminal: Terminal) -> None:
    terminal.deliver(terminal.document())
    obstacle = terminal.state / "roster.accepted.jwe.new"
    obstacle.mkdir()
    roster = terminal.roster()
    assert "could not be kept" in (roster.open() or "") and roster.version == "none"
    assert roster.refresh() is None and roster.version == "none", "tried again at every look, and said once"
    obstacle.rmdir()
    assert roster.refresh() is None and roster.version == "7"


def test_a_roster_key_that_others_may_read_is_refused(terminal: Terminal) -> None:
    (terminal.folder / "roster.jwk").chmod(0o640)
    with pytest.raises(ConfigError, match="chmod 600"):
        terminal.roster().open()


def test_a_reference_of_another_model_does_not_count(terminal: Terminal) -> None:
    document = terminal.document()
    rows = {"older-model": document.persons[0].references[MODEL]}
    person = document.persons[0].model_copy(update={"references": rows})
    terminal.deliver(document.model_copy(update={"persons": (person,)}))
    roster = terminal.roster()
    roster.open()
    found = roster.find(NUMBER)
    assert found is not None and not found.has_reference


# --- the policy, by the same rules ---------------------------------------------------------------------------


def test_a_policy_is_taken_and_kept(terminal: Terminal) -> None:
    terminal.deliver_policy({"version": "bj-3", "max_tries": 2})
    policy = terminal.policy()
    assert policy.open() is None
    assert policy.policy == Policy(version="bj-3", max_tries=2) and policy.number == 3
    (terminal.inbox / "policy.jws").unlink()
    again = terminal.policy()
    again.open()
    assert again.policy == policy.policy


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda t: t.deliver_policy({"max_tries": 2}, number=2), "older"),
        (lambda t: t.deliver_policy({"max_tries": 2}, number=4, by=STRANGER), "signature"),
        (lambda t: t.deliver_policy({"no_such_rule": 2}, number=4), "cannot be followed"),
        (lambda t: t.deliver_policy({"max_tries": 99}, number=4), "cannot be followed"),
        (lambda t: t.deliver_policy({}, number=4, site="elsewhere"), "another terminal"),
        (lambda t: (t.inbox / "policy.jws").write_bytes(b"\xff"), "JWS"),
    ],
)
def test_a_policy_that_must_not_be_believed_leaves_the_old_one_in_force(
    terminal: Terminal, spoil: Spoil, says: str
) -> None:
    terminal.deliver_policy({"version": "bj-3"})
    policy = terminal.policy()
    policy.open()
    spoil(terminal)
    assert says in (policy.refresh() or "")
    assert policy.policy is not None and policy.policy.version == "bj-3"


def test_an_expired_policy_stays_in_force_and_says_so(terminal: Terminal) -> None:
    terminal.deliver_policy({})
    policy = terminal.policy()
    policy.open()
    terminal.clock.advance(31 * 86400)
    again = terminal.policy()
    again.open()
    assert again.policy is not None and again.expired
