"""Random histories of three collectors that claim, store, settle, load, die and come back: what was answered 200 is loaded once."""

import itertools
import random
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from sojourn_collector.store.control import Control
from sojourn_collector.store.control.claims import BatchName, Claims, Entry, Whose
from sojourn_collector.store.control.nodes import NodeRow
from sojourn_collector.store.control.tables import nodes
from sojourn_collector.store.numbering import first_of

NODES, BATCHES, SEEDS = 3, 16, 20
BODY = "aa" * 32
STEPS = ("store", "claim and die", "claim and fail", "settle", "load", "die", "silent", "back")
WEIGHTS = (6, 4, 1, 1, 4, 1, 3, 4)
Step = tuple[str, int, int]
_world = itertools.count()


class Collector:
    """What a collector has on disk, and what it does with claims; as `Claiming`, `SharedBooks` and `Several.recover` do."""

    def __init__(self, control: Control, row: NodeRow) -> None:
        self.control, self.row = control, row
        self.claims = Claims(control.database, row.number)
        self.disk: set[BatchName] = set()
        self.running = True

    def entry(self) -> Entry:
        """A batch in its journal."""
        return Entry(first_of(self.row.number) + 1, BODY, datetime.now(UTC))

    async def send(self, name: BatchName, then: str) -> bool:
        """A batch comes in; whether 200 is answered."""
        if name in self.disk:
            return True
        claim = await self.claims.claim(name, BODY, datetime.now(UTC))
        if claim.whose is not Whose.OURS:
            return claim.whose is Whose.SETTLED
        if then == "store":
            self.disk.add(name)
            return True
        if then == "claim and die":
            self.running = False
        else:
            await self.claims.give_up([name])
        return False

    async def load(self, name: BatchName) -> bool:
        """Load a file with this batch; whether rows went into the tables."""
        if name not in self.disk:
            return False
        whose = (await self.claims.settle({name: self.entry()}))[name]
        if whose is Whose.UNDECIDED:
            return False
        self.disk.remove(name)
        return whose is Whose.OURS

    async def silent(self) -> None:
        """Its heartbeat is old."""
        past = datetime.now(UTC) - timedelta(days=1)
        await self.control.database.write(lambda c: c.execute(update(nodes).where(nodes.c.number == self.row.number).values(alive_until=past)))

    async def back(self) -> None:
        """Start, or simply beat again."""
        self.row = await self.control.nodes.register(self.row.id, "h", 600.0)
        if not self.running:
            self.running = True
            await self.claims.settle({name: self.entry() for name in self.disk})
            await self.claims.give_up_rest()


@pytest.fixture(scope="module")
def control(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Control]:
    """One database for all histories; SQLite, for its speed."""
    folder: Path = tmp_path_factory.mktemp("model")
    one = Control.open(folder / "control.sqlite")
    yield one
    one.close()


@pytest.mark.parametrize("seed", range(SEEDS))
async def test_once_whatever_happens(control: Control, seed: int) -> None:
    """In the end, when all are back and have loaded all they have, each answered batch is in the tables once, and no other twice."""
    dice = random.Random(seed)
    history = [(dice.choices(STEPS, WEIGHTS)[0], dice.randrange(NODES), dice.randrange(BATCHES)) for _ in range(150)]
    await _play(control, history)


async def _play(control: Control, history: list[Step]) -> None:
    world = next(_world)
    names = [BatchName("k", "/v1/traces", f"{world}-{number}") for number in range(BATCHES)]
    collectors = [Collector(control, await control.nodes.register(f"{world}-{number}", "h", 600.0)) for number in range(NODES)]
    answered: set[BatchName] = set()
    stored: Counter[BatchName] = Counter()
    for step, node, batch in history:
        one, name = collectors[node], names[batch]
        if step == "back":
            await one.back()
        elif step == "silent":
            await one.silent()
        elif not one.running:
            continue
        elif step == "die":
            one.running = False
        elif step == "settle":
            await one.claims.settle({name: one.entry()} if name in one.disk else {})
        elif step == "load":
            stored[name] += await one.load(name)
        elif await one.send(name, step):
            answered.add(name)
    for one in collectors:
        one.running = False
        await one.back()
    for one, name in itertools.product(collectors * 2, names):  # what waited for another is loaded in the second round
        stored[name] += await one.load(name)
    assert [one.disk for one in collectors] == [set()] * NODES
    assert all(stored[name] == 1 for name in answered)
    assert all(count <= 1 for count in stored.values())
