"""Events of vendors in the inbox: which were seen before, which of them make up a record, and which wait for a further answer of the vendor's.

What an event was called and which records it concerns is kept as digests: an order's id is nobody's name, but a person's may be one.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, Select, bindparam, case, delete, func, insert, select, update

from sojourn_collector.store.control.database import Database, insert_into
from sojourn_collector.store.control.folds import let_go
from sojourn_collector.store.control.inbox import Arrival, Inbox, InboxRow, of_source
from sojourn_collector.store.control.tables import inbox, webhook_events, webhook_records

MOST_EVENTS = 1000
"""Events of one record that are looked at together, the newest."""


@dataclass(frozen=True, slots=True)
class Arriving:
    """An event that came: its row, the records it is known to concern, and when a further answer is asked for, None when it says it all.

    `signed` names what the vendor signed of it, where the row's key is not among that: one that came before is no new event under another key.
    """

    arrival: Arrival
    records: Sequence[str] = ()
    awaits: datetime | None = None
    signed: str = ""


def digest(*parts: str) -> str:
    """What names an event or a record, in a length that does not grow."""
    return hashlib.sha256("\n".join(parts).encode("utf-8", "replace")).hexdigest()


class WebhookRows:
    """Keeps events of vendors."""

    def __init__(self, database: Database, rows: Inbox) -> None:
        self._database = database
        self._inbox = rows

    async def take(self, events: Sequence[Arriving]) -> int:
        """Keep those that were not seen before, in one transaction; durable when this returns. How many those were."""

        def work(connection: Connection) -> int:
            return sum(_take(connection, event) for event in events)

        fresh = await self._database.write(work)
        if fresh:
            self._inbox.arrived.set()
        return fresh

    async def seen(self, tenant: str, source: str, key: str) -> bool:
        """Whether an event of this id came before."""
        query = select(func.count()).where(webhook_events.c.tenant == tenant, webhook_events.c.source == source, webhook_events.c.digest == digest(key))
        return bool(await self._database.read(lambda connection: connection.execute(query).scalar_one()))

    async def remember(self, tenant: str, source: str, key: str, at: datetime) -> None:
        """Know a message of this id when it comes again, whatever it held."""
        values = {"tenant": tenant, "source": source, "digest": digest(key), "received_at": at}
        await self._database.write(lambda connection: connection.execute(insert_into(connection, webhook_events).values(values).on_conflict_do_nothing()))

    async def concern(self, concerned: Sequence[tuple[InboxRow, str]]) -> None:
        """Remember which records rows concern, beside those known."""
        values = [{"tenant": row.tenant, "source": row.source, "digest": record, "inbox_id": row.id} for row, record in concerned]

        def work(connection: Connection) -> None:
            connection.execute(insert_into(connection, webhook_records).on_conflict_do_nothing(), values)

        if values:
            await self._database.write(work)

    async def of_record(self, tenant: str, source: str, record: str, before: int | None = None) -> list[InboxRow]:
        """The newest events that concern a record, of those that came before one, in the order they came; those that wait for an answer are left out."""
        chosen = [inbox.c.awaits.is_(None), *([] if before is None else [inbox.c.id < before])]
        query = select(inbox).where(inbox.c.id.in_(_events_of(tenant, source, record)), *chosen).order_by(inbox.c.id.desc()).limit(MOST_EVENTS)
        rows = await self._database.read(lambda connection: connection.execute(query).mappings().all())
        return [InboxRow(**row) for row in reversed(rows)]

    async def refused(self, tenant: str, source: str, record: str) -> list[int]:
        """The events of a record that were dealt with and of which no row could be made."""
        wrong = [inbox.c.error.is_not(None), inbox.c.normalised_at.is_not(None), inbox.c.awaits.is_(None)]
        query = select(inbox.c.id).where(inbox.c.id.in_(_events_of(tenant, source, record)), *wrong)
        return list(await self._database.read(lambda connection: connection.execute(query).scalars().all()))

    async def awaiting(self, now: datetime, limit: int = 50) -> list[InboxRow]:
        """Rows for which a further answer is to be asked for now, those least tried first, of these the longest due."""
        query = select(inbox).where(inbox.c.awaits <= now).order_by(inbox.c.tries, inbox.c.awaits, inbox.c.id).limit(limit)
        rows = await self._database.read(lambda connection: connection.execute(query).mappings().all())
        return [InboxRow(**row) for row in rows]

    async def next_due(self) -> datetime | None:
        """When the next further answer is to be asked for; None when none is."""
        query = select(func.min(inbox.c.awaits, type_=inbox.c.awaits.type))
        return await self._database.read(lambda connection: connection.execute(query).scalar())

    async def count_awaiting(self) -> dict[str, int]:
        """How many rows wait for a further answer, by source."""
        query = select(inbox.c.source, func.count()).where(inbox.c.awaits.is_not(None)).group_by(inbox.c.source)
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return {source: int(count) for source, count in rows}

    async def answered(self, ident: int, body: str) -> None:
        """The further answer is there, as part of the body: the row goes on."""
        await self._settle(ident, {"body": body, "awaits": None, "error": None, "normalised_at": None})
        self._inbox.arrived.set()

    async def later(self, ident: int, at: datetime, why: str) -> None:
        """Ask again then; the row says why it waits."""
        await self._settle(ident, {"awaits": at, "error": why, "tries": inbox.c.tries + 1})

    async def put_off(self, source: str, now: datetime, at: datetime, why: str) -> int:
        """Have what is due of a source wait until then without a try of its own; rows that were never tried say why. How many rows that are."""
        said = case((inbox.c.tries == 0, why), else_=inbox.c.error)
        statement = update(inbox).where(inbox.c.source == source, inbox.c.awaits <= now).values(awaits=at, error=said)
        found: int = await self._database.write(lambda connection: connection.execute(statement).rowcount)
        return found

    async def ask_now(self, source: str, since: datetime | None, now: datetime) -> int:
        """Have rows of a feed, or of a kind, that wait for an answer asked for at once and as if for the first time; how many those are."""
        statement = update(inbox).where(*of_source(source, since), inbox.c.awaits.is_not(None)).values(awaits=now, tries=0)
        found: int = await self._database.write(lambda connection: connection.execute(statement).rowcount)
        return found

    async def again(self, asking: Iterable[int], others: Iterable[int], now: datetime) -> None:
        """Have rows that are dealt with brought to the engine once more; for those of `asking` a further answer is asked for before."""
        dealt = (inbox.c.id == bindparam("row"), inbox.c.normalised_at.is_not(None))
        afresh = {"normalised_at": None, "error": None, "tries": 0}

        def work(connection: Connection) -> None:
            for ids, awaits in ((list(asking), now), (list(others), None)):
                # What the events say may be read otherwise now.
                let_go(connection, ids)
                if values := [{"row": one} for one in ids]:
                    connection.execute(update(inbox).where(*dealt).values(**afresh, awaits=awaits), values)

        await self._database.write(work)
        self._inbox.arrived.set()

    async def given_up(self, ident: int, at: datetime, why: str) -> None:
        """There will be no answer: the row stays with the reason."""
        await self._settle(ident, {"awaits": None, "error": why, "normalised_at": at})

    async def forget_before(self, moment: datetime) -> None:
        """Forget ids of events so old that no vendor repeats them."""
        await self._database.write(lambda connection: connection.execute(delete(webhook_events).where(webhook_events.c.received_at < moment)))

    async def _settle(self, ident: int, values: dict[str, object]) -> None:
        # An erasure may have taken the row meanwhile; nothing is put in its place.
        statement = update(inbox).where(inbox.c.id == ident, inbox.c.awaits.is_not(None)).values(**values)
        await self._database.write(lambda connection: connection.execute(statement))


def _events_of(tenant: str, source: str, record: str) -> Select[tuple[int]]:
    of_it = (webhook_records.c.tenant == tenant, webhook_records.c.source == source, webhook_records.c.digest == record)
    return select(webhook_records.c.inbox_id).where(*of_it)


def _take(connection: Connection, event: Arriving) -> int:
    one = event.arrival
    for name in (digest(one.source_key), *((digest("signed", event.signed),) if event.signed else ())):
        named = {"tenant": one.tenant, "source": one.source, "digest": name, "received_at": one.received_at}
        # The number of rows of such an insert is not told by every driver; what it returns is.
        fresh = insert_into(connection, webhook_events).values(named).on_conflict_do_nothing().returning(webhook_events.c.digest)
        if connection.execute(fresh).first() is None:
            return 0
    ident = connection.execute(insert(inbox).values(**asdict(one), awaits=event.awaits).returning(inbox.c.id)).scalar_one()
    values = [{"tenant": one.tenant, "source": one.source, "digest": record, "inbox_id": ident} for record in dict.fromkeys(event.records)]
    if values:
        connection.execute(insert(webhook_records), values)
    return 1
