"""The report: what is wrong now, whom it hurts, what it costs, and how every journey stands."""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sojourn_collector.context import Context
from sojourn_collector.store.disk_budget import RAW_GONE_BEFORE
from sojourn_collector.web.answers.experience import experiences
from sojourn_collector.web.answers.found import Found, find
from sojourn_collector.web.answers.freshness import freshness_of
from sojourn_collector.web.answers.probes import probe_states
from sojourn_collector.web.answers.problem import OrdersKnown, problem_of
from sojourn_collector.web.answers.remembered import Worked, known_step
from sojourn_collector.web.answers.sufferers import contact_first
from sojourn_collector.web.answers.times import EPOCH, known
from sojourn_collector.web.answers.titles import journey_title
from sojourn_collector.web.answers.window import Window, window_of
from sojourn_collector.web.models import Experience, Freshness, ImpactReport, JourneyState, ProbeState, Problem, Windows

MOST_PROBLEMS = 20
"""Incidents worked out in full; those still failing and the newest come first."""

AT_ONCE = 3
"""Problems worked out side by side: each asks several queries at once already."""

RECENT = timedelta(minutes=10)
"""Newest telemetry is looked up to the second this far back, beyond it by the minute."""


CUSTOMERS_SPEAK = timedelta(hours=1)
"""Age of a journey's newest customer from which on customers no longer say that it is well."""


async def impact(context: Context, window: Window | None = None, journey: str = "") -> ImpactReport:
    """The body of `GET /api/v1/impact`.

    :param window: default the last 24 hours.
    :param journey: only this journey's problems and state, when given.
    :raises EngineUnavailable: while the engine cannot answer.
    """
    window = window or window_of(context.clock(), ZoneInfo(context.impact.timezone))
    only = [journey] if journey else []
    (problems, seen, hurt), fared, probes, gone = await asyncio.gather(
        problems_and_sources(context, window, only),
        experiences(context, window, only),
        probe_states(context, window, journeys=only),
        context.control.progress.get(RAW_GONE_BEFORE),
    )
    freshness = freshness_seen(seen, window.now)
    return ImpactReport(
        as_of=window.now,
        window_from=window.since,
        window_to=window.until,
        currency=context.impact.currency,
        config_version=config_version(context),
        windows=windows_of(context),
        freshness=freshness,
        problems=problems,
        journeys=[
            JourneyState(
                id=ident,
                name=journey_title(context, ident).name,
                state=state_of(
                    context,
                    ident,
                    problems,
                    probes.get(ident),
                    fared[ident][0] if ident in fared else None,
                    window.until,
                    beacons_fresh=beacons_fresh(freshness),
                ),
                experience=fared[ident][0] if ident in fared else Experience(tried=0, finished=0, gave_up=0, stopped=0, trying=0),
                probes=probes.get(ident, ProbeState(state="unknown")),
                impact=fared[ident][1],
            )
            for ident in sorted(fared)
        ],
        contact_first=contact_first(problem.who for problem in problems),
        people_hit=hurt.people,
        visits_hit=hurt.visits,
        unlinked_feedback=seen.feedback["unlinked"],
        unlinked_orders=seen.orders["unlinked"],
        raw_gone_before=EPOCH + timedelta(days=gone) if gone else None,
    )


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


def freshness_seen(seen: Seen, now: datetime) -> list[Freshness]:
    """How fresh each source is."""
    return freshness_of(seen.telemetry, seen.feedback, seen.orders, seen.masters, seen.watermark, now)


def beacons_fresh(freshness: Sequence[Freshness]) -> bool:
    """Whether customers are heard of just now."""
    return any(one.source == "beacons" and one.state == "fresh" for one in freshness)


async def sources_seen(context: Context, window: Window) -> Seen:
    """Newest data, counts and watermarks of every source."""
    query = context.store.query
    telemetry, feedback, orders, masters, watermark = await asyncio.gather(
        query("telemetry_seen", recent=window.now - RECENT),
        query("feedback_seen", since=window.since, until=window.until),
        query("orders_seen", since=window.since, until=window.until),
        query("masters_seen"),
        context.control.watermarks.get("orders", tenant=context.store.tenant, now=window.now),
    )
    return Seen(telemetry, feedback[0], orders[0], masters, watermark)


async def problems_and_sources(context: Context, window: Window, journeys: Sequence[str]) -> tuple[list[Problem], Seen, Hurt]:
    """The window's problems, worst first, what is known of the sources, and how many were hit over all problems."""
    found, seen = await asyncio.gather(find(context, window, journeys), sources_seen(context, window))
    orders_known = OrdersKnown(seen.watermark, seen.orders["orders"], known(seen.orders["newest"]))
    gate = asyncio.Semaphore(AT_ONCE)

    # Of another moment than now nothing is remembered.
    memory, version = (context.problems if window.until == window.now else None), config_version(context)
    changes = None if memory is None else await memory.changes(context, found, version)

    async def work_out(one: Found) -> Worked:
        async with gate:
            return await problem_of(context, one, orders_known, window.until)

    async def tell(one: Found) -> Worked:
        if memory is None or changes is None:
            return await work_out(one)
        outcome = context.impact.windows.outcome
        relevant = known_step(orders_known.until, min(window.now, one.incident.window_to + timedelta(seconds=outcome)), outcome)
        return await memory.tell(one, changes, version, relevant, lambda: work_out(one))

    urgent = sorted(found, key=lambda one: (one.incident.state != "failing", -one.incident.since.timestamp()))[:MOST_PROBLEMS]
    worked = await asyncio.gather(*(tell(one) for one in urgent))
    ordered = sorted(
        worked, key=lambda one: (one.problem.state != "failing" and not one.weight, -one.weight, -one.problem.clock.since.timestamp(), one.problem.id)
    )
    anonymous = {ident: visit for one in worked for ident, visit in one.hit.items()}
    return [one.problem for one in ordered], seen, Hurt(sum(not visit for visit in anonymous.values()), sum(anonymous.values()))


def state_of(
    context: Context, journey: str, problems: Sequence[Problem], probes: ProbeState | None, fared: Experience | None, now: datetime, *, beacons_fresh: bool
) -> Any:
    """A journey's colour: failing and degraded need evidence, healthy needs fresh good news, everything else is unknown.

    Without probes the good news are customers who finished, and they are fresh only while beacons come,
    of this journey too: those of another app say nothing of it.
    """
    if any(problem.journey.id == journey and problem.state == "failing" for problem in problems):
        return "failing"
    known_journey = context.journeys.all().get(journey)
    walked = known_journey.has_probes if known_journey else bool(probes and probes.runs)
    if probes and probes.state in ("failing", "degraded"):
        return probes.state
    if probes and probes.state == "passing":
        return "healthy"
    if walked or fared is None:
        return "unknown"
    heard = beacons_fresh and fared.newest is not None and now - fared.newest <= CUSTOMERS_SPEAK
    return "healthy" if fared.finished and heard else "unknown"


def config_version(context: Context) -> str:
    """12 hex digits that change when impact.yaml does: scores of different versions are not comparable."""
    return hashlib.sha256(context.impact.model_dump_json().encode()).hexdigest()[:12]


def windows_of(context: Context) -> Windows:
    """The windows in force."""
    own = context.impact.windows
    return Windows(outcome=own.outcome, abandon=own.abandon, incident_gap=own.incident_gap, usual=own.usual, simulated=context.impact.simulated)
