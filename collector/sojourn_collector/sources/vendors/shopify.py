"""Shopify: orders, refunds and subscription contracts. Orders of test gateways are left out.

https://shopify.dev/docs/apps/build/webhooks/subscribe/https
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from sojourn_collector.sources.joins import joined, purchase_in
from sojourn_collector.sources.reading import at, moment, needed, number_at, objects_at, text_at
from sojourn_collector.sources.scrub_json import digest_in
from sojourn_collector.sources.signatures import Delivery, HmacSignature
from sojourn_collector.sources.webhook import Change, Event, Webhook, time_of
from sojourn_collector.sources_config import SourceSettings

TOPIC, TRIGGERED, TEST = "x-shopify-topic", "x-shopify-triggered-at", "x-shopify-test"
ORDERS: Final = frozenset(("orders/create", "orders/updated", "orders/paid", "orders/cancelled", "orders/fulfilled", "orders/edited"))
UNDONE: Final = frozenset(("voided", "expired"))
"""Financial states of an order nobody will pay."""
CONTRACTS: Final[Mapping[str, str]] = {"active": "active", "paused": "paused", "cancelled": "ended", "expired": "ended", "failed": "past_due"}
PROBE: Final = "sojourn_probe"


def _key(event: Event) -> str:
    return event.headers.get("x-shopify-webhook-id", "")


def _repeats(delivery: Delivery) -> bytes:
    # One body may be told under several topics, and means something else under each.
    return delivery.headers.get(TOPIC, "").encode("utf-8", "replace") + b"\n" + delivery.body


def _changes(event: Event, settings: SourceSettings) -> list[Change]:
    topic, body = event.headers.get(TOPIC, ""), event.body
    if event.headers.get(TEST, "").lower() == "true" or at(body, "test") is True:
        return []
    if topic in ORDERS:
        return [_order(body, settings)]
    if topic == "refunds/create":
        time = time_of(moment(at(body, "processed_at")) or moment(at(body, "created_at")), "created_at")
        return [Change("orders", needed(body, "order_id"), time, {"refunds": _refunds([body])})]
    if topic.startswith("subscription_contracts/"):
        return [_contract(topic, body, time_of(moment(event.headers.get(TRIGGERED, "")), TRIGGERED), settings)]
    return []


def _order(body: Any, settings: SourceSettings) -> Change:
    time = time_of(moment(at(body, "updated_at")) or moment(at(body, "created_at")), "updated_at")
    free = {text_at(one, "name"): at(one, "value") for one in objects_at(body, "note_attributes")}
    keys = joined(free, settings, "orders")
    # Shopify's ids are its own in all shops; names such as #1001 are one shop's.
    keys |= {"purchase_id": needed(body, "id")} | purchase_in(free)
    if email := digest_in(at(body, "email")) or digest_in(at(body, "customer", "email")):
        keys["email_sha256"] = email
    elif "user_id" not in keys and (customer := text_at(body, "customer", "id")):
        keys["user_id"] = f"shopify:{customer}"
    if mark := text_at(free, PROBE):
        keys["probe_mark"] = mark
    off = at(body, "cancelled_at") is not None or text_at(body, "financial_status") in UNDONE
    fields: dict[str, Any] = {
        "at": moment(at(body, "processed_at")) or moment(at(body, "created_at")),
        "amount": number_at(body, "total_price"),
        "currency": text_at(body, "currency"),
        "status": "cancelled" if off else "completed",
        "channel": text_at(body, "source_name"),
        **keys,
    }
    if refunds := _refunds(objects_at(body, "refunds")):
        fields["refunds"] = refunds
    return Change("orders", needed(body, "id"), time, fields)


def _refunds(refunds: list[Any]) -> dict[str, Decimal]:
    """What each gave back, by its id: the payments that went out, not what was meant to."""
    return {
        needed(one, "id"): sum(
            (
                Decimal(number_at(payment, "amount") or 0)
                for payment in objects_at(one, "transactions")
                if text_at(payment, "kind") == "refund" and text_at(payment, "status") == "success"
            ),
            Decimal(0),
        )
        for one in refunds
    }


def _contract(topic: str, body: Any, time: datetime, settings: SourceSettings) -> Change:
    """A contract says neither its amount nor when it began: it begins when it is told to be made."""
    status = CONTRACTS.get(text_at(body, "status").lower(), "active")
    fields: dict[str, Any] = {
        "status": status,
        "interval": text_at(body, "billing_policy", "interval").lower(),
        "renews_at": moment(at(body, "next_billing_date")),
        "user_id": f"shopify:{text_at(body, 'customer_id')}" if text_at(body, "customer_id") else "",
    }
    if topic == "subscription_contracts/create":
        fields["at"] = time.isoformat()
    if status == "ended":
        fields["ended_at"] = time.isoformat()
    return Change("subscriptions", needed(body, "id"), time, fields)


WEBHOOK = Webhook(
    "shopify",
    HmacSignature("x-shopify-hmac-sha256", encoding="base64"),
    _key,
    _changes,
    repeats=_repeats,
    headers=("x-shopify-webhook-id", TOPIC, TRIGGERED, TEST),
    drops=frozenset(
        (
            "note",
            "line_items",
            "refund_line_items",
            "shipping_lines",
            "tax_lines",
            "fulfillments",
            "discount_applications",
            "landing_site",
            "referring_site",
            "order_status_url",
            "receipt",
            "company",
        )
    ),
)
