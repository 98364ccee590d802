"""`/api/v1`: the report for scripts. The same answers the pages show; an error is `{"error": "one sentence"}`."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from datetime import datetime
from typing import Annotated, Any, Literal, TypeVar
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from pydantic import AwareDatetime, BaseModel, ValidationError

from sojourn_collector.context import Context
from sojourn_collector.store.client import EngineUnavailable, QueryTimeout, StatementFailed
from sojourn_collector.store.control.errors import ControlUnavailableError
from sojourn_collector.store.damaged_parts import SENTENCE, is_damage
from sojourn_collector.web.answers.history import history
from sojourn_collector.web.answers.impact import impact
from sojourn_collector.web.answers.journey import journey
from sojourn_collector.web.answers.person import person
from sojourn_collector.web.answers.run import run
from sojourn_collector.web.answers.trace import trace
from sojourn_collector.web.answers.visit import visit
from sojourn_collector.web.answers.window import BadWindow, Window, window_of
from sojourn_collector.web.cursor import BadCursor
from sojourn_collector.web.models import ImpactReport, JourneyAnswer
from sojourn_collector.web.models_details import PersonAnswer, RunAnswer, TraceAnswer, VisitAnswer
from sojourn_collector.web.models_history import JourneyHistory

LONGEST_ID = 512
"""Characters of an id; a longer one names nothing."""

CLIENT_GONE = 499
"""Status of an answer that nobody waits for any more, as nginx logs it."""
RETRY_AFTER = "2"
"""Seconds after which a caller may ask again while the engine is down."""

Found = TypeVar("Found")
From = Annotated[AwareDatetime | None, Query(alias="from", description="Begin of the window, RFC 3339; default 24 hours before its end.")]
To = Annotated[AwareDatetime | None, Query(alias="to", description="End of the window, RFC 3339; default now.")]
Last = Annotated[Literal["24h", "7d", "30d", "90d"] | None, Query(description="The window up to now, instead of `from` and `to`.")]


class ErrorAnswer(BaseModel):
    """What went wrong, in one sentence."""

    error: str


ERRORS: dict[int | str, dict[str, Any]] = {
    404: {"model": ErrorAnswer, "description": "Nothing is kept under this id."},
    422: {"model": ErrorAnswer, "description": "A parameter makes no sense."},
    503: {"model": ErrorAnswer, "description": "The engine cannot answer just now, or not in time; Retry-After says when to ask again."},
}


class NotKept(Exception):  # noqa: N818 - says what is the case
    """Nothing is kept under the id asked for."""


class SentenceRoute(APIRoute):
    """Turns what may go wrong into a status and one sentence."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's handler within ours."""
        handle = super().get_route_handler()

        async def answered(request: Request) -> Response:
            try:
                return await (handle(request) if request.method not in ("GET", "HEAD") else while_asked(request, handle(request)))
            except NotKept as error:
                return _error(404, str(error))
            except (BadWindow, BadCursor) as error:
                return _error(422, str(error))
            except RequestValidationError as error:
                return _error(422, sentence_of(error))
            except (EngineUnavailable, QueryTimeout, ControlUnavailableError) as error:
                return _error(503, str(error), {"Retry-After": RETRY_AFTER})
            except StatementFailed as error:
                if not is_damage(error):
                    raise
                return _error(503, SENTENCE, {"Retry-After": RETRY_AFTER})

        return answered


def _error(status: int, sentence: str, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse({"error": sentence}, status_code=status, headers=headers)


async def while_asked(request: Request, answering: Coroutine[Any, Any, Response]) -> Response:
    """The answer, or none once the client has gone away: then the work for it is cancelled, and with it the engine's query."""
    work = asyncio.ensure_future(answering)
    gone = asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait({work, gone}, return_when=asyncio.FIRST_COMPLETED)
        return work.result() if work.done() else Response(status_code=CLIENT_GONE)
    finally:
        for task in (work, gone):
            task.cancel()
        await asyncio.gather(work, gone, return_exceptions=True)


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        continue


def sentence_of(error: RequestValidationError | ValidationError) -> str:
    """What is wrong with the first parameter that is, and the cure."""
    first = error.errors()[0]
    where = str(first["loc"][-1]) if isinstance(first["loc"][-1], str) else str(first["loc"][-2])
    if first["type"] == "extra_forbidden":
        return f"{shown(where)} is no parameter here; /api/docs lists them"
    if first["type"] == "value_error":
        return f"{where} {first['ctx']['error']}"
    if where in ("from", "to"):
        return f"{where} is not a time with a zone; write RFC 3339, such as 2026-01-31T14:00:00Z"
    return f"{where}: {first['msg']}"


def build_api(context: Context) -> APIRouter:
    """The routes of `/api/v1`."""
    router = APIRouter(prefix="/api/v1", tags=["report"], route_class=SentenceRoute, responses=ERRORS)
    zone = ZoneInfo(context.impact.timezone)

    def asked(since: datetime | None, until: datetime | None) -> Window:
        return window_of(context.clock(), zone, since, until)

    @router.get("/impact", response_model=ImpactReport, summary="What is wrong, whom it hurts and what it costs")
    async def get_impact(
        journey: Annotated[str, Query(max_length=LONGEST_ID, description="Only this journey.")] = "", since: From = None, until: To = None
    ) -> ImpactReport:
        """The report over a window, by default the last 24 hours."""
        if journey and journey not in context.journeys.all():
            raise NotKept(f"There is no journey {shown(journey)}.")
        return await impact(context, asked(since, until), journey)

    # Before the journey itself, whose path would swallow it.
    @router.get("/journeys/{ident}/history", response_model=JourneyHistory, summary="One journey by day or hour, for years back")
    async def get_history(
        ident: str,
        every: Annotated[Literal["day", "hour"], Query(description="How long a period is; a day is one of impact.yaml's time zone.")] = "day",
        steps: Annotated[bool, Query(description="Tell of every step too.")] = False,
        since: Annotated[AwareDatetime | None, Query(alias="from", description="Begin, RFC 3339; default 90 days, of hours 7 days, before the end.")] = None,
        until: To = None,
    ) -> JourneyHistory:
        """From sums that outlive the runs; the same numbers the runs give as long as they are kept."""
        return await _found(ident, "journey", lambda: history(context, ident, every, since, until, steps=steps))

    @router.get("/journeys/{ident:path}", response_model=JourneyAnswer, summary="One journey")
    async def get_journey(ident: str, since: From = None, until: To = None) -> JourneyAnswer:
        """How customers fared in a journey beside what our probes say."""
        return await _found(ident, "journey", lambda: journey(context, ident, asked(since, until)))

    @router.get("/runs/{ident:path}", response_model=RunAnswer, summary="One run of either traffic")
    async def get_run(ident: str) -> RunAnswer:
        """Steps, exchanges, expectations, and the last good run beside a failed one."""
        return await _found(ident, "run", lambda: run(context, ident))

    @router.get("/visits/{ident:path}", response_model=VisitAnswer, summary="One visit on one axis")
    async def get_visit(ident: str) -> VisitAnswer:
        """Beacons, backend spans, feedback and orders of one session."""
        return await _found(ident, "visit", lambda: visit(context, ident))

    @router.get("/people/{ident:path}", response_model=PersonAnswer, summary="One person")
    async def get_person(ident: str) -> PersonAnswer:
        """Visits, runs, feedback and orders of one person, such as `user:u12`."""
        return await _found(ident, "person", lambda: person(context, ident))

    @router.get("/traces/{ident:path}", response_model=TraceAnswer, summary="One trace")
    async def get_trace(ident: str) -> TraceAnswer:
        """The spans of a trace, at most 2,000; `truncated` says when there are more."""
        return await _found(ident, "trace", lambda: trace(context, ident))

    return router


async def _found(ident: str, what: str, ask: Callable[[], Awaitable[Found | None]]) -> Found:
    answer = await ask() if len(ident) <= LONGEST_ID and "\0" not in ident else None
    if answer is None:
        raise NotKept(f"There is no {what} {shown(ident)}.")
    return answer


def shown(ident: str) -> str:
    """An id as it may stand in a sentence: short and without control characters."""
    return repr(ident if len(ident) <= 80 else ident[:80] + "…")
