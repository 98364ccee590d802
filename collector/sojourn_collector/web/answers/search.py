"""Traces and search: a window is looked through backwards, slice by slice, until the page is full or the time is over.

What is looked for mostly lies near the end of the window; slices double, so that a rare thing is found too. What was not looked through is said.
"""

import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sojourn_collector.context import Context
from sojourn_collector.store.client import QueryTimeout
from sojourn_collector.web.answers.page import Place, place_of
from sojourn_collector.web.answers.times import EPOCH
from sojourn_collector.web.answers.trace import KINDS, STATUSES, runs_of, trace_id_of
from sojourn_collector.web.asked import MOST_ATTRIBUTES, MOST_RESOURCE, SearchAsked, SpansAsked, TracesAsked
from sojourn_collector.web.models_lists import SearchItem, SearchList, TraceItem, TraceList

FIRST_SLICE = timedelta(minutes=15)
LONGEST_TRACE = timedelta(minutes=10)
"""A trace that goes on for longer may come on two pages of a list."""
AROUND = timedelta(hours=1)
"""How far from the spans found the others of their traces are looked for."""
_US = timedelta(microseconds=1)

Row = dict[str, Any]
Ask = Callable[[datetime, datetime, int, float], Awaitable[list[Row]]]
"""Rows of the slice from a time to another, at most so many, within so many seconds."""


class Looked:
    """What was found: rows newest first, where the next page begins, how far back everything was looked through."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.next: str | None = None
        self.looked_from = EPOCH
        self.complete = False


async def traces(context: Context, asked: TracesAsked) -> TraceList:
    """The body of `GET /api/v1/traces`. Raises BadWindow, BadCursor, QueryTimeout when not even the first slice could be looked through."""
    place = place_of(context, asked, "traces")
    filters = {**_common(asked), **_of_spans(asked), "trace": ""}

    async def ask(since: datetime, until: datetime, most: int, deadline: float) -> list[Row]:
        at, after = min((_ns(until), ""), (place.at, place.after))
        beyond = min(until + LONGEST_TRACE, place.window.until)
        return await context.store.query("list_traces", deadline=deadline, **filters, since=since, beyond=beyond, at=at, after=after, most=most)

    found = await _look(place, asked, ask, "trace")
    summaries = await _summaries(context, found.rows, asked.deadline)
    items = [_trace(row, summaries[row["trace"]]) for row in found.rows if row["trace"] in summaries]
    return TraceList(
        window_from=place.window.since, window_to=place.window.until, next=found.next, complete=found.complete, looked_from=found.looked_from, items=items
    )


async def search(context: Context, asked: SearchAsked) -> SearchList:
    """The body of `GET /api/v1/search`. Raises BadWindow, BadCursor, QueryTimeout when not even the first slice could be looked through."""
    place = place_of(context, asked, "search")
    common = {**_common(asked), "trace": trace_id_of(asked.trace) or ""}
    spans = asked.signal == "traces"
    filters = {**common, **(_of_spans(asked) if spans else {"severity": asked.severity})}

    async def ask(since: datetime, until: datetime, most: int, deadline: float) -> list[Row]:
        query = "search_spans" if spans else "search_events"
        return await context.store.query(query, deadline=deadline, **filters, since=since, until=until, at=place.at, after=place.after, most=most)

    found = await _look(place, asked, ask, "span" if spans else "mark")
    owners = await _owners(context, found.rows, asked.deadline)
    items = [_hit(row, owners.get(row["trace"], {}), spans=spans) for row in found.rows]
    return SearchList(
        window_from=place.window.since, window_to=place.window.until, next=found.next, complete=found.complete, looked_from=found.looked_from, items=items
    )


async def _look(place: Place, asked: SpansAsked, ask: Ask, ident: str) -> Looked:
    found = Looked()
    ends = time.monotonic() + asked.deadline
    first = until = min(place.window.until, EPOCH + timedelta(microseconds=place.at // 1000) + _US)
    width = FIRST_SLICE
    while until > place.window.since and len(found.rows) < asked.limit:
        since = max(place.window.since, until - width)
        left = ends - time.monotonic()
        missing = asked.limit - len(found.rows)
        try:
            if left <= 0:
                raise QueryTimeout(f"The search took longer than {asked.deadline:g} s and was stopped.")
            rows = await ask(since, until, missing + 1, left)
        except QueryTimeout:
            if until == first:
                raise  # nothing is known yet, and a cursor to the same place would lead nowhere
            found.next = place.next(_ns(until), "")
            break
        found.rows += rows[:missing]
        if len(rows) > missing:
            found.next = place.next(rows[missing - 1]["ns"], rows[missing - 1][ident])
            until = EPOCH + timedelta(microseconds=rows[missing - 1]["ns"] // 1000)
            break
        until, width = since, 2 * width
    else:
        if until > place.window.since:
            found.next = place.next(_ns(until), "")
    found.looked_from = max(until, place.window.since)
    found.complete = found.next is None
    return found


def _ns(at: datetime) -> int:
    return (at.astimezone(UTC) - EPOCH) // _US * 1000


def _common(asked: SpansAsked) -> dict[str, Any]:
    plain = ("service", "name", "traffic", "journey", "step", "run", "session", "text")
    filters: dict[str, Any] = {name: getattr(asked, name) for name in plain}
    for prefix, given, most in (("", asked.attr, MOST_ATTRIBUTES), ("res_", asked.resource, MOST_RESOURCE)):
        for number in range(1, most + 1):
            key, equals, value = given[number - 1].partition("=") if number <= len(given) else ("", "=", "")
            filters |= {f"{prefix}key{number}": key, f"{prefix}value{number}": value, f"{prefix}any{number}": not equals}
    return filters


def _of_spans(asked: TracesAsked) -> dict[str, Any]:
    return {
        "status": STATUSES.index(asked.status) if asked.status else -1,
        "kind": KINDS.index(asked.kind) if asked.kind else -1,
        "shortest": round(asked.min_duration * 1e9),
    }


async def _summaries(context: Context, rows: list[Row], deadline: float) -> dict[str, Row]:
    if not rows:
        return {}
    oldest, newest = (EPOCH + timedelta(microseconds=pick(row["ns"] for row in rows) // 1000) for pick in (min, max))
    traces = sorted({row["trace"] for row in rows if row["trace"].strip("0")})
    if not traces:
        return {}
    found = await context.store.query("trace_summaries", deadline=deadline, traces=traces, since=oldest - AROUND, until=newest + AROUND)
    runs = await runs_of(context, [row["trace"] for row in found if not row["run"]], oldest, newest)
    return {row["trace"]: row | runs.get(row["trace"], {}) for row in found}


async def _owners(context: Context, rows: list[Row], deadline: float) -> dict[str, Row]:
    """What the traces of spans belong to that do not say it themselves."""
    return await _summaries(context, [row for row in rows if len(row["trace"]) == 32 and not (row["run_id"] and row["session_id"])], deadline)


def _trace(row: Row, about: Mapping[str, Any]) -> TraceItem:
    return TraceItem(
        trace_id=row["trace"],
        started=EPOCH + timedelta(microseconds=about["began"] // 1000),
        duration=(about["ended"] - about["began"]) / 1e9,
        root=about["root"],
        service=about["root_service"],
        services=about["services"],
        spans=about["spans"],
        errors=about["errors"],
        matched=row["matched"],
        traffic=about["of_traffic"],
        journey=about["of_journey"],
        run_id=about["run"],
        session_id=about["session"],
    )


def _hit(row: Row, owner: Mapping[str, Any], *, spans: bool) -> SearchItem:
    own: dict[str, Any] = (
        {"kind": _word(KINDS, row["kind"]), "status": _word(STATUSES, row["status"]), "duration": row["duration_ns"] / 1e9, "text": row["message"]}
        if spans
        else {"severity": row["severity"], "text": row["begun"]}
    )
    return SearchItem(
        signal="traces" if spans else "logs",
        at=row["ts"],
        trace_id=row["trace"],
        span_id=row["span"],
        service=row["of_service"],
        name=row["title"],
        traffic=row["of_traffic"] or owner.get("of_traffic", ""),
        journey=row["of_journey"] or owner.get("of_journey", ""),
        step=row["of_step"],
        run_id=row["run_id"] or owner.get("run", ""),
        session_id=row["session_id"] or owner.get("session", ""),
        attributes=dict(sorted(row["some_attrs"].items())),
        resource=dict(sorted(row["some_res"].items())),
        **own,
    )


def _word(words: tuple[str, ...], number: int) -> str:
    return words[number] if 0 <= number < len(words) else words[0]
