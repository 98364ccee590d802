"""The parts that commands need when no collector runs on a data folder: the engine, the control database, and everything accepted loaded."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass

from sojourn_collector.config import CollectorConfig
from sojourn_collector.context import now
from sojourn_collector.counters import Counters
from sojourn_collector.folder_lock import StartError, folder_lock
from sojourn_collector.forward.forwarding import ForwardError, Forwarding
from sojourn_collector.forward.place import ForwardPlace
from sojourn_collector.sources.configured import configured
from sojourn_collector.sources.records import EventReading
from sojourn_collector.store.client import Store
from sojourn_collector.store.control.control import Control
from sojourn_collector.store.engine_process import EngineProcess, EngineSettings
from sojourn_collector.store.erasure.eraser import Eraser
from sojourn_collector.store.erasure.places import places
from sojourn_collector.store.erasure.tombstones import Tombstones
from sojourn_collector.store.evidence.place import EvidencePlaceError, open_evidence
from sojourn_collector.store.journal import Journal
from sojourn_collector.store.load import Loader
from sojourn_collector.store.migrations import migrate
from sojourn_collector.store.turns import Turns


@dataclass(frozen=True, slots=True)
class Offline:
    """A data folder opened for one command."""

    control: Control
    store: Store
    journal: Journal
    loader: Loader
    eraser: Eraser
    tombstones: Tombstones
    turns: Turns


@contextlib.asynccontextmanager
async def offline(config: CollectorConfig) -> AsyncIterator[Offline]:
    """Open the data folder and load what waits in its journal meanwhile. Raises StartError when a collector runs on it, EngineStartError, StoreError."""
    if config.control.shared or not config.engine.embedded:
        raise StartError("with tables or control database on servers this goes through a running collector; start it with: sojourn-collector run")
    async with contextlib.AsyncExitStack() as stack:
        stack.enter_context(folder_lock(config.data))
        control = await asyncio.to_thread(Control.open, config.data / "control.sqlite")
        stack.callback(control.close)
        engine = EngineProcess(config.data / "engine", EngineSettings(memory=config.limits.memory))
        endpoint = await asyncio.to_thread(engine.start)
        stack.callback(engine.stop)
        store = Store(lambda: endpoint)
        stack.push_async_callback(store.close)
        await migrate(store)
        turns = Turns()
        reading = EventReading(configured(config.sources, os.environ), config.feeds)
        tombstones = Tombstones(store, control, turns, reading=reading)
        await tombstones.read()
        journal = Journal(config.data / "journal", limit=config.limits.journal)
        await journal.open(await control.ledger.highest_seq())
        stack.push_async_callback(journal.close)
        letters = config.data / "dead-letters"
        counters = Counters()
        # What is loaded here goes to the destinations when the collector runs again.
        forwarding = Forwarding(config.forward, config.data, journal, counters, os.environ)
        try:
            await forwarding.open()
            evidence = open_evidence(config.evidence, config.data, os.environ, control.evidence, counters, now, shared=False)
        except (ForwardError, EvidencePlaceError) as error:
            raise StartError(str(error)) from error
        stack.push_async_callback(forwarding.close)
        loader = Loader(journal, store, control.ledger, control.dead_letters, letters, counters, forget=tombstones, turns=turns)
        loading = asyncio.create_task(loader.run(), name="loader")
        stack.push_async_callback(_end, loading)
        everywhere = places(config.data, store, control, evidence, [ForwardPlace(forwarding.erase)], reading)
        eraser = Eraser(store, control, turns, tombstones, everywhere, journal, loader, now)
        await eraser.caught_up()
        yield Offline(control, store, journal, loader, eraser, tombstones, turns)


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
