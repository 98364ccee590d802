"""Marks: moments somebody told of, such as a release or a fix, with the journey it is about. They hold nothing of customers."""

import secrets
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, delete, func, insert, select

from sojourn_collector.store.control.database import Database
from sojourn_collector.store.control.tables import audit, marks

LONGEST_NAME = 200
LONGEST_PLACE = 128
LONGEST_NOTE = 2000
MOST = 10_000
"""Marks kept; a pipeline that marks each build comes to a few thousand a year."""


class MarkKind(StrEnum):
    """What happened."""

    RELEASE = "release"
    FIX = "fix"
    CAMPAIGN = "campaign"
    PRICE = "price"


@dataclass(frozen=True, slots=True)
class MarkRow:
    """One mark. `name` is a version or what was fixed; `journey` and `step` are what it treats, empty where it is about everything.

    `trouble_from` = when the trouble began that led to it, None where nobody said; `actor` is a key's id or `cli`.
    """

    kind: MarkKind
    at: datetime
    name: str
    actor: str
    made_at: datetime
    journey: str = ""
    step: str = ""
    trouble_from: datetime | None = None
    note: str = ""
    id: str = ""
    tenant: str = "default"


class TooManyMarksError(Exception):
    """`MOST` marks are kept; the text is one sentence with the cure."""


# A class with a method `list` cannot say `list[…]` below it.
Rows = list[MarkRow]


class Marks:
    """Keeps marks, each deed with its audit row."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, mark: MarkRow) -> MarkRow:
        """Keep one and write down who made it, in one transaction; it comes back with its id. Raises TooManyMarksError."""
        made = replace(mark, id=secrets.token_hex(6))
        deed = {"at": made.made_at, "actor": made.actor, "action": f"mark.{made.kind}", "subject": made.id, "detail": made.name}

        def work(connection: Connection) -> bool:
            if connection.execute(select(func.count()).select_from(marks).where(marks.c.tenant == made.tenant)).scalar_one() >= MOST:
                return False
            connection.execute(insert(marks), {**asdict(made), "kind": str(made.kind)})
            connection.execute(insert(audit), deed)
            return True

        if not await self._database.write(work):
            raise TooManyMarksError(f"{MOST:,} marks are kept already; remove some first, `sojourn-collector mark list` shows them")
        return made

    async def get(self, ident: str, *, tenant: str = "default") -> MarkRow | None:
        """The mark of this id."""
        query = select(marks).where(marks.c.id == ident, marks.c.tenant == tenant)
        row = await self._database.read(lambda connection: connection.execute(query).mappings().first())
        return None if row is None else MarkRow(**{**row, "kind": MarkKind(row["kind"])})

    async def list(self, limit: int = 1000, *, tenant: str = "default") -> Rows:
        """The newest first."""
        query = select(marks).where(marks.c.tenant == tenant).order_by(marks.c.at.desc(), marks.c.id).limit(limit)
        rows = await self._database.read(lambda connection: connection.execute(query).mappings().all())
        return [MarkRow(**{**row, "kind": MarkKind(row["kind"])}) for row in rows]

    async def remove(self, ident: str, actor: str, at: datetime, *, tenant: str = "default") -> bool:
        """Take one away and write down who did; False when there is none."""
        deed = {"at": at, "actor": actor, "action": "mark.remove", "subject": ident, "detail": ""}

        def work(connection: Connection) -> bool:
            if connection.execute(delete(marks).where(marks.c.id == ident, marks.c.tenant == tenant)).rowcount != 1:
                return False
            connection.execute(insert(audit), deed)
            return True

        return await self._database.write(work)
