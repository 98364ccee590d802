"""What is known of each piece of evidence: whose it is, which content it has, until when it is kept, and why it went."""

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Literal

from sqlalchemy import Connection, Select, delete, func, select, update

from sojourn_collector.store.control.database import Database, insert_into
from sojourn_collector.store.control.tables import evidence, evidence_erased

Why = Literal["age", "room", "erased"]
_AT_ONCE = 500
"""Ids in one statement; SQLite takes some thousands of parameters, PostgreSQL 65,535."""


@dataclass(frozen=True, slots=True)
class Piece:
    """What a sender says of a piece of evidence. `name` is the agent's file name, which the step's span carries; `kind` such as `screenshot`."""

    tenant: str
    name: str
    run_id: str
    journey: str
    step: str
    kind: str
    attempt: int

    @property
    def id(self) -> str:
        """Its id here: the same for the same tenant and name."""
        return hashlib.sha256(f"{self.tenant}\0{self.name}".encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class EvidenceRow(Piece):
    """A piece that came. `sha256` names its content, which is there until `gone_at`."""

    sha256: str
    bytes: int
    media_type: str
    received_at: datetime
    expires_at: datetime
    gone_at: datetime | None = None
    gone_why: str | None = None


class Noted(StrEnum):
    """What became of a row to be added."""

    NEW = "new"
    KNOWN = "known"
    OTHER = "other content"
    GONE = "gone"
    ERASED = "erased"


class EvidenceRows:
    """Adds, finds and forgets rows; the content is the business of `store.evidence`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def look(self, piece: Piece, sha256: str) -> Noted:
        """What adding `piece` with this content would come to."""
        return await self._database.read(lambda connection: _look(connection, piece, sha256))

    async def add(self, row: EvidenceRow) -> Noted:
        """Add `row` unless its name is known, or its run erased; durable when this returns."""

        def work(connection: Connection) -> Noted:
            found = _look(connection, row, row.sha256)
            if found is Noted.NEW:
                connection.execute(insert_into(connection, evidence).values(id=row.id, **asdict(row)))
            return found

        return await self._database.write(work)

    async def get(self, ident: str) -> EvidenceRow | None:
        """The piece of this id."""
        rows = await self._rows(select(evidence).where(evidence.c.id == ident))
        return rows[0] if rows else None

    async def of_runs(self, tenant: str, runs: Collection[str]) -> list[EvidenceRow]:
        """Every piece of these runs, those gone included."""
        found: list[EvidenceRow] = []
        for some in _portions(runs):
            found += await self._rows(select(evidence).where(evidence.c.tenant == tenant, evidence.c.run_id.in_(some)).order_by(evidence.c.name))
        return found

    async def erased(self, tenant: str, run: str) -> bool:
        """Whether the evidence of this run was erased."""
        query = select(evidence_erased.c.at).where(evidence_erased.c.tenant == tenant, evidence_erased.c.run_id == run)
        return await self._database.read(lambda connection: connection.execute(query).first()) is not None

    async def live_bytes(self) -> tuple[int, int]:
        """How many pieces are there, and how many bytes their contents have, each content once."""
        contents = (
            select(func.max(evidence.c.bytes).label("size"), func.count().label("pieces")).where(evidence.c.gone_at.is_(None)).group_by(evidence.c.sha256)
        )
        table = contents.subquery()
        query = select(func.coalesce(func.sum(table.c.pieces), 0), func.coalesce(func.sum(table.c.size), 0))
        pieces, size = await self._database.read(lambda connection: connection.execute(query).one())
        return int(pieces), int(size)

    async def live_contents(self, digests: Collection[str]) -> set[str]:
        """Which of these contents some piece that is there has."""
        found: set[str] = set()
        for some in _portions(digests):
            query = select(evidence.c.sha256).where(evidence.c.sha256.in_(some), evidence.c.gone_at.is_(None)).distinct()
            found |= await self._database.read(partial(_texts, query))
        return found

    async def any(self) -> bool:
        """Whether anything was ever noted here, as far as it is remembered."""
        return await self._database.read(lambda connection: connection.execute(select(evidence.c.id).limit(1)).first()) is not None

    async def due(self, now: datetime, before: datetime, limit: int) -> list[EvidenceRow]:
        """Pieces that are there beyond their time, or came before `before`; the oldest first."""
        late = (evidence.c.expires_at <= now) | (evidence.c.received_at <= before)
        return await self._rows(select(evidence).where(evidence.c.gone_at.is_(None), late).order_by(evidence.c.received_at).limit(limit))

    async def oldest(self, limit: int) -> list[EvidenceRow]:
        """Pieces that are there, the oldest first."""
        return await self._rows(select(evidence).where(evidence.c.gone_at.is_(None)).order_by(evidence.c.received_at, evidence.c.id).limit(limit))

    async def gone(self, ids: Collection[str], why: Why, now: datetime) -> None:
        """Note that these pieces are not there any more."""

        def work(connection: Connection) -> None:
            for some in _portions(ids):
                connection.execute(update(evidence).where(evidence.c.id.in_(some)).values(gone_at=now, gone_why=why))

        await self._database.write(work)

    async def bar(self, tenant: str, runs: Collection[str], now: datetime) -> None:
        """Take no evidence of these runs from now on."""

        def work(connection: Connection) -> None:
            for run in runs:
                statement = insert_into(connection, evidence_erased).values(tenant=tenant, run_id=run, at=now)
                connection.execute(statement.on_conflict_do_nothing(index_elements=["tenant", "run_id"]))

        await self._database.write(work)

    async def forget(self, ids: Collection[str]) -> None:
        """Delete these rows."""

        def work(connection: Connection) -> None:
            for some in _portions(ids):
                connection.execute(delete(evidence).where(evidence.c.id.in_(some)))

        await self._database.write(work)

    async def forget_gone_before(self, moment: datetime) -> None:
        """Delete the rows of pieces that went before `moment`, and what says that a run was erased before it."""

        def work(connection: Connection) -> None:
            connection.execute(delete(evidence).where(evidence.c.gone_at < moment))
            connection.execute(delete(evidence_erased).where(evidence_erased.c.at < moment))

        await self._database.write(work)

    async def _rows(self, query: "Select[tuple[object, ...]]") -> list[EvidenceRow]:
        rows = await self._database.read(lambda connection: connection.execute(query).mappings().all())
        return [EvidenceRow(**{name: value for name, value in row.items() if name != "id"}) for row in rows]


def _look(connection: Connection, piece: Piece, sha256: str) -> Noted:
    barred = select(evidence_erased.c.at).where(evidence_erased.c.tenant == piece.tenant, evidence_erased.c.run_id == piece.run_id)
    if connection.execute(barred).first() is not None:
        return Noted.ERASED
    row = connection.execute(select(evidence.c.sha256, evidence.c.gone_at).where(evidence.c.id == piece.id)).first()
    if row is None:
        return Noted.NEW
    if row.sha256 != sha256:
        return Noted.OTHER
    return Noted.KNOWN if row.gone_at is None else Noted.GONE


def _texts(query: "Select[tuple[str]]", connection: Connection) -> set[str]:
    return {str(row[0]) for row in connection.execute(query)}


def _portions(values: Iterable[str]) -> Iterable[list[str]]:
    every = sorted(set(values))
    return (every[start : start + _AT_ONCE] for start in range(0, len(every), _AT_ONCE))
