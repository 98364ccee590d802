"""One collector joins for all, and another when it falls silent."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sojourn_collector.config import ImpactConfig, Windows
from sojourn_collector.join.ranges import AllNodes, progress_name
from sojourn_collector.join.turn import Turn
from sojourn_collector.join.versions import Versions
from sojourn_collector.join.worker import JoinWorker
from sojourn_collector.sources import normalise
from sojourn_collector.store.client import Store
from sojourn_collector.store.control import Arrival, Control
from sojourn_collector.store.control.leases import LeaseLostError
from sojourn_collector.store.control.postgres import PostgresAddress
from sojourn_collector.store.numbering import first_of
from tests.collector.join.world import Browser, Loaded, journeys

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Hands:
    """A monotonic clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def control(postgres_database: PostgresAddress) -> Iterator[Control]:
    """An open control database."""
    one = Control.open(postgres_database)
    yield one
    one.close()


async def held(turn: Turn) -> None:
    """Wait until it is its turn."""
    async with asyncio.timeout(20):
        while not turn.held:
            await asyncio.sleep(0.01)


async def test_another_takes_over(control: Control) -> None:
    """The second waits as long as the first renews; when that stops without a word, it works within the lease's time; never both."""
    turns = [Turn(control.leases, node, lambda: START, seconds=2.0) for node in (0, 1)]
    working: list[int] = []

    async def work(node: int) -> None:
        working.append(node)
        assert len(working) == 1
        try:
            await asyncio.Event().wait()
        finally:
            working.remove(node)

    first = asyncio.create_task(turns[0].run(lambda: work(0)))
    await held(turns[0])
    second = asyncio.create_task(turns[1].run(lambda: work(1)))
    await asyncio.sleep(2.5)  # longer than a lease that is not renewed
    assert (working, turns[1].held, turns[1].holder) == ([0], False, 0)
    turns[0]._leases.give_back = _nothing  # type: ignore[method-assign,assignment]
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    async with asyncio.timeout(20):
        while working != [1]:
            await asyncio.sleep(0.01)
    assert (turns[1].held, turns[1].holder) == (True, 1)
    second.cancel()
    await asyncio.gather(second, return_exceptions=True)


async def _nothing(*_: object) -> None:
    """Says nothing, as one that was killed."""


async def test_versions_grow_across_holders(control: Control) -> None:
    """What the next holder gives out lies above all of the one before, also when that one's clock was ahead and it never said how far it was."""
    ahead = Turn(control.leases, 0, lambda: START + timedelta(minutes=10))
    assert await ahead._take()
    assert ahead.lease is not None
    versions = Versions(lambda: START + timedelta(minutes=10), ahead.lease.reserved, ahead)
    given = [versions.next() for _ in range(5)]
    assert given == sorted(set(given))
    await control.leases.give_back(ahead.lease)  # as if its time had run out
    after = Turn(control.leases, 1, lambda: START)
    assert await after._take()
    assert after.lease is not None
    assert Versions(lambda: START, after.lease.reserved, after).next() > given[-1]


async def test_one_that_stood_still_gives_nothing(control: Control) -> None:
    """After its lease's time a holder gives out no version, before anybody told it; nor does it beyond what is reserved."""
    hands = Hands()
    turn = Turn(control.leases, 0, lambda: START, clock=hands)
    assert await turn._take()
    versions = Versions(lambda: START, 0, turn)
    versions.next()
    with pytest.raises(LeaseLostError):
        turn.give(turn.ceiling + 1)
    hands.now += 6.0
    with pytest.raises(LeaseLostError):
        versions.next()


async def test_an_error_of_the_work_gives_the_turn_back(control: Control) -> None:
    """What fails is raised, and another may join at once."""
    turn = Turn(control.leases, 0, lambda: START)

    async def fails() -> None:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        await turn.run(fails)
    assert await control.leases.holder("join") is None


class TestJoin:
    """The join over the journals of all nodes."""

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        """Where journeys are."""
        return tmp_path / "journeys"

    def worker(self, control: Control, store: Store, folder: Path, node: int, loaded: Loaded, turn: Turn) -> JoinWorker:
        """The worker of a node."""
        impact = ImpactConfig(windows=Windows(abandon=1800.0))
        ranges = AllNodes(control.nodes, node, loaded)
        return JoinWorker(store, control, journeys(folder), impact, loaded, normalise=normalise, ranges=ranges, turn=turn)

    async def test_what_any_node_loaded_is_joined(self, control: Control, store: Store, folder: Path) -> None:
        """The holder joins what another node loaded and rows that came in by another; the next holder goes on where it stopped."""
        rows = [await control.nodes.register(name, "h", 600.0) for name in "ab"]
        start = datetime.now(UTC) - timedelta(minutes=5)
        shopper = Browser("s-of-b", start, user_id="u1")
        await store.insert("spans", [{"seq": first_of(1) + 1, **shopper.page(0, "/")}, {"seq": first_of(1) + 1, **shopper.page(2, "/cart")}])
        assert await control.nodes.beat(rows[1], 600.0, first_of(1) + 1, first_of(1) + 1)
        loaded = Loaded()
        turn = Turn(control.leases, 0, lambda: datetime.now(UTC))
        assert await turn._take()
        first = self.worker(control, store, folder, 0, loaded, turn)
        await first.catch_up()
        (run,) = await store.query("visit_runs", since=start - timedelta(days=1), sessions=["s-of-b"])
        assert await control.progress.get(progress_name(1)) == first_of(1) + 1
        assert turn.lease is not None
        await control.leases.give_back(turn.lease)
        turn_b = Turn(control.leases, 1, lambda: datetime.now(UTC))
        assert await turn_b._take()
        loaded_b = Loaded()
        await loaded_b.done(first_of(1) + 2)
        await store.insert("spans", [{"seq": first_of(1) + 2, **shopper.page(3, "/checkout/pay")}])
        second = self.worker(control, store, folder, 1, loaded_b, turn_b)
        await control.inbox.add_many([Arrival(store.tenant, "api", "feedback", "f-1", datetime.now(UTC), "{}")])
        await second.catch_up()
        assert second.joined_seq == first_of(1) + 2
        assert await control.progress.get(progress_name(1)) == first_of(1) + 2
        assert await control.inbox.count_waiting() == 0
        (longer,) = await store.query("visit_runs", since=start - timedelta(days=1), sessions=["s-of-b"])
        assert (longer["run_id"], longer["ended"] > run["ended"]) == (run["run_id"], True)
        await loaded.done(1)
        await store.insert("spans", [{"seq": 1, **shopper.page(4, "/")}])
        with pytest.raises(LeaseLostError):  # the first has not noticed; its progress is refused
            await first.catch_up()
        assert await control.progress.get(progress_name(0)) == 0
