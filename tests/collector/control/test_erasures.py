"""Erasures and tombstones in the control database, of either kind."""

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sojourn_collector.store.control import Control
from sojourn_collector.store.control.erasures import DONE
from tests.collector.control.conftest import Where

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


async def test_an_erasure_from_beginning_to_end(control: Control, where: Where):
    """Begun once, on the list until it is done, by a digest; names in clear only till then, and off the file's bytes after it."""
    ident = await control.erasures.add("default", "person", "canary-4711", "cli", "strip", NOW)
    assert await control.erasures.add("default", "person", "canary-4711", "cli", "delete", NOW) == ident
    assert await control.erasures.add("other", "person", "canary-4711", "cli", "strip", NOW) != ident
    await control.erasures.note(ident, state="finding names", work={"kind": "person", "name": "canary-4711", "names": {"users": ["canary-4711"]}})
    (row, _) = await control.erasures.open()
    assert (row.id, row.orders, row.work["names"], row.erased_at) == (ident, "strip", {"users": ["canary-4711"]}, NOW)
    assert row.subject == await control.erasures.digest("person", "canary-4711") != await control.erasures.digest("session", "canary-4711")
    for one in await control.erasures.open():
        await control.erasures.note(one.id, state=DONE, work={}, counts={"spans": 5}, done_at=NOW)
    await control.compact()
    assert await control.erasures.open() == []
    assert [one.counts for one in await control.erasures.list()] == [{"spans": 5}] * 2
    assert await control.erasures.get(10**30) is await control.erasures.get(0) is None
    if isinstance(where, Path):
        assert [path.name for path in where.parent.iterdir() if b"canary" in path.read_bytes()] == []


async def test_a_later_tombstone_goes_before_an_earlier_one(control: Control):
    """Buried again the moment moves on, never back; those of traces end."""
    await control.erasures.bury("default", {"user": ["ann"], "trace": ["ab"]}, NOW)
    await control.erasures.bury("default", {"user": ["ann"]}, NOW + timedelta(days=1))
    await control.erasures.bury("default", {"user": ["ann"]}, NOW - timedelta(days=1))
    assert {(one.kind, one.erased_at) for one in await control.erasures.tombstones()} == {("user", NOW + timedelta(days=1)), ("trace", NOW)}
    assert await control.erasures.forget_traces(NOW + timedelta(seconds=1)) == 1
    assert await control.erasures.count_tombstones() == 1


async def test_every_installation_has_a_key_of_its_own(control: Control, tmp_path: Path):
    """The digest of a name tells nothing to who has another's list; with another's key taken over it does."""
    other = Control.open(tmp_path / "other.sqlite")
    try:
        assert await other.erasures.digest("user", "ann") != await control.erasures.digest("user", "ann")
        await other.erasures.take_key(await control.erasures.key())
        assert await other.erasures.digest("user", "ann") == await control.erasures.digest("user", "ann")
    finally:
        other.close()


async def test_a_copy_is_whole(control: Control, where: Where, tmp_path: Path):
    """Of SQLite, while it is used; of PostgreSQL it is said what makes one."""
    from sojourn_collector.store.control.files import NoFileError

    await control.erasures.bury("default", {"user": ["ann"]}, NOW)
    if control.database.shared:
        with pytest.raises(NoFileError, match="the control database is PostgreSQL; take its copy with: pg_dump --format=custom"):
            await control.copy(tmp_path / "copy.sqlite")
        return
    await control.copy(tmp_path / "copy.sqlite")
    with sqlite3.connect(tmp_path / "copy.sqlite") as copy:
        assert copy.execute("SELECT count(*) FROM tombstones").fetchone() == (1,)
