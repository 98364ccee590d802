"""Watermarks: up to which moment the senders of a source say they have sent everything."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Connection, func, select

from sojourn_collector.store.control.database import Database, insert_into
from sojourn_collector.store.control.tables import keys, watermarks

FEED_LENGTH: Final = 50
"""Letters by which a feed is known here."""

MOST_FEEDS: Final = 20


class Watermarks:
    """One moment per tenant, source and sender (that of its key); it only moves forward. The slowest sender decides for the source."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def advance(self, source: str, ts: datetime, *, sender: str, feeds: Iterable[str] = (), tenant: str = "default") -> None:
        """Say that `sender` has sent everything of `source` up to `ts`. An earlier moment than the known one changes nothing.

        :param feeds: the feeds its rows were of; the first `MOST_FEEDS` are remembered.
        """
        names = [source, *(f"{source}/{feed[:FEED_LENGTH]}" for feed in sorted(set(feeds))[:MOST_FEEDS])]

        def work(connection: Connection) -> None:
            statement = insert_into(connection, watermarks).values([{"tenant": tenant, "source": name, "sender": sender, "ts": ts} for name in names])
            newer = statement.excluded.ts > watermarks.c.ts
            unique = ["tenant", "source", "sender"]
            connection.execute(statement.on_conflict_do_update(index_elements=unique, set_={"ts": statement.excluded.ts}, where=newer))

        await self._database.write(work)

    async def feeds(self, source: str, *, tenant: str = "default") -> frozenset[str]:
        """Feeds of `source` whose senders ever gave a moment together with rows of them, each by its first `FEED_LENGTH` letters."""
        query = select(watermarks.c.source).distinct().where(watermarks.c.tenant == tenant, watermarks.c.source.startswith(f"{source}/", autoescape=True))
        rows = await self._database.read(lambda connection: connection.execute(query).scalars().all())
        return frozenset(row.removeprefix(f"{source}/") for row in rows)

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
