"""Copying the inbox into the engine: rows are made of what was kept, linked, and inserted under a growing version."""

import json
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from datetime import datetime
from typing import Any

from sojourn_collector.join.linker import LINKED_TABLES, Linker
from sojourn_collector.join.relink import Relink
from sojourn_collector.join.versions import Versions
from sojourn_collector.join.writing import write
from sojourn_collector.store.client import StatementFailed, Store
from sojourn_collector.store.control import Control, InboxRow
from sojourn_collector.store.control.said import Record
from sojourn_collector.store.told import COLUMNS as TOLD_OF
from sojourn_collector.store.told import said_at, said_by_key

_log = logging.getLogger(__name__)
Normalise = Callable[[str, dict[str, Any], datetime], tuple[str, dict[str, Any]]]
"""Kind, kept row and time of arrival to the engine's table and row; raises ValueError with one sentence."""


Records = Callable[[Sequence[InboxRow]], Awaitable[list[tuple[list[Record], list[str]]]]]
"""What each kept row says: rows of sources, and a sentence for each that cannot be made. Of what several of them speak of, the last has the row."""


async def as_kept(rows: Sequence[InboxRow]) -> list[tuple[list[Record], list[str]]]:
    """The rows themselves."""
    return [([Record(row.kind, json.loads(row.body))], []) for row in rows]


Languages = Callable[[Sequence[MutableMapping[str, Any]]], Awaitable[None]]
"""Notes in rows of `feedback` the language that their words are in, where their sender did not say it."""


async def as_said(rows: Sequence[MutableMapping[str, Any]]) -> None:
    """What nobody said stays unknown."""


Sift = Callable[[list[InboxRow]], Awaitable[list[InboxRow]]]
"""Leaves out, for good, rows of people who were erased since."""


async def all_of(rows: list[InboxRow]) -> list[InboxRow]:
    """Nobody was erased."""
    return rows


class InboxCopy:
    """Brings to the engine what it does not have yet. A row that cannot be brought is marked with its reason, never dropped."""

    def __init__(
        self,
        store: Store,
        control: Control,
        linker: Linker,
        relink: Relink,
        versions: Versions,
        normalise: Normalise,
        clock: Callable[[], datetime],
        sift: Sift = all_of,
        records: Records = as_kept,
        languages: Languages = as_said,
    ) -> None:
        self._store = store
        self._control = control
        self._linker = linker
        self._relink = relink
        self._versions = versions
        self._normalise = normalise
        self._clock = clock
        self._sift = sift
        self._records = records
        self._languages = languages

    async def run(self, at_once: int = 1000) -> int:
        """Copy all that waits and say how many rows that was. Raises EngineUnavailable; what was copied till then stays copied."""
        copied = 0
        while waiting := await self._control.inbox.waiting(at_once):
            rows = await self._sift(waiting)
            errors = await self._copy(rows)
            await self._control.inbox.mark([row.id for row in waiting], self._clock(), errors)
            await self._control.inbox.remove([row.id for row in waiting if row.withdrawn])
            copied += len(waiting) - len(errors)
        return copied

    async def _copy(self, kept: list[InboxRow]) -> dict[int, str]:
        """Copy these rows. The ids of those that could not be, each with its reason."""
        try:
            return await self._insert(kept)
        except StatementFailed as error:
            if len(kept) == 1:
                _log.error("a row of %s cannot be stored: %s", kept[0].kind, error)
                return {kept[0].id: f"the engine refused it: {error}"[:2000]}
        errors: dict[int, str] = {}
        for row in kept:  # one bad row must not hold up the others
            errors |= await self._copy([row])
        return errors

    async def _insert(self, kept: list[InboxRow]) -> dict[int, str]:
        tables: dict[str, list[dict[str, Any]]] = defaultdict(list)
        errors: dict[int, str] = {}
        # Of a withdrawn row the version that is in force is written again: whatever was written in between, the last one counts.
        standing = [await self._control.inbox.newest(row) if row.withdrawn else None for row in kept]
        said = await self._records([stands or row for row, stands in zip(kept, standing, strict=True)])
        for row, stands, (records, wrong) in zip(kept, standing, said, strict=True):
            for record in records:
                try:
                    table, engine_row = self._normalise(record.kind, record.row, (stands or row).received_at)
                except ValueError as error:
                    wrong.append(str(error))
                    continue
                version = self._versions.next()
                if table in TOLD_OF:
                    engine_row |= said_by_key(record.times, version) if record.times else said_at((stands or row).received_at, version)
                gone = {"deleted": 1} if row.withdrawn and stands is None else {}
                tables[table].append({**engine_row, **gone, "tenant": row.tenant, "version": version})
            if wrong:
                errors[row.id] = "; ".join(wrong)[:2000]
        linked: dict[str, list[dict[str, Any]]] = {}
        for table in sorted(tables, key=_place):
            rows = tables[table]
            if table == "people":
                await self._relink.before_people(rows, self._clock())
            if table == "tickets":
                await self._date(rows)
            if table == "feedback":
                await self._languages(rows)
            linked[table] = await self._linker.link(rows) if table in LINKED_TABLES else rows
            await write(self._store, table, linked[table])
        await self._relink.after_links(linked.get("orders", ()), linked.get("tickets", ()))
        return errors

    async def _date(self, tickets: list[dict[str, Any]]) -> None:
        """Say of each ticket when it was first received: a newer version of one that is kept was not."""
        names = {(row["source"], row["id"]) for row in tickets}
        sources, ids = [source for source, _ in names], [ident for _, ident in names]
        found = await self._store.query("tickets_known_since", sources=sources, keys=ids)
        first = {(row["source"], row["id"]): row["first_received"] for row in found}
        for row in tickets:
            row["first_received"] = first.setdefault((row["source"], row["id"]), row["received"])


def _place(table: str) -> int:
    """People first, then what else is named by others: whoever names them finds them."""
    first = ("people", *LINKED_TABLES)
    return first.index(table) if table in first else len(first)
