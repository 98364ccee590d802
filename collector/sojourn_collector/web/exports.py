"""`/api/v1/admin`: a copy of what is kept about one person, tables as files, and backups.

Files are written on the collector's own machine, so only its own commands may ask for tables and backups; the copy for a person travels in the answer.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from sojourn_collector.context import Context
from sojourn_collector.store.backup import Backup, BackupError
from sojourn_collector.store.client import StoreError
from sojourn_collector.store.control.files import NoFileError
from sojourn_collector.store.erasure.authors import by_digest
from sojourn_collector.store.erasure.eraser import Eraser
from sojourn_collector.store.erasure.find import find
from sojourn_collector.store.erasure.subject import SubjectError
from sojourn_collector.store.export_person import copy_for
from sojourn_collector.store.export_table import ExportError, export_table
from sojourn_collector.web.admin_body import asked_of
from sojourn_collector.web.admin_door import AdminDoor, refused
from sojourn_collector.web.api import ErrorAnswer, SentenceRoute
from sojourn_collector.web.erasures import Name, subject_of

LINES = "application/x-ndjson"
LARGEST_BODY = 128 << 10
CATCH_UP = 10.0
"""Seconds a copy waits for what was accepted just before."""
REFUSALS: dict[int | str, dict[str, Any]] = {status: {"model": ErrorAnswer} for status in (401, 403, 422, 503)}


class SubjectAsked(BaseModel):
    """Whose copy: one of person, session and account."""

    model_config = ConfigDict(extra="forbid", strict=True)

    person: Name | None = Field(None, description="User id or visitor id; `user:…`, `visitor:…` and `visit:…` say which.")
    session: Name | None = Field(None, description="Id of one visit.")
    account: Name | None = Field(None, description="Id of an account, with everybody who belongs to it.")


class TableAsked(BaseModel):
    """A table to be written to a folder of this machine."""

    model_config = ConfigDict(extra="forbid")

    table: str = Field(max_length=64)
    begin: AwareDatetime
    end: AwareDatetime
    folder: str = Field(min_length=1, max_length=4096)
    format: Literal["parquet", "jsonl"] = "parquet"


class BackupAsked(BaseModel):
    """A new folder of this machine."""

    model_config = ConfigDict(extra="forbid")

    folder: str = Field(min_length=1, max_length=4096)


def build_exports(context: Context, eraser: Eraser, backup: Backup, door: AdminDoor) -> APIRouter:
    """The routes."""
    router = APIRouter(prefix="/api/v1/admin", tags=["admin"], route_class=SentenceRoute, responses=REFUSALS)

    @router.post("/exports", response_class=StreamingResponse, openapi_extra=_body(SubjectAsked))
    async def export(request: Request) -> Response:
        """Everything kept about one person, session or account, as a ZIP.

        JSON Lines, a file per kind of thing, and a README. Asked by POST, so that no name stands in the logs of a proxy.
        """
        who = await door.who(request)
        if who is None:
            return refused()
        asked = await _read(request, SubjectAsked)
        if isinstance(asked, Response):
            return asked
        try:
            subject = await by_digest(context.control, subject_of(asked.model_dump()), context.clock())
        except SubjectError as error:
            return _sentence(422, str(error))
        with contextlib.suppress(TimeoutError):  # an engine far behind holds no copy of what it has up
            async with asyncio.timeout(CATCH_UP):
                await eraser.caught_up()
        names = await find(context.store, subject)
        digest = await context.control.erasures.digest(subject.kind, subject.name)
        await context.control.audit.add(context.clock(), who, "export.subject", digest, f"everything about a {subject.kind}")
        headers = {"content-disposition": 'attachment; filename="export.zip"', "cache-control": "no-store"}
        return StreamingResponse(copy_for(names, eraser.places), media_type="application/zip", headers=headers)

    @router.post("/tables", summary="Write a table to a folder of this machine", response_class=StreamingResponse, openapi_extra=_body(TableAsked))
    async def tables(request: Request) -> Response:
        """For the command `sojourn-collector export --table` only. A line of JSON for each file."""
        asked = await _asked(request, door, TableAsked)
        if isinstance(asked, Response):
            return asked
        await context.control.audit.add(context.clock(), "cli", "export.table", asked.table[:64], f"{asked.begin} to {asked.end}: {asked.folder}"[:1000])
        lines = export_table(context.store, asked.table, asked.begin, asked.end, Path(asked.folder), asked.format)
        return StreamingResponse(_lines(lines), media_type=LINES)

    @router.post("/backups", summary="Make a backup in a folder of this machine", response_class=StreamingResponse, openapi_extra=_body(BackupAsked))
    async def backups(request: Request) -> Response:
        """For the command `sojourn-collector backup` only. Lines of JSON, the last one with `done` or `error`."""
        asked = await _asked(request, door, BackupAsked)
        if isinstance(asked, Response):
            return asked
        await context.control.audit.add(context.clock(), "cli", "backup", asked.folder[:250])
        return StreamingResponse(_lines(backup.into(Path(asked.folder), context.clock())), media_type=LINES)

    return router


M = TypeVar("M", bound=BaseModel)


async def _asked(request: Request, door: AdminDoor, model: type[M]) -> M | Response:
    """The body of a request of this machine's own command, or the refusal."""
    who = await door.who(request)
    if who is None:
        return refused()
    if who != "cli":
        return _sentence(403, "this writes to the collector's own disk; run the command on its machine")
    return await _read(request, model)


EXAMPLES: Final[Mapping[type[BaseModel], str]] = {
    SubjectAsked: '{"person": "u12"}',
    TableAsked: '{"table": "runs", "begin": "2026-03-01T00:00:00Z", "end": "2026-04-01T00:00:00Z", "folder": "/exports"}',
    BackupAsked: '{"folder": "/backups/monday"}',
}
"""A body that would do, by what is asked."""


async def _read(request: Request, model: type[M]) -> M | Response:
    asked = await asked_of(request, model, largest=LARGEST_BODY, example=EXAMPLES[model])
    return _sentence(422, asked.rstrip(".")) if isinstance(asked, str) else asked


async def _lines(events: AsyncIterator[dict[str, Any]]) -> AsyncIterator[bytes]:
    try:
        async for event in events:
            yield json.dumps(event).encode() + b"\n"
    except (BackupError, ExportError, StoreError, NoFileError, OSError) as error:
        # The head is on its way already; the last line tells.
        yield json.dumps({"error": str(error)}).encode() + b"\n"


def _body(model: type[BaseModel]) -> dict[str, Any]:
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": model.model_json_schema()}}}}


def _sentence(status: int, text: str) -> Response:
    return JSONResponse({"error": f"{text[:1].upper()}{text[1:]}."}, status)
