"""OTLP over gRPC: the released exporter, the same batches and refusals as over HTTP, and senders that mean harm."""

import asyncio
import gzip
import os
import socket
import zlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.rpc.error_details_pb2 import RetryInfo  # type: ignore[import-untyped]
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from sojourn_collector.config import Limits
from sojourn_collector.listeners import ListenError, url_of
from sojourn_collector.receive.otlp_grpc import METHODS, OtlpGrpc
from sojourn_collector.store.control.keys import Scope
from tests.collector.receive.conftest import Listener, listening, traces

EXPORT = next(method for method, signal in METHODS.items() if signal == "traces")


@asynccontextmanager
async def calling(listener: Listener, **options: Any) -> AsyncIterator[Any]:
    """Sends raw messages; returns the answer or raises AioRpcError."""
    async with grpc.aio.insecure_channel(listener.grpc, **options) as channel:

        async def call(message: bytes, method: str = EXPORT, **metadata: str) -> bytes:
            answer: bytes = await channel.unary_unary(method)(message, metadata=tuple((name.replace("_", "-"), value) for name, value in metadata.items()))
            return answer

        yield call


async def refusal(listener: Listener, message: bytes, method: str = EXPORT, **metadata: str) -> Any:
    async with calling(listener) as call:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await call(message, method, **metadata)
    return refused.value


@pytest.mark.parametrize("compression", [grpc.Compression.NoCompression, grpc.Compression.Gzip, grpc.Compression.Deflate])
async def test_official_exporter_is_found_by_trace_id(listener: Listener, compression: Any):
    """Spans of the OpenTelemetry SDK's own OTLP/gRPC exporter, packed or not, are in the table under their trace id."""
    exporter = OTLPSpanExporter(endpoint=f"http://{listener.grpc}", insecure=True, compression=compression)
    provider = TracerProvider(resource=Resource.create({"service.name": "payments"}), shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))

    def emit() -> str:
        with provider.get_tracer("lib").start_as_current_span("POST /payments", attributes={"session.id": "s-1"}) as span:
            pass
        provider.shutdown()
        return f"{span.get_span_context().trace_id:032x}"

    (row,) = await listener.rows("span_of_trace", trace_id=await asyncio.to_thread(emit))
    assert (row["name"], row["service"], row["scope"], row["session_id"]) == ("POST /payments", "payments", "lib", "s-1")


async def test_a_batch_is_one_whichever_way_it_comes(listener: Listener):
    """Sent by gRPC, again by gRPC and again by HTTP it is stored once; the same id with another body is ALREADY_EXISTS."""
    batch, request = os.urandom(8).hex(), traces(3, batch=os.urandom(8).hex())
    body = request.SerializeToString()
    async with calling(listener) as call:
        for _ in range(2):
            assert await call(body, idempotency_key=batch) == b""
    assert (await listener.post(body, idempotency_key=batch)).status_code == 200
    name = request.resource_spans[0].scope_spans[0].spans[0].attributes[0].value.string_value
    assert await listener.rows("span_count", batch=name) == [{"n": 3}]
    assert (await refusal(listener, traces().SerializeToString(), idempotency_key=batch)).code() is grpc.StatusCode.ALREADY_EXISTS


async def test_partial_success(listener: Listener):
    """Of a request with one bad id the rest is kept, and the answer says so."""
    request = traces(2, trace_id=b"short")
    async with calling(listener) as call:
        partial = ExportTraceServiceResponse.FromString(await call(request.SerializeToString())).partial_success
    assert partial.rejected_spans == 1
    assert partial.error_message == "1 of 2 spans were refused: a trace id has 16 bytes and a span id 8, not all zero."


REFUSED: dict[str, tuple[dict[str, Any], grpc.StatusCode, str]] = {
    "malformed": ({"message": b"\x0a\xff"}, grpc.StatusCode.INVALID_ARGUMENT, "The body is not a valid ExportTraceServiceRequest message."),
    "no gzip": ({"message": b"\x1f\x8bnonsense"}, grpc.StatusCode.INVALID_ARGUMENT, "The body is not valid gzip."),
    "torn": ({"message": gzip.compress(os.urandom(999))[:-20]}, grpc.StatusCode.INVALID_ARGUMENT, "The gzip body ends too early."),
    "bomb": ({"message": gzip.compress(bytes(900_000))}, grpc.StatusCode.RESOURCE_EXHAUSTED, "The body grows more than 100 times when decompressed."),
    "large bomb": (
        {"message": gzip.compress(bytes(900_000_000))},
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        "The body is larger than the 1048576 bytes taken here once decompressed.",
    ),
    "deflate bomb": ({"message": zlib.compress(bytes(9_000_000))}, grpc.StatusCode.RESOURCE_EXHAUSTED, "The body grows more than 100 times when decompressed."),
    "unknown key": ({"message": b"", "authorization": "Bearer sj_abc_def"}, grpc.StatusCode.UNAUTHENTICATED, "The key is not known or was revoked."),
    "batch id": (
        {"message": b"", "idempotency_key": "x" * 201},
        grpc.StatusCode.INVALID_ARGUMENT,
        "The idempotency-key header must be at most 200 printable ASCII characters.",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_refusals(listener: Listener, case: str):
    """Each kind of bad request gets its code and one sentence, is counted, and the next good request is taken."""
    given, code, text = REFUSED[case]
    given = dict(given)
    refused = await refusal(listener, given.pop("message"), **given)
    assert (refused.code(), refused.details()) == (code, text)
    assert listener.counters.value("sojourn_rejected") == 1
    async with calling(listener) as call:
        await call(traces().SerializeToString())


async def test_an_oversize_message_and_an_unknown_method_are_refused(listener: Listener):
    """By gRPC itself: RESOURCE_EXHAUSTED and UNIMPLEMENTED; nothing else is disturbed."""
    assert (await refusal(listener, bytes(2 << 20))).code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert (await refusal(listener, b"", "/opentelemetry.proto.collector.profiles.v1.ProfilesService/Export")).code() is grpc.StatusCode.UNIMPLEMENTED
    async with calling(listener) as call:
        await call(traces().SerializeToString())


async def test_who_is_to_come_back_is_told_when(listener: Listener, monkeypatch: pytest.MonkeyPatch):
    """UNAVAILABLE comes with a RetryInfo in its details, which exporters wait for."""
    monkeypatch.setattr(listener.intake, "active", listener.intake.limits.concurrent)
    refused = await refusal(listener, traces().SerializeToString())
    assert (refused.code(), refused.details()) == (grpc.StatusCode.UNAVAILABLE, "Too many requests are in work; come back in a second.")
    details = Status.FromString(dict(refused.trailing_metadata())["grpc-status-details-bin"])
    assert (details.code, details.message) == (14, refused.details())
    retry = RetryInfo()
    assert details.details[0].Unpack(retry)
    assert retry.retry_delay.seconds == 1


async def test_a_message_that_does_not_come_is_let_go(listener: Listener):
    """A sender that opens a call and sends nothing hears DEADLINE_EXCEEDED after our deadline."""
    async with grpc.aio.insecure_channel(listener.grpc) as channel:
        call = channel.stream_unary(EXPORT)()
        async with asyncio.timeout(10):
            assert await call.code() is grpc.StatusCode.DEADLINE_EXCEEDED
            assert await call.details() == "The message did not arrive within 1 s."
    assert listener.intake.active == 0


async def test_keys(engine: Any, tmp_path: Path, queries: Path):
    """Off loopback every call needs a key of scope otlp; who has none is refused before the message is read."""
    async with listening(engine, tmp_path, queries, Limits(body_deadline=1.0), needs_key=True) as listener:
        good = await listener.control.keys.create("agent", [Scope.OTLP])
        other = await listener.control.keys.create("script", [Scope.READ])
        none = await refusal(listener, traces().SerializeToString())
        wrong = await refusal(listener, traces().SerializeToString(), authorization=f"Bearer {other.text}")
        async with grpc.aio.insecure_channel(listener.grpc) as channel:
            silent = channel.stream_unary(EXPORT)()
            assert await silent.code() is grpc.StatusCode.UNAUTHENTICATED
        async with calling(listener) as call:
            await call(traces().SerializeToString(), authorization=f"Bearer {good.text}")
    assert (none.code(), none.details()) == (grpc.StatusCode.UNAUTHENTICATED, "A key is needed: send Authorization: Bearer <key>.")
    assert (wrong.code(), wrong.details()) == (grpc.StatusCode.PERMISSION_DENIED, "The key 'script' may not send OTLP; it needs the scope otlp.")


async def test_a_taken_port_is_one_sentence(listener: Listener):
    """With the key of collector.yaml to change."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ListenError) as refused:
            await OtlpGrpc(listener.intake).start("127.0.0.1", port)
    said = "is taken by another program, or is no address of this machine: stop that program or give otlp.grpc another address in collector.yaml"
    assert str(refused.value) == f"127.0.0.1:{port} {said}"


async def test_where_it_listens_is_known(listener: Listener):
    """Also on an IPv6 address, and as who is on this machine reaches it."""
    for host, url in (("::1", "http://[::1]:{}"), ("0.0.0.0", "http://127.0.0.1:{}")):
        by_grpc = OtlpGrpc(listener.intake)
        await by_grpc.start(host, 0)
        reached = url_of(*by_grpc.address)
        assert reached == url.format(by_grpc.address[1])
        async with grpc.aio.insecure_channel(reached.removeprefix("http://")) as channel:
            assert await channel.unary_unary(EXPORT)(traces().SerializeToString()) == b""
        await by_grpc.stop()


async def test_more_than_is_taken_at_once_waits_or_comes_back(engine: Any, tmp_path: Path, queries: Path):
    """Senders beyond `concurrent`, each on a connection of its own, hear UNAVAILABLE, which exporters repeat; none hears that its data is too much."""
    async with listening(engine, tmp_path, queries, Limits(concurrent=1, body_deadline=2.0)) as listener, AsyncExitStack() as stack:
        alone = (("grpc.use_local_subchannel_pool", 1),)
        channels = [await stack.enter_async_context(grpc.aio.insecure_channel(listener.grpc, options=alone)) for _ in range(8)]
        calls = [channel.stream_unary(EXPORT)() for channel in channels]
        codes = await asyncio.gather(*(call.code() for call in calls))
    assert set(codes) == {grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.UNAVAILABLE}
    assert codes.count(grpc.StatusCode.DEADLINE_EXCEEDED) == 1


async def test_noise_on_the_port_harms_nobody(listener: Listener):
    """HTTP/1, random bytes, half a preface and a connection that says nothing: the next good call is taken."""
    host, port = listener.grpc.split(":")
    left = []
    for noise in (b"GET / HTTP/1.1\r\n\r\n", os.urandom(4096), b"PRI * HTTP/2.0\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\xff" * 500, b""):
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(noise)
        left.append((reader, writer))
    async with calling(listener) as call:
        await call(traces().SerializeToString())
    for _, writer in left:
        writer.close()
