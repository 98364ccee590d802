"""Erasures that a backup does not know of, done again in the folder it was restored to, as a newer control database tells of them."""

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from sojourn_collector.store.client import Store
from sojourn_collector.store.control.control import Control
from sojourn_collector.store.control.erasures import Tombstone
from sojourn_collector.store.erasure.eraser import union
from sojourn_collector.store.erasure.find import complete
from sojourn_collector.store.erasure.letters import LettersPlace
from sojourn_collector.store.erasure.place import Place
from sojourn_collector.store.erasure.statements import CONDITIONS, KIND_OF
from sojourn_collector.store.erasure.subject import Names
from sojourn_collector.store.erasure.tables import Tables
from sojourn_collector.store.erasure.tombstones import Tombstones
from sojourn_collector.store.turns import Turns

AT_ONCE = {"cleanup_delay_period": 1, "max_cleanup_delay_period": 1, "cleanup_delay_period_random_add": 0}
"""Seconds between looks of the engine for replaced files."""
LONGEST = 30
"""What `max_cleanup_delay_period` is otherwise, as the schema says."""


class NewerError(Exception):
    """The newer control database cannot tell of erasures; the text says why."""


async def erase_again(store: Store, control: Control, places: Sequence[Place], newer: Path, spare: Path, say: Callable[[str], None]) -> int:
    """Take over the tombstones that `control` does not have yet and erase whom they are about; how many erasures those were.

    `spare` is a path for a copy of `newer`, which itself is not changed. Raises NewerError, ControlError, what the places raise.
    """
    key, stones = await _told(newer, spare)
    if key != await control.erasures.key():
        if await control.erasures.count_tombstones():
            raise NewerError(f"{newer} belongs to another installation than the backup; its erasures cannot be told here")
        await control.erasures.take_key(key)
    known = {(one.tenant, one.digest): one.erased_at for one in await control.erasures.tombstones()}
    fresh = [one for one in stones if one.erased_at > known.get((one.tenant, one.digest), datetime.min.replace(tzinfo=one.erased_at.tzinfo))]
    await control.erasures.add_tombstones(fresh)
    tombstones = Tombstones(store, control, Turns())
    await tombstones.read()
    moments = {one.erased_at for one in fresh}
    found = tombstones.among(await _names(store, places))
    again = {moment: names for moment, names in found.items() if moment in moments}
    if not again:
        return 0
    say("erasing whom the newer control database says")
    names = Names()
    for one in again.values():
        names = union(names, one)
    names = await complete(store, names)
    await control.erasures.bury(store.tenant, names.by_kind(), max(again))
    cleaned = await _clean_at_once(store)
    for place in places:
        await place.erase(names, "strip")
    for place in places:
        if isinstance(place, Tables):
            await place.settled(0.1)
    for table in cleaned:
        await store.statement(f"ALTER TABLE {table} RESET SETTING {', '.join(AT_ONCE)}")
        await store.statement(f"ALTER TABLE {table} MODIFY SETTING max_cleanup_delay_period = {LONGEST}")
    await control.compact()
    return len(again)


async def _told(newer: Path, spare: Path) -> tuple[bytes, list[Tombstone]]:
    """Key and tombstones of the newer one. Opening brings a database to this version, so it is a copy that is opened."""
    wrong = f"{newer} is no control database; give the file control.sqlite of a data folder"
    try:
        if not await asyncio.to_thread(_copied, newer, spare):
            raise NewerError(wrong)
        other = await asyncio.to_thread(Control.open, spare)
        try:
            return await other.erasures.key(), await other.erasures.tombstones()
        finally:
            other.close()
    except (sqlite3.Error, OSError) as error:
        raise NewerError(wrong) from error
    finally:
        await asyncio.to_thread(_without, spare)


def _copied(source: Path, target: Path) -> bool:
    """As it stands, also while a collector uses it; False when it is another database."""
    with contextlib.closing(sqlite3.connect(f"{source.resolve().as_uri()}?mode=ro", uri=True)) as old, contextlib.closing(sqlite3.connect(target)) as new:
        old.backup(new)
        return bool(new.execute("SELECT count(*) FROM sqlite_master WHERE name = 'alembic_version'").fetchone()[0])


def _without(spare: Path) -> None:
    for path in spare.parent.glob(spare.name + "*"):
        path.unlink()


async def _names(store: Store, places: Sequence[Place]) -> list[tuple[str, str]]:
    """Every name there is, with its kind; tombstones are digests and tell nothing the other way round."""
    found = {(row["kind"], row["name"]) for row in await store.query("erase_known_names", deadline=600)}
    for place in places:
        if isinstance(place, LettersPlace):
            async for key, name in place.named():
                found.add((KIND_OF[key], name))
    return sorted(found)


async def _clean_at_once(store: Store) -> list[str]:
    """Have replaced files removed within a second; a table that is attached anew begins with these settings. The tables' names."""
    tables = [row["name"] for row in await store.rows("SELECT name FROM system.tables WHERE database = currentDatabase()") if row["name"] in CONDITIONS]
    for table in tables:
        await store.statement(f"ALTER TABLE {table} MODIFY SETTING {', '.join(f'{name} = {value}' for name, value in AT_ONCE.items())}")
        await store.statement(f"DETACH TABLE {table}")
        await store.statement(f"ATTACH TABLE {table}")
    return tables
