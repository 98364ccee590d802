"""In which order problems stand: by how much was hurt of what customers are worth, people and visits each for themselves (score/ranking.py)."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from sojourn_collector.context import Context
from sojourn_collector.score.customer_impact import Unit, moments
from sojourn_collector.score.ranking import NOT_HURT, Hurt, relative_worth, weight
from sojourn_collector.score.severities import Severities
from sojourn_collector.web.answers.found import Found
from sojourn_collector.web.answers.guests import Guest
from sojourn_collector.web.answers.prices import converted
from sojourn_collector.web.answers.remembered import Worked
from sojourn_collector.web.answers.weeks import BESIDE, PATIENCE
from sojourn_collector.web.answers.window import RUN_LENGTH
from sojourn_collector.web.answers.worths import MONTH

MOST_WORTHS = 200_000
"""People whose worth is looked up; of more, the others count as typical."""

SHARED = 60.0
"""Seconds for which reports share them: what was paid before the problems began does not change with them."""


def hurt_of(guests: Sequence[Guest], usual: float | None, severities: Severities, *, anonymous: bool) -> Hurt:
    """Of people, or of visits, what they met so far, also who still tries."""
    own = [(guest, severities.of(guest.severity)) for guest in guests if guest.anonymous is anonymous]
    if not any(severity for _, severity in own):
        return NOT_HURT
    units = tuple((guest.row.get("whose", guest.id), severity / guest.sample_rate) for guest, severity in own if severity)
    return Hurt(units, moments(Unit(guest.id, severity, guest.sample_rate) for guest, severity in own), usual or 0.0)


async def in_order(context: Context, worked: Sequence[Worked], found: Sequence[Found]) -> list[Worked]:
    """The problems, the worst first; one that fails and hurts nobody yet stands before what is over and hurt nobody."""
    worth = await _worth(context, found) if len(worked) > 1 else {}
    weights = {one.problem.id: weight(one.people, one.visits, worth) for one in worked}

    def place(one: Worked) -> tuple[Any, ...]:
        problem = one.problem
        larger, other = weights[problem.id]
        return (problem.state != "failing" and not larger, -larger, -other, -problem.clock.since.timestamp(), problem.id)

    return sorted(worked, key=place)


async def _worth(context: Context, found: Sequence[Found]) -> Mapping[str, float]:
    """What those hurt were worth before the first of these problems, against the typical one of them."""
    incidents = [one.incident for one in found]
    since, until = [one.window_from for one in incidents], [one.window_to for one in incidents]
    begin, own = min(since), context.impact.weights

    async def ask() -> dict[str, float]:
        rows = await context.store.query(
            "worth_of_hurt",
            deadline=PATIENCE,
            journeys=[one.journey for one in found],
            steps=[one.step for one in found],
            since=since,
            until=until,
            run_since=begin - RUN_LENGTH,
            run_until=max(until),
            paid_since=begin - timedelta(seconds=own.paid),
            paid_until=begin,
            currency=context.impact.currency,
            most=MOST_WORTHS,
        )
        priced = converted(context, rows, "mrr", "mrr_currency", begin)
        return relative_worth({row["person"]: _paid(row, context.impact.currency, own.days) for row in priced}, own.cap)

    if context.problems is None:
        return await ask()
    return await context.problems.once(("worth_of_hurt", *(one.id for one in found)), SHARED, ask, beside=BESIDE)


def _paid(row: Mapping[str, Any], currency: str, days: float) -> float:
    """Net orders, else the account's price for as long."""
    if row["paid"]:
        return float(row["paid"])
    return days / MONTH * row["mrr"] if row["mrr"] is not None and row["mrr_currency"] == currency else 0.0
