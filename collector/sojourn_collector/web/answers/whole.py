"""The report as a whole: problems and journeys, and beside them what the other answers measure, each by its own function. Beside them nobody is named."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from sojourn_collector.context import Context
from sojourn_collector.store.client import QueryTimeout
from sojourn_collector.web.answers.breakdown import breakdown
from sojourn_collector.web.answers.history import history
from sojourn_collector.web.answers.impact import impact
from sojourn_collector.web.answers.journey import journey_satisfaction
from sojourn_collector.web.answers.problem_alone import problem_alone
from sojourn_collector.web.answers.silent import silent
from sojourn_collector.web.answers.starter import starter_set
from sojourn_collector.web.answers.tickets import tickets
from sojourn_collector.web.answers.window import Window
from sojourn_collector.web.format import number
from sojourn_collector.web.models import ImpactReport, JourneyState, Named, Problem
from sojourn_collector.web.models_whole import JourneyBeside, ProblemBeside, WholeReport

MOST_PROBLEMS = 10
MOST_JOURNEYS = 5
SHARED = 20.0
"""Seconds for which those who ask share what is measured of a problem alone."""

WITHIN = 45.0
"""Seconds all that stands beside may take together: whoever waits for the report does not wait for these."""

T = TypeVar("T")


async def whole(context: Context, window: Window, weeks: Window, journey: str = "", *, within: float = WITHIN) -> WholeReport:
    """The body of `GET /api/v1/report`.

    :param weeks: the window of what moves slowly: tickets, silent sufferers, drivers.
    :param journey: only this journey, with its history.
    :param within: seconds after which what stands beside is left out.
    :raises EngineUnavailable: while the engine cannot answer.
    """
    report = await impact(context, window, journey)
    late = _Late(asyncio.get_running_loop().time() + within)
    starter, support, quiet = await asyncio.gather(
        late.unless("satisfaction and support", starter_set(context)),
        late.unless("tickets", tickets(context, weeks, journey)),
        late.unless("who said nothing", silent(context, weeks, journey)),
    )
    told, hurt = report.problems[:MOST_PROBLEMS], most_hurt(report)[:MOST_JOURNEYS]
    asked_for = None if window.stays else window
    problems = [await late.unless(f"impact by worth of {one.id}", _problem(context, one, asked_for)) for one in told]
    journeys = [await late.unless(f"what explains {one.id}", _journey(context, one, window, weeks, alone=bool(journey))) for one in hurt]
    return WholeReport(
        **{name: getattr(report, name) for name in ImpactReport.model_fields},
        starter=starter,
        tickets=support and support.model_copy(update={"longest_waiting": []}),
        silent=quiet and quiet.model_copy(update={"people": []}),
        problems_beside=[one for one in problems if one is not None],
        journeys_beside=[one for one in journeys if one is not None],
        beside_notes=[*(f"{what} could not be told in time" for what in late.what), *_left_out(report)],
    )


class _Late:
    """Answers that did not come in time, by what they are of."""

    def __init__(self, deadline: float) -> None:
        self.what: list[str] = []
        self._deadline = deadline

    async def unless(self, what: str, asked: Awaitable[T]) -> T | None:
        """The answer, or None once the time is over; what was asked is cancelled then."""
        try:
            async with asyncio.timeout_at(self._deadline):
                return await asked
        except (QueryTimeout, TimeoutError):
            self.what.append(what)
            return None


def most_hurt(report: ImpactReport) -> list[JourneyState]:
    """Journeys, those with a problem first and in its order, then by impact."""
    place: dict[str, int] = {}
    for at, problem in enumerate(report.problems):
        place.setdefault(problem.journey.id, at)
    return sorted(report.journeys, key=lambda one: (place.get(one.id, len(report.problems)), -(one.impact.score or 0.0), one.id))


async def _problem(context: Context, problem: Problem, window: Window | None) -> ProblemBeside | None:
    alone = await problem_alone(context, problem.id, window, shared=SHARED)
    if alone is None:
        return None
    value = alone.value.model_copy(update={"largest": []})
    return ProblemBeside(problem=problem.id, journey=problem.journey, step=problem.step, value=value, exposed=alone.exposed)


async def _journey(context: Context, state: JourneyState, window: Window, weeks: Window, *, alone: bool) -> JourneyBeside:
    said, why, past = await asyncio.gather(
        journey_satisfaction(context, state.id, window),
        breakdown(context, state.id, weeks),
        history(context, state.id, "day", weeks.since, weeks.until) if alone else _nothing(),
    )
    named = Named(id=state.id, name=state.name)
    return JourneyBeside(journey=named, satisfaction=said.model_copy(update={"comments": []}), drivers=why, history=past)


async def _nothing() -> None:
    return None


def _left_out(report: ImpactReport) -> list[str]:
    notes = []
    if len(report.problems) > MOST_PROBLEMS:
        notes.append(f"impact by worth is told of the first {MOST_PROBLEMS} of {number(len(report.problems))} problems")
    if len(report.journeys) > MOST_JOURNEYS:
        notes.append(f"what explains the score is told of the {MOST_JOURNEYS} journeys hurt most, of {number(len(report.journeys))}")
    return notes
