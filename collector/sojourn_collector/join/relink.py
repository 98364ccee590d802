"""Linking anew what records that come late concern: a person whose address an answer carried, a ticket or an order that it names.

Only rows that name them are looked at, and only what is new of a record brings that about: an address a person did not have before, a ticket
or an order that is surely linked.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sojourn_collector.join.linker import Linker, cut
from sojourn_collector.join.links import EXPLICIT, earliest
from sojourn_collector.join.versions import Versions
from sojourn_collector.join.writing import write
from sojourn_collector.store.client import Store

_LONG_AGO = timedelta(days=400)
"""How old a row may be that a person is found for."""
_BEFORE = timedelta(days=2)
"""How much earlier than a ticket or an order something that names it may be: clocks differ, and feeds tell the day only."""
_PAGE = 2000
_KEYS: Mapping[str, tuple[str, ...]] = {
    "orders": ("digests",),
    "tickets": ("digests", "orders"),
    "feedback": ("digests", "orders", "tickets"),
    "invitations": ("digests", "orders", "tickets"),
}
"""What a row of each table may name. Those that are named come first: an answer may name a ticket that names an order."""

Row = Mapping[str, Any]


class Relink:
    """Links rows that came before what they name."""

    def __init__(self, store: Store, linker: Linker, versions: Versions) -> None:
        self._store = store
        self._linker = linker
        self._versions = versions

    async def before_people(self, people: Sequence[Row], now: datetime) -> None:
        """Link what carries an address that one of these people, who are not written yet, does not have by now.

        Not yet: should this be broken off, they are still new when it is done again. Whoever is told of again and again costs a look at what is known.
        """
        users: dict[str, str] = {}
        for portion in cut([row for row in people if row["email_sha256"] and not row.get("deleted")]):
            known = await self._store.query("join_people_known", sources=[row["source"] for row in portion], keys=[row["id"] for row in portion])
            has = {(row["source"], row["id"], row["email_sha256"]) for row in known}
            users |= {row["email_sha256"]: row["id"] for row in portion if (row["source"], row["id"], row["email_sha256"]) not in has}
        await self._each(now - _LONG_AGO, {"digests": list(users)}, users)

    async def after_links(self, orders: Iterable[Row], tickets: Iterable[Row]) -> None:
        """Link what names these orders and tickets, of which only those count that are surely linked themselves."""
        sure = {"orders": _sure(orders), "tickets": _sure(tickets)}
        if rows := [*sure["orders"], *sure["tickets"]]:
            await self._each(earliest(rows) - _BEFORE, {kind: _names(those) for kind, those in sure.items()}, {})

    async def _each(self, since: datetime, keys: Mapping[str, Sequence[str]], users: Mapping[str, str]) -> None:
        wanted: dict[str, list[str]] = {kind: list(keys.get(kind, ())) for kind in ("digests", "orders", "tickets")}
        for table, may_name in _KEYS.items():
            for kind in may_name:
                for portion in cut(wanted[kind]):
                    changed = await self._table(table, since, {kind: portion}, users)
                    if table in wanted:
                        # What is surely linked by now is a key to others in its turn.
                        wanted[table] += [name for name in _names(_sure(changed)) if name not in wanted[table]]

    async def _table(self, table: str, since: datetime, keys: Mapping[str, Sequence[str]], users: Mapping[str, str]) -> list[dict[str, Any]]:
        """Rows of `table` that name one of `keys` and are linked otherwise now, written."""
        asked: dict[str, Any] = {kind: list(keys.get(kind, ())) for kind in _KEYS[table]}
        after, changed = ("", ""), []
        while rows := await self._store.query(f"join_{table}_naming", **asked, since=since, after_source=after[0], after_id=after[1], most=_PAGE):
            new = await self._linker.changed(rows, users)
            await write(self._store, table, [{**row, "version": self._versions.next()} for row in new])
            changed += new
            after = (rows[-1]["source"], rows[-1]["id"])
        return changed


def _names(rows: Iterable[Row]) -> list[str]:
    """What others may call them: an order by its feed's id, or by that of the purchase it is of."""
    return list(dict.fromkeys(name for row in rows for name in (row["id"], row.get("purchase", "")) if name))


def _sure(rows: Iterable[Row]) -> list[Row]:
    return [row for row in rows if row["join"] == EXPLICIT and not row.get("deleted")]
