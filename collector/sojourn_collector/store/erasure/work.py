"""Names lent to the engine for the time of a piece of work: put into the table `erasing`, in memory, and taken out again."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sojourn_collector.store.client import Store, StoreError
from sojourn_collector.store.erasure import statements
from sojourn_collector.store.erasure.subject import Names

_DEADLINE = 3600.0
"""Seconds a statement over a whole table may take."""


class Work:
    """Statements of one job over one subject's names."""

    def __init__(self, store: Store, where: statements.Names) -> None:
        self._store = store
        self._where = where

    async def tables(self) -> list[str]:
        """The tables with rows about somebody that this engine has."""
        rows = await self._store.rows("SELECT name FROM system.tables WHERE database = currentDatabase() ORDER BY name")
        return [row["name"] for row in rows if row["name"] in statements.CONDITIONS]

    async def count(self, table: str) -> int:
        """How many rows are the subject's."""
        return int((await self._store.rows(statements.count(table, self._where), deadline=_DEADLINE))[0]["n"])

    async def delete(self, table: str) -> int:
        """Take them out; how many there were."""
        found = await self.count(table)
        if found:
            await self._store.statement(statements.delete(table, self._where), deadline=_DEADLINE)
        return found

    async def strip_orders(self) -> int:
        """Take the person out of their orders; how many there were."""
        found = await self.count("orders")
        if found:
            await self._store.statement(statements.strip_orders(self._where), deadline=_DEADLINE)
        return found

    def condition(self, table: str) -> str:
        """Which rows of a table are the subject's, as long as this work lasts."""
        return statements.condition(table, self._where)


@asynccontextmanager
async def lent(store: Store, names: Names, job: str, *, seq: int | None = None, before: int | None = None) -> AsyncIterator[Work]:
    """Lend the names to the engine. `before` in microseconds since 1970. Raises what the store raises."""
    rows = [{"job": job, "kind": kind, "id": one} for kind, group in names.by_kind().items() for one in sorted(group)]
    rows += [{"job": job, "kind": "person", "id": one} for one in sorted(names.persons)]
    rows += [{"job": job, "kind": table, "id": "/".join(pair)} for table, pairs in names.linked().items() for pair in sorted(pairs)]
    words = names.words()
    at_once = statements.WORDS_AT_ONCE
    rows += [{"job": job, "kind": f"word{number // at_once}", "id": word} for number, word in enumerate(words)]
    await store.statement(statements.clear(job))
    await store.insert("erasing", rows)
    where = statements.Names(store.tenant, job, -(-len(words) // at_once), seq, before)
    try:
        yield Work(store, where)
    finally:
        await _clear(store, job)


async def _clear(store: Store, job: str) -> None:
    """An engine that is down has forgotten the names by itself."""
    try:
        await store.statement(statements.clear(job))
    except StoreError:
        return
