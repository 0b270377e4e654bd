"""How messages become rows: the rule, pure, and the one transaction round it.

Each result is judged (`Shelf.judge`) against what is known of its place:

1. The same message is there (same hash): ``duplicate``.
2. Its result_id or its seq belongs to another message: ``result_id_reused`` or ``seq_reused`` (two cards with one
   identity, or a restored copy); the first one stays.
3. Its neighbours, as far as they are known, must hold hands: ``prev`` is 64 zeros for seq 1, the hash of seq - 1
   where that is in the ledger, and its own hash is the ``prev`` of seq + 1 where that is; else ``chain_break``.
4. Otherwise it is recorded.  If seq - 1 is not there yet the row notes a ``gap``: results may come out of order (a
   resend overtaken by its successor) and waiting would let one lost message hold up all that follow.  Nothing is
   lost by it: when the missing one arrives, rule 3 ties it to both neighbours, and the audit names every
   gap that stayed.

Whoever arrives first keeps a place: the office cannot know which of two signed results is the right one, so it keeps
both, one of them in quarantine, and a person decides.  What is put aside is stored once per message and counted.

Each recorded row also extends the device's ``head`` (SHA-256 of the head before it and the row's hash); every receipt
carries it, so that terminals hold the office's own signed word on what its ledger contained.
"""

import hashlib
import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import Connection, bindparam, func, or_, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite

from central.examine import MAX_BYTES, UNPROVEN, Fit, Unfit
from central.schema import DEVICES, QUARANTINE, RESULTS
from edge.wire.envelope import GENESIS

KEPT_BYTES = MAX_BYTES

# Messages without a proof of their sender, kept per client (22 MiB at most).  What comes beyond is neither kept
# nor answered: a real terminal has it still, and sends it again until it is registered.
MOST_UNPROVEN = 1000
TOO_MANY = "too_many_unproven"

Owner = tuple[str, str]  # site and device


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one message.  ``result_id`` and ``seq`` are None when it does not even claim them."""

    verdict: Literal["recorded", "duplicate", "quarantined"]
    site: str
    device: str
    hash: str
    result_id: str | None
    seq: int | None
    reason: str | None
    head: str
    gap: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """A result that is in the ledger, as far as its neighbours care."""

    hash: str
    prev: str


@dataclass(slots=True)
class Shelf:
    """What the ledger holds round the places of one batch; `judge` decides and keeps it up to date."""

    heads: dict[Owner, tuple[int, str]]  # results so far, and the head over them
    by_id: dict[str, str]  # result_id to hash
    by_place: dict[tuple[str, str, int], Place]
    hashes: set[tuple[str, str, str]]  # of results that are there, by owner
    unproven: dict[str, int]  # messages put aside without proof, by client: the broker vouches for the device's name
    recorded: list[tuple[Fit, Verdict, int]] = field(default_factory=list)  # with its place in the order of arrival
    aside: list[tuple[Fit | Unfit, Verdict]] = field(default_factory=list)

    def judge(self, examined: Fit | Unfit) -> Verdict:
        """The verdict on one message, noting what must be written."""
        topic = examined.arrival.topic
        owner = (topic.site, topic.device)
        count, head = self.heads.get(owner, (0, GENESIS))
        if isinstance(examined, Unfit):
            claims = examined.claims
            result_id, seq = (claims.result_id, claims.seq) if claims is not None else (None, None)
            # It may have been recorded while its terminal was registered, or before somebody replayed it.
            reason = None if (*owner, examined.hash) in self.hashes else examined.reason
        else:
            result_id, seq = examined.result.result_id, examined.result.seq
            reason = self._refusal(examined)
        if (*owner, examined.hash) in self.hashes:
            return Verdict("duplicate", topic.site, topic.device, examined.hash, result_id, seq, None, head)
        if reason in UNPROVEN:
            kept = self.unproven.get(topic.device, 0)
            if kept >= MOST_UNPROVEN:
                return Verdict("quarantined", topic.site, topic.device, examined.hash, None, None, TOO_MANY, head)
            self.unproven[topic.device] = kept + 1
        if reason is not None or isinstance(examined, Unfit):
            verdict = Verdict("quarantined", topic.site, topic.device, examined.hash, result_id, seq, reason, head)
            self.aside.append((examined, verdict))
            return verdict
        result = examined.result
        head = next_head(head, examined.hash)
        gap = result.seq > 1 and (*owner, result.seq - 1) not in self.by_place
        verdict = Verdict("recorded", topic.site, topic.device, examined.hash, result_id, seq, None, head, gap)
        self.heads[owner] = (count + 1, head)
        self.by_id[result.result_id] = examined.hash
        self.by_place[*owner, result.seq] = Place(examined.hash, result.prev)
        self.hashes.add((*owner, examined.hash))
        self.recorded.append((examined, verdict, count + 1))
        return verdict

    def _refusal(self, fit: Fit) -> str | None:
        result = fit.result
        if self.by_id.get(result.result_id, fit.hash) != fit.hash:
            return "result_id_reused"
        near = [self.by_place.get((result.site, result.device, result.seq + step)) for step in (-1, 0, 1)]
        before, here, after = near
        if here is not None:
            return "seq_reused"
        holds = (
            (result.seq == 1) == (result.prev == GENESIS)
            and (before is None or result.prev == before.hash)
            and (after is None or after.prev == fit.hash)
        )
        return None if holds else "chain_break"


def take(connection: Connection, examined: Sequence[Fit | Unfit]) -> list[Verdict]:
    """Judge these messages in their order and write what follows, inside the caller's transaction.

    The rows of the devices are locked, in one order for everybody, until it ends: two consumers never judge results
    of one terminal at the same time.
    """
    shelf = _load(connection, examined)
    verdicts = [shelf.judge(each) for each in examined]
    _record(connection, shelf)
    _put_aside(connection, shelf)
    return verdicts


def note_devices(connection: Connection, seen: dict[Owner, datetime]) -> None:
    """Make or refresh these terminals' rows; each is locked until the transaction ends."""
    rows = [
        {
            "site": site,
            "device": device,
            "first_at": text_of(seen[site, device]),
            "last_at": text_of(seen[site, device]),
            "results": 0,
            "head": GENESIS,
        }
        for site, device in sorted(seen)
    ]
    if rows:
        fresh = insert(connection, DEVICES)
        connection.execute(
            fresh.on_conflict_do_update(
                index_elements=[DEVICES.c.site, DEVICES.c.device], set_={"last_at": fresh.excluded.last_at}
            ),
            rows,
        )


def copied_columns(fit: Fit) -> dict[str, object]:
    """The columns of a row that repeat what the signature covers."""
    result = fit.result
    return {
        "result_id": result.result_id,
        "site": result.site,
        "device": result.device,
        "seq": result.seq,
        "prev": result.prev,
        "hash": fit.hash,
        "jws": fit.jws,
        "outcome": result.outcome,
        "person_ref": result.person_ref,
        "scheme": result.scheme,
        "mode": result.mode.value,
        "reasons": json.dumps(result.reasons),
        "decided_at": text_of(result.decided_at),
        "valid_until": result.valid_until.isoformat() if result.valid_until else None,
        "ticket": result.ticket,
    }


def next_head(head: str, result_hash: str) -> str:
    """A device's head after one more row: SHA-256 (hex) of the two hashes."""
    return hashlib.sha256(bytes.fromhex(head) + bytes.fromhex(result_hash)).hexdigest()


def insert(connection: Connection, table: Any) -> Any:
    """An INSERT that can say ON CONFLICT, which the two databases spell alike but SQLAlchemy does not."""
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)


def text_of(moment: datetime) -> str:
    """ISO 8601 in UTC, to the millisecond."""
    with suppress(OverflowError):  # the calendar's first or last day, as only a forger writes it: kept as said
        moment = moment.astimezone(UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _load(connection: Connection, examined: Sequence[Fit | Unfit]) -> Shelf:
    fits = [each for each in examined if isinstance(each, Fit)]
    # Only registered terminals get a row here, however many sites and devices a forged message invents.
    note_devices(connection, {(f.result.site, f.result.device): f.arrival.received_at for f in fits})
    owners = sorted({(each.arrival.topic.site, each.arrival.topic.device) for each in examined})
    heads = connection.execute(
        select(DEVICES.c.site, DEVICES.c.device, DEVICES.c.results, DEVICES.c.head).where(
            tuple_(DEVICES.c.site, DEVICES.c.device).in_(owners)
        )
    )
    unproven = _unproven(connection, {e.arrival.topic.device for e in examined if isinstance(e, Unfit)})
    shelf = Shelf({(row.site, row.device): (row.results, row.head) for row in heads}, {}, {}, set(), unproven)
    places = [(f.result.site, f.result.device, f.result.seq + step) for f in fits for step in (-1, 0, 1)]
    wanted = [RESULTS.c.hash.in_([each.hash for each in examined])]
    if fits:
        wanted.append(RESULTS.c.result_id.in_([f.result.result_id for f in fits]))
        wanted.append(tuple_(RESULTS.c.site, RESULTS.c.device, RESULTS.c.seq).in_(places))
    columns = (RESULTS.c.result_id, RESULTS.c.site, RESULTS.c.device, RESULTS.c.seq, RESULTS.c.hash, RESULTS.c.prev)
    for row in connection.execute(select(*columns).where(or_(*wanted))):
        shelf.by_id[row.result_id] = row.hash
        shelf.by_place[row.site, row.device, row.seq] = Place(row.hash, row.prev)
        shelf.hashes.add((row.site, row.device, row.hash))
    return shelf


def _unproven(connection: Connection, devices: set[str]) -> dict[str, int]:
    """How many messages without proof lie in quarantine for each of these devices' names."""
    if not devices:
        return {}
    counted = connection.execute(
        select(QUARANTINE.c.device, func.count().label("messages"))
        .where(
            QUARANTINE.c.resolved_at.is_(None),
            QUARANTINE.c.reason.in_(sorted(UNPROVEN)),
            QUARANTINE.c.device.in_(sorted(devices)),
        )
        .group_by(QUARANTINE.c.device)
    )
    return {row.device: row.messages for row in counted}


def _record(connection: Connection, shelf: Shelf) -> None:
    if not shelf.recorded:
        return
    connection.execute(
        RESULTS.insert(),
        [
            {
                **copied_columns(fit),
                "received_at": text_of(fit.arrival.received_at),
                "gap": verdict.gap,
                "place": place,
                "head": verdict.head,
            }
            for fit, verdict, place in shelf.recorded
        ],
    )
    touched = sorted({(verdict.site, verdict.device) for _, verdict, _ in shelf.recorded})
    connection.execute(
        update(DEVICES)
        .where(DEVICES.c.site == bindparam("of_site"), DEVICES.c.device == bindparam("of_device"))
        .values(results=bindparam("new_results"), head=bindparam("new_head")),
        [
            {"of_site": site, "of_device": device, "new_results": count, "new_head": head}
            for (site, device) in touched
            for count, head in [shelf.heads[site, device]]
        ],
    )
    # Messages that had been put aside before, say while their terminal was not registered.
    connection.execute(
        update(QUARANTINE)
        .where(
            QUARANTINE.c.resolved_at.is_(None),
            tuple_(QUARANTINE.c.site, QUARANTINE.c.device, QUARANTINE.c.hash).in_(
                [(verdict.site, verdict.device, verdict.hash) for _, verdict, _ in shelf.recorded]
            ),
        )
        .values(resolved_at=text_of(shelf.recorded[-1][0].arrival.received_at))
    )


def _put_aside(connection: Connection, shelf: Shelf) -> None:
    rows = [
        {
            "site": verdict.site,
            "device": verdict.device,
            "hash": verdict.hash,
            "size_bytes": len(examined.arrival.payload),
            "raw": examined.arrival.payload[:KEPT_BYTES],
            "reason": verdict.reason,
            "result_id": verdict.result_id,
            "seq": verdict.seq,
            "first_at": text_of(examined.arrival.received_at),
            "last_at": text_of(examined.arrival.received_at),
            "times": 1,
        }
        for examined, verdict in shelf.aside
    ]
    if rows:
        fresh = insert(connection, QUARANTINE)
        connection.execute(
            fresh.on_conflict_do_update(
                index_elements=[QUARANTINE.c.site, QUARANTINE.c.device, QUARANTINE.c.hash],
                set_={
                    "times": QUARANTINE.c.times + 1,
                    "last_at": fresh.excluded.last_at,
                    "reason": fresh.excluded.reason,
                },
            ),
            rows,
        )
