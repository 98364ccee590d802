"""The money of an incident: from rows of people and orders to the pure estimate, and from it to the answer."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

from sojourn_collector.config import ImpactConfig
from sojourn_collector.context import Context
from sojourn_collector.score.business_impact import business_impact
from sojourn_collector.score.money import Healthy, Payment, Settings, Shopper, Shortfall
from sojourn_collector.web.answers.found import Found
from sojourn_collector.web.answers.guests import Guest
from sojourn_collector.web.answers.order_values import OrderValues
from sojourn_collector.web.answers.past_days import from_the_past, segment_of
from sojourn_collector.web.answers.times import EPOCH, from_ms
from sojourn_collector.web.models import Money

HISTORY = 28 * 86400.0
"""Seconds before the incident whose orders tell whether those hit were different before."""

TWICE_WITHIN = 300
"""Seconds between two feeds' word of what looks like one purchase."""

TRUSTED_UNITS, TRUSTED_ORDERS = 30, 20
"""What the time before must hold for its conversion and order value to be taken for healthy."""


def settings_of(impact: ImpactConfig) -> Settings:
    """The windows and gates of impact.yaml."""
    return Settings(outcome=impact.windows.outcome, history=HISTORY, cart_bands=tuple(impact.cart_bands), min_hit=impact.min_hit)


def healthy_of(usual: dict[str, Any], orders: OrderValues, worth: float | None = None) -> Healthy | None:
    """Conversion and order value of the time before, when there was enough of it.

    What an order is worth say the orders of walks through this journey, where they are too few its `worth`, at last all orders.
    """
    if usual["unhurt"] < TRUSTED_UNITS or not usual["unhurt_done"]:
        return None
    everything = orders.mean_value if orders.orders >= TRUSTED_ORDERS else None
    value = orders.own_mean if orders.own_orders >= TRUSTED_ORDERS else everything if worth is None else worth
    return None if value is None else Healthy(usual["unhurt_done"] / usual["unhurt"], value, usual["unhurt"])


def worth_of(context: Context, journey: str) -> float | None:
    """What finishing `journey` is worth: impact.yaml says it before the journey file; in another currency than the report's it says nothing."""
    known = context.journeys.all().get(journey)
    own = context.impact.journeys.get(journey)
    worth = (own.worth if own else None) or (known.goal.worth if known and known.goal else None)
    return float(worth.amount) if worth is not None and worth.currency == context.impact.currency else None


def shoppers_of(guests: Sequence[Guest], orders: Sequence[dict[str, Any]], currency: str) -> list[Shopper]:
    """Guests with what they paid. An order belongs to its person, else to the person of its session; other currencies are left out."""
    sessions_of = {guest.id: guest.sessions for guest in guests}
    person_of = {session: guest.id for guest in guests for session in guest.sessions}
    here = {guest.id for guest in guests}
    paid: dict[str, list[Payment]] = defaultdict(list)
    for order in orders:
        person = order["person_id"] if order["person_id"] in here else person_of.get(order["session_id"], "")
        if person and order["currency"] == currency:
            paid[person].append(Payment(order["ms"] / 1000, order["net"], order["session_id"] not in (*sessions_of[person], "")))
    return [
        Shopper(
            id=guest.id,
            arrivals=tuple(ms / 1000 for ms in guest.arrivals),
            failed_at=guest.failures[0] / 1000 if guest.failures else None,
            device=guest.row["device"],
            cart=guest.cart if guest.row["cart_currency"] in ("", currency) else None,
            payments=tuple(sorted(paid[guest.id], key=lambda payment: payment.at)),
            identified=not guest.anonymous,
            weight=1 / guest.sample_rate,
        )
        for guest in guests
    ]


async def estimate(
    found: Found,
    guests: Sequence[Guest],
    orders: Sequence[dict[str, Any]],
    context: Context,
    *,
    now: datetime,
    known_until: datetime | None,
    promised: bool,
    healthy: Healthy | None,
    order_values: Sequence[float] = (),
) -> Money:
    """Estimate in a thread, the numbers take a fraction of a second; from past days where nobody beside those hit can be compared.

    :param known_until: up to when all orders are known; None = none were ever received.
    :param order_values: net values of the journey's orders in the weeks before.
    :param promised: whether the order source said so itself (a watermark), or only its newest order did.
    """
    impact = context.impact
    shoppers = shoppers_of(guests, orders, impact.currency)
    segment = await segment_of(context, found, guests, impact.min_hit)
    watermark = None if known_until is None else _seconds(known_until)
    answer = await asyncio.to_thread(
        business_impact, shoppers, settings_of(impact), now=_seconds(now), watermark=watermark, seed=found.seed, healthy=healthy, order_values=order_values
    )
    answer = await from_the_past(context, found, guests, shoppers, answer, segment, None if known_until is None else min(now, known_until))
    notes = [*answer.notes, *_notes(found, guests, orders, impact.currency, promised=promised or known_until is None)]
    return _model(answer, notes, impact.currency, min(now, known_until) if known_until else now)


def _seconds(at: datetime) -> float:
    return (at - EPOCH).total_seconds()


def _notes(found: Found, guests: Sequence[Guest], orders: Sequence[dict[str, Any]], currency: str, *, promised: bool) -> list[str]:
    notes = []
    if found.incident.state == "failing":
        notes.append("still failing, more may be hit")
    if doubtful := twice(orders):
        notes.append(
            f"{doubtful} orders may count twice: two feeds tell of the same amount in one visit within {TWICE_WITHIN // 60} minutes and name no id of the purchase"
        )
    foreign, converted = sum(order["currency"] != currency for order in orders), sum(bool(order["converted"]) for order in orders)
    if converted:
        notes.append(f"{converted} orders in other currencies are converted by the rate of their day")
    if foreign:
        notes.append(f"{foreign} orders in other currencies are left out{': no rate is known for their day' if converted else ''}")
    if not promised:
        notes.append("the order source gives no watermark; orders are taken as known up to the newest one")
    if any(guest.sample_rate < 1 for guest in guests):
        notes.append("sampled sessions: money of the people seen, not scaled up")
    return notes


def twice(orders: Sequence[dict[str, Any]]) -> int:
    """How many orders look like one that another feed told of in the same visit."""
    near: dict[tuple[str, str, float], list[dict[str, Any]]] = defaultdict(list)
    for order in sorted(orders, key=lambda order: int(order["ms"])):
        if order["session_id"]:
            near[order["session_id"], order["currency"], order["net"]].append(order)
    pairs = (pair for same in near.values() for pair in pairwise(same))
    return sum(one["feed"] != other["feed"] and other["ms"] - one["ms"] <= TWICE_WITHIN * 1000 for one, other in pairs)


def _model(answer: Shortfall, notes: Sequence[str], currency: str, as_of: datetime) -> Money:
    return Money(
        state=answer.state,
        level=answer.level,
        amount=answer.amount,
        low=answer.low,
        high=answer.high,
        currency=currency,
        final_at=None if answer.final_at is None else from_ms(int(answer.final_at * 1000)),
        as_of=as_of,
        hit=answer.hit,
        mature=answer.mature,
        controls=answer.controls,
        overlap=answer.overlap,
        upper_bound=answer.upper_bound,
        e_value=answer.e_value,
        reasons=list(answer.reasons),
        notes=list(notes),
    )
