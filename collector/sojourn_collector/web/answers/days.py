"""Which days of a stretch of time are summed up, so that their sums can be read instead of what they were made of."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sojourn_collector.context import Context
from sojourn_collector.join.rollups import label, midnight, rolled_until


@dataclass(frozen=True, slots=True)
class Days:
    """Whole days one after the other: when the first begins and the last ends, and the labels of the first and after the last."""

    begin: datetime
    end: datetime
    first: datetime
    last: datetime


LONG = timedelta(days=7)
"""From so long a time before on, whole days of it are taken."""


def before(context: Context, until: datetime) -> tuple[datetime, datetime]:
    """The time `windows.usual` long before a moment, from and to: of `LONG` and more its whole days, the first of them too, today's not."""
    span, zone = timedelta(seconds=context.impact.windows.usual), ZoneInfo(context.impact.timezone)
    if span < LONG:
        return until - span, until
    return midnight((until - span).astimezone(zone).date(), zone), midnight(until.astimezone(zone).date(), zone)


async def summed_days(context: Context, since: datetime, until: datetime) -> Days | None:
    """The whole days of the report's zone within [since, until) that the sums know; None when there is none."""
    zone = ZoneInfo(context.impact.timezone)
    rolled = await rolled_until(context.control, zone)
    first = since.astimezone(zone).date()
    first += timedelta() if midnight(first, zone) == since else timedelta(days=1)
    last = min(until, rolled).astimezone(zone).date()
    begin, end = midnight(first, zone), midnight(last, zone)
    return Days(begin, end, label(first), label(last)) if begin < end else None
