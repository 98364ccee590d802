"""Dead letters of the collector: what was accepted and could not be loaded, kept as a file with its reason."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, select, update

from sojourn_collector.store.control.database import Database, insert_into
from sojourn_collector.store.control.tables import dead_letters


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One dead letter: `file` holds the bytes, in the data folder of the collector `node`; `reason` is one sentence."""

    id: int
    signal: str
    reason: str
    file: str
    at: datetime
    node: int = 0


class DeadLetters:
    """Adds and lists dead letters; unique by file, so that a repeated bisection adds none twice."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, signal: str, reason: str, file: str, at: datetime, node: int = 0) -> None:
        """Remember one; a file already known stays as it is."""

        def work(connection: Connection) -> None:
            statement = insert_into(connection, dead_letters).values(signal=signal, reason=reason, file=file, at=at, node=node)
            connection.execute(statement.on_conflict_do_nothing(index_elements=["file"]))

        await self._database.write(work)

    async def list(self, limit: int = 1000) -> list[DeadLetter]:
        """The newest first."""
        query = select(dead_letters).order_by(dead_letters.c.id.desc()).limit(limit)
        rows = await self._database.read(lambda connection: connection.execute(query).mappings().all())
        return [DeadLetter(**row) for row in rows]

    async def get(self, ident: int) -> DeadLetter | None:
        """The letter of this id; None when there is none, also of a number that is no id of a row."""
        if not 0 < ident < 2**63:
            return None
        query = select(dead_letters).where(dead_letters.c.id == ident)
        row = await self._database.read(lambda connection: connection.execute(query).mappings().first())
        return None if row is None else DeadLetter(**row)

    async def remove(self, ident: int) -> None:
        """Forget one; its file is the caller's."""
        await self._database.write(lambda connection: connection.execute(delete(dead_letters).where(dead_letters.c.id == ident)))

    async def rewrite(self, ident: int, reason: str) -> None:
        """Say its reason in other words."""
        await self._database.write(lambda connection: connection.execute(update(dead_letters).where(dead_letters.c.id == ident).values(reason=reason)))
