"""Shopify's deliveries become orders and refunds: exact money, no test orders, in any order."""

import itertools
from decimal import Decimal
from typing import Any

import pytest

from sojourn_collector.sources.email import email_digest
from tests.collector.sources.conftest import Opening
from tests.collector.sources.webhook_rig import settings

ORDER: dict[str, Any] = {
    "id": 820982911946154508,
    "name": "#9999",
    "email": "jon@example.com",
    "created_at": "2026-03-01T05:00:00-05:00",
    "processed_at": "2026-03-01T05:00:00-05:00",
    "updated_at": "2026-03-01T05:00:00-05:00",
    "cancelled_at": None,
    "currency": "USD",
    "total_price": "398.00",
    "financial_status": "paid",
    "test": False,
    "source_name": "web",
    "checkout_token": "abc",
    "note": "ring at +49 30 1234567",
    "note_attributes": [{"name": "session_id", "value": "s-1"}, {"name": "user_id", "value": "u-1"}],
    "customer": {"id": 115310627314723954, "email": "jon@example.com", "first_name": "Jon", "default_address": {"address1": "1 Main St"}},
    "billing_address": {"address1": "123 Billing Street"},
    "line_items": [{"title": "IPod Nano", "price": "199.00"}],
    "refunds": [],
}


def refund(ident: int, amount: str, *, status: str = "success") -> dict[str, Any]:
    """As `refunds/create` tells it."""
    payment = {"id": ident * 10, "kind": "refund", "status": status, "amount": amount}
    return {
        "id": ident,
        "order_id": ORDER["id"],
        "created_at": f"2026-03-01T10:0{ident}:00Z",
        "processed_at": f"2026-03-01T10:0{ident}:00Z",
        "transactions": [payment],
    }


async def test_an_order(opened: Opening) -> None:
    """Amount, time in UTC, keys of the cart's attributes, and the address as a digest; names, streets, notes and what was bought are not kept."""
    desk = await opened(shop=settings("shopify"))
    await desk.take("shop", ORDER, x_shopify_topic="orders/create")
    row = (await desk.records())["orders"]["820982911946154508"]
    assert (row["amount"], row["currency"], row["status"], row["refunded"], row["channel"]) == (Decimal("398.00"), "USD", "completed", 0, "web")
    assert (row["ts"].isoformat(), row["given_session_id"], row["user_id"]) == ("2026-03-01T10:00:00+00:00", "s-1", "u-1")
    assert row["email_sha256"] == email_digest("jon@example.com")
    kept = str(await desk.bodies())
    assert not [word for word in ("Jon", "Main St", "Billing", "1234567", "IPod", "jon@") if word in kept]


async def test_the_id_of_the_purchase(opened: Opening) -> None:
    """It is Shopify's id, which no other shop has, unless the cart's attributes say how the shop calls it; a refund takes nothing of it away."""
    desk = await opened(shop=settings("shopify"))
    await desk.take("shop", ORDER, ORDER | {"id": 7, "note_attributes": [{"name": "order_id", "value": "o-7"}]}, x_shopify_topic="orders/create")
    await desk.take("shop", refund(1, "5.00"), x_shopify_topic="refunds/create")
    orders = (await desk.records())["orders"]
    assert {ident: order["purchase"] for ident, order in orders.items()} == {"820982911946154508": "820982911946154508", "7": "o-7"}


async def test_who_bought(opened: Opening) -> None:
    """Without an id of your own a person is known by the address, without that by Shopify's own id."""
    desk = await opened(shop=settings("shopify"))
    nameless = {**ORDER, "id": 2, "email": "", "note_attributes": [], "customer": {"id": 55}}
    await desk.take(
        "shop", {**nameless, "id": 1, "email": "jon@example.com"}, nameless, {**nameless, "id": 3, "customer": None}, x_shopify_topic="orders/create"
    )
    rows = (await desk.records())["orders"]
    assert {key: (row["user_id"], row["email_sha256"]) for key, row in rows.items()} == {
        "1": ("", email_digest("jon@example.com")),
        "2": ("shopify:55", ""),
        "3": ("", ""),
    }


async def test_refunds_in_any_order(opened: Opening) -> None:
    """Two refunds, one of them also told within the order, and one whose payment failed: what went out counts once."""
    parts: list[tuple[str, dict[str, Any]]] = [
        ("orders/create", ORDER),
        ("refunds/create", refund(1, "50.00")),
        ("refunds/create", refund(2, "48.00")),
        ("refunds/create", refund(3, "10.00", status="failure")),
        ("orders/updated", {**ORDER, "updated_at": "2026-03-01T10:01:30Z", "refunds": [refund(1, "50.00")]}),
    ]
    orders = list(itertools.permutations(parts))[::17]
    desk = await opened(**{f"s{number}": settings("shopify") for number in range(len(orders))})
    for number, order in enumerate(orders):
        for topic, body in order:
            await desk.take(f"s{number}", body, x_shopify_topic=topic)
        row = (await desk.records())["orders"]["820982911946154508"]
        assert (row["amount"], row["refunded"], row["status"]) == (Decimal("398.00"), Decimal("98.00"), "completed")
    assert await desk.errors() == []


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        ({**ORDER, "test": True}, {"x_shopify_topic": "orders/create"}),
        (ORDER, {"x_shopify_topic": "orders/create", "x_shopify_test": "true"}),
        (ORDER, {"x_shopify_topic": "checkouts/create"}),
        (ORDER, {}),
    ],
)
async def test_what_is_no_business(opened: Opening, body: dict[str, Any], headers: dict[str, str]) -> None:
    """Test orders, other topics and none make no row."""
    desk = await opened(shop=settings("shopify"))
    await desk.take("shop", body, **headers)
    assert (await desk.records(), await desk.errors()) == ({}, [])


@pytest.mark.parametrize("changes", [{"cancelled_at": "2026-03-01T11:00:00Z"}, {"financial_status": "voided"}, {"financial_status": "expired"}])
async def test_an_order_nobody_pays(opened: Opening, changes: dict[str, Any]) -> None:
    """Cancelled, voided and expired ones count nothing."""
    desk = await opened(shop=settings("shopify"))
    await desk.take("shop", ORDER, x_shopify_topic="orders/create")
    await desk.take("shop", {**ORDER, "updated_at": "2026-03-01T11:00:00Z", **changes}, x_shopify_topic="orders/updated")
    assert (await desk.records())["orders"]["820982911946154508"]["status"] == "cancelled"


async def test_a_contract(opened: Opening) -> None:
    """A subscription contract begins when it is told to be made and ends when it is told; what it brings is not in it, so it is not known."""
    desk = await opened(shop=settings("shopify"))
    contract = {"id": 1, "status": "ACTIVE", "currency_code": "USD", "customer_id": 7, "billing_policy": {"interval": "MONTH", "interval_count": 1}}
    await desk.take("shop", {**contract, "status": "CANCELLED"}, x_shopify_topic="subscription_contracts/update", x_shopify_triggered_at="2026-03-01T11:00:00Z")
    await desk.take("shop", contract, x_shopify_topic="subscription_contracts/create", x_shopify_triggered_at="2026-03-01T10:00:00.123Z")
    row = (await desk.records())["subscriptions"]["1"]
    assert (row["status"], row["mrr"], row["interval"], row["user_id"]) == ("ended", None, "month", "shopify:7")
    assert (row["ts"].isoformat(), row["ended_at"].isoformat()) == ("2026-03-01T10:00:00.123000+00:00", "2026-03-01T11:00:00+00:00")
