"""Orders, answers, surveys, accounts and people through the join worker on the real engine."""

import json
from datetime import timedelta
from typing import Any

import pytest

from sojourn_collector.store.control import Arrival
from tests.collector.join.working import at, buys, keep, shopper, table
from tests.collector.join.world import World


async def test_an_order_is_linked_by_its_session(world: World) -> None:
    """An order that names a session is linked to it for certain, to its person and to its run."""
    b = shopper(world, user_id="u1")
    await world.load(*buys(b))
    await keep(world, "orders", id="o-1", at=at(b.start + timedelta(seconds=12)), amount="62.00", currency="EUR", session_id="s-1", user_id="someone else")
    await world.join()
    await world.join()
    (order,) = await table(world, "orders")
    (run,) = await table(world, "runs")
    assert (order["session_id"], order["person_id"], order["run_id"], order["join"]) == ("s-1", "user:u1", run["run_id"], "explicit")
    assert str(order["amount"]) == "62.0000"


async def test_an_order_is_linked_by_its_id(world: World) -> None:
    """An order whose id the page reported on conversion is linked to that page's session."""
    await world.load(*buys(shopper(world), "o-5"))
    await keep(world, "orders", id="o-5", at=at(world.clock()), amount=5, currency="EUR")
    await world.join()
    await world.join()
    assert [(o["session_id"], o["join"]) for o in await table(world, "orders")] == [("s-1", "explicit")]


async def test_an_order_is_linked_by_the_id_of_its_purchase(world: World) -> None:
    """An order that a vendor knows by an id of its own is found by the shop's, whichever comes first, and so is an answer that names the purchase."""
    await keep(world, "orders", id="pi_1", source="pay", purchase_id="o-5", at=at(world.clock()), amount=5, currency="EUR")
    await world.join()
    await world.load(*buys(shopper(world), "o-5"))
    await world.join()
    await keep(world, "orders", id="pi_2", source="pay", purchase_id="o-6", session_id="s-1", at=at(world.clock()), amount=5, currency="EUR")
    await world.join()
    await keep(world, "feedback", id="f-1", kind="text", comment="fine", order_id="o-6", at=at(world.clock()))
    await world.join()
    assert [(o["order_key"], o["session_id"], o["join"]) for o in await table(world, "orders")] == [("/o-5", "s-1", "explicit"), ("/o-6", "s-1", "explicit")]
    assert [(f["session_id"], f["join"]) for f in await table(world, "feedback")] == [("s-1", "explicit")]


async def test_an_order_is_linked_by_its_trace(world: World) -> None:
    """An order that carries the trace id of a browser's request is linked to that browser's session."""
    b = shopper(world)
    await world.load(*buys(b))
    await keep(world, "orders", id="o-6", at=at(world.clock()), amount=5, currency="EUR", trace_id=b.trace(4).hex().upper())
    await world.join()
    await world.join()
    assert [(o["session_id"], o["join"]) for o in await table(world, "orders")] == [("s-1", "explicit")]


@pytest.mark.parametrize("keys", [{"session_id": "s-1"}, {"trace": 4}, {"order_id": "o-5"}, {"user_id": "u1"}])
async def test_feedback_waits_for_its_session(world: World, keys: dict[str, Any]) -> None:
    """Feedback that comes before its beacons is unlinked, and linked as soon as they are there, whatever it is found by."""
    b = shopper(world, user_id="u1")
    named = {"trace_id": b.trace(keys["trace"]).hex()} if "trace" in keys else keys
    await keep(world, "feedback", id="f-1", kind="csat", value=2, scale_min=1, scale_max=5, at=at(world.clock()), **named)
    await world.join()
    (before,) = await table(world, "feedback")
    assert (before["join"], before["session_id"], before["person_id"]) == ("unlinked", "", "user:u1" if "user_id" in keys else "")
    await world.load(*buys(b, "o-5"))
    await world.join()
    (after,) = await table(world, "feedback")
    (run,) = await table(world, "runs")
    expected = ("inferred", 0.5) if "user_id" in keys else ("explicit", 1.0)
    assert (after["join"], after["join_confidence"]) == expected
    assert (after["session_id"], after["person_id"], after["run_ids"]) == ("s-1", "user:u1", [run["run_id"]])


async def test_an_inferred_link_follows_the_last_visit(world: World) -> None:
    """A survey by mail belongs to the person's last visit before it, also when that visit's beacons come later."""
    early, late = shopper(world, "s-early", 7200, user_id="u1"), shopper(world, "s-late", 3600, user_id="u1")
    await world.load([early.page(0, "/")])
    await keep(world, "feedback", id="f-1", kind="nps", value=3, at=at(world.clock()), user_id="u1")
    await world.join()
    await world.join()
    assert [(f["session_id"], f["join"]) for f in await table(world, "feedback")] == [("s-early", "inferred")]
    await world.load([late.page(0, "/")])
    await world.join()
    assert [(f["session_id"], f["join"]) for f in await table(world, "feedback")] == [("s-late", "inferred")]


async def test_a_visit_too_long_ago_is_not_inferred(world: World) -> None:
    """After `windows.identity` a visit no longer explains feedback; it stays unlinked, with its person."""
    b = shopper(world, ago=4 * 86_400, user_id="u1")
    await world.load([b.page(0, "/")])
    await keep(world, "feedback", id="f-1", kind="nps", value=3, at=at(world.clock()), user_id="u1")
    await world.join()
    await world.join()
    assert [(f["session_id"], f["join"], f["person_id"]) for f in await table(world, "feedback")] == [("", "unlinked", "user:u1")]


async def test_a_survey_in_the_page_is_feedback(world: World) -> None:
    """A survey answered in the page is feedback by source `beacon`, linked to its session, scrubbed, and once however often it is joined."""
    b = shopper(world, user_id="u1")
    answer = b.event(
        3,
        "sojourn.survey",
        "/",
        sojourn__survey__id="after-pay",
        sojourn__survey__kind="csat",
        sojourn__survey__value="2",
        sojourn__survey__scale_min="1",
        sojourn__survey__scale_max="5",
        sojourn__survey__comment="cannot pay, write to joe@example.com",
    )
    await world.load([b.page(0, "/")], [answer])
    await world.join()
    await world.load([b.page(9, "/cart")])
    await world.join()
    (row,) = await table(world, "feedback")
    assert (row["source"], row["kind"], row["value"], row["scale_max"], row["satisfied"]) == ("beacon", "csat", 2.0, 5.0, 0)
    assert (row["join"], row["session_id"], row["person_id"], row["survey_id"]) == ("explicit", "s-1", "user:u1", "after-pay")
    assert row["comment"] == "cannot pay, write to [email]"


async def test_a_survey_that_makes_no_sense_is_left_out(world: World) -> None:
    """A survey answer without a scale makes no feedback and stops nothing."""
    b = shopper(world)
    await world.load([b.page(0, "/")], [b.event(3, "sojourn.survey", "/", sojourn__survey__kind="csat", sojourn__survey__value="2")])
    await world.join()
    assert await table(world, "feedback") == []
    assert len(await table(world, "sessions")) == 1


async def test_a_later_version_of_an_order_wins(world: World) -> None:
    """The same order id again replaces the order, in one batch and across batches."""
    for amount, status in ((10, "completed"), (20, "completed")):
        await keep(world, "orders", id="o-1", at=at(world.clock()), amount=amount, currency="EUR", status=status)
    await world.join()
    assert [str(o["amount"]) for o in await table(world, "orders")] == ["20.0000"]
    await keep(world, "orders", id="o-1", at=at(world.clock()), amount=20, currency="EUR", status="refunded")
    await world.join()
    assert [(str(o["amount"]), str(o["refunded"]), o["status"]) for o in await table(world, "orders")] == [("20.0000", "20.0000", "refunded")]


async def test_accounts_and_people_reach_the_engine(world: World) -> None:
    """Accounts and people of the inbox become rows of their tables."""
    await keep(world, "accounts", id="a1", name="ACME", plan="gold", mrr="99.90", currency="EUR", renewal_date="2027-01-31", attrs={"region": "eu"})
    await keep(world, "people", id="u1", name="Joe", email_sha256="0" * 64, account_id="a1")
    await world.join()
    (account,), (person,) = await table(world, "accounts"), await table(world, "people")
    assert (account["name"], account["plan"], str(account["mrr"]), str(account["renewal_date"]), account["attrs"]) == (
        "ACME",
        "gold",
        "99.9000",
        "2027-01-31",
        {"region": "eu"},
    )
    assert (person["name"], person["account_id"], person["email_sha256"]) == ("Joe", "a1", "0" * 64)


async def test_orders_over_many_years_fit_into_the_engine(world: World) -> None:
    """Orders of more months than the engine takes in a block are all stored."""
    for n in range(120):
        await keep(world, "orders", id=f"o-{n}", at=f"{2010 + n // 12}-{n % 12 + 1:02}-01T00:00:00Z", amount=1, currency="EUR")
    await world.join()
    assert len(await table(world, "orders")) == 120


async def test_a_kept_row_nobody_can_read_stops_nothing(world: World) -> None:
    """A row of the inbox that cannot be normalised is marked with the reason and the others go on."""
    await keep(world, "orders", id="o-1", at="yesterday", amount=1, currency="EUR")
    await keep(world, "orders", id="o-2", at=at(world.clock()), amount=1, currency="EUR")
    await world.join()
    assert [o["id"] for o in await table(world, "orders")] == ["o-2"]
    assert await world.control.inbox.count_waiting() == 0


async def test_feeds_of_one_account(world: World) -> None:
    """Rows of two feeds keep when they came: the older one sent again after a replay wins nothing, and each can take back what it said."""

    async def plan() -> tuple[str, float | None]:
        await world.join()
        row = await world.one("accounts_by_id", ids=["acme"])
        return row["plan"], row["monthly"]

    async def feed(source: str, **row: Any) -> None:
        body = json.dumps({"id": "acme", "source": source, **row})
        await world.control.inbox.add_many([Arrival(world.store.tenant, source, "accounts", "acme", world.clock(), body)])

    await feed("crm", plan="pro", mrr=900, currency="EUR")
    world.clock.forward(60)
    await feed("billing", plan="free")
    assert await plan() == ("free", 900.0)
    assert await world.control.inbox.again("crm", None, world.store.tenant) == 1
    assert await plan() == ("free", 900.0)
    world.clock.forward(60)
    await feed("crm", name="Acme")
    assert await plan() == ("free", None)
