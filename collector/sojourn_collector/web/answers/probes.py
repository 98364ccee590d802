"""What our probes say about each journey. No fresh run is grey, never green."""

import asyncio
import functools
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sojourn_collector.context import Context
from sojourn_collector.join.rollups import midnight
from sojourn_collector.web.answers.days import summed_days
from sojourn_collector.web.answers.weeks import PATIENCE, of_weeks
from sojourn_collector.web.answers.window import Window
from sojourn_collector.web.models import ProbeRun, ProbeState

SLOWEST_INTERVAL = timedelta(days=7)
"""The longest interval a journey may have: the newest run is looked for this far back."""

LOOKS = (timedelta(hours=6), timedelta(days=1), timedelta(days=7))
"""How far back the newest runs are looked for, one after the other, and last in the whole window: those of a journey that is seldom walked, or that no
probe walks any more, lie further back."""


async def probe_states(context: Context, window: Window, most: int = 30, journeys: Sequence[str] = ()) -> dict[str, ProbeState]:
    """The state of every journey with probes or runs, by journey id.

    :param most: newest runs to list per journey.
    """
    since = min(window.since, window.until - SLOWEST_INTERVAL)
    near, *further = [max(since, window.until - look) for look in LOOKS]
    asked: dict[str, Any] = {"until": window.until, "most": most}
    runs, newest, totals = await asyncio.gather(
        context.store.query("probe_runs", **asked, since=near, journeys=list(journeys)),
        _newest(context, since, window.until, list(journeys)),
        of_weeks(context, window, ("probe_totals",), lambda: context.store.query("probe_totals", deadline=PATIENCE, since=window.since, until=window.until)),
    )
    for begin in (*further, since):
        found = Counter(row["journey"] for row in runs)
        few = sorted(journey for journey in journeys or {*found, *(row["journey"] for row in newest), *context.journeys.all()} if found[journey] < most)
        if few and near > begin:
            runs = [*(row for row in runs if row["journey"] not in few), *await context.store.query("probe_runs", **asked, since=begin, journeys=few)]
            near = begin
    by_journey: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in runs:
        by_journey[row["journey"]].append(row)
    spoke: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
    for row in newest:
        spoke[row["journey"]][row["location"]] = row
    counts = {row["journey"]: row for row in totals}
    wanted = list(journeys) or sorted({*by_journey, *context.journeys.all()})
    return {journey: _state(context, journey, by_journey[journey], spoke[journey], counts.get(journey), window.until) for journey in wanted}


async def _newest(context: Context, since: datetime, until: datetime, journeys: list[str]) -> list[dict[str, Any]]:
    """The newest run of each journey at each location that says something of it. Of days that are summed up only those are read that have the last such run."""
    days = await summed_days(context, since, until)
    newest = functools.partial(context.store.query, "probe_newest")
    if days is None:
        return await newest(since=since, until=until, journeys=journeys)
    before = await newest(since=since, until=days.begin, journeys=journeys) if since < days.begin else []
    near, places = await asyncio.gather(
        newest(since=days.end, until=until, journeys=journeys),
        context.store.query("probe_places", since=days.first, until=days.last, journeys=journeys),
    )
    found = {(row["journey"], row["location"]): row for row in [*before, *near]}
    seen = {(row["journey"], row["location"]) for row in near}
    if silent := {place: row["day"].date() for row in places if (place := (row["journey"], row["location"])) not in seen}:
        zone = ZoneInfo(context.impact.timezone)
        first, after = midnight(min(silent.values()), zone), midnight(max(silent.values()) + timedelta(days=1), zone)
        rows = await newest(since=first, until=after, journeys=sorted({journey for journey, _ in silent}))
        found |= {place: row for row in rows if (place := (row["journey"], row["location"])) in silent}
    return list(found.values())


def patience(context: Context, journey: str, location: str, now: datetime) -> float:
    """Seconds for which a location may be silent about a journey before it is not known how things are there."""
    known = context.journeys.all().get(journey)
    return max(context.impact.windows.stale, known.at(location).silent_for(now.timestamp()) if known else 0.0)


def _state(
    context: Context, journey: str, runs: list[dict[str, Any]], spoke: dict[str, dict[str, Any]], totals: dict[str, Any] | None, now: datetime
) -> ProbeState:
    """`spoke` has the newest run of each location that says something."""
    known = context.journeys.all().get(journey)
    newest = runs[0]["started"] if runs else None
    # A location that the journey names, or that has walked it, and is silent now is not known to be well.
    places = {*(known.locations if known else ()), *(spoke if not known or not known.locations else ())}
    fresh = {place: row for place, row in spoke.items() if (now - row["newest"]).total_seconds() <= patience(context, journey, place, now)}
    silent = sorted(places - fresh.keys())
    limit = max((patience(context, journey, place, now) for place in silent or places), default=context.impact.windows.stale)
    passed = totals["passed"] if totals else 0
    return ProbeState(
        state=_worst({row["newest_outcome"] for row in fresh.values()}, silent),
        last=newest,
        passed=passed,
        total=totals["total"] if totals else 0,
        p50=totals["p50"] if totals and passed else None,
        p95=totals["p95"] if totals and passed else None,
        runs=[_run(row) for row in runs],
        hint=_silent_hint(silent) if fresh else _hint(known.has_probes if known else False, newest, runs, now, limit),
    )


def _worst(outcomes: set[str], silent: Sequence[str]) -> Any:
    """The worst of the newest run of each location; nobody is well while a location is silent."""
    if "failed" in outcomes:
        return "failing"
    if "degraded" in outcomes:
        return "degraded"
    return "passing" if outcomes and not silent else "unknown"


def _silent_hint(silent: Sequence[str]) -> str:
    return "" if not silent else f"nothing new from {', '.join(silent)}: is the agent there running? name the journey's locations: to leave one out"


def _hint(has_probes: bool, newest: datetime | None, runs: Sequence[dict[str, Any]], now: datetime, limit: float) -> str:
    if not has_probes and newest is None:
        return "no step of this journey is walked by a probe"
    if newest is None:
        return "no probe has walked this journey yet: is an agent running with it in its journeys folder?"
    age = (now - newest).total_seconds()
    if age <= limit and runs:
        why = f": {runs[0]['failure_message']}" if runs[0]["failure_message"] else ""
        return f"the newest run is {runs[0]['outcome']} and says nothing of the journey{why}"
    return f"the newest run is {age:.0f} s old, more than {limit:.0f} s: is the agent running, and does it reach the collector?"


def _run(row: dict[str, Any]) -> ProbeRun:
    return ProbeRun(
        run_id=row["run_id"],
        at=row["started"],
        location=row["location"],
        outcome=row["outcome"],
        flaky=bool(row["flaky"]),
        duration=row["seconds"],
        failure=row["failure_message"],
        step=row["failure_step"],
    )
