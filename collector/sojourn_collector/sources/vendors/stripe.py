"""Stripe: orders, refunds and subscriptions, and why those were ended. Test mode is left out.

https://docs.stripe.com/webhooks/signature and https://docs.stripe.com/api/events/types
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from sojourn_collector.sources.base import RowRefused
from sojourn_collector.sources.joins import about, joined, purchase_in
from sojourn_collector.sources.minor_units import major
from sojourn_collector.sources.reading import at, moment, needed, number_at, objects_at, text_at
from sojourn_collector.sources.scrub_json import digest_in
from sojourn_collector.sources.signatures import HmacSignature, seconds, stripe_claim, time_dot_body
from sojourn_collector.sources.webhook import Change, Event, Webhook, time_of
from sojourn_collector.sources_config import SourceSettings

STATUS: Final[Mapping[str, str]] = {
    "active": "active",
    "trialing": "trialing",
    "past_due": "past_due",
    "unpaid": "past_due",
    "paused": "paused",
    "canceled": "ended",
    "incomplete_expired": "ended",
}
"""`incomplete` is not in it: nothing was paid yet."""
MONTHS: Final[Mapping[str, Decimal]] = {"month": Decimal(1), "year": Decimal(12), "week": Decimal(12) / Decimal(52), "day": Decimal(12) / Decimal(365)}
"""How many months an interval of a price has."""
PROBE: Final = "sojourn_probe"
"""Metadata with the header x-sojourn-probe of the request that placed an order."""
_CENT: Final = Decimal("0.0001")


def _key(event: Event) -> str:
    return text_at(event.body, "id")


def _changes(event: Event, settings: SourceSettings) -> list[Change]:
    kind, thing = text_at(event.body, "type"), at(event.body, "data", "object")
    read = _READERS.get(kind)
    if read is None or at(event.body, "livemode") is not True or not isinstance(thing, dict):
        return []
    return read(thing, time_of(moment(at(event.body, "created")), "created"), settings)


def _checkout(thing: Mapping[str, Any], time: datetime, settings: SourceSettings) -> list[Change]:
    """A page of Stripe's that was paid. What recurs is counted by its invoices, and whose it is said here."""
    if text_at(thing, "mode") == "subscription":
        return _subscribed(thing, time, settings)
    if text_at(thing, "mode") != "payment" or text_at(thing, "payment_status") not in ("paid", "no_payment_required"):
        return []
    ident = text_at(thing, "payment_intent") or needed(thing, "id")
    return [_order(thing, ident, needed_int(thing, "amount_total"), time, settings)]


def _subscribed(thing: Mapping[str, Any], time: datetime, settings: SourceSettings) -> list[Change]:
    """Whose a subscription and its first invoice are, as your page told with the checkout."""
    changes = []
    if invoice := text_at(thing, "invoice"):
        changes.append(Change("orders", invoice, time, {**_email(thing), **joined(_free(thing), settings, "orders"), **_probe(thing)}, aside=True))
    if subscription := text_at(thing, "subscription"):
        changes.append(Change("subscriptions", subscription, time, joined(_free(thing), settings, "subscriptions"), aside=True))
    return changes


def _intent(thing: Mapping[str, Any], time: datetime, settings: SourceSettings) -> list[Change]:
    """A payment of your own making: it carries keys of yours. Without any it may be that of an invoice, which counts already."""
    order = _order(thing, needed(thing, "id"), needed_int(thing, "amount_received"), time, settings)
    mine = (
        {"session_id", "user_id", "trace_id", "account_id"} & joined(_free(thing), settings, "orders").keys()
        | purchase_in(_free(thing)).keys()
        | _probe(thing).keys()
    )
    return [order] if mine and not text_at(thing, "invoice") else []


def _invoice(thing: Mapping[str, Any], time: datetime, settings: SourceSettings) -> list[Change]:
    """Before 2025-03-31 an invoice told its payment, and is known by it, as refunds are; since then `invoice_payment.paid` tells it."""
    amount = needed_int(thing, "amount_paid")
    if not amount:
        return []
    invoice, payment = needed(thing, "id"), text_at(thing, "payment_intent")
    recurs = at(thing, "parent", "subscription_details", "metadata") or at(thing, "subscription_details", "metadata")
    whose = joined(recurs, settings, "orders") if isinstance(recurs, dict) else {}
    if text_at(thing, "billing_reason") != "subscription_create":  # nobody sat before a page when it was renewed
        whose = {key: value for key, value in whose.items() if key not in ("session_id", "trace_id")}
    order = _order(thing, payment or invoice, amount, time, settings, {**whose, **_probe({"metadata": recurs})})
    return [order, Change("orders", invoice, time, {}, aside=True, of=payment)] if payment else [order]


def _paid(thing: Mapping[str, Any], time: datetime, settings: SourceSettings) -> list[Change]:
    """Which payment an invoice was paid by: a refund names the payment alone."""
    payment = text_at(thing, "payment", "payment_intent") or text_at(thing, "payment", "charge")
    return [Change("orders", payment, time, {}, aside=True, of=needed(thing, "invoice"))] if payment else []


def _order(thing: Mapping[str, Any], ident: str, amount: int, time: datetime, settings: SourceSettings, whose: Mapping[str, str] | None = None) -> Change:
    paid = moment(at(thing, "status_transitions", "paid_at")) or moment(at(thing, "created")) or time.isoformat()
    fields: dict[str, Any] = {
        "at": paid,
        "amount": major(amount, needed(thing, "currency")),
        "currency": needed(thing, "currency").upper(),
        "channel": "stripe",
        **({"account_id": text_at(thing, "customer")} if text_at(thing, "customer") else {}),
        **_email(thing),
        **(whose or {}),
        **joined(_free(thing), settings, "orders"),
        **purchase_in(_free(thing)),
        **_probe(thing),
    }
    return Change("orders", ident, time, fields)


def _email(thing: Mapping[str, Any]) -> dict[str, str]:
    email = digest_in(at(thing, "customer_details", "email")) or digest_in(at(thing, "customer_email")) or digest_in(at(thing, "receipt_email"))
    return {"email_sha256": email} if email else {}


def _refunded(thing: Mapping[str, Any], time: datetime, settings: SourceSettings) -> list[Change]:
    """Of a charge what was given back till now."""
    ident = text_at(thing, "payment_intent") or needed(thing, "id")
    back = major(needed_int(thing, "amount_refunded"), needed(thing, "currency"))
    return [Change("orders", ident, time, {"refunds": {needed(thing, "id"): back}}, sequence=1)]


def _subscription(sequence: int) -> Callable[[Mapping[str, Any], datetime, SourceSettings], list[Change]]:
    def read(thing: Mapping[str, Any], time: datetime, settings: SourceSettings) -> list[Change]:
        status = STATUS.get(text_at(thing, "status"))
        if status is None:
            return []
        ident, currency = needed(thing, "id"), text_at(thing, "currency").upper()
        items = objects_at(thing, "items", "data")
        mrr = _mrr(items, currency)
        fields: dict[str, Any] = {
            "at": moment(at(thing, "start_date") or at(thing, "created")),
            "status": status,
            "mrr": mrr,
            "currency": currency if mrr is not None else None,
            "interval": text_at(items, 0, "price", "recurring", "interval"),
            "plan": text_at(items, 0, "price", "nickname") or text_at(items, 0, "price", "lookup_key") or text_at(items, 0, "price", "id"),
            # Since 2025-03-31 it stands with the items, before with the subscription.
            "renews_at": moment(at(items, 0, "current_period_end") or at(thing, "current_period_end")) if status != "ended" else "",
            "cancel_at": moment(at(thing, "cancel_at")),
            "ended_at": moment(at(thing, "ended_at")),
            "reason": text_at(thing, "cancellation_details", "feedback") or text_at(thing, "cancellation_details", "reason"),
            "comment": text_at(thing, "cancellation_details", "comment"),
            **({"account_id": text_at(thing, "customer")} if text_at(thing, "customer") else {}),
            **joined(_free(thing), settings, "subscriptions"),
        }
        changes = [Change("subscriptions", ident, time, fields, sequence, whole=True)]
        if fields["comment"]:
            said = {"kind": "text", "comment": fields["comment"], "at": time.isoformat(), "survey_id": "cancellation", **about(settings)}
            said |= {key: fields[key] for key in ("account_id", "user_id") if fields.get(key)}
            changes.append(Change("feedback", f"{ident}:cancellation", time, said, sequence))
        return changes

    return read


def _mrr(items: list[dict[str, Any]], currency: str) -> Decimal | None:
    """What the items bring a month; None where a price has steps and says no one amount."""
    total = Decimal(0)
    for item in items:
        interval, count = text_at(item, "price", "recurring", "interval"), number_at(item, "price", "recurring", "interval_count")
        amount, quantity = at(item, "price", "unit_amount"), number_at(item, "quantity")
        if interval not in MONTHS or isinstance(amount, bool) or not isinstance(amount, int):
            return None
        total += major(amount, currency) * (1 if quantity is None else quantity) / (MONTHS[interval] * (count or 1))
    return total.quantize(_CENT) if items else None


def _free(thing: Mapping[str, Any]) -> dict[str, Any]:
    """Free fields. What your page passed with a link to pay stands beside them; it is taken for the user unless collector.yaml says otherwise."""
    metadata = at(thing, "metadata")
    free = dict(metadata) if isinstance(metadata, dict) else {}
    if reference := text_at(thing, "client_reference_id"):
        free = {"user_id": reference, **free, "client_reference_id": reference}
    return free


def _probe(thing: Mapping[str, Any]) -> dict[str, str]:
    mark = text_at(thing, "metadata", PROBE)
    return {"probe_mark": mark} if mark else {}


def needed_int(thing: Mapping[str, Any], name: str) -> int:
    """A whole number of smallest units. Raises RowRefused."""
    found = at(thing, name)
    if isinstance(found, bool) or not isinstance(found, int):
        raise RowRefused(f"{name} is missing from the event")
    return found


_READERS: Final[Mapping[str, Callable[[Mapping[str, Any], datetime, SourceSettings], list[Change]]]] = {
    "checkout.session.completed": _checkout,
    "checkout.session.async_payment_succeeded": _checkout,
    "payment_intent.succeeded": _intent,
    "invoice.paid": _invoice,
    "invoice_payment.paid": _paid,
    "charge.refunded": _refunded,
    "customer.subscription.created": _subscription(0),
    "customer.subscription.updated": _subscription(1),
    "customer.subscription.paused": _subscription(1),
    "customer.subscription.resumed": _subscription(1),
    "customer.subscription.deleted": _subscription(2),
}

WEBHOOK = Webhook(
    "stripe",
    HmacSignature("stripe-signature", signed=time_dot_body, clock=seconds, claim=stripe_claim),
    _key,
    _changes,
    drops=frozenset(("name", "shipping", "shipping_details", "billing_details", "customer_name", "customer_phone", "customer_address", "receipt_url")),
)
