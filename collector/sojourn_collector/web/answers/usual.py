"""What is usual at a step: the same hours of the week of the weeks before where there are enough of them, else all hours."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from sojourn_collector.context import Context
from sojourn_collector.score.customer_impact import SPEAKS_FROM, Moments
from sojourn_collector.web.answers.found import Found
from sojourn_collector.web.answers.times import known

FOUR_WEEKS = timedelta(weeks=4)
"""The time before from which on an hour of the week has been seen often enough."""

HOURS_A_WEEK = 168


@dataclass(frozen=True, slots=True)
class Usual:
    """Severities and share hit of the time before. `hit` of `moments.units` person-days; `hours` says which hours they are of."""

    hit: int
    moments: Moments
    hours: Literal["same", "all"]

    @property
    def share(self) -> float | None:
        """Share of person-days with a hit; None when nobody came."""
        return self.hit / self.moments.units if self.moments.units else None


async def read_usual(context: Context, found: Found) -> dict[str, Any]:
    """The row of `problem_usual` for a problem."""
    until = found.incident.window_from
    rows = await context.store.query(
        "problem_usual",
        journey=found.journey,
        step=found.step,
        since=until - timedelta(seconds=context.impact.windows.usual),
        until=until,
        zone=context.impact.timezone,
        hours=hours_of_week(until, found.incident.window_to, ZoneInfo(context.impact.timezone)),
    )
    return rows[0]


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


def usual_of(row: Mapping[str, Any], until: datetime) -> Usual:
    """Choose the hours: the same ones from four weeks of data and `SPEAKS_FROM` person-days in them on, else all."""
    oldest = known(row["oldest"])
    # A day of grace: the first person of the window need not have come in its first minute.
    long_enough = oldest is not None and until - oldest >= FOUR_WEEKS - timedelta(days=1)
    if long_enough and row["then_units"] >= SPEAKS_FROM:
        return Usual(row["then_hit"], Moments(row["then_units"], row["then_w_sum"], row["then_w_squares"], row["then_w_severity"]), "same")
    return Usual(row["hit"], Moments(row["units"], row["w_sum"], row["w_squares"], row["w_severity"]), "all")
