"""A backup becomes a data folder again: every file checked, tables made as they were then, their parts attached, rows counted, newer erasures done again.

The folder is made beside its place and moved there at the end, so that a collector never starts on half of one.
"""

# ruff: noqa: ASYNC240 - only a command runs this; nobody else waits on its loop

import asyncio
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sojourn_collector.counters import Counters
from sojourn_collector.store import migrations
from sojourn_collector.store.backup import FOLDERS, BackupError, checked
from sojourn_collector.store.client import Store
from sojourn_collector.store.control.control import Control
from sojourn_collector.store.control.said import Reading
from sojourn_collector.store.engine_process import EngineProcess, EngineSettings
from sojourn_collector.store.erasure.again import NewerError, erase_again
from sojourn_collector.store.erasure.places import places
from sojourn_collector.store.evidence.evidence import Bounds, Evidence
from sojourn_collector.store.evidence.folder import FolderBlobs
from sojourn_collector.store.evidence.place import FOLDER
from sojourn_collector.store.load_sql import quoted

_UNBOUNDED = Bounds(timedelta(days=36500), 1 << 62)
Say = Callable[[str], None]


async def restore(folder: Path, data: Path, settings: EngineSettings, newer: Path | None, say: Say, reading: Reading | None = None) -> dict[str, Any]:
    """Make the data folder `data`, which must not be there or be empty; the manifest, with what was erased again.

    `newer` is a control database of after the backup: who was erased since is erased here too. `say` is told what is being done.
    `reading` reads events of vendors in the inbox.
    Raises BackupError, EngineStartError, StoreError, OSError.
    """
    if data.exists() and any(data.iterdir()):
        raise BackupError(f"{data} is not empty; a backup is restored to a new folder")
    say("checking files")
    manifest = await asyncio.to_thread(checked, folder)
    known = max(one.number for one in migrations.read())
    if manifest["migration"] > known:
        raise BackupError(f"{folder} was made by sojourn {manifest['sojourn']}, which is newer than this one; restore it with that version")
    beside = data.with_name(data.name + ".restoring")
    await asyncio.to_thread(shutil.rmtree, beside, ignore_errors=True)
    beside.mkdir(parents=True)
    try:
        await asyncio.to_thread(_files, folder, beside)
        engine = EngineProcess(beside / "engine", settings)
        endpoint = await asyncio.to_thread(engine.start)
        store = Store(lambda: endpoint)
        try:
            await _tables(store, folder, manifest, beside, say)
            manifest["erased"] = 0 if newer is None else await _forget(beside, store, newer, say, reading)
        finally:
            await store.close()
            await asyncio.to_thread(engine.stop)
        if data.exists():
            data.rmdir()
        beside.rename(data)
    except BaseException:
        await asyncio.shield(asyncio.to_thread(shutil.rmtree, beside, ignore_errors=True))
        raise
    return manifest


def _files(folder: Path, data: Path) -> None:
    shutil.copy2(folder / "control.sqlite", data)
    for part in ("journal", *FOLDERS):
        if (folder / part).exists():
            shutil.copytree(folder / part, data / part)


async def _tables(store: Store, folder: Path, manifest: dict[str, Any], data: Path, say: Say) -> None:
    """Tables as that version had them, then the rows, then what later versions changed."""
    then = data / "schema-of-the-backup"
    then.mkdir()
    for path in migrations.FOLDER.glob("[0-9][0-9][0-9][0-9]_*.sql"):
        if int(path.name[:4]) <= manifest["migration"]:
            shutil.copy2(path, then)
    await migrations.migrate(store, then)
    shutil.rmtree(then)
    paths = {
        row["name"]: Path(row["path"]) for row in await store.rows("SELECT name, data_paths[1] AS path FROM system.tables WHERE database = currentDatabase()")
    }
    for table, rows in manifest["rows"].items():
        say(f"table {table}: {rows} rows")
        if table not in paths:
            raise BackupError(f"this version has no table {table}; restore the backup with sojourn {manifest['sojourn']}")
        # What is past its time goes when the collector runs again, not while it is being counted.
        await store.statement(f"SYSTEM STOP TTL MERGES {table}")
        for part in sorted((folder / "tables" / table).iterdir()) if (folder / "tables" / table).exists() else ():
            await asyncio.to_thread(shutil.copytree, part, paths[table] / "detached" / part.name)
            await store.statement(f"ALTER TABLE {table} ATTACH PART {quoted(part.name)}")
        found = int((await store.rows(f"SELECT count() AS n FROM {table}", deadline=600))[0]["n"])  # noqa: S608 - the table is one of ours
        if found != rows:
            raise BackupError(f"table {table} has {found} rows after the restore and had {rows}; the backup is damaged")
    await migrations.migrate(store)


async def _forget(data: Path, store: Store, newer: Path, say: Say, reading: Reading | None) -> int:
    control = await asyncio.to_thread(Control.open, data / "control.sqlite")
    try:
        # Contents that lie in a bucket are no part of a backup; their erasure was done there.
        evidence = Evidence(FolderBlobs(data / FOLDER), control.evidence, _UNBOUNDED, Counters(), lambda: datetime.now(UTC))
        return await erase_again(store, control, places(data, store, control, evidence, reading=reading), newer, data / "newer.sqlite", say)
    except NewerError as error:
        raise BackupError(str(error)) from error
    finally:
        control.close()
