"""OpenTelemetry for the shop and the payments service: one provider each, server spans for an app, client spans for a call.

Sampler, limits, queue and endpoint are given here, so that the host's `OTEL_*` cannot change what the demo shows. When the
collector is away the exporter's own thread retries and then drops; a request of the shop never waits for it.
"""

from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sojourn_probes import semconv

_PROPAGATOR = TraceContextTextMapPropagator()


def build_provider(service: str, otlp_url: str, *, delay: float = 0.3) -> TracerProvider:
    """A provider for `service` that exports to `otlp_url` (base address; empty: nowhere) every `delay` seconds."""
    provider = TracerProvider(
        sampler=ALWAYS_ON,
        resource=Resource({semconv.SERVICE_NAME: service, semconv.SERVICE_VERSION: "1.0", "service.namespace": "demo"}),
        shutdown_on_exit=False,
        span_limits=SpanLimits(max_attributes=64, max_events=64, max_links=16),
    )
    if otlp_url:
        exporter = OTLPSpanExporter(endpoint=f"{otlp_url}/v1/traces", timeout=5)
        provider.add_span_processor(
            BatchSpanProcessor(exporter, max_queue_size=20_000, schedule_delay_millis=delay * 1000, max_export_batch_size=512, export_timeout_millis=5000)
        )
    return provider


class TracedApp:
    """ASGI middleware: one SERVER span per request, child of an incoming `traceparent`, status ERROR on 5xx."""

    def __init__(self, app: ASGIApp, tracer: Tracer) -> None:
        self.app = app
        self.tracer = tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request within its span."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = {key.decode("latin-1"): value.decode("latin-1") for key, value in scope["headers"]}
        method, path = scope["method"], scope["path"]
        with self.tracer.start_as_current_span(
            f"{method} {path}",
            context=_PROPAGATOR.extract(headers),
            kind=SpanKind.SERVER,
            attributes=_request_attributes(scope, headers),
        ) as span:

            async def watch(message: Message) -> None:
                if message["type"] == "http.response.start":
                    _finish(span, method, scope, message["status"])
                await send(message)

            await self.app(scope, receive, watch)


def _request_attributes(scope: Scope, headers: Mapping[str, str]) -> dict[str, Any]:
    attributes: dict[str, Any] = {semconv.HTTP_REQUEST_METHOD: scope["method"], semconv.URL_PATH: scope["path"], "url.scheme": "http"}
    if agent := headers.get("user-agent"):
        attributes[semconv.USER_AGENT_ORIGINAL] = agent
    if semconv.PROBE_HEADER in headers:
        attributes[semconv.SYNTHETIC_TYPE] = "test"
    return attributes


def _finish(span: Span, method: str, scope: Scope, status: int) -> None:
    """Name the span by its route, the way the conventions want it: a path holds ids, a route does not."""
    span.set_attribute(semconv.HTTP_RESPONSE_STATUS_CODE, status)
    if route := getattr(scope.get("route"), "path", ""):
        span.set_attribute(semconv.HTTP_ROUTE, route)
        span.update_name(f"{method} {route}")
    if status >= 500:
        span.set_attribute(semconv.ERROR_TYPE, str(status))
        span.set_status(Status(StatusCode.ERROR))


@contextmanager
def outgoing(tracer: Tracer, method: str, url: str, headers: MutableMapping[str, str]) -> Iterator[Span]:
    """A CLIENT span around one call; puts `traceparent` into `headers`."""
    parts = urlsplit(url)
    attributes: dict[str, Any] = {
        semconv.HTTP_REQUEST_METHOD: method,
        semconv.URL_FULL: url,
        semconv.SERVER_ADDRESS: parts.hostname or "",
        semconv.SERVER_PORT: parts.port or 80,
    }
    with tracer.start_as_current_span(f"{method} {parts.path}", kind=SpanKind.CLIENT, attributes=attributes) as span:
        _PROPAGATOR.inject(headers)
        yield span


def answered(span: Span, status: int) -> None:
    """Note the status a call came back with; from 400 on a CLIENT span is an error."""
    span.set_attribute(semconv.HTTP_RESPONSE_STATUS_CODE, status)
    if status >= 400:
        span.set_attribute(semconv.ERROR_TYPE, str(status))
        span.set_status(Status(StatusCode.ERROR))
