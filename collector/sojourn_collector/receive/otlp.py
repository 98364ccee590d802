"""Checks OTLP requests: parsed by protobuf's C core, then ids and times only are walked; attributes are never touched in Python.

What the engine would choke on (ids of a wrong length) is refused by partial success; everything else goes on as it came.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from sojourn_collector.receive.answers import RefusalError, Taken
from sojourn_collector.store.load_sql import EARLIEST, LATEST, Signal

REQUESTS: dict[Signal, Any] = {"traces": ExportTraceServiceRequest, "logs": ExportLogsServiceRequest, "metrics": ExportMetricsServiceRequest}
ITEM = {"traces": "span", "logs": "log record", "metrics": "data point"}
NO_TRACE, NO_SPAN = bytes(16), bytes(8)


@dataclass(frozen=True, slots=True)
class Checked:
    """A request worth keeping: its body, how many items of it will become rows, how many have times that the load will move."""

    body: bytes
    items: int
    moved: int
    taken: Taken


def parse(signal: Signal, body: bytes) -> Any:
    """The request as a message. Raises RefusalError 400."""
    try:
        return REQUESTS[signal].FromString(body)
    except DecodeError as error:
        raise RefusalError(400, f"The body is not a valid Export{REQUESTS[signal].DESCRIPTOR.name.removeprefix('Export')} message.", "malformed") from error


def check(signal: Signal, body: bytes, message: Any, now: int) -> Checked:
    """Walk ids and times; `now` in nanoseconds. Raises RefusalError 400 when nothing but bad items is in it."""
    if signal == "metrics":
        return _check_metrics(body, message, now)
    total, bad, moved = _walk_spans(message, now) if signal == "traces" else _walk_logs(message, now)
    rejected = len(bad)
    if rejected and rejected == total:
        raise RefusalError(400, _ids_sentence(signal, rejected, total), "ids")
    if rejected:
        for items, index in reversed(bad):
            del items[index]
        body = message.SerializeToString()
    said = [_ids_sentence(signal, rejected, total)] if rejected else []
    if moved:
        said.append(_times_sentence(signal, moved))
    return Checked(body, total - rejected, moved, Taken(rejected, " ".join(said)))


def _walk_spans(message: Any, now: int) -> tuple[int, list[tuple[Any, int]], int]:
    earliest, latest, total, moved = now - EARLIEST, now + LATEST, 0, 0
    bad: list[tuple[Any, int]] = []
    for resource_spans in message.resource_spans:
        for scope_spans in resource_spans.scope_spans:
            spans: Sequence[Any] = scope_spans.spans
            total += len(spans)
            for index, span in enumerate(spans):
                trace_id, span_id = span.trace_id, span.span_id
                if len(trace_id) != 16 or len(span_id) != 8 or trace_id == NO_TRACE or span_id == NO_SPAN or len(span.parent_span_id) not in (0, 8):
                    bad.append((spans, index))
                elif not earliest <= span.start_time_unix_nano <= latest:
                    moved += 1
    return total, bad, moved


def _walk_logs(message: Any, now: int) -> tuple[int, list[tuple[Any, int]], int]:
    earliest, latest, total, moved = now - EARLIEST, now + LATEST, 0, 0
    bad: list[tuple[Any, int]] = []
    for resource_logs in message.resource_logs:
        for scope_logs in resource_logs.scope_logs:
            records: Sequence[Any] = scope_logs.log_records
            total += len(records)
            for index, record in enumerate(records):
                if len(record.trace_id) not in (0, 16) or len(record.span_id) not in (0, 8):
                    bad.append((records, index))
                elif not earliest <= (record.time_unix_nano or record.observed_time_unix_nano or now) <= latest:
                    moved += 1
    return total, bad, moved


def _check_metrics(body: bytes, message: Any, now: int) -> Checked:
    earliest, latest, kept, moved = now - EARLIEST, now + LATEST, 0, 0
    for resource_metrics in message.resource_metrics:
        for scope_metrics in resource_metrics.scope_metrics:
            for metric in scope_metrics.metrics:
                kind = metric.WhichOneof("data")
                points = getattr(metric, kind).data_points if kind else ()
                kept += len(points)
                moved += sum(1 for point in points if not earliest <= point.time_unix_nano <= latest)
    return Checked(body, kept, moved, Taken(0, _times_sentence("metrics", moved) if moved else ""))


def _ids_sentence(signal: Signal, bad: int, total: int) -> str:
    rule = "a trace id has 16 bytes and a span id 8" + (", not all zero" if signal == "traces" else ", or they are left out")
    return f"{bad} of {total} {ITEM[signal]}s were refused: {rule}."


def _times_sentence(signal: Signal, moved: int) -> str:
    return f"{moved} {ITEM[signal]}s lay outside the 30 days before and 5 minutes after their arrival; their times were moved to that edge."
