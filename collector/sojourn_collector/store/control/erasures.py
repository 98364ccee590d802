"""Erasures: what is to be forgotten, how far it has come, and the tombstones that keep it from coming back.

While one is at work its row holds the person's names, so that it goes on after a crash; once it is done only digests under this installation's key stay.
"""

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from sojourn_collector.store.control.database import Database, insert_into
from sojourn_collector.store.control.tables import erasure_key, erasures, tombstones

DONE = "done"


@dataclass(frozen=True, slots=True)
class ErasureRow:
    """One erasure. `subject` is a digest; `state` names the step at work, or `done`; `work` holds names in clear until it is."""

    id: int
    tenant: str
    subject: str
    kind: str
    actor: str
    orders: str
    state: str
    note: str
    counts: dict[str, int]
    work: dict[str, Any]
    erased_at: datetime
    done_at: datetime | None

    def shown(self) -> dict[str, Any]:
        """What may be told of it: nothing that names the person."""
        return {
            "id": self.id,
            "subject": self.subject,
            "kind": self.kind,
            "actor": self.actor,
            "orders": self.orders,
            "state": self.state,
            "note": self.note,
            "counts": self.counts,
            "erased_at": self.erased_at.isoformat(),
            "done_at": None if self.done_at is None else self.done_at.isoformat(),
        }


@dataclass(frozen=True, slots=True)
class Tombstone:
    """A name, by its digest, whose data from before `erased_at` are not to come back."""

    tenant: str
    digest: str
    kind: str
    erased_at: datetime


# A class with a method `list` cannot say `list[…]` below it.
Rows = list[ErasureRow]
Stones = list[Tombstone]


class Erasures:
    """Keeps erasures and tombstones."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._key = b""

    async def digest(self, kind: str, name: str) -> str:
        """A name as it may be kept: HMAC-SHA-256 in hex under this installation's key."""
        await self.key()
        return self.digest_now(kind, name)

    def digest_now(self, kind: str, name: str) -> str:
        """`digest`, once the key was read."""
        assert self._key
        return hmac.new(self._key, f"{kind}:{name}".encode("utf-8", "surrogateescape"), hashlib.sha256).hexdigest()

    async def key(self) -> bytes:
        """This installation's key."""
        if not self._key:
            found = await self._database.read(lambda connection: connection.execute(select(erasure_key.c.key)).scalar_one())
            self._key = bytes.fromhex(found)
        return self._key

    async def take_key(self, key: bytes) -> None:
        """Go on with the key of another control database, whose tombstones are taken over."""
        await self._database.write(lambda connection: connection.execute(update(erasure_key).values(key=key.hex())))
        self._key = key

    async def add(self, tenant: str, kind: str, name: str, actor: str, orders: str, at: datetime) -> int:
        """Begin one; its id. The same subject still at work is not begun twice."""
        subject = await self.digest(kind, name)
        row: dict[str, Any] = {"tenant": tenant, "subject": subject, "kind": kind, "actor": actor, "orders": orders, "erased_at": at}
        row |= {"state": "waiting", "note": "", "counts": "{}", "work": json.dumps({"kind": kind, "name": name})}

        def work(connection: Connection) -> int:
            same = (erasures.c.tenant == tenant, erasures.c.subject == subject, erasures.c.state != DONE)
            known = connection.execute(select(erasures.c.id).where(*same)).scalar()
            if known is not None:
                return int(known)
            key = connection.execute(insert(erasures), row).inserted_primary_key
            assert key is not None
            return int(key[0])

        return await self._database.write(work)

    async def note(self, ident: int, **columns: Any) -> None:
        """Write down how far one has come: `state`, `note`, `counts`, `work`, `done_at`."""
        values = {name: json.dumps(value) if isinstance(value, dict) else value for name, value in columns.items()}
        await self._database.write(lambda connection: connection.execute(update(erasures).where(erasures.c.id == ident).values(**values)))

    async def get(self, ident: int) -> ErasureRow | None:
        """The erasure of this id."""
        if not 0 < ident < 2**63:
            return None
        rows = await self._rows(select(erasures).where(erasures.c.id == ident))
        return rows[0] if rows else None

    async def list(self, limit: int = 1000) -> Rows:
        """The newest first."""
        return await self._rows(select(erasures).order_by(erasures.c.id.desc()).limit(limit))

    async def open(self) -> Rows:
        """Those that are not done, the oldest first."""
        return await self._rows(select(erasures).where(erasures.c.state != DONE).order_by(erasures.c.id))

    async def stamp(self) -> int | None:
        """A number that grows with every erasure; None while one is at work."""
        query = select(func.count(), func.count(erasures.c.done_at))
        begun, done = await self._database.read(lambda connection: connection.execute(query).one())
        return int(begun) if begun == done else None

    async def _rows(self, query: Any) -> Rows:
        rows = await self._database.read(lambda connection: connection.execute(query).mappings().all())
        return [ErasureRow(**{**row, "counts": json.loads(row["counts"]), "work": json.loads(row["work"])}) for row in rows]

    async def bury(self, tenant: str, names: Mapping[str, Iterable[str]], at: datetime) -> None:
        """Leave tombstones for these names by kind; a later moment goes before an earlier one."""
        await self.key()
        await self.add_tombstones(Tombstone(tenant, self.digest_now(kind, name), kind, at) for kind, group in names.items() for name in sorted(group))

    async def add_tombstones(self, found: Iterable[Tombstone]) -> None:
        """Take over tombstones as they are; a later moment goes before an earlier one."""
        values = [{"tenant": one.tenant, "digest": one.digest, "kind": one.kind, "erased_at": one.erased_at} for one in found]
        if not values:
            return

        def work(connection: Connection) -> None:
            statement = insert_into(connection, tombstones)
            newer = statement.excluded.erased_at > tombstones.c.erased_at
            keys = ["tenant", "digest"]
            connection.execute(statement.on_conflict_do_update(index_elements=keys, set_={"erased_at": statement.excluded.erased_at}, where=newer), values)

        await self._database.write(work)

    async def tombstones(self) -> Stones:
        """All of them."""
        rows = await self._database.read(lambda connection: connection.execute(select(tombstones)).mappings().all())
        return [Tombstone(**row) for row in rows]

    async def count_tombstones(self) -> int:
        """How many there are."""
        return int(await self._database.read(lambda connection: connection.execute(select(func.count()).select_from(tombstones)).scalar_one()))

    async def forget_traces(self, before: datetime) -> int:
        """Drop tombstones of traces erased before a moment: nothing so old is sent any more, and a trace's id names nobody by itself."""
        statement = delete(tombstones).where(tombstones.c.kind == "trace", tombstones.c.erased_at < before)
        return await self._database.write(lambda connection: connection.execute(statement).rowcount)
