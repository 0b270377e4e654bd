"""The office's ledger: one row per signed result, ever; what does not fit is put aside with its reason.

How a result is taken (`Ledger.take`), in one transaction with the device's row locked:

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
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Connection, Engine, Row, create_engine, event, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from central.examine import MAX_BYTES, Fit, Unfit
from central.schema import ALARMS, DEVICES, METADATA, QUARANTINE, RESULTS, SCHEMA, VERSION
from edge.errors import ConfigError, StateError, ToolError
from edge.wire.envelope import GENESIS
from edge.wire.messages import AlarmMessage, Health, Status

BUSY_MS = 10_000
KEPT_BYTES = MAX_BYTES


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


class Ledger:
    """The database behind one SQLAlchemy URL.  `open` before use; used by one thread."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._engine: Engine | None = None

    def open(self, *, create: bool = True) -> "Ledger":
        """Connect and check the schema; with ``create`` make an empty database's tables.

        Raises `ConfigError` for an impossible URL, `ToolError` for a missing driver, `StateError` for a database
        that cannot be used; an existing one is never replaced.
        """
        try:
            url = make_url(self.url)
            sqlite_file = Path(url.database) if url.get_backend_name() == "sqlite" and url.database else None
            if sqlite_file is not None and create:
                sqlite_file.parent.mkdir(parents=True, exist_ok=True)
            if sqlite_file is not None and not create and not sqlite_file.exists():
                raise StateError(f"There is no ledger at {sqlite_file}; `anxin central serve` makes it.")
            self._engine = _engine(self.url)
            with self._begin() if create else self._read() as connection:
                self._check_schema(connection, create)
        except (ArgumentError, ImportError, SQLAlchemyError, OSError) as error:
            self.close()
            raise _translated(error) from None
        return self

    def close(self) -> None:
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None

    def take(self, examined: Sequence[Fit | Unfit]) -> list[Verdict]:
        """Record or put aside these messages, in this order, in one transaction; all or (`StateError`) none."""
        try:
            with self._begin() as connection:
                return [_take(connection, each) for each in examined]
        except SQLAlchemyError as error:
            raise _translated(error) from None

    def heard(self, message: Status | Health | AlarmMessage, received_at: datetime) -> bool:
        """Note what a terminal says of itself; False for a late ``offline`` of an older run, or a repeated alarm."""
        try:
            with self._begin() as connection:
                match message:
                    case Status():
                        return _note_status(connection, message, received_at)
                    case Health():
                        _note_device(connection, message.site, message.device, received_at)
                        connection.execute(
                            _this(update(DEVICES), DEVICES, message.site, message.device).values(
                                health_at=_text(received_at), health_json=message.model_dump_json(exclude_none=True)
                            )
                        )
                        return True
                    case AlarmMessage():
                        return _note_alarm(connection, message, received_at)
        except SQLAlchemyError as error:
            raise _translated(error) from None

    def results(self, device: str | None = None) -> Iterator[Row[Any]]:
        """The ledger's rows by site, device and seq."""
        query = select(RESULTS).order_by(RESULTS.c.site, RESULTS.c.device, RESULTS.c.seq)
        if device is not None:
            query = query.where(RESULTS.c.device == device)
        return self._rows(query)

    def quarantine(self, device: str | None = None, *, unresolved: bool = True) -> Iterator[Row[Any]]:
        """What was put aside, in order of arrival."""
        query = select(QUARANTINE).order_by(QUARANTINE.c.entry)
        if device is not None:
            query = query.where(QUARANTINE.c.device == device)
        if unresolved:
            query = query.where(QUARANTINE.c.resolved_at.is_(None))
        return self._rows(query)

    def devices(self) -> Iterator[Row[Any]]:
        """Every terminal that was ever heard, with its count of results, its head and its last status."""
        return self._rows(select(DEVICES).order_by(DEVICES.c.site, DEVICES.c.device))

    def alarms(self) -> Iterator[Row[Any]]:
        """Every alarm, in order of arrival."""
        return self._rows(select(ALARMS).order_by(ALARMS.c.received_at, ALARMS.c.alarm_id))

    def counts(self) -> tuple[int, int]:
        """(results recorded, messages in quarantine that are not resolved)."""
        try:
            with self._read() as connection:
                recorded = connection.execute(select(func.count()).select_from(RESULTS)).scalar_one()
                waiting = select(func.count()).select_from(QUARANTINE).where(QUARANTINE.c.resolved_at.is_(None))
                return int(recorded), int(connection.execute(waiting).scalar_one())
        except SQLAlchemyError as error:
            raise _translated(error) from None

    def _rows(self, query: Any) -> Iterator[Row[Any]]:
        try:
            with self._read() as connection:
                yield from connection.execute(query.execution_options(yield_per=500))
        except SQLAlchemyError as error:
            raise _translated(error) from None

    @contextmanager
    def _begin(self) -> Iterator[Connection]:
        if self._engine is None:
            raise StateError("The ledger is not open.")
        with self._engine.begin() as connection:
            yield connection

    @contextmanager
    def _read(self) -> Iterator[Connection]:
        """A transaction that does not keep the office from writing."""
        if self._engine is None:
            raise StateError("The ledger is not open.")
        with self._engine.execution_options(sqlite_begin="BEGIN").begin() as connection:
            yield connection

    def _check_schema(self, connection: Connection, create: bool) -> None:
        if create:
            METADATA.create_all(connection)
            connection.execute(_insert(connection, SCHEMA).values(version=VERSION).on_conflict_do_nothing())
        versions = [row.version for row in connection.execute(select(SCHEMA))]
        if versions != [VERSION]:
            raise StateError(f"The ledger has another schema than this program's ({VERSION}); update the older one.")


# --- results -------------------------------------------------------------------------------------------------


def _take(connection: Connection, examined: Fit | Unfit) -> Verdict:
    topic = examined.arrival.topic
    if isinstance(examined, Unfit):
        # No row for the sender: only registered terminals have one, however many sites a message invents.
        claims = examined.claims
        known = None if claims is None else (claims.result_id, claims.seq)
        head = (
            connection.execute(_this(select(DEVICES.c.head), DEVICES, topic.site, topic.device)).scalar() or GENESIS
        )
        if _find(connection, examined.hash, topic.site, topic.device) is not None:
            # It was recorded while its terminal was still registered, or before it was replayed as retained.
            return _verdict(examined, "duplicate", known, None, head)
        return _put_aside(connection, examined, examined.reason, known, head)
    state = _note_device(connection, topic.site, topic.device, examined.arrival.received_at)
    result, own = examined.result, (examined.result.result_id, examined.result.seq)
    same_id = connection.execute(select(RESULTS.c.hash).where(RESULTS.c.result_id == result.result_id)).scalar()
    if same_id is not None:
        if same_id == examined.hash:
            return _verdict(examined, "duplicate", own, None, state.head)
        return _put_aside(connection, examined, "result_id_reused", own, state.head)
    near = {
        row.seq: row
        for row in connection.execute(
            _this(select(RESULTS.c.seq, RESULTS.c.hash, RESULTS.c.prev), RESULTS, result.site, result.device).where(
                RESULTS.c.seq.in_((result.seq - 1, result.seq, result.seq + 1))
            )
        )
    }
    if result.seq in near:
        return _put_aside(connection, examined, "seq_reused", own, state.head)
    before, after = near.get(result.seq - 1), near.get(result.seq + 1)
    if not _holds_hands(examined, before, after):
        return _put_aside(connection, examined, "chain_break", own, state.head)
    gap = result.seq > 1 and before is None
    head = next_head(state.head, examined.hash)
    connection.execute(
        RESULTS.insert().values(
            **copied_columns(examined),
            received_at=_text(examined.arrival.received_at),
            gap=gap,
            place=state.results + 1,
            head=head,
        )
    )
    connection.execute(
        _this(update(DEVICES), DEVICES, result.site, result.device).values(results=state.results + 1, head=head)
    )
    connection.execute(
        _this(update(QUARANTINE), QUARANTINE, result.site, result.device)
        .where(QUARANTINE.c.hash == examined.hash, QUARANTINE.c.resolved_at.is_(None))
        .values(resolved_at=_text(examined.arrival.received_at))
    )
    return _verdict(examined, "recorded", own, None, head, gap=gap)


def _holds_hands(examined: Fit, before: Row[Any] | None, after: Row[Any] | None) -> bool:
    result = examined.result
    if (result.seq == 1) != (result.prev == GENESIS):
        return False
    if before is not None and result.prev != before.hash:
        return False
    return after is None or after.prev == examined.hash


def copied_columns(fit: Fit) -> dict[str, object]:
    """The columns that repeat what the signature covers."""
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
        "decided_at": _text(result.decided_at),
        "valid_until": result.valid_until.isoformat() if result.valid_until else None,
        "ticket": result.ticket,
    }


def next_head(head: str, result_hash: str) -> str:
    """A device's head after one more row: SHA-256 (hex) of the two hashes."""
    return hashlib.sha256(bytes.fromhex(head) + bytes.fromhex(result_hash)).hexdigest()


def _put_aside(
    connection: Connection, examined: Fit | Unfit, reason: str, known: tuple[str, int] | None, head: str
) -> Verdict:
    arrival = examined.arrival
    at = _text(arrival.received_at)
    insert = _insert(connection, QUARANTINE).values(
        site=arrival.topic.site,
        device=arrival.topic.device,
        hash=examined.hash,
        size_bytes=len(arrival.payload),
        raw=arrival.payload[:KEPT_BYTES],
        reason=reason,
        result_id=known[0] if known else None,
        seq=known[1] if known else None,
        first_at=at,
        last_at=at,
        times=1,
    )
    connection.execute(
        insert.on_conflict_do_update(
            index_elements=[QUARANTINE.c.site, QUARANTINE.c.device, QUARANTINE.c.hash],
            set_={"times": QUARANTINE.c.times + 1, "last_at": at, "reason": reason},
        )
    )
    return _verdict(examined, "quarantined", known, reason, head)


def _verdict(
    examined: Fit | Unfit,
    verdict: Literal["recorded", "duplicate", "quarantined"],
    known: tuple[str, int] | None,
    reason: str | None,
    head: str,
    *,
    gap: bool = False,
) -> Verdict:
    topic = examined.arrival.topic
    result_id, seq = known if known is not None else (None, None)
    return Verdict(verdict, topic.site, topic.device, examined.hash, result_id, seq, reason, head, gap)


def _find(connection: Connection, result_hash: str, site: str, device: str) -> int | None:
    query = _this(select(RESULTS.c.entry), RESULTS, site, device).where(RESULTS.c.hash == result_hash)
    found = connection.execute(query).scalar()
    return None if found is None else int(found)


# --- what terminals say of themselves ------------------------------------------------------------------------


def _note_device(connection: Connection, site: str, device: str, at: datetime) -> Row[Any]:
    """The device's row, made if need be and locked until the transaction ends."""
    connection.execute(
        _insert(connection, DEVICES)
        .values(site=site, device=device, first_at=_text(at), last_at=_text(at), results=0, head=GENESIS)
        .on_conflict_do_update(index_elements=[DEVICES.c.site, DEVICES.c.device], set_={"last_at": _text(at)})
    )
    return connection.execute(_this(select(DEVICES), DEVICES, site, device).with_for_update()).one()


def _note_status(connection: Connection, status: Status, received_at: datetime) -> bool:
    before = _note_device(connection, status.site, status.device, received_at)
    # A Will is sent when its connection is noticed to be dead, which can be after the next start: run ids sort by
    # time, so the end of a run that is older than the one we know of is no news.
    if status.state == "offline" and before.status_run is not None and status.run_id < before.status_run:
        return False
    connection.execute(
        _this(update(DEVICES), DEVICES, status.site, status.device).values(
            status=status.state,
            status_run=status.run_id,
            status_at=_text(received_at),
            status_json=status.model_dump_json(exclude_none=True),
        )
    )
    return True


def _note_alarm(connection: Connection, alarm: AlarmMessage, received_at: datetime) -> bool:
    _note_device(connection, alarm.site, alarm.device, received_at)
    inserted = connection.execute(
        _insert(connection, ALARMS)
        .values(
            alarm_id=alarm.alarm_id,
            site=alarm.site,
            device=alarm.device,
            kind=alarm.kind,
            detail=alarm.detail,
            at=_text(alarm.at),
            received_at=_text(received_at),
        )
        .on_conflict_do_nothing()
    )
    return bool(inserted.rowcount)


# --- the database --------------------------------------------------------------------------------------------


def _engine(url: str) -> Engine:
    engine = create_engine(url, pool_pre_ping=True)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _sqlite_connected)
        event.listen(engine, "begin", _sqlite_begin)
    elif engine.dialect.name != "postgresql":
        engine.dispose()
        raise ConfigError(f"The ledger knows SQLite and PostgreSQL, not {engine.dialect.name}; correct `database`.")
    return engine


def _sqlite_connected(connection: Any, _record: object) -> None:
    # The driver's own transactions start too late (at the first write): ours start at BEGIN IMMEDIATE.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (f"busy_timeout={BUSY_MS}", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _sqlite_begin(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("sqlite_begin", "BEGIN IMMEDIATE"))


def _insert(connection: Connection, table: Any) -> Any:
    """An INSERT that can say ON CONFLICT, which the two databases spell alike but SQLAlchemy does not."""
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)


def _this(statement: Any, table: Any, site: str, device: str) -> Any:
    return statement.where(table.c.site == site, table.c.device == device)


def _text(moment: datetime) -> str:
    with suppress(OverflowError):  # the calendar's first or last day, as only a forger writes it: kept as said
        moment = moment.astimezone(UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _translated(error: Exception) -> StateError | ConfigError | ToolError:
    match error:
        case ImportError():
            return ToolError(
                f"The database's driver is not installed ({error.name}); `pip install anxin[postgresql]`."
            )
        case ArgumentError():
            return ConfigError("`database` is not an SQLAlchemy URL; see docs/office.md for examples.")
        case SQLAlchemyError():
            # The statement and its parameters stay out of the message: only what the database itself said.
            said = str(getattr(error, "orig", None) or type(error).__name__).strip().splitlines()[:1]
            return StateError(f"The ledger's database refused: {''.join(said)}; nothing was recorded.")
        case _:
            return StateError(f"The ledger cannot be opened ({error}); check its folder.")
