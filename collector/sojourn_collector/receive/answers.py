"""Answers of the OTLP listener: `Export…ServiceResponse` on success, a `google.rpc.Status` of one sentence otherwise, in the request's encoding.

Source: OTLP specification 1.x, "OTLP/HTTP Response".
"""

import json
from dataclasses import dataclass
from typing import Literal

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from sojourn_collector.store.load_sql import Signal
from sojourn_collector.store.record import varint

Encoding = Literal["protobuf", "json"]
CONTENT_TYPES: dict[Encoding, bytes] = {"protobuf": b"application/x-protobuf", "json": b"application/json"}
RPC_CODES = {400: 3, 401: 16, 403: 7, 404: 12, 405: 12, 408: 4, 409: 6, 413: 8, 415: 3, 429: 8, 503: 14}
"""google.rpc.Code of each status we answer with."""
REJECTED_FIELD: dict[Signal, str] = {"traces": "rejectedSpans", "logs": "rejectedLogRecords", "metrics": "rejectedDataPoints"}


class RefusalError(Exception):
    """A request is not taken. `status` is the HTTP status, the text one sentence, `reason` a word for the counters."""

    def __init__(self, status: int, text: str, reason: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(text)
        self.status = status
        self.reason = reason
        self.headers = headers or {}


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a request that was taken: how many items were refused of it and what the sender should know."""

    rejected: int = 0
    message: str = ""


def refusal_body(error: RefusalError, encoding: Encoding) -> bytes:
    """`google.rpc.Status{code=1, message=2}`."""
    code, text = RPC_CODES[error.status], str(error)
    if encoding == "json":
        return json.dumps({"code": code, "message": text}).encode()
    raw = text.encode()
    return b"\x08" + varint(code) + b"\x12" + varint(len(raw)) + raw


def status_details(error: RefusalError) -> bytes:
    """A `google.rpc.Status` for gRPC's trailers; with a `RetryInfo` in it where the sender is to come back, as OTLP wants it."""
    status = refusal_body(error, "protobuf")
    if "retry-after" not in error.headers:
        return status
    seconds = _field(1, b"\x08" + varint(int(error.headers["retry-after"])))  # RetryInfo{retry_delay=1: Duration{seconds=1}}
    return status + _field(3, _field(1, b"type.googleapis.com/google.rpc.RetryInfo") + _field(2, seconds))


def _field(number: int, content: bytes) -> bytes:
    """A length-delimited field of protobuf."""
    return varint(number << 3 | 2) + varint(len(content)) + content


def taken_body(taken: Taken, signal: Signal, encoding: Encoding) -> bytes:
    """The signal's response; empty of fields when everything was taken and there is nothing to say."""
    silent = not taken.rejected and not taken.message
    if encoding == "json":
        if silent:
            return b"{}"
        # 64-bit numbers are strings in OTLP's JSON.
        return json.dumps({"partialSuccess": {REJECTED_FIELD[signal]: str(taken.rejected), "errorMessage": taken.message}}).encode()
    if silent:
        return b""
    if signal == "traces":
        traces = ExportTraceServiceResponse()
        traces.partial_success.rejected_spans, traces.partial_success.error_message = taken.rejected, taken.message
        return bytes(traces.SerializeToString())
    if signal == "logs":
        logs = ExportLogsServiceResponse()
        logs.partial_success.rejected_log_records, logs.partial_success.error_message = taken.rejected, taken.message
        return bytes(logs.SerializeToString())
    metrics = ExportMetricsServiceResponse()
    metrics.partial_success.rejected_data_points, metrics.partial_success.error_message = taken.rejected, taken.message
    return bytes(metrics.SerializeToString())
