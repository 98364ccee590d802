"""The report as a whole: that of `/api/v1/impact`, and what is measured beside it. What stands beside names nobody."""

from pydantic import Field

from sojourn_collector.web.models import Answer, ImpactReport, Named, Satisfaction
from sojourn_collector.web.models_history import JourneyHistory
from sojourn_collector.web.models_measures import Breakdown, Exposed, SilentAnswer, ValueView
from sojourn_collector.web.models_tickets import StarterSet, TicketsAnswer


class ProblemBeside(Answer):
    """What is measured of one problem alone, by its id."""

    problem: str
    journey: Named
    step: Named
    value: ValueView
    exposed: Exposed


class JourneyBeside(Answer):
    """What customers said of a journey in the report's window, and what explains its score; its history where the report is of it alone."""

    journey: Named
    satisfaction: Satisfaction
    drivers: Breakdown | None = None
    history: JourneyHistory | None = None


class WholeReport(ImpactReport):
    """Body of `GET /api/v1/report`: that of `/api/v1/impact`, and beside it what other routes answer of the same time, of four weeks where none is asked for.

    Lists of people, tickets and comments are left out of what stands beside. None = it could not be told in time, as `beside_notes` says, which also say
    of which problems and journeys nothing more is told.
    """

    starter: StarterSet | None = None
    tickets: TicketsAnswer | None = None
    silent: SilentAnswer | None = None
    problems_beside: list[ProblemBeside] = Field(default_factory=list)
    journeys_beside: list[JourneyBeside] = Field(default_factory=list)
    beside_notes: list[str] = Field(default_factory=list)
