"""What else `/api/v1` measures, each by an answer of its own: tickets, the starter set, who was hurt and said nothing, what explains a score."""

from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query

from sojourn_collector.context import Context
from sojourn_collector.web.answers.alarms import alarms
from sojourn_collector.web.answers.breakdown import By, Of, View, breakdown
from sojourn_collector.web.answers.breaks import versions
from sojourn_collector.web.answers.corrected_csat import corrected
from sojourn_collector.web.answers.discover import SPAN as DISCOVER_SPAN
from sojourn_collector.web.answers.discover import discover
from sojourn_collector.web.answers.problem_alone import problem_alone
from sojourn_collector.web.answers.silent import silent
from sojourn_collector.web.answers.starter import starter_set
from sojourn_collector.web.answers.tickets import SPAN, tickets
from sojourn_collector.web.answers.whole import whole
from sojourn_collector.web.answers.window import Window, window_of
from sojourn_collector.web.api import ERRORS, LONGEST_ID, From, NotKept, SentenceRoute, To, shown
from sojourn_collector.web.asked import Text
from sojourn_collector.web.models_alarms import AlarmsAnswer
from sojourn_collector.web.models_discover import DiscoverAnswer
from sojourn_collector.web.models_measures import Breakdown, CorrectedCsatAnswer, ProblemAnswer, SilentAnswer
from sojourn_collector.web.models_tickets import StarterSet, TicketsAnswer
from sojourn_collector.web.models_versions import VersionList
from sojourn_collector.web.models_whole import WholeReport


def build_measures(context: Context) -> APIRouter:
    """The routes."""
    router = APIRouter(prefix="/api/v1", tags=["report"], route_class=SentenceRoute, responses=ERRORS)
    zone = ZoneInfo(context.impact.timezone)

    def weeks(since: datetime | None, until: datetime | None) -> Window:
        """The window asked for, by default the last 28 days."""
        return window_of(context.clock(), zone, since, until, span=SPAN)

    def known(journey: str) -> str:
        if journey and journey not in context.journeys.all():
            raise NotKept(f"There is no journey {shown(journey)}.")
        return journey

    @router.get("/impact/versions", response_model=VersionList, summary="What decided the scores since when")
    async def get_versions() -> VersionList:
        """The versions of impact.yaml this installation was started with, and what each changed; every answer with scores names the one it is by."""
        return await versions(context)

    @router.get("/report", response_model=WholeReport, summary="The report as a whole: problems, journeys, and what is measured beside them")
    async def get_report(
        journey: Annotated[str, Query(max_length=LONGEST_ID, description="Only this journey, with its history.")] = "", since: From = None, until: To = None
    ) -> WholeReport:
        """That of `/api/v1/impact`; tickets, drivers and who said nothing beside it are of four weeks where no window is asked for."""
        return await whole(context, window_of(context.clock(), zone, since, until), weeks(since, until), known(journey))

    @router.get("/alarms", response_model=AlarmsAnswer, summary="Steps at which more customers are newly hit than is usual at this hour")
    async def get_alarms() -> AlarmsAnswer:
        """As of now; the same as the metric `sojourn_journey_alarm_people`, from which Prometheus alerts."""
        return await alarms(context)

    @router.get("/starter-set", response_model=StarterSet, summary="Satisfaction, tickets and how long they wait, over 28 days")
    async def get_starter_set() -> StarterSet:
        """What stands on top of the first page."""
        return await starter_set(context)

    @router.get("/tickets", response_model=TicketsAnswer, summary="Tickets: how many, how long, which come back, and from where")
    async def get_tickets(
        journey: Annotated[str, Query(max_length=LONGEST_ID, description="Only tickets of this journey.")] = "", since: From = None, until: To = None
    ) -> TicketsAnswer:
        """Tickets opened in a window, by default the last 28 days; open ones count as waiting."""
        return await tickets(context, weeks(since, until), known(journey))

    @router.get("/silent-sufferers", response_model=SilentAnswer, summary="Who was badly hit, is worth a lot and has said nothing")
    async def get_silent(
        journey: Annotated[str, Query(max_length=LONGEST_ID, description="Only who was hit in this journey.")] = "", since: From = None, until: To = None
    ) -> SilentAnswer:
        """People first hit in a window, by default the last 28 days, with their consent; who was hit less than 72 hours ago may still speak."""
        return await silent(context, weeks(since, until), known(journey))

    @router.get("/problems/{ident}", response_model=ProblemAnswer, summary="One problem, with what is measured of it alone")
    async def get_problem(ident: str, since: From = None, until: To = None) -> ProblemAnswer:
        """The problem as in the report, its impact by what customers were worth, and the recurring revenue exposed.

        Without `from` and `to` it is looked for where its id says that it began, however long ago.
        """
        window = window_of(context.clock(), zone, since, until) if since or until else None
        found = await problem_alone(context, ident, window) if len(ident) <= LONGEST_ID and "\0" not in ident else None
        if found is None:
            raise NotKept(f"There is no problem {shown(ident)}{' in this window' if window else ''}.")
        return found

    @router.get("/journeys/{ident}/breakdown", response_model=Breakdown, summary="What explains a journey's score")
    async def get_breakdown(
        ident: str,
        by: Annotated[By, Query(description="The fact to break down by; `cause` is step and cause.")] = "cause",
        attr: Annotated[Text, Query(description="An attribute to break down by, instead of `by`; of visits those that impact.yaml names.")] = "",
        of: Annotated[Of, Query(description="Whose attribute; empty: the person's, else their account's, else the visit's.")] = "",
        view: Annotated[View, Query(description="`people`: everybody counts the same; `value`: each by what they were worth before the window.")] = "people",
        since: From = None,
        until: To = None,
    ) -> Breakdown:
        """Groups ranked by the people (by worth: the worth) hurt for whom there is good evidence; a window of 28 days by default."""
        return await breakdown(context, known(ident), weeks(since, until), by, attr, of, view)

    @router.get("/journeys/{ident}/corrected-csat", response_model=CorrectedCsatAnswer, summary="CSAT corrected for who answers")
    async def get_corrected(ident: str, since: From = None, until: To = None) -> CorrectedCsatAnswer:
        """Of everyone who was asked about a journey in a window, by default the last 28 days."""
        return await corrected(context, known(ident), weeks(since, until))

    @router.get("/discover", response_model=DiscoverAnswer, summary="Paths real people walk that no journey covers")
    async def get_discover(
        app: Annotated[Text, Query(description="Only visits of this app.")] = "",
        people: Annotated[int, Query(ge=5, le=100_000, description="People below which a path is not told.")] = 5,
        limit: Annotated[int, Query(ge=1, le=50)] = 10,
        since: From = None,
        until: To = None,
    ) -> DiscoverAnswer:
        """Of 7 days by default. Ids in addresses are taken out, queries dropped; `sojourn discover` writes journeys of it."""
        return await discover(context, window_of(context.clock(), zone, since, until, span=DISCOVER_SPAN), app=app, least=people, most=limit)

    return router
