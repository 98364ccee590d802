"""Feedback: a list, and one record with the visit, the walks, the failing step, the backend's span and the release behind it."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from sojourn_collector.context import Context
from sojourn_collector.web.answers.page import place_of
from sojourn_collector.web.answers.status import status_of
from sojourn_collector.web.answers.sufferers import accounts_of, label_of, names_of
from sojourn_collector.web.answers.times import to_ms
from sojourn_collector.web.answers.titles import journey_title, step_title
from sojourn_collector.web.answers.unlinked import CAUSES, why
from sojourn_collector.web.answers.visits import visit_line
from sojourn_collector.web.answers.window import BadWindow, Window
from sojourn_collector.web.asked import FeedbackAsked
from sojourn_collector.web.models_feedback import FailedSpan, FeedbackAnswer, FeedbackItem, FeedbackList, LanguageLine, WalkBefore

BEFORE = timedelta(days=5)
"""How long before an answer its visit may have begun: the time answers are linked in, and some."""

AROUND = timedelta(hours=1)
Row = Mapping[str, Any]


async def feedback_list(context: Context, asked: FeedbackAsked) -> FeedbackList:
    """The body of `GET /api/v1/feedback`. Raises BadWindow, BadCursor."""
    place = place_of(context, asked, "feedback")
    filters = asked.model_dump(exclude={"since", "until", "limit", "cursor", "deadline", "scale"}) | _on(asked.scale)
    rows = await context.store.query(
        "list_feedback",
        deadline=asked.deadline,
        **filters,
        since=place.window.since,
        until=place.window.until,
        at=place.at,
        after=place.after,
        most=asked.limit + 1,
        looked=2**32 if asked.once else asked.limit + 1,
    )
    more, rows = len(rows) > asked.limit, rows[: asked.limit]
    return FeedbackList(
        window_from=place.window.since,
        window_to=place.window.until,
        next=place.next(to_ms(rows[-1]["ts"]), f"{rows[-1]['source']}/{rows[-1]['id']}") if more else None,
        items=[item_of(row) for row in rows],
    )


def _on(scale: str) -> dict[str, Any]:
    """A scale as it is written, as its ends and its direction; every scale where none is."""
    ends, _, low_is_good = scale.partition(" ")
    try:
        low, high = (float(end) for end in ends.split("–")) if scale else (0.0, 0.0)
    except ValueError:
        raise BadWindow(f"scale: {scale!r} is none; write it as /api/v1/satisfaction does, such as 1–5") from None
    return {"any_scale": not scale, "low": low, "high": high, "higher": not low_is_good}


async def feedback_languages(context: Context, window: Window) -> list[LanguageLine]:
    """In which languages answers of the window have words, those with most first."""
    rows = await context.store.query("feedback_languages", since=window.since, until=window.until)
    return [LanguageLine(language=row["language"], answers=row["answers"]) for row in rows]


async def feedback_answer(context: Context, ident: str, feed: str = "") -> FeedbackAnswer | None:
    """The body of `GET /api/v1/feedback/{id}`; None where there is no such record.

    :param feed: its source, where several have a record of this id; the newest without it.
    """
    rows = await context.store.query("feedback_by_id", id=ident, feed=feed)
    if not rows:
        return None
    row = rows[0]
    visits, runs, names, accounts, seen = await asyncio.gather(
        _rows(context, "visits_by_id", bool(row["session_id"]), sessions=[row["session_id"]]),
        _rows(context, "feedback_runs", bool(row["run_ids"]), runs=list(row["run_ids"]), since=row["ts"] - BEFORE),
        names_of(context, [row["person_id"]]),
        accounts_of(context, [row["account_id"]]),
        _rows(context, "person_sessions", row["join"] == "unlinked" and bool(row["user_id"]), person=f"user:{row['user_id']}"),
    )
    spans = await _spans(context, runs)
    unlinked = CAUSES[why(row, seen=bool(seen))] if row["join"] == "unlinked" else None
    person = row["person_id"]
    return FeedbackAnswer(
        feedback=item_of(row),
        person=label_of(person, names.get(person, {}).get("name", "")) if person else "",
        account=accounts.get(row["account_id"], {}).get("name", ""),
        visit=visit_line(visits[0], max((float(run["severity"]) for run in runs), default=0.0)) if visits else None,
        release=next((run["release"] for run in reversed(runs) if run["release"]), ""),
        runs=[_walk(context, run, spans) for run in runs],
        order_id=row["order_id"],
        ticket_id=row["ticket_id"],
        why_unlinked=unlinked.sentence if unlinked else "",
        cure=unlinked.cure if unlinked else "",
    )


def item_of(row: Row) -> FeedbackItem:
    """A row of `feedback` as an item."""
    return FeedbackItem(
        id=row["id"],
        source=row["source"],
        at=row["ts"],
        kind=row["kind"],
        value=row["value"],
        scale_min=row["scale_min"],
        scale_max=row["scale_max"],
        higher_is_better=bool(row["higher_is_better"]),
        satisfied=None if row["satisfied"] is None else bool(row["satisfied"]),
        text=row["comment"],
        title=row["title"],
        url=row["url"],
        author=row["author"],
        language=row["language"],
        language_by=row["language_by"] or ("given" if row["language"] else ""),
        survey=row["survey_id"],
        question_id=row["question_id"],
        question=row["question"],
        channel=row["channel"],
        journey=row["journey"],
        step=row["step"],
        account_id=row["account_id"],
        person_id=row["person_id"],
        session_id=row["session_id"],
        link=row["join"] if row["join"] in ("explicit", "inferred") else "unlinked",
        confidence=round(float(row["join_confidence"]), 2),
    )


async def _rows(context: Context, query: str, wanted: bool, **asked: Any) -> list[dict[str, Any]]:
    return await context.store.query(query, **asked) if wanted else []


async def _spans(context: Context, runs: Sequence[Row]) -> dict[str, FailedSpan]:
    """The deepest failed backend span of each trace: one none of whose children failed."""
    traces = [run["at_trace"] for run in runs if run["at_trace"]]
    if not traces:
        return {}
    since, until = min(run["started"] for run in runs) - AROUND, max(run["started"] for run in runs) + BEFORE
    spans = await context.store.query("cause_spans", traces=traces, since=since, until=until)
    parents = {(span["trace"], span["parent"]) for span in spans}
    return {
        span["trace"]: FailedSpan(
            trace_id=span["trace"],
            span_id=span["span"],
            service=span["service"],
            name=span["name"],
            message=span["status_message"] or span["error"],
            status=status_of(span["code"]),
        )
        for span in spans
        if not span["type"] and (span["trace"], span["span"]) not in parents
    }


def _walk(context: Context, run: Row, spans: Mapping[str, FailedSpan]) -> WalkBefore:
    journey = run["of_journey"]
    return WalkBefore(
        run_id=run["run_id"],
        journey=journey_title(context, journey),
        started=run["started"],
        end=run["end"] if run["settled"] else "trying",
        severity=round(float(run["severity"]), 3),
        release=run["release"],
        failed_step=step_title(context, journey, run["at_step"]) if run["at_step"] else None,
        failure_kind=run["failure_kind"] or "",
        failure=run["at_message"] or "",
        trace_id=run["at_trace"] or "",
        span=spans.get(run["at_trace"] or ""),
    )
