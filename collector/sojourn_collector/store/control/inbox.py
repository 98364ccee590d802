"""The inbox of sources: every row as it was sent (personal data scrubbed), the truth of which the engine holds a copy."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, bindparam, delete, func, insert, or_, select, update

from sojourn_collector.store.control.database import Database
from sojourn_collector.store.control.folds import let_go
from sojourn_collector.store.control.tables import inbox, webhook_folds, webhook_records

TELL_OF_USAGE = ("usage", "segment")
"""Kinds of rows that tell of usage; those that tell of an order, a person or an account too are among `webhook_records`."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A row to be kept: `kind` is the source's name (`orders` …), `source` the feed it came by, `source_key` its id there."""

    tenant: str
    source: str
    kind: str
    source_key: str
    received_at: datetime
    body: str


@dataclass(frozen=True, slots=True)
class InboxRow(Arrival):
    """A kept row. `id` grows with every arrival: of two rows with one key the later id is the newer version."""

    id: int
    normalised_at: datetime | None = None
    error: str | None = None
    awaits: datetime | None = None
    """When a further answer is asked for next; until it is there the row goes no further."""
    tries: int = 0
    import_id: str | None = None
    """The import that brought it."""
    withdrawn: bool = False
    """Its import was undone: the engine is to lose it, then it goes."""


def of_source(source: str, since: datetime | None, tenant: str = "default") -> list[ColumnElement[bool]]:
    """What holds of rows of a feed, or of a kind, of all times or since one."""
    chosen = [inbox.c.tenant == tenant, or_(inbox.c.source == source, inbox.c.kind == source)]
    return chosen if since is None else [*chosen, inbox.c.received_at >= since]


class Inbox:
    """Keeps arrivals and remembers which of them the engine has."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.arrived = asyncio.Event()
        """Set whenever rows were added by this process; whoever waits for it clears it."""

    async def add_many(self, arrivals: Sequence[Arrival]) -> None:
        """Keep the rows, in their order, in one transaction; durable when this returns."""
        if not arrivals:
            return
        values = [asdict(arrival) for arrival in arrivals]
        await self._database.write(lambda connection: connection.execute(insert(inbox), values))
        self.arrived.set()

    async def waiting(self, limit: int = 1000) -> list[InboxRow]:
        """Rows the engine does not have yet, oldest first."""
        query = select(inbox).where(inbox.c.normalised_at.is_(None), inbox.c.awaits.is_(None)).order_by(inbox.c.id).limit(limit)
        rows = await self._database.read(lambda connection: connection.execute(query).mappings().all())
        return [InboxRow(**row) for row in rows]

    async def count_waiting(self) -> int:
        """How many rows the engine does not have yet, though nothing more is needed for them."""
        query = select(func.count()).select_from(inbox).where(inbox.c.normalised_at.is_(None), inbox.c.awaits.is_(None))
        return int(await self._database.read(lambda connection: connection.execute(query).scalar_one()))

    async def mark(self, ids: Sequence[int], at: datetime, errors: dict[int, str] | None = None) -> None:
        """Remember that these rows are dealt with: copied to the engine, or, with a sentence in `errors`, found unusable."""
        if not ids:
            return
        # A row withdrawn since it was read is not dealt with.
        statement = update(inbox).where(inbox.c.id == bindparam("row"), inbox.c.withdrawn.is_(False)).values(normalised_at=at, error=bindparam("why"))
        values = [{"row": id_, "why": (errors or {}).get(id_)} for id_ in ids]

        def work(connection: Connection) -> None:
            connection.execute(statement, values)

        await self._database.write(work)

    async def last_received(self, kind: str, tenant: str = "default") -> datetime | None:
        """When a row of this kind last arrived; None when never."""
        query = select(inbox.c.received_at).where(inbox.c.tenant == tenant, inbox.c.kind == kind).order_by(inbox.c.received_at.desc()).limit(1)
        return await self._database.read(lambda connection: connection.execute(query).scalar())

    async def after(self, ident: int, limit: int = 1000) -> list[InboxRow]:
        """Rows of every state with a greater id, in their order."""
        query = select(inbox).where(inbox.c.id > ident).order_by(inbox.c.id).limit(limit)
        rows = await self._database.read(lambda connection: connection.execute(query).mappings().all())
        return [InboxRow(**row) for row in rows]

    async def newest(self, row: InboxRow) -> InboxRow | None:
        """The newest version of this row that was not withdrawn, older or newer; None when there is none."""
        same = [inbox.c.tenant == row.tenant, inbox.c.kind == row.kind, inbox.c.source == row.source, inbox.c.source_key == row.source_key]
        query = select(inbox).where(*same, inbox.c.withdrawn.is_(False), inbox.c.error.is_(None)).order_by(inbox.c.id.desc()).limit(1)
        found = await self._database.read(lambda connection: connection.execute(query).mappings().first())
        return None if found is None else InboxRow(**found)

    async def remove(self, ids: Sequence[int]) -> None:
        """Forget rows; the engine's copy is the caller's."""

        def work(connection: Connection) -> None:
            let_go(connection, ids)
            connection.execute(delete(webhook_records).where(webhook_records.c.inbox_id.in_(ids)))
            connection.execute(delete(inbox).where(inbox.c.id.in_(ids)))

        await self._database.write(work)

    async def kinds(self) -> list[str]:
        """The kinds of all rows there are, sorted."""
        query = select(inbox.c.kind).distinct().order_by(inbox.c.kind)
        return list(await self._database.read(lambda connection: connection.execute(query).scalars().all()))

    async def again(self, source: str, since: datetime | None, tenant: str = "default", *, but: Sequence[str] = ()) -> int:
        """Have rows of a feed, or of a kind, brought to the engine once more; how many those are. Of the kinds `but` none are."""
        chosen = [*of_source(source, since, tenant), inbox.c.normalised_at.is_not(None), inbox.c.kind.not_in(but)]
        statement = update(inbox).where(*chosen).values(normalised_at=None, error=None)
        # What the events say may be read otherwise now.
        folds = delete(webhook_folds).where(webhook_folds.c.tenant == tenant, webhook_folds.c.source.in_(select(inbox.c.source).where(*chosen)))

        def work(connection: Connection) -> int:
            connection.execute(folds)
            return connection.execute(statement).rowcount

        found: int = await self._database.write(work)
        if found:
            self.arrived.set()
        return found

    async def dealt_with(self, source: str, since: datetime | None, kinds: Sequence[str], after: int, limit: int) -> list[InboxRow]:
        """Rows of a feed, or of a kind, that are dealt with, of some kinds alone, with a greater id, in their order."""
        chosen = [*of_source(source, since), inbox.c.normalised_at.is_not(None), inbox.c.kind.in_(kinds), inbox.c.id > after]
        query = select(inbox).where(*chosen).order_by(inbox.c.id).limit(limit)
        rows = await self._database.read(lambda connection: connection.execute(query).mappings().all())
        return [InboxRow(**row) for row in rows]

    async def forget_usage(self, before: datetime) -> int:
        """Forget messages that came before a moment and told of nothing but what was used, which the engine keeps no longer either; how many those were."""
        told = select(webhook_records.c.inbox_id).where(webhook_records.c.inbox_id == inbox.c.id).exists()
        dealt = [inbox.c.normalised_at.is_not(None), inbox.c.error.is_(None), inbox.c.awaits.is_(None), inbox.c.withdrawn.is_(False)]
        statement = delete(inbox).where(inbox.c.kind.in_(TELL_OF_USAGE), inbox.c.received_at < before, *dealt, ~told)
        found: int = await self._database.write(lambda connection: connection.execute(statement).rowcount)
        return found

    async def rewrite(self, ident: int, body: str) -> None:
        """Keep a row with another body, and without what was said of the old one."""
        statement = update(inbox).where(inbox.c.id == ident).values(body=body, error=None, awaits=None)

        def work(connection: Connection) -> None:
            let_go(connection, [ident])
            connection.execute(statement)

        await self._database.write(work)
