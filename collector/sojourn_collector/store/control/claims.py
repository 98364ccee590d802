"""Claims: with several collectors a batch belongs to one of them before it is on any disk. A claim is a ledger row whose `seq` is still 0.

A settled row (`seq` above 0) says for ever: this node's journal has the batch, and this node alone loads it. Only unsettled claims change hands, and only
when their node is not alive. A node settles before it loads, so it is safe whatever the clocks say; leases decide only how long others wait.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, and_, case, delete, select, tuple_, update

from sojourn_collector.store.control.database import Database, insert_into, now_at
from sojourn_collector.store.control.tables import ledger, nodes

_AT_ONCE = 1000
_TRIES = 3


class BatchName(NamedTuple):
    """What names a batch."""

    credential: str
    path: str
    batch_id: str


class Whose(StrEnum):
    """Whose a batch is. `undecided`: another node has claimed it and not settled yet."""

    OURS = "ours"
    SETTLED = "settled"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Claim:
    """What came of claiming: with OURS it may be stored here. `body_sha256` is that of whoever claimed it first."""

    whose: Whose
    body_sha256: str
    node: int


class Entry(NamedTuple):
    """What is entered of a batch that is on this node's disk."""

    seq: int
    body_sha256: str
    accepted_at: datetime


class Claims:
    """The claims of one node."""

    def __init__(self, database: Database, node: int) -> None:
        self._database = database
        self.node = node

    async def claim(self, name: BatchName, body_sha256: str, at: datetime) -> Claim:
        """Claim a batch before it is stored. An unsettled claim of this node is ours again; one of a node that is not alive is taken over."""

        def work(connection: Connection) -> Claim:
            for _ in range(_TRIES):
                row = {**name._asdict(), "body_sha256": body_sha256, "seq": 0, "accepted_at": at, "node": self.node}
                if connection.execute(insert_into(connection, ledger).values(row).on_conflict_do_nothing()).rowcount == 1:
                    return Claim(Whose.OURS, body_sha256, self.node)
                found = connection.execute(select(ledger.c.body_sha256, ledger.c.seq, ledger.c.node).where(_named(name))).first()
                if found is None:
                    continue  # its claim was given up in between
                if found.seq > 0:
                    return Claim(Whose.SETTLED, found.body_sha256, found.node)
                same = found.body_sha256 == body_sha256
                ours = found.node == self.node or (same and self._take_over(connection, name, found.node, at))
                return Claim(Whose.OURS if ours else Whose.UNDECIDED, found.body_sha256, found.node)
            return Claim(Whose.UNDECIDED, body_sha256, self.node)

        return await self._database.write(work)

    def _take_over(self, connection: Connection, name: BatchName, node: int, at: datetime) -> bool:
        alive = select(nodes.c.number).where(nodes.c.number == node, nodes.c.alive_until > now_at(connection)).exists()
        statement = update(ledger).where(_named(name), ledger.c.seq == 0, ledger.c.node == node, ~alive)
        return connection.execute(statement.values(node=self.node, taken_over=True, accepted_at=at)).rowcount == 1

    async def settle(self, entries: Mapping[BatchName, Entry]) -> dict[BatchName, Whose]:
        """Settle what is in this node's journal, and say whose each batch is. Durable when this returns; saying it again changes nothing.

        A claim that is gone is made anew. One of a node that is not alive is taken over.
        """
        if not entries:
            return {}

        def work(connection: Connection) -> dict[BatchName, Whose]:
            whose: dict[BatchName, Whose] = {}
            items = sorted(entries.items())  # two that settle at once lock rows in the same order
            for start in range(0, len(items), _AT_ONCE):
                part = dict(items[start : start + _AT_ONCE])
                whose |= self._settle_some(connection, part)
            return whose

        return await self._database.write(work)

    def _settle_some(self, connection: Connection, entries: Mapping[BatchName, Entry]) -> dict[BatchName, Whose]:
        rows = [{**name._asdict(), **entry._asdict(), "node": self.node} for name, entry in entries.items()]
        statement = insert_into(connection, ledger)
        settled = statement.on_conflict_do_update(
            index_elements=["credential", "path", "batch_id"],
            set_={"seq": case((ledger.c.seq == 0, statement.excluded.seq), else_=ledger.c.seq)},
            where=ledger.c.node == self.node,
        ).returning(ledger.c.credential, ledger.c.path, ledger.c.batch_id)
        whose = {BatchName(*row): Whose.OURS for row in connection.execute(settled, rows)}
        for name in entries.keys() - whose.keys():
            found = connection.execute(select(ledger.c.seq, ledger.c.node).where(_named(name))).first()
            if found is not None and found.seq > 0:
                whose[name] = Whose.SETTLED
            elif found is not None and self._take_over(connection, name, found.node, entries[name].accepted_at):
                connection.execute(update(ledger).where(_named(name), ledger.c.node == self.node).values(seq=entries[name].seq))
                whose[name] = Whose.OURS
            else:
                whose[name] = Whose.UNDECIDED
        return whose

    async def give_up(self, names: Iterable[BatchName]) -> None:
        """Nothing of these is on this node's disk: others may have them. What is settled stays."""
        given = sorted(names)
        mine = and_(ledger.c.node == self.node, ledger.c.seq == 0)

        def work(connection: Connection) -> None:
            for start in range(0, len(given), _AT_ONCE):
                some = tuple_(ledger.c.credential, ledger.c.path, ledger.c.batch_id).in_(given[start : start + _AT_ONCE])
                connection.execute(delete(ledger).where(mine, some))

        if given:
            await self._database.write(work)

    async def give_up_rest(self) -> int:
        """At the start, after everything in the journal is settled: what else this node had claimed is on no disk. Says how many that were."""
        statement = delete(ledger).where(ledger.c.node == self.node, ledger.c.seq == 0)
        return await self._database.write(lambda connection: connection.execute(statement).rowcount)


def _named(name: BatchName) -> ColumnElement[bool]:
    return and_(ledger.c.credential == name.credential, ledger.c.path == name.path, ledger.c.batch_id == name.batch_id)
