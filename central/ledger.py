"""The office's ledger: one row per signed result, ever; what does not fit is put aside with its reason.

Here are the database and its transactions; how a message is judged is in `central.intake`.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Row, create_engine, event, func, select, update
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from central import intake
from central.examine import Fit, Unfit
from central.intake import Verdict, insert, note_devices, text_of
from central.schema import ALARMS, DEVICES, METADATA, QUARANTINE, RESULTS, SCHEMA, VERSION
from edge.errors import ConfigError, StateError, ToolError
from edge.wire.messages import AlarmMessage, Health, Status

BUSY_MS = 10_000


class Ledger:
    """The database behind one SQLAlchemy URL.  `open` before use; used by one thread."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._engine: Engine | None = None
        self._held: Connection | None = None

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
                return intake.take(connection, examined)
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
                                health_at=text_of(received_at), health_json=message.model_dump_json(exclude_none=True)
                            )
                        )
                        return True
                    case AlarmMessage():
                        return _note_alarm(connection, message, received_at)
        except SQLAlchemyError as error:
            raise _translated(error) from None

    def results(self, device: str | None = None, ticket: str | None = None) -> Iterator[Row[Any]]:
        """The ledger's rows by site, device and seq; of one device, or those that gave one ticket."""
        query = select(RESULTS).order_by(RESULTS.c.site, RESULTS.c.device, RESULTS.c.seq)
        if device is not None:
            query = query.where(RESULTS.c.device == device)
        if ticket is not None:
            query = query.where(func.upper(RESULTS.c.ticket) == ticket.strip().upper())
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
                # The devices' own counts: counting the rows of a ledger of millions takes seconds.
                recorded = connection.execute(select(func.sum(DEVICES.c.results))).scalar() or 0
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
    def snapshot(self) -> Iterator[None]:
        """Everything read inside sees the ledger at one moment, while the office goes on writing."""
        with self._read() as connection:
            self._held = connection
            try:
                yield
            finally:
                self._held = None

    @contextmanager
    def _read(self) -> Iterator[Connection]:
        """A transaction that sees one moment and keeps nobody from writing."""
        if self._engine is None:
            raise StateError("The ledger is not open.")
        if self._held is not None:
            yield self._held
            return
        options = {"sqlite_begin": "BEGIN"}
        if self._engine.dialect.name == "postgresql":
            options = {"isolation_level": "REPEATABLE READ"}
        with self._engine.execution_options(**options).begin() as connection:
            yield connection

    def _check_schema(self, connection: Connection, create: bool) -> None:
        if create:
            METADATA.create_all(connection)
            connection.execute(insert(connection, SCHEMA).values(version=VERSION).on_conflict_do_nothing())
        versions = [row.version for row in connection.execute(select(SCHEMA))]
        if versions != [VERSION]:
            raise StateError(f"The ledger has another schema than this program's ({VERSION}); update the older one.")


# --- what terminals say of themselves ------------------------------------------------------------------------


def _note_device(connection: Connection, site: str, device: str, at: datetime) -> Row[Any]:
    """The device's row, made if need be and locked until the transaction ends."""
    note_devices(connection, {(site, device): at})
    return connection.execute(_this(select(DEVICES), DEVICES, site, device)).one()


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
            status_at=text_of(received_at),
            status_json=status.model_dump_json(exclude_none=True),
        )
    )
    return True


def _note_alarm(connection: Connection, alarm: AlarmMessage, received_at: datetime) -> bool:
    _note_device(connection, alarm.site, alarm.device, received_at)
    inserted = connection.execute(
        insert(connection, ALARMS)
        .values(
            alarm_id=alarm.alarm_id,
            site=alarm.site,
            device=alarm.device,
            kind=alarm.kind,
            detail=alarm.detail.replace("\0", ""),  # which PostgreSQL does not take
            at=text_of(alarm.at),
            received_at=text_of(received_at),
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


def _this(statement: Any, table: Any, site: str, device: str) -> Any:
    return statement.where(table.c.site == site, table.c.device == device)


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
            return StateError(
                f"The ledger's database refused ({''.join(said)}) and nothing was recorded; check its disk's space, "
                "its owner and mode, or the server."
            )
        case _:
            return StateError(f"The ledger cannot be opened ({error}); check its folder.")
