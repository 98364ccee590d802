"""A batch sent to several collectors is stored once, wherever one of them dies. The crash points are those of docs/decisions/0013-several-collectors.md."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sojourn_collector.store.control.claims import BatchName
from sojourn_collector.store.control.postgres import PostgresAddress
from sojourn_collector.store.engine_process import Endpoint
from tests.collector.several.rig import Node, Rig, full_disk, request, until
from tests.postgres_server import PostgresServer

ELSEWHERE = "503 Another collector has this batch in work; come back in a second."


@pytest.fixture
async def rig(tmp_path: Path, engine: Endpoint, postgres_database: PostgresAddress) -> AsyncIterator[Rig]:
    """The place of the collectors."""
    one = Rig(tmp_path, engine, postgres_database)
    yield one
    await one.close()


async def two(rig: Rig) -> tuple[Node, Node]:
    """Two collectors."""
    return await rig.node("a"), await rig.node("b")


async def only_claimed(node: Node, batch: str, body: bytes) -> None:
    """The node dies after the claim, before anything is on its disk."""

    async def dies(*_: object) -> int:
        raise asyncio.CancelledError

    node.journal.append = dies  # type: ignore[method-assign,assignment]
    node.several.claiming.not_kept = lambda name: None  # type: ignore[method-assign]
    with pytest.raises(asyncio.CancelledError):
        await node.send(batch, body)


async def test_numbers_of_their_own(rig: Rig) -> None:
    """Each collector's journal counts in a range of its own, and goes on in it after a restart; its rows in the tables carry it."""
    a, b = await two(rig)
    for node in (a, b):
        batch, body = request()
        assert await node.send(batch, body) == 200
        await node.loaded()
        assert await rig.count(batch) == 3
    assert (a.number, b.number, a.journal.last_seq, b.journal.last_seq) == (0, 1, 1, 2**48 + 1)
    await b.die()
    again = await b.again()
    assert (again.number, again.journal.last_seq, again.several.node.epoch) == (1, 2**48 + 1, 2)


async def test_sent_to_both_at_once(rig: Rig) -> None:
    """One stores it, the other says to come back or knows it already; a repeat to either is 200; it is in the table once."""
    a, b = await two(rig)
    batch, body = request()
    answers = await asyncio.gather(*(node.send(batch, body) for node in (a, b, a, b)))
    assert 200 in answers
    assert set(answers) <= {200, ELSEWHERE}
    await a.loaded()
    await b.loaded()
    assert [await a.send(batch, body), await b.send(batch, body), await rig.count(batch)] == [200, 200, 3]


async def test_another_body(rig: Rig) -> None:
    """A batch id belongs to one body on every collector, in work or loaded."""
    a, b = await two(rig)
    batch, body = request()
    conflict = f"409 Batch {batch} was accepted before with another body; a batch id belongs to one body for ever."
    assert await a.send(batch, body) == 200
    assert await b.send(batch, request()[1]) == conflict
    await a.loaded()
    assert await b.send(batch, request()[1]) == conflict


async def test_dies_after_the_claim(rig: Rig) -> None:
    """1: the other takes over once the dead one is silent; that one finds nothing of it when it comes back."""
    a, b = await two(rig)
    batch, body = request()
    await only_claimed(a, batch, body)
    assert await b.send(batch, body) == ELSEWHERE
    await a.die()
    await a.silent()
    assert await b.send(batch, body) == 200
    again = await a.again()
    await again.loaded()
    await b.loaded()
    assert [await again.send(batch, body), await rig.count(batch)] == [200, 3]


async def test_back_before_anybody_asks(rig: Rig) -> None:
    """1: a node that comes back gives up what it had only claimed, at once and for all."""
    a, b = await two(rig)
    batch, body = request()
    await only_claimed(a, batch, body)
    await a.die()
    await a.again()
    assert await b.send(batch, body) == 200
    await b.loaded()
    assert await rig.count(batch) == 3


async def test_dies_with_it_on_disk(rig: Rig) -> None:
    """2, 3: the other takes over and stores it; the one that comes back leaves its record out, and the other records of the file are loaded."""
    a, b = await two(rig)
    (batch, body), (beside, beside_body) = request(), request()
    assert [await a.send(batch, body), await a.send(beside, beside_body)] == [200, 200]
    await a.die()
    await a.silent()
    assert await b.send(batch, body) == 200
    await b.loaded()
    again = await a.again()
    await again.loaded()
    assert [await rig.count(batch), await rig.count(beside)] == [3, 3]
    assert [await again.send(batch, body), await b.send(beside, beside_body)] == [200, 200]
    assert again.batches._unloaded == {}


async def test_back_with_it_on_disk(rig: Rig) -> None:
    """2, 3: back before anybody asked, it settles at once; a repeat to the other is 200 though nothing is loaded yet."""
    a, b = await two(rig)
    batch, body = request()
    assert await a.send(batch, body) == 200
    await a.die()
    again = await a.again()
    assert await b.send(batch, body) == 200
    await b.loaded()
    await again.loaded()
    assert await rig.count(batch) == 3


async def test_stands_still_for_longer_than_its_lease(rig: Rig) -> None:
    """4: it was not dead, and goes on after the other took over and loaded: it leaves its record out, whatever it thinks of the time."""
    a, b = await two(rig)
    batch, body = request()
    assert await a.send(batch, body) == 200
    await a.silent()
    assert await b.send(batch, body) == 200
    await b.loaded()
    await a.loaded()
    assert [await rig.count(batch), await a.send(batch, body)] == [3, 200]


async def test_dies_after_taking_over(rig: Rig) -> None:
    """5: a claim that was taken over by a node that dies before it has the batch does not cost the first one's record."""
    a, b = await two(rig)
    batch, body = request()
    assert await a.send(batch, body) == 200
    await a.silent()
    await only_claimed(b, batch, body)
    a.load()
    await until(lambda: "has 1 batches that another collector has in work" in a.loader.trouble, "the loader to wait for the other")
    assert await rig.count(batch) == 0
    await b.die()
    await b.silent()
    await a.loaded()
    again = await b.again()
    assert [await again.send(batch, body), await rig.count(batch)] == [200, 3]


async def test_dies_when_it_is_settled(rig: Rig) -> None:
    """6: settled and not loaded, it is this node's for ever: the other answers 200 and stores nothing; it is loaded when the node comes back."""
    a, b = await two(rig)
    batch, body = request()
    assert await a.send(batch, body) == 200
    await a.several.claiming.flush()
    await a.die()
    await a.silent()
    assert await b.send(batch, body) == 200
    await b.loaded()
    assert await rig.count(batch) == 0
    await (await a.again()).loaded()
    assert await rig.count(batch) == 3


async def test_dies_when_it_is_loaded(rig: Rig) -> None:
    """7: loaded, and the file still there: it is loaded again under its token, which stores nothing."""
    a, b = await two(rig)
    batch, body = request()
    assert await a.send(batch, body) == 200

    async def dies(_: object) -> None:
        raise RuntimeError("killed")

    a.journal.resolve = dies  # type: ignore[method-assign,assignment]
    with pytest.raises(RuntimeError, match="killed"):
        await a.loader.run()
    assert await rig.count(batch) == 3
    await a.die()
    await a.silent()
    assert await b.send(batch, body) == 200
    await (await a.again()).loaded()
    await b.loaded()
    assert await rig.count(batch) == 3


async def test_a_full_disk(rig: Rig) -> None:
    """8: what could not be kept is given up, and the other takes it; so is what was refused for its body."""
    a, b = await two(rig)
    a.background()
    batch, body = request()
    with full_disk(a.journal):
        assert str(await a.send(batch, body)).startswith("503 The request cannot be kept just now")
    assert str(await a.send("malformed", b"\xff")).startswith("400 ")

    async def given_up() -> bool:
        return await a.control.ledger.find("local", "/v1/traces", "malformed") is None and await b.send(batch, body) == 200

    async with asyncio.timeout(20):
        while not await given_up():
            await asyncio.sleep(0.05)
    await b.loaded()
    assert [await a.send(batch, body), await rig.count(batch)] == [200, 3]


async def test_the_engine_is_away(rig: Rig) -> None:
    """What waits long for the engine is settled all the same, so that the other answers a repeat."""
    a, b = await two(rig)
    a.background()
    batch, body = request()
    assert await a.send(batch, body) == 200
    async with asyncio.timeout(20):
        while await b.send(batch, body) != 200:
            await asyncio.sleep(0.1)
    assert b.journal.waiting_bytes == 0
    await a.loaded()
    assert await rig.count(batch) == 3


async def test_the_database_goes_away(tmp_path: Path, engine: Endpoint, postgres: PostgresServer) -> None:
    """Without it batches are 503 and what needs no database is taken; nothing waits for ever; all comes back by itself, and is stored once."""
    database = postgres.new()
    rig = Rig(tmp_path, engine, database)
    a = await rig.node("a")
    batch, body = request()
    assert await a.send(batch, body) == 200
    postgres.stop()
    try:
        late, late_body = request()
        assert str(await a.send(late, late_body)).startswith("503 The control database cannot be used just now (")
        assert await a.send("", late_body) == 200
        a.load()
        await until(lambda: "cannot be settled: The control database cannot be used just now" in a.loader.trouble, "the loader to say why it waits")
        assert a.control.database.trouble
    finally:
        postgres.start()
    assert await a.send(late, late_body) == 200
    await a.loaded()
    assert [await rig.count(batch), await rig.count(late), a.control.database.trouble] == [3, 6, ""]
    await rig.close()
    postgres.drop(database)


async def test_a_lost_answer_to_a_claim(rig: Rig) -> None:
    """A claim whose commit was done and whose answer was lost is the node's own at its next try."""
    a, b = await two(rig)
    batch, body = request()
    name = BatchName("local", "/v1/traces", batch)
    await a.several.claims.claim(name, hashlib.sha256(body).hexdigest(), datetime.now(UTC))
    assert await b.send(batch, body) == ELSEWHERE
    assert await a.send(batch, body) == 200
    await a.loaded()
    assert [await b.send(batch, body), await rig.count(batch)] == [200, 3]
