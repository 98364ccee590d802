"""The report: what is wrong now, whom it hurts, what it costs, and how every journey stands."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sojourn_collector.context import Context
from sojourn_collector.store.disk_budget import RAW_GONE_BEFORE
from sojourn_collector.web.answers.breaks import versioned
from sojourn_collector.web.answers.company import company
from sojourn_collector.web.answers.coverage import coverage_of, covered_days, sum_of
from sojourn_collector.web.answers.experience import experiences
from sojourn_collector.web.answers.freshness import freshness_of
from sojourn_collector.web.answers.others import others_note
from sojourn_collector.web.answers.probes import probe_states
from sojourn_collector.web.answers.problems import Seen, problems_and_sources
from sojourn_collector.web.answers.sufferers import contact_first
from sojourn_collector.web.answers.times import EPOCH
from sojourn_collector.web.answers.titles import journey_title
from sojourn_collector.web.answers.weeks import in_turn, of_weeks
from sojourn_collector.web.answers.window import Window, window_of
from sojourn_collector.web.models import Basis, Experience, Freshness, ImpactReport, JourneyState, ProbeState, Problem, Windows

CUSTOMERS_SPEAK = timedelta(hours=1)
"""Age of a journey's newest customer from which on customers no longer say that it is well."""


async def impact(context: Context, window: Window | None = None, journey: str = "") -> ImpactReport:
    """The body of `GET /api/v1/impact`.

    :param window: default the last 24 hours, and problems before whose money has not been final for a day.
    :param journey: only this journey's problems and state, when given.
    :raises EngineUnavailable: while the engine cannot answer.
    """
    window = window or window_of(context.clock(), ZoneInfo(context.impact.timezone))
    only = [journey] if journey else []
    (problems, seen, hurt), fared, probes, gone, orders, whole = await in_turn(
        window,
        problems_and_sources(context, window, only),
        experiences(context, window, only),
        probe_states(context, window, journeys=only),
        context.control.progress.get(RAW_GONE_BEFORE),
        covered_days(context, window.since, window.until),
        _nothing() if journey else of_weeks(context, window, ("company",), lambda: company(context, window)),
    )
    freshness = freshness_seen(seen, window.now)
    report = ImpactReport(
        as_of=window.now,
        window_from=window.since,
        window_to=window.until,
        currency=context.impact.currency,
        windows=windows_of(context),
        basis=basis_of(context),
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
                impact_of_visits=fared[ident][2],
            )
            for ident in sorted(fared)
        ],
        company=whole,
        contact_first=contact_first(problem.who for problem in problems),
        people_hit=hurt.people,
        visits_hit=hurt.visits,
        problems_found=hurt.found,
        people_in_others=hurt.others.people,
        visits_in_others=hurt.others.visits,
        notes=others_note(len(problems), hurt.found, hurt.others),
        unlinked_feedback=seen.feedback["unlinked"],
        unlinked_orders=seen.orders["unlinked"],
        coverage=coverage_of(sum_of(orders.values())),
        raw_gone_before=EPOCH + timedelta(days=gone) if gone else None,
    )
    return await versioned(context, report, "report", window.since - timedelta(seconds=context.impact.windows.usual), window.until, journey=journey)


async def _nothing() -> None:
    return None


def freshness_seen(seen: Seen, now: datetime) -> list[Freshness]:
    """How fresh each source is."""
    return freshness_of(seen.telemetry, seen.feedback, seen.orders, seen.masters, seen.watermark, now)


def beacons_fresh(freshness: Sequence[Freshness]) -> bool:
    """Whether customers are heard of just now."""
    return any(one.source == "beacons" and one.state == "fresh" for one in freshness)


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


def basis_of(context: Context) -> Basis:
    """What the formulas name, as it is in force."""
    own = context.impact.severities
    return Basis(slow=own.slow, recovered=own.recovered, left=own.left, blocked=own.blocked, min_hit=context.impact.min_hit)


def windows_of(context: Context) -> Windows:
    """The windows in force."""
    own = context.impact.windows
    return Windows(outcome=own.outcome, abandon=own.abandon, incident_gap=own.incident_gap, usual=own.usual, simulated=context.impact.simulated)
