"""Backups: whole while senders send, checked before use, refused in one sentence when they are not what they were."""

import asyncio
import contextlib
import json
import shutil
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sojourn_collector.cli import main
from sojourn_collector.store.backup import MANIFEST, Backup, BackupError, checked, sums
from sojourn_collector.store.client import Store
from sojourn_collector.store.engine_process import EngineProcess, EngineSettings
from sojourn_collector.store.erasure.again import NewerError, erase_again
from sojourn_collector.store.migrations import migrate
from sojourn_collector.store.restore import restore
from tests.collector.erasure.people import Customer, ago
from tests.collector.erasure.rig import Rig, rig

SETTINGS = EngineSettings(memory=2 << 30)


def a_backup(folder: Path) -> Path:
    """A folder that looks like one."""
    (folder / "tables/spans/all_1_1_0").mkdir(parents=True)
    (folder / "tables/spans/all_1_1_0/data.bin").write_bytes(b"rows")
    (folder / "control.sqlite").write_bytes(b"control")
    found = {"format": 1, "sojourn": "1.0", "at": datetime.now(UTC).isoformat(), "seq": 1, "migration": 1, "rows": {"spans": 1}, "files": sums(folder)}
    (folder / MANIFEST).write_text(json.dumps(found))
    return folder


def changed(**values: Any) -> Callable[[Path], None]:
    """Put other values into the manifest."""

    def work(folder: Path) -> None:
        (folder / MANIFEST).write_text(json.dumps(json.loads((folder / MANIFEST).read_text()) | values))

    return work


WRONG: dict[str, tuple[Callable[[Path], Any], str]] = {
    "broken off": (lambda folder: (folder / MANIFEST).unlink(), "{0} has no manifest.json: it is no backup, or one that did not come to its end"),
    "no JSON": (lambda folder: (folder / MANIFEST).write_text("[1"), "{0}/manifest.json cannot be read"),
    "a list": (lambda folder: (folder / MANIFEST).write_text("[]"), "{0}/manifest.json cannot be read"),
    "no text": (lambda folder: (folder / MANIFEST).write_bytes(b"\xff\xfe"), "{0}/manifest.json cannot be read"),
    "files are a number": (changed(files=5), "{0}/manifest.json cannot be read"),
    "another form": (changed(format=2), "{0} was made by sojourn 1.0 in another form; restore it with that version"),
    "a newer version": (changed(migration=9999), "{0} was made by sojourn 1.0, which is newer than this one; restore it with that version"),
    "a file outside": (changed(files={"../../etc/passwd": {"size": 1, "sha256": ""}}), "{0}/manifest.json names a file outside of it: ../../etc/passwd"),
    "a flipped byte": (lambda folder: (folder / "control.sqlite").write_bytes(b"contrOl"), "{0}/control.sqlite is not what it was when the backup was made"),
    "a lost file": (
        lambda folder: (folder / "control.sqlite").unlink(),
        "{0}/control.sqlite cannot be read (No such file or directory); this backup",
    ),
}


@pytest.mark.parametrize("what", WRONG)
async def test_a_backup_that_is_not_whole_is_not_restored(tmp_path: Path, what: str):
    """It is said what is wrong with it, and no data folder is left."""
    folder = a_backup(tmp_path / "backup")
    spoil, sentence = WRONG[what]
    spoil(folder)
    with pytest.raises(BackupError) as error:
        await restore(folder, tmp_path / "data", SETTINGS, None, lambda _: None)
    assert str(error.value).startswith(sentence.format(folder))
    assert not list(tmp_path.glob("data*"))


async def test_a_data_folder_in_use_is_not_written_over(tmp_path: Path):
    """What is there stays."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data/control.sqlite").write_bytes(b"mine")
    with pytest.raises(BackupError, match="data is not empty; a backup is restored to a new folder"):
        await restore(a_backup(tmp_path / "backup"), tmp_path / "data", SETTINGS, None, lambda _: None)
    assert (tmp_path / "data/control.sqlite").read_bytes() == b"mine"


def a_text(path: Path) -> None:
    """No database."""
    path.write_text("not SQLite at all, whatever its name")


def a_stranger(path: Path) -> None:
    """A database of something else."""
    with contextlib.closing(sqlite3.connect(path)) as one:
        one.execute("CREATE TABLE t (x)")
        one.commit()


@pytest.mark.parametrize("make", [lambda path: None, a_text, a_stranger, Path.mkdir])
async def test_what_is_no_newer_control_database_is_said(parts: Rig, tmp_path: Path, make: Callable[[Path], None]):
    """Nothing there, a text, another program's database, a folder: one sentence, the file as it was, no copy of it left."""
    newer = tmp_path / "newer.sqlite"
    make(newer)
    before = newer.read_bytes() if newer.is_file() else None
    with pytest.raises(NewerError) as error:
        await erase_again(parts.store, parts.control, parts.eraser.places, newer, parts.data / "spare.sqlite", lambda _: None)
    assert str(error.value) == f"{newer} is no control database; give the file control.sqlite of a data folder"
    assert (newer.read_bytes() if newer.is_file() else None) == before
    assert not list(parts.data.glob("spare*"))


async def test_an_erasure_that_the_backup_knows_is_not_done_again(parts: Rig, store: Store, tmp_path: Path):
    """Who was erased before the backup and is there again by data of later stays; who was erased after it goes, found by a dead letter alone too."""
    ann, bob = Customer("ann"), Customer("bob")
    await parts.control.erasures.bury(store.tenant, {"user": [ann.user]}, datetime.now(UTC))
    shutil.copy(parts.data / "control.sqlite", tmp_path / "newer.sqlite")
    async with rig(tmp_path / "later", store) as later:
        await parts.control.copy(tmp_path / "later/copy.sqlite")
        newer = tmp_path / "later/copy.sqlite"
        other = type(later.control).open(newer)
        await other.erasures.bury(store.tenant, {"user": [bob.user]}, datetime.now(UTC))
        other.close()
    for who in (ann, bob):
        await parts.load("traces", who.spans(ago(-60)))
    alone = await parts.letter("1.pb", parts.record(bob.metrics(ago(5))), "metrics")
    said: list[str] = []
    quick = [parts.eraser.places[0], *parts.eraser.places[1:]]
    assert await erase_again(store, parts.control, quick, newer, parts.data / "spare.sqlite", said.append) == 1
    assert await parts.count("spans", f"user_id = '{ann.user}'") == 1
    assert await parts.count("spans", f"user_id = '{bob.user}'") == 0
    assert not alone.exists()
    assert said == ["erasing whom the newer control database says"]
    assert await erase_again(store, parts.control, quick, newer, parts.data / "spare.sqlite", said.append) == 0


@pytest.mark.slow
async def test_a_backup_while_senders_send_is_restored_with_equal_counts(tmp_path: Path):
    """Requests are accepted and loaded all the while. The new folder has the rows the manifest says, table by table, counted by an engine of its own; what
    waited in the journal is loaded there, so that rows and ledger are of one moment: batch by batch all or nothing."""
    data = tmp_path / "data"
    engine = EngineProcess(data / "engine", SETTINGS)
    endpoint = await asyncio.to_thread(engine.start)
    store = Store(lambda: endpoint)
    await migrate(store)
    async with rig(data, store) as parts:
        sent = 0

        async def send() -> None:
            nonlocal sent
            while True:
                await parts.load("traces", Customer(f"n{sent}").spans(ago(1)))
                sent += 1

        sending = asyncio.create_task(send())
        while sent < 10:
            await asyncio.sleep(0.01)
        backup = Backup(data, store, parts.control, parts.journal, parts.loader, parts.turns)
        events = [event async for event in backup.into(tmp_path / "backup", datetime.now(UTC))]
        while sent < events[-1]["done"]["rows"]["spans"] // 5 + 5:
            await asyncio.sleep(0.01)
        sending.cancel()
        with pytest.raises(BackupError, match="backup is not empty; give a new folder"):
            _ = [event async for event in backup.into(tmp_path / "backup", datetime.now(UTC))]
        await store.close()
    await asyncio.to_thread(engine.stop)
    assert not (data / "engine/data/shadow").exists()
    rows = events[-1]["done"]["rows"]
    assert rows["spans"] >= 50
    assert rows["spans"] % 5 == 0
    assert {event["state"] for event in events[:-1]} == {"loading what was accepted before", "freezing", "copying", "writing the manifest"}
    assert checked(tmp_path / "backup")["rows"] == rows
    said: list[str] = []
    found = await restore(tmp_path / "backup", tmp_path / "new", SETTINGS, None, said.append)
    assert found["erased"] == 0
    assert f"table spans: {rows['spans']} rows" in said
    engine = EngineProcess(tmp_path / "new/engine", SETTINGS)
    endpoint = await asyncio.to_thread(engine.start)
    store = Store(lambda: endpoint)
    try:
        assert {table: (await store.rows(f"SELECT count() AS n FROM {table}"))[0]["n"] for table in rows} == rows
        async with rig(tmp_path / "new", store) as parts:
            await parts.load("traces", Customer("after").spans(ago(1)))
            assert await parts.count("spans", "attrs['user.id'] = 'user-after-4711'") == 1
            assert await parts.count("spans") % 5 == 0
        await store.close()
    finally:
        await asyncio.to_thread(engine.stop)


def test_a_command_says_it_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """A bad folder is exit code 2 and a sentence on stderr."""
    config = tmp_path / "collector.yaml"
    config.write_text("data: data\njourneys: journeys\n")
    (tmp_path / "journeys").mkdir()
    assert main(["restore", str(tmp_path / "none"), "--to", str(tmp_path / "new"), "--config", str(config)]) == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert last == f"sojourn-collector: {tmp_path}/none has no manifest.json: it is no backup, or one that did not come to its end"
