"""What people and accounts used lately, and what is being sold to accounts: leading signs beside what they lived through."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sojourn_collector.context import Context
from sojourn_collector.web.models_usage import AccountUsage, PersonUsage, Pipeline, UsedEvent

SPAN: Final = timedelta(days=28)
"""What counts as lately; as long before it is what that is compared with."""
LOOKED: Final = timedelta(days=90)
"""How far back the last use is looked for."""
MOST_EVENTS: Final = 20


async def usage_of_person(context: Context, ident: str) -> PersonUsage | None:
    """What somebody such as `user:u12` used; None where nobody told of any use of theirs in 90 days."""
    kind, _, name = ident.partition(":")
    asked: dict[str, Any] = {"user": name if kind == "user" else "", "visitor": name if kind == "visitor" else "", "session": name if kind == "visit" else ""}
    rows = await context.store.query("usage_of_person", **asked, **_spans(context, context.clock()))
    if not rows:
        return None
    return PersonUsage(
        last=max(row["last"] for row in rows),
        days=len({day for row in rows for day in row["days"]}),
        times=sum(row["times"] for row in rows),
        times_before=sum(row["times_before"] for row in rows),
        events=[UsedEvent(event=row["event"], times=row["times"], last=row["last"]) for row in rows[:MOST_EVENTS]],
        others=max(0, len(rows) - MOST_EVENTS),
    )


async def business_of_accounts(context: Context, accounts: Sequence[str], until: datetime) -> tuple[dict[str, AccountUsage], dict[str, Pipeline] | None]:
    """Use till `until` and open deals of these accounts. No use told: the account is missing; deals of nobody ever told: None in their place."""
    if not accounts:
        return {}, {}
    (seen,), used, deals = await asyncio.gather(
        context.store.query("business_seen"),
        context.store.query("usage_of_accounts", accounts=list(accounts), **_spans(context, until)),
        context.store.query("deals_of_accounts", accounts=list(accounts)),
    )
    usage = {row["account"]: AccountUsage(**{key: row[key] for key in ("last", "days", "users", "times", "times_before")}) for row in used}
    return usage, {account: _pipeline([row for row in deals if row["account"] == account]) for account in accounts} if seen["dealt"] else None


def _pipeline(rows: Sequence[dict[str, Any]]) -> Pipeline:
    closes = [row["next_close"] for row in rows if row["next_close"] is not None]
    return Pipeline(
        deals=sum(row["deals"] for row in rows),
        unpriced=sum(row["unpriced"] for row in rows),
        worth={row["of_currency"]: round(row["worth"], 4) for row in rows if row["of_currency"]},
        next_close=str(min(closes)) if closes else None,
    )


def _spans(context: Context, until: datetime) -> dict[str, Any]:
    return {"looked": until - LOOKED, "before": until - 2 * SPAN, "since": until - SPAN, "until": until, "zone": context.impact.timezone}
