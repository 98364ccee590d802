"""Data folders as older versions left them: the tables of an older schema with a row in every one, and a journal nobody has loaded yet."""

import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from sojourn_collector.store.client import Store
from sojourn_collector.store.engine_process import EngineProcess, EngineSettings
from sojourn_collector.store.journal import Journal
from sojourn_collector.store.load_sql import COLUMNS, SELECT, TABLES, Load, Signal
from sojourn_collector.store.migrations import FOLDER, migrate, read
from sojourn_collector.store.record import Record
from tests.collector.receive.conftest import traces

NOW = datetime.now(UTC)
VERSIONS = [migration.number for migration in read()]
"""Numbers of the schema, one for each version that may be lying on somebody's disk; the last is today's."""

TIMES = ("ts", "started", "ended", "run_started", "t", "day", "accepted", "received")
"""Columns that decide how long a row is kept, or might."""

NOT_DATA = ("migrations",)
FILLED_BY_VIEWS = ("spans_1m", "trace_times", "failed_traces")


def schema(folder: Path, number: int) -> Path:
    """The migrations up to a number, as the version of that time had them."""
    folder.mkdir()
    for path in FOLDER.glob("*.sql"):
        if int(path.name[:4]) <= number:
            shutil.copy(path, folder)
    return folder


@asynccontextmanager
async def engine(folder: Path) -> AsyncIterator[Store]:
    """A store on an engine over `folder`, killed afterwards."""
    process = EngineProcess(folder, EngineSettings(memory=1 << 30))
    endpoint = process.start()
    store = Store(lambda: endpoint)
    try:
        yield store
    finally:
        await store.close()
        process.kill()


async def tables(store: Store) -> list[str]:
    """Every table that holds data."""
    return sorted(row["name"] for row in await store.query("table_engines") if row["name"] not in NOT_DATA)


async def fill(store: Store) -> None:
    """A row in every table there is; views make one of a span."""
    for table in await tables(store):
        if table in FILLED_BY_VIEWS:
            continue
        columns = await store.columns(table)
        row = {name: NOW.date() if columns[name] == "Date" else NOW for name in TIMES if name in columns}
        await store.insert(table, [{**row, **({"version": 1} if "version" in columns else {"name": "kept"} if "name" in columns else {})}])


async def counts(store: Store, names: list[str] | None = None) -> dict[str, int]:
    """Rows of each table."""
    found = {}
    for table in names or await tables(store):
        found[table] = int((await store._rows(f"SELECT count() AS n FROM {table}", {}, 30))[0]["n"])
    return found


def request(signal: Signal, batch: str, items: int) -> bytes:
    """An OTLP request of this many items; spans carry the batch as an attribute, the others as their name."""
    if signal == "traces":
        return bytes(traces(items, batch=batch).SerializeToString())
    if signal == "logs":
        logs = ExportLogsServiceRequest()
        scope = logs.resource_logs.add().scope_logs.add()
        for _ in range(items):
            scope.log_records.add(time_unix_nano=time.time_ns(), event_name=batch)
        return bytes(logs.SerializeToString())
    metrics = ExportMetricsServiceRequest()
    of_scope = metrics.resource_metrics.add().scope_metrics.add()
    gauge = of_scope.metrics.add(name=batch).gauge
    for number in range(items):
        gauge.data_points.add(time_unix_nano=time.time_ns(), as_double=number)
    return bytes(metrics.SerializeToString())


async def journal(folder: Path, batches: dict[str, tuple[Signal, int]]) -> None:
    """Accepted requests on disk, each a file of its own, by today's code; nobody has loaded them."""
    for batch, (signal, items) in batches.items():
        one = Journal(folder, linger=0)
        await one.open()
        body = request(signal, batch, items)
        await one.append(signal, Record("default", batch, time.time_ns(), "local", batch.encode().ljust(32, b"-"), items, body))
        await one.close()


async def load_as_then(store: Store, path: Path, token: str) -> None:
    """Load a file into the tables of an older schema, as its version did; it was not noted any more."""
    number, _, signal = path.name.removesuffix(".pb").partition(".")
    wanted: Signal = next(one for one in TABLES if one == signal)
    there = await store.columns(TABLES[wanted])
    now = Load(wanted, path, int(number), token).sql()
    head, _, rest = now.partition(") SETTINGS ")
    start = rest.index(SELECT[wanted].partition(" AS ")[0].replace("{seq}", str(int(number))))
    columns = ", ".join(column for column in COLUMNS[wanted] if column in there)
    await store.statement(f"{head.partition(' (')[0]} ({columns}) SETTINGS {rest[:start]} SELECT {columns} FROM ({rest[start:]})")


async def old_folder(folder: Path, number: int, batches: dict[str, tuple[Signal, int]], half_done: str = "") -> dict[str, int]:
    """A whole data folder of an older schema; returns the rows of its tables. The file of the batch `half_done` is in the tables and in the journal."""
    await journal(folder / "journal", batches)
    one = Journal(folder / "journal")
    files = await one.open()
    await one.close()
    async with engine(folder / "engine") as store:
        await migrate(store, schema(folder.parent / f"schema-{number}", number))
        await fill(store)
        for file in files:
            if half_done and file.records[0].batch == half_done:
                await load_as_then(store, file.path, f"{one.id}-{file.seq}")
        return await counts(store)
