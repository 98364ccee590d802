"""Two collectors, two shards of two replicas: batches are stored once whichever collector and replica they meet. Needs the containers of deploy/cluster."""

import asyncio
import json
import os
import subprocess
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx2
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]

FOLDER = Path(os.environ.get("SOJOURN_CLUSTER", "deploy/cluster"))
OTLP, WEB = "http://127.0.0.1:4318", "http://127.0.0.1:8400"


def compose(*arguments: str) -> str:
    """Output of `docker compose …` in the cluster's folder."""
    done = subprocess.run(["docker", "compose", *arguments], cwd=FOLDER, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


def ask(sql: str, host: str = "ch1a") -> list[list[str]]:
    """Rows of a statement at one server."""
    shell = 'exec clickhouse-client --user sojourn --password "$SOJOURN_PASSWORD" --database sojourn --query "$0"'
    return [line.split("\t") for line in compose("exec", "-T", host, "bash", "-c", shell, sql).splitlines()]


@pytest.fixture(scope="module")
def key() -> str:
    """A key that may send and read."""
    made = compose("exec", "-T", "collector1", "sojourn-collector", "key", "create", "--config", "/etc/sojourn/collector.yaml", *("--name", "test"),
                   *("--scope", "otlp", "--scope", "read", "--json"))  # fmt: skip
    return str(json.loads(made)["key"])


@pytest.fixture
async def http(key: str) -> AsyncIterator[httpx2.AsyncClient]:
    """A client that carries the key."""
    async with httpx2.AsyncClient(trust_env=False, timeout=30, headers={"authorization": f"Bearer {key}"}) as one:
        yield one


def request(service: str, spans: int) -> bytes:
    """A request of so many spans, each a trace of its own."""
    message = ExportTraceServiceRequest()
    source = message.resource_spans.add()
    source.resource.attributes.add(key="service.name").value.string_value = service
    scope = source.scope_spans.add()
    for _ in range(spans):
        now = time.time_ns()
        scope.spans.add(trace_id=os.urandom(16), span_id=os.urandom(8), name="work", start_time_unix_nano=now, end_time_unix_nano=now + 1000)
    return bytes(message.SerializeToString())


async def send(http: httpx2.AsyncClient, batch: str, body: bytes) -> None:
    """Send until it is kept, as an agent does."""
    async with asyncio.timeout(120):
        while True:
            try:
                answer = await http.post(f"{OTLP}/v1/traces", content=body, headers={"content-type": "application/x-protobuf", "idempotency-key": batch})
                if answer.status_code == 200:
                    return
                assert answer.status_code in {429, 502, 503, 504}, answer.text
            except httpx2.HTTPError:
                pass
            await asyncio.sleep(0.5)


async def until(true: Callable[[], bool]) -> None:
    """Wait for what the cluster does by itself."""
    async with asyncio.timeout(180):
        while not await asyncio.to_thread(true):
            await asyncio.sleep(1)


def count(service: str, host: str = "ch1a") -> int:
    """Spans of a service over all shards."""
    return int(ask(f"SELECT count() FROM spans WHERE service = '{service}'", host)[0][0])


async def test_each_batch_once_over_both_collectors_and_shards(http: httpx2.AsyncClient):
    """Every batch sent twice through the balancer, so to either collector: each span once, rows on both shards, the rollup in step."""
    service = f"twice-{os.urandom(4).hex()}"
    batches = {os.urandom(8).hex(): request(service, 20) for _ in range(20)}
    for _ in range(2):
        for batch, body in batches.items():
            await send(http, batch, body)
    await until(lambda: count(service) >= 400)
    assert count(service) == count(service, "ch2b") == 400
    shards = ask(f"SELECT _shard_num, count() FROM spans WHERE service = '{service}' GROUP BY 1 ORDER BY 1")
    assert [row[0] for row in shards] == ["1", "2"]
    assert ask(f"SELECT sum(n) FROM spans_1m WHERE service = '{service}'") == [["400"]]


async def test_a_replica_goes_and_comes_back(http: httpx2.AsyncClient):
    """With the server that the collectors use stopped, what is sent is stored all the same; back again, it has every row."""
    service = f"replica-{os.urandom(4).hex()}"
    compose("stop", "--timeout", "5", "ch1a")
    try:
        for _ in range(10):
            await send(http, os.urandom(8).hex(), request(service, 10))
        await until(lambda: count(service, "ch1b") >= 100)
        assert count(service, "ch1b") == 100
    finally:
        compose("up", "--detach", "--wait", "ch1a")
    ask("SYSTEM SYNC REPLICA sojourn.spans_local")
    assert count(service) == 100


async def test_a_collector_is_killed(http: httpx2.AsyncClient):
    """kill -9 of one of the two while batches come: the other takes them, the killed one loads what it had taken; each span once."""
    service = f"killed-{os.urandom(4).hex()}"
    batches = {os.urandom(8).hex(): request(service, 10) for _ in range(20)}
    for number, (batch, body) in enumerate(batches.items()):
        if number == 10:
            compose("kill", "--signal", "KILL", "collector1")
        await send(http, batch, body)
    compose("up", "--detach", "--wait", "collector1")
    for batch, body in batches.items():
        await send(http, batch, body)
    await until(lambda: count(service) >= 200)
    assert count(service) == 200


async def test_the_report_is_answered(http: httpx2.AsyncClient):
    """The report's queries run over all shards, through the balancer."""
    for path in ("/api/v1/impact", "/readyz"):
        answer = await http.get(f"{WEB}{path}")
        assert answer.status_code == 200, answer.text
