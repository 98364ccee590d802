"""Customer impact over all journeys together: each person's day once, at the worst they met anywhere. Of whole days that are summed up, the sums are read."""

import asyncio
from datetime import datetime
from typing import Any

from sojourn_collector.context import Context
from sojourn_collector.score.customer_impact import Body, scores_of
from sojourn_collector.score.severities import MARKS
from sojourn_collector.web.answers.days import before, summed_days
from sojourn_collector.web.answers.problem import impact_model
from sojourn_collector.web.answers.sums import moments_in
from sojourn_collector.web.answers.window import Window
from sojourn_collector.web.models import CompanyImpact

KINDS = ("", "anonymous_", "visit_")
"""People, visits without identity, and every visit by itself, whosever it is."""

SUMS = [f"{kind}{name}" for kind in KINDS for name in ("units", "w_sum", "w_squares", "w_severity", *(f"w_{mark}" for mark in MARKS))]
"""What adds up over stretches that begin and end at midnight."""


async def company(context: Context, window: Window) -> CompanyImpact:
    """Of the runs that began in a window and are over. Raises EngineUnavailable."""
    now, usual = await asyncio.gather(_sums(context, window.since, window.until), _sums(context, *before(context, window.since)))
    severities = context.impact.severities.numbers
    people, anonymous, every = (Body(moments_in(now, severities, kind), moments_in(usual, severities, kind)) for kind in KINDS)
    of_people, of_visits = scores_of(people, anonymous, every)
    return CompanyImpact(
        **impact_model(of_people, anonymous.now.units).model_dump(),
        hit=sum(now[f"w_{name}"] for name in MARKS),
        weight=now["w_sum"],
        visits=anonymous.now.units,
        of_visits=impact_model(of_visits) if of_visits else None,
    )


async def _sums(context: Context, since: datetime, until: datetime) -> dict[str, float]:
    whole = await summed_days(context, since, until)
    if whole is None:
        parts = [await _runs(context, since, until)]
    else:
        days = context.store.query("company_days", since=whole.first, until=whole.last)
        parts = list(await asyncio.gather(days, _runs(context, since, whole.begin), _runs(context, whole.end, until)))
    return {key: sum(row[key] for rows in parts for row in rows) for key in SUMS}


async def _runs(context: Context, since: datetime, until: datetime) -> list[dict[str, Any]]:
    return await context.store.query("roll_company", since=since, until=until, zone=context.impact.timezone) if since < until else []
