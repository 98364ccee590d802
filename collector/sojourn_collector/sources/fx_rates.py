"""Rates of exchange by the day, from a file: what one unit of a currency was worth in the report's.

Two forms are read, told apart by the first line: `date,currency,rate`, where the rate is what one unit of the currency is worth in the report's currency; and
the European Central Bank's `Date,USD,JPY,…`, units of each for one euro (https://www.ecb.europa.eu/stats/policy_and_exchange_rates/euro_reference_exchange_rates/).
"""

import csv
import io
import re
import zlib
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Final

from sojourn_collector.sources.currencies import CURRENCIES
from sojourn_collector.strict_yaml import ConfigError

LONGEST_GAP: Final = timedelta(days=7)
"""How long a rate holds where none followed: over holidays, not for ever."""
LARGEST_FILE: Final = 20 << 20
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_RATE: Final = re.compile(r"\d{1,12}(\.\d{1,20})?", re.ASCII)
_NO_RATE: Final = frozenset(("", "N/A"))


@dataclass(frozen=True, slots=True)
class Rates:
    """Rates into `currency`, by currency and day. Days of a currency rise."""

    currency: str = ""
    days: Mapping[str, list[date]] = field(default_factory=dict)
    values: Mapping[str, list[Decimal]] = field(default_factory=dict)

    def rate(self, currency: str, day: date) -> Decimal | None:
        """What one unit was worth on that day, or on the last day before it of at most 7 days ago; None where that is not known."""
        days = self.days.get(currency, [])
        place = bisect_right(days, day) - 1
        return self.values[currency][place] if place >= 0 and day - days[place] <= LONGEST_GAP else None

    def first(self, after: date = date.min) -> date | None:
        """The first day after another there is any rate of."""
        return min((days[place] for days in self.days.values() if (place := bisect_right(days, after)) < len(days)), default=None)

    @property
    def last(self) -> date | None:
        """The last day there is any rate of."""
        return max((days[-1] for days in self.days.values() if days), default=None)

    def digest(self, until: date) -> int:
        """A number that changes with any rate up to a day."""
        told = [self.currency]
        for one in sorted(self.days):
            told += [f"{one} {day} {rate}" for day, rate in zip(self.days[one], self.values[one], strict=True) if day <= until]
        return zlib.crc32("\n".join(told).encode())


def read_rates(path: Path, currency: str) -> Rates:
    """The rates of a file into `currency`. Raises ConfigError with file, line and cure."""
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise ConfigError(f"{path}: is larger than {LARGEST_FILE >> 20} MiB; leave out days before your first order")
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: the rates of exchange cannot be read ({error}); give fx the path of a CSV file") from error
    rows = csv.reader(io.StringIO(text))
    try:
        header = [cell.strip() for cell in next(rows, [])]
        if [cell.lower() for cell in header] == ["date", "currency", "rate"]:
            found = _plain(path, rows, currency)
        elif header[:1] == ["Date"] and len(header) > 1 and all(re.fullmatch("[A-Z]{3}", one) for one in header[1:] if one):
            found = _of_the_bank(path, rows, header, currency)
        else:
            raise ConfigError(f"{path}:1: the first line must be date,currency,rate, or the European Central Bank's Date,USD,JPY,…")
        rates: dict[str, dict[date, Decimal]] = {}
        for line, day, one, rate in found:
            if rates.setdefault(one, {}).setdefault(day, rate) != rate:
                raise ConfigError(f"{path}:{line}: {one} has two rates on {day}; keep one")
    except csv.Error as error:
        raise ConfigError(f"{path}:{rows.line_num}: is no CSV ({error})") from error
    days: dict[str, list[date]] = {}
    values: dict[str, list[Decimal]] = {}
    for one in rates.keys() - {currency}:
        days[one] = sorted(rates[one])
        values[one] = [rates[one][day] for day in days[one]]
    return Rates(currency, days, values)


def _plain(path: Path, rows: Iterator[list[str]], currency: str) -> Iterator[tuple[int, date, str, Decimal]]:
    for line, row in enumerate(rows, 2):
        if not row:
            continue
        cells = [cell.strip() for cell in row]
        if len(cells) != 3:
            raise ConfigError(f"{path}:{line}: has {len(cells)} cells; write date,currency,rate")
        if cells[1] not in CURRENCIES:
            raise ConfigError(f"{path}:{line}: {cells[1][:20]!r} is not a currency of ISO 4217, such as USD")
        yield line, _day(path, line, cells[0]), cells[1], _rate(path, line, cells[2])


def _of_the_bank(path: Path, rows: Iterator[list[str]], header: list[str], currency: str) -> Iterator[tuple[int, date, str, Decimal]]:
    """Of units for one euro, units of the report's currency for one of each."""
    if currency != "EUR" and currency not in header:
        raise ConfigError(f"{path}:1: has no column {currency}, the report's currency; take a file that has it")
    for line, row in enumerate(rows, 2):
        cells = [cell.strip() for cell in row]
        if not any(cells):
            continue
        if len(cells) > len(header):
            raise ConfigError(f"{path}:{line}: has {len(cells)} cells, the first line names {len(header)} columns")
        day = _day(path, line, cells[0])
        units = {one: cell for one, cell in zip(header[1:], cells[1:], strict=False) if one in CURRENCIES and cell not in _NO_RATE}
        euro = {one: _rate(path, line, cell) for one, cell in units.items()} | {"EUR": Decimal(1)}
        if currency in euro:
            yield from ((line, day, one, euro[currency] / per_euro) for one, per_euro in euro.items())


def _day(path: Path, line: int, cell: str) -> date:
    try:
        if _DATE.fullmatch(cell):
            return date.fromisoformat(cell)
    except ValueError:
        pass
    raise ConfigError(f"{path}:{line}: {cell[:20]!r} is no date; write it as 2026-03-01")


def _rate(path: Path, line: int, cell: str) -> Decimal:
    if not _RATE.fullmatch(cell) or not (rate := Decimal(cell)):
        raise ConfigError(f"{path}:{line}: {cell[:20]!r} is no rate; write a number above 0 with a decimal point")
    return rate
