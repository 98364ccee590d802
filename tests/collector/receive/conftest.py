"""A real OTLP listener over a real journal, ledger and engine."""

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from sojourn_collector.config import Limits
from sojourn_collector.counters import Counters
from sojourn_collector.listener_tls import ServerTls
from sojourn_collector.listeners import QuietServer, take, url_of
from sojourn_collector.receive.app import OtlpApp
from sojourn_collector.receive.batches import Batches
from sojourn_collector.receive.intake import Intake
from sojourn_collector.receive.otlp_grpc import OtlpGrpc
from sojourn_collector.store.catalogue import Catalogue
from sojourn_collector.store.client import Store
from sojourn_collector.store.control.control import Control
from sojourn_collector.store.engine_process import Endpoint
from sojourn_collector.store.journal import Journal
from sojourn_collector.store.load import Loader
from tests.collector.control_file import open_control
from tests.serving import PromptServer

QUERIES = {
    "span_of_trace": "SELECT * EXCEPT (trace_id, span_id, parent_id), lower(hex(span_id)) AS span_id FROM spans WHERE trace_id = unhex({trace_id:String})",
    "span_count": "SELECT count() AS n FROM spans WHERE attrs['batch'] = {batch:String}",
    "event_of_trace": "SELECT * FROM events WHERE trace_id = {trace_id:String}",
    "metric_named": "SELECT * FROM metrics WHERE name = {name:String} ORDER BY value",
}


@dataclass
class Listener:
    """The running listener and what a test looks at."""

    url: str
    grpc: str
    http: httpx2.AsyncClient
    store: Store
    counters: Counters
    control: Control
    journal: Journal
    loader: Loader
    intake: Intake
    by_grpc: OtlpGrpc

    async def post(self, body: bytes, path: str = "/v1/traces", **headers: str) -> httpx2.Response:
        """Send a request; header names with _ for -."""
        given = {"content-type": "application/x-protobuf", **{name.replace("_", "-"): value for name, value in headers.items()}}
        return await self.http.post(self.url + path, content=body, headers=given)

    async def rows(self, query: str, **parameters: Any) -> list[dict[str, Any]]:
        """Rows of a query once everything accepted is loaded."""
        await self.loaded()
        return await self.store.query(query, **parameters)

    async def loaded(self) -> None:
        """Wait until everything accepted is in the tables."""
        last = self.journal.last_seq
        async with asyncio.timeout(30):
            while self.journal.loaded_seq < last:
                await self.loader.wait_beyond(self.journal.loaded_seq)


class PromptQuietServer(PromptServer, QuietServer):
    """The collector's listener, which ends without pauses."""


@contextlib.asynccontextmanager
async def listening(
    engine: Endpoint, folder: Path, queries: Path, limits: Limits, *, needs_key: bool = False, tls: ServerTls | None = None
) -> AsyncIterator[Listener]:
    """Run journal, loader and listener on `folder`."""
    for name, sql in QUERIES.items():
        (queries / f"{name}.sql").write_text(sql)
    for own in (Path(__file__).parents[3] / "collector/sojourn_collector/store/queries").glob("loaded_*.sql"):
        (queries / own.name).write_text(own.read_text())
    control = open_control(folder / "control.sqlite")
    store = Store(lambda: engine, catalogue=Catalogue(queries))
    journal = Journal(folder / "journal", limit=limits.journal)
    counters = Counters()
    batches = Batches(control.ledger)
    loader = Loader(journal, store, control.ledger, control.dead_letters, folder / "dead", counters, on_settled=batches.settled)
    batches.index(await journal.open())
    intake = Intake(journal, batches, control.keys, limits, counters)
    by_grpc = OtlpGrpc(intake, needs_key=needs_key, tls=tls, connections=limits.connections)
    await by_grpc.start("127.0.0.1", 0)
    taken = take("127.0.0.1:0", "otlp.listen")
    server = PromptQuietServer(OtlpApp(intake, needs_key=needs_key), tls)
    serving = asyncio.create_task(server.serve(sockets=[taken]))
    loading = asyncio.create_task(loader.run())
    async with httpx2.AsyncClient(trust_env=False, verify=False, timeout=30) as http:
        try:
            url = url_of(*taken.getsockname(), tls=tls is not None)
            yield Listener(url, "{}:{}".format(*by_grpc.address), http, store, counters, control, journal, loader, intake, by_grpc)
        finally:
            server.should_exit = True
            await by_grpc.stop()
            await serving
            taken.close()
            loading.cancel()
            await asyncio.gather(loading, return_exceptions=True)
            await journal.close()
            await store.close()
            control.close()


@pytest.fixture
def queries(tmp_path: Path) -> Path:
    """A folder for the test's own queries."""
    folder = tmp_path / "queries"
    folder.mkdir()
    return folder


@pytest.fixture
async def listener(engine: Endpoint, tmp_path: Path, queries: Path) -> AsyncIterator[Listener]:
    """A listener with small limits."""
    async with listening(engine, tmp_path, queries, Limits(body=1 << 20, body_deadline=1.0, journal=64 << 20)) as one:
        yield one


def traces(count: int = 1, *, batch: str = "b", **fields: Any) -> ExportTraceServiceRequest:
    """A request of `count` good spans, each with the attribute `batch`; `fields` override fields of the first."""
    request = ExportTraceServiceRequest()
    resource_spans = request.resource_spans.add()
    resource_spans.resource.attributes.add(key="service.name").value.string_value = "shop"
    scope = resource_spans.scope_spans.add()
    for number in range(count):
        span = scope.spans.add(trace_id=os.urandom(16), span_id=os.urandom(8), name=f"GET /{number}", kind=3, start_time_unix_nano=time.time_ns())
        span.end_time_unix_nano = span.start_time_unix_nano + 5_000_000
        span.attributes.add(key="batch").value.string_value = batch
    for name, value in fields.items():
        setattr(scope.spans[0], name, value)
    return request
