"""Watermarks: up to which moment a source says it has sent everything."""

from datetime import datetime

from sqlalchemy import Connection, select

from sojourn_collector.store.control.database import Database, insert_into
from sojourn_collector.store.control.tables import watermarks


class Watermarks:
    """One moment per tenant and source; it only moves forward."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def advance(self, source: str, ts: datetime, *, tenant: str = "default") -> None:
        """Say that everything of `source` up to `ts` has been sent. An earlier moment than the known one changes nothing."""

        def work(connection: Connection) -> None:
            statement = insert_into(connection, watermarks).values(tenant=tenant, source=source, ts=ts)
            newer = statement.excluded.ts > watermarks.c.ts
            connection.execute(statement.on_conflict_do_update(index_elements=["tenant", "source"], set_={"ts": statement.excluded.ts}, where=newer))

        await self._database.write(work)

    async def get(self, source: str, *, tenant: str = "default") -> datetime | None:
        """The watermark of one source, None when it never gave one."""
        query = select(watermarks.c.ts).where(watermarks.c.tenant == tenant, watermarks.c.source == source)
        return await self._database.read(lambda connection: connection.execute(query).scalar())

    async def all(self, *, tenant: str = "default") -> dict[str, datetime]:
        """Every source's watermark by name."""
        query = select(watermarks.c.source, watermarks.c.ts).where(watermarks.c.tenant == tenant)
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return {row.source: row.ts for row in rows}
