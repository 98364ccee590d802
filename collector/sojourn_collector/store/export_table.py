"""Whole tables as files of other tools: Parquet or JSON Lines, written by the engine, a file a day."""

# ruff: noqa: S608 - the statements are put together from this file's own list of tables; paths are quoted, times are bound

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, get_args

from sojourn_collector.store.catalogue import bindable
from sojourn_collector.store.client import Store
from sojourn_collector.store.load_sql import quoted

Format = Literal["parquet", "jsonl"]
FORMATS: tuple[Format, ...] = get_args(Format)
_ENGINE_FORMAT: dict[Format, str] = {"parquet": "Parquet", "jsonl": "JSONEachRow"}
TABLES = {
    "spans": "ts",
    "events": "ts",
    "metrics": "ts",
    "sessions": "started",
    "runs": "started",
    "steps": "run_started",
    "feedback": "ts",
    "orders": "ts",
    "tickets": "ts",
    "subscriptions": "ts",
    "invitations": "ts",
    "usage": "ts",
    "spans_1m": "t",
    "run_sums": "t",
    "step_sums": "t",
    "people": "",
    "accounts": "",
    "deals": "",
    "owners": "",
}
"""The one list of tables that can be exported, each with the time its rows are cut by; without one it is one file."""
_DEADLINE = 3600.0
_PATTERN = frozenset("*?{}")


class ExportError(Exception):
    """A table cannot be exported; the text says why."""


def check(table: str, begin: datetime, end: datetime, folder: Path) -> None:
    """Whether this can be asked for at all. Raises ExportError."""
    if table not in TABLES:
        raise ExportError(f"there is no table {table[:80]!r} to export; there are {', '.join(TABLES)}")
    if begin.tzinfo is None or end.tzinfo is None:
        raise ExportError("a time needs a zone, such as 2026-01-31T14:00:00Z")
    if begin >= end:
        raise ExportError("the beginning must lie before the end")
    if _PATTERN.intersection(str(folder)):
        raise ExportError(f"{folder}: the engine takes {' '.join(sorted(_PATTERN))} in a path for patterns; give a folder without them")


async def export_table(store: Store, table: str, begin: datetime, end: datetime, folder: Path, form: Format) -> AsyncIterator[dict[str, Any]]:
    """Write rows of [begin, end) to `folder`; yields a line for each file when it is whole. Raises ExportError, StoreError, OSError.

    Ids of traces and spans become hexadecimal text; of rows that replace one another the newest is written. Files there already are replaced.
    """
    check(table, begin, end, folder)
    if not store.embedded:
        raise ExportError("the tables are on ClickHouse servers, which would write to their own disks; use clickhouse-client with INTO OUTFILE")
    folder = await asyncio.to_thread(_made, folder)
    types = await store.columns(table)
    final = " FINAL" if "version" in types else ""
    column = TABLES[table]
    fixed = [name for name, kind in types.items() if kind.startswith("FixedString")]
    left_out = [name for name, kind in types.items() if kind.startswith("AggregateFunction")]
    chosen = "* EXCEPT ({})".format(", ".join([*fixed, *left_out])) if fixed or left_out else "*"
    chosen += "".join(f", lower(hex({name})) AS {name}" for name in fixed)
    where = "tenant = {tenant:String}" + (f" AND {column} >= {{begin:DateTime64(6)}} AND {column} < {{end:DateTime64(6)}}" if column else "")
    bound: dict[str, Any] = {"tenant": store.tenant} | ({"begin": _moment(begin), "end": _moment(end)} if column else {})
    days: list[Any] = [None]
    if column:
        rows = await store.rows(f"SELECT DISTINCT toDate({column}, 'UTC') AS day FROM {table} WHERE {where} ORDER BY day", bound, deadline=_DEADLINE)
        days = [row["day"] for row in rows]
    for number, day in enumerate(days, start=1):
        path = folder / (f"{table}-{day}.{form}" if day is not None else f"{table}.{form}")
        part = path.with_name(path.name + ".part")
        await asyncio.to_thread(part.unlink, missing_ok=True)
        of_day = f" AND toDate({column}, 'UTC') = {quoted(str(day))}" if day is not None else ""
        # The rows are chosen below the aliases, for those are called as the columns are.
        source = f"SELECT {chosen} FROM (SELECT * FROM {table}{final} WHERE {where}{of_day}{f' ORDER BY {column}' if column else ''})"
        try:
            await store.statement(f"INSERT INTO FUNCTION file({quoted(str(part))}, '{_ENGINE_FORMAT[form]}') {source}", bound, deadline=_DEADLINE)
            await asyncio.to_thread(part.replace, path)
        finally:
            await asyncio.to_thread(part.unlink, missing_ok=True)
        yield {"file": str(path), "bytes": (await asyncio.to_thread(path.stat)).st_size, "number": number, "of": len(days)}


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder.resolve()


def _moment(moment: datetime) -> str:
    return str(bindable(moment, "DateTime64(6)"))
