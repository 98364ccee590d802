"""`/api/v1/marks`: tell of releases and fixes, list them, and ask whether a fix helped."""

import json
from datetime import timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Request
from fastapi.responses import JSONResponse, Response
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from sojourn_collector.context import Context
from sojourn_collector.sources.door import Refused, read_body, refusal
from sojourn_collector.sources.import_door import ImportDoor
from sojourn_collector.sources.intake import BODY_DEADLINE
from sojourn_collector.store.control.marks import LONGEST_NAME, LONGEST_NOTE, LONGEST_PLACE, MarkKind, MarkRow, TooManyMarksError
from sojourn_collector.web.admin_door import AdminDoor, refused
from sojourn_collector.web.answers.marks import marks, told_mark
from sojourn_collector.web.answers.verification import verification
from sojourn_collector.web.answers.window import EARLIEST
from sojourn_collector.web.api import ERRORS, ErrorAnswer, NotKept, SentenceRoute, shown
from sojourn_collector.web.models_fixes import Mark, MarksAnswer, Verification

LARGEST_BODY = 32 << 10
AHEAD = timedelta(days=366)
"""How far ahead a mark may lie: a release that is planned."""

Ident = Annotated[str, Path(pattern="^(seen-)?[0-9a-f]{12}$", description="Id of the mark.")]
ToldIdent = Annotated[str, Path(pattern="^[0-9a-f]{12}$", description="Id of a mark that somebody made.")]


def _plain(text: str) -> str:
    if any(ord(letter) < 32 or 0xD800 <= ord(letter) < 0xE000 for letter in text):
        raise ValueError("holds a control character; leave it out")
    return text.strip()


Name = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME, pattern=r"\S"), AfterValidator(_plain)]
Place = Annotated[str, Field(max_length=LONGEST_PLACE), AfterValidator(_plain)]


class MarkAsked(BaseModel):
    """A mark to be made."""

    model_config = ConfigDict(extra="forbid", strict=True)

    kind: Literal["release", "fix", "campaign", "price"]
    name: Name = Field(description="The version, or what was fixed.")
    at: AwareDatetime | None = Field(None, strict=False, description="When, RFC 3339; default now.")
    journey: Place = Field("", description="The journey it treats; a fix names one.")
    step: Place = Field("", description="The step of it.")
    trouble_from: AwareDatetime | None = Field(
        None, strict=False, description="When the trouble began that it ends; default as the failures of the days before say."
    )
    note: Annotated[str, Field(max_length=LONGEST_NOTE), AfterValidator(_plain)] = ""


REFUSALS: dict[int | str, dict[str, Any]] = {status: {"model": ErrorAnswer} for status in (400, 401, 403, 404, 408, 409, 413, 422)}


def build_marks(context: Context, door: ImportDoor, admin: AdminDoor, *, body_deadline: float = BODY_DEADLINE) -> APIRouter:
    """The routes: whoever may send data may make marks; removing one takes a key of the scope admin. `body_deadline` is in seconds."""
    router = APIRouter(prefix="/api/v1/marks", tags=["report"], route_class=SentenceRoute, responses=ERRORS)
    body = {"requestBody": {"required": True, "content": {"application/json": {"schema": MarkAsked.model_json_schema()}}}}

    @router.get("", response_model=MarksAnswer, summary="Releases and fixes")
    async def get_marks() -> MarksAnswer:
        """Those somebody made, and releases that customers' visits were seen on."""
        return await marks(context)

    @router.post("", status_code=201, response_model=Mark, responses=REFUSALS, openapi_extra=body, summary="Make a mark")
    async def make(request: Request) -> Response:
        """With a key of the scope sources."""
        try:
            sender = await door.who(request)
            asked = _read(await read_body(request, body_deadline, LARGEST_BODY))
            row = mark_row(context, asked, sender.actor, sender.tenant)
            made = await context.control.marks.add(row)
        except Refused as error:
            return refusal(error)
        except TooManyMarksError as error:
            return JSONResponse({"error": f"{error}."}, 409)
        return JSONResponse(told_mark(context, made).model_dump(mode="json"), 201)

    @router.delete("/{ident}", status_code=204, responses=REFUSALS, summary="Remove a mark")
    async def remove(request: Request, ident: ToldIdent) -> Response:
        """With a key of the scope admin. Releases seen in telemetry cannot be removed."""
        who = await admin.who(request)
        if who is None:
            return refused()
        if not await context.control.marks.remove(ident, who, context.clock()):
            raise NotKept(f"There is no mark {ident}.")
        return Response(status_code=204)

    @router.get("/{ident}/verification", response_model=Verification, summary="Did the fix help?")
    async def get_verification(ident: Ident) -> Verification:
        """The treated journey beside journeys nobody touched, 7, 14 and 28 days on."""
        found = await verification(context, ident)
        if found is None:
            raise NotKept(f"There is no mark {shown(ident)}.")
        return found

    return router


def _read(raw: bytes) -> MarkAsked:
    """The mark asked for. Raises Refused."""
    try:
        return MarkAsked.model_validate(json.loads(raw))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"])[:80]
        raise Refused(422, f"{place}: {first['msg']}." if place else f"{first['msg']}.") from None
    except (ValueError, RecursionError):
        raise Refused(400, 'The body is not JSON; send an object such as {"kind": "release", "name": "2.4.1"}.') from None


def mark_row(context: Context, asked: MarkAsked, actor: str, tenant: str) -> MarkRow:
    """The mark to keep: its journey and step are ones there are, its times make sense. Raises Refused."""
    now = context.clock()
    at = asked.at or now
    if not EARLIEST <= at <= now + AHEAD:
        raise Refused(422, f"at: lies before 1970 or more than {AHEAD.days} days ahead; give the time of the {asked.kind}.")
    if asked.trouble_from is not None and not EARLIEST <= asked.trouble_from <= at:
        raise Refused(422, f"trouble_from: the trouble that led to it begins before it, and it was at {at.isoformat()}.")
    if asked.kind == "fix" and not asked.journey:
        raise Refused(422, "journey: a fix names the journey it treats, or nothing could be told of it.")
    known = context.journeys.all().get(asked.journey)
    if asked.journey and known is None:
        raise Refused(422, f"journey: there is no journey {shown(asked.journey)}; there are {', '.join(sorted(context.journeys.all())[:20]) or 'none'}.")
    if asked.step and (known is None or asked.step not in (step.id for step in known.steps)):
        steps = ", ".join(step.id for step in known.steps[:20]) if known else "none without a journey"
        raise Refused(422, f"step: there is no step {shown(asked.step)} in this journey; there are {steps}.")
    return MarkRow(MarkKind(asked.kind), at, asked.name, actor, now, asked.journey, asked.step, asked.trouble_from, asked.note, tenant=tenant)
