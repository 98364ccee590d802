"""Tickets, invitations and answers about tickets find their visits; whoever is known by address alone is found through people."""

from datetime import timedelta
from typing import Any

import pytest

from sojourn_collector.sources.email import email_digest
from tests.collector.join.working import at, buys, keep, shopper, table
from tests.collector.join.world import World


@pytest.mark.parametrize("keys", [{"session_id": "s-1"}, {"trace": 4}, {"order_id": "o-5"}, {"user_id": "u1"}])
@pytest.mark.parametrize("kind", ["tickets", "invitations"])
async def test_they_wait_for_their_session(world: World, kind: str, keys: dict[str, Any]) -> None:
    """A row that comes before its beacons is unlinked, and linked as soon as they are there, whatever it is found by."""
    b = shopper(world, user_id="u1")
    named = {"trace_id": b.trace(keys["trace"]).hex()} if "trace" in keys else keys
    await keep(world, kind, id="t-1", at=at(world.clock()), **named)
    await world.join()
    (before,) = await table(world, kind)
    assert (before["join"], before["session_id"]) == ("unlinked", "")
    await world.load(*buys(b, "o-5"))
    await world.join()
    (after,) = await table(world, kind)
    assert after["join"] == ("inferred" if "user_id" in keys else "explicit")
    assert (after["session_id"], after["person_id"]) == ("s-1", "user:u1")


async def test_an_answer_about_a_ticket(world: World) -> None:
    """An answer that names a ticket belongs to the visit the ticket is surely about, in one batch and later."""
    await world.load(*buys(shopper(world, user_id="u1")))
    await world.join()
    for number in (1, 2):
        if number == 1:
            await keep(world, "tickets", id="77", at=at(world.clock()), session_id="s-1")
        await keep(world, "feedback", id=f"f-{number}", kind="csat", value=0, scale_min=0, scale_max=1, at=at(world.clock()), ticket_id="77")
        await world.join()
    assert [(row["session_id"], row["join"], row["person_id"]) for row in await table(world, "feedback")] == [("s-1", "explicit", "user:u1")] * 2


async def test_whoever_is_known_by_address(world: World) -> None:
    """The digest of an address leads to the person of `people`, and to their last visit; an address nobody has leads nowhere."""
    await world.load(*buys(shopper(world, user_id="u1")))
    await keep(world, "people", id="u1", email="joe@example.com")
    await world.join()
    await keep(world, "tickets", id="t-1", at=at(world.clock()), email=" Joe@Example.com")
    await keep(world, "feedback", id="f-1", kind="nps", value=3, at=at(world.clock()), email_sha256=email_digest("joe@example.com"))
    await keep(world, "orders", id="o-9", at=at(world.clock()), amount=5, currency="EUR", email="ann@example.com")
    await world.join()
    (ticket,), (answer,), (order,) = [await table(world, name) for name in ("tickets", "feedback", "orders")]
    assert (ticket["user_id"], ticket["person_id"], ticket["session_id"], ticket["join"]) == ("u1", "user:u1", "s-1", "inferred")
    assert (answer["user_id"], answer["session_id"]) == ("u1", "s-1")
    assert (order["user_id"], order["person_id"], order["join"]) == ("", "", "unlinked")


async def test_subscriptions_reach_the_engine(world: World) -> None:
    """A subscription is a row with its times; a later version replaces it."""
    await keep(world, "subscriptions", id="s", at="2026-01-01T00:00:00Z", mrr="46.00", currency="EUR", renews_at="2027-01-01T00:00:00Z", user_id="u1")
    await keep(world, "subscriptions", id="s", at="2026-01-01T00:00:00Z", status="ended", ended_at="2026-02-01T00:00:00Z", reason="too_expensive")
    await world.join()
    (row,) = await table(world, "subscriptions")
    assert (row["status"], row["mrr"], row["renews_at"], row["reason"]) == ("ended", None, None, "too_expensive")


async def test_a_ticket_keeps_when_it_was_first_received(world: World) -> None:
    """Newer versions of it, in the same batch or a later one, and a link found later change when it was received last, never first."""
    b = shopper(world, user_id="u1")
    first, opened = world.clock(), at(world.clock())
    for status in ("new", "open", "solved"):
        await keep(world, "tickets", id="t-1", at=opened, status=status, session_id="s-1")
        world.clock.moment += timedelta(hours=1)
        if status != "new":
            await world.join()
    await world.load(*buys(b, "o-5"))
    await world.join()
    (row,) = await table(world, "tickets")
    assert (row["status"], row["join"]) == ("solved", "explicit")
    assert (row["first_received"], row["received"]) == (first, first + timedelta(hours=2))
