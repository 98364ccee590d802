"""Rows as mappings become the columns of a table: missing values get the type's default, times the table's own scale."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
WRAPPER = re.compile(r"^(?:LowCardinality|SimpleAggregateFunction\(\w+,)\s*\((.*)\)$")


def plan(rows: Sequence[Mapping[str, Any]], types: Mapping[str, str], table: str) -> tuple[list[str], list[list[Any]]]:
    """Column names and the rows as lists in their order. Raises KeyError for a column the table does not have."""
    named = {name for row in rows for name in row}
    if unknown := sorted(named - types.keys()):
        raise KeyError(f"table {table} has no column {', '.join(unknown)}")
    columns = [name for name in types if name in named]
    return columns, [[fit(row[name], types[name]) if name in row else default(types[name]) for name in columns] for row in rows]


def unwrap(engine_type: str) -> str:
    """The type inside LowCardinality."""
    match = WRAPPER.match(engine_type)
    return match.group(1) if match else engine_type


def fit(value: Any, engine_type: str) -> Any:
    """One value as the client's Native writer wants it; times may be aware datetimes or integer milliseconds."""
    engine_type = unwrap(engine_type)
    if value is None:
        return None if engine_type.startswith("Nullable") else default(engine_type)
    if engine_type.startswith("Nullable("):
        return fit(value, engine_type[9:-1])
    if engine_type.startswith("Array("):
        return [fit(item, engine_type[6:-1]) for item in value]
    if engine_type.startswith("DateTime"):
        return _ticks(value, engine_type)
    if engine_type.startswith(("UInt", "Int")) and isinstance(value, bool):
        return int(value)
    if engine_type.startswith("Decimal"):
        return value if isinstance(value, Decimal) else Decimal(str(value))
    return value


def _ticks(value: datetime | int, engine_type: str) -> int:
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise TypeError(f"time {value} has no zone")
        gone = value - EPOCH
        microseconds = (gone.days * 86_400 + gone.seconds) * 1_000_000 + gone.microseconds
    else:
        microseconds = value * 1000
    scale = re.match(r"DateTime64\((\d)", engine_type)
    return microseconds * 10 ** int(scale.group(1)) // 1_000_000 if scale else microseconds // 1_000_000


def default(engine_type: str) -> Any:
    """What the engine itself would put into a column that was left out."""
    engine_type = unwrap(engine_type)
    if engine_type.startswith("Nullable"):
        return None
    if engine_type.startswith("Array"):
        return []
    if engine_type.startswith("Map"):
        return {}
    if engine_type.startswith("Decimal"):
        return Decimal(0)
    if engine_type.startswith(("UInt", "Int", "Float", "DateTime")):
        return 0
    if engine_type.startswith("Date"):
        return date(1970, 1, 1)
    if engine_type.startswith("FixedString"):
        return b""
    return ""
