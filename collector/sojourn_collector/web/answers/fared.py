"""How customers fared in every journey over a stretch of time: ends and sums of the score. Of whole days that are summed up, the sums are read."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sojourn_collector.context import Context
from sojourn_collector.join.rollups import label, midnight, rolled_until
from sojourn_collector.score.customer_impact import NOBODY, Moments
from sojourn_collector.score.experience import Funnel

ENDS = ("finished", "gave_up", "stopped", "trying")
_DAY = timedelta(days=1)


@dataclass
class Fared:
    """By journey; of identified people only where sums of the score are meant. `newest` is when the newest run began, of what was read of the runs."""

    funnels: dict[str, Funnel] = field(default_factory=dict)
    sums: dict[str, Moments] = field(default_factory=dict)
    newest: dict[str, datetime] = field(default_factory=dict)


async def fared(context: Context, since: datetime, until: datetime) -> Fared:
    """From the runs that began in [since, until) themselves."""
    ends, sums = await _runs(context, since, until)
    return _added(ends, sums)


async def fared_long(context: Context, since: datetime, until: datetime) -> Fared:
    """The same, cheaply over weeks: the runs are read for what is left beside whole days, and for days not summed up yet. `newest` is not told."""
    zone = ZoneInfo(context.impact.timezone)
    rolled = await rolled_until(context.control, zone)
    first = since.astimezone(zone).date()
    first += timedelta() if midnight(first, zone) == since else _DAY
    last = min(until, rolled).astimezone(zone).date()
    begin, end = midnight(first, zone), midnight(last, zone)
    if begin >= end:
        return await fared(context, since, until)
    days, before, after = await asyncio.gather(
        context.store.query("usual_days", since=label(first), until=label(last)), _runs(context, since, begin), _runs(context, end, until)
    )
    told = _added(
        [*before[0], *after[0], *({"journey": row["journey"], "how": how, "n": row[how]} for row in days for how in ENDS)], [*before[1], *after[1], *days]
    )
    told.newest.clear()
    return told


async def _runs(context: Context, since: datetime, until: datetime) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    if since >= until:
        return [], []
    return await asyncio.gather(
        context.store.query("journey_ends", since=since, until=until),
        context.store.query("journey_impact", since=since, until=until, zone=context.impact.timezone),
    )


def _added(ends: Iterable[Mapping[str, Any]], sums: Iterable[Mapping[str, Any]]) -> Fared:
    found = Fared()
    counts: dict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(ENDS, 0))
    for row in ends:
        # A run without an end is not settled yet.
        counts[row["journey"]][row["how"] if row["how"] in ENDS else "trying"] += row["n"]
        if "newest" in row:
            found.newest[row["journey"]] = max(row["newest"], found.newest.get(row["journey"], row["newest"]))
    found.funnels = {journey: Funnel(tried=sum(own.values()), **own) for journey, own in counts.items()}
    for row in sums:
        # Anonymous visits are not summed with people.
        if not row.get("anonymous"):
            so_far = found.sums.get(row["journey"], NOBODY)
            found.sums[row["journey"]] = Moments(
                so_far.units + row["units"],
                so_far.weights + row["w_sum"],
                so_far.squares + row["w_squares"],
                so_far.severity + row["w_severity"],
            )
    return found
