"""Nodes: the collectors on one control database, each with a number that marks its journal's sequence numbers."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, insert, select, text, update

from sojourn_collector.store.control.database import Database, now_at
from sojourn_collector.store.control.errors import ControlError
from sojourn_collector.store.control.tables import nodes
from sojourn_collector.store.numbering import MOST_NODES, first_of

_NUMBERING = 0x50_4A_4F_55_52_4F  # advisory lock: two that start at once get two numbers


@dataclass(frozen=True, slots=True)
class NodeRow:
    """One collector. `epoch` counts its starts; `loaded_seq` is how far its journal is in the tables; it counts as alive until `alive_until`."""

    number: int
    id: str
    host: str
    epoch: int
    last_seq: int
    loaded_seq: int
    alive_until: datetime
    alive: bool


class Nodes:
    """Registers nodes and keeps what they say of themselves. Times are the database's."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def register(self, ident: str, host: str, seconds: float, wanted: int | None = None) -> NodeRow:
        """Begin a new epoch of the node `ident`, alive for `seconds`; one that is not known yet gets `wanted`, else the next number.

        Raises ControlError when `wanted` is another's.
        """

        def work(connection: Connection) -> NodeRow:
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _NUMBERING})
            until = connection.execute(select(now_at(connection))).scalar_one() + timedelta(seconds=seconds)
            again = update(nodes).where(nodes.c.id == ident).values(epoch=nodes.c.epoch + 1, host=host[:256], alive_until=until)
            if connection.execute(again).rowcount == 0:
                number = wanted if wanted is not None else int(connection.execute(select(func.coalesce(func.max(nodes.c.number) + 1, 0))).scalar_one())
                if connection.execute(select(nodes.c.id).where(nodes.c.number == number)).first() is not None:
                    raise ControlError(
                        f"the journal of this collector has the numbers of node {number}, which is another collector's in this control database; "
                        "run it once more with its former control database until everything is loaded, then move its folder journal away"
                    )
                if number >= MOST_NODES:
                    raise ControlError(f"{MOST_NODES} collectors were registered in this control database; there are no more numbers")
                first = first_of(number)
                row = {"number": number, "id": ident, "host": host[:256], "epoch": 1, "last_seq": first, "loaded_seq": first, "alive_until": until}
                connection.execute(insert(nodes), row)
            return _rows(connection, ident)[0]

        return await self._database.write(work)

    async def beat(self, node: NodeRow, seconds: float, last_seq: int, loaded_seq: int) -> bool:
        """Say that the node lives and how far it is. False when a newer epoch of it has begun."""

        def work(connection: Connection) -> bool:
            until = connection.execute(select(now_at(connection))).scalar_one() + timedelta(seconds=seconds)
            same = update(nodes).where(nodes.c.number == node.number, nodes.c.epoch == node.epoch)
            return connection.execute(same.values(alive_until=until, last_seq=last_seq, loaded_seq=loaded_seq)).rowcount == 1

        return await self._database.write(work)

    async def list(self) -> list[NodeRow]:
        """Every node there ever was, by number."""
        return await self._database.read(_rows)


def _rows(connection: Connection, ident: str | None = None) -> list[NodeRow]:
    query = select(nodes, (nodes.c.alive_until > now_at(connection)).label("alive")).order_by(nodes.c.number)
    found = connection.execute(query if ident is None else query.where(nodes.c.id == ident)).mappings().all()
    return [NodeRow(**{**row, "alive": bool(row["alive"])}) for row in found]
