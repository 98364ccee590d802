"""Monthly prices told in other currencies, in the report's by the rate of the day they are asked of."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sojourn_collector.context import Context

Row = dict[str, Any]


def converted(context: Context, rows: Iterable[Row], amount: str, unit: str, at: datetime) -> list[Row]:
    """Rows whose price is in the report's currency wherever `fx:` has a rate of the day; the others as they are.

    :param amount: name of the column with the price; None in it stays None.
    :param unit: name of the column with its currency. A row that was converted says in `told_amount` and `told_unit` what stood there.
    :param at: the moment whose day's rate holds.
    """
    currency, day = context.impact.currency, at.astimezone(ZoneInfo(context.impact.timezone)).date()
    told: list[Row] = []
    for row in rows:
        rate = None if row[amount] is None or row[unit] in ("", currency) else context.exchange(row[unit], day)
        told.append(row if rate is None else {**row, amount: row[amount] * rate, unit: currency, "told_amount": row[amount], "told_unit": row[unit]})
    return told
