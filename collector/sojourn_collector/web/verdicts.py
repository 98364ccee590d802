"""Estimates that are asked for one by one, for they are heavy: what goes with speed, and how many tickets a problem will bring."""

from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Path

from sojourn_collector.context import Context
from sojourn_collector.web.answers.forecast import problem_forecast
from sojourn_collector.web.answers.speed import speed
from sojourn_collector.web.answers.tickets import SPAN
from sojourn_collector.web.answers.window import Window, window_of
from sojourn_collector.web.api import ERRORS, LONGEST_ID, From, NotKept, SentenceRoute, To, shown
from sojourn_collector.web.models_forecast import ForecastAnswer
from sojourn_collector.web.models_speed import SpeedAnswer

Ident = Annotated[str, Path(max_length=LONGEST_ID)]


def build_verdicts(context: Context) -> APIRouter:
    """The routes."""
    router = APIRouter(prefix="/api/v1", tags=["report"], route_class=SentenceRoute, responses=ERRORS)
    zone = ZoneInfo(context.impact.timezone)

    def weeks(since: datetime | None, until: datetime | None) -> Window:
        """The window asked for, by default the last 28 days."""
        asked = window_of(context.clock(), zone, since, until)
        return asked if since else window_of(context.clock(), zone, asked.until - SPAN, until)

    @router.get("/journeys/{ident}/elasticity", response_model=SpeedAnswer, summary="What goes with each doubling of the wait at a step")
    async def get_elasticity(ident: Ident, since: From = None, until: To = None) -> SpeedAnswer:
        """Odds of finishing and of satisfaction, step by step, of a window of 28 days by default."""
        if ident not in context.journeys.all():
            raise NotKept(f"There is no journey {shown(ident)}.")
        return await speed(context, ident, weeks(since, until))

    @router.get("/problems/{ident}/forecast", response_model=ForecastAnswer, summary="Tickets to expect of a problem in the next 24 hours")
    async def get_forecast(ident: Ident) -> ForecastAnswer:
        """Only while earlier forecasts were better than the usual number for the hours; else the reason why there is none."""
        found = None if "\0" in ident else await problem_forecast(context, ident)
        if found is None:
            raise NotKept(f"There is no problem {shown(ident)}.")
        return found

    return router
