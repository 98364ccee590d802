"""Leases: what one collector at a time may do. Each taking has a higher fence than all before, so that a former holder is told from the present one."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement, Connection, case, select, update

from sojourn_collector.store.control.database import Database, insert_into, now_at
from sojourn_collector.store.control.tables import leases


class LeaseLostError(Exception):
    """Another collector has taken over; what was to be written is not."""


@dataclass(frozen=True, slots=True)
class Lease:
    """A lease as it was taken. `reserved` is the highest number that any holder before may have given out."""

    name: str
    node: int
    fence: int
    reserved: int


class Leases:
    """Takes, renews and gives back leases. Times are the database's."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def take(self, name: str, node: int, seconds: float) -> Lease | None:
        """The lease for `seconds`, when nobody or this node has it; else None."""

        def work(connection: Connection) -> Lease | None:
            now = connection.execute(select(now_at(connection))).scalar_one()
            until = now + timedelta(seconds=seconds)
            statement = insert_into(connection, leases).values(name=name, node=node, fence=1, until=until, reserved=0)
            free = (leases.c.until <= now) | (leases.c.node == node)
            taken = statement.on_conflict_do_update(
                index_elements=["name"], set_={"node": node, "fence": leases.c.fence + 1, "until": until}, where=free
            ).returning(leases.c.fence, leases.c.reserved)
            row = connection.execute(taken).first()
            return None if row is None else Lease(name, node, row.fence, row.reserved)

        return await self._database.write(work)

    async def renew(self, lease: Lease, seconds: float, reserve: int = 0) -> bool:
        """Hold it for `seconds` from now, and numbers up to `reserve`. False when another has it."""

        def work(connection: Connection) -> bool:
            now = connection.execute(select(now_at(connection))).scalar_one()
            higher = case((leases.c.reserved > reserve, leases.c.reserved), else_=reserve)
            statement = update(leases).where(*_same(lease)).values(until=now + timedelta(seconds=seconds), reserved=higher)
            return connection.execute(statement).rowcount == 1

        return await self._database.write(work)

    async def give_back(self, lease: Lease, given: int = 0) -> None:
        """Let others take it at once; `given` is the highest number that was given out under it."""

        def work(connection: Connection) -> None:
            changed = {"until": select(now_at(connection)).scalar_subquery()} | ({"reserved": given} if given else {})
            connection.execute(update(leases).where(*_same(lease)).values(**changed))

        await self._database.write(work)

    async def holder(self, name: str) -> int | None:
        """The number of the node that has it, None when nobody has."""

        def work(connection: Connection) -> int | None:
            return connection.execute(select(leases.c.node).where(leases.c.name == name, leases.c.until > now_at(connection))).scalar()

        return await self._database.read(work)


def require(connection: Connection, lease: Lease) -> None:
    """Part of a transaction that only the holder may do; nobody can take the lease before it is over. Raises LeaseLostError."""
    if connection.execute(select(leases.c.name).where(*_same(lease)).with_for_update()).first() is None:
        raise LeaseLostError(f"the lease {lease.name} was taken over by another collector")


def _same(lease: Lease) -> tuple[ColumnElement[bool], ...]:
    return leases.c.name == lease.name, leases.c.node == lease.node, leases.c.fence == lease.fence
