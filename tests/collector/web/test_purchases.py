"""Orders of several feeds: ids of one shop are not those of another, and one purchase of which two feeds tell counts once, wherever it is asked for."""

from datetime import timedelta
from typing import Any

import pytest

from sojourn_collector.context import Context
from sojourn_collector.store.client import Store
from sojourn_collector.web.answers.counted_twice import twice
from sojourn_collector.web.answers.impact import impact
from sojourn_collector.web.answers.person import person
from tests.collector.web.stage import NOW, Rows, broken_shop, minute

DAY = timedelta(days=1)
HIT = NOW - DAY


async def asked(store: Store) -> dict[str, tuple[int, float]]:
    """How many orders of `u1` there are and what they brought, by every question about orders: after the step `pay`, and before."""
    window: dict[str, Any] = {"since": HIT - minute(9), "until": HIT + minute(9), "currency": "EUR"}
    paid: dict[str, Any] = {"paid_since": NOW - 9 * DAY, "paid_until": window["since"]}
    here: dict[str, Any] = {"journey": "checkout", "step": "pay"}
    of_step: dict[str, Any] = {
        "journeys": ["checkout"],
        "steps": ["pay"],
        "since": [window["since"]],
        "until": [window["until"]],
        "run_since": HIT - DAY,
        "run_until": NOW,
    }
    shown = await store.query("visit_orders", sessions=[], person="user:u1")
    after = await store.query("problem_orders", **of_step, orders_since=HIT, orders_until=NOW, currency="EUR", most=100)
    start = int(window["since"].timestamp() * 1000)
    spans: dict[str, Any] = {"starts": [start], "span_ms": 1_080_000, "known_ms": 86_400_000, "outcome_ms": 3_600_000}
    of_day: dict[str, Any] = {**here, **spans, "attribute": "", "value": "", "earliest": window["since"], "until": window["until"], "known": NOW}
    (day,) = await store.query("step_days", **of_day, currency="EUR")
    (at_step,) = await store.query("worth_at_step", **window, **paid, **here, run_since=HIT - DAY, most=100)
    (in_journey,) = await store.query("worth_in_journey", **window | {"since": HIT - DAY, "until": NOW}, **paid, journey="checkout", one_in=1)
    before: dict[str, Any] = {"currency": "EUR", "paid_since": paid["paid_since"]}
    (silent,) = await store.query("silent_candidates", **window, severity=0.5, journey="", most=100, paid_since=paid["paid_since"], seconds=9 * 86_400)
    until_hit: dict[str, Any] = {"since": window["since"], "until": HIT + minute(1), "one_in": 1, "units": ["EUR"], "rates": [1.0], "days": 90.0, "month": 30.0}
    active = await store.query("worth_of_active", **before, **until_hit)
    (usual,) = await store.query("usual_orders", since=NOW - 9 * DAY, until=NOW, currency="EUR", one_in=1)
    return {
        "shown": (len(shown), sum(row["net"] for row in shown)),
        "after": (len(after), sum(row["net"] for row in after)),
        "day": (day["orders"], day["money"]),
        "at step": (at_step["orders"], at_step["paid"]),
        "in journey": (in_journey["orders"], in_journey["paid"]),
        "silent": (silent["orders"], silent["paid"]),
        "active": (at_step["orders"], sum(sum(row["worths"]) for row in active)),
        "usual": (usual["orders"], usual["orders"] * usual["mean_value"]),
    }


def bought(rows: Rows, ident: str, amount: float, **more: Any) -> None:
    """The same before the step was reached and after, by one who was hit there."""
    rows.order(f"{ident}", HIT + minute(5), amount, person="user:u1", **more)
    told = {key: f"{value}-before" if key == "purchase" else value for key, value in more.items()}
    rows.order(f"{ident}-before", HIT - 3 * DAY, amount, person="user:u1", **told)


def all_of(orders: int, net: float) -> dict[str, tuple[int, Any]]:
    """What every question answers; `shown` and `usual` of both times."""
    once, both = (orders, pytest.approx(net)), (2 * orders, pytest.approx(2 * net))
    return {"shown": both, "after": once, "day": once, "at step": once, "in journey": once, "silent": once, "active": once, "usual": both}


async def test_ids_of_two_shops(store: Store) -> None:
    """Two shops count their orders from 1 on: number 1001 of one does not hide that of the other."""
    rows = Rows()
    rows.customer("u1", HIT, fails=True, stopped=True)
    bought(rows, "1001", 10.0, source="shop-de")
    bought(rows, "1001", 99.0, source="shop-us", version=2)
    bought(rows, "1001", 10.0, source="api")
    await rows.store(store)
    assert await asked(store) == all_of(3, 119.0)


async def test_one_purchase_of_two_feeds(store: Store) -> None:
    """A purchase that an SDK, the shop and a payment with the shop's id tell of counts once, as the newest of them tells it; so does what was stored before."""
    rows = Rows()
    rows.customer("u1", HIT, fails=True, stopped=True)
    bought(rows, "o-1", 60.0, source="segment")
    bought(rows, "o-1", 61.0, source="api")
    bought(rows, "pi_1", 62.0, source="pay", purchase="o-1", version=3)
    bought(rows, "pi_2", 7.0, source="pay", purchase="")
    await rows.store(store)
    assert await asked(store) == all_of(2, 69.0)


async def test_what_one_feed_gave_back(store: Store) -> None:
    """A refund that one feed tells of holds, though another feed's row was written later."""
    rows = Rows()
    rows.customer("u1", HIT, fails=True, stopped=True)
    bought(rows, "pi_1", 62.0, source="pay", purchase="o-1", refunded=12.0)
    bought(rows, "o-1", 62.0, source="api", version=9)
    await rows.store(store)
    assert await asked(store) == all_of(1, 50.0)


async def test_a_person_s_orders(context: Context) -> None:
    """What a person paid is the sum over all feeds."""
    rows = Rows()
    rows.order("1001", NOW - minute(9), 10.0, person="user:u1", source="shop-de")
    rows.order("1001", NOW - minute(8), 99.0, person="user:u1", source="shop-us")
    await rows.store(context.store)
    answer = await person(context, "user:u1")
    assert answer is not None
    assert (answer.orders_net, len(answer.timeline)) == (109.0, 2)


async def test_money_says_what_may_count_twice(context: Context) -> None:
    """Two feeds that tell of equal amounts in one visit and name no id of the purchase are noted; one that both name is not."""
    rows = broken_shop()
    paid = next(order for order in rows.orders if order["session_id"])
    rows.orders.append({**paid, "id": "pi_1", "source": "pay", "version": 0, "ts": paid["ts"] + timedelta(seconds=20), "purchase": paid["id"]})
    await rows.store(context.store)
    (before,) = (await impact(context)).problems
    assert not [note for note in before.money.notes if "twice" in note]
    await context.store.insert("orders", [{**rows.orders[-1], "id": "pi_2", "purchase": ""}])
    (after,) = (await impact(context)).problems
    (note,) = set(after.money.notes) - set(before.money.notes)
    assert note == ("1 order may count twice: two feeds tell of the same amount in one visit within 5 minutes and name no id of the purchase in common")


def test_what_looks_like_one_purchase() -> None:
    """Another feed, the same visit, amount and currency, within five minutes: all of these."""
    one = {"feed": "segment", "session_id": "s", "currency": "EUR", "net": 9.5, "ms": 1_000_000}
    other = {**one, "feed": "pay", "ms": 1_300_000}
    assert twice([other, one]) == 1
    for more in ({"feed": "segment"}, {"session_id": "t"}, {"currency": "USD"}, {"net": 9.0}, {"ms": 1_300_001}):
        assert twice([one, {**other, **more}]) == 0, more
    assert twice([{**one, "session_id": ""}, {**other, "session_id": ""}]) == 0
