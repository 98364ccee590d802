"""When the clock window of an incident began on the days before, and what else happened at its own start."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sojourn_collector.context import Context
from sojourn_collector.store.control.marks import MarkKind, MarkRow
from sojourn_collector.web.answers.found import Found
from sojourn_collector.web.answers.marks import seen_releases
from sojourn_probes.maintenance import Window, covering

MOST_MARKS = 500
EARLIER, LATER = timedelta(hours=1), timedelta(minutes=10)
"""So long before and after the beginning of an incident something else is at its start: clocks differ, and the first failure is not the first moment."""

OTHER_DAY = frozenset({MarkKind.RELEASE, MarkKind.CAMPAIGN, MarkKind.PRICE})
"""What makes a day unlike those before it."""


def past_starts(
    since: datetime, until: datetime, days: int, zone: ZoneInfo, holidays: Sequence[date] = (), maintenance: Sequence[Window] = (), of: str = "UTC"
) -> list[tuple[int, datetime]]:
    """The same time of day on each of the days before, by the clock on the wall of `zone`: how many days ago, and when.

    Days that were a holiday there and those on which maintenance met the window are left out, and so is an hour that a changed clock left out.

    :param of: the time zone in which `maintenance` says its hours.
    """
    local, length = since.astimezone(zone), until - since
    starts = []
    for ago in range(1, days + 1):
        naive = local.replace(tzinfo=None) - timedelta(days=ago)
        start = naive.replace(tzinfo=zone, fold=local.fold).astimezone(since.tzinfo)
        exists = start.astimezone(zone).replace(tzinfo=None) == naive
        met = any(covering(maintenance, of, at.timestamp()) for at in _moments(start, start + length)) if maintenance else False
        if exists and not met and not {naive.date(), (naive + length).date()} & set(holidays):
            starts.append((ago, start))
    return starts


def _moments(since: datetime, until: datetime) -> list[datetime]:
    """Moments of a window that are looked at: every fifth minute and its end."""
    count = int((until - since) / timedelta(minutes=5)) + 1
    return [*(since + timedelta(minutes=5 * number) for number in range(count)), until]


async def at_start(context: Context, found: Found) -> str:
    """What was told or seen to happen at the start of the incident, as a reason to keep silent; "" for nothing."""
    since = found.incident.window_from
    zone = ZoneInfo(context.impact.timezone)
    told = [(mark.kind.value, mark.name, mark.at) for mark in await context.control.marks.list(MOST_MARKS) if _tells(mark, found)]
    seen = [("release", mark.name, mark.at) for mark in await seen_releases(context)]
    near = [one for one in told + seen if since - EARLIER <= one[2] <= since + LATER]
    if not near:
        return ""
    kind, name, at = min(near, key=lambda one: abs(one[2] - since))
    return f"the {NAMES[kind]} {name} at {at.astimezone(zone):%H:%M} fell at its start: what it changed cannot be told from what the failure did"


NAMES = {"release": "release", "campaign": "campaign", "price": "price change"}


def _tells(mark: MarkRow, found: Found) -> bool:
    return mark.kind in OTHER_DAY and mark.journey in ("", found.journey)
