"""The control database's tables, as SQLAlchemy Core. Changing one takes a migration in `migrations/versions`."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Dialect, Index, Integer, MetaData, String, Table, Text, TypeDecorator, UniqueConstraint, false, text

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# SQLite gives an autoincrementing 64-bit rowid only to a column declared INTEGER.
_BIG_ID = BigInteger().with_variant(Integer(), "sqlite")


class Instant(TypeDecorator[datetime]):
    """An aware datetime kept as whole microseconds since 1970: SQLite has no time zone to lose and comparisons stay exact."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Microseconds of `value`; a naive datetime is our own fault and raises ValueError."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a datetime without a time zone cannot be stored")
        return (value - _EPOCH) // timedelta(microseconds=1)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        """The UTC datetime behind the stored microseconds."""
        return None if value is None else _EPOCH + timedelta(microseconds=int(value))


metadata = MetaData()

keys = Table(
    "keys",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("scope", String(200), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("tenant", String(64), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("revoked_at", Instant),
    Column("sender", String(32), nullable=False, server_default=""),
)

ledger = Table(
    "ledger",
    metadata,
    Column("credential", String(64), primary_key=True),
    Column("path", String(64), primary_key=True),
    Column("batch_id", String(200), primary_key=True),
    Column("body_sha256", String(64), nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("accepted_at", Instant, nullable=False),
    Column("node", Integer, nullable=False, server_default="0"),
    Column("taken_over", Boolean, nullable=False, server_default=false()),
    Index("ledger_accepted_at", "accepted_at"),
    Index("ledger_claims", "node", postgresql_where=text("seq = 0"), sqlite_where=text("seq = 0")),
    sqlite_with_rowid=False,
)

inbox = Table(
    "inbox",
    metadata,
    Column("id", _BIG_ID, primary_key=True, autoincrement=True),
    Column("tenant", String(64), nullable=False),
    Column("source", String(64), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("source_key", String(256), nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("body", Text, nullable=False),
    Column("normalised_at", Instant),
    Column("error", Text),
    Column("awaits", Instant),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("import_id", String(32)),
    Column("withdrawn", Boolean, nullable=False, server_default=false()),
    Index("inbox_import", "import_id"),
    Index("inbox_row", "tenant", "kind", "source", "source_key"),
    Index("inbox_waiting", "normalised_at", "id"),
    Index("inbox_received", "tenant", "kind", "received_at"),
    Index("inbox_awaits", "awaits"),
    sqlite_autoincrement=True,
)

imports = Table(
    "imports",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("tenant", String(64), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("file", String(200), nullable=False),
    Column("actor", String(200), nullable=False),
    Column("begun_at", Instant, nullable=False),
    Column("accepted", BigInteger, nullable=False),
    Column("rejected", BigInteger, nullable=False),
    Column("undone_at", Instant),
    Index("imports_begun", "tenant", "begun_at"),
)

webhook_events = Table(
    "webhook_events",
    metadata,
    Column("tenant", String(64), primary_key=True),
    Column("source", String(64), primary_key=True),
    Column("digest", String(64), primary_key=True),
    Column("received_at", Instant, nullable=False),
    Index("webhook_events_age", "received_at"),
    sqlite_with_rowid=False,
)

webhook_records = Table(
    "webhook_records",
    metadata,
    Column("tenant", String(64), primary_key=True),
    Column("source", String(64), primary_key=True),
    Column("digest", String(64), primary_key=True),
    Column("inbox_id", BigInteger, primary_key=True, autoincrement=False),
    Index("webhook_records_inbox", "inbox_id"),
    sqlite_with_rowid=False,
)

webhook_folds = Table(
    "webhook_folds",
    metadata,
    Column("tenant", String(64), primary_key=True),
    Column("source", String(64), primary_key=True),
    Column("digest", String(64), primary_key=True),
    Column("folded", Text, nullable=False),
    sqlite_with_rowid=False,
)

watermarks = Table(
    "watermarks",
    metadata,
    Column("tenant", String(64), primary_key=True),
    Column("source", String(64), primary_key=True),
    Column("sender", String(32), primary_key=True),
    Column("ts", Instant, nullable=False),
)

progress = Table(
    "progress",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", BigInteger, nullable=False),
)

dead_letters = Table(
    "dead_letters",
    metadata,
    Column("id", _BIG_ID, primary_key=True, autoincrement=True),
    Column("signal", String(32), nullable=False),
    Column("reason", Text, nullable=False),
    Column("file", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("node", Integer, nullable=False, server_default="0"),
    UniqueConstraint("file", name="dead_letters_file"),
)

audit = Table(
    "audit",
    metadata,
    Column("id", _BIG_ID, primary_key=True, autoincrement=True),
    Column("at", Instant, nullable=False),
    Column("actor", String(200), nullable=False),
    Column("action", String(64), nullable=False),
    Column("subject", String(256), nullable=False),
    Column("detail", Text, nullable=False),
)

marks = Table(
    "marks",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("tenant", String(64), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("at", Instant, nullable=False),
    Column("name", String(200), nullable=False),
    Column("journey", String(128), nullable=False),
    Column("step", String(128), nullable=False),
    Column("trouble_from", Instant),
    Column("note", Text, nullable=False),
    Column("actor", String(200), nullable=False),
    Column("made_at", Instant, nullable=False),
    Index("marks_at", "tenant", "at"),
)

impact_versions = Table(
    "impact_versions",
    metadata,
    Column("id", _BIG_ID, primary_key=True, autoincrement=True),
    Column("tenant", String(64), nullable=False),
    Column("version", String(16), nullable=False),
    Column("since", Instant, nullable=False),
    Column("content", Text, nullable=False),
    Index("impact_versions_since", "tenant", "since"),
)

nodes = Table(
    "nodes",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("id", String(64), nullable=False),
    Column("host", String(256), nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("last_seq", BigInteger, nullable=False),
    Column("loaded_seq", BigInteger, nullable=False),
    Column("alive_until", Instant, nullable=False),
    UniqueConstraint("id", name="nodes_id"),
)

leases = Table(
    "leases",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("node", Integer, nullable=False),
    Column("fence", BigInteger, nullable=False),
    Column("until", Instant, nullable=False),
    Column("reserved", BigInteger, nullable=False),
)

evidence = Table(
    "evidence",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("tenant", String(64), nullable=False),
    Column("name", String(256), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("media_type", String(64), nullable=False),
    Column("run_id", String(128), nullable=False),
    Column("journey", String(128), nullable=False),
    Column("step", String(128), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("gone_at", Instant),
    Column("gone_why", String(16)),
    Index("evidence_run", "tenant", "run_id"),
    Index("evidence_content", "sha256"),
    Index("evidence_age", "received_at"),
)

evidence_erased = Table(
    "evidence_erased",
    metadata,
    Column("tenant", String(64), primary_key=True),
    Column("run_id", String(128), primary_key=True),
    Column("at", Instant, nullable=False),
)

signing_keys = Table(
    "signing_keys",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("secret", String(128), nullable=False),
    Column("made_at", Instant, nullable=False),
)

erasures = Table(
    "erasures",
    metadata,
    Column("id", _BIG_ID, primary_key=True, autoincrement=True),
    Column("tenant", String(64), nullable=False),
    Column("subject", String(64), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("actor", String(200), nullable=False),
    Column("orders", String(16), nullable=False),
    Column("state", String(32), nullable=False),
    Column("note", Text, nullable=False),
    Column("counts", Text, nullable=False),
    Column("work", Text, nullable=False),
    Column("erased_at", Instant, nullable=False),
    Column("done_at", Instant),
    sqlite_autoincrement=True,
)

tombstones = Table(
    "tombstones",
    metadata,
    Column("tenant", String(64), primary_key=True),
    Column("digest", String(64), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("erased_at", Instant, nullable=False),
    sqlite_with_rowid=False,
)

erasure_key = Table(
    "erasure_key",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key", String(64), nullable=False),
)

shares = Table(
    "shares",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("tenant", String(64), nullable=False),
    Column("digest", String(64), nullable=False, unique=True),
    Column("title", String(200), nullable=False),
    Column("report", Text, nullable=False),
    Column("actor", String(200), nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
)

feeds = Table(
    "feeds",
    metadata,
    Column("tenant", String(64), primary_key=True),
    Column("source", String(64), primary_key=True),
    Column("pulled_at", Instant),
    Column("answered_at", Instant),
    Column("next_at", Instant),
    Column("failures", Integer, nullable=False),
    Column("items", BigInteger, nullable=False),
    Column("fresh", Integer, nullable=False),
    Column("error", Text, nullable=False),
    Column("validators", Text, nullable=False),
)
