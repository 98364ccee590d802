"""Why customers ended their subscriptions, what those brought, and how many had been hit in the time before."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sojourn_collector.context import Context
from sojourn_collector.score.severities import RECOVERED
from sojourn_collector.score.tickets import Share
from sojourn_collector.web.answers.prices import converted
from sojourn_collector.web.answers.sufferers import accounts_of, label_of, names_of
from sojourn_collector.web.answers.weeks import PATIENCE
from sojourn_collector.web.answers.window import Window, window_of
from sojourn_collector.web.models_ended import EndedAnswer, EndedFigures, EndedLine, EndedReason
from sojourn_collector.web.models_tickets import Part
from sojourn_collector.web.rows_at import rows_at

SPAN = timedelta(days=90)
"""The default window: few end in a week."""
BEFORE = timedelta(days=30)
"""How long before its end a failure may have been part of why."""

MOST = 20_000
MOST_REASONS = 50
MOST_WORDS = 50
Row = Mapping[str, Any]


async def ended(context: Context, window: Window | None = None) -> EndedAnswer:
    """The body of `GET /api/v1/subscriptions/ended`, by default of 90 days. Raises EngineUnavailable."""
    window = window or window_of(context.clock(), ZoneInfo(context.impact.timezone), span=SPAN)
    before = round(BEFORE.total_seconds())
    rows = await context.store.query("subscriptions_ended", deadline=PATIENCE, since=window.since, until=window.until, before=before, most=MOST + 1)
    truncated, rows = len(rows) > MOST, rows[:MOST]
    priced = [one for row in rows for one in converted(context, [row], "monthly", "currency", row["ended"])]
    by_reason: dict[str, list[Row]] = defaultdict(list)
    for row in priced:
        by_reason[row["reason"]].append(row)
    largest = sorted(by_reason, key=lambda reason: (-len(by_reason[reason]), reason))[:MOST_REASONS]
    said = [row for row in rows if row["comment"]][:MOST_WORDS]
    names = await names_of(context, [f"user:{row['user_id']}" for row in said if row["user_id"]])
    accounts = await accounts_of(context, [row["account_id"] for row in said])
    currency = context.impact.currency

    def where(**filters: str) -> str:
        return rows_at("/api/v1/subscriptions", window.since, window.until, by="ended", **filters)

    return EndedAnswer(
        as_of=window.now,
        window_from=window.since,
        window_to=window.until,
        currency=currency,
        days_before=BEFORE.days,
        figures=_figures(priced, currency),
        reasons=[EndedReason(reason=reason, figures=_figures(by_reason[reason], currency), rows=where(reason=reason or "unknown")) for reason in largest],
        words=[_line(row, names, accounts) for row in said],
        rows=where(),
        truncated=truncated,
    )


def _figures(rows: Sequence[Row], currency: str) -> EndedFigures:
    sums: dict[str, float] = defaultdict(float)
    by_rate: dict[str, float] = defaultdict(float)
    known = [row for row in rows if row["monthly"] is not None]
    for row in known:
        sums[row["currency"]] += row["monthly"]
        if "told_unit" in row:
            by_rate[row["told_unit"]] += row["told_amount"]
    seen = [row for row in rows if row["walks"]]
    share = Share.of_counts(sum(row["worst"] >= RECOVERED for row in seen), len(seen))
    return EndedFigures(
        ended=len(rows),
        monthly=round(sums.pop(currency, 0.0), 2) if known else None,
        unpriced=len(rows) - len(known),
        converted=dict(by_rate),
        other_currencies=dict(sums),
        hit_before=Part(count=share.count, of=share.of, low=share.low, high=share.high),
    )


def _line(row: Row, names: Mapping[str, Row], accounts: Mapping[str, Row]) -> EndedLine:
    person = f"user:{row['user_id']}" if row["user_id"] else ""
    return EndedLine(
        ended=row["ended"],
        reason=row["reason"],
        comment=row["comment"],
        plan=row["plan"],
        monthly=row["monthly"],
        currency=row["currency"],
        person_id=person,
        label=label_of(person, names.get(person, {}).get("name", "")) if person else "",
        account_id=row["account_id"],
        account=accounts.get(row["account_id"], {}).get("name", ""),
        severity=round(float(row["worst"]), 4) if row["walks"] else None,
    )
