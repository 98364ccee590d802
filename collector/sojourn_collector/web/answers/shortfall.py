"""The money of an incident: from rows of people and orders to the pure estimate, and from it to the answer."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sojourn_collector.config import ImpactConfig
from sojourn_collector.context import Context
from sojourn_collector.join.visit_facts import REGION
from sojourn_collector.score.business_impact import business_impact
from sojourn_collector.score.money import Healthy, Payment, Settings, Shopper, Shortfall
from sojourn_collector.web.answers.counted_twice import twice_note
from sojourn_collector.web.answers.days import LONG, before
from sojourn_collector.web.answers.found import Found
from sojourn_collector.web.answers.guest_facts import GuestFacts, guest_facts, segment_hit
from sojourn_collector.web.answers.guests import Guest
from sojourn_collector.web.answers.order_values import REMEMBERED, OrderValues
from sojourn_collector.web.answers.past_days import from_the_past
from sojourn_collector.web.answers.times import EPOCH, from_ms
from sojourn_collector.web.answers.weeks import PATIENCE
from sojourn_collector.web.models import Money

HISTORY = 28 * 86400.0
"""Seconds before the incident whose orders tell whether those hit were different before."""

UNKNOWN = GuestFacts({}, "", 0)
NOTHING_KNOWN: Mapping[str, GuestFacts] = {}

ENOUGH = 20_000
"""Person-days that are looked at for conversion; of more, every second, third … person stands for all."""

TRUSTED_UNITS, TRUSTED_ORDERS = 30, 20
"""What the time before must hold for its conversion and order value to be taken for healthy."""


def settings_of(impact: ImpactConfig) -> Settings:
    """The windows and gates of impact.yaml."""
    return Settings(outcome=impact.windows.outcome, history=HISTORY, cart_bands=tuple(impact.cart_bands), min_hit=impact.min_hit)


async def healthy_of(context: Context, found: Found, usual: Mapping[str, Any], orders: OrderValues) -> Healthy | None:
    """Conversion and order value of the time before, when there was enough of it.

    :param usual: the time before, as `read_usual` tells it.
    """
    if usual["unhurt"] < TRUSTED_UNITS:
        return None
    return healthy(await usual_paying(context, found, usual["units"]), orders, worth_of(context, found.journey))


def healthy(paying: Mapping[str, int], orders: OrderValues, worth: float | None) -> Healthy | None:
    """Conversion and order value, None where too few came or ordered.

    Conversion = the share of those who came to the step unhurt that ordered within H; for a journey with a worth of its own and hardly any orders the
    share that finished it. What an order is worth say the orders of walks through this journey, where they are too few its `worth`, at last all orders.

    :param paying: of `units` person-days, how many `ordered` and how many `finished`.
    """
    own = orders.own_orders >= TRUSTED_ORDERS
    became = paying["ordered"] if own or worth is None else paying["finished"]
    value = orders.own_mean if own else worth if worth is not None else orders.mean_value if orders.orders >= TRUSTED_ORDERS else None
    if value is None or paying["units"] < TRUSTED_UNITS or not became:
        return None
    return Healthy(became / paying["units"], value, paying["units"])


async def usual_paying(context: Context, found: Found, units: int) -> dict[str, int]:
    """Who came in the time before and what became of it; of many, of every so-manieth, which a bound can bear.

    :param units: how many person-days there were about.
    """
    since, until = before(context, found.incident.window_from)
    impact, outcome = context.impact, int(context.impact.windows.outcome * 1000)
    asked: dict[str, Any] = {"journey": found.journey, "step": found.step, "since": since, "until": until, "zone": impact.timezone, "currency": impact.currency}

    async def ask() -> dict[str, int]:
        return (await context.store.query("usual_paying", deadline=PATIENCE, **asked, outcome_ms=outcome, one_in=max(1, units // ENOUGH)))[0]

    if context.problems is None or timedelta(seconds=impact.windows.usual) < LONG:
        return await ask()
    return await context.problems.once(("usual_paying", *asked.values(), outcome), REMEMBERED, ask)


def worth_of(context: Context, journey: str) -> float | None:
    """What finishing `journey` is worth: impact.yaml says it before the journey file; in another currency than the report's it says nothing."""
    known = context.journeys.all().get(journey)
    own = context.impact.journeys.get(journey)
    worth = (own.worth if own else None) or (known.goal.worth if known and known.goal else None)
    return float(worth.amount) if worth is not None and worth.currency == context.impact.currency else None


def shoppers_of(guests: Sequence[Guest], orders: Sequence[dict[str, Any]], currency: str, known: Mapping[str, GuestFacts] = NOTHING_KNOWN) -> list[Shopper]:
    """Guests with what they paid. An order belongs to its person, else to the person of its session; other currencies are left out.

    :param known: facts by person; those of one account decide together.
    """
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
            region=known.get(guest.id, UNKNOWN).facts.get(REGION, ""),
            visits=known.get(guest.id, UNKNOWN).visits,
            cluster=_cluster(known.get(guest.id, UNKNOWN).account),
            cart=guest.cart if guest.row["cart_currency"] in ("", currency) else None,
            payments=tuple(sorted(paid[guest.id], key=lambda payment: payment.at)),
            identified=not guest.anonymous,
            weight=1 / guest.sample_rate,
        )
        for guest in guests
    ]


def _cluster(account: str) -> str:
    return f"account:{account}" if account else ""


async def estimate(
    found: Found,
    guests: Sequence[Guest],
    orders: Sequence[dict[str, Any]],
    context: Context,
    *,
    now: datetime,
    known_until: datetime | None,
    slowest: str,
    healthy: Healthy | None,
    order_values: Sequence[float] = (),
) -> Money:
    """Estimate in a thread, the numbers take a fraction of a second; from past days where nobody beside those hit can be compared.

    :param known_until: up to when all orders are known; None = none were ever received.
    :param order_values: net values of the journey's orders in the weeks before.
    :param slowest: the feed that only its newest order speaks for, "" where all gave their word (a watermark).
    """
    impact = context.impact
    facts = await guest_facts(context, found, guests, HISTORY)
    shoppers = shoppers_of(guests, orders, impact.currency, facts)
    segment = segment_hit(guests, facts, impact.visit_attributes)
    watermark = None if known_until is None else _seconds(known_until)
    answer = await asyncio.to_thread(
        business_impact, shoppers, settings_of(impact), now=_seconds(now), watermark=watermark, seed=found.seed, healthy=healthy, order_values=order_values
    )
    answer = await from_the_past(context, found, guests, shoppers, answer, segment, None if known_until is None else min(now, known_until))
    notes = [*answer.notes, *_notes(found, guests, orders, impact.currency, slowest=slowest)]
    return _model(answer, notes, impact.currency, min(now, known_until) if known_until else now)


def _seconds(at: datetime) -> float:
    return (at - EPOCH).total_seconds()


def _notes(found: Found, guests: Sequence[Guest], orders: Sequence[dict[str, Any]], currency: str, *, slowest: str) -> list[str]:
    notes = []
    if found.incident.state == "failing":
        notes.append("still failing, more may be hit")
    notes.extend(twice_note(orders))
    foreign, converted = sum(order["currency"] != currency for order in orders), sum(bool(order["converted"]) for order in orders)
    if converted:
        notes.append(f"{converted} orders in other currencies are converted by the rate of their day")
    if foreign:
        notes.append(f"{foreign} orders in other currencies are left out{': no rate is known for their day' if converted else ''}")
    if slowest:
        notes.append(f"the feed {slowest} gives no watermark; its orders are taken as known up to the newest one")
    if any(guest.sample_rate < 1 for guest in guests):
        notes.append("sampled sessions: money of the people seen, not scaled up")
    return notes


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
