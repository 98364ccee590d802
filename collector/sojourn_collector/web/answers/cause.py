"""What the failing signals have in common: `502 from POST /payments (service payments)`."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from sojourn_collector.context import Context
from sojourn_collector.score.incidents import Incident
from sojourn_collector.web.answers.guests import Guest
from sojourn_collector.web.answers.status import status_of
from sojourn_collector.web.models import Cause

MOST_TRACES = 50
"""Traces looked into for the failing service."""

Signal = tuple[str, str, int, str, str]
"""Kind, method, status, path and, without a path, the message."""


async def cause_of(context: Context, incident: Incident, guests: Sequence[Guest], probe_traces: Sequence[str], probe_message: str) -> Cause | None:
    """The cause of an incident: what most of those hit met, else what our probe met; None when neither says anything."""
    rows = [guest.row for guest in guests if guest.hit]
    common = _common(rows)
    traces = [row["hit_trace_id"] for row in rows if row["hit_trace_id"] and (common is None or _signal(row) == common)] or list(probe_traces)
    spans = await _failed_spans(context, incident, traces[:MOST_TRACES])
    if common is not None:
        kind, method, status, path, message = common
        seen = sum(_signal(row) == common for row in rows)
        service = _service(spans)
        return Cause(
            summary=_sentence(kind, method, status, path, message, service),
            kind=kind,
            status=status or None,
            method=method,
            path=path,
            service=service,
            trace_id=traces[0] if traces else "",
            seen=seen,
            of=len(rows),
        )
    return _probe_cause(incident, spans, traces, probe_message)


def _common(rows: Sequence[dict[str, Any]]) -> Signal | None:
    counts = Counter(_signal(row) for row in rows)
    return min(counts, key=lambda signal: (-counts[signal], signal)) if counts else None


def _signal(row: dict[str, Any]) -> Signal:
    requested = row["hit_method"] or row["hit_status"]
    return (row["failure_kind"], row["hit_method"], int(row["hit_status"]), row["hit_path"], "" if requested else row["failure_message"])


def _path(url: str) -> str:
    """Of an address that may be any text."""
    try:
        return urlsplit(url).path
    except ValueError:
        return ""


def _sentence(kind: str, method: str, status: int, path: str, message: str, service: str) -> str:
    where = f"{method} {path}".strip()
    if status and where:
        text = f"{status} from {where}"
    elif kind == "timeout" and where:
        text = f"no answer in time from {where}"
    elif method:
        text = f"no answer from {where}"
    else:
        text = message or kind or "unknown"
    return f"{text} (service {service})" if service else text


async def _failed_spans(context: Context, incident: Incident, traces: Sequence[str]) -> list[dict[str, Any]]:
    if not traces:
        return []
    margin = timedelta(hours=1)
    return await context.store.query("cause_spans", traces=list(traces), since=incident.window_from - margin, until=incident.window_to + margin)


def _service(spans: Sequence[dict[str, Any]]) -> str:
    """The service of the deepest failed backend span, by majority over the traces: a failed span none of whose children failed."""
    parents = {(span["trace"], span["parent"]) for span in spans}
    deepest = Counter(span["service"] for span in spans if not span["type"] and (span["trace"], span["span"]) not in parents and span["service"])
    return min(deepest, key=lambda service: (-deepest[service], service)) if deepest else ""


def _probe_cause(incident: Incident, spans: Sequence[dict[str, Any]], traces: Sequence[str], message: str) -> Cause | None:
    if not incident.failed_runs:
        return None
    exchange = next((span for span in spans if span["type"] == "exchange"), None)
    status = (status_of(exchange["code"]) or 0) if exchange else 0
    method = exchange["method"] if exchange else ""
    path = (exchange["path"] or _path(exchange["url"])) if exchange else ""
    service = _service(spans)
    if exchange and (status or method):
        kind = "status" if status else exchange["error"]
        summary = _sentence(kind, method, status, path, message, service)
    else:
        kind, summary = "expectation", (f"{message} (service {service})" if service and message else message or "our probe failed here")
    failed = sum(run.runs for run in incident.failed_runs)
    return Cause(
        summary=summary,
        kind=kind,
        status=status or None,
        method=method,
        path=path,
        service=service,
        trace_id=traces[0] if traces else "",
        seen=failed,
        of=failed,
    )
