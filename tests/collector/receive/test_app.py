"""The OTLP listener over HTTP: what is taken, and each refusal by its exact sentence."""

import asyncio
import gzip
import json
import os
import time
import uuid
import zlib
from datetime import timedelta
from typing import Any

import pytest
from backports import zstd
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from sojourn_collector.config import Limits
from sojourn_collector.store.control.keys import Scope
from tests.collector.receive.conftest import Listener, listening, traces

PACKED: dict[str, Any] = {
    "gzip": gzip.compress,
    "gzip twice": lambda data: gzip.compress(data[:40]) + gzip.compress(data[40:]),
    "zstd": zstd.compress,
    "zstd twice": lambda data: zstd.compress(data[:40]) + zstd.compress(data[40:]),
    "deflate": zlib.compress,
}


def sentence(answer) -> str:
    """The sentence of a refusal, in the request's encoding."""
    if answer.headers["content-type"] == "application/json":
        return str(answer.json()["message"])
    return str(Status.FromString(answer.content).message)


async def test_official_exporter_is_found_by_trace_id(listener: Listener):
    """Spans of the OpenTelemetry SDK's own OTLP/HTTP exporter, gzip included, are in the table under their trace id."""
    exporter = OTLPSpanExporter(
        endpoint=f"{listener.url}/v1/traces", compression=__import__("opentelemetry.exporter.otlp.proto.http", fromlist=["Compression"]).Compression.Gzip
    )
    provider = TracerProvider(resource=Resource.create({"service.name": "payments"}), shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))

    def emit() -> str:
        with provider.get_tracer("lib").start_as_current_span("POST /payments", attributes={"http.response.status_code": 502, "session.id": "s-1"}) as span:
            span.add_event("retry", {"n": 1})
        provider.shutdown()
        return f"{span.get_span_context().trace_id:032x}"

    trace_id = await asyncio.to_thread(emit)
    (row,) = await listener.rows("span_of_trace", trace_id=trace_id)
    assert (row["name"], row["service"], row["scope"], row["session_id"]) == ("POST /payments", "payments", "lib", "s-1")
    assert row["attrs"] == {"http.response.status_code": "502", "session.id": "s-1"}
    assert (row["events_name"], row["events_attrs"]) == (["retry"], [{"n": "1"}])


async def test_json_with_hex_ids_is_the_same_span(listener: Listener):
    """OTLP/JSON is taken, its hexadecimal ids arrive as the same bytes, values of every kind are kept as text."""
    trace_id, span_id, parent = os.urandom(16).hex(), os.urandom(8).hex(), os.urandom(8).hex()
    span = {
        "traceId": trace_id, "spanId": span_id, "parentSpanId": parent, "name": "json", "kind": 2, "startTimeUnixNano": str(time.time_ns()),
        "endTimeUnixNano": str(time.time_ns() + 7), "status": {"code": 2, "message": "no"},
        "attributes": [{"key": "traceId", "value": {"stringValue": "zz"}},
                       {"key": "n", "value": {"intValue": "7"}}, {"key": "ok", "value": {"boolValue": True}},
                       {"key": "list", "value": {"arrayValue": {"values": [{"stringValue": "a"}, {"doubleValue": 1.5}]}}}],
    }  # fmt: skip
    body = {"resourceSpans": [{"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "js"}}]}, "scopeSpans": [{"spans": [span]}]}]}
    answer = await listener.post(gzip.compress(json.dumps(body).encode()), content_type="application/json; charset=utf-8", content_encoding="gzip")
    assert (answer.status_code, answer.json()) == (200, {})
    (row,) = await listener.rows("span_of_trace", trace_id=trace_id)
    assert (row["span_id"], row["status"], row["status_message"], row["kind"]) == (span_id, 2, "no", 2)
    assert row["attrs"] == {"traceId": "zz", "n": "7", "ok": "true", "list": '["a",1.5]'}


async def test_logs_are_kept(listener: Listener):
    """A log record keeps its event name, ids and hot attributes."""
    logs, trace_id = ExportLogsServiceRequest(), os.urandom(16)
    resource = logs.resource_logs.add()
    resource.resource.attributes.add(key="session.id").value.string_value = "from-resource"
    record = resource.scope_logs.add().log_records.add(event_name="exception", trace_id=trace_id, observed_time_unix_nano=time.time_ns())
    record.body.kvlist_value.values.add(key="why").value.string_value = 'a "b"'
    assert (await listener.post(logs.SerializeToString(), "/v1/logs")).status_code == 200
    (row,) = await listener.rows("event_of_trace", trace_id=trace_id.hex())
    assert (row["name"], row["session_id"], row["body"]) == ("exception", "from-resource", '{"why":"a \\"b\\""}')


async def test_points_of_every_kind_of_metric_are_kept(listener: Listener):
    """Gauges, sums, histograms with fixed and growing buckets, and summaries become rows with all their figures; nothing is partial."""
    metrics, name, now = ExportMetricsServiceRequest(), f"m-{uuid.uuid4()}", time.time_ns()
    scope = metrics.resource_metrics.add().scope_metrics.add()
    scope.metrics.add(name=name, unit="s").gauge.data_points.add(as_int=-3, time_unix_nano=now)
    total = scope.metrics.add(name=name).sum
    total.is_monotonic, total.aggregation_temporality = True, 2
    total.data_points.add(as_double=2.5, time_unix_nano=now)
    fixed = scope.metrics.add(name=name).histogram
    fixed.aggregation_temporality = 1
    point = fixed.data_points.add(time_unix_nano=now, count=6, sum=12.5, bucket_counts=[1, 2, 3], explicit_bounds=[1.0, 2.5], min=0.0, max=4.0)
    point.attributes.add(key="route").value.string_value = "/pay"
    grown = scope.metrics.add(name=name).exponential_histogram
    scaled = grown.data_points.add(time_unix_nano=now, count=9, sum=-1.5, scale=-2, zero_count=4)
    scaled.positive.offset, scaled.negative.offset = -3, 7
    scaled.positive.bucket_counts.extend([1, 0, 2])
    scaled.negative.bucket_counts.extend([2])
    at = scope.metrics.add(name=name).summary.data_points.add(time_unix_nano=now, count=3, sum=40.0)
    for quantile, value in ((0.5, 10.0), (0.99, 25.0)):
        at.quantile_values.add(quantile=quantile, value=value)
    scope.metrics.add(name=name).gauge.data_points.add(time_unix_nano=now, flags=1)
    answer = await listener.post(metrics.SerializeToString(), "/v1/metrics")
    assert (answer.status_code, answer.content) == (200, b"")
    rows = {row["type"] + ("" if row["value"] == row["value"] else " without a value"): row for row in await listener.rows("metric_named", name=name)}
    assert sorted(rows) == ["exponential_histogram", "gauge", "gauge without a value", "histogram", "sum", "summary"]
    assert (rows["gauge"]["value"], rows["gauge"]["unit"], rows["gauge"]["count"], rows["gauge"]["min"]) == (-3.0, "s", 0, None)
    assert (rows["sum"]["value"], rows["sum"]["monotonic"], rows["sum"]["temporality"]) == (2.5, 1, 2)
    histogram = rows["histogram"]
    assert (histogram["value"], histogram["count"], histogram["min"], histogram["max"], histogram["temporality"]) == (12.5, 6, 0.0, 4.0, 1)
    assert (histogram["bounds"], histogram["counts"], histogram["attrs"]) == ([1.0, 2.5], [1, 2, 3], {"route": "/pay"})
    growing = rows["exponential_histogram"]
    assert (growing["value"], growing["count"], growing["scale"], growing["zero_count"], growing["max"]) == (-1.5, 9, -2, 4, None)
    assert (growing["offset"], growing["counts"], growing["negative_offset"], growing["negative_counts"]) == (-3, [1, 0, 2], 7, [2])
    assert (rows["summary"]["value"], rows["summary"]["count"]) == (40.0, 3)
    assert (rows["summary"]["quantiles"], rows["summary"]["quantile_values"]) == ([0.5, 0.99], [10.0, 25.0])


async def test_wrong_ids_are_refused_and_the_rest_is_kept(listener: Listener):
    """A span with an id of a wrong length or of zeros is refused by partial success; the good one beside it is stored."""
    request = traces(4, trace_id=b"short")
    spans = request.resource_spans[0].scope_spans[0].spans
    spans[1].span_id, spans[2].trace_id = bytes(8), bytes(16)
    good = spans[3].trace_id.hex()
    answer = await listener.post(request.SerializeToString())
    partial = ExportTraceServiceResponse.FromString(answer.content).partial_success
    assert (answer.status_code, partial.rejected_spans) == (200, 3)
    assert partial.error_message == "3 of 4 spans were refused: a trace id has 16 bytes and a span id 8, not all zero."
    assert len(await listener.rows("span_of_trace", trace_id=good)) == 1
    assert listener.counters.value("sojourn_rejected", reason="ids") == 3


async def test_nothing_but_wrong_ids_is_400(listener: Listener):
    """A request of bad spans only is refused whole, so that the sender does not believe it delivered."""
    answer = await listener.post(traces(1, span_id=b"123456789").SerializeToString())
    assert (answer.status_code, sentence(answer)) == (400, "1 of 1 spans were refused: a trace id has 16 bytes and a span id 8, not all zero.")


@pytest.mark.parametrize(("start", "end"), [(0, 0), (2**64 - 1, 5), (10**18, 10**19)])
async def test_hostile_times_are_moved_and_said(listener: Listener, start: int, end: int):
    """A time of 1970, of the year 2554 or an end before the start is moved into the window; the sender is told; the row is marked."""
    request = traces(1, start_time_unix_nano=start, end_time_unix_nano=end)
    answer = await listener.post(request.SerializeToString())
    partial = ExportTraceServiceResponse.FromString(answer.content).partial_success
    assert (answer.status_code, partial.rejected_spans) == (200, 0)
    assert partial.error_message == "1 spans lay outside the 30 days before and 5 minutes after their arrival; their times were moved to that edge."
    (row,) = await listener.rows("span_of_trace", trace_id=request.resource_spans[0].scope_spans[0].spans[0].trace_id.hex())
    assert row["clamped"] == 1
    assert abs((row["ts"] - row["accepted"]).total_seconds()) <= 30 * 86_400
    assert row["duration_ns"] < 2**63


def wide_window() -> bytes:
    """A zstd frame that wants 128 MiB of memory to be unpacked."""
    options = {int(zstd.CompressionParameter.window_log): 27, int(zstd.CompressionParameter.enable_long_distance_matching): 1}
    packer = zstd.ZstdCompressor(options=options)
    return packer.compress(os.urandom(1000)) + packer.flush()


@pytest.mark.parametrize("coding", [*PACKED, "raw deflate"])
async def test_every_packing_is_read(listener: Listener, coding: str):
    """gzip, zstd and deflate, in one piece, in several members, and deflate without its header: the same span arrives."""
    request = traces()
    half = request.SerializeToString()
    body = {**{name: pack(half) for name, pack in PACKED.items()}, "raw deflate": zlib.compress(half)[2:-4]}[coding]
    answer = await listener.post(body, content_encoding=coding.removeprefix("raw ").removesuffix(" twice"))
    assert answer.status_code == 200, sentence(answer)
    assert await listener.rows("span_of_trace", trace_id=request.resource_spans[0].scope_spans[0].spans[0].trace_id.hex())


REFUSED: dict[str, tuple[dict[str, Any], int, str]] = {
    "unknown path": ({"path": "/v1/trace"}, 404, "There is nothing at /v1/trace; OTLP is taken at /v1/traces, /v1/logs, /v1/metrics."),
    "content type": ({"content_type": "text/plain"}, 415, "The Content-Type must be application/x-protobuf or application/json."),
    "encoding": ({"content_encoding": "br"}, 415, "Content-Encoding 'br' is not read here; send gzip, zstd, deflate or no encoding."),
    "packed twice": ({"content_encoding": "gzip, gzip"}, 415, "Content-Encoding 'gzip, gzip' is not read here; send gzip, zstd, deflate or no encoding."),
    "no gzip": ({"content_encoding": "gzip"}, 400, "The body is not valid gzip."),
    "no zstd": ({"content_encoding": "zstd"}, 400, "The body is not valid zstd."),
    "no deflate": ({"content_encoding": "deflate"}, 400, "The body is not valid deflate."),
    "malformed": ({"body": b"\xff\xff"}, 400, "The body is not a valid ExportTraceServiceRequest message."),
    "malformed logs": ({"body": b"\xff\xff", "path": "/v1/logs"}, 400, "The body is not a valid ExportLogsServiceRequest message."),
    "not JSON": ({"content_type": "application/json", "body": b"{"}, 400, "The body is not valid JSON."),
    "JSON array": ({"content_type": "application/json", "body": b"[]"}, 400, "The body is not a JSON object."),
    "JSON of another kind": (
        {"content_type": "application/json", "body": b'{"resourceSpans": 5}'},
        400,
        "The body is not a valid ExportTraceServiceRequest in JSON.",
    ),
    "a number beyond all bounds": (
        {"content_type": "application/json", "body": b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"kind":1e400}]}]}]}'},
        400,
        "The body is not a valid ExportTraceServiceRequest in JSON.",
    ),
    "a whole number no double can hold": (
        {
            "content_type": "application/json",
            "body": b'{"resourceSpans":[{"resource":{"attributes":[{"key":"a","value":{"doubleValue":1' + b"0" * 400 + b"}}]}}]}",
        },
        400,
        "The body is not a valid ExportTraceServiceRequest in JSON.",
    ),
    "deep JSON": ({"content_type": "application/json", "body": b'{"a":' * 100 + b"1" + b"}" * 100}, 400, "The body is nested deeper than 64 levels."),
    "bottomless JSON": ({"content_type": "application/json", "body": b"[" * 200_000}, 400, "The body is not valid JSON."),
    "oversize": ({"body": bytes(2 << 20)}, 413, "The body is larger than the 1048576 bytes taken here; send smaller batches."),
    "torn gzip": ({"body": gzip.compress(os.urandom(1000))[:-20], "content_encoding": "gzip"}, 400, "The gzip body ends too early."),
    "torn zstd": ({"body": zstd.compress(os.urandom(1000))[:-20], "content_encoding": "zstd"}, 400, "The zstd body ends too early."),
    "torn deflate": ({"body": zlib.compress(os.urandom(1000))[:-20], "content_encoding": "deflate"}, 400, "The deflate body ends too early."),
    "zstd bomb": ({"body": zstd.compress(bytes(1_000_000)), "content_encoding": "zstd"}, 413, "The body grows more than 100 times when decompressed."),
    "zstd window": ({"body": wide_window(), "content_encoding": "zstd"}, 400, "The body is not valid zstd."),
    "deflate bomb": ({"body": zlib.compress(bytes(1_000_000)), "content_encoding": "deflate"}, 413, "The body grows more than 100 times when decompressed."),
    "bomb": ({"body": gzip.compress(bytes(1_000_000)), "content_encoding": "gzip"}, 413, "The body grows more than 100 times when decompressed."),
    "inflated": (
        {"body": gzip.compress(os.urandom(30_000) * 40), "content_encoding": "gzip"},
        413,
        "The body is larger than the 1048576 bytes taken here once decompressed.",
    ),
    "unknown key": ({"authorization": "Bearer sj_abc_def"}, 401, "The key is not known or was revoked."),
    "batch id": ({"idempotency_key": "x" * 201}, 400, "The idempotency-key header must be at most 200 printable ASCII characters."),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_refusals(listener: Listener, case: str):
    """Each kind of bad request gets its status and one sentence, is counted, and the next good request is taken."""
    given, status, text = REFUSED[case]
    given = dict(given)
    body, path = given.pop("body", b"nonsense"), given.pop("path", "/v1/traces")
    answer = await listener.post(body, path, **given)
    assert (answer.status_code, sentence(answer)) == (status, text)
    assert listener.counters.value("sojourn_rejected") == 1
    assert (await listener.post(traces().SerializeToString())).status_code == 200


async def test_get_is_405(listener: Listener):
    """Another method is refused with the one that is allowed."""
    answer = await listener.http.get(listener.url + "/v1/logs")
    assert (answer.status_code, answer.headers["allow"], sentence(answer)) == (405, "POST", "/v1/logs takes POST only.")


async def test_a_body_that_does_not_come_is_let_go(listener: Listener):
    """A sender that stops in the middle of its body hears 408 after the deadline."""
    host, port = listener.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{")
    await writer.drain()
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    await writer.wait_closed()
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b'"The body did not arrive within 1 s."' in answer


async def test_a_batch_is_stored_once(listener: Listener):
    """The same id and body again is 200 and stored once, before and after the load; with another body it is 409."""
    batch = str(uuid.uuid4())
    body, other = traces(3, batch=batch).SerializeToString(), traces(1, batch=batch).SerializeToString()
    assert (await listener.post(body, idempotency_key=batch)).status_code == 200
    for _ in range(2):
        assert (await listener.post(gzip.compress(body), idempotency_key=batch, content_encoding="gzip")).status_code == 200
        conflict = await listener.post(other, idempotency_key=batch)
        assert (conflict.status_code, sentence(conflict)) == (
            409,
            f"Batch {batch} was accepted before with another body; a batch id belongs to one body for ever.",
        )
        assert await listener.rows("span_count", batch=batch) == [{"n": 3}]
    assert listener.counters.value("sojourn_repeats") == 2
    assert (await listener.post(ExportLogsServiceRequest().SerializeToString(), "/v1/logs", idempotency_key=batch)).status_code == 200


@pytest.mark.parametrize("days", [400, -20, pytest.param(20_000, marks=pytest.mark.slow)])
async def test_a_clock_that_jumps_loses_and_doubles_nothing(listener: Listener, days: int):
    """Forward, back and far forward between a batch and its repeat, and back again: each batch is stored once, none is refused."""
    first, second, third = (str(uuid.uuid4()) for _ in range(3))
    bodies = {batch: traces(2, batch=batch).SerializeToString() for batch in (first, second, third)}
    real = listener.intake._clock
    assert (await listener.post(bodies[first], idempotency_key=first)).status_code == 200
    await listener.loaded()
    listener.intake._clock = lambda: real() + days * 86_400 * 10**9
    for batch in (first, second, second):
        assert (await listener.post(bodies[batch], idempotency_key=batch)).status_code == 200
    await listener.loaded()
    listener.intake._clock = real
    for batch in (third, second, first):
        assert (await listener.post(bodies[batch], idempotency_key=batch)).status_code == 200
    for batch in bodies:
        assert await listener.rows("span_count", batch=batch) == [{"n": 2}]


async def test_repeats_in_flight_wait_for_the_first(listener: Listener):
    """Twenty copies of a batch at the same moment all hear 200 and are stored once; without an id each is stored."""
    batch = str(uuid.uuid4())
    body = traces(2, batch=batch).SerializeToString()
    answers = await asyncio.gather(*(listener.post(body, idempotency_key=batch) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {200}
    assert await listener.rows("span_count", batch=batch) == [{"n": 2}]
    await asyncio.gather(*(listener.post(body) for _ in range(3)))
    assert await listener.rows("span_count", batch=batch) == [{"n": 8}]


async def test_batches_are_known_after_a_restart(engine, tmp_path, queries):
    """A batch accepted before the collector stopped is a repeat afterwards, loaded in between or not."""
    batch, limits = str(uuid.uuid4()), Limits(journal=64 << 20)
    body, late = traces(2, batch=batch).SerializeToString(), traces(1, batch=batch).SerializeToString()
    async with listening(engine, tmp_path, queries, limits) as first:
        assert (await first.post(body, idempotency_key=batch)).status_code == 200
        await first.loaded()
        assert (await first.post(late, idempotency_key=f"{batch}-late")).status_code == 200  # its file waits when the collector stops
    async with listening(engine, tmp_path, queries, limits) as second:
        for one, name in ((body, batch), (late, f"{batch}-late")):
            assert (await second.post(one, idempotency_key=name)).status_code == 200
        assert await second.rows("span_count", batch=batch) == [{"n": 3}]
        assert second.counters.value("sojourn_repeats") == 2


async def test_off_loopback_a_key_with_the_scope_is_needed(engine, tmp_path, queries):
    """Where keys are needed: none is 401, one of another scope 403, the right one 200."""
    async with listening(engine, tmp_path, queries, Limits(), needs_key=True) as one:
        right = await one.control.keys.create("agent", [Scope.OTLP])
        wrong = await one.control.keys.create("shop", [Scope.SOURCES])
        body = traces().SerializeToString()
        none = await one.post(body)
        assert (none.status_code, sentence(none)) == (401, "A key is needed: send Authorization: Bearer <key>.")
        other = await one.post(body, authorization=f"Bearer {wrong.text}")
        assert (other.status_code, sentence(other)) == (403, "The key 'shop' may not send OTLP; it needs the scope otlp.")
        assert (await one.post(body, authorization=f"Bearer {right.text}")).status_code == 200


async def test_a_batch_is_known_under_the_key_that_follows(listener: Listener):
    """An agent whose key is rotated between a batch and its repeat is told that it is stored, and it is stored once."""
    old = await listener.control.keys.create("agent", [Scope.OTLP])
    batch, name = os.urandom(8).hex(), os.urandom(8).hex()
    body = traces(2, batch=name).SerializeToString()
    assert (await listener.post(body, idempotency_key=batch, authorization=f"Bearer {old.text}")).status_code == 200
    new = await listener.control.keys.rotate(old.key.id, timedelta(0))
    assert new is not None
    assert (await listener.post(body, idempotency_key=batch, authorization=f"Bearer {old.text}")).status_code == 401
    assert (await listener.post(body, idempotency_key=batch, authorization=f"Bearer {new.text}")).status_code == 200
    assert await listener.rows("span_count", batch=name) == [{"n": 2}]
