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
from sojourn_collector.web.answers.ended import SPAN as ENDED_SPAN
from sojourn_collector.web.answers.ended import ended
from sojourn_collector.web.answers.experience_by import By as FaredBy
from sojourn_collector.web.answers.experience_by import experience_by
from sojourn_collector.web.answers.journey_money import SPAN as MONEY_SPAN
from sojourn_collector.web.answers.journey_money import journey_money
from sojourn_collector.web.answers.problem_alone import exposed_list, problem_alone
from sojourn_collector.web.answers.problem_people import problem_people
from sojourn_collector.web.answers.silent import silent
from sojourn_collector.web.answers.starter import starter_set
from sojourn_collector.web.answers.tickets import SPAN, tickets
from sojourn_collector.web.answers.whole import whole
from sojourn_collector.web.answers.window import Window, last_or, window_of
from sojourn_collector.web.api import ERRORS, LONGEST_ID, From, Last, NotKept, SentenceRoute, To, shown
from sojourn_collector.web.asked import AtProblemAsked, Text
from sojourn_collector.web.asked_records import ExposedAsked
from sojourn_collector.web.models_alarms import AlarmsAnswer
from sojourn_collector.web.models_discover import DiscoverAnswer
from sojourn_collector.web.models_ended import EndedAnswer
from sojourn_collector.web.models_experience import ExperienceBy
from sojourn_collector.web.models_journey_money import JourneyMoney
from sojourn_collector.web.models_lists import AtProblemList
from sojourn_collector.web.models_measures import Breakdown, CorrectedCsatAnswer, ExposedList, ProblemAnswer, SilentAnswer
from sojourn_collector.web.models_tickets import StarterSet, TicketsAnswer
from sojourn_collector.web.models_versions import VersionList
from sojourn_collector.web.models_whole import WholeReport


def build_measures(context: Context) -> APIRouter:
    """The routes."""
    router = APIRouter(prefix="/api/v1", tags=["report"], route_class=SentenceRoute, responses=ERRORS)
    zone = ZoneInfo(context.impact.timezone)

    def weeks(since: datetime | None, until: datetime | None, last: str | None = None) -> Window:
        """The window asked for, by default the last 28 days."""
        return window_of(context.clock(), zone, since, until, span=last_or(last, since, until, SPAN))

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
        journey: Annotated[str, Query(max_length=LONGEST_ID, description="Only tickets of this journey.")] = "",
        since: From = None,
        until: To = None,
        last: Last = None,
    ) -> TicketsAnswer:
        """Tickets opened in a window, by default the last 28 days; open ones count as waiting."""
        return await tickets(context, weeks(since, until, last), known(journey))

    @router.get("/subscriptions/ended", response_model=EndedAnswer, summary="Why subscriptions were ended, what they brought, and how many had been hit before")
    async def get_ended(since: From = None, until: To = None) -> EndedAnswer:
        """Subscriptions that ended in a window, by default the last 90 days."""
        return await ended(context, window_of(context.clock(), zone, since, until, span=ENDED_SPAN))

    @router.get("/silent-sufferers", response_model=SilentAnswer, summary="Who was badly hit, is worth a lot and has said nothing")
    async def get_silent(
        journey: Annotated[str, Query(max_length=LONGEST_ID, description="Only who was hit in this journey.")] = "",
        since: From = None,
        until: To = None,
        last: Last = None,
    ) -> SilentAnswer:
        """People first hit in a window, by default the last 28 days, with their consent; who was hit less than 72 hours ago may still speak."""
        return await silent(context, weeks(since, until, last), known(journey))

    @router.get("/problems/{ident}/exposed", response_model=ExposedList, summary="What the recurring revenue exposed is the sum of")
    async def get_exposed(ident: str, asked: Annotated[ExposedAsked, Query()]) -> ExposedList:
        """Each account, and each person's own subscriptions, with somebody hit at the problem, by id."""
        found = await exposed_list(context, ident, asked) if len(ident) <= LONGEST_ID and "\0" not in ident else None
        if found is None:
            raise NotKept(f"There is no problem {shown(ident)}.")
        return found

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

    @router.get("/problems/{ident}/people", response_model=AtProblemList, summary="Who was possibly hit in a problem, or was hit, all of them")
    async def get_problem_people(ident: str, asked: Annotated[AtProblemAsked, Query()]) -> AtProblemList:
        """Page by page, who came last first: as many as `people` of the problem counts."""
        found = await problem_people(context, ident, asked) if len(ident) <= LONGEST_ID and "\0" not in ident else None
        if found is None:
            raise NotKept(f"There is no problem {shown(ident)}.")
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

    @router.get("/journeys/{ident}/experience", response_model=ExperienceBy, summary="How customers fared in a journey, by one fact about them")
    async def get_experience(
        ident: str,
        by: Annotated[FaredBy, Query(description="The fact; `step` and `failure_kind`: where a walk first failed, and how.")] = "device",
        attr: Annotated[Text, Query(description="An attribute, instead of `by`; of visits those that impact.yaml names.")] = "",
        of: Annotated[Of, Query(description="Whose attribute; empty: the person's, else their account's, else the visit's.")] = "",
        step: Annotated[Text, Query(description="Only who came to this step, and how they fared there.")] = "",
        since: From = None,
        until: To = None,
        last: Last = None,
    ) -> ExperienceBy:
        """Finished, gave up, stopped, slow, Apdex of a step and customer impact of each group; counts add up to the journey's own. 28 days by default."""
        if step and step not in {one.id for one in context.journeys.all()[known(ident)].steps}:
            raise NotKept(f"There is no step {shown(step)} in the journey {shown(ident)}.")
        return await experience_by(context, known(ident), weeks(since, until, last), by, attr, of, step)

    @router.get("/journeys/{ident}/money", response_model=JourneyMoney, summary="What a journey's problems cost together, and the revenue exposed in it")
    async def get_money(ident: str, since: From = None, until: To = None, last: Last = None) -> JourneyMoney:
        """Unclipped figures of its problems added up, the ends of their intervals too. Those of many weeks take as long as a report of them."""
        window = window_of(context.clock(), zone, since, until, span=last_or(last, since, until, MONEY_SPAN))
        return await journey_money(context, known(ident), window)

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
