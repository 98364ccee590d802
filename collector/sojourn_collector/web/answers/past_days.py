"""The money of an incident from past days, where nobody beside those hit can be compared: levels 2 and 1b."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sojourn_collector.context import Context
from sojourn_collector.score.money import Shopper, Shortfall
from sojourn_collector.score.past_days import PastDay, Window, from_past_days, from_segment
from sojourn_collector.score.segments import Segment
from sojourn_collector.store.client import QueryTimeout
from sojourn_collector.web.answers.found import Found
from sojourn_collector.web.answers.guests import Guest
from sojourn_collector.web.answers.past_starts import at_start, past_starts
from sojourn_collector.web.answers.times import to_ms

LONGEST = timedelta(hours=20)
"""An incident longer than this has no like window on other days."""

BEFORE = timedelta(hours=3)
"""Hours before the incident that must have been as usual."""

MOST = 0.5
"""Share of those who came that were hit, from which too few beside them may stand for them."""


async def from_the_past(
    context: Context,
    found: Found,
    guests: Sequence[Guest],
    shoppers: Sequence[Shopper],
    answer: Shortfall,
    segment: Segment | None,
    known_until: datetime | None,
) -> Shortfall:
    """Level 1b where a segment is at fault; level 2 where level 1 is silent and most were hit; else `answer`."""
    incident = found.incident
    hit = sum(guest.hit for guest in guests)
    everyone = answer.amount is None and hit >= MOST * len(guests)
    if known_until is None or hit < context.impact.min_hit or not (segment or everyone):
        return answer
    told = f"only {segment} was hit, nobody like those hit" if segment else f"{hit} of the {len(guests)} who came were hit, too few beside them"
    plain = replace(_silenced(answer), reasons=(f"{told} stayed unhurt",))
    if incident.window_to - incident.window_from > LONGEST:
        return answer if segment is None else plain
    try:
        return await _spoken(context, found, plain, _paid(shoppers, context.impact.windows.outcome, known_until), segment, known_until)
    except QueryTimeout:
        return replace(plain, reasons=(*plain.reasons, "past days could not be read in time"))


async def _spoken(context: Context, found: Found, plain: Shortfall, paid: float, segment: Segment | None, known_until: datetime) -> Shortfall:
    today, past = await _days(context, found, segment, known_until)
    if segment is not None:
        return from_segment(plain, paid, today.get(0, Window(0)), [PastDay(one[1], one.get(0), ago=ago) for ago, one in past if 1 in one], str(segment))
    before_today, before = await _before(context, found)
    days = [PastDay(one[1], before=before.get(ago), ago=ago) for ago, one in past if 1 in one]
    answer = from_past_days(plain, paid, days, before_today)
    beside = "" if answer.amount is None else await at_start(context, found)
    return replace(plain, reasons=(*plain.reasons, beside)) if beside else answer


def _silenced(answer: Shortfall) -> Shortfall:
    """Counts and upper bound without the amount: what stays when the past is silent too."""
    bounded = answer.upper_bound is not None
    return replace(
        answer, state="upper_bound" if bounded else "not_estimable", level=0 if bounded else None, amount=None, low=None, high=None, e_value=None, notes=()
    )


def _paid(shoppers: Sequence[Shopper], outcome: float, known_until: datetime) -> float:
    until = known_until.timestamp()
    return sum(
        payment.amount
        for shopper in shoppers
        if shopper.failed_at is not None
        for payment in shopper.payments
        if shopper.failed_at < payment.at <= min(shopper.failed_at + outcome, until)
    )


async def _days(context: Context, found: Found, segment: Segment | None, known: datetime) -> tuple[dict[int, Window], list[tuple[int, dict[int, Window]]]]:
    """Today and each past day with how long ago it was, each by whether it is of the segment."""
    incident = found.incident
    by_day: dict[int, dict[int, Window]] = {}
    for ago, row in await _ask(context, found, segment, incident.window_from, incident.window_to, known, context.impact.windows.outcome):
        by_day.setdefault(ago, {})[row["inside"]] = _window(row)
    return by_day.pop(0, {}), sorted(by_day.items())


async def _before(context: Context, found: Found) -> tuple[Window | None, dict[int, Window]]:
    """The hours before it, today and on past days, orders up to its beginning only."""
    start = found.incident.window_from
    rows = await _ask(context, found, None, start - BEFORE, start - timedelta(milliseconds=1), start, BEFORE.total_seconds())
    days = {ago: _window(row) for ago, row in rows}
    return days.pop(0, None), days


async def _ask(
    context: Context, found: Found, segment: Segment | None, since: datetime, until: datetime, known: datetime, outcome: float
) -> list[tuple[int, dict[str, Any]]]:
    """Rows of `step_days`, each with how many days ago it was."""
    impact, journey = context.impact, context.journeys.all().get(found.journey)
    windows, of = (journey.maintenance, journey.timezone) if journey else ((), "UTC")
    past = past_starts(since, until, int(impact.windows.usual // 86_400), ZoneInfo(impact.timezone), impact.holidays, windows, of)
    starts = [(0, since), *past]
    rows = await context.store.query(
        "step_days",
        journey=found.journey,
        step=found.step,
        starts=[to_ms(start) for _, start in starts],
        span_ms=to_ms(until) - to_ms(since),
        earliest=min(start for _, start in starts),
        until=until,
        known=known,
        known_ms=to_ms(known) - to_ms(since),
        currency=impact.currency,
        outcome_ms=int(outcome * 1000),
        attribute=segment.attribute if segment else "",
        value=segment.value if segment else "",
    )
    return [(starts[row["day"]][0], row) for row in rows]


def _window(row: Mapping[str, Any]) -> Window:
    return Window(row["people"], row["hit"], row["orders"], row["money"])
