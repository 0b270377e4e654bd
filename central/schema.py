"""The ledger's tables.  Times are ISO 8601 in UTC as text, so that SQLite and PostgreSQL say the same."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
)

VERSION = 1
METADATA = MetaData()
# SQLite numbers rows by itself only for a column that is exactly INTEGER.
_NUMBER = BigInteger().with_variant(Integer(), "sqlite")

SCHEMA = Table("ledger_schema", METADATA, Column("version", Integer, primary_key=True, autoincrement=False))

RESULTS = Table(
    "results",
    METADATA,
    Column("entry", _NUMBER, primary_key=True, autoincrement=True),
    Column("result_id", String(36), nullable=False, unique=True),
    Column("site", String(63), nullable=False),
    Column("device", String(63), nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("prev", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    Column("jws", Text, nullable=False),
    # Copies of what the signature covers, so that an auditor can ask questions in SQL; `audit` compares them.
    Column("outcome", String(16), nullable=False),
    Column("person_ref", String(64)),
    Column("scheme", String(64), nullable=False),
    Column("mode", String(16), nullable=False),
    Column("reasons", Text, nullable=False),
    Column("decided_at", String(40), nullable=False),
    Column("valid_until", String(10)),
    Column("ticket", String(32)),
    # What the office adds.
    Column("received_at", String(40), nullable=False),
    Column("gap", Boolean, nullable=False),  # its predecessor was not here yet
    Column("place", BigInteger, nullable=False),  # 1, 2, 3... in the order of arrival from this device
    Column("head", String(64), nullable=False),  # SHA-256 of the device's head before it and its own hash
    UniqueConstraint("site", "device", "seq", name="one_result_per_seq"),
    UniqueConstraint("site", "device", "place", name="one_result_per_place"),
)

QUARANTINE = Table(
    "quarantine",
    METADATA,
    Column("entry", _NUMBER, primary_key=True, autoincrement=True),
    Column("site", String(63), nullable=False),
    Column("device", String(63), nullable=False),
    Column("hash", String(64), nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("raw", LargeBinary, nullable=False),  # as it came; an oversized one's first part
    Column("reason", String(64), nullable=False),
    Column("result_id", String(36)),  # as it claims
    Column("seq", BigInteger),
    Column("first_at", String(40), nullable=False),
    Column("last_at", String(40), nullable=False),
    Column("times", BigInteger, nullable=False),
    Column("resolved_at", String(40)),  # since when the same message is in the ledger after all
    UniqueConstraint("site", "device", "hash", name="one_row_per_message"),
)

DEVICES = Table(
    "devices",
    METADATA,
    Column("site", String(63), nullable=False),
    Column("device", String(63), nullable=False),
    Column("first_at", String(40), nullable=False),
    Column("last_at", String(40), nullable=False),
    Column("results", BigInteger, nullable=False),
    Column("head", String(64), nullable=False),
    Column("status", String(16)),
    Column("status_run", String(36)),
    Column("status_at", String(40)),
    Column("status_json", Text),
    Column("health_at", String(40)),
    Column("health_json", Text),
    PrimaryKeyConstraint("site", "device"),
)

ALARMS = Table(
    "alarms",
    METADATA,
    Column("alarm_id", String(36), primary_key=True),
    Column("site", String(63), nullable=False),
    Column("device", String(63), nullable=False),
    Column("kind", String(64), nullable=False),
    Column("detail", Text, nullable=False),
    Column("at", String(40), nullable=False),
    Column("received_at", String(40), nullable=False),
)

Index("results_of_a_person", RESULTS.c.person_ref)
Index("quarantine_open", QUARANTINE.c.resolved_at, QUARANTINE.c.reason)
