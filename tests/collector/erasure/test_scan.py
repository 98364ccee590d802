"""After an erasure the person is nowhere: not in a table, not in the bytes of any file under the data folder."""

import asyncio
import contextlib
import io
import json
import os
import signal
import sqlite3
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pyarrow.parquet
import pytest

from sojourn_collector.cli import main
from sojourn_collector.store.client import Store
from sojourn_collector.store.control.keys import Scope
from sojourn_collector.store.engine_process import EngineProcess, EngineSettings
from sojourn_collector.store.erasure.statements import CONDITIONS
from sojourn_collector.store.journal import Journal
from sojourn_collector.store.record import Record
from tests.collector.control_file import open_control
from tests.collector.engine_folder import copy_tables
from tests.collector.erasure.people import Customer, ago
from tests.collector.process import CollectorProcess

pytestmark = pytest.mark.timeout(300)
TABLES = ("spans", "events", "metrics", "sessions", "feedback", "orders", "people")


async def prepare(folder: Path, mine: Customer, other: Customer) -> str:
    """A data folder whose engine looks every second for replaced files, not every half minute; a dead letter of both and damaged files in it. A key for all."""
    data = folder / "data"
    copy_tables(data / "engine")
    engine = EngineProcess(data / "engine", EngineSettings(memory=2 << 30))
    endpoint = await asyncio.to_thread(engine.start)
    store = Store(lambda: endpoint)
    for table in CONDITIONS:
        with contextlib.suppress(Exception):
            await store.statement(
                f"ALTER TABLE {table} MODIFY SETTING cleanup_delay_period = 1, max_cleanup_delay_period = 1, cleanup_delay_period_random_add = 0"
            )
    await store.close()
    await asyncio.to_thread(engine.stop)
    control = open_control(data / "control.sqlite")
    key = (await control.keys.create("all", [Scope.ADMIN])).text
    both = mine.spans(ago(60))
    both.MergeFrom(other.spans(ago(60)))
    (data / "dead-letters").mkdir()
    letter = Record("default", "b", ago(0), "local", bytes(32), 10, both.SerializeToString())
    (data / "dead-letters/1-0.traces.pb").write_bytes(letter.encode())
    (data / "damaged").mkdir()
    (data / "damaged/x-1.traces.pb").write_bytes(letter.encode())
    (data / "damaged/x-1.traces.pb.txt").write_text("Journal file 1.traces.pb was damaged: 1 of its records were lost; 0 were kept.\n")
    for taken_out in list((data / "engine").glob("data/store/*/*/detached"))[:2]:
        (taken_out / "20260101_1_1_0").mkdir()
        (taken_out / "20260101_1_1_0/data.bin").write_bytes(letter.body)
    await control.dead_letters.add("traces", f"The engine refused it: near '{mine.user}'", "1-0.traces.pb", datetime.now(UTC))
    control.close()
    return key


class Sender:
    """Sends what the customers did."""

    def __init__(self, collector: CollectorProcess, key: str) -> None:
        self.collector, self.key = collector, key

    async def send(self, who: Customer, seconds_ago: float, *, speaks: bool = True) -> None:
        """Everything of one customer, as of then."""
        at = ago(seconds_ago)
        moment = (datetime.now(UTC) - timedelta(seconds=seconds_ago)).isoformat()
        runtime = self.collector.runtime
        async with httpx2.AsyncClient(trust_env=False, verify=False, timeout=20) as http:
            for path, request in (("traces", who.spans(at)), ("logs", who.logs(at, speaks=speaks)), ("metrics", who.metrics(at))):
                headers = {"content-type": "application/x-protobuf"}
                answer = await http.post(f"{runtime['otlp']}/v1/{path}", content=request.SerializeToString(), headers=headers)
                assert answer.status_code == 200, answer.content
            for source, rows in (("feedback", who.feedback(moment)), ("orders", who.orders(moment)), ("people", who.people())):
                headers = {"authorization": f"Bearer {self.key}"}
                answer = await http.post(f"{runtime['web']}/api/v1/in/{source}", json=rows, headers=headers)
                assert answer.status_code == 200, answer.content

    async def settled(self) -> None:
        """Everything is loaded and joined, and the inbox is in the engine."""

        async def done() -> bool:
            state = (await self.collector.get("/readyz")).json()
            with sqlite3.connect(self.collector.folder / "data/control.sqlite") as control:
                waiting = control.execute("SELECT count(*) FROM inbox WHERE normalised_at IS NULL").fetchone()[0]
            last = state["loading"]["last_seq"]
            return bool(state["ready"] and state["loading"]["loaded_seq"] == last and state["joining"]["joined_seq"] == last and not waiting)

        await self.collector.until_true(done, "everything to be joined")


def command(*arguments: str) -> Any:
    """What a command prints as JSON."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        assert main(list(arguments)) == 0
    return json.loads(out.getvalue())


@contextlib.contextmanager
def reading(folder: Path) -> Iterator[Store]:
    """The tables, read by an engine of the test's own."""
    engine = EngineProcess(folder / "data/engine", EngineSettings(memory=2 << 30))
    endpoint = engine.start()
    try:
        yield Store(lambda: endpoint)
    finally:
        engine.kill()


async def rows_of(store: Store, who: Customer, *, newest: bool = False) -> dict[str, int]:
    """Rows that hold any of a customer's words, by table; `newest`: of rows that replace one another only the last."""
    found = {}
    for table in await store.rows("SELECT name FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree'"):
        types = await store.columns(table["name"])
        plain = " , ".join(
            f"hex({name})" if kind.startswith("FixedString") else f"ifNull(toString({name}), '')" for name, kind in types.items() if "Aggregate" not in kind
        )
        words = " OR ".join(f"position(lower(row), '{word.hex() if len(word) == 16 and word in who.traces else word.decode()}') > 0" for word in who.words())
        final = " FINAL" if newest and "version" in types else ""
        sql = f"SELECT countIf({words}) AS n FROM (SELECT concat({plain}) AS row FROM {table['name']}{final})"
        found[table["name"]] = int((await store.rows(sql))[0]["n"])
    return {table: count for table, count in found.items() if count}


def files_with(folder: Path, who: Customer) -> list[str]:
    """Files that hold any of a customer's words in their bytes; all are looked through anew when the engine removed one meanwhile."""
    while True:
        with contextlib.suppress(FileNotFoundError):
            return [
                f"{path.relative_to(folder)}: {word!r}" for path in folder.rglob("*") if path.is_file() for word in who.words() if word in path.read_bytes()
            ]


async def everything_about(mine: Customer, other: Customer, tmp_path: Path, config: tuple[str, str]) -> None:
    """A copy for the person holds all that is theirs, nothing of the other, and a README with a line for each file."""
    told = await asyncio.to_thread(command, "export", "--person", mine.user, "--out", str(tmp_path / "mine.zip"), "--json", *config)
    assert told == {"file": str(tmp_path / "mine.zip")}
    assert (tmp_path / "mine.zip").stat().st_mode & 0o077 == 0
    with zipfile.ZipFile(tmp_path / "mine.zip") as packed:
        files = {name: packed.read(name).decode() for name in packed.namelist()}
    rows = {name: [json.loads(line) for line in text.splitlines()] for name, text in files.items() if name.endswith(".jsonl")}
    expected = {"spans": 5, "events": 2, "metrics": 1, "sessions": 2, "feedback": 2, "orders": 1, "people": 1, "dead_letters": 5}
    expected |= {"inbox_feedback": 2, "inbox_orders": 1, "inbox_people": 1}
    assert {name.removesuffix(".jsonl"): len(found) for name, found in rows.items()} == expected
    assert rows["orders.jsonl"][0]["amount"] == "62.0000"
    assert {row["trace_id"] for row in rows["spans.jsonl"]} >= {trace.hex() for trace in mine.traces}
    assert "orders.jsonl: orders (1)\n" in files["README.txt"]
    assert other.name not in "".join(files.values())


async def tables_as_files(tmp_path: Path, config: tuple[str, str]) -> None:
    """A table becomes Parquet files by day that other tools read; ids are hexadecimal; only the newest version of a row is in them."""
    for table, rows in (("spans", 10), ("orders", 2), ("people", 2)):
        out = tmp_path / f"parquet-{table}"
        with contextlib.redirect_stdout(io.StringIO()):
            assert await asyncio.to_thread(main, ["export", "--table", table, "--out", str(out), "--json", *config]) == 0
        found = [row for path in sorted(out.iterdir()) for row in pyarrow.parquet.read_table(path).to_pylist()]
        assert len(found) == rows
        assert all(path.suffix == ".parquet" for path in out.iterdir())
        if table == "spans":
            assert all(len(row["trace_id"]) == 32 for row in found)


async def restored(tmp_path: Path, config: tuple[str, str], mine: Customer, other: Customer) -> None:
    """The backup of before the erasure, restored with the control database of after it: without the person, in tables and in the bytes of every file."""
    backup, newer = str(tmp_path / "backup"), str(tmp_path / "world/data/control.sqlite")
    assert files_with(tmp_path / "backup", mine)
    assert (tmp_path / "backup").stat().st_mode & 0o077 == 0
    again = await asyncio.to_thread(command, "restore", backup, "--to", str(tmp_path / "again/data"), "--newer", newer, "--json", *config)
    assert again["erased"] == 1
    with reading(tmp_path / "again") as store:
        assert await rows_of(store, mine) == {}
        assert (await rows_of(store, other))["spans"] == 5
        await store.close()
    assert files_with(tmp_path / "again", mine) == []


async def test_an_erased_person_is_nowhere_and_stays_away(tmp_path: Path):
    """Tables, inbox, journal, dead letters, forwarding, control database: no byte of user, visitor, visits, traces is left; what comes late goes again;
    another customer's rows are as many as before; orders keep their amount; the audit log says it without a name."""
    mine, other = Customer("canary"), Customer("other")
    (tmp_path / "world").mkdir()
    collector = CollectorProcess(tmp_path / "world")
    folder = collector.folder
    collector.config.write_text(collector.config.read_text() + "forward: [{name: away, endpoint: 'http://127.0.0.1:1'}]\n")
    key = await prepare(folder, mine, other)
    await collector.start()
    try:
        await collector.ready()
        sender = Sender(collector, key)
        await sender.send(mine, 60)
        await sender.send(other, 60)
        await sender.settled()
        config = ("--config", str(collector.config))
        look = await asyncio.to_thread(command, "erase", "--person", mine.user, "--dry-run", "--json", *config)
        assert look["names"]["visitors"] == [mine.visitor]
        assert look["names"]["sessions"] == mine.sessions
        assert look["names"]["traces"] == sorted(trace.hex() for trace in mine.traces)
        expected = {"spans": 5, "events": 2, "metrics": 1, "sessions": 2, "feedback": 2, "orders": 1, "people": 1, "dead letters": 5}
        expected["to be forwarded"] = 5 + 2 + 1
        assert {what: look["counts"][what] for what in expected} == expected
        assert files_with(folder / "data", mine)
        kept = await asyncio.to_thread(command, "backup", str(tmp_path / "backup"), "--json", *config)
        assert kept["done"]["rows"]["spans"] == 10
        await everything_about(mine, other, tmp_path, config)
        await tables_as_files(tmp_path, config)
        done = await asyncio.to_thread(command, "erase", "--person", mine.user, "--json", *config)
        assert {what: done["counts"][what] for what in expected} == expected
        assert files_with(folder / "data", mine) == []
        assert (folder / "data/engine/data/shadow").exists() is False
        await sender.send(mine, 50, speaks=False)
        await sender.settled()
        letters = await asyncio.to_thread(command, "dead-letters", "--json", *config)
        assert letters["reason"] == "The engine refused it: near '[erased]'"
    finally:
        assert collector.stop() == 0
    await restored(tmp_path, config, mine, other)
    with reading(folder) as store:
        assert await rows_of(store, mine) == {"people": 1}, "who is fed anew after the erasure is a new person"
        theirs = await rows_of(store, other, newest=True)
        assert {table: theirs.get(table, 0) for table in TABLES} == {
            "spans": 5, "events": 2, "metrics": 1, "sessions": 2, "feedback": 2, "orders": 1, "people": 1,
        }  # fmt: skip
        orders = await store.rows("SELECT id, amount, user_id, session_id, person_id FROM orders FINAL ORDER BY id")
        await store.close()
    assert [(row["id"], float(row["amount"]), row["user_id"]) for row in orders] == [
        ("order-canary", 62.0, ""),
        ("order-other", 62.0, other.user),
    ]
    with sqlite3.connect(folder / "data/control.sqlite") as control:
        (subject, detail) = control.execute("SELECT subject, detail FROM audit WHERE action = 'erasure.done'").fetchone()
    assert len(subject) == 64
    assert detail.startswith("erasure 1 of a person: ")
    assert "5 of spans" in detail
    assert "canary" not in detail


@pytest.mark.slow
@pytest.mark.parametrize("whom", ["collector", "engine"])
async def test_an_erasure_goes_on_after_a_kill(tmp_path: Path, whom: str):
    """The collector is killed, or its engine, as soon as the erasure has begun: it comes to its end by itself, and the person is nowhere on the disk."""
    mine, other = Customer("canary"), Customer("other")
    (tmp_path / "world").mkdir()
    collector = CollectorProcess(tmp_path / "world")
    key = await prepare(collector.folder, mine, other)
    await collector.start()
    try:
        await collector.ready()
        sender = Sender(collector, key)
        for who in (mine, other):
            await sender.send(who, 60)
        await sender.settled()
        headers = {"authorization": f"Bearer {key}"}

        async def state() -> str:
            async with httpx2.AsyncClient(trust_env=False, timeout=10, headers=headers) as http:
                return str((await http.get(f"{collector.runtime['web']}/api/v1/admin/erasures/1")).json()["state"])

        async with httpx2.AsyncClient(trust_env=False, timeout=10, headers=headers) as http:
            assert (await http.post(f"{collector.runtime['web']}/api/v1/admin/erasures", json={"person": mine.user})).status_code == 202

        async def begun() -> bool:
            return (await state()).startswith(("erasing", "waiting for replaced"))

        await collector.until_true(begun, "the erasure to begin")
        if whom == "engine":
            os.kill(collector.engine_pid, signal.SIGKILL)
        else:
            collector.kill()
            await collector.start()

        async def done() -> bool:
            return await state() == "done"

        await collector.until_true(done, "the erasure to end", 120.0)
        assert files_with(collector.folder / "data", mine) == []
    finally:
        assert collector.stop() == 0
    with reading(collector.folder) as store:
        assert await rows_of(store, mine) == {}
        assert (await rows_of(store, other))["spans"] == 5
        await store.close()


@pytest.mark.slow
async def test_commands_work_where_no_collector_runs(tmp_path: Path):
    """Each starts the engine itself and loads what waits in the journal first: a copy has it, a backup has it, and an erasure takes it."""
    mine, other = Customer("canary"), Customer("other")
    (tmp_path / "journeys").mkdir()
    (tmp_path / "collector.yaml").write_text("data: data\njourneys: journeys\nlimits: {memory: 2 GiB}\n")
    await prepare(tmp_path, mine, other)
    journal = Journal(tmp_path / "data/journal")
    await journal.open()
    for who in (mine, other):
        body = who.spans(ago(5)).SerializeToString()
        await journal.append("traces", Record("default", "", ago(0), "local", bytes(32), 5, body))
    await journal.close()
    config = ("--config", str(tmp_path / "collector.yaml"))
    await asyncio.to_thread(command, "export", "--person", mine.user, "--out", str(tmp_path / "copy"), "--json", *config)
    assert len((tmp_path / "copy/spans.jsonl").read_text().splitlines()) == 5
    kept = await asyncio.to_thread(command, "backup", str(tmp_path / "backup"), "--json", *config)
    assert kept["done"]["rows"]["spans"] == 10
    done = await asyncio.to_thread(command, "erase", "--person", mine.user, "--json", *config)
    # What `prepare` put aside as damaged goes with every erasure: nobody can say whose it is.
    assert (done["state"], done["counts"]) == ("done", {"spans": 5, "dead letters": 5, "damaged files": 3})
    assert files_with(tmp_path / "data", mine) == []
    plain = await asyncio.to_thread(command, "restore", str(tmp_path / "backup"), "--to", str(tmp_path / "new"), "--json", *config)
    assert (plain["rows"], plain["erased"]) == (kept["done"]["rows"], 0)
