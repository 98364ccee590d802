"""Hostile senders against a collector process: its memory stays bounded, and who sends as one should is served all the while."""

import asyncio
import gzip
import os
import resource
import time
import uuid
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import grpc
import httpx2
import psutil
import pytest
from backports import zstd
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from sojourn_collector.receive.otlp_grpc import METHODS
from tests.collector.process import CollectorProcess
from tests.collector.receive.conftest import traces

EXPORT = next(method for method, signal in METHODS.items() if signal == "traces")
PROTOBUF = {"content-type": "application/x-protobuf"}
ROOM = 400 << 20
"""Bytes by which the collector may grow under all attacks together: `limits.in_flight` (256 MiB) and what parsing the largest of them takes."""


at_first: dict[int, int] = {}
"""Resident bytes of a collector that was just started, by process id."""


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CollectorProcess]:
    """One for all attacks."""
    one = CollectorProcess(tmp_path_factory.mktemp("hostile"), grpc=True, tables=True)

    async def begin() -> None:
        await one.start()
        await one.ready()
        at_first[one.pid] = psutil.Process(one.pid).memory_info().rss

    try:
        asyncio.run(begin())
        yield one
    finally:
        one.stop()


def address(collector: CollectorProcess) -> tuple[str, int]:
    """Host and port of OTLP over HTTP."""
    parts = urlsplit(collector.runtime["otlp"])
    return str(parts.hostname), int(parts.port or 0)


@asynccontextmanager
async def while_served(collector: CollectorProcess, client: httpx2.AsyncClient | None = None) -> AsyncIterator[list[int]]:
    """A well-behaved sender at work meanwhile; afterwards each of its requests was taken, and the collector's memory is within bounds."""
    process = psutil.Process(collector.pid)
    peak, answers = 0, list[int]()
    body = traces(5).SerializeToString()

    async def send() -> None:
        nonlocal peak
        async with httpx2.AsyncClient(trust_env=False, timeout=30) as http:
            while True:
                answers.append((await http.post(f"{collector.runtime['otlp']}/v1/traces", content=body, headers=PROTOBUF)).status_code)
                peak = max(peak, process.memory_info().rss)
                await asyncio.sleep(0.02)

    sending = asyncio.create_task(send())
    try:
        async with asyncio.timeout(30):
            while not answers:
                await asyncio.sleep(0.01)
        yield answers
        seen = len(answers)
        async with asyncio.timeout(30):
            while len(answers) < seen + 3:
                await asyncio.sleep(0.01)
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
    assert set(answers) == {200}
    assert peak - at_first[collector.pid] < ROOM
    assert (await collector.get("/healthz")).status_code == 200


def one_span(attributes: int = 0, value: str = "v", events: int = 0) -> bytes:
    """A span with so many attributes or events."""
    request = ExportTraceServiceRequest()
    span = request.resource_spans.add().scope_spans.add().spans.add(trace_id=os.urandom(16), span_id=os.urandom(8), start_time_unix_nano=time.time_ns())
    for number in range(attributes):
        span.attributes.add(key=f"{number:x}").value.string_value = value
    for _ in range(events):
        span.events.add()
    return bytes(request.SerializeToString())


def zeros(megabytes: int, pack: Callable[[bytes], bytes]) -> bytes:
    return pack(bytes(megabytes << 20))


ATTACKS: dict[str, tuple[Callable[[], bytes], str, set[int]]] = {
    "a gzip bomb": (lambda: zeros(400, lambda data: gzip.compress(data, 1)), "gzip", {413}),
    "a deflate bomb": (lambda: zeros(400, lambda data: zlib.compress(data, 1)), "deflate", {413}),
    "a zstd bomb": (lambda: zeros(400, zstd.compress), "zstd", {413}),
    "a million attributes": (lambda: one_span(1_000_000), "", {413}),
    "a hundred thousand attributes": (lambda: one_span(100_000), "", {200}),
    "a million events": (lambda: one_span(events=1_000_000), "", {200, 413}),
    "one value of 19 MB": (lambda: one_span(1, "x" * 19_000_000), "", {413}),
    "two million empty spans": (lambda: b"\x0a\x83\x89\x7a\x12\xff\x88\x7a" + b"\x12\x00" * 1_000_000, "", {400, 413}),
    "two million empty resources": (lambda: b"\x0a\x00" * 2_000_000, "", {413}),
    "a million empty resources in JSON": (lambda: b'{"resourceSpans":[' + b"{}," * 1_000_000 + b"{}]}", "JSON", {413}),
    "JSON a million levels deep": (lambda: b"[" * 1_000_000, "JSON", {400}),
    "a field of ten gigabytes": (lambda: b"\x0a\xff\xff\xff\xff\x25" + b"x" * 1000, "", {400}),
}


LONG = {"a deflate bomb", "a million events", "two million empty resources"}
"""Each much like another of the list."""


@pytest.mark.parametrize("attack", [pytest.param(name, marks=[pytest.mark.slow] if name in LONG else []) for name in ATTACKS])
async def test_large_and_packed_requests(collector: CollectorProcess, attack: str) -> None:
    """Eight at a time: each is refused with its status or taken, and nothing else is disturbed."""
    make, coding, wanted = ATTACKS[attack]
    body = await asyncio.to_thread(make)
    headers = {"content-type": "application/json"} if coding == "JSON" else PROTOBUF | ({"content-encoding": coding} if coding else {})
    async with while_served(collector), httpx2.AsyncClient(trust_env=False, timeout=60) as http:
        answers = await asyncio.gather(*(_status(http, collector, body, headers) for _ in range(8)))
    assert set(answers) <= wanted | {429, 503}
    assert wanted & set(answers), answers


async def _status(http: httpx2.AsyncClient, collector: CollectorProcess, body: bytes, headers: dict[str, str]) -> int:
    """0 when the collector hung up before it had all: it had answered then."""
    try:
        return (await http.post(f"{collector.runtime['otlp']}/v1/traces", content=body, headers=headers | {"idempotency-key": str(uuid.uuid4())})).status_code
    except (httpx2.WriteError, httpx2.ReadError, httpx2.RemoteProtocolError):
        return 413


async def _connections(collector: CollectorProcess, count: int, first: bytes) -> list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    found = []
    for _ in range(count):
        reader, writer = await asyncio.open_connection(*address(collector))
        writer.write(first)
        found.append((reader, writer))
    return found


async def _slowly(collector: CollectorProcess, count: int, first: bytes, drop: bytes) -> None:
    """So many connections that send a byte now and then, until the collector ends them."""
    connections = await _connections(collector, count, first)
    ended = 0

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal ended
        reading = asyncio.create_task(reader.read())
        try:
            while not reading.done():
                try:
                    writer.write(drop)
                    await writer.drain()
                except ConnectionError:
                    break
                await asyncio.wait({reading}, timeout=0.5)
            await asyncio.gather(reading, return_exceptions=True)
            ended += 1
        finally:
            reading.cancel()
            writer.close()

    async with asyncio.timeout(90):
        await asyncio.gather(*(drip(*one) for one in connections))
    assert ended == count


SLOW: dict[str, tuple[bytes, bytes]] = {
    "headers": (b"POST /v1/traces HTTP/1.1\r\nhost: localhost\r\n", b"x-a: b\r\n"),
    "body": (b"POST /v1/traces HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-protobuf\r\ncontent-length: 1000000\r\n\r\n", b"x"),
}


@pytest.mark.slow
@pytest.mark.parametrize("part", SLOW)
async def test_slow_senders_are_ended(collector: CollectorProcess, part: str) -> None:
    """300 connections that never come to an end with their headers or their body: each is ended by its deadline, others are served."""
    async with while_served(collector):
        await _slowly(collector, 300, *SLOW[part])


async def _idle(collector: CollectorProcess, count: int) -> None:
    connections = await _connections(collector, count, b"")
    for _, writer in connections:
        writer.close()


async def test_idle_connections_keep_nobody_out(collector: CollectorProcess) -> None:
    """500 that say nothing."""
    async with while_served(collector):
        await _idle(collector, 500)


@pytest.mark.slow
async def test_ten_thousand_idle_connections(collector: CollectorProcess) -> None:
    """More than a listener holds: the longest idle make room."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 12_000:
        pytest.skip(f"this machine allows {hard} open files; 12,000 are needed")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        async with while_served(collector):
            await _idle(collector, 10_000)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.slow
async def test_more_idle_grpc_connections_than_are_taken(collector: CollectorProcess) -> None:
    """5,000 that say nothing: who was connected is served on, and once the silent ones' time to greet is over, others are too."""
    parts = urlsplit(collector.runtime["otlp_grpc"])
    body = traces(5).SerializeToString()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 7_000:
        pytest.skip(f"this machine allows {hard} open files; 7,000 are needed")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        async with grpc.aio.insecure_channel(parts.netloc) as old:
            await old.unary_unary(EXPORT)(body)
            async with while_served(collector):
                idle = [await asyncio.open_connection(str(parts.hostname), parts.port) for _ in range(5_000)]
                await old.unary_unary(EXPORT)(body)
                async with grpc.aio.insecure_channel(parts.netloc, options=(("grpc.use_local_subchannel_pool", 1),)) as new:
                    await new.unary_unary(EXPORT)(body, wait_for_ready=True, timeout=60)
                for _, writer in idle:
                    writer.transport.abort()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


VALID = traces(3).SerializeToString()
JSON = (
    b'{"resourceSpans":[{"resource":{"attributes":[{"key":"a","value":{"stringValue":"b"}}]},"scopeSpans":[{"spans":[{"traceId":"'
    + b"ab" * 16
    + b'","name":"x"}]}]}]}'
)


@st.composite
def mangled(draw: st.DrawFn, whole: bytes) -> bytes:
    """A request with pieces changed, cut out, doubled or put in."""
    data = bytearray(whole)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data)))
        piece = draw(st.binary(max_size=12))
        how = draw(st.sampled_from(("over", "in", "out", "cut")))
        if how == "over":
            data[at : at + len(piece)] = piece
        elif how == "in":
            data[at:at] = piece
        elif how == "out":
            del data[at : at + len(piece)]
        else:
            del data[at:]
    return bytes(data)


def _fuzz(collector: CollectorProcess, examples: int) -> None:
    """Statuses of mangled requests of both encodings and of every packing; never one of ours to blame."""
    url = f"{collector.runtime['otlp']}/v1/"
    packings: dict[str, Callable[[bytes], bytes]] = {"": bytes, "gzip": gzip.compress, "zstd": zstd.compress, "deflate": zlib.compress}
    with httpx2.Client(trust_env=False, timeout=30) as http:

        @settings(max_examples=examples, deadline=None, derandomize=True, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
        @given(
            st.one_of(mangled(VALID).map(lambda body: (body, "application/x-protobuf")), mangled(JSON).map(lambda body: (body, "application/json"))),
            st.sampled_from(sorted(packings)),
            st.booleans(),
            st.sampled_from(("traces", "logs", "metrics")),
        )
        def one(sent: tuple[bytes, str], coding: str, mangle_packed: bool, signal: str) -> None:
            body = packings[coding](sent[0])
            if mangle_packed:
                body = body[: len(body) // 2] + sent[0][:7] + body[len(body) // 2 :]
            answer = http.post(url + signal, content=body, headers={"content-type": sent[1]} | ({"content-encoding": coding} if coding else {}))
            assert answer.status_code in (200, 400, 413), (answer.status_code, body)

        one()


async def test_mangled_requests(collector: CollectorProcess) -> None:
    """Each is taken or refused with 400 or 413."""
    async with while_served(collector):
        await asyncio.to_thread(_fuzz, collector, 150)


@pytest.mark.slow
async def test_mangled_requests_for_long(collector: CollectorProcess) -> None:
    """Thousands of them."""
    async with while_served(collector):
        await asyncio.to_thread(_fuzz, collector, 5000)


async def test_what_was_taken_meanwhile_is_in_the_tables(collector: CollectorProcess, tmp_path: Path) -> None:
    """After all that the journal is empty and nothing is damaged; what was poison, if anything, is a dead letter."""

    async def loaded() -> bool:
        report = (await collector.get("/readyz")).json()
        return bool(report["ready"] and report["loading"]["loaded_seq"] == report["loading"]["last_seq"])

    await collector.until_true(loaded, "everything to be loaded")
    assert (await collector.get("/readyz")).json()["damaged"] == []
