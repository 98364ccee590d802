"""Who is asked too often, which accounts too rarely, and whether somebody may be asked now. Anchors of the defaults: docs/methods.md."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sojourn_collector.context import Context
from sojourn_collector.score.tickets import Share
from sojourn_collector.score.trend import trend
from sojourn_collector.web.answers.owners import UNKNOWN, owners_of
from sojourn_collector.web.answers.sufferers import accounts_of, label_of, names_of
from sojourn_collector.web.answers.times import from_ms
from sojourn_collector.web.answers.window import Window
from sojourn_collector.web.models_surveys import AskedAnswer, AskedTooOften, AskedWeek, Eligibility, UnaskedAccount
from sojourn_collector.web.models_tickets import Part

SPAN = timedelta(days=90)
DAY = 86_400.0
MOST_UNASKED = 50
MOST_NAMED = 50
MOST_ACCOUNTS = 100_000


async def surveys(context: Context, window: Window) -> AskedAnswer:
    """The body of `GET /api/v1/surveys`. Raises EngineUnavailable."""
    own = context.impact.surveys
    asked: dict[str, Any] = {"since": window.since, "until": window.until, "zone": context.impact.timezone}
    (people,), named, weeks, unasked = await asyncio.gather(
        context.store.query("asked_people", **asked, rest_days=own.rest / DAY),
        context.store.query("asked_too_often", **asked, rest_days=own.rest / DAY, most=MOST_NAMED),
        context.store.query("asked_weeks", **asked),
        context.store.query("accounts_unasked", before=window.now - timedelta(seconds=own.rarely), most=MOST_ACCOUNTS),
    )
    owners = await owners_of(context, [row["owner"] for row in unasked[:MOST_UNASKED]])
    often = Share.of_counts(people["too_often"], people["people"])
    told = [_week(row) for row in weeks]
    # The first and the last week are cut by the window.
    rates = [one.rate for one in told[1:-1] if one.rate is not None]
    direction = trend(rates).direction
    return AskedAnswer(
        as_of=window.now,
        window_from=window.since,
        window_to=window.until,
        rest_days=own.rest / DAY,
        too_often=Part(count=often.count, of=often.of, low=often.low, high=often.high),
        most=people["most"],
        people=await _named(context, named),
        weeks=told,
        rate_direction=direction,
        risk="unknown" if direction == "unknown" or not often.of else "tired" if often.count and direction == "falling" else "not tired",
        rarely_days=own.rarely / DAY,
        accounts_unasked=unasked[0]["accounts"] if unasked else 0,
        accounts=unasked[0]["known"] if unasked else 0,
        unasked=[
            UnaskedAccount(
                account_id=row["id"],
                name=row["name"],
                plan=row["plan"],
                owner=row["owner"],
                owner_name=owners.get(row["owner"], UNKNOWN).name,
                monthly=row["monthly"],
                currency=row["currency"],
                answered=from_ms(row["answered_ms"]) if row["answered_ms"] else None,
            )
            for row in unasked[:MOST_UNASKED]
        ],
    )


async def _named(context: Context, rows: Sequence[Mapping[str, Any]]) -> list[AskedTooOften]:
    """Who was asked too often, by the names that feeds tell."""
    names = await names_of(context, (row["person"] for row in rows))
    accounts_by = {row["person"]: row["account"] or names.get(row["person"], {}).get("account_id", "") for row in rows}
    accounts = await accounts_of(context, accounts_by.values())
    return [
        AskedTooOften(
            person_id=row["person"],
            label=label_of(row["person"], names.get(row["person"], {}).get("name", "")),
            account=accounts.get(accounts_by[row["person"]], {}).get("name", "") or accounts_by[row["person"]],
            times=row["times"],
            too_soon=row["too_soon"],
            closest_days=row["closest"],
            last=from_ms(row["last_ms"]),
            surveys=row["surveys"],
        )
        for row in rows
    ]


def _week(row: dict[str, Any]) -> AskedWeek:
    known = row["invited"] > 0 and row["answered"] <= row["invited"]
    return AskedWeek(week=row["week"], invited=row["invited"], answered=row["answered"], rate=row["answered"] / row["invited"] if known else None)


async def eligibility(context: Context, user: str) -> Eligibility:
    """The body of `GET /api/v1/survey-eligibility`. Raises EngineUnavailable."""
    now, rest = context.clock(), timedelta(seconds=context.impact.surveys.rest)
    rows = await context.store.query("person_asked", person=f"user:{user}", since=now - max(SPAN, rest))
    told = [from_ms(row["at"]) for row in rows if row["told"]] or [from_ms(row["at"]) for row in rows]
    past = [at for at in told if at <= now]
    last = max(past, default=None)
    free = last is None or last + rest <= now
    return Eligibility(
        user=user,
        eligible=free,
        reason=_reason(context.impact.surveys.rest, last, now, free=free),
        next_at=None if free or last is None else last + rest,
        last_asked=last,
        asked_30=len({at.date() for at in past if now - at <= timedelta(days=30)}),
        asked_90=len({at.date() for at in past if now - at <= SPAN}),
    )


def _reason(rest: float, last: datetime | None, now: datetime, *, free: bool) -> str:
    if last is None:
        return "was not asked for as long as is looked back"
    days = (now - last).total_seconds() / DAY
    return f"was asked {days:.1f} days ago, {'longer' if free else 'less'} than {rest / DAY:g} days"
