"""What is usual at a step: the same hours of the week of the weeks before where there are enough of them, else all hours."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from sojourn_collector.context import Context
from sojourn_collector.join.rollups import midnight
from sojourn_collector.score.customer_impact import NOBODY, SPEAKS_FROM, Moments
from sojourn_collector.score.severities import MARKS, Severities
from sojourn_collector.web.answers.days import before, summed_days
from sojourn_collector.web.answers.found import Found
from sojourn_collector.web.answers.sums import moments_in
from sojourn_collector.web.answers.times import known
from sojourn_collector.web.answers.weeks import PATIENCE

FOUR_WEEKS = timedelta(weeks=4)
"""The time before from which on an hour of the week has been seen often enough."""

HOURS_A_WEEK = 168


@dataclass(frozen=True, slots=True)
class Usual:
    """Severities and share hit of the time before. `hit` of `moments.units` person-days; `hours` says which hours they are of. `visits`: without identity."""

    hit: int
    moments: Moments
    hours: Literal["same", "all"]
    visits: Moments = NOBODY

    @property
    def share(self) -> float | None:
        """Share of person-days with a hit; None when nobody came."""
        return self.hit / self.moments.units if self.moments.units else None


_SCORED = ("units", "w_sum", "w_squares", "w_severity", *(f"w_{name}" for name in MARKS))
SUMS = ("hit", "unhurt", "unhurt_done", *_SCORED, *(f"anonymous_{name}" for name in _SCORED))
"""What adds up over stretches that begin and end at midnight."""


async def read_usual(context: Context, found: Found, *, by_visit: bool = False) -> dict[str, Any]:
    """The time before a problem: `SUMS` of all its hours and `oldest`, and as `then_…` the sums of the problem's own hours of the week.

    Of days that are summed up the sums are read, the steps themselves of others. `by_visit`: every visit by itself, whosever it is, all as `anonymous_…`.
    """
    since, until = before(context, found.incident.window_from)
    here: dict[str, Any] = {"journey": found.journey, "step": found.step, "by_visit": by_visit}
    whole, then = await asyncio.gather(summed_days(context, since, until), _then(context, found, here))
    if whole is None:
        parts = [await _steps(context, here, since, until)]
    else:
        days = context.store.query("usual_step_days", **here, since=whole.first, until=whole.last)
        (summed,), *edges = await asyncio.gather(days, _edge(context, here, since, whole.begin), _edge(context, here, whole.end, until))
        if (first := known(summed["oldest"])) is not None:
            summed["oldest"] = midnight(first.date(), ZoneInfo(context.impact.timezone))
        parts = [summed, *(row for rows in edges for row in rows)]
    oldest = min((at for part in parts if (at := known(part["oldest"])) is not None), default=None)
    return {key: sum(part[key] for part in parts) for key in SUMS} | {"oldest": oldest} | {f"then_{key}": value for key, value in then.items()}


async def _then(context: Context, found: Found, here: Mapping[str, Any]) -> dict[str, Any]:
    until, zone = found.incident.window_from, ZoneInfo(context.impact.timezone)
    since = until - timedelta(seconds=context.impact.windows.usual)
    hours = hours_of_week(until, found.incident.window_to, zone)
    return (await context.store.query("usual_step_hours", deadline=PATIENCE, **here, since=since, until=until, zone=zone.key, hours=hours))[0]


async def _edge(context: Context, here: Mapping[str, Any], since: datetime, until: datetime) -> list[dict[str, Any]]:
    return [await _steps(context, here, since, until)] if since < until else []


async def _steps(context: Context, here: Mapping[str, Any], since: datetime, until: datetime) -> dict[str, Any]:
    return (await context.store.query("usual_step", deadline=PATIENCE, **here, since=since, until=until, zone=context.impact.timezone))[0]


def hours_of_week(since: datetime, until: datetime, zone: ZoneInfo) -> list[int]:
    """The hours of the week that [since, until] touches in `zone`; 0 = Monday, midnight to one."""
    first = since.astimezone(zone).replace(minute=0, second=0, microsecond=0).astimezone(since.tzinfo)
    hours: set[int] = set()
    at = first
    while at <= until and len(hours) < HOURS_A_WEEK:
        local = at.astimezone(zone)
        hours.add(local.weekday() * 24 + local.hour)
        at += timedelta(hours=1)
    return sorted(hours)


def usual_of(row: Mapping[str, Any], until: datetime, severities: Severities) -> Usual:
    """Choose the hours: the same ones from four weeks of data and `SPEAKS_FROM` person-days in them on, else all; of visits by their own number."""
    oldest = known(row["oldest"])
    # A day of grace: the first person of the window need not have come in its first minute.
    long_enough = oldest is not None and until - oldest >= FOUR_WEEKS - timedelta(days=1)
    visits = moments_in(row, severities, "then_anonymous_" if long_enough and row["then_anonymous_units"] >= SPEAKS_FROM else "anonymous_")
    if long_enough and row["then_units"] >= SPEAKS_FROM:
        return Usual(row["then_hit"], moments_in(row, severities, "then_"), "same", visits)
    return Usual(row["hit"], moments_in(row, severities), "all", visits)
