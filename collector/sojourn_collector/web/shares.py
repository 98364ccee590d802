"""Frozen reports behind links: `POST /api/v1/admin/shares` makes one, `/shared/{secret}` shows it to whoever has the link."""

from datetime import datetime, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Path, Request
from fastapi.responses import JSONResponse, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from sojourn_collector.context import Context
from sojourn_collector.store.control.shares import Share
from sojourn_collector.web.admin_body import asked_of
from sojourn_collector.web.admin_door import AdminDoor, refused
from sojourn_collector.web.answers.breaks import since_frozen
from sojourn_collector.web.answers.tickets import SPAN
from sojourn_collector.web.answers.whole import whole
from sojourn_collector.web.answers.window import window_of
from sojourn_collector.web.api import LONGEST_ID, ErrorAnswer, NotKept, SentenceRoute, shown
from sojourn_collector.web.frozen import frozen_page, without_people
from sojourn_collector.web.models_whole import WholeReport
from sojourn_collector.web.pages import not_found
from sojourn_collector.web.render import Pages

LARGEST_BODY = 16 << 10
LONGEST_SECRET = 64
REFUSALS: dict[int | str, dict[str, Any]] = {status: {"model": ErrorAnswer} for status in (401, 404, 422, 503)}


class ShareAsked(BaseModel):
    """What to freeze, and for how long the link leads to it."""

    model_config = ConfigDict(extra="forbid")

    title: str = Field("", max_length=200, description="What stands on top of it.")
    journey: str = Field("", max_length=LONGEST_ID, description="Only this journey.")
    since: AwareDatetime | None = Field(None, alias="from", description="Begin of the window; default 24 hours before its end.")
    until: AwareDatetime | None = Field(None, alias="to", description="End of the window; default now.")
    days: int = Field(30, ge=1, le=400, strict=True, description="Days after which the link ends.")


class ShareMade(BaseModel):
    """A new link. `path` holds its secret and is told this once."""

    id: str
    path: str
    expires_at: datetime


class ShareSeen(BaseModel):
    """A link as it is listed, without its secret."""

    id: str
    title: str
    actor: str
    made_at: datetime
    expires_at: datetime


def build_shares(context: Context, door: AdminDoor) -> APIRouter:
    """The routes."""
    router = APIRouter(route_class=SentenceRoute)
    pages = Pages(context.impact, context.clock)
    body = {"requestBody": {"required": True, "content": {"application/json": {"schema": ShareAsked.model_json_schema(by_alias=True)}}}}

    @router.post(
        "/api/v1/admin/shares", tags=["admin"], status_code=201, response_model=ShareMade, responses=REFUSALS, openapi_extra=body, summary="Freeze the report"
    )
    async def make(request: Request) -> Response:
        """Keeps the report as it is now, without people and comments, and makes a link to it."""
        who = await door.who(request)
        if who is None:
            return refused()
        asked = await asked_of(request, ShareAsked, largest=LARGEST_BODY, example='{"title": "Monday", "days": 14}', empty=b"{}")
        if isinstance(asked, str):
            return JSONResponse({"error": asked}, 422)
        if asked.journey and asked.journey not in context.journeys.all():
            raise NotKept(f"There is no journey {shown(asked.journey)}.")
        now = context.clock()
        zone = ZoneInfo(context.impact.timezone)
        window, weeks = (window_of(now, zone, asked.since, asked.until, span=span) for span in (None, SPAN))
        report = without_people(await whole(context, window, weeks, asked.journey))
        share, secret = await context.control.shares.create(asked.title, report.model_dump_json(), who, now, now + timedelta(days=asked.days))
        await context.control.audit.add(now, who, "share.create", share.id, asked.title)
        return JSONResponse(ShareMade(id=share.id, path=f"/shared/{secret}", expires_at=share.expires_at).model_dump(mode="json"), 201)

    @router.get("/api/v1/admin/shares", tags=["admin"], response_model=list[ShareSeen], responses=REFUSALS, summary="Links to frozen reports")
    async def listed(request: Request) -> Response:
        """Those that lead somewhere, the newest first."""
        if await door.who(request) is None:
            return refused()
        return JSONResponse([_seen(one).model_dump(mode="json") for one in await context.control.shares.list(context.clock())])

    @router.delete("/api/v1/admin/shares/{ident}", tags=["admin"], status_code=204, responses=REFUSALS, summary="End a link")
    async def end(request: Request, ident: Annotated[str, Path(max_length=64)]) -> Response:
        """From now on it leads nowhere."""
        who = await door.who(request)
        if who is None:
            return refused()
        if not await context.control.shares.end(ident):
            raise NotKept(f"There is no link {shown(ident)}.")
        await context.control.audit.add(context.clock(), who, "share.end", ident)
        return Response(status_code=204)

    @router.get("/shared/{secret}", include_in_schema=False)
    async def show(secret: str) -> Response:
        """The frozen page."""
        share = await context.control.shares.shown_by(secret, context.clock()) if len(secret) <= LONGEST_SECRET else None
        if share is None:
            return not_found(pages, "shared")
        report = WholeReport.model_validate_json(share.report)
        since = await since_frozen(context, report.as_of, report.config_version)
        return frozen_page(pages, report, title=share.title, expires_at=share.expires_at, since=since)

    return router


def _seen(share: Share) -> ShareSeen:
    return ShareSeen(id=share.id, title=share.title, actor=share.actor, made_at=share.made_at, expires_at=share.expires_at)
