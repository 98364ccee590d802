"""Folders of an engine whose tables are made, for tests that are not about how they are made."""

import asyncio
import atexit
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

from sojourn_collector.store.client import Store
from sojourn_collector.store.engine_process import EngineProcess, EngineSettings
from sojourn_collector.store.migrations import migrate


def copy_tables(folder: Path) -> None:
    """Make `folder`, an engine's, with empty tables of this version: a copy of one that was migrated before, which a test need not wait for again."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copytree(_migrated() / "data", folder / "data", symlinks=True)


@cache
def _migrated() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="tables-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    # In a thread from start to end: whoever asks may be in a loop, and an engine ends with the thread that started it.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(_migrate, folder).result()
    return folder


def _migrate(folder: Path) -> None:
    process = EngineProcess(folder, EngineSettings(memory=1 << 30))
    endpoint = process.start()

    async def prepare() -> None:
        store = Store(lambda: endpoint)
        try:
            await migrate(store)
        finally:
            await store.close()

    try:
        asyncio.run(prepare())
    finally:
        process.stop()
