"""`POST /api/v1/in/{source}`: rows from outside come in, are checked, and are kept in the inbox before the answer goes out.

Whether the engine is up does not matter here: the inbox is the truth, the engine's copy is written later.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Protocol

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse
from pydantic import TypeAdapter, ValidationError
from starlette.datastructures import QueryParams

from sojourn_collector.sources import SOURCES, Source
from sojourn_collector.sources.answer import Refusal, RowError, Taken
from sojourn_collector.sources.base import Secrets
from sojourn_collector.sources.body import LARGEST_BODY, BodyRefused, rows_of
from sojourn_collector.sources.checking import check
from sojourn_collector.sources.door import Refused, authenticate, is_dry, read_body, refusal
from sojourn_collector.sources.fields import Instant
from sojourn_collector.sources.sentences import sentence_of, shown
from sojourn_collector.sources.signed_rows import DEADLINE, TENANT, RowSecrets, SignedDoor, is_signed
from sojourn_collector.sources.table import Reading, table_rows
from sojourn_collector.store.control import Control

BODY_DEADLINE = 10.0
"""Seconds a sender has to get its body across."""

_JSON = {"application/json", "text/json", ""}
_LINES = {"application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines"}
_CSV = {"text/csv"}
_AT_ONCE = 4  # bodies being read and parsed; each may cost tens of MiB for a moment
DryRun = Annotated[
    str | None, Query(description="`true`: check the rows and answer as otherwise, but keep nothing.", json_schema_extra={"enum": ["true", "false"]})
]
_WATERMARK: TypeAdapter[datetime] = TypeAdapter(Instant)


class IntakeContext(Protocol):
    """What of the collector's context the intake uses."""

    @property
    def control(self) -> Control:
        """The control database."""
        ...

    @property
    def clock(self) -> Callable[[], datetime]:
        """The wall clock."""
        ...

    @property
    def secrets(self) -> Secrets:
        """What rows are kept under."""
        ...


def build_routes(context: IntakeContext, *, signed: RowSecrets | None = None, body_deadline: float = BODY_DEADLINE) -> APIRouter:
    """The intake's routes. `signed` has the secrets of rows that come without a key; `body_deadline` is in seconds."""
    router = APIRouter(tags=["sources"])
    signatures = SignedDoor(signed or {}, deadline=min(body_deadline, DEADLINE))
    parsing = asyncio.Semaphore(_AT_ONCE)
    for source in SOURCES.values():
        router.add_api_route(
            f"/api/v1/in/{source.name}",
            _endpoint(context, source, parsing, signatures, body_deadline),
            methods=["POST"],
            name=f"in_{source.name}",
            summary=f"Take in {source.name}",
            description=(source.model.__doc__ or "")
            + " Send one object, an array, one object a line (NDJSON), or CSV (docs/sources.md); a key with scope `sources`, or a signature, is needed.",
            response_model=Taken,
            responses=_responses(),
            openapi_extra=_documented_body(source),
        )

    @router.post("/api/v1/in/{source}", include_in_schema=False)
    async def unknown(request: Request, source: str) -> JSONResponse:
        """Any other name."""
        try:
            await authenticate(context.control, request)
        except Refused as error:
            return refusal(error)
        return refusal(Refused(404, f"There is no source {shown(source)}; there are {', '.join(SOURCES)}."))

    return router


def _endpoint(context: IntakeContext, source: Source[Any], parsing: asyncio.Semaphore, signatures: SignedDoor, deadline: float) -> Callable[..., Any]:
    """The handler of one source. Only orders know watermarks, so only theirs are offered."""

    async def take(request: Request, watermark: str | None, dry_run: str | None) -> JSONResponse:
        try:
            key = None if _comes_signed(request) else await authenticate(context.control, request)
            form = _content(request)
            received = context.clock()
            dry = is_dry(dry_run)
            until = _read_watermark(source, watermark, received)
            body, message = (b"", "") if key else await signatures.body(source.name, request, received)
            tenant, sender = (key.tenant, key.sender) if key else (TENANT, f"signed:{source.name}")
            async with parsing:
                body = await read_body(request, deadline, LARGEST_BODY) if key else body
                rows, lines, notes = await asyncio.to_thread(_rows, source, body, form, request.query_params)
                taken, arrivals = await asyncio.to_thread(check, source, rows, tenant, received, context.secrets)
                if lines:
                    errors = [RowError(row=one.row, error=f"line {lines[one.row]}: {one.error}") for one in taken.errors]
                    taken = taken.model_copy(update={"errors": errors, "notes": notes})
            if rows and not arrivals:
                return JSONResponse(taken.answer(), status_code=400)
            if dry:
                return JSONResponse(taken.answer())
            if message and await context.control.webhooks.seen(tenant, source.name, message):
                return JSONResponse(taken.answer())
            await context.control.inbox.add_many(arrivals)
            if message:
                # Afterwards: a message that was broken off is tried again, and its rows may come twice.
                await context.control.webhooks.remember(tenant, source.name, message, received)
            if until is not None and not taken.rejected:
                feeds = {str(row.get("source") or "api") for row in rows}
                await context.control.watermarks.advance(source.name, until, sender=sender, feeds=feeds, tenant=tenant)
        except Refused as error:
            return refusal(error)
        return JSONResponse(taken.answer())

    if not source.has_watermark:

        async def plain(request: Request, dry_run: DryRun = None) -> JSONResponse:
            return await take(request, request.query_params.get("watermark"), dry_run)

        return plain

    async def with_watermark(
        request: Request,
        watermark: Annotated[str | None, Query(description="Everything up to this moment (RFC 3339) has been sent, these rows included.")] = None,
        dry_run: DryRun = None,
    ) -> JSONResponse:
        return await take(request, watermark, dry_run)

    return with_watermark


def _comes_signed(request: Request) -> bool:
    """A key, where one is sent too, is what counts."""
    return is_signed(request) and not request.headers.get("authorization")


def _content(request: Request) -> set[str]:
    """What the body is by its headers: one of the sets above."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    form = next((form for form in (_JSON, _LINES, _CSV) if kind in form), None)
    if form is None:
        raise Refused(415, f"The content type {shown(kind)} is not taken; send application/json, application/x-ndjson or text/csv.")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise Refused(415, "A compressed body is not taken here; send it as it is.")
    return form


def _read_watermark(source: Source[Any], watermark: str | None, received: datetime) -> datetime | None:
    if watermark is None:
        return None
    if not source.has_watermark:
        raise Refused(400, f"The source {source.name} has no watermark; leave the parameter out.")
    try:
        # A "+" of an offset that was not escaped arrives as a blank.
        return _WATERMARK.validate_python(watermark.replace(" ", "+"), context={"received": received})
    except ValidationError as error:
        raise Refused(400, f"watermark: {sentence_of(error, ())}.") from None


def _rows(source: Source[Any], body: bytes, form: set[str], asked: QueryParams) -> tuple[list[Any], list[int], list[str]]:
    """The rows, and of a CSV the line each begins on and sentences about it."""
    try:
        if form is _CSV:
            reading = Reading.of(asked.getlist("map"), asked.getlist("set"), asked.get("timezone"), asked.get("decimal"), asked.get("dates"))
            return table_rows(source, body, reading)
        return rows_of(body, lines=form is _LINES), [], []
    except BodyRefused as error:
        raise Refused(400, str(error)) from None


def _responses() -> dict[int | str, dict[str, Any]]:
    said: dict[int | str, dict[str, Any]] = {
        status: {"model": Refusal, "description": meaning}
        for status, meaning in (
            (401, "No key, or an unknown one."),
            (403, "The key has another scope."),
            (408, "The body came too slowly."),
            (413, "The body is too large."),
            (415, "None of JSON, NDJSON and CSV."),
        )
    }
    return {400: {"model": Taken | Refusal, "description": "No row could be taken, or the body could not be read."}, **said}


def _documented_body(source: Source[Any]) -> dict[str, Any]:
    row = source.model.model_json_schema(mode="validation")
    definitions = row.pop("$defs", None)
    if definitions:
        raise TypeError(f"the row of {source.name} must be flat to stand in OpenAPI")
    content = {
        "application/json": {"schema": {"anyOf": [row, {"type": "array", "items": row}]}},
        "application/x-ndjson": {"schema": {"type": "string"}},
        "text/csv": {"schema": {"type": "string"}},
    }
    return {"requestBody": {"required": True, "content": content}, "security": [{"key": []}]}
