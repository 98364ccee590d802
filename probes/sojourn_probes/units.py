"""Durations, sizes and sums of money as people write them: `800ms`, `14d`, `2 MB`, `62 EUR`."""

import re
from decimal import Decimal
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field, PlainSerializer

from sojourn_probes.model import Model

DURATION_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
"""Seconds in one of each unit."""

SIZE_UNITS: Final = {"B": 1, "KB": 1000, "MB": 1000**2, "GB": 1000**3, "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3}
"""Bytes in one of each unit."""

DURATION_PATTERN: Final = r"^\d{1,9}(\.\d{1,6})? ?(ms|s|m|h|d)$"
SIZE_PATTERN: Final = r"^\d{1,12}(\.\d{1,6})? ?(B|KB|MB|GB|KiB|MiB|GiB)$"
MONEY_PATTERN: Final = r"^\d{1,12}(\.\d{1,4})? [A-Z]{3}$"

_DURATION = re.compile(DURATION_PATTERN)
_SIZE = re.compile(SIZE_PATTERN)
_MONEY = re.compile(MONEY_PATTERN)
_NUMBER = re.compile(r"\d+(\.\d+)?")


def parse_duration(text: str) -> float:
    """Seconds in `text`, such as `800ms` or `14d`. Raises ValueError with the cure."""
    if _NUMBER.fullmatch(text):
        raise ValueError(f"{text} has no unit; write {text}s or {text}ms")
    if not _DURATION.match(text):
        raise ValueError(f"{text!r} is not a duration; write a number with ms, s, m, h or d, such as 800ms or 60s")
    number, unit = re.match(r"([\d.]+) ?(\w+)", text).groups()  # type: ignore[union-attr]  # has the form just matched
    return float(Decimal(number) * Decimal(str(DURATION_UNITS[unit])))


def parse_size(text: str) -> int:
    """Bytes in `text`, such as `2 MB` or `512KiB`. Raises ValueError with the cure."""
    if _NUMBER.fullmatch(text):
        return int(float(text))
    if not _SIZE.match(text):
        raise ValueError(f"{text!r} is not a size; write a number with B, KB, MB, GB, KiB, MiB or GiB, such as 2 MB")
    number, unit = re.match(r"([\d.]+) ?(\w+)", text).groups()  # type: ignore[union-attr]  # has the form just matched
    return int(Decimal(number) * SIZE_UNITS[unit])


def show_duration(seconds: float) -> str:
    """`seconds` in the unit one would say it in: `812 ms`, `1.24 s`, `13.5 d`."""
    size = abs(seconds)
    if size < 1:
        return f"{seconds * 1000:.0f} ms" if size >= 0.01 or not size else f"{seconds * 1000:.2f} ms"
    if size < 120:
        return f"{seconds:.2f} s"
    if size < 7200:
        return f"{seconds / 60:.1f} m"
    return f"{seconds / 3600:.1f} h" if size < 172800 else f"{seconds / 86400:.1f} d"


def write_duration(seconds: float) -> str:
    """`seconds` as it would stand in a journey file: `200ms`, `60s`, `5m`, `14d`."""
    for unit, least in (("d", 1), ("h", 1), ("m", 2), ("s", 1)):
        if seconds >= least * DURATION_UNITS[unit] and (unit == "s" or seconds % DURATION_UNITS[unit] == 0):
            return f"{seconds / DURATION_UNITS[unit]:g}{unit}"
    return f"{seconds * 1000:g}ms" if seconds else "0s"


def show_size(size: float) -> str:
    """`size` bytes as `812 B`, `1.2 KB`, `3.4 MB`."""
    if size < 1000:
        return f"{size:.0f} B"
    return f"{size / 1000:.1f} KB" if size < 1000**2 else f"{size / 1000**2:.1f} MB"


class Money(Model):
    """A sum of money in major units of its currency (ISO 4217)."""

    amount: Decimal
    currency: str

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"


def _duration(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError("a duration is wanted here, such as 800ms or 60s")
    return parse_duration(value if isinstance(value, str) else f"{value:g}")


def _size(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValueError("a size is wanted here, such as 2 MB")
    return parse_size(value) if isinstance(value, str) else value


def _money(value: Any) -> Any:
    if isinstance(value, Money):
        return value
    if not isinstance(value, str) or not _MONEY.match(value):
        raise ValueError("a sum of money is wanted here, with its currency, such as 62 EUR")
    amount, currency = value.split(" ")
    return Money(amount=Decimal(amount), currency=currency)


Duration = Annotated[float, BeforeValidator(_duration, json_schema_input_type=Annotated[str, Field(pattern=DURATION_PATTERN)])]
"""Seconds, written with a unit."""

Size = Annotated[int, BeforeValidator(_size, json_schema_input_type=Annotated[str, Field(pattern=SIZE_PATTERN)] | Annotated[int, Field(ge=0)])]
"""Bytes, written with or without a unit."""

Worth = Annotated[
    Money,
    BeforeValidator(_money, json_schema_input_type=Annotated[str, Field(pattern=MONEY_PATTERN)]),
    PlainSerializer(str, return_type=str),
]
"""Money, written as `62 EUR`."""
