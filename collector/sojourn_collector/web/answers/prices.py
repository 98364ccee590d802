"""Monthly prices told in other currencies, in the report's by the rate of the day they are asked of."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sojourn_collector.context import Context
from sojourn_collector.sources.currencies import CURRENCIES

Row = dict[str, Any]


def rates(context: Context, at: datetime) -> tuple[list[str], list[float]]:
    """Currencies that a price can be told in on the day of a moment, and what one unit of each is worth in the report's; the report's own first."""
    day = _day(context, at)
    found = {unit: rate for unit in sorted(CURRENCIES - {context.impact.currency}) if (rate := context.exchange(unit, day)) is not None}
    return [context.impact.currency, *found], [1.0, *found.values()]


def converted(context: Context, rows: Iterable[Row], amount: str, unit: str, at: datetime) -> list[Row]:
    """Rows whose price is in the report's currency wherever `fx:` has a rate of the day; the others as they are.

    :param amount: name of the column with the price; None in it stays None.
    :param unit: name of the column with its currency. A row that was converted says in `told_amount` and `told_unit` what stood there.
    :param at: the moment whose day's rate holds.
    """
    currency, day = context.impact.currency, _day(context, at)
    told: list[Row] = []
    for row in rows:
        rate = None if row[amount] is None or row[unit] in ("", currency) else context.exchange(row[unit], day)
        told.append(row if rate is None else {**row, amount: row[amount] * rate, unit: currency, "told_amount": row[amount], "told_unit": row[unit]})
    return told


def _day(context: Context, at: datetime) -> date:
    return at.astimezone(ZoneInfo(context.impact.timezone)).date()
