"""Unmodified OpenTelemetry SDKs send, and their data are found by trace id: for Python and JavaScript, over HTTP and gRPC."""

import asyncio
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as ByGrpc
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as ByHttp
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter

from tests.collector.process import CollectorProcess

JS = Path(__file__).parent / "js"


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CollectorProcess]:
    """A collector with both listeners."""
    one = CollectorProcess(tmp_path_factory.mktemp("senders"), tables=True)
    one.config.write_text(one.config.read_text().replace('otlp: {listen: "127.0.0.1:0"}', 'otlp: {listen: "127.0.0.1:0", grpc: "127.0.0.1:0"}'))

    async def begin() -> None:
        await one.start()
        await one.ready()

    try:
        asyncio.run(begin())
        yield one
    finally:
        one.stop()


async def found(collector: CollectorProcess, path: str, enough: Any) -> dict[str, Any]:
    """What the API answers, once that is enough."""
    async with asyncio.timeout(60), httpx2.AsyncClient(trust_env=False, base_url=collector.runtime["web"]) as http:
        while True:
            answer = await http.get(path)
            if answer.status_code == 200 and enough(answer.json()):
                return dict(answer.json())
            await asyncio.sleep(0.1)


async def trace_of(collector: CollectorProcess, ident: str) -> list[dict[str, Any]]:
    """The two spans of a sender's trace."""
    return list((await found(collector, f"/api/v1/traces/{ident}", lambda body: len(body["spans"]) == 2))["spans"])


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
async def test_python(collector: CollectorProcess, protocol: str) -> None:
    """A span with its child, their attributes, an exception and the scope."""
    runtime = collector.runtime
    exporter: SpanExporter = ByGrpc(endpoint=runtime["otlp_grpc"], insecure=True) if protocol == "grpc" else ByHttp(endpoint=f"{runtime['otlp']}/v1/traces")
    provider = TracerProvider(resource=Resource.create({"service.name": "their-shop", "deployment.environment.name": "test"}))
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("their.shop", "4.5.6")

    def send() -> str:
        with tracer.start_as_current_span("POST /orders", attributes={"cart.items": 3, "cart.tags": ["a", "b"], "their.own.key": "their value"}) as order:
            with pytest.raises(ValueError, match="card refused"), tracer.start_as_current_span("charge"):
                raise ValueError("card refused")
            ident = f"{order.get_span_context().trace_id:032x}"
        provider.shutdown()
        return ident

    ident = await asyncio.to_thread(send)
    root, child = await trace_of(collector, ident)
    assert (root["name"], root["service"], root["attributes"]) == (
        "POST /orders",
        "their-shop",
        {"cart.items": "3", "cart.tags": '["a","b"]', "their.own.key": "their value"},
    )
    assert (child["name"], child["parent_id"], child["status"], child["events"][0]["attributes"]["exception.message"]) == (
        "charge",
        root["span_id"],
        "error",
        "card refused",
    )
    hits = await found(collector, f"/api/v1/search?attr=their.own.key=their%20value&trace={ident}", lambda body: body["items"])
    resource = hits["items"][0]["resource"]
    assert (resource["otel.scope.version"], resource["telemetry.sdk.language"], resource["deployment.environment.name"]) == ("4.5.6", "python", "test")


@pytest.mark.skipif(shutil.which("node") is None or not (JS / "node_modules").exists(), reason="needs node and `make senders`")
@pytest.mark.parametrize("protocol", ["http/protobuf", "http/json", "grpc"])
async def test_javascript(collector: CollectorProcess, protocol: str) -> None:
    """The same of JavaScript's SDK, and a log that belongs to the failing span."""
    told = {
        "OTEL_SERVICE_NAME": "their-shop",
        "OTEL_EXPORTER_OTLP_PROTOCOL": protocol,
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.runtime["otlp_grpc" if protocol == "grpc" else "otlp"],
        "OTEL_METRICS_EXPORTER": "none",
        "OTEL_LOGS_EXPORTER": "otlp",
    }
    done = await asyncio.to_thread(
        subprocess.run, ["node", "send.mjs"], cwd=JS, env={**os.environ, **told}, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    ident = done.stdout.strip()
    root, child = await trace_of(collector, ident)
    assert (root["name"], root["service"], root["attributes"]["their.own.key"], root["attributes"]["cart.tags"]) == (
        "POST /orders",
        "their-shop",
        "their value",
        '["a","b"]',
    )
    assert (child["parent_id"], child["status"], child["message"], child["events"][0]["attributes"]["exception.message"]) == (
        root["span_id"],
        "error",
        "card refused",
        "card refused",
    )
    logs = await found(collector, f"/api/v1/search?signal=logs&trace={ident}", lambda body: body["items"])
    assert [(item["text"], item["severity"], item["span_id"]) for item in logs["items"]] == [("card refused", 17, child["span_id"])]
