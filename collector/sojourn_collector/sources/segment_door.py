"""`/v1/track`, `identify`, `group`, `page`, `screen`, `alias` and `batch`: what Segment's and RudderStack's SDKs post, when nothing but their host is changed.

https://segment.com/docs/connections/sources/catalog/libraries/server/http-api/
"""

import asyncio
import base64
import binascii
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel

from sojourn_collector.counters import Counters
from sojourn_collector.sources.answer import RowError
from sojourn_collector.sources.base import RowRefused
from sojourn_collector.sources.body import BodyRefused, json_of
from sojourn_collector.sources.configured import Configured, plain
from sojourn_collector.sources.door import Places, Refused, is_dry
from sojourn_collector.sources.packed_body import coding_of, read_packed
from sojourn_collector.sources.records import changes_of, concerned_by, dry_records
from sojourn_collector.sources.segment_kept import CALLS
from sojourn_collector.sources.segment_messages import NAME, messages_in
from sojourn_collector.sources.sentences import shown
from sojourn_collector.sources.webhook import Event
from sojourn_collector.sources.webhook_intake import DEADLINE, WebhookContext
from sojourn_collector.store.control import Arrival, Key, Scope
from sojourn_collector.store.control.webhooks import Arriving

LARGEST: Final = 2 << 20
LARGEST_UNPROVEN: Final = 1 << 19
"""Bytes of a body whose key stands inside: it has to be read before anybody knows who sends it."""
_AT_ONCE: Final = 32
SHORT: Final[Mapping[str, str]] = {"t": "track", "i": "identify", "g": "group", "p": "page", "s": "screen", "a": "alias", "b": "batch", "import": "batch"}
"""Paths that pages post to, and the old one for imports."""
DESCRIBED: Final = frozenset(("track", "batch"))
"""Paths that stand in OpenAPI; the others take and answer the same."""
_CODES: Final = {400: "invalid_body", 401: "unauthorized", 403: "forbidden", 408: "timeout", 413: "too_large", 415: "unsupported", 503: "busy"}


class Received(BaseModel):
    """Body of the answer when messages were taken; `errors` stand there when some were not."""

    success: bool = True
    errors: list[RowError] | None = None


class NotReceived(BaseModel):
    """Body of every other answer. The sentence stands under the names different SDKs look for."""

    success: bool = False
    code: str
    message: str
    error: str
    errors: list[RowError] | None = None


def build_segment(context: WebhookContext, counters: Counters, origins: Sequence[str] = (), *, body_deadline: float = DEADLINE) -> APIRouter:
    """The routes. `origins` are those whose pages may post by script; `body_deadline` is in seconds."""
    router = APIRouter(tags=["sources"])
    door = _Door(context, counters, frozenset(origins), body_deadline)
    for path, call in {**{call: call for call in (*CALLS, "batch")}, **SHORT}.items():
        router.add_api_route(
            f"/v1/{path}",
            door.taking(call),
            methods=["POST"],
            name=f"segment_{path}",
            summary=f"Take in Segment's {call}",
            description="As SDKs of Segment and RudderStack post it, plain or as gzip; Basic, a key of scope `sources` as the write key."
            " `identify`, `group`, `page`, `screen` and `alias` beside it take the like (docs/sources.md).",
            response_model=Received,
            response_model_exclude_none=True,
            responses={status: {"model": NotReceived, "description": said} for status, said in _SAID.items()},
            openapi_extra={"requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}, "security": [{"key": []}]},
            include_in_schema=path in DESCRIBED,
        )
        router.add_api_route(f"/v1/{path}", door.before, methods=["OPTIONS"], name=f"before_segment_{path}", include_in_schema=False)
    for path in ("/sourceConfig", "/sourceConfig/"):
        router.add_api_route(path, door.source_config, methods=["GET"], name="rudder_source_config", include_in_schema=False)
        router.add_api_route(path, door.before_source_config, methods=["OPTIONS"], name="before_rudder_source_config", include_in_schema=False)
    router.add_api_route("/v1/projects/{write_key}/settings", door.settings, methods=["GET"], name="segment_settings", include_in_schema=False)
    return router


_HEADERS: Final = frozenset(
    (
        "authorization",
        "content-type",
        "content-encoding",
        "x-retry-count",
        "anonymousid",
        "x-rudder-client",
        "sentat",
        "rsa-recovered",
        "rsa-retry-attempt",
        "rsa-retry-reason",
        "rsa-since-first-attempt",
        "rsa-since-last-attempt",
    )
)
"""What scripts of SDKs set; of all but the first three nothing is read."""
_SAID: Final[dict[int | str, str]] = {
    400: "No message could be taken, or the body could not be read.",
    401: "No write key, or an unknown one.",
    403: "The key has another scope, or the page's origin may not post.",
    408: "The body came too slowly.",
    413: "The body is too large.",
    415: "Packed with something else than gzip.",
    503: "Too many bodies are being read.",
}


class _Door:
    def __init__(self, context: WebhookContext, counters: Counters, origins: frozenset[str], deadline: float) -> None:
        self._context = context
        self._counters = counters
        self._origins = origins
        self._deadline = deadline
        self._reading = Places(_AT_ONCE)

    async def before(self, request: Request) -> Response:
        """What a browser asks before a page's script may post."""
        return self._may(request, "POST")

    async def before_source_config(self, request: Request) -> Response:
        """The same, before it may ask for its configuration."""
        return self._may(request, "GET")

    def _may(self, request: Request, method: str) -> Response:
        origin = request.headers.get("origin", "")
        if origin not in self._origins:
            return _refusal(_other_origin(origin), {})
        allowed = {"access-control-allow-methods": method, "access-control-allow-headers": _asked(request), "access-control-max-age": "600"}
        return Response(status_code=204, headers=self._cross(request) | allowed)

    async def settings(self, request: Request, write_key: str) -> JSONResponse:
        """What Segment's script for pages asks for before it sends: where to, and that there is nobody else to send to."""
        headers = self._cross(request)
        try:
            await self._key(write_key)
        except Refused as error:
            return _refusal(error, headers)
        here = {"apiKey": write_key, "apiHost": f"{request.headers.get('host', '')}/v1", "protocol": request.url.scheme}
        return JSONResponse({"integrations": {"Segment.io": here}, "plan": {"track": {}}, "edgeFunction": {}, "middlewareSettings": {}}, headers=headers)

    async def source_config(self, request: Request) -> JSONResponse:
        """What RudderStack's script for pages asks for first: its source is on, reports nothing of itself, and there is nobody else to send to."""
        headers = self._cross(request)
        try:
            key = await self._key(_write_key(request) if request.headers.get("authorization") else request.query_params.get("writeKey"))
        except Refused as error:
            return _refusal(error, headers)
        nothing = {"statsCollection": {"errors": {"enabled": False}, "metrics": {"enabled": False}}}
        source = {"id": key.id, "name": NAME, "enabled": True, "workspaceId": "sojourn", "config": nothing, "destinations": [], "connections": []}
        return JSONResponse({"source": source}, headers=headers)

    def taking(self, call: str) -> Callable[..., Any]:
        """The handler of one call."""

        async def take(request: Request) -> JSONResponse:
            headers = self._cross(request)
            try:
                with self._reading:
                    return await self._take(request, call, headers)
            except Refused as error:
                self._count("refused", 1)
                return _refusal(error, headers)

        return take

    async def _take(self, request: Request, call: str, headers: dict[str, str]) -> JSONResponse:
        received, dry = self._context.clock(), is_dry(request.query_params.get("dry_run"))
        origin = request.headers.get("origin")
        if origin is not None and origin not in self._origins:
            raise _other_origin(origin)
        coding_of(request)
        key = await self._key(_write_key(request)) if request.headers.get("authorization") else None
        body = await read_packed(request, self._deadline, LARGEST_UNPROVEN if key is None else LARGEST)
        try:
            told = await asyncio.to_thread(json_of, body)
        except BodyRefused as error:
            raise Refused(400, str(error)) from None
        if not isinstance(told, dict):
            raise Refused(400, "The body is not a JSON object.")
        if key is None:
            # Pages of old releases, and those that send on leaving, cannot set headers.
            key = await self._key(told.get("writeKey"))
        events, wrong = await asyncio.to_thread(messages_in, call, told, received, in_page=not key.allows(Scope.SOURCES))
        if dry:
            return await self._tried(events, wrong, received, headers)
        if events:
            fresh = await self._context.control.webhooks.take(await asyncio.to_thread(self._arriving, events, received, key.tenant))
            self._count("accepted", fresh)
            self._count("seen", len(events) - fresh)
        self._count("refused", len(wrong))
        if wrong and not events:
            return _refusal(Refused(400, "; ".join(dict.fromkeys(one.error for one in wrong[:3])) + "."), headers, wrong)
        return JSONResponse(Received(errors=wrong or None).model_dump(exclude_none=True), headers=headers)

    async def _key(self, presented: Any) -> Key:
        """The key that stands for a write key. Raises Refused."""
        if not isinstance(presented, str) or not presented:
            raise Refused(401, "A write key is needed: give the SDK a key as sj_…; `sojourn-collector key create --scope sources` makes one.")
        key = await self._context.control.keys.verify(presented)
        if key is None:
            raise Refused(401, "This write key is unknown or was revoked.")
        if not (key.allows(Scope.SOURCES) or key.allows(Scope.PAGE)):
            raise Refused(403, f"The key {shown(key.name)} may not send here; make one with scope sources, or page for one that stands in a page.")
        return key

    def _one(self) -> Configured:
        """As collector.yaml configures the source of this name, if it does."""
        one = self._context.webhooks.get(NAME)
        return one if one is not None and one.settings.kind == NAME else plain(NAME)

    def _arriving(self, events: Sequence[tuple[str, Event]], received: datetime, tenant: str) -> list[Arriving]:
        return [Arriving(Arrival(tenant, NAME, NAME, key, received, event.to_json()), concerned_by(self._changes(event))) for key, event in events]

    def _changes(self, event: Event) -> Sequence[Any]:
        try:
            return changes_of(self._one(), event)
        except RowRefused:
            return ()  # the row is kept, and says why when its turn comes

    async def _tried(self, events: Sequence[tuple[str, Event]], wrong: Sequence[RowError], received: datetime, headers: dict[str, str]) -> JSONResponse:
        records, errors = await asyncio.to_thread(dry_records, self._one(), NAME, [event for _, event in events], received)
        said = [one.model_dump() for one in (*wrong, *errors)]
        answer = {"success": not said, "records": records, **({"errors": said} if said else {})}
        return JSONResponse(json.loads(json.dumps(answer, default=str)), headers=headers)

    def _cross(self, request: Request) -> dict[str, str]:
        """What lets the page of another origin read the answer."""
        origin = request.headers.get("origin", "")
        return {"access-control-allow-origin": origin, "vary": "origin", "cross-origin-resource-policy": "cross-origin"} if origin in self._origins else {}

    def _count(self, outcome: str, number: int) -> None:
        if number:
            self._counters.add("sojourn_webhook_events", number, source=NAME, outcome=outcome)


def _write_key(request: Request) -> str:
    """The user of Basic; of Bearer the whole. Raises Refused."""
    scheme, _, given = request.headers["authorization"].partition(" ")
    if scheme.lower() == "bearer":
        return given.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(given.strip(), validate=True).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            raise Refused(401, "The header Authorization is no Basic one; its user is the write key, its password empty.") from None
    raise Refused(401, "The header Authorization is neither Basic nor Bearer; SDKs send Basic with the write key as user.")


def _other_origin(origin: str) -> Refused:
    return Refused(403, f"Pages of {shown(origin)} may not post here; add the origin to web.origins in collector.yaml.")


def _asked(request: Request) -> str:
    """The headers an SDK's script may set, of those it asks for."""
    asked = {name.strip().lower() for name in request.headers.get("access-control-request-headers", "").split(",")}
    return ", ".join(sorted(asked & _HEADERS)) or "content-type"


def _refusal(error: Refused, headers: Mapping[str, str], wrong: Sequence[RowError] = ()) -> JSONResponse:
    said = NotReceived(code=_CODES.get(error.status, "refused"), message=str(error), error=str(error), errors=list(wrong) or None)
    more = {401: {"www-authenticate": 'Basic realm="a write key as user"'}, 503: {"retry-after": "2"}}.get(error.status, {})
    return JSONResponse(said.model_dump(exclude_none=True), error.status, headers={**headers, **more})
