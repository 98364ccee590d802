"""Shoppers without a browser."""

import re
from dataclasses import replace

import pytest

from sojourn_demo.shoppers.beacons import BeaconLostError, post_beacon
from sojourn_demo.shoppers.walk import Tally, Walker
from sojourn_demo.shoppers.world import World, draw_world
from tests.demo.conftest import Receiver, Running


async def _at_once(_seconds: float) -> None:
    """Nobody waits in tests."""


def _walker(running: Running, receiver: Receiver) -> Walker:
    return Walker(running.wire, running.url, receiver.url, Tally(), sleep=_at_once)


@pytest.fixture
def world() -> World:
    """A small world."""
    return draw_world(4, 36, 0)


async def test_fates_come_true(running: Running, receiver: Receiver, world: World) -> None:
    """Everybody's tries and orders are exactly those foreseen, whatever the order they walk in, and the feed holds what they paid."""
    running.shop.switchboard.fault = world.fault
    walker = _walker(running, receiver)
    for shopper in reversed(world.incident):
        await walker.walk(shopper, world.fate(shopper))
    assert walker.tally.lost == []
    assert walker.tally.surprises == []
    fates = [world.fate(shopper) for shopper in world.incident]
    assert walker.tally.gone == len(fates)
    assert walker.tally.hit == sum(fate.hit for fate in fates) > 0
    assert sorted(float(row["amount"]) for row in running.shop.feeds.orders.waiting) == sorted(float(fate.y1) for fate in fates if fate.y1)
    seen = {(beacon.get("user") or beacon.get("visitor")) for beacon in receiver.beacons for item in beacon["items"] if item.get("status") == 502}
    assert len(seen - {None}) == sum(world.fate(shopper).hit for shopper in world.incident if shopper.is_person)


async def test_surprise_is_noticed(running: Running, receiver: Receiver, world: World) -> None:
    """A shop that does not do what was foreseen is noticed."""
    shopper = next(shopper for shopper in world.incident if world.fate(shopper).hit)
    walker = _walker(running, receiver)
    await walker.walk(shopper, world.fate(shopper))
    assert len(walker.tally.surprises) == 1


async def test_beacons_have_the_wire_format(running: Running, receiver: Receiver, world: World) -> None:
    """Beacons carry session, page, device, identity by consent, and items whose trace the shop saw."""
    walker = _walker(running, receiver)
    buyer = next(shopper for shopper in world.incident if shopper.kind == "signed_in" and shopper.converts and not shopper.leaves_at)
    stranger = next(shopper for shopper in world.incident if shopper.kind == "anonymous")
    await walker.walk(buyer, world.fate(replace(buyer, returns_after=None)))
    bought = receiver.beacons[:]
    await walker.walk(stranger, world.fate(stranger))
    assert receiver.origins == {running.url}
    assert {beacon["user"] for beacon in bought} == {buyer.user}
    assert not any("user" in beacon or "visitor" in beacon for beacon in receiver.beacons[len(bought) :])
    assert len({beacon["id"] for beacon in receiver.beacons}) == len(receiver.beacons)
    assert len({beacon["session"]["id"] for beacon in bought}) == 1
    items = [item for beacon in bought for item in beacon["items"]]
    assert [item["url"].removeprefix(running.url) for item in items if item["type"] == "page_view"][:2] == ["/", f"/products/{buyer.product}"]
    assert [item["name"] for item in items if item["type"] == "conversion"] == ["order_completed"]
    assert all(re.fullmatch("[0-9a-f]{32}", item["trace"]) for item in items if "trace" in item)
    fetch = next(item for item in items if item["type"] == "fetch")
    await running.flush()
    assert any(span.trace_id.hex() == fetch["trace"] and span.parent_span_id.hex() == fetch["span"] for _, span in receiver.spans)


async def test_beacon_is_sent_again(running: Running, receiver: Receiver) -> None:
    """A beacon that is not taken for now is sent again with the same id; a refused one is given up at once."""
    receiver.answers = [429, 503]
    await post_beacon(running.wire, receiver.url, running.url, {"id": "b1"}, "test")
    assert [beacon["id"] for beacon in receiver.beacons] == ["b1"]
    receiver.answers = [400, 204]
    with pytest.raises(BeaconLostError, match="the agent answered 400"):
        await post_beacon(running.wire, receiver.url, running.url, {"id": "b2"}, "test")
