"""What a journey's problems cost together, and the recurring revenue exposed in it."""

import asyncio
from datetime import timedelta
from typing import Any

from sojourn_collector.context import Context
from sojourn_collector.score.money_sum import Part, money_sum
from sojourn_collector.web.answers.breaks import versioned
from sojourn_collector.web.answers.exposed import exposed_of, exposure_of
from sojourn_collector.web.answers.others import Others, others_note
from sojourn_collector.web.answers.prices import converted
from sojourn_collector.web.answers.problems import worked_problems
from sojourn_collector.web.answers.remembered import Worked
from sojourn_collector.web.answers.titles import journey_title
from sojourn_collector.web.answers.weeks import PATIENCE
from sojourn_collector.web.answers.window import Window
from sojourn_collector.web.models_journey_money import JourneyMoney, MissingSum
from sojourn_collector.web.models_measures import Exposed

SPAN = timedelta(hours=24)
"""The time that is looked at unless another is asked for: that of the report, whose problems are remembered. Those of weeks are worked out first."""

MOST = 200_000
"""People and subscriptions that are looked at; with more revenue exposed is not told."""


async def journey_money(context: Context, journey: str, window: Window) -> JourneyMoney:
    """The body of `GET /api/v1/journeys/{id}/money`. Raises EngineUnavailable."""
    (worked, found, others), exposed = await asyncio.gather(worked_problems(context, window, journey), _exposed(context, journey, window))
    answer = JourneyMoney(
        as_of=window.now,
        window_from=window.since,
        window_to=window.until,
        journey=journey,
        name=journey_title(context, journey).name,
        missing=_missing(context, worked, found, others, whole=exposed is not None),
        exposed=exposed,
    )
    return await versioned(context, answer, "journey", window.since - timedelta(seconds=context.impact.windows.usual), window.until, journey=journey)


def _missing(context: Context, worked: list[Worked], found: int, others: Others, *, whole: bool) -> MissingSum:
    total = money_sum([_part(one) for one in worked], timedelta(seconds=context.impact.windows.outcome))
    notes = others_note(len(worked), found, others)
    if total.twice and total.amount is not None:
        notes.append(f"{total.twice} of {total.hit} were hit in two of these problems near to each other, so a little may be added twice")
    if not whole:
        notes.append(f"more than {MOST:,} people were hit or subscriptions run, so revenue exposed is not told; choose a shorter time")
    return MissingSum(
        state="not_estimable" if total.amount is None else "final" if total.final else "so_far",
        problems=found,
        estimated=total.problems,
        amount=total.amount,
        low=total.low,
        high=total.high,
        currency=context.impact.currency,
        final_at=total.final_at,
        hit=total.hit,
        twice=total.twice,
        bounded=total.bounded,
        upper_bound=total.upper_bound,
        silent=total.silent,
        reason=total.reason,
        notes=notes,
    )


def _part(one: Worked) -> Part:
    money, clock = one.problem.money, one.problem.clock
    told = money.state in ("so_far", "final")
    return Part(
        since=clock.window_from,
        until=clock.window_to,
        hit=frozenset(one.hit),
        amount=money.amount if told else None,
        low=money.low,
        high=money.high,
        upper_bound=money.upper_bound if money.state == "upper_bound" else None,
        final=money.state == "final",
        final_at=money.final_at,
    )


async def _exposed(context: Context, journey: str, window: Window) -> Exposed | None:
    """Prices by the rates of the window's last day, whether an account renews seen from it too."""
    asked: dict[str, Any] = {"journey": journey, "since": window.since, "until": window.until, "most": MOST + 1}
    hit, subscribed = await asyncio.gather(
        context.store.query("hit_in_journey", deadline=PATIENCE, **asked), context.store.query("subscribed_in_journey", deadline=PATIENCE, **asked)
    )
    if max(len(hit), len(subscribed)) > MOST:
        return None
    worths = {row["person"]: row for row in converted(context, hit, "mrr", "mrr_currency", window.until)}
    priced = converted(context, subscribed, "monthly", "currency", window.until)
    exposure = exposure_of({person: row["account"] for person, row in worths.items()}, worths, priced)
    return exposed_of(exposure, context.impact.currency, window.until)
