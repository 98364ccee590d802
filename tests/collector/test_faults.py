"""Crashes and hangs: nothing acknowledged is lost or doubled, and everything comes back by itself."""

import asyncio
import os
import signal
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx2
import pytest

from sojourn_collector.store.client import Store
from sojourn_collector.store.engine_process import EngineProcess, EngineSettings
from tests.collector.process import CollectorProcess, alive
from tests.collector.receive.conftest import traces

pytestmark = pytest.mark.timeout(600)  # processes start many times; a busy machine takes its time


@pytest.fixture
def collector(tmp_path: Path) -> Iterator[CollectorProcess]:
    """A collector process on a folder of its own, ended afterwards."""
    one = CollectorProcess(tmp_path)
    yield one
    if one._process is not None:
        one.stop()


class Sender:
    """Sends batches until each is acknowledged, with the same id and body, as an agent does."""

    def __init__(self, collector: CollectorProcess) -> None:
        self.collector = collector
        self.acknowledged: list[str] = []
        self.stopping = False

    async def run(self) -> None:
        """Send one batch after the other until told to stop."""
        async with httpx2.AsyncClient(trust_env=False, verify=False, timeout=5) as http:
            while not self.stopping:
                batch = str(uuid.uuid4())
                body = traces(20, batch=batch).SerializeToString()
                while not await self._try(http, batch, body):
                    await asyncio.sleep(0.02)
                self.acknowledged.append(batch)

    async def _try(self, http: httpx2.AsyncClient, batch: str, body: bytes) -> bool:
        headers = {"content-type": "application/x-protobuf", "idempotency-key": batch}
        try:
            answer = await http.post(self.collector.runtime["otlp"] + "/v1/traces", content=body, headers=headers)
        except (OSError, ValueError, httpx2.HTTPError):
            return False
        assert answer.status_code in (200, 503), answer.content
        return answer.status_code == 200


async def stored(collector: CollectorProcess) -> Counter[str]:
    """Rows per batch, read by an engine of the test's own after the collector ended."""
    engine = EngineProcess(collector.folder / "data/engine", EngineSettings(memory=2 << 30))
    endpoint = await asyncio.to_thread(engine.start)
    store = Store(lambda: endpoint)
    try:
        rows = await store._rows("SELECT attrs['batch'] AS batch, count() AS n FROM spans GROUP BY batch", {}, 60)
    finally:
        await store.close()
        await asyncio.to_thread(engine.kill)
    return Counter({row["batch"]: row["n"] for row in rows})


async def everything_loaded(collector: CollectorProcess) -> None:
    """Wait until the journal is empty."""
    await collector.ready()

    async def empty() -> bool:
        loading = (await collector.get("/readyz")).json()["loading"]
        return bool(loading["loaded_seq"] == loading["last_seq"])

    await collector.until_true(empty, "the journal to be loaded")


@pytest.fixture
async def senders(collector: CollectorProcess) -> AsyncIterator[list[Sender]]:
    """Three senders at work on a started collector."""
    await collector.start()
    found = [Sender(collector) for _ in range(3)]
    tasks = [asyncio.create_task(sender.run()) for sender in found]
    yield found
    for sender in found:
        sender.stopping = True
    await asyncio.wait_for(asyncio.gather(*tasks), 30)


async def more(senders: list[Sender], collector: CollectorProcess, count: int = 10) -> None:
    """Wait until `count` more batches are acknowledged."""
    wanted = sum(len(sender.acknowledged) for sender in senders) + count
    await collector.until(lambda: sum(len(sender.acknowledged) for sender in senders) >= wanted, f"{count} more acknowledged batches")


async def exact(senders: list[Sender], collector: CollectorProcess) -> None:
    """Every acknowledged batch is in the table with each of its 20 spans once, and nothing else is there in part or twice."""
    for sender in senders:
        sender.stopping = True
    counts = [-1]
    while counts[-1] != sum(len(sender.acknowledged) for sender in senders):
        counts.append(sum(len(sender.acknowledged) for sender in senders))
        await asyncio.sleep(0.2)
    await everything_loaded(collector)
    assert collector.stop() == 0
    rows = await stored(collector)
    acknowledged = [batch for sender in senders for batch in sender.acknowledged]
    assert {batch for batch in acknowledged if rows[batch] != 20} == set()
    assert set(rows.values()) == {20}


async def test_kill_9_of_the_collector(senders, collector):
    """Five times kill -9 of the collector alone during ingest: 0 lost, 0 doubled, and its engine is gone with it each time."""
    await collector.ready()
    for number in range(5):
        await more(senders, collector)
        engine = collector.engine_pid
        collector.kill()
        await collector_gone(engine)
        await collector.start()
        if number % 2:
            await collector.ready()
    await more(senders, collector)
    await exact(senders, collector)


async def collector_gone(engine: int) -> None:
    """Wait until the engine of a killed collector is gone."""
    for _ in range(400):
        if not alive(engine):
            return
        await asyncio.sleep(0.025)
    pytest.fail(f"the engine {engine} outlived its collector")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "hung"])
async def test_the_engine_dies_or_hangs(senders, collector, number):
    """kill -9 or SIGSTOP of the engine during ingest: it is replaced, OTLP is taken all the while, 0 lost, 0 doubled."""
    await collector.ready()
    await more(senders, collector)
    engine = collector.engine_pid
    os.kill(engine, number)
    await more(senders, collector)  # acknowledged without an engine: the journal takes it
    await collector.until(lambda: collector.engine_pid != engine and not alive(engine), "another engine")
    await collector.ready()
    await exact(senders, collector)


async def test_readyz_says_what_is_going_on(collector):
    """While the engine hangs /readyz is 503 and names it; /healthz stays 200."""
    await collector.start()
    await collector.ready()
    os.kill(collector.engine_pid, signal.SIGSTOP)

    async def said() -> bool:
        answer = await collector.get("/readyz")
        return bool(answer.status_code == 503 and answer.json()["engine"]["reason"] == "The engine did not answer within 4 s; it is being restarted.")

    await collector.until_true(said, "/readyz to name the hung engine")
    assert (await collector.get("/healthz")).status_code == 200
    await collector.ready()
