"""Taking single items out of an OTLP request: spans, log records, data points. The rest of the request stays as it is."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from sojourn_collector.store.load_sql import Signal

Attributes = Mapping[str, str]
Keep = Callable[[Attributes, Attributes], bool]
"""Whether an item stays, by the attributes of its resource and its own."""

_REQUESTS: Final[Mapping[Signal, Any]] = {"traces": ExportTraceServiceRequest, "logs": ExportLogsServiceRequest, "metrics": ExportMetricsServiceRequest}
_SOURCES: Final[Mapping[Signal, str]] = {"traces": "resource_spans", "logs": "resource_logs", "metrics": "resource_metrics"}
_SCOPES: Final[Mapping[Signal, str]] = {"traces": "scope_spans", "logs": "scope_logs", "metrics": "scope_metrics"}
_ITEMS: Final[Mapping[Signal, str]] = {"traces": "spans", "logs": "log_records", "metrics": "metrics"}


def sift(signal: Signal, body: bytes, keep: Keep) -> tuple[bytes, int, int]:
    """The request with the items that stay, how many those are, and how many went. Untouched, to the byte, when all stay; empty when none does.

    Raises DecodeError for a body that is no request.
    """
    request = _REQUESTS[signal].FromString(body)
    stay = gone = 0
    sources = getattr(request, _SOURCES[signal])
    for source in sources:
        resource = _texts(source.resource.attributes)
        scopes = getattr(source, _SCOPES[signal])
        for scope in scopes:
            items = getattr(scope, _ITEMS[signal])
            for holder in (items,) if signal != "metrics" else (_points(metric) for metric in items):
                here = len(holder)
                _leave(holder, [item for item in holder if keep(resource, _texts(item.attributes))])
                stay, gone = stay + len(holder), gone + here - len(holder)
            if signal == "metrics":
                _leave(items, [metric for metric in items if len(_points(metric))])
        _leave(scopes, [scope for scope in scopes if len(getattr(scope, _ITEMS[signal]))])
    if not gone:
        return body, stay, 0
    _leave(sources, [source for source in sources if len(getattr(source, _SCOPES[signal]))])
    return (request.SerializeToString() if stay else b""), stay, gone


def _points(metric: Any) -> Any:
    kind = metric.WhichOneof("data")
    return getattr(metric, kind).data_points if kind else ()


def _leave(holder: Any, wanted: list[Any]) -> None:
    """Leave only these, which are of the holder, in a repeated field."""
    if len(wanted) == len(holder):
        return
    copies = [type(one).FromString(one.SerializeToString()) for one in wanted]
    del holder[:]
    holder.extend(copies)


def _texts(attributes: Iterable[Any]) -> Attributes:
    return {pair.key: text for pair in attributes if (text := _text(pair.value)) is not None}


def _text(value: Any) -> str | None:
    """A plain value as the tables write it; arrays and maps match nothing."""
    kind = value.WhichOneof("value")
    if kind == "string_value":
        return str(value.string_value)
    if kind == "bool_value":
        return "true" if value.bool_value else "false"
    if kind == "int_value":
        return str(value.int_value)
    return f"{value.double_value:.17g}" if kind == "double_value" else None
