"""`/api/v1/admin/sources/{name}/replay`: what a source sent is read once more, from the inbox."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import AwareDatetime, BaseModel, Field

from sojourn_collector.context import now
from sojourn_collector.sources.records import EventReading
from sojourn_collector.sources.replaying import replay as read_again
from sojourn_collector.store.control import Control
from sojourn_collector.web.admin_door import AdminDoor, refused
from sojourn_collector.web.api import ErrorAnswer, SentenceRoute

Name = Annotated[str, Path(min_length=1, max_length=64, description="Name of a vendor's source, of a feed, or of a kind such as `orders`.")]
Since = Annotated[AwareDatetime | None, Query(description="Only what came since then (RFC 3339).")]


class Again(BaseModel):
    """How many rows are read once more; they follow within seconds."""

    rows: int
    waiting: int = Field(description="How many of them wait for an answer of the vendor's first, which is asked for now.")


REFUSALS: dict[int | str, dict[str, type[ErrorAnswer]]] = {401: {"model": ErrorAnswer}, 503: {"model": ErrorAnswer}}


def build_replay(control: Control, reading: EventReading, door: AdminDoor) -> APIRouter:
    """The route."""
    router = APIRouter(prefix="/api/v1/admin", tags=["admin"], route_class=SentenceRoute)

    @router.post("/sources/{name}/replay", response_model=Again, responses=REFUSALS, summary="Read what a source sent once more")
    async def replay(request: Request, name: Name, since: Since = None) -> Response:
        who = await door.who(request)
        if who is None:
            return refused()
        found = await read_again(control, reading, name, since, now())
        await control.audit.add(now(), who, "source.replay", name, f"{found.rows} rows" + (f" since {since.isoformat()}" if since else ""))
        return JSONResponse({"rows": found.rows, "waiting": found.waiting})

    return router
