"""A whole collector that forwards: killed, restarted, in a circle with another; and its page of metrics."""

import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families as plain_text

from sojourn_collector.metric_names import ALL
from tests.collector.forward.sink import Sink, sinking
from tests.collector.process import CollectorProcess
from tests.collector.receive.conftest import traces

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
async def far() -> AsyncIterator[Sink]:
    """A backend that takes everything."""
    async with sinking() as sink:
        yield sink


async def post(collector: CollectorProcess, batch: str) -> bytes:
    """Have the collector accept one batch; returns its body."""
    body: bytes = traces(2, batch=batch).SerializeToString()
    async with httpx2.AsyncClient(trust_env=False, verify=False, timeout=10) as http:
        headers = {"content-type": "application/x-protobuf", "idempotency-key": batch}
        answer = await http.post(collector.runtime["otlp"] + "/v1/traces", content=body, headers=headers)
    assert answer.status_code == 200, answer.content
    return body


async def test_kill_9_loses_nothing_for_a_destination(tmp_path: Path, far: Sink):
    """A destination is away, the collector is killed meanwhile; all that was acknowledged arrives, under one id each, and /metrics tells of it."""
    url, collector = far.url, CollectorProcess(tmp_path, tables=True)
    collector.config.write_text(collector.config.read_text() + f'forward: [{{name: far, endpoint: "{url}"}}]\n')
    far.answer = lambda path, headers, body: (503, {}, b"")
    bodies = []
    try:
        await collector.start()
        bodies += [await post(collector, str(uuid.uuid4())) for _ in range(5)]
        await far.until(lambda: bool(far.asked))
        collector.kill()
        await collector.start()
        bodies.append(await post(collector, str(uuid.uuid4())))
        far.answer = lambda path, headers, body: (200, {}, b"")
        await far.until(lambda: {body for _, _, body in far.taken} == set(bodies))
        assert len({headers["idempotency-key"] for _, headers, _ in far.taken}) == len(bodies)
        await collector.ready()
        await collector.until(lambda: not list((tmp_path / "data/forward/far").glob("*.pb")), "the destination's folder to be empty")
        assert (await collector.get("/readyz")).json()["forward"]["far"]["state"] == "ok"
        await pages(collector)
    finally:
        collector.stop()


async def pages(collector: CollectorProcess) -> None:
    """Both formats hold the whole list, and what was forwarded and loaded."""
    page = await collector.get("/metrics")
    assert page.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    plain = {family.name: family for family in plain_text(page.text)}
    assert set(plain) == {family.name for family in ALL}
    async with httpx2.AsyncClient(trust_env=False, verify=False, timeout=10) as http:
        other = await http.get(collector.runtime["web"] + "/metrics", headers={"accept": "application/openmetrics-text;version=1.0.0"})
    assert other.headers["content-type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    found = {family.name: family for family in open_metrics(other.text)}
    assert set(found) == set(plain)
    value = {(sample.name, tuple(sample.labels.values())): sample.value for family in found.values() for sample in family.samples}
    assert value["sojourn_ready", ()] == 1
    assert value["sojourn_forward_delivered_items_total", ("far", "traces")] >= 2
    assert value["sojourn_forward_held", ("far",)] == 0
    assert value["sojourn_start_time_seconds", ()] > 1.7e9


@pytest.mark.slow
async def test_collectors_in_a_circle_are_told(tmp_path: Path):
    """Two collectors that forward to each other: each batch is in both once, and goes round no second time."""
    first, second = (CollectorProcess(make(tmp_path / name), tables=True) for name in "ab")
    try:
        await first.start()
        second.config.write_text(second.config.read_text() + f'forward: [{{name: first, endpoint: "{first.runtime["otlp"]}"}}]\n')
        await second.start()
        port = first.runtime["otlp"].rpartition(":")[2]
        first.stop()
        first.config.write_text(
            first.config.read_text().replace("127.0.0.1:0", f"127.0.0.1:{port}", 1) + f'forward: [{{name: second, endpoint: "{second.runtime["otlp"]}"}}]\n'
        )
        await first.start()
        await post(first, "b1")
        await counted(first, "sojourn_circles_total", 1)
        await counted(second, 'sojourn_accepted_total{signal="traces"}', 2)
        assert 'sojourn_accepted_total{signal="traces"} 2\n' in (await first.get("/metrics")).text
    finally:
        first.stop()
        second.stop()
    assert "came back: look at forward: of the collectors it went through" in (tmp_path / "a/log.txt").read_text()


def make(folder: Path) -> Path:
    """A new folder."""
    folder.mkdir()
    return folder


async def counted(collector: CollectorProcess, name: str, value: int) -> None:
    """Wait until a count stands at a value."""

    async def stands() -> bool:
        return f"{name} {value}\n" in (await collector.get("/metrics")).text

    await collector.until_true(stands, f"{name} {value}")
