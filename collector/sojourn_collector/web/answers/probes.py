"""What our probes say about each journey. No fresh run is grey, never green."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sojourn_collector.context import Context
from sojourn_collector.web.answers.window import Window
from sojourn_collector.web.models import ProbeRun, ProbeState

SLOWEST_INTERVAL = timedelta(days=7)
"""The longest interval a journey may have: the newest run is looked for this far back."""

SPEAKING = ("passed", "degraded", "failed")


async def probe_states(context: Context, window: Window, most: int = 30, journeys: Sequence[str] = ()) -> dict[str, ProbeState]:
    """The state of every journey with probes or runs, by journey id.

    :param most: newest runs to list per journey.
    """
    since = min(window.since, window.until - SLOWEST_INTERVAL)
    runs, totals = await asyncio.gather(
        context.store.query("probe_runs", since=since, until=window.until, most=most, journeys=list(journeys)),
        context.store.query("probe_totals", since=window.since, until=window.until),
    )
    by_journey: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in runs:
        by_journey[row["journey"]].append(row)
    counts = {row["journey"]: row for row in totals}
    wanted = list(journeys) or sorted({*by_journey, *context.journeys.all()})
    return {journey: _state(context, journey, by_journey[journey], counts.get(journey), window.until) for journey in wanted}


def _state(context: Context, journey: str, runs: list[dict[str, Any]], totals: dict[str, Any] | None, now: datetime) -> ProbeState:
    known = context.journeys.all().get(journey)
    limit = max(context.impact.windows.stale, known.silent_for(now.timestamp()) if known else 0.0)
    newest = runs[0]["started"] if runs else None
    fresh = [row for row in runs if (now - row["started"]).total_seconds() <= limit and row["outcome"] in SPEAKING]
    passed = totals["passed"] if totals else 0
    return ProbeState(
        state=_worst(fresh),
        last=newest,
        passed=passed,
        total=totals["total"] if totals else 0,
        p50=totals["p50"] if totals and passed else None,
        p95=totals["p95"] if totals and passed else None,
        runs=[_run(row) for row in runs],
        hint="" if fresh else _hint(known.has_probes if known else False, newest, runs, now, limit),
    )


def _worst(fresh: Sequence[dict[str, Any]]) -> Any:
    """The worst of the newest run of each location; runs come newest first."""
    newest: dict[str, str] = {}
    for row in fresh:
        newest.setdefault(row["location"], row["outcome"])
    outcomes = set(newest.values())
    return "failing" if "failed" in outcomes else "degraded" if "degraded" in outcomes else "passing" if outcomes else "unknown"


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
