"""Crashes, hangs and cut connections during ingest: nothing acknowledged is lost or doubled, and everything comes back by itself.

What is right is judged by `oracle.py`. The short form has a few faults of each kind, the long one a hundred kills of each process, drawn from a seed.
"""

import asyncio
import os
import random
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from sojourn_collector.store.client import Store
from sojourn_collector.store.engine_process import EngineProcess, EngineSettings
from tests.collector.cutting_proxy import CuttingProxy
from tests.collector.oracle import GrpcSender, HttpSender, Oracle, Sender, Verdict
from tests.collector.process import CollectorProcess, alive

pytestmark = pytest.mark.timeout(600)  # processes start many times; a busy machine takes its time


@pytest.fixture
def collector(tmp_path: Path) -> Iterator[CollectorProcess]:
    """A collector process on a folder of its own, ended afterwards."""
    one = CollectorProcess(tmp_path, grpc=True, tables=True)
    yield one
    if one._process is not None:
        one.stop()


class Stage:
    """A collector, proxies before it, senders at work, and the faults that can be done to them."""

    def __init__(self, collector: CollectorProcess) -> None:
        self.collector = collector
        self.oracle = Oracle()
        self.http, self.grpc = (CuttingProxy(lambda way=way: self._address(way)) for way in ("otlp", "otlp_grpc"))  # type: ignore[misc]
        self.senders: list[Sender] = []
        self.recoveries: dict[str, list[float]] = {}
        """Seconds from each fault until the next batch was acknowledged and, of an engine's, until another one was up."""

    def _address(self, way: str) -> tuple[str, int]:
        parts = urlsplit(self.collector.runtime[way])
        return str(parts.hostname), int(parts.port or 0)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Four senders at work: HTTP and gRPC, packed and not."""
        await self.collector.start()
        await self.collector.ready()
        for proxy in (self.http, self.grpc):
            await proxy.start()
        for number, packed in enumerate((False, True)):
            self.senders.append(HttpSender(self.oracle, number, lambda: f"http://{self.http.address}", packed=packed))
            self.senders.append(GrpcSender(self.oracle, number, self.grpc.address, packed=packed))
        tasks = [asyncio.create_task(sender.run()) for sender in self.senders]
        try:
            yield
            for sender in self.senders:
                sender.stopping = True
            async with asyncio.timeout(30):
                await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for proxy in (self.http, self.grpc):
                await proxy.stop()

    async def more(self, count: int = 6) -> None:
        """Wait until `count` more batches are acknowledged."""
        wanted = len(self.oracle.acknowledged) + count
        await self.collector.until(lambda: len(self.oracle.acknowledged) >= wanted, f"{count} more acknowledged batches")

    async def fault(self, name: str) -> None:
        """Do one of `FAULTS` and wait until batches are acknowledged again."""
        if name.endswith("_engine"):
            await self.collector.ready()  # what the fault before left is not this one's
        began = time.monotonic()
        await FAULTS[name](self)
        await self.more(1)
        self.recoveries.setdefault(name, []).append(time.monotonic() - began)

    async def kill_collector(self) -> None:
        """kill -9 of the collector alone; its engine goes with it. Then it is started again."""
        engine = self.collector.engine_pid
        self.collector.kill()
        await self.gone(engine)
        await self.collector.start()

    async def restart(self) -> None:
        """SIGTERM, exit 0, start."""
        assert await asyncio.to_thread(self.collector.stop) == 0
        await self.collector.start()

    async def kill_engine(self) -> None:
        """kill -9 of the engine; another one comes."""
        await self._without_engine(signal.SIGKILL)

    async def stop_engine(self) -> None:
        """SIGSTOP of the engine: it hangs, and is replaced. While it hangs /readyz is 503 and names it; /healthz stays 200."""
        await self._without_engine(signal.SIGSTOP, "The engine did not answer within 4 s; it is being restarted.")

    async def _without_engine(self, number: signal.Signals, reason: str = "") -> None:
        engine = self.collector.engine_pid
        os.kill(engine, number)
        await self.more(4)  # acknowledged without an engine: the journal takes it
        if reason:

            async def said() -> bool:
                answer = await self.collector.get("/readyz")
                return bool(answer.status_code == 503 and answer.json()["engine"]["reason"] == reason)

            await self.collector.until_true(said, "/readyz to name the hung engine")
            assert (await self.collector.get("/healthz")).status_code == 200
        await self.collector.until(lambda: self.collector.engine_pid != engine and not alive(engine), "another engine")
        await self.collector.ready()

    async def cut_replies(self) -> None:
        """Replies are lost after the batch was kept."""
        await self._cut("cut_replies")

    async def cut_requests(self) -> None:
        """Requests break off in the middle."""
        await self._cut("cut_requests")

    async def _cut(self, what: str) -> None:
        for proxy in (self.http, self.grpc):
            setattr(proxy, what, 3)
        await self.collector.until(lambda: not (getattr(self.http, what) or getattr(self.grpc, what)), "connections to be cut")

    async def gone(self, engine: int) -> None:
        """Wait until the engine of a killed collector is gone."""
        async with asyncio.timeout(10):
            while alive(engine):
                await asyncio.sleep(0.025)

    async def verdict(self) -> Verdict:
        """Load everything, stop, and judge by an engine of the test's own."""
        await self.collector.ready()

        async def empty() -> bool:
            loading = (await self.collector.get("/readyz")).json()["loading"]
            return bool(loading["loaded_seq"] == loading["last_seq"])

        await self.collector.until_true(empty, "the journal to be loaded")
        assert self.collector.stop() == 0
        engine = EngineProcess(self.collector.folder / "data/engine", EngineSettings(memory=2 << 30))
        endpoint = await asyncio.to_thread(engine.start)
        store = Store(lambda: endpoint)
        try:
            return await self.oracle.judge_store(store)
        finally:
            await store.close()
            await asyncio.to_thread(engine.kill)


FAULTS = {
    "kill_collector": Stage.kill_collector,
    "kill_engine": Stage.kill_engine,
    "stop_engine": Stage.stop_engine,
    "cut_replies": Stage.cut_replies,
    "cut_requests": Stage.cut_requests,
    "restart": Stage.restart,
}


async def survive(collector: CollectorProcess, faults: list[str]) -> Stage:
    """Do the faults during ingest, then let the oracle judge; at the end a fresh batch is taken within 30 s."""
    stage = Stage(collector)
    async with stage.running():
        for name in faults:
            await stage.more()
            await stage.fault(name)
        async with asyncio.timeout(30):
            await stage.more(1)
    assert await stage.verdict() == Verdict()
    assert len(stage.oracle.acknowledged) > 6 * len(faults)
    return stage


async def test_faults_during_ingest(collector):
    """The collector killed twice, the engine killed and hung, replies and requests cut: 0 lost, 0 doubled, and each kill takes the engine with it."""
    stage = await survive(collector, ["cut_replies", "kill_collector", "kill_engine", "cut_requests", "stop_engine", "kill_collector"])
    assert stage.http.cuts == stage.grpc.cuts == 6
    assert stage.oracle.tries > len(stage.oracle.acknowledged)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", [1])
async def test_a_hundred_kills_of_each(collector, seed):
    """100 kills of the collector, 100 of the engine, with hangs, cuts and restarts between, in an order drawn from the seed: 0 lost, 0 doubled."""
    faults = ["kill_collector"] * 100 + ["kill_engine"] * 100 + ["stop_engine"] * 5 + ["cut_replies"] * 40 + ["cut_requests"] * 40 + ["restart"] * 5
    random.Random(seed).shuffle(faults)
    stage = await survive(collector, faults)
    print(f"\n{len(stage.oracle.acknowledged)} batches acknowledged in {stage.oracle.tries} tries")
    for name, seconds in sorted(stage.recoveries.items()):
        print(f"{name}: {len(seconds)} times, back after {sorted(seconds)[len(seconds) // 2]:.2f} s (median), {max(seconds):.2f} s (longest)")


async def test_the_oracle_sees_what_is_wrong():
    """A lost item, a doubled one, one never sent and a batch in part are each named."""
    oracle = Oracle()
    whole, lost, doubled, part = (oracle.new(2) for _ in range(4))
    oracle.acknowledged |= {whole.id, lost.id, doubled.id}

    def rows(batch, items):
        return [{"batch": batch, "trace_id": item[0], "span_id": item[1], "name": item[2], "check": item[3]} for item in items]

    stored = rows(whole.id, whole.items) + rows(doubled.id, [*doubled.items, *doubled.items]) + rows(part.id, sorted(part.items)[:1])
    stored += rows(lost.id, [("00", "00", "other", "")])
    verdict = oracle.judge(stored)
    assert verdict == Verdict({lost.id: 2}, {doubled.id: 2}, [("00", "00", "other", "")], [part.id])
    assert oracle.judge(rows(whole.id, whole.items) + rows(lost.id, lost.items) + rows(doubled.id, doubled.items)) == Verdict()
