"""The engine's tables as a place."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from typing import Any

from sojourn_collector.store.client import Store
from sojourn_collector.store.erasure.statements import CONDITIONS, DERIVED
from sojourn_collector.store.erasure.subject import Names, Orders
from sojourn_collector.store.erasure.work import lent

_DEADLINE = 3600.0


class Tables:
    """Every table that has rows about somebody."""

    name = "tables"

    def __init__(self, store: Store) -> None:
        self._store = store

    async def count(self, names: Names) -> dict[str, int]:
        """Rows by table."""
        async with lent(self._store, names, _job()) as work:
            return {table: await work.count(table) for table in await work.tables() if table not in DERIVED}

    async def erase(self, names: Names, orders: Orders) -> dict[str, int]:
        """Delete them, table by table; the engine rewrites the parts they were in."""
        async with lent(self._store, names, _job()) as work:
            done = {}
            for table in await work.tables():
                done[table] = await (work.strip_orders() if table == "orders" and orders == "strip" else work.delete(table))
            return {table: number for table, number in done.items() if table not in DERIVED}

    async def kept(self, names: Names) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        """The rows as they stand, in the order of time where there is one."""
        async with lent(self._store, names, _job()) as work:
            for table in await work.tables():
                if table in DERIVED:
                    continue
                types = await self._store.columns(table)
                final = " FINAL" if "version" in types else ""
                hexed = [f"lower(hex({name})) AS {name}" for name, kind in types.items() if kind.startswith("FixedString")]
                columns = f"* EXCEPT ({', '.join(one.rpartition(' ')[2] for one in hexed)}), {', '.join(hexed)}" if hexed else "*"
                order = next((name for name in ("ts", "started") if name in types), "id")
                # The condition speaks of the table's own columns, so it stays below the aliases.
                sql = f"SELECT {columns} FROM (SELECT * FROM {table}{final} WHERE {work.condition(table)} ORDER BY {order})"  # noqa: S608 - all ours
                for row in await self._store.rows(sql, deadline=_DEADLINE):
                    yield table, row

    async def settled(self, every: float) -> None:
        """Wait until what was replaced till now is off the disk, looking every so many seconds; the engine removes it by itself, within a minute.

        Merges go on and leave other files, which are none of ours. No part is called as one before it.
        """
        left = await self._replaced()
        while left := left & await self._replaced():  # noqa: ASYNC110 - the engine tells nobody when it removes files
            await asyncio.sleep(every)

    async def _replaced(self) -> frozenset[tuple[str, str]]:
        return frozenset((row["table"], row["name"]) for row in await self._store.query("erase_inactive", tables=list(CONDITIONS)))


def _job() -> str:
    return secrets.token_hex(8)
