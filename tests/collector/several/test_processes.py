"""Two collectors as processes on one PostgreSQL and one engine: kill -9 at each point, and who joins."""

import asyncio
import json
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from sojourn_collector.store.catalogue import Catalogue
from sojourn_collector.store.client import Store
from sojourn_collector.store.control.postgres import PostgresAddress
from sojourn_collector.store.endpoint import Endpoint
from tests.collector.process import CollectorProcess
from tests.collector.receive.conftest import traces
from tests.collector.several import driver
from tests.postgres_server import PostgresServer

pytestmark = [pytest.mark.timeout(300), pytest.mark.slow]
ROOT = Path(__file__).parents[3]


class SeveralProcess(CollectorProcess):
    """A collector that shares engine and control database."""

    def __init__(self, folder: Path, engine: Endpoint, database: PostgresAddress) -> None:
        folder.mkdir()
        super().__init__(folder)
        self._engine = engine
        url = f"postgresql://{database.user}@:{database.port}/{database.database}?host={database.host}"
        self.config.write_text(self.config.read_text() + f"control: {{url: '{url}'}}\nengine: http://127.0.0.1:9\n")
        self.database = database

    async def start(self, die_at: str = "") -> None:
        """Start, to die at a point of `driver.POINTS`."""
        (self.folder / "data/control.json").unlink(missing_ok=True)
        command = [
            sys.executable,
            "-m",
            "tests.collector.several.driver",
            json.dumps({"host": self._engine.host, "port": self._engine.port, "token": self._engine.token}),
            die_at,
            str(self.config),
        ]
        with (self.folder / "log.txt").open("ab") as log:
            self._process = subprocess.Popen(command, stderr=log, cwd=ROOT)
        await self.until(lambda: (self.folder / "data/control.json").exists() and self.runtime["pid"] == self.pid, "the collector to start")

    async def report(self) -> dict[str, Any]:
        """What /readyz says."""
        return dict((await self.get("/readyz")).json())

    async def send(self, batch: str, body: bytes) -> int:
        """Send a batch; its status, 0 when no answer came."""
        headers = {"content-type": "application/x-protobuf", "idempotency-key": batch}
        try:
            async with httpx2.AsyncClient(trust_env=False, verify=False, timeout=10) as http:
                return int((await http.post(self.runtime["otlp"] + "/v1/traces", content=body, headers=headers)).status_code)
        except (OSError, ValueError, httpx2.HTTPError):
            return 0

    async def accepted(self, batch: str, body: bytes) -> None:
        """Send a batch until it is accepted."""

        async def taken() -> bool:
            return await self.send(batch, body) == 200

        await self.until_true(taken, "the batch to be accepted")

    async def everything_loaded(self) -> None:
        """Wait until its journal is empty."""

        async def empty() -> bool:
            loading = (await self.report())["loading"]
            return bool(loading["loaded_seq"] == loading["last_seq"])

        await self.until_true(empty, "the journal to be loaded")

    def end(self) -> None:
        """End it, whatever it does."""
        if self._process is not None and self._process.poll() is None:
            self.kill()

    async def dead(self) -> None:
        """Wait until it killed itself."""
        assert self._process is not None
        assert await asyncio.to_thread(self._process.wait, 60) == -9


@pytest.fixture
def pair(tmp_path: Path, engine: Endpoint, postgres_database: PostgresAddress) -> Iterator[tuple[SeveralProcess, SeveralProcess]]:
    """Two collectors, not started yet."""
    found = SeveralProcess(tmp_path / "a", engine, postgres_database), SeveralProcess(tmp_path / "b", engine, postgres_database)
    yield found
    for one in found:
        one.end()


async def rows(engine: Endpoint, tmp_path: Path, batch: str) -> int:
    """Rows of a batch."""
    (tmp_path / "of_batch.sql").write_text("SELECT count() AS n FROM spans WHERE attrs['batch'] = {batch:String}")
    store = Store(lambda: engine, catalogue=Catalogue(tmp_path))
    try:
        return int((await store.query("of_batch", batch=batch))[0]["n"])
    finally:
        await store.close()


@pytest.mark.parametrize("point", driver.POINTS)
async def test_kill_9_at_each_point(pair, engine: Endpoint, tmp_path: Path, point: str) -> None:
    """A collector dies there; the batch is sent on to the other until that accepts it; both load all they have: it is stored once."""
    a, b = pair
    await asyncio.gather(a.start(point), b.start())
    batch = str(uuid.uuid4())
    body = bytes(traces(5, batch=batch).SerializeToString())
    await a.send(batch, body)
    await a.dead()
    await b.accepted(batch, body)
    await a.start()
    await asyncio.gather(a.everything_loaded(), b.everything_loaded())
    assert await rows(engine, tmp_path, batch) == 5
    assert [await a.send(batch, body), await b.send(batch, body), await rows(engine, tmp_path, batch)] == [200, 200, 5]
    assert [a.stop(), b.stop()] == [0, 0]


async def test_another_joins_when_the_holder_dies(pair) -> None:
    """One of them joins, and /readyz of both says which; after kill -9 of it the other does within seconds."""
    a, b = pair
    await a.start()
    await a.until_true(lambda: _joins(a), "the first to join")
    await b.start()
    assert (await b.report())["node"]["joins"] is False
    a.kill()
    await b.until_true(lambda: _joins(b), "the other to join", 20)
    report = await b.report()
    assert report["node"] | {"id": ""} == {"number": 1, "id": "", "epoch": 1, "joins": True, "join_holder": 1}
    assert report["control"] == {"kind": "postgresql", "state": "ready", "trouble": ""}
    await a.start()
    assert (await a.report())["node"]["join_holder"] in (None, 1)
    assert [a.stop(), b.stop()] == [0, 0]


async def _joins(one: SeveralProcess) -> bool:
    return bool((await one.report())["node"]["joins"])


async def test_the_database_goes_away(pair, postgres: PostgresServer) -> None:
    """Sources, keys and batches hear 503 and when to come back, /readyz says why, the process goes on; when it is back, so is everything."""
    one = pair[0]
    await one.start()
    await one.ready()
    postgres.stop()
    try:
        async with httpx2.AsyncClient(trust_env=False, verify=False, timeout=20) as http:
            answer = await http.post(one.runtime["web"] + "/api/v1/in/orders", json={}, headers={"authorization": "Bearer sj_abc_def"})
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
        assert answer.json()["error"].startswith("The control database cannot be used just now (")
        assert await one.send("b", bytes(traces(1).SerializeToString())) == 503
        report = await one.get("/readyz")
        assert (report.status_code, report.json()["control"]["state"]) == (503, "down")
    finally:
        postgres.start()
    await one.ready()
    assert await one.send("b", bytes(traces(1).SerializeToString())) == 200
    assert one.stop() == 0
