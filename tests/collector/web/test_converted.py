"""Money in another currency: with the rate of its day it counts as the report's, without one it is left out, and both are said."""

from datetime import timedelta
from typing import Any

import pytest

from sojourn_collector.context import Context
from sojourn_collector.web.answers.impact import impact
from sojourn_collector.web.answers.person import person
from sojourn_collector.web.answers.times import to_ms
from sojourn_collector.web.models import Money
from tests.collector.web.stage import NOW, Rows, broken_shop, minute


def abroad(order: dict[str, Any], **rate: Any) -> dict[str, Any]:
    """The order in dollars of 80 cents."""
    return {**order, "version": 2 + bool(rate), "currency": "USD", "amount": order["amount"] / 0.8, **rate}


async def money_of(context: Context) -> Money:
    """Of the one problem there is."""
    (problem,) = (await impact(context)).problems
    return problem.money


async def test_the_report(context: Context) -> None:
    """A shop that sells half of its goods in dollars has the same money missing once it gives rates, to the cent; before, those orders are left out."""
    rows = broken_shop()
    await rows.store(context.store)
    await context.control.watermarks.advance("orders", NOW, sender="shop", tenant=context.store.tenant)
    euros = await money_of(context)
    assert euros.amount is not None
    half = rows.orders[::2]
    await context.store.insert("orders", [abroad(order) for order in half])
    left_out = await money_of(context)
    assert any(note.endswith("orders in other currencies are left out") for note in left_out.notes)
    assert (left_out.amount, left_out.notes) != (euros.amount, euros.notes)
    await context.store.insert("orders", [abroad(order, rate=0.8, rate_currency="EUR") for order in half])
    converted = await money_of(context)
    assert converted.state == euros.state
    for name in ("amount", "low", "high"):
        assert getattr(converted, name) == pytest.approx(getattr(euros, name), abs=0.01)
    (note,) = set(converted.notes) - set(euros.notes)
    assert note.endswith("orders in other currencies are converted by the rate of their day")


async def test_a_person(context: Context) -> None:
    """What a person ordered counts converted where a rate is known; the order itself is shown in its own currency with what that was."""
    rows = Rows()
    rows.order("home", NOW - minute(100), 50.0, person="user:u1")
    rows.order("abroad", NOW - minute(90), 100.0, person="user:u1", currency="USD", rate=0.8, rate_currency="EUR", refunded=10.0)
    rows.order("unknown", NOW - minute(80), 100.0, person="user:u1", currency="JPY")
    await rows.store(context.store)
    answer = await person(context, "user:u1")
    assert answer is not None
    assert answer.orders_net == pytest.approx(50 + 90 * 0.8)
    assert [item.title for item in answer.timeline] == [
        "order 50.00 EUR",
        "order 100.00 USD (80.00 EUR by the rate of its day)",
        "order 100.00 JPY",
    ]


async def test_every_question_about_money(context: Context) -> None:
    """What is asked about orders beside a problem's own is the same of a shop that sells in dollars and gives rates, and nothing of one that gives none."""
    rows = broken_shop()
    await rows.store(context.store)
    day = timedelta(days=1)
    window = {"since": NOW - day, "until": NOW, "currency": "EUR"}
    paid = {"paid_since": NOW - 9 * day, "paid_until": NOW + day}
    here = {"journey": "checkout", "step": "pay"}
    length = to_ms(NOW) - to_ms(NOW - day)
    times = {"earliest": NOW - 3 * day, "starts": [to_ms(NOW - (1 + ago) * day) for ago in range(3)], "span_ms": length, "known_ms": length}
    asked: dict[str, dict[str, Any]] = {
        "usual_orders": {**window, "since": NOW - 9 * day, "one_in": 1},
        "worth_of_active": {**window, "paid_since": NOW - 9 * day, "one_in": 1, "units": ["EUR"], "rates": [1.0], "days": 90.0, "month": 30.0},
        "worth_at_step": {**window, **paid, **here, "run_since": NOW - day, "most": 1000},
        "worth_in_journey": {**window, **paid, "journey": "checkout", "one_in": 1},
        "silent_candidates": {**window, "severity": 0.5, "journey": "", "most": 100, "paid_since": NOW - 9 * day, "seconds": 9 * 86_400},
        "step_days": {**here, **times, "until": NOW, "currency": "EUR", "attribute": "", "value": "", "known": NOW, "outcome_ms": 900_000},
    }
    # Of the worth before they were hit: an order of one who was.
    rows.order("before", NOW - 3 * day, 40.0, person="user:u0")
    await context.store.insert("orders", [rows.orders[-1]])

    async def money() -> dict[str, float]:
        found = {name: await context.store.query(name, **parameters) for name, parameters in asked.items()}
        sums = {"usual_orders": "mean_value", "worth_at_step": "paid", "worth_in_journey": "paid", "silent_candidates": "paid", "step_days": "money"}
        told = {name: float(sum(row[column] or 0 for row in found[name])) for name, column in sums.items()}
        return told | {"worth_of_active": float(sum(sum(row["worths"]) for row in found["worth_of_active"]))}

    euros = await money()
    assert all(euros.values())
    await context.store.insert("orders", [abroad(order) for order in rows.orders])
    assert not any((await money()).values())
    await context.store.insert("orders", [abroad(order, rate=0.8, rate_currency="EUR") for order in rows.orders])
    assert await money() == pytest.approx(euros)
