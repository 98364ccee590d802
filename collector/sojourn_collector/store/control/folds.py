"""What events of vendors together say of a record, kept so that they need not be read again. It can be made anew of them at any time: whoever changes or
takes an event lets go of it (`let_go`), in the same transaction.
"""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, and_, delete, select, tuple_

from sojourn_collector.store.control.database import Database, insert_into
from sojourn_collector.store.control.tables import webhook_folds, webhook_records

Name = tuple[str, str, str]
"""Tenant, source, and the digest of the record."""
_AT_ONCE = 200
_NAME = (webhook_folds.c.tenant, webhook_folds.c.source, webhook_folds.c.digest)


class Folds:
    """Keeps them, as text."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, names: Sequence[Name]) -> dict[Name, str]:
        """Those there are."""

        def work(connection: Connection) -> dict[Name, str]:
            found: dict[Name, str] = {}
            for start in range(0, len(names), _AT_ONCE):
                query = select(*_NAME, webhook_folds.c.folded).where(tuple_(*_NAME).in_(names[start : start + _AT_ONCE]))
                found |= {(row.tenant, row.source, row.digest): row.folded for row in connection.execute(query)}
            return found

        return await self._database.read(work)

    async def put(self, folds: Mapping[Name, str]) -> None:
        """Keep these in place of what was kept."""
        values = [{"tenant": tenant, "source": source, "digest": digest, "folded": folded} for (tenant, source, digest), folded in folds.items()]

        def work(connection: Connection) -> None:
            statement = insert_into(connection, webhook_folds)
            connection.execute(statement.on_conflict_do_update(index_elements=list(_NAME), set_={"folded": statement.excluded.folded}), values)

        if values:
            await self._database.write(work)


def let_go(connection: Connection, events: Sequence[int]) -> None:
    """Forget what is kept of the records of these events."""
    same = and_(*(getattr(webhook_records.c, one.name) == one for one in _NAME))
    for start in range(0, len(events), _AT_ONCE):
        concerned = select(webhook_records.c.inbox_id).where(same, webhook_records.c.inbox_id.in_(events[start : start + _AT_ONCE])).exists()
        connection.execute(delete(webhook_folds).where(concerned))
