"""A backup becomes a data folder again: every file checked, tables made as they were then, their parts attached, rows counted, newer erasures done again.


The folder is made beside its place and moved there at the end, so that a collector never starts on half of one.
"""

# ruff: noqa: ASYNC240 - only a command runs this; nobody else waits on its loop

import asyncio
import contextlib
import shutil
import sqlite3
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from sojourn_collector.store import migrations
from sojourn_collector.store.backup import FOLDERS, BackupError, checked
from sojourn_collector.store.client import Store
from sojourn_collector.store.control.control import Control
from sojourn_collector.store.engine_process import EngineProcess, EngineSettings
from sojourn_collector.store.erasure.eraser import union
from sojourn_collector.store.erasure.find import complete
from sojourn_collector.store.erasure.places import places
from sojourn_collector.store.erasure.statements import CONDITIONS
from sojourn_collector.store.erasure.subject import Names
from sojourn_collector.store.erasure.tables import Tables
from sojourn_collector.store.erasure.tombstones import Tombstones
from sojourn_collector.store.load_sql import quoted
from sojourn_collector.store.turns import Turns

AT_ONCE = {"cleanup_delay_period": 1, "cleanup_delay_period_random_add": 0}
"""Seconds between looks of the engine for replaced files."""
Say = Callable[[str], None]


async def restore(folder: Path, data: Path, settings: EngineSettings, newer: Path | None, say: Say) -> dict[str, Any]:
    """Make the data folder `data`, which must not be there or be empty; the manifest, with what was erased again.

    `newer` is a control database of after the backup: who was erased since is erased here too. `say` is told what is being done.
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
            manifest["erased"] = await _erase_again(beside, store, newer, datetime.fromisoformat(manifest["at"]), say)
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


async def _clean_at_once(store: Store) -> list[str]:
    """Have replaced files removed within a second; a table that is attached anew begins with these settings. The tables' names."""
    tables = [row["name"] for row in await store.rows("SELECT name FROM system.tables WHERE database = currentDatabase()") if row["name"] in CONDITIONS]
    for table in tables:
        await store.statement(f"ALTER TABLE {table} MODIFY SETTING {', '.join(f'{name} = {value}' for name, value in AT_ONCE.items())}")
        await store.statement(f"DETACH TABLE {table}")
        await store.statement(f"ATTACH TABLE {table}")
    return tables


def _copied(source: Path, target: Path) -> None:
    """As it stands, also while a collector uses it."""
    with contextlib.closing(sqlite3.connect(f"{source.resolve().as_uri()}?mode=ro", uri=True)) as old, contextlib.closing(sqlite3.connect(target)) as new:
        old.backup(new)


def _without(folder: Path, pattern: str) -> None:
    for path in folder.glob(pattern):
        path.unlink()


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


async def _erase_again(data: Path, store: Store, newer: Path | None, at: datetime, say: Say) -> int:
    """Take over tombstones that the backup does not know and erase whom they are about; how many moments of erasure that were."""
    if newer is None:
        return 0
    if not newer.is_file():
        raise BackupError(f"{newer} is no control database; give the file control.sqlite of a data folder")
    control = Control.open(data / "control.sqlite")
    try:
        spare = data / "newer.sqlite"
        await asyncio.to_thread(_copied, newer, spare)  # opening brings it to this version, and the original is not ours to change
        other = Control.open(spare)
        try:
            key, stones = await other.erasures.key(), await other.erasures.tombstones()
        finally:
            other.close()
            await asyncio.to_thread(_without, data, "newer.sqlite*")
        if key != await control.erasures.key():
            if await control.erasures.count_tombstones():
                raise BackupError(f"{newer} belongs to another installation than the backup; its erasures cannot be told here")
            await control.erasures.take_key(key)
        await control.erasures.add_tombstones(stones)
        tombstones = Tombstones(store, control, Turns())
        await tombstones.read()
        rows = await store.query("erase_known_names", deadline=600)
        again = {moment: names for moment, names in tombstones.among((row["kind"], row["name"]) for row in rows).items() if moment > at}
        if again:
            say("erasing whom the newer control database says")
            names = Names()
            for one in again.values():
                names = union(names, one)
            names = await complete(store, names)
            await control.erasures.bury(store.tenant, names.by_kind(), max(again))
            cleaned = await _clean_at_once(store)
            for place in places(data, store, control):
                await place.erase(names, "strip")
            while await Tables(store).waste():  # noqa: ASYNC110 - the engine tells nobody when it removes files
                await asyncio.sleep(0.1)
            for table in cleaned:
                await store.statement(f"ALTER TABLE {table} RESET SETTING cleanup_delay_period, cleanup_delay_period_random_add")
            await control.compact()
        return len(again)
    finally:
        control.close()
