"""A running shop and stand-ins that take what the shop and its shoppers send."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx2
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sojourn_demo.shop import serve
from sojourn_demo.shop.serve import Shop, build_shop, listening
from sojourn_demo.shop.settings import Account, Customer, ShopSettings
from sojourn_demo.shoppers.wire import Wire
from sojourn_demo.stage.ports import free_ports
from tests.serving import PromptServer


@dataclass
class Receiver:
    """Stands in for agent and collector: keeps beacons, feed rows and spans. `answers` are statuses to give before 'taken'.

    Beacons are taken and answered after `pause` seconds.
    """

    url: str = ""
    beacons: list[dict[str, Any]] = field(default_factory=list)
    origins: set[str] = field(default_factory=set)
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    watermarks: list[str] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)
    spans: list[tuple[str, Any]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    pause: float = 0.0

    async def beacon(self, request: Request) -> Response:
        if self.answers:
            return JSONResponse({"error": "not now"}, status_code=self.answers.pop(0))
        self.origins.add(request.headers["origin"])
        body = await request.body()
        await asyncio.sleep(self.pause)
        self.beacons.append(json.loads(body))
        return Response(status_code=204, headers={"access-control-allow-origin": "*"})

    async def rows_in(self, request: Request) -> Response:
        if self.answers:
            return JSONResponse({"error": "not now"}, status_code=self.answers.pop(0))
        self.keys.add(request.headers["authorization"])
        if "watermark" in request.query_params:
            self.watermarks.append(request.query_params["watermark"])
        rows = json.loads(await request.body())
        self.rows.setdefault(request.path_params["kind"], []).extend(rows)
        return JSONResponse({"accepted": len(rows), "rejected": 0, "errors": []})

    async def traces(self, request: Request) -> Response:
        body = await request.body()
        if request.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            service = next(a.value.string_value for a in resource.resource.attributes if a.key == "service.name")
            self.spans += [(service, span) for scope in resource.scope_spans for span in scope.spans]
        return Response(b"", media_type="application/x-protobuf")


class PromptShop(PromptServer, serve._Server):
    """The shop's listener, which ends without pauses."""


@pytest.fixture(autouse=True)
def promptly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Listeners end without uvicorn's pauses."""
    monkeypatch.setattr(serve, "_Server", PromptShop)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """Takes beacons, feeds and spans on loopback."""
    found = Receiver()
    routes = [
        Route("/v1/beacons", found.beacon, methods=["POST"]),
        Route("/v1/traces", found.traces, methods=["POST"]),
        Route("/api/v1/in/{kind}", found.rows_in, methods=["POST"]),
    ]
    async with listening(Starlette(routes=routes), 0) as port:
        found.url = f"http://127.0.0.1:{port}"
        yield found


@dataclass
class Running:
    """A shop that is being served, and a client for it."""

    shop: Shop
    settings: ShopSettings
    client: httpx2.AsyncClient
    wire: Wire
    url: str
    admin: str

    async def flush(self) -> None:
        """Send all spans now; in a thread, for the receiver lives on this loop."""
        for provider in self.shop.providers:
            await asyncio.to_thread(provider.force_flush)


@pytest.fixture
def settings(receiver: Receiver, tmp_path: Path) -> ShopSettings:
    """Settings of a shop that reports to `receiver`."""
    ports = free_ports()
    key = tmp_path / "key"
    key.write_text("sj_test_key\n")
    return ShopSettings(
        port=ports.shop,
        payments_port=ports.payments,
        admin_port=ports.switchboard,
        seed=7,
        snippet_url="http://127.0.0.1:8410/rum.js",
        otlp_url=receiver.url,
        collector_url=receiver.url,
        key_file=str(key),
        customers=(Customer("u-1", "Ada <Alder>", "ada@example.net", "a1"), Customer("u-2", "Bram Birk", "bram@example.net")),
        accounts=(Account("a1", "Otter Camps", "Team", "mid", 290.0, "Kim"),),
    )


@pytest.fixture
async def running(settings: ShopSettings) -> AsyncIterator[Running]:
    """The shop with all three listeners; its feeds do not run by themselves."""
    async with httpx2.AsyncClient(trust_env=False, timeout=10) as calls, httpx2.AsyncClient(trust_env=False, timeout=10) as client, aclosing(Wire()) as wire:
        shop = build_shop(settings, calls, pause=0.05)
        async with listening(shop.payments, settings.payments_port), listening(shop.shop, settings.port), listening(shop.admin, settings.admin_port):
            settings = replace(settings)
            yield Running(shop, settings, client, wire, settings.origin, f"http://127.0.0.1:{settings.admin_port}")
        for provider in shop.providers:
            await asyncio.to_thread(provider.shutdown)
