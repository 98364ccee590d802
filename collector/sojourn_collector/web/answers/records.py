"""Tickets, orders and subscriptions as pages of a list: the rows that figures about them are made of."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sojourn_collector.context import Context
from sojourn_collector.score.tickets import AGAIN, DAY
from sojourn_collector.web.answers.page import Place, place_of
from sojourn_collector.web.answers.person import net_in
from sojourn_collector.web.answers.subscriptions import subscription_of
from sojourn_collector.web.answers.sufferers import label_of, names_of
from sojourn_collector.web.answers.times import to_ms
from sojourn_collector.web.asked import Asked
from sojourn_collector.web.asked_records import OrdersAsked, SubscriptionsAsked, TicketListAsked
from sojourn_collector.web.models_records import Link, OrderItem, OrderList, SubscriptionList, TicketItem, TicketList

_ALL = 2**32
"""More rows than a window has."""
_PAGING = frozenset(Asked.model_fields)
Row = Mapping[str, Any]


async def ticket_list(context: Context, asked: TicketListAsked) -> TicketList:
    """The body of `GET /api/v1/tickets/list`. Raises BadWindow, BadCursor."""
    place = place_of(context, asked, "tickets")
    replying = [row["source"] for row in await context.store.query("tickets_replying")]
    # An earlier ticket may have been opened before the window; a walk is known of only once it is looked up.
    known_since = place.window.since - timedelta(seconds=AGAIN) if asked.repeat else place.window.since
    looked = _ALL if asked.repeat or asked.journey or asked.severity > 0 else asked.limit + 1
    stale = context.impact.windows.unresolved
    rows, more = await _rows(context, "list_tickets", place, asked, replying=replying, known_since=known_since, looked=looked, stale=round(1000 * stale))
    names = await names_of(context, [_who(row) for row in rows])
    return TicketList(
        window_from=place.window.since,
        window_to=place.window.until,
        next=place.next(rows[-1]["opened"], rows[-1]["key"]) if more else None,
        stale_days=stale / DAY,
        items=[_ticket(row, place, frozenset(replying), names.get(_who(row), {}).get("name", "")) for row in rows],
    )


async def order_list(context: Context, asked: OrdersAsked) -> OrderList:
    """The body of `GET /api/v1/orders`. Raises BadWindow, BadCursor."""
    place = place_of(context, asked, "orders")
    rows, more = await _rows(context, "list_orders", place, asked)
    return OrderList(
        window_from=place.window.since,
        window_to=place.window.until,
        next=place.next(to_ms(rows[-1]["ts"]), rows[-1]["key"]) if more else None,
        currency=context.impact.currency,
        items=[_order(row, context.impact.currency) for row in rows],
    )


async def subscription_list(context: Context, asked: SubscriptionsAsked) -> SubscriptionList:
    """The body of `GET /api/v1/subscriptions`. Raises BadWindow, BadCursor."""
    place = place_of(context, asked, "subscriptions")
    rows, more = await _rows(context, "list_subscriptions", place, asked)
    return SubscriptionList(
        window_from=place.window.since,
        window_to=place.window.until,
        next=place.next(to_ms(rows[-1]["ended" if asked.by == "ended" else "ts"]), rows[-1]["key"]) if more else None,
        items=[subscription_of(row) for row in rows],
    )


async def _rows(context: Context, query: str, place: Place, asked: Asked, **more: Any) -> tuple[list[dict[str, Any]], bool]:
    """Rows of a page and whether there are more."""
    here = {"since": place.window.since, "until": place.window.until, "at": place.at, "after": place.after, "most": asked.limit + 1}
    rows = await context.store.query(query, deadline=asked.deadline, **asked.model_dump(exclude=set(_PAGING)), **here, **more)
    return rows[: asked.limit], len(rows) > asked.limit


def _who(row: Row) -> str:
    return str(row["person_id"] or (f"user:{row['user_id']}" if row["user_id"] else ""))


def _link(row: Row) -> Link:
    return row["join"] if row["join"] in ("explicit", "inferred") else "unlinked"


def _ticket(row: Row, place: Place, replying: frozenset[str], name: str) -> TicketItem:
    until, who = place.window.until, _who(row)
    return TicketItem(
        id=row["id"],
        source=row["source"],
        opened=row["ts"],
        status=row["status"],
        solved=row["solved_at"] is not None and row["solved_at"] <= until,
        replied=(row["first_reply_at"] is not None and row["first_reply_at"] <= until) if row["source"] in replying else None,
        first_reply_at=row["first_reply_at"],
        solved_at=row["solved_at"],
        reopens=row["reopens"],
        priority=row["priority"],
        topic=row["topic"],
        channel=row["channel"],
        person_id=who,
        label=label_of(who, name) if who else "",
        account_id=row["account_id"],
        session_id=row["session_id"],
        link=_link(row),
        confidence=round(float(row["join_confidence"]), 2),
        journey=row["of_journey"],
        step=row["of_step"] or "",
        severity=None if row["worst"] is None or not row["session_id"] else round(row["worst"], 4),
    )


def _order(row: Row, currency: str) -> OrderItem:
    net = net_in(dict(row), currency)
    return OrderItem(
        id=row["id"],
        source=row["source"],
        purchase=row["of_purchase"],
        at=row["ts"],
        amount=row["gross"],
        refunded=row["refund"],
        net=row["net"],
        currency=row["currency"],
        net_converted=None if net is None else round(net, 4),
        status=row["status"],
        probe=bool(row["probe"]),
        counts=not row["probe"] and row["status"] != "cancelled",
        channel=row["channel"],
        person_id=row["person_id"],
        account_id=row["account_id"],
        session_id=row["session_id"],
        run_id=row["run_id"],
        link=_link(row),
        confidence=round(float(row["join_confidence"]), 2),
    )
