"""What comes before the record it names is linked when that record comes: people by their address, tickets, orders."""

from datetime import timedelta
from typing import Any

import pytest

from sojourn_collector.join import relink
from sojourn_collector.store.client import EngineUnavailable
from tests.collector.join.working import at, buys, keep, shopper, table
from tests.collector.join.world import World

SCORE = {"kind": "csat", "value": 4, "scale_min": 1, "scale_max": 5}
MAIL = "joe@example.com"
Given = dict[str, Any]


async def links(world: World, name: str) -> list[tuple[str, str, str]]:
    """Each row's id, kind of link and session."""
    return [(row["id"], row["join"], row["session_id"]) for row in await table(world, name)]


async def sent(world: World, kind: str, id_: str, **keys: Any) -> None:
    """A record of now, joined before anything else comes."""
    own: dict[str, Given] = {"feedback": SCORE, "orders": {"amount": 5, "currency": "EUR"}, "tickets": {}, "invitations": {"survey_id": "s"}, "people": {}}
    when = {} if kind == "people" else {"at": at(world.clock())}
    await keep(world, kind, id=id_, **own[kind], **when, **keys)
    await world.join()


@pytest.mark.parametrize("kind", ["feedback", "tickets", "orders", "invitations"])
async def test_a_person_who_comes_late_is_found_by_the_address(world: World, kind: str) -> None:
    """Whatever carried an address alone gets its person, and that person's last visit, when people with that address come."""
    await world.load(*buys(shopper(world, user_id="u1")))
    await sent(world, kind, "r-1", email=MAIL)
    await sent(world, kind, "r-2", email="ann@example.com")
    assert await links(world, kind) == [("r-1", "unlinked", ""), ("r-2", "unlinked", "")]
    await sent(world, "people", "u1", email=MAIL)
    assert await links(world, kind) == [("r-1", "inferred", "s-1"), ("r-2", "unlinked", "")]
    assert [(row["user_id"], row["person_id"]) for row in await table(world, kind)] == [("u1", "user:u1"), ("", "")]


async def test_a_person_without_a_visit_is_known_all_the_same(world: World) -> None:
    """An answer by address of somebody never seen gets the person's name; a person told of with another address later brings that one's answers."""
    await sent(world, "feedback", "f-1", email=MAIL)
    await sent(world, "feedback", "f-2", email="joe@work.example")
    await sent(world, "people", "u1", email=MAIL)
    assert [row["person_id"] for row in await table(world, "feedback")] == ["user:u1", ""]
    await sent(world, "people", "u1", email="joe@work.example")
    assert [row["person_id"] for row in await table(world, "feedback")] == ["user:u1", "user:u1"]


@pytest.mark.parametrize("kind", ["feedback", "invitations"])
async def test_a_ticket_that_comes_late_brings_what_names_it(world: World, kind: str) -> None:
    """An answer or invitation that names a ticket is linked for certain once the ticket is there and is."""
    await world.load(*buys(shopper(world)))
    await sent(world, kind, "r-1", ticket_id="77")
    await sent(world, kind, "r-2", ticket_id="78")
    await sent(world, "tickets", "77", session_id="s-1")
    assert await links(world, kind) == [("r-1", "explicit", "s-1"), ("r-2", "unlinked", "")]


@pytest.mark.parametrize("kind", ["feedback", "tickets", "invitations"])
async def test_an_order_that_comes_late_brings_what_names_it(world: World, kind: str) -> None:
    """An answer, ticket or invitation that names an order is linked for certain once the order is there and is."""
    await world.load(*buys(shopper(world)))
    await sent(world, kind, "r-1", order_id="o-77")
    await sent(world, kind, "r-2", order_id="o-78")
    await sent(world, "orders", "o-77", session_id="s-1")
    assert await links(world, kind) == [("r-1", "explicit", "s-1"), ("r-2", "unlinked", "")]


async def test_a_chain_of_names_is_followed(world: World) -> None:
    """An answer names a ticket, the ticket an order, and the order comes last: all three are of its visit."""
    await world.load(*buys(shopper(world)))
    await sent(world, "feedback", "f-1", ticket_id="77")
    await sent(world, "tickets", "77", order_id="o-77")
    await sent(world, "orders", "o-77", session_id="s-1")
    assert await links(world, "tickets") == [("77", "explicit", "s-1")]
    assert await links(world, "feedback") == [("f-1", "explicit", "s-1")]


async def test_beacons_that_come_last_link_the_chain(world: World) -> None:
    """Answer, ticket and order are all there before the beacons of the visit that the order names: then all are of it."""
    await sent(world, "feedback", "f-1", ticket_id="77")
    await sent(world, "invitations", "i-1", order_id="o-77")
    await sent(world, "tickets", "77", order_id="o-77")
    await sent(world, "orders", "o-77", session_id="s-1")
    assert await links(world, "feedback") == [("f-1", "unlinked", "")]
    await world.load(*buys(shopper(world)))
    await world.join()
    assert [(await links(world, kind))[0][1:] for kind in ("orders", "tickets", "feedback", "invitations")] == [("explicit", "s-1")] * 4


async def test_all_in_one_batch_are_linked_at_once(world: World) -> None:
    """Answer, ticket, order and person of one batch find each other, in whatever order they came."""
    await world.load(*buys(shopper(world, user_id="u1")))
    await keep(world, "feedback", id="f-1", **SCORE, at=at(world.clock()), ticket_id="77")
    await keep(world, "feedback", id="f-2", **SCORE, at=at(world.clock()), email=MAIL)
    await keep(world, "tickets", id="77", at=at(world.clock()), order_id="o-77")
    await keep(world, "orders", id="o-77", at=at(world.clock()), amount=5, currency="EUR", session_id="s-1")
    await keep(world, "people", id="u1", email=MAIL)
    await world.join()
    await world.join()
    assert await links(world, "feedback") == [("f-1", "explicit", "s-1"), ("f-2", "inferred", "s-1")]


async def test_an_order_of_a_vendor_brings_what_names_its_purchase(world: World) -> None:
    """An answer names the shop's order, which a payment provider tells of later under an id of its own; it is linked by either."""
    await world.load(*buys(shopper(world)))
    await sent(world, "feedback", "f-1", order_id="shop-9")
    await sent(world, "feedback", "f-2", order_id="pi_1")
    await sent(world, "orders", "pi_1", source="pay", purchase_id="shop-9", session_id="s-1")
    assert sorted(await links(world, "feedback")) == [("f-1", "explicit", "s-1"), ("f-2", "explicit", "s-1")]


async def test_an_answer_weeks_after_its_order_finds_it(world: World) -> None:
    """A survey sent three weeks after the order is of the visit in which it was placed, whichever of the two records comes first."""
    await world.load(*buys(shopper(world, ago=21 * 86_400)))
    await world.join()
    placed = at(world.clock() - timedelta(days=21))
    await sent(world, "feedback", "f-1", order_id="o-77")
    await keep(world, "orders", id="o-77", at=placed, amount=5, currency="EUR", session_id="s-1")
    await world.join()
    await sent(world, "feedback", "f-2", order_id="o-77")
    assert await links(world, "feedback") == [("f-1", "explicit", "s-1"), ("f-2", "explicit", "s-1")]


async def test_more_than_a_page_of_rows_is_linked(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows are read a page at a time and each is linked once; those of others keep their version."""
    monkeypatch.setattr(relink, "_PAGE", 2)
    await world.load(*buys(shopper(world)))
    for n in range(7):
        await keep(world, "feedback", id=f"f-{n}", **SCORE, at=at(world.clock()), order_id="o-77" if n < 5 else "o-78")
    await world.join()
    before = {row["id"]: row["version"] for row in await table(world, "feedback")}
    await sent(world, "orders", "o-77", session_id="s-1")
    after = await table(world, "feedback")
    assert [row["join"] for row in after] == ["explicit"] * 5 + ["unlinked"] * 2
    assert [row["version"] > before[row["id"]] for row in after] == [True] * 5 + [False] * 2


async def test_a_person_told_of_again_is_not_looked_for_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same person with the same address, as SDKs tell at every page, asks nothing of the tables of answers, tickets and orders."""
    await sent(world, "people", "u1", email=MAIL)
    asked: list[str] = []
    plain = world.store.query

    async def query(name: str, **more: Any) -> list[dict[str, Any]]:
        asked.append(name)
        return await plain(name, **more)

    monkeypatch.setattr(world.store, "query", query)
    await sent(world, "people", "u1", email=MAIL)
    assert "join_people_known" in asked
    assert not [name for name in asked if name.endswith("_naming")]


async def test_what_was_broken_off_is_done_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A person whose answers could not be linked for the engine was gone is still new at the next try."""
    await sent(world, "feedback", "f-1", email=MAIL)
    plain, gone = world.store.insert, True

    async def insert(name: str, rows: Any) -> None:
        if gone and name in ("feedback", "people"):
            raise EngineUnavailable("gone")
        await plain(name, rows)

    monkeypatch.setattr(world.store, "insert", insert)
    with pytest.raises(EngineUnavailable):
        await sent(world, "people", "u1", email=MAIL)
    gone = False
    await world.join()
    assert [row["person_id"] for row in await table(world, "feedback")] == ["user:u1"]
