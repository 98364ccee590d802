"""Writing joined rows: no block may touch more months than the engine takes at once."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sojourn_collector.store.client import Store

MOST_MONTHS = 50
"""The engine refuses a block of more than 100 partitions; tables here are partitioned by month."""

_MONTH_BY = {"sessions": "started", "runs": "started", "steps": "run_started", "feedback": "ts", "orders": "ts"} | dict.fromkeys(
    ("tickets", "subscriptions", "invitations", "usage"), "ts"
)


async def write(store: Store, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert the rows, in as few blocks as the engine allows. Raises what `Store.insert` raises."""
    for block in blocks(table, rows):
        await store.insert(table, block)


def blocks(table: str, rows: Sequence[Mapping[str, Any]]) -> list[list[Mapping[str, Any]]]:
    """The rows cut into blocks of at most `MOST_MONTHS` months each."""
    if not rows:
        return []
    column = _MONTH_BY.get(table)
    if column is None:
        return [list(rows)]
    cut: list[list[Mapping[str, Any]]] = [[]]
    months: set[str] = set()
    for row in sorted(rows, key=lambda row: _month(row[column])):
        month = _month(row[column])
        if month not in months and len(months) == MOST_MONTHS:
            cut.append([])
            months.clear()
        months.add(month)
        cut[-1].append(row)
    return cut


def _month(moment: datetime | int) -> str:
    return f"{datetime.fromtimestamp(moment / 1000, UTC) if isinstance(moment, int) else moment:%Y-%m}"
