"""Stripe's events become orders, refunds and subscriptions: exact money, no test mode, no probe, in any order."""

import itertools
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from sojourn_collector.sources.base import RowRefused
from sojourn_collector.sources.email import email_digest
from sojourn_collector.sources.minor_units import major
from sojourn_probes.marks import make_mark
from tests.collector.sources.conftest import Opening
from tests.collector.sources.test_intake import uuid7
from tests.collector.sources.webhook_rig import PROBE_KEYS, settings

AT = 1_772_359_200  # 2026-03-01T10:00:00Z


def event(kind: str, thing: dict[str, Any], seconds: int = 0, **more: Any) -> dict[str, Any]:
    """An event of the live mode."""
    body = {"id": f"evt_{kind}_{seconds}", "object": "event", "api_version": "2026-02-25", "created": AT + seconds, "type": kind, "livemode": True}
    return {**body, "data": {"object": thing}, "request": {"id": None, "idempotency_key": None}, **more}


SESSION: dict[str, Any] = {
    "id": "cs_live_1",
    "object": "checkout.session",
    "amount_total": 6200,
    "client_reference_id": "u-1",
    "created": AT - 60,
    "currency": "eur",
    "customer": "cus_1",
    "customer_details": {"email": "joe@example.com", "name": "Joe Bloggs", "phone": "+49301234567", "address": {"city": "Berlin"}},
    "metadata": {"session_id": "s-1"},
    "mode": "payment",
    "payment_intent": "pi_1",
    "payment_status": "paid",
}
SUBSCRIPTION: dict[str, Any] = {
    "id": "sub_1",
    "object": "subscription",
    "status": "active",
    "currency": "usd",
    "customer": "cus_1",
    "created": AT - 86_400,
    "start_date": AT - 86_400,
    "cancel_at": None,
    "ended_at": None,
    "cancellation_details": {"comment": None, "feedback": None, "reason": None},
    "metadata": {"user_id": "u-1"},
    "items": {
        "data": [
            {
                "quantity": 3,
                "current_period_end": AT + 86_400,
                "price": {"id": "price_1", "nickname": "Team", "unit_amount": 1200, "recurring": {"interval": "month", "interval_count": 1}},
            },
            {"quantity": 1, "price": {"id": "price_2", "unit_amount": 12_000, "recurring": {"interval": "year", "interval_count": 1}}},
        ]
    },
}


def when(seconds: int) -> datetime:
    """A time after `AT`."""
    return datetime.fromtimestamp(AT + seconds, UTC)


async def test_an_order(opened: Opening) -> None:
    """A checkout that was paid is an order with person, session and the address as a digest; name, telephone and street are not kept."""
    desk = await opened(pay=settings("stripe"))
    await desk.take("pay", event("checkout.session.completed", SESSION))
    rows = await desk.records()
    assert (await desk.errors(), list(rows)) == ([], ["orders"])
    order = rows["orders"]["pi_1"]
    assert (order["amount"], order["currency"], order["status"], order["refunded"], order["probe"]) == (Decimal("62.00"), "EUR", "completed", 0, False)
    assert (order["user_id"], order["given_session_id"], order["account_id"], order["ts"]) == ("u-1", "s-1", "cus_1", when(-60))
    assert order["email_sha256"] == email_digest("joe@example.com")
    assert not {"Joe", "+49", "Berlin", "joe@"} & {word for word in ("Joe", "+49", "Berlin", "joe@") if word in str(await desk.bodies())}


async def test_the_shop_s_id_of_a_purchase(opened: Opening) -> None:
    """`order_id` of the metadata is the purchase's id in other feeds, and makes a payment one of your own making; without it Stripe's id is Stripe's alone."""
    desk = await opened(pay=settings("stripe"))
    await desk.take("pay", event("checkout.session.completed", SESSION | {"metadata": {"order_id": "o-1"}}))
    intent = {"id": "pi_2", "amount_received": 500, "currency": "eur", "created": AT, "metadata": {"order_id": "o-2"}}
    await desk.take("pay", event("payment_intent.succeeded", intent))
    await desk.take("pay", event("checkout.session.completed", SESSION | {"payment_intent": "pi_3"}, 3))
    orders = (await desk.records())["orders"]
    assert {ident: order["purchase"] for ident, order in orders.items()} == {"pi_1": "o-1", "pi_2": "o-2", "pi_3": ""}


async def test_the_reference_may_be_a_session(opened: Opening) -> None:
    """What the page passed with the link is the session where collector.yaml says so."""
    desk = await opened(pay=settings("stripe", session_field="client_reference_id", user_field="buyer"))
    await desk.take("pay", event("checkout.session.completed", {**SESSION, "metadata": {"buyer": "u-2"}, "client_reference_id": "s-7"}))
    order = (await desk.records())["orders"]["pi_1"]
    assert (order["given_session_id"], order["user_id"]) == ("s-7", "u-2")


async def test_refunds_count_once_in_any_order(opened: Opening) -> None:
    """Two partial refunds of a charge, whose sums Stripe tells anew each time, and the order itself: the row is the same whatever comes first."""
    first = event("charge.refunded", {"id": "ch_1", "payment_intent": "pi_1", "amount_refunded": 1000, "currency": "eur"}, 10)
    second = event("charge.refunded", {"id": "ch_1", "payment_intent": "pi_1", "amount_refunded": 2500, "currency": "eur"}, 20)
    bought = event("checkout.session.completed", SESSION)
    orders = list(itertools.permutations((bought, first, second)))
    desk = await opened(**{f"p{number}": settings("stripe") for number in range(len(orders))})
    for number, order in enumerate(orders):
        rows: dict[str, Any] = {}
        for one in order:
            await desk.take(f"p{number}", one)
            rows = await desk.records() or rows
        row = rows["orders"]["pi_1"]
        assert (row["amount"], row["refunded"], row["status"]) == (Decimal("62.00"), Decimal("25.00"), "completed")
    assert await desk.errors() == []  # what came before its order was told so, and is well now
    await desk.take("p0", event("charge.refunded", {"id": "ch_1", "payment_intent": "pi_1", "amount_refunded": 6200, "currency": "eur"}, 30))
    row = (await desk.records())["orders"]["pi_1"]
    assert (row["refunded"], row["status"]) == (Decimal("62.00"), "refunded")


async def test_a_refund_without_its_order_is_said(opened: Opening) -> None:
    """What was given back of an order nobody told of makes no order; the row in the inbox says what is missing."""
    desk = await opened(pay=settings("stripe"))
    await desk.take("pay", event("charge.refunded", {"id": "ch_1", "payment_intent": "pi_9", "amount_refunded": 1000, "currency": "eur"}))
    assert await desk.records() == {}
    assert await desk.errors() == ["orders pi_9: at is missing; amount is missing; currency is missing"]


@pytest.mark.parametrize(
    "body",
    [
        event("checkout.session.completed", SESSION, livemode=False),
        event("checkout.session.completed", {**SESSION, "payment_status": "unpaid"}),
        event("checkout.session.completed", {**SESSION, "mode": "subscription"}),
        event("payment_intent.succeeded", {"id": "pi_2", "amount_received": 100, "currency": "eur", "metadata": {}}),
        event("payment_intent.succeeded", {"id": "pi_2", "amount_received": 100, "currency": "eur", "metadata": {"user_id": "u"}, "invoice": "in_1"}),
        event("invoice.paid", {"id": "in_1", "amount_paid": 0, "currency": "eur"}),
        event("customer.subscription.created", {**SUBSCRIPTION, "status": "incomplete"}),
        event("price.created", {"id": "price_1"}),
    ],
)
async def test_what_is_no_business(opened: Opening, body: dict[str, Any]) -> None:
    """Test mode, what is not paid yet, what another event counts, and other events make no row and no complaint."""
    desk = await opened(pay=settings("stripe"))
    await desk.take("pay", body)
    assert (await desk.records(), await desk.errors(), len(await desk.control.inbox.waiting())) == ({}, [], 0)


async def test_an_order_of_a_probe(opened: Opening) -> None:
    """A mark in the metadata that verifies at the order's time makes it a probe's; a forged one does not."""
    placed = when(-60)
    mark = make_mark(uuid7(placed), "k1", PROBE_KEYS["k1"], placed.timestamp())
    desk = await opened(pay=settings("stripe"))
    await desk.take("pay", event("checkout.session.completed", {**SESSION, "metadata": {"sojourn_probe": mark}}))
    await desk.take("pay", event("checkout.session.completed", {**SESSION, "payment_intent": "pi_2", "metadata": {"sojourn_probe": mark[:-2] + "00"}}, 1))
    rows = (await desk.records())["orders"]
    assert {key: row["probe"] for key, row in rows.items()} == {"pi_1": True, "pi_2": False}


BOUGHT_ONLINE: dict[str, Any] = {**SESSION, "mode": "subscription", "payment_intent": None, "invoice": "in_1", "subscription": "sub_1", "amount_total": 2900}
INVOICE: dict[str, Any] = {
    "id": "in_1",
    "object": "invoice",
    "amount_paid": 2900,
    "billing_reason": "subscription_create",
    "currency": "eur",
    "customer": "cus_1",
    "metadata": {},
    "parent": {"type": "subscription_details", "subscription_details": {"metadata": {"session_id": "s-9", "user_id": "u-7"}, "subscription": "sub_1"}},
    "status_transitions": {"paid_at": AT},
}
PAID_BY: dict[str, Any] = {"id": "inpay_1", "object": "invoice_payment", "invoice": "in_1", "payment": {"type": "payment_intent", "payment_intent": "pi_1"}}


def renewed(**more: Any) -> dict[str, Any]:
    """A later invoice of the same subscription."""
    return {**INVOICE, "id": "in_2", "billing_reason": "subscription_cycle", **more}


async def test_whose_an_invoice_is(opened: Opening) -> None:
    """The metadata of its subscription say it; a visit is taken of the first invoice alone, for at a renewal nobody came; the invoice's own go before."""
    desk = await opened(pay=settings("stripe"))
    older = {key: value for key, value in INVOICE.items() if key != "parent"} | {"id": "in_3", "subscription_details": {"metadata": {"user_id": "u-8"}}}
    own = renewed(id="in_4", metadata={"user_id": "u-9", "session_id": "s-10"})
    await desk.take("pay", *(event("invoice.paid", one, number) for number, one in enumerate((INVOICE, renewed(), older, own))))
    rows = (await desk.records())["orders"]
    assert {key: (row["user_id"], row["given_session_id"], row["amount"]) for key, row in rows.items()} == {
        "in_1": ("u-7", "s-9", Decimal("29.00")),
        "in_2": ("u-7", "", Decimal("29.00")),
        "in_3": ("u-8", "", Decimal("29.00")),
        "in_4": ("u-9", "s-10", Decimal("29.00")),
    }


@pytest.mark.parametrize("payment", [None, "pi_1"])
async def test_whose_a_subscription_bought_online_is(opened: Opening, payment: str | None) -> None:
    """What the page told with the checkout holds for the first invoice and for the subscription, whatever comes first and whatever Stripe tells of it later,
    also where the invoice is known by its payment, as before 2025-03-31."""
    bare = {**INVOICE, "parent": None, "payment_intent": payment}
    bought = event("checkout.session.completed", BOUGHT_ONLINE)
    paid = event("invoice.paid", bare)
    begun = event("customer.subscription.created", {**SUBSCRIPTION, "metadata": {}})
    changed = event("customer.subscription.updated", {**SUBSCRIPTION, "metadata": {}}, 50)
    for number, order in enumerate(itertools.permutations((bought, paid, begun))):
        desk = await opened(**{f"p{number}": settings("stripe")})
        rows: dict[str, Any] = {}
        for one in (*order, changed):
            await desk.take(f"p{number}", one)
            for table, found in (await desk.records()).items():
                rows.setdefault(table, {}).update(found)
        assert (await desk.errors(), list(rows["orders"])) == ([], [payment or "in_1"])
        sold, subscription = rows["orders"][payment or "in_1"], rows["subscriptions"]["sub_1"]
        assert (sold["user_id"], sold["given_session_id"], sold["account_id"], sold["amount"]) == ("u-1", "s-1", "cus_1", Decimal("29.00"))
        assert (subscription["user_id"], subscription["account_id"], subscription["status"]) == ("u-1", "cus_1", "active")


async def test_a_checkout_alone_is_no_order(opened: Opening) -> None:
    """A subscription that begins with a trial sells nothing yet: neither a row nor a complaint."""
    desk = await opened(pay=settings("stripe"))
    await desk.take("pay", event("checkout.session.completed", BOUGHT_ONLINE), event("invoice.paid", {**INVOICE, "amount_paid": 0}))
    await desk.take("pay", event("invoice_payment.paid", PAID_BY), event("invoice_payment.paid", {**PAID_BY, "payment": {"payment_record": "pr_1"}}, 1))
    assert (await desk.records(), await desk.errors(), len(await desk.control.inbox.waiting())) == ({}, [], 0)


async def test_a_refund_finds_its_invoice(opened: Opening) -> None:
    """Since 2025-03-31 `invoice_payment.paid` says which payment an invoice was paid by; in whatever order they come there is one order, less the refund."""
    paid = event("invoice.paid", INVOICE)
    told = event("invoice_payment.paid", PAID_BY)
    back = event("charge.refunded", {"id": "ch_1", "payment_intent": "pi_1", "amount_refunded": 900, "currency": "eur"}, 60)
    for number, order in enumerate(itertools.permutations((paid, told, back))):
        desk = await opened(**{f"p{number}": settings("stripe")})
        found: dict[str, Any] = {}
        for one in order:
            await desk.take(f"p{number}", one)
            found |= (await desk.records()).get("orders", {})
        assert {key: (row["amount"], row["refunded"], row["user_id"]) for key, row in found.items()} == {"in_1": (Decimal("29.00"), Decimal("9.00"), "u-7")}
        assert await desk.errors() == []


async def test_a_refund_of_a_charge_without_an_intent(opened: Opening) -> None:
    """Then the invoice's payment names the charge."""
    desk = await opened(pay=settings("stripe"))
    told = event("invoice_payment.paid", {**PAID_BY, "payment": {"type": "charge", "charge": "ch_1"}})
    back = event("charge.refunded", {"id": "ch_1", "payment_intent": None, "amount_refunded": 2900, "currency": "eur"}, 60)
    await desk.take("pay", back, told, event("invoice.paid", INVOICE))
    rows = (await desk.records())["orders"]
    assert {key: (row["refunded"], row["status"]) for key, row in rows.items()} == {"in_1": (Decimal("29.00"), "refunded")}


async def test_a_subscription(opened: Opening) -> None:
    """Three seats of 12 a month and 120 a year make 46 a month; the next payment stands with the items."""
    desk = await opened(pay=settings("stripe"))
    await desk.take("pay", event("customer.subscription.created", SUBSCRIPTION))
    row = (await desk.records())["subscriptions"]["sub_1"]
    assert (row["status"], row["mrr"], row["currency"], row["interval"], row["plan"]) == ("active", Decimal("46.0000"), "USD", "month", "Team")
    assert (row["account_id"], row["user_id"], row["renews_at"], row["ended_at"]) == ("cus_1", "u-1", when(86_400), None)


async def test_the_end_of_a_subscription(opened: Opening) -> None:
    """Why it was ended is kept, words as feedback too; an older event that comes late does not bring it back, and a plan to end that was dropped is gone."""
    details = {"comment": "too slow, mail joe@example.com", "feedback": "too_complex", "reason": "cancellation_requested"}
    planned = event("customer.subscription.updated", {**SUBSCRIPTION, "cancel_at": AT + 86_400}, 10)
    dropped = event("customer.subscription.updated", SUBSCRIPTION, 20)
    ended = event("customer.subscription.deleted", {**SUBSCRIPTION, "status": "canceled", "ended_at": AT + 30, "cancellation_details": details}, 30)
    desk = await opened(pay=settings("stripe", journey="billing"))
    await desk.take("pay", dropped, planned)
    assert (await desk.records())["subscriptions"]["sub_1"]["cancel_at"] is None
    await desk.take("pay", ended, event("customer.subscription.created", SUBSCRIPTION))
    rows = await desk.records()
    row = rows["subscriptions"]["sub_1"]
    assert (row["status"], row["reason"], row["comment"], row["ended_at"], row["renews_at"]) == (
        "ended",
        "too_complex",
        "too slow, mail [email]",
        when(30),
        None,
    )
    said = rows["feedback"]["sub_1:cancellation"]
    assert (said["kind"], said["comment"], said["survey_id"], said["journey"]) == ("text", "too slow, mail [email]", "cancellation", "billing")


async def test_a_price_in_steps_has_no_mrr(opened: Opening) -> None:
    """Where no one amount is said, what it brings is not known rather than nothing."""
    tiered = {**SUBSCRIPTION, "items": {"data": [{"quantity": 1, "price": {"unit_amount": None, "recurring": {"interval": "month", "interval_count": 1}}}]}}
    desk = await opened(pay=settings("stripe"))
    await desk.take("pay", event("customer.subscription.created", tiered))
    row = (await desk.records())["subscriptions"]["sub_1"]
    assert (row["mrr"], row["currency"], row["status"]) == (None, "", "active")


@pytest.mark.parametrize(
    ("amount", "currency", "worth"),
    [(500, "jpy", "500"), (500, "eur", "5.00"), (5000, "bhd", "5.000"), (500, "isk", "5.00"), (500, "ugx", "5.00"), (0, "USD", "0.00"), (-250, "eur", "-2.50")],
)
def test_smallest_units(amount: int, currency: str, worth: str) -> None:
    """500 yen are 500, 500 cents are 5; dinars have three decimals; ISK and UGX count in hundredths at Stripe."""
    assert str(major(amount, currency)) == worth


@pytest.mark.parametrize("amount", [None, "500", Decimal("5.5"), True])
def test_an_amount_that_is_none(amount: Any) -> None:
    """Anything but a whole number is refused."""
    with pytest.raises(RowRefused, match="is not a whole number of smallest units"):
        major(amount, "eur")


@pytest.mark.parametrize("thing", [{}, {"id": "x"}, {**SESSION, "amount_total": "6200"}, {**SESSION, "currency": None}, {**SESSION, "amount_total": 10**30}])
async def test_shapes_of_another_version(opened: Opening, thing: dict[str, Any]) -> None:
    """An object of another shape is kept, and the row says in a sentence what is missing; nothing is made up."""
    desk = await opened(pay=settings("stripe"))
    await desk.take("pay", event("checkout.session.completed", {"mode": "payment", "payment_status": "paid", **thing}))
    assert await desk.records() == {}
    (said,) = await desk.errors()
    assert "missing" in said or "out of range" in said
