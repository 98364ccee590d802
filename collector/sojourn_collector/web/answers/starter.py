"""The starter set of the first page: satisfaction, tickets, and how long they wait, over the last weeks, as soon as there are data of either."""

import asyncio
from datetime import timedelta
from zoneinfo import ZoneInfo

from sojourn_collector.context import Context
from sojourn_collector.score.satisfaction import Answer, Scale, csat_of_counts
from sojourn_collector.web.answers.answers_counted import ADDRESS
from sojourn_collector.web.answers.tickets import SPAN, tickets
from sojourn_collector.web.answers.window import Window, window_of
from sojourn_collector.web.models import Share
from sojourn_collector.web.models_tickets import StarterSet
from sojourn_collector.web.rows_at import rows_at

REMEMBERED = 120.0
"""Seconds for which reports share the answer: weeks change slowly."""


async def starter_set(context: Context) -> StarterSet:
    """Of the 28 days before now. Raises EngineUnavailable."""

    async def ask() -> StarterSet:
        return await _ask(context, window_of(context.clock(), ZoneInfo(context.impact.timezone), span=SPAN))

    return await (ask() if context.problems is None else context.problems.once(("starter_set",), REMEMBERED, ask))


async def _ask(context: Context, window: Window) -> StarterSet:
    rows, support = await asyncio.gather(context.store.query("feedback_answers", since=window.since, until=window.until), tickets(context, window))
    rated = csat_of_counts(
        (
            Answer(
                row["value"],
                Scale(row["scale_min"], row["scale_max"], bool(row["higher_is_better"])),
                None if row["satisfied"] is None else bool(row["satisfied"]),
            ),
            row["n"],
        )
        for row in rows
        if row["kind"] == "csat"
    )
    first = rated[0] if rated else None
    return StarterSet(
        days=SPAN // timedelta(days=1),
        window_from=window.since,
        window_to=window.until,
        as_of=window.now,
        scale=str(first.scale) if first else "",
        satisfied=Share(satisfied=first.satisfied, answered=first.answered, low=first.low, high=first.high) if first else None,
        other_scales=len(rated[1:]),
        rows=rows_at(ADDRESS, window.since, window.until, kind="csat", scale=first.scale, once="kind") if first else "",
        tickets=support.figures if support.figures.opened else None,
    )
