"""Collectors of one control database and one engine, each with a journal of its own, built as `assembly.build` does; they die where a test says."""

import asyncio
import contextlib
import os
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import update

from sojourn_collector.config import CollectorConfig, Limits
from sojourn_collector.counters import Counters
from sojourn_collector.receive.answers import RefusalError
from sojourn_collector.receive.batches import Batches, Key
from sojourn_collector.receive.intake import Intake
from sojourn_collector.several import Several, take_part
from sojourn_collector.store.books import SharedBooks
from sojourn_collector.store.catalogue import FOLDER, Catalogue
from sojourn_collector.store.client import Store
from sojourn_collector.store.control.control import Control
from sojourn_collector.store.control.postgres import PostgresAddress
from sojourn_collector.store.control.tables import nodes
from sojourn_collector.store.engine_process import Endpoint
from sojourn_collector.store.journal import Journal
from sojourn_collector.store.load import Loader, Patience
from tests.collector.receive.conftest import traces

SENDER = ("local", "default")


class Rig:
    """The engine, the database and the folders of the nodes."""

    def __init__(self, folder: Path, engine: Endpoint, database: PostgresAddress) -> None:
        self.folder = folder
        self.database = database
        queries = folder / "queries"
        queries.mkdir()
        for own in FOLDER.glob("loaded_*.sql"):
            (queries / own.name).write_text(own.read_text())
        (queries / "of_batch.sql").write_text("SELECT count() AS n FROM spans WHERE attrs['batch'] = {batch:String}")
        self.store = Store(lambda: engine, catalogue=Catalogue(queries))
        self.nodes: list[Node] = []

    async def node(self, name: str) -> "Node":
        """Start the collector of this folder."""
        one = Node(self, self.folder / name)
        await one.start()
        self.nodes.append(one)
        return one

    async def count(self, batch: str) -> int:
        """Rows of a batch."""
        return int((await self.store.query("of_batch", batch=batch))[0]["n"])

    async def close(self) -> None:
        """End all."""
        for one in self.nodes:
            await one.die()
        await self.store.close()


class Node:
    """One collector without listeners. `loading` is off until a test says so."""

    def __init__(self, rig: Rig, folder: Path) -> None:
        self.rig = rig
        self.config = CollectorConfig(data=folder)
        self.counters = Counters()
        self._tasks: list[asyncio.Task[None]] = []
        self.alive = False

    async def start(self) -> None:
        """As `assembly.build` does."""
        self.control = await asyncio.to_thread(Control.open, self.rig.database)
        several = await take_part(self.control, self.config)
        assert several is not None
        self.several: Several = several
        self.journal = Journal(self.config.data / "journal", linger=0)
        self.batches = Batches(self.control.ledger, several.claiming)
        books = SharedBooks(several.claims, self.journal, lambda name: self.batches.forget(Key(*name)))
        self.loader = Loader(
            self.journal, self.rig.store, self.control.ledger, self.control.dead_letters, self.config.data / "dead-letters", self.counters,
            books=books, on_settled=self.batches.settled, patience=Patience(0.02, 0.05),
        )  # fmt: skip
        files = await self.journal.open(several.node.last_seq)
        self.batches.index(files)
        await several.recover(files)
        self.intake = Intake(self.journal, self.batches, self.control.keys, Limits(), self.counters)
        self.alive = True

    @property
    def number(self) -> int:
        """Its number."""
        return self.several.node.number

    def background(self) -> None:
        """Heartbeat and settling, as long as it lives."""
        self._tasks += [asyncio.create_task(self.several.beat(self.journal, self.loader)), asyncio.create_task(self.several.claiming.run())]

    async def send(self, batch: str, body: bytes) -> int | str:
        """Send a request; 200, or status and sentence of the refusal."""
        try:
            await self.intake.take("traces", body, batch, SENDER)
        except RefusalError as error:
            return f"{error.status} {error}"
        return 200

    def load(self) -> None:
        """Load from now on."""
        self._tasks.append(asyncio.create_task(self.loader.run()))

    async def loaded(self) -> None:
        """Load until nothing waits."""
        self.load()
        async with asyncio.timeout(60):
            while self.journal.loaded_seq < self.journal.last_seq:
                await self.loader.wait_beyond(self.journal.loaded_seq)

    async def die(self) -> None:
        """As by kill -9, as far as this can be had within a process: nothing is settled, given up or said any more."""
        if not self.alive:
            return
        self.alive = False
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        await self.journal.close()
        self.control.close()

    async def silent(self) -> None:
        """Its last heartbeat is long ago."""
        past = datetime.now(UTC) - timedelta(days=1)
        control = next(one.control for one in self.rig.nodes if one.alive)
        await control.database.write(lambda c: c.execute(update(nodes).where(nodes.c.number == self.number).values(alive_until=past)))

    async def again(self) -> "Node":
        """Start it again on its folder."""
        return await self.rig.node(self.config.data.name)


def request(items: int = 3) -> tuple[str, bytes]:
    """A batch id and a request whose spans carry it."""
    batch = str(uuid.uuid4())
    return batch, bytes(traces(items, batch=batch).SerializeToString())


async def until(asked: Callable[[], bool], what: str, seconds: float = 30.0) -> None:
    """Wait for a condition."""
    deadline = time.monotonic() + seconds
    while not asked():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        await asyncio.sleep(0.02)


@contextlib.contextmanager
def full_disk(journal: Journal):
    """The journal's disk takes nothing meanwhile."""

    def refuse(descriptor: int) -> None:
        raise OSError(28, os.strerror(28))

    sync, journal._sync = journal._sync, refuse
    try:
        yield
    finally:
        journal._sync = sync
