"""Imports of files: what each brought, and taking it back."""

import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, func, insert, select, update

from sojourn_collector.store.control.database import Database
from sojourn_collector.store.control.inbox import Arrival, Inbox
from sojourn_collector.store.control.tables import imports, inbox

LONGEST_NAME = 200
"""Characters of a file's name that are kept."""


@dataclass(frozen=True, slots=True)
class Import:
    """One import: `kind` is the source's name, `accepted` and `rejected` are rows."""

    id: str
    tenant: str
    kind: str
    file: str
    actor: str
    begun_at: datetime
    accepted: int
    rejected: int
    undone_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Undone:
    """What undoing an import did: rows taken out, and earlier versions of them brought back."""

    rows: int
    restored: int


class ImportClosedError(Exception):
    """There is no such import, or it was undone; the text is one sentence."""


class Imports:
    """Begins imports, adds to them, lists them and takes them back."""

    def __init__(self, database: Database, arrivals: Inbox) -> None:
        self._database = database
        self._inbox = arrivals

    async def begin(self, kind: str, file: str, actor: str, at: datetime, *, tenant: str = "default") -> Import:
        """A new import without rows."""
        name = "".join(letter for letter in file if letter.isprintable())[:LONGEST_NAME]
        one = Import(secrets.token_hex(6), tenant, kind, name, actor, at, 0, 0)
        await self._database.write(lambda connection: connection.execute(insert(imports), asdict(one)))
        return one

    async def get(self, ident: str, *, tenant: str = "default") -> Import | None:
        """The import of this id."""
        query = select(imports).where(imports.c.id == ident, imports.c.tenant == tenant)
        row = await self._database.read(lambda connection: connection.execute(query).mappings().first())
        return None if row is None else Import(**row)

    async def latest(self, limit: int = 50, *, tenant: str = "default") -> list[Import]:
        """The latest imports, newest first."""
        query = select(imports).where(imports.c.tenant == tenant).order_by(imports.c.begun_at.desc(), imports.c.id).limit(limit)
        rows = await self._database.read(lambda connection: connection.execute(query).mappings().all())
        return [Import(**row) for row in rows]

    async def add(self, one: Import, arrivals: Sequence[Arrival], rejected: int) -> None:
        """Keep rows of an import, in one transaction with its counts; durable when this returns. Raises ImportClosedError."""
        values = [{**asdict(arrival), "import_id": one.id} for arrival in arrivals]

        def work(connection: Connection) -> bool:
            counted = {"accepted": imports.c.accepted + len(values), "rejected": imports.c.rejected + rejected}
            if connection.execute(update(imports).where(imports.c.id == one.id, imports.c.undone_at.is_(None)).values(**counted)).rowcount != 1:
                return False
            if values:
                connection.execute(insert(inbox), values)
            return True

        if not await self._database.write(work):
            raise ImportClosedError(f"import {one.id} was undone; nothing can be added to it")
        if values:
            self._inbox.arrived.set()

    async def undo(self, ident: str, at: datetime, *, tenant: str = "default") -> Undone:
        """Take out what an import brought; where it had replaced an earlier version, that one is in force again.

        The engine follows. Raises ImportClosedError.
        """
        mine = inbox.c.import_id == ident
        other = inbox.alias("other")
        same = [other.c[name] == inbox.c[name] for name in ("tenant", "kind", "source", "source_key")]
        newest = (
            select(func.max(other.c.id))
            .select_from(inbox.join(other, same[0] & same[1] & same[2] & same[3]))
            .where(mine, other.c.withdrawn.is_(False), other.c.error.is_(None))
            .group_by(other.c.tenant, other.c.kind, other.c.source, other.c.source_key)
            # A version that came after the import is in force already.
            .having(func.max(other.c.id) < func.max(inbox.c.id))
        )

        def work(connection: Connection) -> Undone | None:
            ended = update(imports).where(imports.c.id == ident, imports.c.tenant == tenant, imports.c.undone_at.is_(None))
            if connection.execute(ended.values(undone_at=at)).rowcount != 1:
                return None
            rows = connection.execute(update(inbox).where(mine, inbox.c.withdrawn.is_(False)).values(withdrawn=True, normalised_at=None, error=None)).rowcount
            back = connection.execute(update(inbox).where(inbox.c.id.in_(newest)).values(normalised_at=None)).rowcount
            return Undone(rows, back)

        done = await self._database.write(work)
        if done is None:
            raise ImportClosedError(f"there is no import {ident} that could be undone; `sojourn-collector import --list` shows which there are")
        self._inbox.arrived.set()
        return done
