"""A collector is replaced by a newer one while its journal is full: everything is there afterwards, once."""

import asyncio
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sojourn_collector.counters import Counters
from sojourn_collector.store.client import Store
from sojourn_collector.store.control.control import Control
from sojourn_collector.store.journal import Journal
from sojourn_collector.store.load import Loader
from sojourn_collector.store.load_sql import Signal
from sojourn_collector.store.migrations import FOLDER, migrate
from tests.collector.process import CollectorProcess
from tests.collector.store.released import FILLED_BY_VIEWS, VERSIONS, counts, engine, old_folder, request

BATCHES: dict[str, tuple[Signal, int]] = {"t1": ("traces", 30), "l1": ("logs", 20), "t2": ("traces", 40), "m1": ("metrics", 10), "t3": ("traces", 5)}
RECREATED = """DROP VIEW IF EXISTS spans_1m_view
--------
DROP VIEW IF EXISTS trace_times_view
--------
{spans_1m}
--------
{trace_times}
"""


async def load_all(store: Store, folder: Path) -> tuple[Counters, int]:
    """Load what waits, as a start does; returns what was counted and how many dead letters there are."""
    control, counters = Control.open(folder / "control.sqlite"), Counters()
    journal = Journal(folder / "journal", linger=0)
    await journal.open(await control.ledger.highest_seq())
    loader = Loader(journal, store, control.ledger, control.dead_letters, folder / "dead", counters)
    task = asyncio.create_task(loader.run())
    async with asyncio.timeout(60):
        while journal.loaded_seq < journal.last_seq:
            await loader.wait_beyond(journal.loaded_seq)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await journal.close()
    dead = len(await control.dead_letters.list())
    control.close()
    return counters, dead


async def by_batch(store: Store) -> dict[str, int]:
    """Rows of each batch over the three tables."""
    sql = """SELECT batch, count() AS n FROM (SELECT attrs['batch'] AS batch FROM spans UNION ALL SELECT name FROM events UNION ALL SELECT name FROM metrics)
        WHERE batch NOT IN ('', 'kept') GROUP BY batch"""
    return {row["batch"]: row["n"] for row in await store._rows(sql, {}, 30)}


async def agree(store: Store) -> None:
    """What views made of the spans says the same as the spans."""
    (row,) = await store._rows(
        """SELECT (SELECT count() FROM spans) AS spans, (SELECT sum(n) FROM spans_1m) AS minutes,
            (SELECT uniqExact(trace_id) FROM spans) AS traces, (SELECT uniqExact(trace) FROM trace_times) AS traces_known""",
        {},
        30,
    )
    assert row["spans"] == row["minutes"]
    assert row["traces"] == row["traces_known"]


def with_views_recreated(folder: Path) -> Path:
    """Today's schema and a next one that makes the views anew, as a change of what they hold does."""
    shutil.copytree(FOLDER, folder)
    made = {}
    for path in FOLDER.glob("*.sql"):
        for part in path.read_text().split("--------"):
            for view in ("spans_1m", "trace_times"):
                if f"MATERIALIZED VIEW IF NOT EXISTS {view}_view" in part:
                    made[view] = part.strip().rstrip(";")
    (folder / "9999_views.sql").write_text(RECREATED.format(**made))
    return folder


@pytest.mark.parametrize("version", [pytest.param(number, marks=() if number == VERSIONS[0] else pytest.mark.slow) for number in VERSIONS[:-1]])
async def test_an_upgrade_with_a_full_journal(tmp_path: Path, version: int):
    """Rows stored by the older version stay, files it had accepted are loaded, the one it had loaded and not noted is not doubled."""
    data = tmp_path / "data"
    old = await old_folder(data, version, BATCHES, half_done="t2")
    assert old["spans"] == 41
    async with engine(data / "engine") as store:
        assert await migrate(store) > 0
        counted, dead = await load_all(store, data)
        assert await by_batch(store) == {batch: items for batch, (_, items) in BATCHES.items()}
        assert (dead, counted.value("sojourn_load_mismatch"), list((data / "journal").glob("*.pb"))) == (0, 0, [])
        now = await counts(store, list(old))
        grown = {"spans": 35, "events": 20, "metrics": 10}
        own = [table for table in old if table not in FILLED_BY_VIEWS]
        assert {table: now[table] - old[table] for table in own} == {table: grown.get(table, 0) for table in own}
        await agree(store)


async def test_views_made_anew_miss_nothing(tmp_path: Path):
    """Loading waits for the migrations: what lies in the journal while views are dropped and made anew is in them afterwards."""
    data = tmp_path / "data"
    await old_folder(data, VERSIONS[-1], BATCHES, half_done="t1")
    async with engine(data / "engine") as store:
        assert await migrate(store, with_views_recreated(tmp_path / "next")) == 4
        await load_all(store, data)
        assert await by_batch(store) == {batch: items for batch, (_, items) in BATCHES.items()}
        await agree(store)


@pytest.fixture
def collector(tmp_path: Path) -> Iterator[CollectorProcess]:
    """A collector process on a folder of its own, ended afterwards."""
    one = CollectorProcess(tmp_path)
    yield one
    if one._process is not None:
        one.stop()


@pytest.mark.slow
async def test_a_collector_started_on_an_older_folder(collector: CollectorProcess):
    """The process itself: it takes OTLP while it migrates, is ready when the tables are today's, and each trace of old and new is there whole."""
    import httpx2

    data = collector.folder / "data"
    await old_folder(data, VERSIONS[0], BATCHES, half_done="t2")
    await collector.start()
    async with httpx2.AsyncClient(trust_env=False, verify=False, timeout=30) as http:
        headers = {"content-type": "application/x-protobuf", "idempotency-key": f"now-{time.time_ns()}"}
        answer = await http.post(collector.runtime["otlp"] + "/v1/traces", content=request("traces", "now", 7), headers=headers)
        assert answer.status_code == 200
    await collector.ready()

    async def loaded() -> bool:
        loading = (await collector.get("/readyz")).json()["loading"]
        return bool(loading["loaded_seq"] == loading["last_seq"])

    await collector.until_true(loaded, "the journal to be loaded")
    report = (await collector.get("/readyz")).json()
    assert report["disk"]["trouble"] == report["rollups"]["trouble"] == ""
    collector.stop()
    async with engine(data / "engine") as store:
        assert await by_batch(store) == {batch: items for batch, (_, items) in BATCHES.items()} | {"now": 7}
        await agree(store)
