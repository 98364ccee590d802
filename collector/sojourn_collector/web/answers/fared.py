"""How customers fared in every journey over a stretch of time: ends and sums of the score. Of whole days that are summed up, the sums are read."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sojourn_collector.context import Context
from sojourn_collector.score.customer_impact import NOBODY, Moments
from sojourn_collector.score.experience import Funnel
from sojourn_collector.score.severities import Severities
from sojourn_collector.web.answers.days import summed_days

ENDS = ("finished", "gave_up", "stopped", "trying")


@dataclass
class Fared:
    """By journey; of identified people only where sums of the score are meant, `visits` are those of whom only the visit is known and whose walk is over.

    `newest` is when the newest run began.
    """

    funnels: dict[str, Funnel] = field(default_factory=dict)
    sums: dict[str, Moments] = field(default_factory=dict)
    visits: dict[str, int] = field(default_factory=dict)
    newest: dict[str, datetime] = field(default_factory=dict)


async def fared(context: Context, since: datetime, until: datetime) -> Fared:
    """From the runs that began in [since, until) themselves."""
    return _added(await _runs(context, since, until), context.impact.severities.numbers)


async def fared_long(context: Context, since: datetime, until: datetime) -> Fared:
    """The same, cheaply over weeks: the runs are read for what is left beside whole days, and for days not summed up yet."""
    whole = await summed_days(context, since, until)
    if whole is None:
        return await fared(context, since, until)
    newest, *parts = await asyncio.gather(
        context.store.query("journeys_newest", since=since, until=until),
        context.store.query("usual_days", since=whole.first, until=whole.last),
        _runs(context, since, whole.begin),
        _runs(context, whole.end, until),
    )
    told = _added((row for part in parts for row in part), context.impact.severities.numbers)
    told.newest = {row["journey"]: row["newest"] for row in newest}
    return told


async def _runs(context: Context, since: datetime, until: datetime) -> list[dict[str, Any]]:
    if since >= until:
        return []
    return await context.store.query("journey_fared", since=since, until=until, zone=context.impact.timezone)


def _added(rows: Iterable[Mapping[str, Any]], severities: Severities) -> Fared:
    found = Fared()
    counts: dict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(ENDS, 0))
    for row in rows:
        for end in ENDS:
            counts[row["journey"]][end] += row[end]
        if "newest" in row:
            found.newest[row["journey"]] = max(row["newest"], found.newest.get(row["journey"], row["newest"]))
        # Anonymous visits are not summed with people.
        apart = row["units"] if row.get("anonymous") else row.get("anonymous_units", 0)
        found.visits[row["journey"]] = found.visits.get(row["journey"], 0) + apart
        if not row.get("anonymous"):
            so_far = found.sums.get(row["journey"], NOBODY)
            found.sums[row["journey"]] = Moments(
                so_far.units + row["units"], so_far.weights + row["w_sum"], so_far.squares + row["w_squares"], so_far.severity + severities.summed(row)
            )
    found.funnels = {journey: Funnel(tried=sum(own.values()), **own) for journey, own in counts.items()}
    return found
