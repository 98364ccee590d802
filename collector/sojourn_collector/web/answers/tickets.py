"""Tickets of a window: how many, how long until a reply and a solution, which come back or lie about, and the journeys they came from."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sojourn_collector.context import Context
from sojourn_collector.score.severities import RECOVERED
from sojourn_collector.score.survival import Waiting
from sojourn_collector.score.tickets import AGAIN, DAY, Share, Ticket, ticket_figures
from sojourn_collector.web.answers.breaks import versioned
from sojourn_collector.web.answers.times import from_ms
from sojourn_collector.web.answers.titles import journey_title
from sojourn_collector.web.answers.window import Window, window_of
from sojourn_collector.web.models_tickets import Part, PerDay, TicketFigures, TicketGroup, TicketLine, TicketsAnswer, WaitingTime

SPAN = timedelta(days=28)
"""The default window: of a day alone most tickets still wait, and there is no trend."""

MOST = 100_000
MOST_GROUPS = 20
MOST_LINES = 20

Row = Mapping[str, Any]


async def tickets(context: Context, window: Window | None = None, journey: str = "") -> TicketsAnswer:
    """The body of `GET /api/v1/tickets`.

    :param window: default the last 28 days.
    :param journey: only tickets of this journey: that name it, or whose visit walked it before.
    :raises EngineUnavailable: while the engine cannot answer.
    """
    window = window or window_of(context.clock(), ZoneInfo(context.impact.timezone), span=SPAN)
    rows, sources = await asyncio.gather(
        context.store.query("tickets_opened", since=window.since - timedelta(seconds=AGAIN), until=window.until, most=MOST + 1),
        context.store.query("tickets_replying"),
    )
    replying = frozenset(row["source"] for row in sources)
    truncated, rows = len(rows) > MOST, rows[:MOST]
    if journey:
        rows = [row for row in rows if row["of_journey"] == journey]
    begin = window.since.timestamp()
    mine = [row for row in rows if row["opened"] / 1000 >= begin]

    def figures(of: Sequence[Row]) -> TicketFigures:
        return _figures(of, window, context.impact.windows.unresolved, replying)

    answer = TicketsAnswer(
        as_of=window.now,
        window_from=window.since,
        window_to=window.until,
        figures=figures(rows),
        journeys=_groups(rows, mine, "of_journey", figures, lambda ident: journey_title(context, ident).name if ident else ""),
        topics=_groups(rows, mine, "topic", figures),
        priorities=_groups(rows, mine, "priority", figures),
        longest_waiting=[_line(row, replying) for row in sorted(mine, key=lambda row: row["opened"]) if not _solved(row, window)][:MOST_LINES],
        truncated=truncated,
        linked=sum(row["session_id"] != "" for row in mine),
        state="measured" if mine else "not measured",
    )
    return await versioned(context, answer, "tickets", window.since, window.until)


def _groups(
    rows: Sequence[Row], mine: Sequence[Row], key: str, figures: Callable[[Sequence[Row]], TicketFigures], name: Callable[[str], str] = str
) -> list[TicketGroup]:
    """Those with most tickets first. One group alone says nothing that all do not."""
    counts = Counter(row[key] for row in mine)
    if set(counts) <= {""}:
        return []
    largest = sorted(counts, key=lambda ident: (-counts[ident], ident))[:MOST_GROUPS]
    members: dict[str, list[Row]] = {ident: [] for ident in largest}
    for row in rows:
        if row[key] in members:
            members[row[key]].append(row)
    return [TicketGroup(id=ident, name=name(ident), figures=figures(members[ident])) for ident in largest]


def _figures(rows: Sequence[Row], window: Window, unresolved: float, replying: frozenset[str]) -> TicketFigures:
    since, until = window.since.timestamp(), window.until.timestamp()
    known = [_ticket(row) for row in rows]
    told = ticket_figures(known, since, until, window.until.timestamp(), stale_days=unresolved / DAY, replying=replying)
    mine = [row for row in rows if row["opened"] / 1000 >= since]
    linked = [row for row in mine if row["worst"] is not None and row["session_id"]]
    whole = int((until - since) // DAY)
    days = Counter(int((row["opened"] / 1000 - since) // DAY) for row in mine)
    return TicketFigures(
        opened=told.opened,
        open=told.open,
        first_reply=_waiting(told.first_reply),
        resolution=_waiting(told.resolution),
        resolution_p90=_waiting(told.resolution_p90),
        unanswered=told.unanswered,
        replies_untold=told.replies_untold,
        solved=_part(told.solved),
        reopened=_part(told.reopened),
        repeat=_part(told.repeat),
        stale=_part(told.stale),
        after_failure=_part(Share.of_counts(sum(row["worst"] >= RECOVERED for row in linked), len(linked))),
        stale_days=unresolved / DAY,
        per_day=PerDay(
            days=[days[number] for number in range(whole)],
            mean=sum(days[number] for number in range(whole)) / whole if whole else None,
            direction=told.per_day.direction,
            slope=told.per_day.slope,
            low=told.per_day.low,
            high=told.per_day.high,
        ),
    )


def _ticket(row: Row) -> Ticket:
    return Ticket(
        f"{row['source']}/{row['id']}",
        row["opened"] / 1000,
        None if row["replied"] is None else row["replied"] / 1000,
        None if row["solved"] is None else row["solved"] / 1000,
        row["reopens"],
        row["who"],
        row["topic"],
        row["source"],
    )


def _solved(row: Row, window: Window) -> bool:
    return row["solved"] is not None and row["solved"] / 1000 <= window.until.timestamp()


def _part(share: Share) -> Part:
    count, of, low, high = astuple(share)
    return Part(count=count, of=of, low=low, high=high)


def _waiting(one: Waiting | None) -> WaitingTime | None:
    return None if one is None else WaitingTime(value=one.value, low=one.low, high=one.high, finished=one.finished, waiting=one.waiting)


def _line(row: Row, replying: frozenset[str]) -> TicketLine:
    return TicketLine(
        id=row["id"],
        source=row["source"],
        opened=from_ms(row["opened"]),
        status=row["status"],
        priority=row["priority"],
        topic=row["topic"],
        replied=row["replied"] is not None if row["source"] in replying else None,
        person_id=row["person_id"],
        account_id=row["account_id"],
        session_id=row["session_id"],
        journey=row["of_journey"],
        step=row["worst_step"] or "",
        severity=None if row["worst"] is None or not row["session_id"] else round(row["worst"], 4),
    )
