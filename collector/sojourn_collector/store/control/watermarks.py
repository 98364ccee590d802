"""Watermarks: up to which moment the senders of a source say they have sent everything."""

from datetime import UTC, datetime

from sqlalchemy import Connection, func, select

from sojourn_collector.store.control.database import Database, insert_into
from sojourn_collector.store.control.tables import keys, watermarks


class Watermarks:
    """One moment per tenant, source and sender (that of its key); it only moves forward. The slowest sender decides for the source."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def advance(self, source: str, ts: datetime, *, sender: str, tenant: str = "default") -> None:
        """Say that `sender` has sent everything of `source` up to `ts`. An earlier moment than the known one changes nothing."""

        def work(connection: Connection) -> None:
            statement = insert_into(connection, watermarks).values(tenant=tenant, source=source, sender=sender, ts=ts)
            newer = statement.excluded.ts > watermarks.c.ts
            unique = ["tenant", "source", "sender"]
            connection.execute(statement.on_conflict_do_update(index_elements=unique, set_={"ts": statement.excluded.ts}, where=newer))

        await self._database.write(work)

    async def get(self, source: str, *, tenant: str = "default", now: datetime | None = None) -> datetime | None:
        """Up to when everything of `source` is known: the earliest of its senders' moments; None when none ever gave one.

        A sender all of whose keys are revoked by `now` sends no more and holds nothing back.
        """
        at = now or datetime.now(UTC)
        good = select(keys.c.sender).where(keys.c.revoked_at.is_(None) | (keys.c.revoked_at > at))
        gone = select(keys.c.sender).where(keys.c.sender.not_in(good))
        query = select(func.min(watermarks.c.ts, type_=watermarks.c.ts.type)).where(
            watermarks.c.tenant == tenant, watermarks.c.source == source, watermarks.c.sender.not_in(gone)
        )
        return await self._database.read(lambda connection: connection.execute(query).scalar())
