"""`/api/v1/admin/erasures`: ask for an erasure, see what one would take, see how far those asked for are."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from sojourn_collector.context import now
from sojourn_collector.store.control.control import Control
from sojourn_collector.store.erasure.authors import by_digest
from sojourn_collector.store.erasure.eraser import Eraser
from sojourn_collector.store.erasure.subject import KINDS, LONGEST_NAME, Subject, SubjectError
from sojourn_collector.web.admin_body import asked_of
from sojourn_collector.web.admin_door import AdminDoor, refused
from sojourn_collector.web.api import ErrorAnswer, SentenceRoute

LARGEST_BODY = 128 << 10
BACKUPS = "Backups made before now still hold this person; restore asks for the control database of today, so that they are erased again."
Ident = Annotated[int, Path(ge=1, le=2**62, description="Id of the erasure.")]
Name = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)]


class ErasureAsked(BaseModel):
    """Whom to erase: one of person, session and account."""

    model_config = ConfigDict(extra="forbid", strict=True)

    person: Name | None = Field(
        None, description="User id or visitor id; `user:…`, `visitor:…` and `visit:…` say which; `author:PLATFORM/NAME` is who wrote mentions."
    )
    session: Name | None = Field(None, description="Id of one visit; nothing else of its person.")
    account: Name | None = Field(None, description="Id of an account, with everybody who belongs to it.")
    dry_run: bool = Field(False, description="Only say what would go.")
    orders: Literal["strip", "delete"] = Field("strip", description="Orders keep amount, currency, time and status without the person, or go whole.")


class ErasureSeen(BaseModel):
    """One erasure; the subject as a digest."""

    id: int
    subject: str
    kind: str
    actor: str
    orders: str
    state: str
    note: str
    counts: dict[str, int]
    erased_at: str
    done_at: str | None


class ErasureLook(BaseModel):
    """What an erasure would take."""

    names: dict[str, list[Any]]
    counts: dict[str, int]
    common: list[str] = Field(description="Names too common to be looked for in free text.")
    backups: str


class ErasureAccepted(BaseModel):
    """An erasure that was put on the list."""

    id: int
    backups: str


REFUSALS: dict[int | str, dict[str, Any]] = {status: {"model": ErrorAnswer} for status in (401, 404, 422, 503)}


def build_erasures(eraser: Eraser, control: Control, door: AdminDoor) -> APIRouter:
    """The routes."""
    router = APIRouter(prefix="/api/v1/admin", tags=["admin"], route_class=SentenceRoute, responses=REFUSALS)
    body = {"requestBody": {"required": True, "content": {"application/json": {"schema": ErasureAsked.model_json_schema()}}}}

    @router.post("/erasures", status_code=202, response_model=ErasureAccepted, responses={200: {"model": ErasureLook}}, openapi_extra=body)
    async def ask(request: Request) -> Response:
        """Erase a person, a session or an account, or with `dry_run` only say what would go."""
        who = await door.who(request)
        if who is None:
            return refused()
        asked = await asked_of(request, ErasureAsked, largest=LARGEST_BODY, example='{"person": "u12", "dry_run": true}')
        if isinstance(asked, str):
            return JSONResponse({"error": asked}, 422)
        try:
            subject = await by_digest(control, subject_of(asked.model_dump()), now())
        except SubjectError as error:
            return JSONResponse({"error": f"{str(error)[0].upper()}{str(error)[1:]}."}, 422)
        if asked.dry_run:
            look = await eraser.look(subject)
            return JSONResponse({"names": look.names.as_dict(), "counts": look.counts, "common": look.names.common(), "backups": BACKUPS})
        return JSONResponse({"id": await eraser.ask(subject, who, asked.orders), "backups": BACKUPS}, 202)

    @router.get("/erasures", response_model=list[ErasureSeen], summary="Erasures, the newest first")
    async def erasures(request: Request) -> Response:
        """Whom they were about is told as a digest only."""
        if await door.who(request) is None:
            return refused()
        return JSONResponse([row.shown() for row in await control.erasures.list()])

    @router.get("/erasures/{ident}", response_model=ErasureSeen, summary="One erasure")
    async def erasure(request: Request, ident: Ident) -> Response:
        """How far it is."""
        if await door.who(request) is None:
            return refused()
        row = await control.erasures.get(ident)
        return JSONResponse({"error": f"There is no erasure {ident}."}, 404) if row is None else JSONResponse(row.shown())

    return router


def subject_of(asked: dict[str, Any]) -> Subject:
    """The one that is named. Raises SubjectError."""
    named = [(kind, asked[kind]) for kind in KINDS if asked.get(kind) is not None]
    if len(named) != 1:
        raise SubjectError("name one of person, session and account")
    return Subject(*named[0])
