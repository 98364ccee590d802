"""One trace as a list of spans with their depth."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sojourn_collector.context import Context
from sojourn_collector.web.answers.window import RUN_LENGTH
from sojourn_collector.web.models_details import TraceAnswer, TraceSpan

MOST_SPANS = 2000
"""Spans one answer carries; a longer trace is cut and says so."""

KINDS = ("unspecified", "internal", "server", "client", "producer", "consumer")
STATUSES = ("unset", "ok", "error")
MOST_EVENTS = 64


async def trace(context: Context, ident: str) -> TraceAnswer | None:
    """The body of `GET /api/v1/traces/{id}`; None when no span of it is kept, or `ident` is no trace id."""
    wanted = trace_id_of(ident)
    if wanted is None:
        return None
    rows = await context.store.query("trace_spans", trace=wanted)
    if not rows:
        return None
    kept = rows[:MOST_SPANS]
    start = min(row["ts"] for row in kept)
    ends = max((row["ts"] - start).total_seconds() + row["duration_ns"] / 1e9 for row in kept)
    run, session, journey = (_first(kept, column) for column in ("run_id", "session_id", "journey_id"))
    if not run:
        of_customer = (await runs_of(context, [wanted], start, start)).get(wanted, {})
        run, session, journey = of_customer.get("run", ""), session or of_customer.get("session", ""), journey or of_customer.get("of_journey", "")
    return TraceAnswer(
        trace_id=wanted,
        started=start,
        duration=ends,
        spans=[_span(row, depth, start) for row, depth in in_order(kept)],
        session_id=session,
        run_id=run,
        journey=journey,
        truncated=len(rows) > MOST_SPANS,
    )


def trace_id_of(text: str) -> str | None:
    """The 32 small hexadecimal digits of a trace id; one of 64 bits, as Jaeger and Zipkin write them, has zeros before it. None when it is none."""
    wanted = text.lower()
    if len(wanted) not in (16, 32) or not set(wanted) <= set("0123456789abcdef"):
        return None
    return wanted.rjust(32, "0")


async def runs_of(context: Context, traces: Sequence[str], since: datetime, until: datetime) -> dict[str, dict[str, Any]]:
    """Customers' runs of traces that were there between two times, by trace: `run`, `session`, `of_journey`. A probe's spans name their run themselves."""
    if not traces:
        return {}
    rows = await context.store.query("runs_by_trace", traces=list(traces), since=since - RUN_LENGTH, until=until + timedelta(hours=1))
    return {row["trace"]: row for row in rows}


def in_order(rows: Sequence[Mapping[str, Any]]) -> list[tuple[Mapping[str, Any], int]]:
    """Spans with their depth, parents before children, siblings by time. Orphans and members of a circle start at depth 0."""
    ids = {row["span"] for row in rows}
    children: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        parent = row["parent"]
        children[parent if parent in ids and parent != row["span"] else ""].append(row)
    out: list[tuple[Mapping[str, Any], int]] = []
    seen: set[int] = set()

    def walk(first: Mapping[str, Any]) -> None:
        stack = [(first, 0)]
        while stack:
            row, depth = stack.pop()
            if id(row) in seen:
                continue
            seen.add(id(row))
            out.append((row, depth))
            # A span id that came twice has its children under the first only.
            stack.extend((child, depth + 1) for child in reversed(children.pop(row["span"], [])))

    for root in children.pop("", []):
        walk(root)
    for row in rows:
        if id(row) not in seen:
            walk(row)
    return out


def _span(row: Mapping[str, Any], depth: int, start: Any) -> TraceSpan:
    return TraceSpan(
        span_id=row["span"],
        parent_id=row["parent"],
        depth=depth,
        name=row["name"],
        service=row["service"],
        kind=KINDS[row["kind"]] if 0 <= row["kind"] < len(KINDS) else KINDS[0],
        started=row["ts"],
        offset=(row["ts"] - start).total_seconds(),
        duration=row["duration_ns"] / 1e9,
        status=STATUSES[row["status"]] if 0 <= row["status"] < len(STATUSES) else STATUSES[0],
        message=row["status_message"],
        traffic=row["traffic"],
        attributes=dict(sorted(row["attrs"].items())),
        events=[
            {"at": at, "name": name, "attributes": dict(attrs)}
            for at, name, attrs in list(zip(row["events_ts"], row["events_name"], row["events_attrs"], strict=False))[:MOST_EVENTS]
        ],
    )


def _first(rows: Sequence[Mapping[str, Any]], column: str) -> str:
    return next((str(row[column]) for row in rows if row[column]), "")
