"""Which share of the orders has a visit, day by day: how much of what happens the browsers tell. Where it changes, figures of both sides are not compared."""

import asyncio
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sojourn_collector.context import Context
from sojourn_collector.join.rollups import midnight
from sojourn_collector.score.coverage import Orders, cuts
from sojourn_collector.score.intervals import wilson_counts
from sojourn_collector.web.answers.weeks import BESIDE, minutes_of
from sojourn_collector.web.models import Break, ChangedKey, Coverage

SHARED = 60.0
"""Seconds for which reports share what is known of the orders of many days."""

KEY = "beacon coverage"


async def covered_days(context: Context, since: datetime, until: datetime) -> Mapping[date, Orders]:
    """Orders of each local day of [since, until) that had any, and how many of them have a visit. Days at the edges are of their part only."""

    async def ask() -> dict[date, Orders]:
        rows = await context.store.query("orders_covered", since=since, until=until, zone=context.impact.timezone)
        return {row["day"]: Orders(row["orders"], row["with_visit"]) for row in rows}

    if context.problems is None:
        return await ask()
    if (context.clock() - until).total_seconds() <= SHARED:
        return await context.problems.once(("orders_covered", minutes_of(since, until)), SHARED, ask, beside=BESIDE)
    return await context.problems.once(("orders_covered", int(since.timestamp() // SHARED), int(until.timestamp() // SHARED)), SHARED, ask)


async def coverage_breaks(context: Context, since: datetime, until: datetime) -> list[Break]:
    """The days of (since, until) from which on another share of the orders has a visit, by more than chance, oldest first."""
    days, zone = await covered_days(context, since, until), ZoneInfo(context.impact.timezone)
    listed = sorted(days)
    told = []
    for cut in await asyncio.to_thread(cuts, [days[day] for day in listed]):
        at, old, new = midnight(listed[cut.place], zone), _percent(cut.before), _percent(cut.after)
        sentence = (
            f"Since {_day(listed[cut.place], until, zone)} {new} of the orders have a visit, before {old}: the browsers tell "
            f"{'less' if cut.after < cut.before else 'more'} of what happens, so changes across that line need not be changes in customers."
        )
        told.append(Break(at=at, kind="coverage", before="", version="", changes=[ChangedKey(key=KEY, old=old, new=new)], sentence=sentence))
    return told


def sum_of(days: Iterable[Orders]) -> Orders:
    """All of them as one."""
    listed = list(days)
    return Orders(sum(day.orders for day in listed), sum(day.with_visit for day in listed))


def coverage_of(orders: Orders | None) -> Coverage | None:
    """The share with its interval; None where there were no orders."""
    if orders is None or not orders.orders:
        return None
    low, high = wilson_counts(orders.with_visit, orders.orders)
    return Coverage(orders=orders.orders, with_visit=orders.with_visit, low=low, high=high)


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _day(day: date, seen: datetime, zone: ZoneInfo) -> str:
    return f"{day.day} {day:%b}" + ("" if day.year == seen.astimezone(zone).year else f" {day.year}")
