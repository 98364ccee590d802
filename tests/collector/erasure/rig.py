"""Journal, loader, tombstones and eraser on the session's engine, with a control database and a data folder of the test's own."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sojourn_collector.counters import Counters
from sojourn_collector.forward.erase import Scrub, erase_pending
from sojourn_collector.forward.place import ForwardPlace
from sojourn_collector.store.client import Store
from sojourn_collector.store.control.control import Control
from sojourn_collector.store.erasure.eraser import Eraser
from sojourn_collector.store.erasure.place import Place
from sojourn_collector.store.erasure.places import places
from sojourn_collector.store.erasure.tables import Tables
from sojourn_collector.store.erasure.tombstones import Tombstones
from sojourn_collector.store.evidence.evidence import Bounds, Evidence
from sojourn_collector.store.evidence.folder import FolderBlobs
from sojourn_collector.store.journal import Journal
from sojourn_collector.store.load import Loader
from sojourn_collector.store.record import Record
from sojourn_collector.store.turns import Turns
from tests.collector.control_file import open_control
from tests.collector.erasure.people import ago


class QuickTables(Tables):
    """Does not wait for the engine to remove replaced files, which it does every half minute."""

    async def settled(self, every: float) -> None:
        """At once."""


@dataclass
class Rig:
    """The parts."""

    data: Path
    store: Store
    control: Control
    journal: Journal
    loader: Loader
    turns: Turns
    tombstones: Tombstones
    evidence: Evidence
    eraser: Eraser
    counters: Counters

    async def load(self, signal: Any, request: Any) -> int:
        """Accept a request and wait until it is in the tables; its journal file."""
        body = request.SerializeToString()
        record = Record(self.store.tenant, "", ago(0), "local", os.urandom(32), 1, body)
        seq = await self.journal.append(signal, record)
        while self.loader.loaded_seq < seq:
            await self.loader.wait_beyond(self.loader.loaded_seq)
        return seq

    async def count(self, table: str, where: str = "1") -> int:
        """Rows of this test in a table."""
        return int((await self.store.rows(f"SELECT count() AS n FROM {table} WHERE tenant = '{self.store.tenant}' AND {where}"))[0]["n"])

    async def letter(self, name: str, content: bytes, signal: str = "traces", reason: str = "refused") -> Path:
        """A dead letter with this content."""
        path = self.data / "dead-letters" / name
        path.write_bytes(content)
        await self.control.dead_letters.add(signal, reason, name, datetime.now(UTC))
        return path

    def record(self, request: Any, tenant: str = "") -> bytes:
        """A record of the journal that holds a request."""
        return Record(tenant or self.store.tenant, "b", ago(0), "local", bytes(32), 10, request.SerializeToString()).encode()


@contextlib.asynccontextmanager
async def rig(data: Path, store: Store, *more: Place) -> AsyncIterator[Rig]:
    """Everything built as `assembly.build` does."""
    (data / "dead-letters").mkdir(parents=True)
    control = await asyncio.to_thread(open_control, data / "control.sqlite")
    counters, turns = Counters(), Turns()
    journal = Journal(data / "journal", linger=0.001)
    await journal.open()
    tombstones = Tombstones(store, control, turns)
    await tombstones.read()
    loader = Loader(journal, store, control.ledger, control.dead_letters, data / "dead-letters", counters, forget=tombstones, turns=turns)
    loading = asyncio.create_task(loader.run())
    evidence = Evidence(FolderBlobs(data / "evidence"), control.evidence, Bounds(timedelta(days=30), 1 << 30), counters, lambda: datetime.now(UTC))

    async def scrub(with_: Scrub) -> int:
        return await asyncio.to_thread(erase_pending, data / "forward", with_)

    _, *others = places(data, store, control, evidence, [ForwardPlace(scrub), *more])
    eraser = Eraser(store, control, turns, tombstones, [QuickTables(store), *others], journal, loader, lambda: datetime.now(UTC), look_every=0.01)
    try:
        yield Rig(data, store, control, journal, loader, turns, tombstones, evidence, eraser, counters)
    finally:
        loading.cancel()
        await asyncio.gather(loading, return_exceptions=True)
        await journal.close()
        control.close()
