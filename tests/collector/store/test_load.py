"""Loading journal files into the real engine, poison included."""

import asyncio
import errno
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from sojourn_collector.counters import Counters
from sojourn_collector.store.catalogue import FOLDER, Catalogue
from sojourn_collector.store.client import Store
from sojourn_collector.store.journal import Journal, JournalUnavailableError
from sojourn_collector.store.load import Loader
from sojourn_collector.store.load_sql import Load
from sojourn_collector.store.record import Record
from tests.collector.control_file import open_control

HOT = "SELECT journey, step, run_id, traffic, user_id, session_id, span_type, app FROM spans WHERE attrs['batch'] = {batch:String}"


class Bench:
    """Journal, loader and control database on a folder; loads when told to."""

    def __init__(self, folder: Path, store: Store, first: int) -> None:
        self.folder, self.store, self.first = folder, store, first
        self.counters = Counters()

    async def __aenter__(self) -> "Bench":
        self.control = open_control(self.folder / "control.sqlite")
        self.journal = Journal(self.folder / "journal", linger=0)
        self.files = await self.journal.open(self.first)
        self.loader = Loader(self.journal, self.store, self.control.ledger, self.control.dead_letters, self.folder / "dead", self.counters)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.journal.close()
        self.control.close()

    async def load(self) -> None:
        """Load until nothing waits."""
        task = asyncio.create_task(self.loader.run())
        async with asyncio.timeout(60):
            while self.journal.loaded_seq < self.journal.last_seq:
                await self.loader.wait_beyond(self.journal.loaded_seq)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def count(self, batch: str) -> int:
        """Rows of a batch."""
        return int((await self.store.query("of_batch", batch=batch))[0]["n"])


@pytest.fixture
async def bench(tmp_path: Path, engine) -> AsyncIterator[Bench]:
    """A bench whose sequence numbers nobody else in the engine has."""
    queries = tmp_path / "queries"
    queries.mkdir()
    for own in FOLDER.glob("loaded_*.sql"):
        (queries / own.name).write_text(own.read_text())
    (queries / "of_batch.sql").write_text("SELECT count() AS n FROM spans WHERE attrs['batch'] = {batch:String}")
    (queries / "minutes.sql").write_text("SELECT sum(n) AS n FROM spans_1m WHERE service = {service:String}")
    (queries / "hot.sql").write_text(HOT)
    store = Store(lambda: engine, catalogue=Catalogue(queries))
    async with Bench(tmp_path, store, int.from_bytes(os.urandom(5))) as one:
        yield one
    await store.close()


def body(batch: str, spans: int = 1, service: str = "shop", span_id: int = 8, attributes: dict[str, str] | None = None) -> bytes:
    """A request; `span_id` bytes long, so that it can be poison."""
    request = ExportTraceServiceRequest()
    source = request.resource_spans.add()
    for key, value in {"service.name": service, "session.id": "resource", "user.id": "resource", "sojourn.app": "shop"}.items():
        source.resource.attributes.add(key=key).value.string_value = value
    scope = source.scope_spans.add()
    for _ in range(spans):
        span = scope.spans.add(trace_id=os.urandom(16), span_id=os.urandom(span_id), start_time_unix_nano=time.time_ns())
        for key, value in {"batch": batch, **(attributes or {})}.items():
            span.attributes.add(key=key).value.string_value = value
    return bytes(request.SerializeToString())


def record(data: bytes, batch: str, items: int = 1) -> Record:
    """A journal record around a request."""
    return Record("default", batch, time.time_ns(), "local", bytes(32), items, data)


async def test_a_file_is_in_the_table_and_its_batches_in_the_ledger_before_it_goes(bench: Bench, tmp_path):
    """After a load the file is gone, its rows are stored, its batch is in the ledger with the file's number."""
    batch = os.urandom(8).hex()
    seq = await bench.journal.append("traces", record(body(batch, 3), batch, 3))
    await bench.load()
    assert await bench.count(batch) == 3
    row = await bench.control.ledger.find("local", "/v1/traces", batch)
    assert row is not None
    assert row.seq == seq
    assert list((tmp_path / "journal").glob("*.pb")) == []


async def test_hot_attributes_come_from_the_item_first(bench: Bench):
    """A promoted column takes the span's own attribute, else its resource's."""
    batch = os.urandom(8).hex()
    given = {"user.id": "own", "sojourn.journey.id": "checkout", "sojourn.step.id": "pay", "sojourn.run.id": "r"}
    given |= {"sojourn.traffic": "real", "sojourn.span.type": "fetch"}
    await bench.journal.append("traces", record(body(batch, attributes=given), batch))
    await bench.load()
    (row,) = await bench.store.query("hot", batch=batch)
    assert tuple(row.values()) == ("checkout", "pay", "r", "real", "own", "resource", "fetch", "shop")


async def test_loading_a_file_again_stores_nothing_twice(bench: Bench):
    """A file whose load was done but not noted is loaded again under its token: rows and rollup stay as they were."""
    batch = os.urandom(8).hex()
    await bench.journal.append("traces", record(body(batch, 5, service=batch), batch, 5))
    file = await bench.journal.next_file()
    load = Load("traces", file.path, file.seq, f"{bench.journal.id}-{file.seq}")
    for _ in range(2):
        await bench.store.statement(load.sql())
    file.leftover = True
    await bench.load()
    assert await bench.count(batch) == 5
    assert await bench.store.query("minutes", service=batch) == [{"n": 5}]
    assert bench.counters.value("sojourn_load_mismatch") == 0


async def test_what_a_refused_batch_left_behind_is_not_loaded(bench: Bench, monkeypatch):
    """Bytes that a broken disk would not give back are cut before the load; a file of nothing else is only let go of."""
    batch = os.urandom(8).hex()
    await bench.journal.append("traces", record(body(batch), "1"))
    monkeypatch.setattr(bench.journal, "_sync", _broken)
    monkeypatch.setattr("sojourn_collector.store.journal.os.ftruncate", _broken)
    for signal in ("traces", "metrics"):
        with pytest.raises(JournalUnavailableError):
            await bench.journal.append(signal, record(body(batch, 7), "2", 7))
    monkeypatch.setattr(bench.journal, "_sync", os.fdatasync)
    await bench.load()
    assert await bench.count(batch) == 1
    assert bench.counters.value("sojourn_load_mismatch") == 0
    assert bench.loader.trouble == ""


def _broken(descriptor: int, *_: int) -> None:
    raise OSError(errno.EIO, "Input/output error")


async def test_poison_is_put_aside_and_the_rest_is_stored(bench: Bench, tmp_path):
    """One request the engine refuses becomes a dead letter with its reason; the others of its file are stored once, and its batch stays known."""
    batch = os.urandom(8).hex()
    for number in range(9):
        data = body(batch, span_id=20 if number == 4 else 8)
        await bench.journal.append("traces", record(data, f"{batch}-{number}"))
    file = await bench.journal.next_file()
    assert len(file.records) == 9
    await bench.load()
    assert await bench.count(batch) == 8
    (letter,) = await bench.control.dead_letters.list()
    assert (letter.signal, letter.file) == ("traces", f"{file.seq:016}-4.traces.pb")
    assert letter.reason.startswith("The engine refused it (code 131): ")
    assert (tmp_path / "dead" / letter.file).read_bytes()
    assert await bench.control.ledger.find("local", "/v1/traces", f"{batch}-4") is not None
    assert sorted(path.name for path in (tmp_path / "journal").iterdir()) == ["journal.json"]


async def test_a_split_that_was_interrupted_goes_on_without_doubling(bench: Bench, tmp_path):
    """After a crash in the middle of a split the same parts are named again, so that those stored before are not stored twice."""
    batch = os.urandom(8).hex()
    for number in range(4):
        await bench.journal.append("traces", record(body(batch, span_id=20 if number == 0 else 8), f"{batch}-{number}"))
    file = await bench.journal.next_file()
    journal_id, name = bench.journal.id, file.path.name
    kept = file.path.read_bytes()
    await bench.load()
    assert await bench.count(batch) == 3
    await bench.journal.close()
    (tmp_path / "journal" / name).write_bytes(kept)  # as if nothing after the marker had become durable
    (tmp_path / "journal" / name).with_suffix(".split").touch()
    bench.control.close()
    async with Bench(tmp_path, bench.store, bench.first) as again:
        assert again.journal.id == journal_id
        await again.load()
        assert await again.count(batch) == 3
        assert len(await again.control.dead_letters.list()) == 1
