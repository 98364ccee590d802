"""A real intake on loopback before a spool in memory, and what it stored in plain words."""

import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from sojourn_agent.rum.config import RumConfig
from sojourn_agent.rum.counts import IntakeCounts
from sojourn_agent.rum.intake import build_app
from sojourn_agent.spool_memory import MemorySpool
from tests.serving import served

ORIGIN = "https://shop.example"
TRACE, SPAN = "a1" * 16, "b2" * 8


@dataclass
class Thing:
    """A stored span or log record: its name, attributes (the resource's included) and the protobuf itself."""

    name: str
    has: dict[str, Any]
    raw: Any


@dataclass
class Taking:
    """A running intake. `post` sends a beacon; `spans` and `records` are what reached the spool."""

    url: str
    client: httpx2.AsyncClient
    counts: IntakeCounts
    spool: MemorySpool = field(default_factory=MemorySpool)

    async def post(self, body: Any, **headers: str) -> httpx2.Response:
        """POST `body` (bytes, or something to make JSON of) with the listed origin, unless told otherwise."""
        sent = {"origin": ORIGIN, "user-agent": "Mozilla/5.0 Chrome/156.0", **{name.replace("_", "-"): value for name, value in headers.items()}}
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await self.client.post("/v1/beacons", content=raw, headers={name: value for name, value in sent.items() if value})

    def spans(self) -> list[Thing]:
        """Every stored span."""
        bodies = [ExportTraceServiceRequest.FromString(body) for body in self.spool.of("traces")]
        return [_thing(span, span.name, part.resource) for body in bodies for part in body.resource_spans for scope in part.scope_spans for span in scope.spans]

    def records(self) -> list[Thing]:
        """Every stored log record."""
        bodies = [ExportLogsServiceRequest.FromString(body) for body in self.spool.of("logs")]
        return [
            _thing(record, record.event_name, part.resource)
            for body in bodies
            for part in body.resource_logs
            for scope in part.scope_logs
            for record in scope.log_records
        ]


def _thing(raw: Any, name: str, resource: Any) -> Thing:
    pairs = [*resource.attributes, *raw.attributes]
    return Thing(name, {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in pairs}, raw)


def beacon(*items: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A sound beacon of now with `items`; `more` sets or (with None) leaves out keys."""
    now = time.time() * 1000
    whole = {"v": 1, "id": "b-1", "app": "shop", "sent": now, "session": {"id": "s-1", "start": now}, "page": {"id": "p1", "url": f"{ORIGIN}/cart"}}
    whole |= {"items": [{"at": now} | item for item in items], **more}
    return {key: value for key, value in whole.items() if value is not None}


def page_view(**more: Any) -> dict[str, Any]:
    """A page view item."""
    return {"type": "page_view", "trace": TRACE, "span": SPAN, "url": f"{ORIGIN}/cart", "duration": 120, **more}


def fetch(**more: Any) -> dict[str, Any]:
    """A fetch item."""
    return {"type": "fetch", "trace": TRACE, "span": "c3" * 8, "method": "POST", "url": "/payments", "status": 200, "duration": 50, **more}


@asynccontextmanager
async def taking(
    *, keys: Mapping[str, bytes] | None = None, clock: Callable[[], float] = time.time, body_seconds: float = 5.0, origins: list[str] | None = None, **rum: Any
) -> AsyncIterator[Taking]:
    """A running intake for the app `shop`; what is not of `rum:` goes to the app's own settings."""
    app_keys = {name: rum.pop(name) for name in ("bots", "gpc") if name in rum}
    config = RumConfig.model_validate({"apps": {"shop": {"origins": origins or [ORIGIN], **app_keys}}, **rum})
    spool = MemorySpool()
    app = build_app(config, spool, keys or {}, clock, body_seconds)
    async with served(app, ws="none", lifespan="on", proxy_headers=False) as url, httpx2.AsyncClient(base_url=url, timeout=60) as client:
        yield Taking(url, client, app.state.counts, spool)
