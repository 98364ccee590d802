"""`POST /api/v1/in/{name}` for a configured vendor: proven, kept whole, answered; what it means is read later."""

import asyncio
import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, Protocol

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from sojourn_collector.counters import Counters
from sojourn_collector.kept_key import KeptKeyError
from sojourn_collector.sources import RowRefused
from sojourn_collector.sources.answer import RowError, Taken
from sojourn_collector.sources.body import MOST_ROWS, BodyRefused, json_of
from sojourn_collector.sources.configured import Configured
from sojourn_collector.sources.door import Places, Refused, authenticate, is_dry, read_body, refusal
from sojourn_collector.sources.records import changes_of, concerned_by, dry_records
from sojourn_collector.sources.scrub_json import scrub_json
from sojourn_collector.sources.signatures import Delivery, SignatureError
from sojourn_collector.sources.webhook import Event
from sojourn_collector.store.control import Arrival, Control
from sojourn_collector.store.control.webhooks import Arriving

LARGEST: Final = 2 << 20
LARGEST_GREETING: Final = 64
DEADLINE: Final = 4.0
"""Seconds a vendor has for its body: some give up on an answer after five."""
_AT_ONCE: Final = 32
TENANT: Final = "default"


class WebhookContext(Protocol):
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
    def webhooks(self) -> Mapping[str, Configured]:
        """Vendors by the name of their source."""
        ...


def build_webhooks(context: WebhookContext, counters: Counters, *, body_deadline: float = DEADLINE) -> APIRouter:
    """The routes of all configured vendors. `body_deadline` is in seconds."""
    router = APIRouter(tags=["sources"])
    reading = Places(_AT_ONCE)
    for one in context.webhooks.values():
        door = _Door(context, one, reading, counters, body_deadline)
        path = f"/api/v1/in/{one.name}"
        # They stand in collector.yaml, so no two installations have the same; OpenAPI says what all have.
        router.add_api_route(path, door.take, methods=["POST"], name=f"in_{one.name}", include_in_schema=False)
        router.add_api_route(path, door.look, methods=["GET", "HEAD"], name=f"look_{one.name}", include_in_schema=False)
    return router


class _Door:
    def __init__(self, context: WebhookContext, one: Configured, reading: Places, counters: Counters, deadline: float) -> None:
        self._context = context
        self._one = one
        self._reading = reading
        self._counters = counters
        self._deadline = deadline

    async def look(self) -> Response:
        """Vendors look whether there is somebody before they send."""
        return Response(status_code=200)

    async def take(self, request: Request) -> JSONResponse:
        """One delivery."""
        try:
            with self._reading:
                return await self._take(request, dry=is_dry(request.query_params.get("dry_run")))
        except Refused as error:
            self._count("refused", 1)
            return refusal(error)

    async def _take(self, request: Request, *, dry: bool) -> JSONResponse:
        received = self._context.clock()
        small = await self._small_body(request)
        if small is not None and self._greets(small):
            return JSONResponse(Taken(accepted=0, rejected=0, errors=[]).answer())
        secrets = self._secrets()
        if not secrets:
            await authenticate(self._context.control, request)
        elif (needed := self._one.webhook.signature.header) and not request.headers.get(needed):
            raise Refused(401, f"The header {needed} is missing; have the vendor sign what it sends.")
        body = await read_body(request, self._deadline, LARGEST) if small is None else small
        public = self._one.settings.public_url.rstrip("/")
        url = (public or f"{request.url.scheme}://{request.headers.get('host', '')}") + request.scope["raw_path"].decode("latin-1")
        if request.url.query:
            url += f"?{request.url.query}"
        delivery = Delivery(request.method, url, {name.lower(): value for name, value in request.headers.items()}, body)
        if secrets:
            try:
                await asyncio.to_thread(self._one.webhook.signature.check, delivery, secrets, received)
            except SignatureError as error:
                raise Refused(401, str(error)) from None
        try:
            events, wrong = await asyncio.to_thread(self._events, delivery)
        except BodyRefused as error:
            raise Refused(400, str(error)) from None
        if dry:
            return JSONResponse(await asyncio.to_thread(self._tried, events, wrong, received))
        if events:
            signed = "" if self._one.webhook.repeats is None or not secrets else hashlib.sha256(self._one.webhook.repeats(delivery)).hexdigest()
            arriving = [replace(self._arriving(key, event, received), signed=signed) for key, event in events]
            fresh = await self._context.control.webhooks.take(arriving)
            self._count("accepted", fresh)
            self._count("seen", len(events) - fresh)
        self._count("refused", len(wrong))
        taken = Taken(accepted=len(events), rejected=len(wrong), errors=wrong)
        return JSONResponse(taken.answer(), status_code=400 if wrong and not events else 200)

    async def _small_body(self, request: Request) -> bytes | None:
        """The body where it may be a greeting that needs no proof; None, and nothing is read, where it cannot be."""
        announced = request.headers.get("content-length", "")
        if not self._one.webhook.greets_unproven or not re.fullmatch(r"\d{1,2}", announced, re.ASCII) or int(announced) > LARGEST_GREETING:
            return None
        return await read_body(request, min(self._deadline, 1.0), LARGEST_GREETING)

    def _greets(self, body: bytes) -> bool:
        try:
            return self._one.webhook.greets(json_of(body))
        except BodyRefused:
            return False

    def _secrets(self) -> Sequence[bytes]:
        try:
            return self._one.secrets()
        except KeptKeyError as error:
            # Whoever sends learns nothing of our files; the vendor tries again.
            raise Refused(503, "The secret of this source cannot be read just now; see the collector's log.") from error

    def _events(self, delivery: Delivery) -> tuple[list[tuple[str, Event]], list[RowError]]:
        """Scrubbed events with their ids, and a sentence for each that has none. Raises BodyRefused."""
        webhook = self._one.webhook
        read = webhook.read(delivery)
        if read is None:
            return [], []
        headers = {name: delivery.headers[name] for name in webhook.headers if name in delivery.headers}
        cut = [one for one in webhook.events(read) if not webhook.greets(one)]
        if len(cut) > MOST_ROWS:
            raise BodyRefused(f"The body has more than {MOST_ROWS} events.")
        events, wrong = [], []
        for number, body in enumerate(cut):
            try:
                if not isinstance(body, dict):
                    raise RowRefused("the event is not a JSON object")
                event = Event(scrub_json(body, webhook.drops), headers)
                events.append((webhook.event_key(event), event))
            except RowRefused as error:
                wrong.append(RowError(row=number, error=str(error)))
        return events, wrong

    def _arriving(self, key: str, event: Event, received: datetime) -> Arriving:
        arrival = Arrival(TENANT, self._one.name, self._one.webhook.name, key, received, event.to_json())
        if self._one.webhook.calls(event, self._one.settings):
            return Arriving(arrival, (), received)
        try:
            concerned = concerned_by(changes_of(self._one, event))
        except RowRefused:
            concerned = []  # the row is kept, and says why when its turn comes
        return Arriving(arrival, concerned)

    def _tried(self, events: Sequence[tuple[str, Event]], wrong: Sequence[RowError], received: datetime) -> dict[str, Any]:
        """What a dry run answers: what would be kept, and the rows that can be read of it already."""
        records, unread = dry_records(self._one, self._one.name, [event for _, event in events], received)
        errors = [*wrong, *unread]
        taken = Taken(accepted=len(events), rejected=len(wrong), errors=errors).answer()
        read: dict[str, Any] = json.loads(json.dumps({**taken, "records": records}, default=str))
        return read

    def _count(self, outcome: str, number: int) -> None:
        if number:
            self._counters.add("sojourn_webhook_events", number, source=self._one.name, outcome=outcome)
