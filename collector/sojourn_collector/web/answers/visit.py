"""One visit: what its beacons, our backends, its feedback, its orders and its tickets say, on one axis."""

import asyncio
from datetime import timedelta
from typing import Any

from sojourn_collector.context import Context
from sojourn_collector.web.answers import timeline
from sojourn_collector.web.answers.comments import comment_of
from sojourn_collector.web.answers.run import run_answer, steps_of
from sojourn_collector.web.answers.titles import journey_title
from sojourn_collector.web.models_details import TimelineItem, VisitAnswer

MARGIN = timedelta(minutes=10)
"""How far outside a visit's own times its signals are looked for: backends finish later."""

MOST_ITEMS = 3000
MOST_TRACES = 500
MOST_RUNS = 20
"""Runs whose steps are shown; more than this in one visit is a robot."""


async def visit(context: Context, ident: str) -> VisitAnswer | None:
    """The body of `GET /api/v1/visits/{id}`; None for a session nothing is kept of."""
    rows = await context.store.query("visit_by_id", session=ident)
    if not rows:
        return None
    row = rows[0]
    span = {"since": row["started"] - MARGIN, "until": row["ended"] + MARGIN}
    query = context.store.query
    spans, events, backend, runs, feedback, orders, tickets = await asyncio.gather(
        query("visit_spans", session=ident, **span),
        query("visit_events", session=ident, **span),
        _backend(context, row["trace_ids"][:MOST_TRACES], span),
        query("visit_runs", sessions=[ident], since=span["since"]),
        query("visit_feedback", sessions=[ident], person=""),
        query("visit_orders", sessions=[ident], person=""),
        query("visit_tickets", sessions=[ident], person=""),
    )
    steps = await asyncio.gather(*(steps_of(context, one) for one in runs[:MOST_RUNS]))
    items: list[TimelineItem | None] = [
        *(timeline.span_item(one, ident) for one in spans),
        *(timeline.event_item(one, ident) for one in events),
        *(timeline.backend_item(one, ident) for one in backend),
        *(timeline.run_item(one, journey_title(context, one["journey"]).name) for one in runs),
        *(timeline.feedback_item(one) for one in feedback),
        *(timeline.order_item(one) for one in orders),
        *(item for one in tickets for item in timeline.ticket_items(one)),
    ]
    return VisitAnswer(
        session_id=ident,
        person_id=row["person_id"],
        person_kind=row["person_kind"] or "visit",
        account_id=row["account_id"],
        app=row["app"],
        device=row["device"],
        browser=row["browser"],
        consent=row["consent"] or "unknown",
        traffic="synthetic" if row["traffic"] == "synthetic" else "real",
        started=row["started"],
        ended=row["ended"],
        runs=[run_answer(context, one, mine) for one, mine in zip(runs, steps, strict=False)],
        timeline=sorted((item for item in items if item is not None), key=lambda item: item.at)[:MOST_ITEMS],
        feedback=[comment_of(one) for one in feedback],
    )


async def _backend(context: Context, traces: list[str], span: dict[str, Any]) -> list[dict[str, Any]]:
    return await context.store.query("visit_backend", traces=traces, **span) if traces else []
