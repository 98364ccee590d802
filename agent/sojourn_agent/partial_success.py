"""What a 2xx answer says it did not take (OTLP partial success). It cannot be sent again: it is counted and logged."""

from google.protobuf.message import DecodeError  # type: ignore[import-untyped]  # has no stubs
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from sojourn_agent.spool_record import Signal


def refused_in(signal: Signal, body: bytes) -> tuple[int, str]:
    """How many items the answer `body` to a batch of `signal` says were refused, and what it says about them. (0, "") for a body we cannot read."""
    try:
        if signal == "traces":
            traces = ExportTraceServiceResponse.FromString(body).partial_success
            return traces.rejected_spans, traces.error_message
        if signal == "logs":
            logs = ExportLogsServiceResponse.FromString(body).partial_success
            return logs.rejected_log_records, logs.error_message
        metrics = ExportMetricsServiceResponse.FromString(body).partial_success
    except DecodeError:
        return 0, ""
    return metrics.rejected_data_points, metrics.error_message
