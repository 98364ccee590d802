"""`/api/v1/imports`: files in portions of rows, each import with an id by which it is taken back."""

import asyncio
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict

from sojourn_collector.sources import SOURCES, Source
from sojourn_collector.sources.answer import Refusal, Taken
from sojourn_collector.sources.body import LARGEST_BODY, BodyRefused, rows_of
from sojourn_collector.sources.checking import check
from sojourn_collector.sources.door import Refused, read_body, refusal
from sojourn_collector.sources.import_door import ImportDoor, Sender
from sojourn_collector.sources.intake import BODY_DEADLINE, IntakeContext
from sojourn_collector.sources.sentences import shown
from sojourn_collector.store.control.imports import LONGEST_NAME, Import, ImportClosedError, Undone
from sojourn_collector.web.api import SentenceRoute

MOST_LISTED = 200
"""Imports a list holds."""

Ident = Annotated[str, Path(pattern="^[0-9a-f]{12}$", description="Id of the import.")]
Kind = Annotated[str, Query(max_length=32, description="Name of the source, such as orders.")]


class ImportAnswer(BaseModel):
    """An import: counts are rows."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    source: str
    file: str
    begun_at: datetime
    accepted: int
    rejected: int
    undone_at: datetime | None = None


class UndoneAnswer(BaseModel):
    """What was taken out, and how many earlier versions are in force again."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rows: int
    restored: int


def answer_of(one: Import) -> ImportAnswer:
    """As the API shows it."""
    return ImportAnswer(id=one.id, source=one.kind, file=one.file, begun_at=one.begun_at, accepted=one.accepted, rejected=one.rejected, undone_at=one.undone_at)


def source_of(name: str) -> Source[Any]:
    """The source of this name. Raises Refused."""
    if name not in SOURCES:
        raise Refused(404, f"There is no source {shown(name)}; there are {', '.join(SOURCES)}.")
    return SOURCES[name]


REFUSALS: dict[int | str, dict[str, Any]] = {status: {"model": Refusal} for status in (400, 401, 403, 404, 408, 409, 413, 422)}


def build_imports(context: IntakeContext, door: ImportDoor, *, body_deadline: float = BODY_DEADLINE) -> APIRouter:
    """The routes. `body_deadline` is in seconds."""
    router = APIRouter(prefix="/api/v1/imports", tags=["sources"], route_class=SentenceRoute, responses=REFUSALS)
    parsing = asyncio.Semaphore(2)

    async def rows_checked(request: Request, source: Source[Any], tenant: str) -> tuple[Taken, list[Any]]:
        async with parsing:
            body = await read_body(request, body_deadline, LARGEST_BODY)
            try:
                rows = await asyncio.to_thread(rows_of, body, lines=True)
            except BodyRefused as error:
                raise Refused(400, str(error)) from None
            return await asyncio.to_thread(check, source, rows, tenant, context.clock(), context.secrets)

    @router.get("", response_model=list[ImportAnswer], summary="The latest imports")
    async def latest(request: Request) -> Response:
        try:
            sender = await door.who(request)
        except Refused as error:
            return refusal(error)
        found = await context.control.imports.latest(MOST_LISTED, tenant=sender.tenant)
        return JSONResponse([answer_of(one).model_dump(mode="json") for one in found])

    @router.post("", response_model=ImportAnswer, summary="Begin an import")
    async def begin(request: Request, source: Kind, file: Annotated[str, Query(max_length=LONGEST_NAME)] = "") -> Response:
        try:
            sender = await door.who(request)
            kind = source_of(source)
        except Refused as error:
            return refusal(error)
        one = await context.control.imports.begin(kind.name, file, sender.actor, context.clock(), tenant=sender.tenant)
        return JSONResponse(answer_of(one).model_dump(mode="json"))

    @router.post("/dry-run", response_model=Taken, summary="Check rows and keep nothing")
    async def dry_run(request: Request, source: Kind) -> Response:
        """NDJSON, as for the import itself."""
        try:
            sender = await door.who(request)
            taken, _ = await rows_checked(request, source_of(source), sender.tenant)
        except Refused as error:
            return refusal(error)
        return JSONResponse(taken.answer())

    @router.post("/{ident}/rows", response_model=Taken, summary="Add rows to an import")
    async def rows(request: Request, ident: Ident) -> Response:
        """NDJSON, at most 10,000 rows and 5 MiB. A line that is not JSON is one bad row; lines that are empty do not count."""
        try:
            sender = await door.who(request)
            one = await context.control.imports.get(ident, tenant=sender.tenant)
            if one is None:
                raise Refused(404, f"There is no import {ident}.")
            taken, arrivals = await rows_checked(request, source_of(one.kind), sender.tenant)
            await context.control.imports.add(one, arrivals, taken.rejected)
        except Refused as error:
            return refusal(error)
        except ImportClosedError as error:
            return refusal(closed(error))
        return JSONResponse(taken.answer())

    @router.post("/{ident}/undo", response_model=UndoneAnswer, summary="Take an import back")
    async def undo(request: Request, ident: Ident) -> Response:
        """Its rows go, and where they had replaced earlier versions those are in force again. The report follows within seconds."""
        try:
            sender = await door.who(request)
            done = await taken_back(context, sender, ident)
        except Refused as error:
            return refusal(error)
        return JSONResponse({"rows": done.rows, "restored": done.restored})

    return router


async def taken_back(context: IntakeContext, sender: Sender, ident: str) -> Undone:
    """Take an import back, and write down who did. Raises Refused."""
    try:
        done = await context.control.imports.undo(ident, context.clock(), tenant=sender.tenant)
    except ImportClosedError as error:
        raise closed(error) from error
    await context.control.audit.add(context.clock(), sender.actor, "import.undo", ident, f"{done.rows} rows, {done.restored} earlier versions back")
    return done


def closed(error: ImportClosedError) -> Refused:
    """The answer for an import that nothing can be done with any more."""
    said = str(error)
    return Refused(409, f"{said[0].upper()}{said[1:]}.")
