"""How customers fared in every journey over a stretch of time: ends and sums of the score. Of whole days that are summed up, the sums are read."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sojourn_collector.context import Context
from sojourn_collector.score.customer_impact import NOBODY, NONE_TRYING, Moments, Trying
from sojourn_collector.score.experience import Funnel
from sojourn_collector.score.severities import Severities
from sojourn_collector.web.answers.days import summed_days
from sojourn_collector.web.answers.sums import moments_in, trying_in

ENDS = ("finished", "gave_up", "stopped", "trying")


@dataclass
class Units:
    """The units of one kind in a journey: sums of those that are over, and who still tries."""

    sums: Moments = NOBODY
    trying: Trying = NONE_TRYING


@dataclass
class Fared:
    """By journey: `people` with identity, and apart from them `anonymous` visits. `newest` is when the newest run began."""

    funnels: dict[str, Funnel] = field(default_factory=dict)
    people: dict[str, Units] = field(default_factory=dict)
    anonymous: dict[str, Units] = field(default_factory=dict)
    newest: dict[str, datetime] = field(default_factory=dict)


async def fared(context: Context, since: datetime, until: datetime) -> Fared:
    """From the runs that began in [since, until) themselves."""
    return _added(await _runs(context, since, until), context.impact.severities.numbers)


async def fared_long(context: Context, since: datetime, until: datetime, *, newest: bool = True) -> Fared:
    """The same, cheaply over weeks: the runs are read for what is left beside whole days, and for days not summed up yet.

    :param newest: whether `newest` is wanted; sums of days do not know it.
    """
    whole = await summed_days(context, since, until)
    if whole is None:
        return await fared(context, since, until)
    *parts, latest = await asyncio.gather(
        context.store.query("usual_days", since=whole.first, until=whole.last), _runs(context, since, whole.begin), _runs(context, whole.end, until)
    )
    severities = context.impact.severities.numbers
    told = _added((row for part in (*parts, latest) for row in part), severities)
    told.newest = _added(latest, severities).newest
    if newest and not told.funnels.keys() <= told.newest.keys():
        told.newest = {row["journey"]: row["newest"] for row in await context.store.query("journeys_newest", since=since, until=until)}
    return told


async def visits_fared(context: Context, since: datetime, until: datetime, journeys: Sequence[str]) -> dict[str, Units]:
    """Every visit by itself in these journeys, whosever it is: what is scored where sessions were sampled. Days whose runs are gone may know none."""
    whole, severities = await summed_days(context, since, until), context.impact.severities.numbers
    if whole is None:
        return _added(await _runs(context, since, until, journeys), severities).anonymous
    days, *edges = await asyncio.gather(
        context.store.query("usual_days", since=whole.first, until=whole.last),
        _runs(context, since, whole.begin, journeys),
        _runs(context, whole.end, until, journeys),
    )
    found = _added((row for part in edges for row in part), severities).anonymous
    for row in days:
        if row["journey"] in journeys:
            own = found.setdefault(row["journey"], Units())
            own.sums += moments_in(row, severities, "visit_")
    return found


async def _runs(context: Context, since: datetime, until: datetime, by_visit: Sequence[str] = ()) -> list[dict[str, Any]]:
    if since >= until:
        return []
    return await context.store.query("journey_fared", since=since, until=until, zone=context.impact.timezone, journeys=list(by_visit), by_visit=bool(by_visit))


def _added(rows: Iterable[Mapping[str, Any]], severities: Severities) -> Fared:
    found = Fared()
    counts: dict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(ENDS, 0))
    for row in rows:
        journey = row["journey"]
        for end in ENDS:
            counts[journey][end] += row[end]
        people, anonymous = found.people.setdefault(journey, Units()), found.anonymous.setdefault(journey, Units())
        if "newest" not in row:
            # Sums of days, which hold both kinds apart; in days that are over nobody still tries.
            people.sums += moments_in(row, severities)
            anonymous.sums += moments_in(row, severities, "anonymous_")
            continue
        found.newest[journey] = max(row["newest"], found.newest.get(journey, row["newest"]))
        # Anonymous visits are not summed with people.
        own = anonymous if row["anonymous"] else people
        own.sums += moments_in(row, severities)
        own.trying += trying_in(row, severities)
    found.funnels = {journey: Funnel(tried=sum(own.values()), **own) for journey, own in counts.items()}
    return found
