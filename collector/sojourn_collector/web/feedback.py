"""`/api/v1/feedback`, `/api/v1/satisfaction` and `/api/v1/unlinked`: what customers said, joined with what they lived through."""

from datetime import datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query

from sojourn_collector.context import Context
from sojourn_collector.web.answers.feedback import feedback_answer, feedback_list
from sojourn_collector.web.answers.satisfaction_by import By, satisfaction_by
from sojourn_collector.web.answers.surveys import SPAN as ASKED_SPAN
from sojourn_collector.web.answers.surveys import eligibility, surveys
from sojourn_collector.web.answers.unlinked import unlinked
from sojourn_collector.web.answers.window import Window, last_or, window_of
from sojourn_collector.web.api import ERRORS, LONGEST_ID, From, Last, NotKept, SentenceRoute, To, shown
from sojourn_collector.web.asked import FeedbackAsked, Text
from sojourn_collector.web.models_feedback import FeedbackAnswer, FeedbackList, SatisfactionBy, UnlinkedAnswer
from sojourn_collector.web.models_surveys import AskedAnswer, Eligibility

SPAN = timedelta(days=28)
"""The default window of sums; of the list it is a day, as of all lists."""


def build_feedback(context: Context) -> APIRouter:
    """The routes."""
    router = APIRouter(prefix="/api/v1", tags=["feedback"], route_class=SentenceRoute, responses=ERRORS)
    zone = ZoneInfo(context.impact.timezone)

    def weeks(since: datetime | None, until: datetime | None, last: str | None = None) -> Window:
        return window_of(context.clock(), zone, since, until, span=last_or(last, since, until, SPAN))

    @router.get("/feedback", response_model=FeedbackList, summary="Answers and comments, newest first")
    async def get_list(asked: Annotated[FeedbackAsked, Query()]) -> FeedbackList:
        """Each with its scale, its direction, and how it is linked to a visit."""
        return await feedback_list(context, asked)

    @router.get("/feedback/{ident:path}", response_model=FeedbackAnswer, summary="One answer, with what happened before it")
    async def get_one(ident: str, feed: Annotated[Text, Query(description="Its source, where several have a record of this id.")] = "") -> FeedbackAnswer:
        """The visit, its walks, the failing step, the backend's span and the release, where they are known; else why not."""
        found = await feedback_answer(context, ident, feed) if len(ident) <= LONGEST_ID and "\0" not in ident else None
        if found is None:
            raise NotKept(f"There is no feedback {shown(ident)}.")
        return found

    @router.get("/satisfaction", response_model=SatisfactionBy, summary="Satisfaction by survey, segment, channel, date and other facts")
    async def get_satisfaction(
        by: Annotated[By, Query(description="The fact to group by.")] = "survey",
        journey: Annotated[str, Query(max_length=LONGEST_ID, description="Only answers that name this journey.")] = "",
        since: From = None,
        until: To = None,
        last: Last = None,
    ) -> SatisfactionBy:
        """Of 28 days by default: CSAT, NPS and CES of each survey, question and scale apart, never mixed."""
        return await satisfaction_by(context, weeks(since, until, last), by, journey)

    @router.get("/unlinked", response_model=UnlinkedAnswer, summary="What could not be linked to a visit, and why")
    async def get_unlinked(since: From = None, until: To = None, last: Last = None) -> UnlinkedAnswer:
        """Answers, tickets and orders of a window, by default 28 days, by source: the likely cause and the cure."""
        return await unlinked(context, weeks(since, until, last))

    @router.get("/surveys", response_model=AskedAnswer, summary="Who is asked too often, and which accounts too rarely")
    async def get_surveys(since: From = None, until: To = None, last: Last = None) -> AskedAnswer:
        """Of 90 days by default: people asked again within `surveys.rest`, the response rate by week, accounts without an answer for `surveys.rarely`."""
        return await surveys(context, window_of(context.clock(), zone, since, until, span=last_or(last, since, until, ASKED_SPAN)))

    @router.get("/survey-eligibility", response_model=Eligibility, summary="Whether somebody may be asked now")
    async def get_eligibility(user: Annotated[Text, Query(min_length=1, description="User id, as beacons and survey tools know it.")]) -> Eligibility:
        """For any survey tool to ask before it asks: not within `surveys.rest` after any survey. A person nobody has asked may be."""
        return await eligibility(context, user)

    return router
