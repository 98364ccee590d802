"""Customer impact over all journeys together: each person's day once, at the worst they met anywhere. Of whole days that are summed up, the sums are read."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sojourn_collector.context import Context
from sojourn_collector.score.customer_impact import Moments, score_of
from sojourn_collector.score.severities import MARKS, Severities
from sojourn_collector.web.answers.days import before, summed_days
from sojourn_collector.web.answers.problem import impact_model
from sojourn_collector.web.answers.window import Window
from sojourn_collector.web.models import CompanyImpact

SUMS = ("units", "w_sum", "w_squares", "w_severity", "anonymous_units", *(f"w_{name}" for name in MARKS))
"""What adds up over stretches that begin and end at midnight."""


async def company(context: Context, window: Window) -> CompanyImpact:
    """Of the runs that began in a window and are over. Raises EngineUnavailable."""
    now, usual = await asyncio.gather(_sums(context, window.since, window.until), _sums(context, *before(context, window.since)))
    severities = context.impact.severities.numbers
    score = impact_model(score_of(_moments(now, severities), _moments(usual, severities)))
    return CompanyImpact(**score.model_dump(), hit=sum(now[f"w_{name}"] for name in MARKS), weight=now["w_sum"], visits=int(now["anonymous_units"]))


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


def _moments(sums: Mapping[str, float], severities: Severities) -> Moments:
    return Moments(int(sums["units"]), sums["w_sum"], sums["w_squares"], severities.summed(sums))
