"""The shop's feeds to the collector."""

import asyncio
from datetime import UTC, datetime, timedelta

import httpx2
import pytest

from sojourn_demo.shop.feeds import Feed, Feeds
from tests.demo.conftest import Receiver, Running


async def test_introduces_itself(running: Running, receiver: Receiver) -> None:
    """Accounts and people are sent with the key; a person's account only where there is one."""
    for feed in running.shop.feeds.all:
        assert await feed.send(running.client)
    assert receiver.keys == {"Bearer sj_test_key"}
    assert receiver.rows["accounts"] == [
        {"id": "a1", "name": "Otter Camps", "plan": "Team", "segment": "mid", "mrr": "290.00", "owner": "Kim", "currency": "EUR"}
    ]
    assert [row.get("account_id") for row in receiver.rows["people"]] == ["a1", None]


async def test_watermark_without_orders(receiver: Receiver) -> None:
    """The orders feed says how far it is even when nothing was sold; the feedback feed says nothing."""
    moment = datetime(2026, 5, 1, 12, tzinfo=UTC)
    async with httpx2.AsyncClient(trust_env=False, timeout=60) as client:
        assert await Feed("orders", receiver.url, "k", watermark=True, now=lambda: moment).send(client)
        assert await Feed("feedback", receiver.url, "k").send(client)
    assert receiver.watermarks == ["2026-05-01T12:00:00+00:00"]
    assert receiver.rows == {"orders": []}


async def test_no_watermark_while_rows_wait(receiver: Receiver) -> None:
    """A batch that does not hold all waiting rows claims no watermark."""
    feed = Feed("orders", receiver.url, "k", watermark=True)
    feed.waiting = [{"id": str(number)} for number in range(1001)]
    async with httpx2.AsyncClient(trust_env=False, timeout=60) as client:
        assert await feed.send(client)
        assert receiver.watermarks == []
        assert await feed.send(client)
    assert len(receiver.watermarks) == 1
    assert [row["id"] for row in receiver.rows["orders"]] == [str(number) for number in range(1001)]


@pytest.mark.parametrize("status", [401, 429, 500, 503])
async def test_rows_wait_while_refused(receiver: Receiver, status: int) -> None:
    """Rows stay in line until the collector has taken them."""
    receiver.answers = [status]
    feed = Feed("feedback", receiver.url, "k")
    feed.add_now({"id": "s1"})
    async with httpx2.AsyncClient(trust_env=False, timeout=60) as client:
        assert not await feed.send(client)
        assert len(feed.waiting) == 1
        assert await feed.send(client)
    assert [row["id"] for row in receiver.rows["feedback"]] == ["s1"]
    assert (feed.waiting, feed.sent, feed.refused) == ([], 1, 0)


async def test_bad_rows_do_not_block(receiver: Receiver) -> None:
    """Rows the collector calls wrong are counted and let go."""
    receiver.answers = [400]
    feed = Feed("feedback", receiver.url, "k")
    feed.add({"id": "s1"})
    async with httpx2.AsyncClient(trust_env=False, timeout=60) as client:
        assert await feed.send(client)
    assert (feed.waiting, feed.sent, feed.refused) == ([], 0, 1)


async def test_collector_away() -> None:
    """A collector that cannot be reached costs nothing but patience."""
    feed = Feed("orders", "http://127.0.0.1:9", "k", watermark=True)
    feed.add_now({"id": "o1"})
    async with httpx2.AsyncClient(trust_env=False, timeout=60) as client:
        assert not await feed.send(client)
    assert len(feed.waiting) == 1


async def test_feeds_send_by_themselves(receiver: Receiver) -> None:
    """The running feeds deliver a row, and watermarks grow."""
    feeds = Feeds(receiver.url, "k", every=0.02)
    feeds.orders.add_now({"id": "o1"})
    task = asyncio.create_task(feeds.run())
    try:
        async with asyncio.timeout(10):
            while len(receiver.watermarks) < 3:
                await asyncio.sleep(0.01)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert [row["id"] for row in receiver.rows["orders"]] == ["o1"]
    marks = [datetime.fromisoformat(mark) for mark in receiver.watermarks]
    assert marks == sorted(marks)
    assert marks[-1] - marks[0] < timedelta(seconds=10)
