"""Checks OTLP requests: parsed by protobuf's C core, then ids and times only are walked; attributes are never touched in Python.

What the engine would choke on (ids of a wrong length) is refused by partial success; everything else goes on as it came.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from sojourn_collector.receive import shape
from sojourn_collector.receive.answers import RefusalError, Taken
from sojourn_collector.store.load_sql import EARLIEST, LATEST, Signal

REQUESTS: dict[Signal, Any] = {"traces": ExportTraceServiceRequest, "logs": ExportLogsServiceRequest, "metrics": ExportMetricsServiceRequest}
ITEMS: dict[Signal, Any] = {"traces": Span, "logs": LogRecord, "metrics": Metric}
HEADS: dict[str, Any] = {"resource": Resource, "scope": InstrumentationScope}
PARTS: dict[Signal, tuple[str, str, str]] = {
    "traces": ("resource_spans", "scope_spans", "spans"),
    "logs": ("resource_logs", "scope_logs", "log_records"),
    "metrics": ("resource_metrics", "scope_metrics", "metrics"),
}
ITEM = {"traces": "span", "logs": "log record", "metrics": "data point"}
NO_TRACE, NO_SPAN = bytes(16), bytes(8)
PARSED_WHOLE = 4 << 20
"""Bytes up to which a request is parsed at once. The worst of that size, nothing but empty links, takes 160 MiB and half a second."""

Groups = Iterator[tuple[Any, Any]]
Read = Callable[[bytes], Any]
Walked = tuple[int, list[tuple[Any, int]], int]
"""How many items there are, which are bad (their list and index), how many have times that the load will move."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A request worth keeping: its body, how many items of it will become rows, how many have times that the load will move."""

    body: bytes
    items: int
    moved: int
    taken: Taken


def check(signal: Signal, body: bytes, now: int) -> Checked:
    """Parse, then walk ids and times; `now` in nanoseconds. Raises RefusalError 400 when it is no such request or nothing but bad items is in it,
    413 when it has too many or too large ones.

    Protobuf builds the whole message at once and lets nobody in meanwhile, so that what comes in large is counted first, and parsed item by item.
    """
    groups: Groups
    read: Read | None
    try:
        if shape.too_many(body):
            raise too_many(signal)
        if len(body) > PARSED_WHOLE:
            outline = shape.Outline(body)
            _resources(outline)
            message, groups, read = outline.message, outline.groups(), _reader(signal)
        else:
            message = REQUESTS[signal].FromString(body)
            groups, read = _groups(signal, message), None
    except DecodeError as error:
        raise _malformed(signal) from error
    walk = {"traces": _walk_spans, "logs": _walk_logs, "metrics": _walk_metrics}[signal]
    total, bad, moved = walk(groups, read, now)
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


def _groups(signal: Signal, message: Any) -> Iterator[tuple[Any, Any]]:
    """Groups of a parsed message with their items."""
    sources, scopes, items = PARTS[signal]
    for source in getattr(message, sources):
        for group in getattr(source, scopes):
            yield group, getattr(group, items)


def _reader(signal: Signal) -> Read:
    """Parses an item by itself."""
    kind = ITEMS[signal]

    def read(raw: bytes) -> Any:
        if len(raw) > shape.LARGEST_ITEM:
            raise RefusalError(413, f"A {ITEM[signal]} of {len(raw)} bytes is larger than the {shape.LARGEST_ITEM} taken here.", "size")
        try:
            return kind.FromString(raw)
        except DecodeError as error:
            raise _malformed(signal) from error

    return read


def _resources(outline: shape.Outline) -> None:
    """Parse what no item holds. Raises DecodeError, RefusalError."""
    for raw, kind in outline.heads():
        if len(raw) > shape.LARGEST_ITEM:
            raise RefusalError(413, f"A resource or scope of {len(raw)} bytes is larger than the {shape.LARGEST_ITEM} taken here.", "size")
        HEADS[kind].FromString(raw)


def _malformed(signal: Signal) -> RefusalError:
    return RefusalError(400, f"The body is not a valid Export{REQUESTS[signal].DESCRIPTOR.name.removeprefix('Export')} message.", "malformed")


def too_many(signal: Signal) -> RefusalError:
    """413."""
    return RefusalError(413, f"The request has more than {shape.MOST_ITEMS} {ITEM[signal]}s, resources and scopes; send smaller batches.", "items")


def _walk_spans(groups: Groups, read: Read | None, now: int) -> Walked:
    earliest, latest, total, moved = now - EARLIEST, now + LATEST, 0, 0
    bad: list[tuple[Any, int]] = []
    for _, spans in groups:
        total += len(spans)
        for index, span in enumerate(spans if read is None else map(read, spans)):
            trace_id, span_id = span.trace_id, span.span_id
            if len(trace_id) != 16 or len(span_id) != 8 or trace_id == NO_TRACE or span_id == NO_SPAN or len(span.parent_span_id) not in (0, 8):
                bad.append((spans, index))
            elif not earliest <= span.start_time_unix_nano <= latest:
                moved += 1
    return total, bad, moved


def _walk_logs(groups: Groups, read: Read | None, now: int) -> Walked:
    earliest, latest, total, moved = now - EARLIEST, now + LATEST, 0, 0
    bad: list[tuple[Any, int]] = []
    for _, records in groups:
        total += len(records)
        for index, record in enumerate(records if read is None else map(read, records)):
            if len(record.trace_id) not in (0, 16) or len(record.span_id) not in (0, 8):
                bad.append((records, index))
            elif not earliest <= (record.time_unix_nano or record.observed_time_unix_nano or now) <= latest:
                moved += 1
    return total, bad, moved


def _walk_metrics(groups: Groups, read: Read | None, now: int) -> Walked:
    earliest, latest, kept, moved = now - EARLIEST, now + LATEST, 0, 0
    for _, metrics in groups:
        for metric in metrics if read is None else map(read, metrics):
            kind = metric.WhichOneof("data")
            points = getattr(metric, kind).data_points if kind else ()
            kept += len(points)
            if kept > shape.MOST_ITEMS:
                raise too_many("metrics")
            moved += sum(1 for point in points if not earliest <= point.time_unix_nano <= latest)
    return kept, [], moved


def _ids_sentence(signal: Signal, bad: int, total: int) -> str:
    rule = "a trace id has 16 bytes and a span id 8" + (", not all zero" if signal == "traces" else ", or they are left out")
    return f"{bad} of {total} {ITEM[signal]}s were refused: {rule}."


def _times_sentence(signal: Signal, moved: int) -> str:
    return f"{moved} {ITEM[signal]}s lay outside the 30 days before and 5 minutes after their arrival; their times were moved to that edge."
