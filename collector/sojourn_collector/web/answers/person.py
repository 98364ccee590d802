"""One person: their visits, runs, feedback, orders, tickets and subscriptions."""

import asyncio
from datetime import timedelta
from typing import Any

from sojourn_collector.context import Context
from sojourn_collector.web.answers import timeline
from sojourn_collector.web.answers.comments import comment_of
from sojourn_collector.web.answers.subscriptions import subscription_of
from sojourn_collector.web.answers.sufferers import accounts_of, label_of, names_of
from sojourn_collector.web.answers.titles import journey_title
from sojourn_collector.web.answers.usage import usage_of_person
from sojourn_collector.web.answers.visits import visit_line
from sojourn_collector.web.models_details import PersonAnswer, TimelineItem

KINDS = ("user", "visitor", "visit")
MOST_ITEMS = 1000


async def person(context: Context, ident: str) -> PersonAnswer | None:
    """The body of `GET /api/v1/people/{id}`, `ident` such as `user:u12`; None for a person nothing is kept of."""
    kind: Any = ident.partition(":")[0]
    if kind not in KINDS:
        return None
    sessions, names, feedback, orders, tickets, used = await asyncio.gather(
        context.store.query("person_sessions", person=ident),
        names_of(context, [ident]),
        context.store.query("visit_feedback", sessions=[], person=ident),
        context.store.query("visit_orders", sessions=[], person=ident),
        context.store.query("visit_tickets", sessions=[], person=ident),
        usage_of_person(context, ident),
    )
    name = names.get(ident, {})
    if not sessions and not name and not feedback and not orders and not tickets and used is None:
        return None
    account_id = next((row["account_id"] for row in sessions if row["account_id"]), "") or name.get("account_id", "")
    accounts, runs, subscribed = await asyncio.gather(
        accounts_of(context, [account_id]),
        _runs(context, sessions),
        context.store.query("person_subscriptions", user=ident.removeprefix("user:") if kind == "user" else "", account=account_id),
    )
    account = accounts.get(account_id, {})
    currency = context.impact.currency
    worth = [net_in(row, currency) for row in orders if not row["probe"] and row["status"] != "cancelled"]
    counted = [net for net in worth if net is not None]
    worst: dict[str, float] = {}
    for row in runs:
        worst[row["session_id"]] = max(worst.get(row["session_id"], 0.0), float(row["severity"]))
    items: list[TimelineItem] = [
        *(timeline.run_item(row, journey_title(context, row["journey"]).name) for row in runs),
        *(timeline.feedback_item(row) for row in feedback),
        *(timeline.order_item(row) for row in orders),
        *(item for row in tickets for item in timeline.ticket_items(row)),
        *(item for row in subscribed for item in timeline.subscription_items(row)),
    ]
    return PersonAnswer(
        person_id=ident,
        kind=kind,
        label=label_of(ident, name.get("name", "")),
        account_id=account_id,
        account=account.get("name", ""),
        plan=account.get("plan", ""),
        since=min((row["started"] for row in sessions), default=None),
        orders_net=round(sum(counted), 2) if counted else None,
        currency=currency,
        usage=used,
        subscriptions=[subscription_of(row) for row in subscribed],
        visits=[visit_line(row, worst.get(row["session_id"], 0.0)) for row in sessions],
        timeline=sorted(items, key=lambda item: item.at)[-MOST_ITEMS:],
        feedback=[comment_of(row) for row in feedback],
    )


def net_in(order: dict[str, Any], currency: str) -> float | None:
    """What an order brought in this currency, by the rate of its day where it was in another; None where that is not known."""
    if order["currency"] == currency:
        return float(order["net"])
    return float(order["net"] * order["rate"]) if order["rate_currency"] == currency else None


async def _runs(context: Context, sessions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if not sessions:
        return []
    since = min(row["started"] for row in sessions) - timedelta(hours=1)
    return await context.store.query("visit_runs", sessions=[row["session_id"] for row in sessions], since=since)
