"""What orders were worth in the weeks before a problem: of its journey, and of all."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sojourn_collector.context import Context
from sojourn_collector.web.answers.days import LONG, before
from sojourn_collector.web.answers.weeks import PATIENCE

ENOUGH = 200_000
"""Orders that are looked at; of more, every second, third … stands for all."""

REMEMBERED = 3600.0
"""Seconds for which problems of one day share an answer about whole days: what is given back later of orders of weeks changes it little."""


@dataclass(frozen=True, slots=True)
class OrderValues:
    """Number and mean net value of orders in the report's currency; `own_` of walks through the journey, with a sample of their values."""

    orders: int = 0
    mean_value: float = 0.0
    own_orders: int = 0
    own_mean: float = 0.0
    own_values: Sequence[float] = field(default=())


async def order_values(context: Context, journey: str, moment: datetime, orders: int) -> OrderValues:
    """Of the time `windows.usual` long before a moment.

    :param orders: how many orders there are at all.
    """
    since, until = before(context, moment)
    asked: dict[str, Any] = {"since": since, "until": until, "currency": context.impact.currency, "one_in": max(1, orders // ENOUGH)}

    async def ask() -> dict[str, dict[str, Any]]:
        return {row["journey"]: row for row in await context.store.query("usual_orders", deadline=PATIENCE, **asked)}

    if context.problems is None or timedelta(seconds=context.impact.windows.usual) < LONG:
        rows = await ask()
    else:
        rows = await context.problems.once(("usual_orders", since, until, context.impact.currency), REMEMBERED, ask)
    every, own = rows[""], rows.get(journey)
    if own is None:
        return OrderValues(every["orders"], every["mean_value"])
    return OrderValues(every["orders"], every["mean_value"], own["orders"], own["mean_value"], own["order_values"])
