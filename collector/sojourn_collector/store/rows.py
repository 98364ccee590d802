"""Rows as mappings become the columns of a table: missing values get the type's default, times the table's own scale."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from typing import Any

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
WRAPPER = re.compile(r"^(?:LowCardinality|SimpleAggregateFunction\(\w+,)\s*\((.*)\)$")

MILLI = 3
"""Digits of a DateTime64 that counts as we do."""

Fit = Callable[[Any], Any]


def plan(rows: Sequence[Mapping[str, Any]], types: Mapping[str, str], table: str, tenant: str = "") -> tuple[list[str], list[list[Any]]]:
    """Column names and, in their order, the columns; rows without a tenant are of `tenant` where the table has one.

    Raises KeyError for a column the table does not have.
    """
    named = set().union(*rows)
    if unknown := sorted(named - types.keys()):
        raise KeyError(f"table {table} has no column {', '.join(unknown)}")
    columns = [name for name in types if name in named or (tenant and name == "tenant")]
    return columns, [_column(rows, name, types[name], tenant if name == "tenant" else default(types[name])) for name in columns]


def _column(rows: Sequence[Mapping[str, Any]], name: str, engine_type: str, missing: Any) -> list[Any]:
    values = [row.get(name, missing) for row in rows]
    return values if _as_given(engine_type) and None not in values else list(map(fitting(engine_type), values))


@cache
def _as_given(engine_type: str) -> bool:
    """Whether every value but None is wanted as it is: then nothing needs to be asked of each."""
    return unwrap(engine_type).startswith(("String", "Float", "Map", "FixedString", "Bool", "UUID")) or unwrap(engine_type) in ("Date", "Date32")


def unwrap(engine_type: str) -> str:
    """The type inside LowCardinality."""
    match = WRAPPER.match(engine_type)
    return match.group(1) if match else engine_type


@cache
def fitting(engine_type: str) -> Fit:
    """What makes one value what the client's Native writer wants for this type; times may be aware datetimes or integer milliseconds.

    Made once per type: a session's join inserts thousands of values a second.
    """
    engine_type = unwrap(engine_type)
    if engine_type.startswith("Nullable("):
        inner = fitting(engine_type[9:-1])
        return lambda value: None if value is None else inner(value)
    return _or_default(_certain(engine_type), default(engine_type))


def _or_default(fit: Fit, missing: Any) -> Fit:
    return lambda value: missing if value is None else fit(value)


def _certain(engine_type: str) -> Fit:
    """The same for a value that is there."""
    if engine_type.startswith("Array("):
        item = fitting(engine_type[6:-1])
        return lambda value: [item(one) for one in value] if value else []
    if engine_type.startswith("DateTime"):
        scale = re.match(r"DateTime64\((\d)", engine_type)
        return _ticks(int(scale.group(1)) if scale else 0)
    if engine_type.startswith(("UInt", "Int")):
        return lambda value: int(value) if value is True or value is False else value
    if engine_type.startswith("Decimal"):
        return lambda value: value if isinstance(value, Decimal) else Decimal(str(value))
    return lambda value: value


def _ticks(digits: int) -> Fit:
    ticks: int = 10**digits

    def fit(value: datetime | int) -> int:
        if digits == MILLI and type(value) is int:
            return value
        if isinstance(value, datetime):
            if value.tzinfo is None:
                raise TypeError(f"time {value} has no zone")
            gone = value - EPOCH
            microseconds = (gone.days * 86_400 + gone.seconds) * 1_000_000 + gone.microseconds
        else:
            microseconds = value * 1000
        return microseconds * ticks // 1_000_000

    return fit


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
