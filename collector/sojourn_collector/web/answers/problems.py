"""All problems of a window with what is known of the sources: as remembered where that is still true, else worked out."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sojourn_collector.context import Context
from sojourn_collector.impact_version import config_version
from sojourn_collector.web.answers.found import Found, find
from sojourn_collector.web.answers.orders_known import OrdersKnown, feeds_of, orders_known
from sojourn_collector.web.answers.problem import problem_of
from sojourn_collector.web.answers.remembered import Changes, ProblemMemory, Worked, known_step
from sojourn_collector.web.answers.shortfall import HISTORY
from sojourn_collector.web.answers.theirs import Theirs
from sojourn_collector.web.answers.weeks import STEPS_OF_FOLLOW_UP, minute_of
from sojourn_collector.web.answers.window import Window
from sojourn_collector.web.models import Problem

MOST_PROBLEMS = 20
"""Incidents worked out in full; those still failing and the newest come first."""

AT_ONCE = 3
"""Problems worked out side by side: each asks several queries at once already."""

RECENT = timedelta(minutes=10)
"""Newest telemetry is looked up to the second this far back, beyond it by the minute."""

SHARED = 10.0
"""Seconds at most for which reports share how many orders and answers there are; less where windows are short."""

Keep = Callable[[Found, Callable[[], Awaitable[Worked]]], Awaitable[Worked]]


@dataclass(frozen=True, slots=True)
class Hurt:
    """Persons hit over all problems, each once, and anonymous visits, which are never added to them."""

    people: int
    visits: int


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of the sources themselves."""

    telemetry: list[dict[str, Any]]
    feedback: dict[str, Any]
    orders: dict[str, Any]
    masters: list[dict[str, Any]]
    watermark: datetime | None
    promised: frozenset[str] = frozenset()


async def sources_seen(context: Context, window: Window) -> Seen:
    """Newest data, counts and watermarks of every source. What is looked through all of a table for is shared by reports of the same few seconds."""
    query = context.store.query

    async def counted() -> tuple[dict[str, Any], dict[str, Any], list[dict[str, Any]]]:
        feedback, orders, masters = await asyncio.gather(
            query("feedback_seen", since=window.since, until=window.until), query("orders_seen", since=window.since, until=window.until), query("masters_seen")
        )
        return feedback[0], orders[0], masters

    shared = min(SHARED, context.impact.windows.outcome / STEPS_OF_FOLLOW_UP)
    memory = context.problems if window.until == window.now else None
    telemetry, (feedback, orders, masters), watermark, promised = await asyncio.gather(
        query("telemetry_seen", recent=window.now - RECENT),
        counted() if memory is None else memory.once(("sources_seen", minute_of(window)), shared, counted),
        context.control.watermarks.get("orders", tenant=context.store.tenant, now=window.now),
        context.control.watermarks.feeds("orders", tenant=context.store.tenant),
    )
    return Seen(telemetry, feedback, orders, masters, watermark, promised)


async def problems_and_sources(context: Context, window: Window, journeys: Sequence[str]) -> tuple[list[Problem], Seen, Hurt]:
    """The window's problems, worst first, what is known of the sources, and how many were hit over all problems."""
    found, seen = await asyncio.gather(find(context, window, journeys), sources_seen(context, window))
    orders = orders_known(seen.orders["orders"], feeds_of(seen.orders), seen.watermark, seen.promised, window.until)
    urgent = sorted(found, key=lambda one: (one.incident.state != "failing", -one.incident.since.timestamp()))[:MOST_PROBLEMS]
    # Of another moment than now nothing is remembered.
    if context.problems is None or window.until != window.now:
        worked = list((await _work_out(context, urgent, orders, window.until)).values())
    else:
        worked = await _remembered(context, context.problems, urgent, orders, window.until)
    ordered = sorted(worked, key=_place)
    anonymous = {ident: visit for one in worked for ident, visit in one.hit.items()}
    return [one.problem for one in ordered], seen, Hurt(sum(not visit for visit in anonymous.values()), sum(anonymous.values()))


def _place(one: Worked) -> tuple[Any, ...]:
    problem = one.problem
    return (problem.state != "failing" and not one.weight, -one.weight, -problem.clock.since.timestamp(), problem.id)


async def _work_out(context: Context, found: Sequence[Found], orders: OrdersKnown, now: datetime, keep: Keep | None = None) -> dict[str, Worked]:
    """By id. `keep` is called with each problem and what works it out."""
    theirs = Theirs(context, found, now, timedelta(seconds=HISTORY))
    gate = asyncio.Semaphore(AT_ONCE)

    async def work(one: Found) -> Worked:
        async with gate:
            wanted = partial(problem_of, context, one, orders, now, theirs)
            return await (wanted() if keep is None else keep(one, wanted))

    return dict(zip((one.id for one in found), await asyncio.gather(*(work(one) for one in found)), strict=True))


async def _remembered(context: Context, memory: ProblemMemory, found: Sequence[Found], orders: OrdersKnown, now: datetime) -> list[Worked]:
    version, outcome = config_version(context.impact), context.impact.windows.outcome
    until = {one.id: known_step(orders.until, min(now, one.incident.window_to + timedelta(seconds=outcome)), outcome) for one in found}
    told: dict[str, Worked] = {}

    async def recall() -> tuple[Changes, list[Found]]:
        changes = await memory.changes(context, found, version)
        told.update({one.id: worked for one in found if (worked := memory.recall(one, changes, version, until[one.id])) is not None})
        return changes, [one for one in found if one.id not in told]

    _, missing = await recall()
    if missing:
        async with memory.working:
            changes, missing = await recall()
            told |= await _work_out(context, missing, orders, now, lambda one, work: memory.keep(one, changes, version, until[one.id], work))
    return [told[one.id] for one in found]
