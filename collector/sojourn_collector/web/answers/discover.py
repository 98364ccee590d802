"""Paths that real people walk again and again and that no journey covers."""

import asyncio
from collections import defaultdict
from datetime import timedelta
from typing import Any

from sojourn_collector.context import Context
from sojourn_collector.join.plan import JourneyPlan, plans_of
from sojourn_collector.join.signals import Signal, SignalKind
from sojourn_collector.score.paths import Path, Place, Visit, paths
from sojourn_collector.web.answers.window import Window
from sojourn_collector.web.models_discover import DiscoverAnswer, DiscoveredPath, DiscoveredStep

SPAN = timedelta(days=7)
ENOUGH = 20_000
"""Visits that are looked at; of more, every second, third … stands for all."""

COVERED = 0.7
"""Share of a path's places from which on a journey that has its last one too covers it."""


async def discover(context: Context, window: Window, *, app: str = "", least: int = 5, most: int = 10) -> DiscoverAnswer:
    """The body of `GET /api/v1/discover`. Raises EngineUnavailable.

    :param least: people below which a path is not told.
    """
    span: dict[str, Any] = {"since": window.since, "until": window.until}
    (count,) = await context.store.query("count_visits", **span, app=app)
    one_in = max(1, -(-count["visits"] // ENOUGH))
    rows = await context.store.query("session_paths", **span, app=app, one_in=one_in, most=2 * ENOUGH)
    plans = plans_of(context.journeys.all().values())
    by_app: dict[str, list[Visit]] = defaultdict(list)
    for row in rows:
        by_app[row["of_app"]].append(Visit(row["person"], [tuple(one) for one in row["walked"]]))
    found: list[tuple[str, Path]] = []
    for name, visits in by_app.items():
        mine = [plan for plan in plans if not plan.app or plan.app == name]
        told = await asyncio.to_thread(paths, visits, least=least, most=most, covered=lambda path, mine=mine: any(_covers(plan, path) for plan in mine))  # type: ignore[misc]
        found += [(name, path) for path in told]
    found.sort(key=lambda one: (-one[1].people[-1] * len(one[1].places), one[0], one[1].places))
    return DiscoverAnswer(
        as_of=window.now,
        window_from=window.since,
        window_to=window.until,
        visits=len(rows),
        people=len({row["person"] for row in rows}),
        one_in=one_in,
        paths=[_answer(name, path) for name, path in found[:most]],
        known=len(plans),
        reason=_reason(len(rows), len(found)),
    )


def _covers(plan: JourneyPlan, path: Path) -> bool:
    """Whether a journey knows most of a path's places, its end among them."""
    known = [any(_knows(pattern, place) for step in plan.steps for pattern in (step.reached, step.done) if pattern is not None) for place in path.places]
    return known[-1] and sum(known) >= COVERED * len(known)


def _knows(pattern: Any, place: Place) -> bool:
    if place.event:
        return bool(pattern.matches(Signal(0, SignalKind.CONVERSION, name=place.event)))
    # A star of ours stands for any id, which a pattern of the journey file has to take too.
    return bool(pattern.covers(place.page.replace("*", "0")))


def _answer(app: str, path: Path) -> DiscoveredPath:
    steps = [DiscoveredStep(page=place.page, event=place.event, people=people) for place, people in zip(path.places, path.people, strict=True)]
    return DiscoveredPath(app=app, steps=steps, visits=path.visits, finished=path.people[-1] / path.people[0], seconds=path.seconds)


def _reason(visits: int, found: int) -> str:
    if found:
        return ""
    if not visits:
        return "no visit of a real browser was seen in this time: pages need the snippet"
    return "nothing that enough people walk is outside the journeys that are known"
