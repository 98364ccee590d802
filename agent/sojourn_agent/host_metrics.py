"""The agent about its host, as one OTLP metrics batch of gauges."""

from collections.abc import Mapping

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.metrics.v1.metrics_pb2 import Gauge, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from sojourn_probes import semconv

UNITS = {
    semconv.AGENT_CPU: "1",
    semconv.AGENT_RSS: "By",
    semconv.AGENT_LOOP_LAG: "s",
    semconv.AGENT_SCHEDULER_LAG: "s",
    semconv.AGENT_SPOOL_BYTES: "By",
    semconv.AGENT_CLOCK_OFFSET: "s",
}


def encode_gauges(values: Mapping[str, float | None], described: Resource, version: str, at_ns: int) -> bytes:
    """`values` by name, measured at `at_ns` (nanoseconds since the epoch), as the body of one OTLP metrics request; None is left out."""
    metrics = [
        Metric(name=name, unit=UNITS[name], gauge=Gauge(data_points=[NumberDataPoint(time_unix_nano=at_ns, as_double=value)]))
        for name, value in values.items()
        if value is not None
    ]
    scope = ScopeMetrics(scope=InstrumentationScope(name="sojourn.agent", version=version), metrics=metrics)
    body: bytes = ExportMetricsServiceRequest(resource_metrics=[ResourceMetrics(resource=described, scope_metrics=[scope])]).SerializeToString()
    return body
