"""The ledger: which batches were accepted. An index of the journal, rebuilt at start from files not yet loaded."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, func, select

from sojourn_collector.store.control.database import Database, insert_into
from sojourn_collector.store.control.tables import ledger

TAKEN_OVER_KEPT = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One accepted batch. `body_sha256` is lower-case hex; `seq` the journal's sequence number it was given, of `node`'s journal."""

    credential: str
    path: str
    batch_id: str
    body_sha256: str
    seq: int
    accepted_at: datetime
    node: int = 0


_COLUMNS = [ledger.c[one.name] for one in fields(LedgerRow)]


class Ledger:
    """Looks up and adds accepted batches; unique by (credential, path, batch id)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, credential: str, path: str, batch_id: str) -> LedgerRow | None:
        """The accepted batch of this name, or None. The caller compares the body's digest: another body is a conflict."""
        query = select(*_COLUMNS).where(ledger.c.credential == credential, ledger.c.path == path, ledger.c.batch_id == batch_id)
        row = await self._database.read(lambda connection: connection.execute(query).mappings().first())
        return None if row is None else LedgerRow(**row)

    async def add_many(self, rows: Sequence[LedgerRow]) -> int:
        """Add rows in one durable transaction and say how many were new; rows already there stay as they are."""
        if not rows:
            return 0
        values = [asdict(row) for row in rows]

        def work(connection: Connection) -> int:
            statement = insert_into(connection, ledger).on_conflict_do_nothing()
            if connection.dialect.name == "sqlite":
                before = connection.exec_driver_sql("SELECT total_changes()").scalar_one()
                connection.execute(statement, values)
                return int(connection.exec_driver_sql("SELECT total_changes()").scalar_one()) - int(before)
            return len(connection.execute(statement.returning(ledger.c.seq), values).all())

        return await self._database.write(work)

    async def highest_seq(self) -> int:
        """The highest sequence number ever entered, 0 when there is none."""
        query = select(ledger.c.seq).order_by(ledger.c.seq.desc()).limit(1)
        return int(await self._database.read(lambda connection: connection.execute(query).scalar()) or 0)

    async def forget_before(self, moment: datetime) -> int:
        """Drop rows accepted before `moment`; senders do not repeat a batch that old. Says how many went.

        The newest row stays whatever its age: the journal goes on counting from its number after a restart. So does for a year a batch that was taken over
        from a node: should that come back, it is told by it that the batch is another's.
        """
        newest = select(func.max(ledger.c.seq)).scalar_subquery()
        long_ago = moment - TAKEN_OVER_KEPT
        statement = delete(ledger).where(ledger.c.accepted_at < moment, ledger.c.seq < newest, ~ledger.c.taken_over | (ledger.c.accepted_at < long_ago))
        return await self._database.write(lambda connection: connection.execute(statement).rowcount)
