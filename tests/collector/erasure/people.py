"""Two customers of a shop, as their browsers, its backend and its feeds tell of them."""

import os
import time
from dataclasses import dataclass, field
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass
class Customer:
    """Somebody with a user id, a visitor id, a visit before and one after signing in, and a trace each."""

    name: str
    traces: list[bytes] = field(default_factory=lambda: [os.urandom(16), os.urandom(16)])

    @property
    def user(self) -> str:
        return f"user-{self.name}-4711"

    @property
    def visitor(self) -> str:
        return f"visitor-{self.name}-0815"

    @property
    def sessions(self) -> list[str]:
        return [f"session-{self.name}-1a", f"session-{self.name}-2b"]

    def words(self) -> list[bytes]:
        """What may be nowhere once they are forgotten, as bytes in files and texts in tables."""
        texts = [self.user, self.visitor, *self.sessions, *(trace.hex() for trace in self.traces)]
        return [text.encode() for text in texts] + self.traces

    def spans(self, at: int) -> ExportTraceServiceRequest:
        """Page views of both visits, the first one anonymous; a backend span in each trace; a log line's worth of a span that only speaks of them."""
        request = ExportTraceServiceRequest()
        for number, (session, trace) in enumerate(zip(self.sessions, self.traces, strict=True)):
            browser = request.resource_spans.add()
            put(browser.resource, "service.name", "shop")
            put(browser.resource, "session.id", session)
            put(browser.resource, "enduser.pseudo.id", self.visitor)
            view = browser.scope_spans.add().spans.add(trace_id=trace, span_id=os.urandom(8), name="page", start_time_unix_nano=at, end_time_unix_nano=at)
            put(view, "sojourn.span.type", "page_view")
            put(view, "sojourn.traffic", "real")
            put(view, "url.path", "/")
            if number:
                put(view, "user.id", self.user)
            backend = request.resource_spans.add()
            put(backend.resource, "service.name", "backend")
            backend.scope_spans.add().spans.add(trace_id=trace, span_id=os.urandom(8), name="GET /", start_time_unix_nano=at, end_time_unix_nano=at)
        job = request.resource_spans.add()
        put(job.resource, "service.name", "jobs")
        span = job.scope_spans.add().spans.add(trace_id=os.urandom(16), span_id=os.urandom(8), name="mail", start_time_unix_nano=at, end_time_unix_nano=at)
        put(span, "url.full", f"http://mail/to/{self.user}/now")
        return request

    def logs(self, at: int, *, speaks: bool = True) -> ExportLogsServiceRequest:
        """An event of the first visit, and a line of the backend that may speak of the user."""
        request = ExportLogsServiceRequest()
        browser = request.resource_logs.add()
        put(browser.resource, "session.id", self.sessions[0])
        put(browser.resource, "enduser.pseudo.id", self.visitor)
        browser.scope_logs.add().log_records.add(time_unix_nano=at, event_name="sojourn.event")
        backend = request.resource_logs.add().scope_logs.add()
        backend.log_records.add(time_unix_nano=at).body.string_value = f"login of {self.user if speaks else 'somebody'}: wrong password"
        return request

    def metrics(self, at: int) -> ExportMetricsServiceRequest:
        """A gauge that somebody was careless enough to label with the user."""
        request = ExportMetricsServiceRequest()
        metric = request.resource_metrics.add().scope_metrics.add().metrics.add(name="cart")
        put(metric.gauge.data_points.add(time_unix_nano=at, as_double=1.0), "user.id", self.user)
        return request

    def feedback(self, at: str) -> list[dict[str, Any]]:
        """One by user, one by visit."""
        base = {"kind": "csat", "value": 4, "scale_min": 1, "scale_max": 5, "at": at}
        return [{**base, "id": f"f1-{self.name}", "user_id": self.user}, {**base, "id": f"f2-{self.name}", "session_id": self.sessions[0]}]

    def orders(self, at: str) -> list[dict[str, Any]]:
        """One of the second visit."""
        order = {"id": f"order-{self.name}", "at": at, "amount": "62.00", "currency": "EUR", "user_id": self.user, "session_id": self.sessions[1]}
        return [{**order, "trace_id": self.traces[1].hex()}]

    def people(self) -> list[dict[str, Any]]:
        """Themselves."""
        return [{"id": self.user, "name": f"Name of {self.user}"}]


def put(message: Any, key: str, value: str) -> None:
    """An attribute."""
    message.attributes.add(key=key).value.string_value = value


def ago(seconds: float) -> int:
    """Nanoseconds since 1970 that many seconds ago."""
    return time.time_ns() - int(seconds * 1e9)
