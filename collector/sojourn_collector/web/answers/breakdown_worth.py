"""What a breakdown is made of where customers count by their worth: sums over people, each weighed by what they were worth before the window began."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, NamedTuple

from sojourn_collector.context import Context
from sojourn_collector.score.customer_impact import SAMPLED
from sojourn_collector.score.drivers import Group
from sojourn_collector.score.severities import Severities
from sojourn_collector.score.value_impact import Lived, ValueImpact, ValueUnit, Weighed, Worth, value_of, weighed, worths_of
from sojourn_collector.web.answers.prices import converted
from sojourn_collector.web.answers.weeks import PATIENCE
from sojourn_collector.web.answers.window import Window
from sojourn_collector.web.answers.worths import known_worth, told_of

ENOUGH = 20_000
"""People whose units are added up by worth; of more, every second, third … stands for all."""

MOST_ROWS = 2_000_000

Row = Mapping[str, Any]


class ByWorth(NamedTuple):
    """The score of everybody, the groups and of whom each is, Σ w · v and n_eff of everybody, how many units' fact is not known, and of every
    how-many-th person it is."""

    score: ValueImpact
    groups: list[Group]
    of: Mapping[tuple[str, str], Weighed]
    weight: float
    seen: float
    unknown: int
    one_in: int


def _none(reason: str) -> ByWorth:
    """Of nobody, and why."""
    return ByWorth(ValueImpact(0, 0.0, 0.0, reason=reason), [], {}, 0.0, 0.0, 0, 1)


async def by_worth(context: Context, journey: str, window: Window, facts: Mapping[str, Any], causes: Mapping[str, Any]) -> ByWorth:
    """Ask for each person's units and worth, and add them up.

    :param facts: what `breakdown_units` is asked.
    :param causes: what `breakdown_causes` is asked; nothing where its `by` is empty.
    :raises EngineUnavailable: while the engine cannot answer.
    """
    asked: dict[str, Any] = {"journey": journey, "since": window.since, "until": window.until}
    (active,) = await context.store.query("active_in_journey", **asked)
    if not active["people"]:
        return _none("no person’s walk through this journey was over in this time")
    if active["sampled"]:
        return _none(SAMPLED)
    some: dict[str, Any] = {"by_visit": False, "by_person": True, "one_in": -(-active["people"] // ENOUGH), "most": MOST_ROWS}
    worths, units, happened = await asyncio.gather(
        _worths(context, asked, window, some["one_in"]),
        context.store.query("breakdown_units", deadline=PATIENCE, **facts, **some),
        context.store.query("breakdown_causes", deadline=PATIENCE, **causes, **some) if causes["by"] else nothing(),
    )
    severities = context.impact.severities.numbers
    whole = [row for row in units if row["whole"]]
    everybody = weighed(_lived(whole, severities), worths)
    if causes["by"]:
        hurt = _sums((row for row in happened if not row["came"]), severities, worths)
        came = _sums((row for row in happened if row["came"]), severities, worths)
        of = {key: everybody if causes["by"] == "failure_kind" else came[key[0], ""] for key in hurt}
    else:
        hurt = of = _sums((row for row in units if not row["whole"] and row["value"]), severities, worths)
    # Sums of the same worths in another order may differ in their last digits.
    groups = [Group(*key, of[key].worth, min(sums.hurt, of[key].worth), of[key].n_eff) for key, sums in hurt.items() if of[key].worth > 0]
    return ByWorth(value_of(everybody), groups, of, everybody.worth, everybody.n_eff, sum(row["unknown"] for row in whole), some["one_in"])


async def _worths(context: Context, asked: Mapping[str, Any], window: Window, one_in: int) -> dict[str, Worth]:
    own, currency = context.impact.weights, context.impact.currency
    rows = await context.store.query(
        "worth_in_journey", **asked, one_in=one_in, currency=currency, paid_since=window.since - timedelta(seconds=own.paid), paid_until=window.since
    )
    told = told_of({row["person"]: row for row in converted(context, rows, "mrr", "mrr_currency", window.since)}, currency)
    known = {person: known_worth(row, currency, window.since, own.days) for person, row in told.items()}
    return worths_of((ValueUnit(person, 0.0, one.revenue, one.days, one.segment, one.account) for person, one in known.items()), days=own.days, cap=own.cap)


def _sums(rows: Iterable[Row], severities: Severities, worths: Mapping[str, Worth]) -> dict[tuple[str, str], Weighed]:
    by: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows:
        by[row["value"], row.get("cause", "")].append(row)
    return {key: weighed(_lived(group, severities), worths) for key, group in by.items()}


def _lived(rows: Iterable[Row], severities: Severities) -> Iterable[Lived]:
    return (Lived(row["person"], row["w_sum"], severities.summed(row)) for row in rows)


async def nothing() -> list[dict[str, Any]]:
    """The answer to a query that is not asked."""
    return []
