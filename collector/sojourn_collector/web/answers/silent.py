"""Who was badly hit, is worth a lot and has said nothing: the list of people to call before they leave."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sojourn_collector.context import Context
from sojourn_collector.score.severities import MARKS
from sojourn_collector.score.silent_sufferers import Hurt, silent_sufferers
from sojourn_collector.score.value_impact import Medians
from sojourn_collector.web.answers.breaks import versioned
from sojourn_collector.web.answers.prices import converted, rates
from sojourn_collector.web.answers.sufferers import label_of, names_of
from sojourn_collector.web.answers.times import from_ms
from sojourn_collector.web.answers.weeks import PATIENCE
from sojourn_collector.web.answers.window import Window, window_of
from sojourn_collector.web.answers.worths import MONTH, known_worth
from sojourn_collector.web.models_measures import SilentAnswer, SilentPerson

SPAN = timedelta(days=28)
MOST_HURT = 50_000
MOST_LISTED = 100
ENOUGH = 50_000
"""Active customers whose worth says what is a high one; of more, every second, third … stands for all."""

Row = Mapping[str, Any]


async def silent(context: Context, window: Window | None = None, journey: str = "") -> SilentAnswer:
    """The body of `GET /api/v1/silent-sufferers`.

    :param window: when they were first hit; default the last 28 days.
    :raises EngineUnavailable: while the engine cannot answer.
    """
    now, currency = context.clock(), context.impact.currency
    window = window or window_of(now, ZoneInfo(context.impact.timezone), span=SPAN)
    span: dict[str, Any] = {"since": window.since, "until": window.until}
    chosen, days = context.impact.silent, context.impact.weights.days
    paid_since = window.since - timedelta(days=days)
    units, worth_of_unit = rates(context, window.until)
    (active,) = await context.store.query("active_people", **span)
    rows, worths, unlinked = await asyncio.gather(
        context.store.query(
            "silent_candidates",
            deadline=PATIENCE,
            **span,
            paid_since=paid_since,
            seconds=int(context.impact.weights.paid),
            severity=MARKS[chosen.severity],
            journey=journey,
            currency=currency,
            most=MOST_HURT + 1,
        ),
        context.store.query(
            "worth_of_active",
            deadline=PATIENCE,
            **span,
            paid_since=window.until - timedelta(days=days),
            currency=currency,
            units=units,
            rates=worth_of_unit,
            days=days,
            month=MONTH,
            one_in=max(1, active["people"] // ENOUGH),
        ),
        context.store.query("unlinked_voices", **span),
    )
    truncated, rows = len(rows) > MOST_HURT, converted(context, rows[:MOST_HURT], "mrr", "mrr_currency", window.until)
    by_person = {row["person"]: row for row in rows}
    # Where nobody has paid anything and no account has a price, a worth of 0 is no worth but a missing feed.
    seen = (
        [(row["segment"], *one) for row in worths for one in zip(row["worths"], row["known"], strict=True)] if any(any(row["worths"]) for row in worths) else []
    )
    medians = Medians.of(seen, days)
    found = silent_sufferers(
        (_hurt(row, currency, medians if seen else None) for row in rows),
        ((segment, medians.worth(segment, paid, known)) for segment, paid, known in seen),
        now.timestamp(),
        unlinked=unlinked[0]["feedback"] + unlinked[0]["tickets"],
        least=MARKS[chosen.severity],
        top=chosen.worth,
        wait=chosen.wait,
    )
    names = await names_of(context, (one.person for one in found.people[:MOST_LISTED]))
    answer = SilentAnswer(
        as_of=window.now,
        window_from=window.since,
        window_to=window.until,
        currency=currency,
        hurt=len(rows),
        found=len(found.people),
        worth=sum(one.worth or 0.0 for one in found.people) if found.people else None,
        people=[_person(one, by_person[one.person], names.get(one.person, {}).get("name", "")) for one in found.people[:MOST_LISTED]],
        notes=[*found.notes, *([f"of {len(found.people)} the {MOST_LISTED} most valuable are shown"] if len(found.people) > MOST_LISTED else [])],
        truncated=truncated,
    )
    return await versioned(context, answer, "silent", paid_since, window.until)


def _hurt(row: Row, currency: str, medians: Medians | None) -> Hurt:
    """Somebody hit, with what they were worth before it; without medians nobody's worth is known."""
    known = known_worth(row, currency, from_ms(row["hit_ms"]), medians.days if medians else 0.0)
    # What a feed of people says of consent goes before what a browser said.
    consent = row["told_consent"] if row["told_consent"] not in ("", "unknown") else row["seen_consent"]
    return Hurt(
        person=row["person"],
        severity=row["worst"],
        worth=medians.worth(known.segment, known.revenue or 0.0, known.days) if medians else None,
        hit_at=row["hit_ms"] / 1000,
        segment=known.segment,
        spoke_at=row["spoke_ms"] / 1000 if row["spoke_ms"] else None,
        consent=consent == "granted",
    )


def _person(one: Hurt, row: Row, name: str) -> SilentPerson:
    return SilentPerson(
        person_id=one.person,
        label=label_of(one.person, name),
        account_id=row["account"],
        account=row["account_name"],
        segment=one.segment,
        severity=round(one.severity, 4),
        hit_at=from_ms(row["hit_ms"]),
        journey=row["worst_journey"],
        step=row["worst_step"],
        worth=one.worth or 0.0,
        session_id=row["worst_session"],
    )
