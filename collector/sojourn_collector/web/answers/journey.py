"""One journey: how customers fared in it beside what our probes say, its problems and its newest visits."""

import asyncio
import re
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sojourn_collector.context import Context
from sojourn_collector.web.answers.breaks import versioned
from sojourn_collector.web.answers.experience import experiences
from sojourn_collector.web.answers.impact import beacons_fresh, freshness_seen, state_of
from sojourn_collector.web.answers.others import others_note
from sojourn_collector.web.answers.probes import probe_states
from sojourn_collector.web.answers.problems import problems_and_sources
from sojourn_collector.web.answers.satisfaction import satisfaction_of_all
from sojourn_collector.web.answers.titles import journey_title
from sojourn_collector.web.answers.visits import visit_line
from sojourn_collector.web.answers.window import Window, window_of
from sojourn_collector.web.models import JourneyAnswer, Satisfaction, VisitLine
from sojourn_probes.naming import ID_PATTERN

MOST_RUNS = 200


async def journey(context: Context, ident: str, window: Window | None = None) -> JourneyAnswer | None:
    """The body of `GET /api/v1/journeys/{id}`; None for a journey that is neither in the folder nor in the window's data."""
    if not re.fullmatch(ID_PATTERN, ident):
        return None
    window = window or window_of(context.clock(), ZoneInfo(context.impact.timezone))
    (problems, seen, hurt), fared, probes, satisfaction, visits = await asyncio.gather(
        problems_and_sources(context, window, [ident]),
        experiences(context, window, [ident]),
        probe_states(context, window, MOST_RUNS, [ident]),
        journey_satisfaction(context, ident, window),
        _visits(context, ident, window),
    )
    known = context.journeys.all().get(ident)
    experience, impact, of_visits = fared[ident]
    if known is None and not experience.tried and not probes[ident].runs and not problems:
        return None
    answer = JourneyAnswer(
        as_of=window.now,
        window_from=window.since,
        window_to=window.until,
        id=ident,
        name=journey_title(context, ident).name,
        description=known.description if known else "",
        owner=(known.owner or "") if known else "",
        runbook=(known.runbook or "") if known else "",
        lifecycle=(known.lifecycle or "") if known else "",
        state=state_of(context, ident, problems, probes[ident], experience, window.until, beacons_fresh=beacons_fresh(freshness_seen(seen, window.now))),
        experience=experience,
        probes=probes[ident],
        impact=impact,
        impact_of_visits=of_visits,
        satisfaction=satisfaction,
        problems=problems,
        notes=others_note(len(problems), hurt.found, hurt.others),
        visits=visits,
    )
    return await versioned(context, answer, "journey", window.since - timedelta(seconds=context.impact.windows.usual), window.until, journey=ident)


async def journey_satisfaction(context: Context, ident: str, window: Window) -> Satisfaction:
    """What everyone who tried the journey answered; who was hit and who was not is told apart per problem."""
    asked: dict[str, Any] = {"journey": ident, "since": window.since, "until": window.until}
    rows, invited = await asyncio.gather(context.store.query("journey_feedback", **asked), context.store.query("journey_invitations", **asked))
    return satisfaction_of_all(rows, invited)


async def _visits(context: Context, ident: str, window: Window) -> list[VisitLine]:
    newest = await context.store.query("journey_visits", journey=ident, since=window.since, until=window.until)
    worst = {row["session_id"]: float(row["worst"]) for row in newest}
    rows = await context.store.query("visits_by_id", sessions=list(worst)) if worst else []
    return [visit_line(row, worst[row["session_id"]]) for row in rows]
