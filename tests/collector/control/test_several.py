"""What several collectors keep in the control database: nodes, leases, claims. The same facts on SQLite and PostgreSQL."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from sojourn_collector.store.control import Control
from sojourn_collector.store.control.claims import BatchName, Claim, Claims, Entry, Whose
from sojourn_collector.store.control.errors import ControlError
from sojourn_collector.store.control.leases import LeaseLostError
from sojourn_collector.store.control.tables import leases, nodes
from sojourn_collector.store.numbering import first_of, node_of

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LONG = 600.0
ONE = BatchName("key-1", "/v1/traces", "batch-1")
BODY, OTHER = "aa" * 32, "bb" * 32


async def silent(control: Control, number: int) -> None:
    """The node's last heartbeat is long ago."""
    await control.database.write(lambda c: c.execute(update(nodes).where(nodes.c.number == number).values(alive_until=NOW - timedelta(days=1))))


async def expired(control: Control, name: str) -> None:
    """The lease was not renewed for long."""
    await control.database.write(lambda c: c.execute(update(leases).where(leases.c.name == name).values(until=NOW - timedelta(days=1))))


class TestNodes:
    """Numbers of collectors."""

    async def test_a_node_keeps_its_number(self, control: Control) -> None:
        """The first is 0, each new name the next; the same name again is a new epoch of the same node; sequence numbers tell the node."""
        first, second = await control.nodes.register("a", "host-a", LONG), await control.nodes.register("b", "host-b", LONG)
        again = await control.nodes.register("a", "host-c", LONG)
        assert [(one.number, one.epoch, one.alive) for one in (first, second, again)] == [(0, 1, True), (1, 1, True), (0, 2, True)]
        assert (again.host, second.last_seq, second.loaded_seq) == ("host-c", first_of(1), first_of(1))
        assert [node_of(first_of(n) + count) for n in (0, 1, 32_767) for count in (1, 2**48 - 1)] == [0, 0, 1, 1, 32_767, 32_767]

    async def test_a_number_of_ones_own(self, control: Control) -> None:
        """A journal's number is kept when it is free, and refused when it is another's."""
        assert (await control.nodes.register("a", "h", LONG, 3)).number == 3
        assert (await control.nodes.register("b", "h", LONG)).number == 4
        with pytest.raises(ControlError) as caught:
            await control.nodes.register("c", "h", LONG, 3)
        assert str(caught.value) == (
            "the journal of this collector has the numbers of node 3, which is another collector's in this control database; "
            "run it once more with its former control database until everything is loaded, then move its folder journal away"
        )

    async def test_two_that_start_at_once(self, control: Control) -> None:
        """Every one of eight that register at the same moment has a number of its own."""
        rows = await asyncio.gather(*(control.nodes.register(f"n{n}", "h", LONG) for n in range(8)))
        assert sorted(row.number for row in rows) == list(range(8))

    async def test_the_heartbeat(self, control: Control) -> None:
        """It publishes how far a node is; an older epoch of the node is told that it is over; silence is not alive."""
        old = await control.nodes.register("a", "h", LONG)
        assert await control.nodes.beat(old, LONG, 9, 7)
        new = await control.nodes.register("a", "h", LONG)
        assert not await control.nodes.beat(old, LONG, 10, 10)
        assert [(row.last_seq, row.loaded_seq, row.alive) for row in await control.nodes.list()] == [(9, 7, True)]
        assert await control.nodes.beat(new, 0.0, 9, 8)
        assert [(row.loaded_seq, row.alive) for row in await control.nodes.list()] == [(8, False)]


class TestLeases:
    """What one collector at a time may do."""

    async def test_one_holds_it(self, control: Control) -> None:
        """While it is held only its holder gets it, under a higher fence each time; given back anybody does."""
        first = await control.leases.take("join", 0, LONG)
        assert first is not None
        assert await control.leases.take("join", 1, LONG) is None
        assert await control.leases.holder("join") == 0
        again = await control.leases.take("join", 0, LONG)
        assert again is not None
        assert again.fence > first.fence
        await control.leases.give_back(first)  # a former one gives nothing back
        assert await control.leases.take("join", 1, LONG) is None
        await control.leases.give_back(again, 17)
        assert await control.leases.holder("join") is None
        other = await control.leases.take("join", 1, LONG)
        assert other is not None
        assert (other.fence > again.fence, other.reserved) == (True, 17)

    async def test_at_once(self, control: Control) -> None:
        """Of eight nodes that ask at the same moment one gets it."""
        found = await asyncio.gather(*(control.leases.take("join", node, LONG) for node in range(8)))
        assert sum(one is not None for one in found) == 1

    async def test_a_silent_holder_is_fenced_off(self, control: Control) -> None:
        """A lease that was not renewed is taken over; the former holder renews nothing and writes no progress; reserved numbers stand."""
        old = await control.leases.take("join", 0, LONG)
        assert old is not None
        assert await control.leases.renew(old, LONG, 1000)
        await expired(control, "join")
        new = await control.leases.take("join", 1, LONG)
        assert new is not None
        assert new.reserved == 1000
        assert not await control.leases.renew(old, LONG, 5000)
        await control.progress.set_many({"joined_seq": 5}, new)
        with pytest.raises(LeaseLostError):
            await control.progress.set_many({"joined_seq": 3}, old)
        assert await control.progress.get("joined_seq") == 5
        assert await control.leases.renew(new, LONG, 500)
        await expired(control, "join")
        last = await control.leases.take("join", 2, LONG)
        assert last is not None
        assert last.reserved == 1000  # never lower


Two = tuple[Claims, Claims]


@pytest.fixture
async def two(control: Control) -> Two:
    """The claims of two living nodes."""
    rows = [await control.nodes.register(name, "h", LONG) for name in "ab"]
    a, b = (Claims(control.database, row.number) for row in rows)
    return a, b


def entry(claims: Claims, count: int = 1, body: str = BODY) -> Entry:
    """A batch in a node's journal."""
    return Entry(first_of(claims.node) + count, body, NOW)


class TestClaims:
    """To whom a batch belongs."""

    async def test_one_claims_it(self, two: Two) -> None:
        """The other has to wait while it is in work, and knows it when it is settled; asking again changes nothing."""
        a, b = two
        assert await a.claim(ONE, BODY, NOW) == Claim(Whose.OURS, BODY, 0)
        assert await b.claim(ONE, BODY, NOW) == Claim(Whose.UNDECIDED, BODY, 0)
        assert (await a.claim(ONE, BODY, NOW)).whose is Whose.OURS
        assert await a.settle({ONE: entry(a)}) == {ONE: Whose.OURS}
        assert await b.claim(ONE, BODY, NOW) == Claim(Whose.SETTLED, BODY, 0)
        assert await b.settle({ONE: entry(b)}) == {ONE: Whose.SETTLED}
        assert await a.settle({ONE: entry(a, 2)}) == {ONE: Whose.OURS}

    async def test_at_once(self, two: Two) -> None:
        """Of many that claim one batch at the same moment on two nodes, one node has it."""
        for number in range(10):
            name = BatchName("k", "/v1/logs", f"b{number}")
            found = await asyncio.gather(*(claims.claim(name, BODY, NOW) for claims in two * 3))
            assert len({one.node for one in found}) == 1
            assert {one.whose for one, claims in zip(found, two * 3, strict=True) if claims.node == found[0].node} == {Whose.OURS}

    async def test_another_body(self, two: Two) -> None:
        """It is told by the digest of the first, in work or settled, and takes nothing over."""
        a, b = two
        await a.claim(ONE, BODY, NOW)
        await silent_of(a, b, 0)
        assert await b.claim(ONE, OTHER, NOW) == Claim(Whose.UNDECIDED, BODY, 0)
        await a.settle({ONE: entry(a)})
        assert await b.claim(ONE, OTHER, NOW) == Claim(Whose.SETTLED, BODY, 0)

    async def test_a_dead_nodes_claim_is_taken_over(self, two: Two, control: Control) -> None:
        """Only when the node is silent; once the other settled it, the one that comes back is told so. What is settled is never taken over."""
        a, b = two
        await a.claim(ONE, BODY, NOW)
        await silent(control, 0)
        assert (await b.claim(ONE, BODY, NOW)).whose is Whose.OURS
        assert await a.settle({ONE: entry(a)}) == {ONE: Whose.UNDECIDED}
        await b.settle({ONE: entry(b)})
        assert await a.settle({ONE: entry(a)}) == {ONE: Whose.SETTLED}
        two_ = ONE._replace(batch_id="batch-2")
        await a.settle({two_: entry(a)})
        assert (await b.claim(two_, BODY, NOW)).whose is Whose.SETTLED

    async def test_it_is_taken_back(self, two: Two, control: Control) -> None:
        """When the node that took over dies before it has the batch on disk, the first, which has, loads it after all."""
        a, b = two
        await a.claim(ONE, BODY, NOW)
        await silent(control, 0)
        await b.claim(ONE, BODY, NOW)
        await silent(control, 1)
        assert await a.settle({ONE: entry(a)}) == {ONE: Whose.OURS}
        assert await b.settle({ONE: entry(b)}) == {ONE: Whose.SETTLED}

    async def test_giving_up(self, two: Two) -> None:
        """What is not on disk others may have; what is settled stays; a claim that is gone is made anew by settling."""
        a, b = two
        names = [ONE._replace(batch_id=f"b{n}") for n in range(3)]
        for name in names:
            await a.claim(name, BODY, NOW)
        await a.settle({names[0]: entry(a)})
        await b.give_up(names)
        await a.give_up(names[:2])
        assert [(await b.claim(name, BODY, NOW)).whose for name in names] == [Whose.SETTLED, Whose.OURS, Whose.UNDECIDED]
        assert await a.give_up_rest() == 1
        assert await a.settle({names[2]: entry(a)}) == {names[2]: Whose.OURS}
        assert await a.settle({}) == {}

    async def test_many(self, two: Two) -> None:
        """More batches than one statement has room for, in both orders at once: each is one node's."""
        a, b = two
        names = [ONE._replace(batch_id=f"b{n}") for n in range(2500)]
        of_a, of_b = await asyncio.gather(a.settle({name: entry(a) for name in names}), b.settle({name: entry(b) for name in reversed(names)}))
        assert all({of_a[name], of_b[name]} == {Whose.OURS, Whose.SETTLED} for name in names)

    async def test_what_was_taken_over_is_remembered_longer(self, two: Two, control: Control) -> None:
        """A node that comes back after a month still learns that its batch is another's."""
        a, b = two
        await a.claim(ONE, BODY, NOW)
        await silent(control, 0)
        await b.claim(ONE, BODY, NOW)
        await b.settle({ONE: entry(b), ONE._replace(batch_id="newest"): entry(b, 9)})
        assert await control.ledger.forget_before(NOW + timedelta(days=31)) == 0
        assert await a.settle({ONE: entry(a)}) == {ONE: Whose.SETTLED}
        assert await control.ledger.forget_before(NOW + timedelta(days=400)) == 1


async def silent_of(a: Claims, b: Claims, number: int) -> None:
    """As `silent`, by any node's database."""
    await a._database.write(lambda c: c.execute(update(nodes).where(nodes.c.number == number).values(alive_until=NOW - timedelta(days=1))))
