"""All problems of a window with what is known of the sources: as remembered where that is still true, else worked out."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from sojourn_collector.context import Context
from sojourn_collector.impact_version import config_version
from sojourn_collector.web.answers.found import Found, find
from sojourn_collector.web.answers.list_order import in_order
from sojourn_collector.web.answers.orders_known import OrdersKnown, feeds_of, orders_known
from sojourn_collector.web.answers.others import Others, hit_in_others
from sojourn_collector.web.answers.problem import problem_of
from sojourn_collector.web.answers.remembered import OLD, Changes, ProblemMemory, Worked, known_step
from sojourn_collector.web.answers.shortfall import HISTORY
from sojourn_collector.web.answers.theirs import Theirs
from sojourn_collector.web.answers.weeks import STEPS_OF_FOLLOW_UP, minute_of
from sojourn_collector.web.answers.window import Window, window_of
from sojourn_collector.web.models import Problem

MOST_PROBLEMS = 20
"""Incidents worked out in full; those still failing and the newest come first. Of the others it is told how many were hit."""

AT_ONCE = 3
"""Problems worked out side by side: each asks several queries at once already."""

RECENT = timedelta(minutes=10)
"""Newest telemetry is looked up to the second this far back, beyond it by the minute."""

SHARED = 10.0
"""Seconds at most for which reports share how many orders and answers there are; less where windows are short."""

LATEST = timedelta(days=7)
"""An order source that is further behind keeps no problem in the report any longer."""

OLD_STEPS = 100
"""Parts of the outcome window in which the money of a problem is followed that has been over for long."""

Keep = Callable[[Found, Callable[[], Awaitable[Worked]]], Awaitable[Worked]]


@dataclass(frozen=True, slots=True)
class Hurt:
    """Persons hit over all problems, each once, and anonymous visits, which are never added to them.

    `found` = how many problems there are; `others` = who was hit only in those that are not worked out.
    """

    people: int
    visits: int
    found: int
    others: Others


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
    telemetry, (feedback, orders, masters), watermark, promised = await asyncio.gather(
        context.store.query("telemetry_seen", recent=window.now - RECENT), _counted(context, window), _watermark(context, window.now), _promised(context)
    )
    return Seen(telemetry, feedback, orders, masters, watermark, promised)


async def _counted(context: Context, window: Window) -> tuple[dict[str, Any], dict[str, Any], list[dict[str, Any]]]:
    query = context.store.query

    async def counted() -> tuple[dict[str, Any], dict[str, Any], list[dict[str, Any]]]:
        feedback, orders, masters = await asyncio.gather(
            query("feedback_seen", since=window.since, until=window.until), query("orders_seen", since=window.since, until=window.until), query("masters_seen")
        )
        return feedback[0], orders[0], masters

    shared = min(SHARED, context.impact.windows.outcome / STEPS_OF_FOLLOW_UP)
    memory = context.problems if window.until == window.now else None
    return await (counted() if memory is None else memory.once(("sources_seen", minute_of(window)), shared, counted))


async def _watermark(context: Context, now: datetime) -> datetime | None:
    return await context.control.watermarks.get("orders", tenant=context.store.tenant, now=now)


async def _promised(context: Context) -> frozenset[str]:
    return await context.control.watermarks.feeds("orders", tenant=context.store.tenant)


async def problems_and_sources(context: Context, window: Window, journeys: Sequence[str]) -> tuple[list[Problem], Seen, Hurt]:
    """The window's problems, worst first, what is known of the sources, and how many were hit over all problems.

    Where the window `stays`, those that ended before it come last.
    """
    watermark = await _watermark(context, window.now) if window.stays else None
    late = timedelta() if watermark is None else min(max(window.now - watermark, timedelta()), LATEST)
    found, seen = await asyncio.gather(find(context, window, journeys, late), sources_seen(context, window))
    ranked = sorted(found, key=lambda one: (one.incident.state != "failing", _left(one, window), -one.incident.since.timestamp()))
    urgent, rest = ranked[:MOST_PROBLEMS], ranked[MOST_PROBLEMS:]
    worked, others = await asyncio.gather(
        _worked(context, urgent, _known(seen.orders, seen.watermark, seen.promised, window), window), hit_in_others(context, urgent, rest, window)
    )
    before = {one.id for one in urgent if _left(one, window)}
    # Each for itself: what people were worth before the problems of now is not what they were before those of days ago.
    now, earlier = await asyncio.gather(*(_in_order(context, worked, [one for one in urgent if (one.id in before) is left]) for left in (False, True)))
    ordered = [*now, *earlier]
    anonymous = {ident: visit for one in worked for ident, visit in one.hit.items()}
    people, visits = sum(not visit for visit in anonymous.values()), sum(anonymous.values())
    problems = [one.problem.model_copy(update={"earlier": True}) if one.problem.id in before else one.problem for one in ordered]
    return problems, seen, Hurt(people + others.people, visits + others.visits, len(found), others)


async def worked_problems(context: Context, window: Window, journey: str) -> tuple[list[Worked], int, Others]:
    """One journey's problems in a window with who was hit, failing and newest first; how many there are, and who was hit in the others alone."""
    found, (_, orders, _), watermark, promised = await asyncio.gather(
        find(context, window, [journey]), _counted(context, window), _watermark(context, window.now), _promised(context)
    )
    ranked = sorted(found, key=lambda one: (one.incident.state != "failing", -one.incident.since.timestamp()))
    urgent, rest = ranked[:MOST_PROBLEMS], ranked[MOST_PROBLEMS:]
    known = _known(orders, watermark, promised, window)
    worked, others = await asyncio.gather(_worked(context, urgent, known, window), hit_in_others(context, urgent, rest, window))
    return worked, len(found), others


async def _in_order(context: Context, worked: Sequence[Worked], found: Sequence[Found]) -> list[Worked]:
    ids = {one.id for one in found}
    return await in_order(context, [one for one in worked if one.problem.id in ids], found)


async def one_problem(context: Context, found: Found, window: Window) -> Problem:
    """One of them alone, as the report tells it."""
    # What was counted for the report of now serves as well.
    counted = window_of(window.now, ZoneInfo(context.impact.timezone)) if window.until == window.now else window
    (_, orders, _), watermark, promised = await asyncio.gather(_counted(context, counted), _watermark(context, window.now), _promised(context))
    (worked,) = await _worked(context, [found], _known(orders, watermark, promised, window), window)
    return worked.problem


def _known(orders: dict[str, Any], watermark: datetime | None, promised: frozenset[str], window: Window) -> OrdersKnown:
    return orders_known(orders["orders"], feeds_of(orders), watermark, promised, window.until)


def _left(found: Found, window: Window) -> bool:
    """Whether it ended before the window."""
    return found.incident.window_to < window.since


async def _worked(context: Context, found: Sequence[Found], orders: OrdersKnown, window: Window) -> list[Worked]:
    # Of another moment than now nothing is remembered.
    if context.problems is None or window.until != window.now:
        return list((await _work_out(context, found, orders, window)).values())
    return await _remembered(context, context.problems, found, orders, window)


async def _work_out(context: Context, found: Sequence[Found], orders: OrdersKnown, window: Window, keep: Keep | None = None) -> dict[str, Worked]:
    """By id. `keep` is called with each problem and what works it out."""
    # Those of before apart: together the steps of all the time between would be looked through.
    theirs = {left: Theirs(context, [one for one in found if _left(one, window) is left], window.until, timedelta(seconds=HISTORY)) for left in (False, True)}
    gate = asyncio.Semaphore(AT_ONCE)

    async def work(one: Found) -> Worked:
        async with gate:
            wanted = partial(problem_of, context, one, orders, window.until, theirs[_left(one, window)])
            return await (wanted() if keep is None else keep(one, wanted))

    return dict(zip((one.id for one in found), await asyncio.gather(*(work(one) for one in found)), strict=True))


async def _remembered(context: Context, memory: ProblemMemory, found: Sequence[Found], orders: OrdersKnown, window: Window) -> list[Worked]:
    now, version, outcome = window.until, config_version(context.impact), context.impact.windows.outcome
    told_until = None if orders.until is None else min(now, orders.until)
    until = {
        one.id: known_step(
            told_until,
            one.incident.window_to + timedelta(seconds=outcome),
            outcome,
            OLD_STEPS if now - one.incident.window_to > OLD else STEPS_OF_FOLLOW_UP,
        )
        for one in found
    }
    told: dict[str, Worked] = {}

    async def recall(*, waiting: bool) -> tuple[Changes, list[Found]]:
        changes = await memory.changes(context, found, version)
        told.clear()
        for one in found:
            worked = memory.recall(one, changes, version, until[one.id], waiting=waiting, anew=partial(anew, one))
            if worked is not None:
                told[one.id] = worked
        return changes, [one for one in found if one.id not in told]

    async def anew(one: Found) -> None:
        changes = await memory.changes(context, [one], version)
        await _work_out(context, [one], orders, window, lambda one, work: memory.keep(one, changes, version, until[one.id], work))

    _, missing = await recall(waiting=memory.working.locked())
    if missing:
        async with memory.working:
            changes, missing = await recall(waiting=False)
            told |= await _work_out(context, missing, orders, window, lambda one, work: memory.keep(one, changes, version, until[one.id], work))
    return [told[one.id] for one in found]
