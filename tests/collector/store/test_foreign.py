"""What other people's SDKs send: everything they said is kept as text, bounded, and what was cut says so."""

import os
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from sojourn_collector.store.catalogue import FOLDER, Catalogue
from sojourn_collector.store.client import Store
from sojourn_collector.store.load_values import LONGEST_BODY, LONGEST_NAME, LONGEST_VALUE, MOST_ATTRIBUTES, MOST_EVENTS
from tests.collector.store.test_load import Bench, record

COLUMNS = "name, scope, attrs, res, status_message, events_name, length(events_ts) AS times, events_attrs"


@pytest.fixture
async def bench(tmp_path: Path, engine) -> AsyncIterator[Bench]:
    """A bench with queries that show a span and a log as they are stored."""
    queries = tmp_path / "queries"
    queries.mkdir()
    for own in FOLDER.glob("loaded_*.sql"):
        (queries / own.name).write_text(own.read_text())
    (queries / "span.sql").write_text(f"SELECT {COLUMNS} FROM spans WHERE trace_id = unhex({{trace:String}})")
    (queries / "log.sql").write_text("SELECT name, body, attrs, res, scope FROM events WHERE trace_id = {trace:String}")
    store = Store(lambda: engine, catalogue=Catalogue(queries))
    async with Bench(tmp_path, store, int.from_bytes(os.urandom(5))) as one:
        yield one
    await store.close()


def text(value: str) -> AnyValue:
    return AnyValue(string_value=value)


async def stored(bench: Bench, span: Span, **scope: Any) -> dict[str, Any]:
    """Load a span and read it back."""
    span.trace_id, span.span_id, span.start_time_unix_nano = os.urandom(16), os.urandom(8), time.time_ns()
    request = ExportTraceServiceRequest()
    source = request.resource_spans.add()
    source.resource.attributes.add(key="service.name").value.string_value = "theirs"
    source.resource.attributes.add(key="k8s.pod.name").value.string_value = "pod-1"
    group = source.scope_spans.add()
    group.scope.name, group.scope.version = scope.get("name", "lib"), scope.get("version", "")
    group.scope.attributes.extend(KeyValue(key=key, value=value) for key, value in scope.get("attributes", {}).items())
    group.spans.append(span)
    batch = os.urandom(8).hex()
    await bench.journal.append("traces", record(request.SerializeToString(), batch))
    await bench.load()
    (row,) = await bench.store.query("span", trace=span.trace_id.hex())
    return row


async def test_resource_and_scope_are_kept(bench: Bench):
    """A resource's attributes, the name of the scope, its version and its attributes; a scope without them adds nothing."""
    row = await stored(bench, Span(name="x"), name="io.example.http", version="1.2.3", attributes={"team": text("pay"), "level": AnyValue(int_value=3)})
    assert row["scope"] == "io.example.http"
    assert row["res"] == {
        "service.name": "theirs",
        "k8s.pod.name": "pod-1",
        "otel.scope.version": "1.2.3",
        "otel.scope.team": "pay",
        "otel.scope.level": "3",
    }
    assert (await stored(bench, Span(name="x")))["res"] == {"service.name": "theirs", "k8s.pod.name": "pod-1"}


async def test_every_kind_of_value_is_text(bench: Bench):
    """Scalars plain, lists and maps as JSON in the order they came, bytes and what lies deeper marked."""
    inner = ArrayValue(values=[AnyValue(int_value=1)])
    values = {
        "text": text('a "b"'),
        "int": AnyValue(int_value=-5),
        "double": AnyValue(double_value=2.5),
        "yes": AnyValue(bool_value=True),
        "no": AnyValue(bool_value=False),
        "bytes": AnyValue(bytes_value=b"\x00\x01"),
        "nothing": AnyValue(),
        "list": AnyValue(array_value=ArrayValue(values=[text('q"'), AnyValue(int_value=7), AnyValue(bool_value=True), AnyValue(), AnyValue(bytes_value=b"x")])),
        "map": AnyValue(kvlist_value=KeyValueList(values=[KeyValue(key="b", value=text("2")), KeyValue(key="a", value=AnyValue(double_value=0.5))])),
        "deep": AnyValue(array_value=ArrayValue(values=[AnyValue(array_value=inner)])),
    }
    row = await stored(bench, Span(name="x", attributes=[KeyValue(key=key, value=value) for key, value in values.items()]))
    assert row["attrs"] == {
        "text": 'a "b"',
        "int": "-5",
        "double": "2.5",
        "yes": "true",
        "no": "false",
        "bytes": "base64:AAE=",
        "nothing": "",
        "list": '["q\\"",7,true,null,"base64:eA=="]',
        "map": '{"b":"2","a":0.5}',
        "deep": '["otlp-array:CgIYAQ=="]',
    }


@pytest.mark.parametrize("letter", ["a", "é", "🛒"])
async def test_a_value_too_long_is_cut_and_says_so(bench: Bench, letter: str):
    """The longest allowed stays as it is; one more letter is cut there and says how many bytes it had. Letters of several bytes are never halved."""
    longest, longer = letter * LONGEST_VALUE, letter * (LONGEST_VALUE + 1)
    row = await stored(
        bench,
        Span(
            name="n" * (LONGEST_NAME + 1),
            status=Status(message=longer),
            attributes=[KeyValue(key="fits", value=text(longest)), KeyValue(key="cut", value=text(longer)), KeyValue(key="k" * 2000, value=text("v"))],
            events=[Span.Event(name="e" * 2000, attributes=[KeyValue(key="cut", value=text(longer))])],
        ),
        name="s" * 2000,
        version="1",
    )
    marked = f"{longest}…[cut, {len(longer.encode())} bytes]"
    assert row["attrs"] == {"fits": longest, "cut": marked, "k" * LONGEST_NAME: "v"}
    assert row["status_message"] == marked
    assert row["events_attrs"] == [{"cut": marked}]
    assert (row["name"], row["events_name"], row["scope"]) == ("n" * LONGEST_NAME, ["e" * LONGEST_NAME], "s" * LONGEST_NAME)


async def test_a_list_too_long_is_cut_too(bench: Bench):
    """It is text like any other."""
    many = AnyValue(array_value=ArrayValue(values=[AnyValue(int_value=n) for n in range(10_000)]))
    row = await stored(bench, Span(name="x", attributes=[KeyValue(key="many", value=many)]))
    whole = "[" + ",".join(str(n) for n in range(10_000)) + "]"
    assert row["attrs"]["many"] == f"{whole[:LONGEST_VALUE]}…[cut, {len(whole)} bytes]"


async def test_too_many_attributes_and_events(bench: Bench):
    """The first are kept, and how many there were is an attribute; exactly as many as allowed are no matter."""
    attributes = [KeyValue(key=f"k{n}", value=text(str(n))) for n in range(MOST_ATTRIBUTES + 3)]
    events = [Span.Event(name=f"e{n}", attributes=[KeyValue(key="n", value=text(str(n)))]) for n in range(MOST_EVENTS + 2)]
    row = await stored(bench, Span(name="x", attributes=attributes, events=events))
    kept = {f"k{n}": str(n) for n in range(MOST_ATTRIBUTES)}
    assert row["attrs"] == {**kept, "sojourn.cut.attributes": str(MOST_ATTRIBUTES + 3), "sojourn.cut.events": str(MOST_EVENTS + 2)}
    assert row["events_name"] == [f"e{n}" for n in range(MOST_EVENTS)]
    assert row["events_attrs"] == [{"n": str(n)} for n in range(MOST_EVENTS)]
    assert row["times"] == MOST_EVENTS
    row = await stored(bench, Span(name="x", attributes=attributes[:MOST_ATTRIBUTES], events=events[:MOST_EVENTS]))
    assert row["attrs"] == kept
    assert len(row["events_name"]) == MOST_EVENTS
    row = await stored(bench, Span(name="x", events=[*events[:1], Span.Event(name="late", attributes=attributes)]))
    assert row["events_attrs"][1] == {**kept, "sojourn.cut.attributes": str(MOST_ATTRIBUTES + 3)}
    assert row["attrs"] == {}


async def test_a_log_is_bounded_as_a_span_is(bench: Bench):
    """Its body may be longer; its attributes, its name and its scope are held to the same."""
    request = ExportLogsServiceRequest()
    group = request.resource_logs.add().scope_logs.add()
    group.scope.version = "2"
    trace = os.urandom(16)
    log = group.log_records.add(trace_id=trace, time_unix_nano=time.time_ns(), event_name="n" * 2000)
    log.body.string_value = "é" * (LONGEST_BODY + 1)
    log.attributes.add(key="long").value.string_value = "x" * (LONGEST_VALUE + 1)
    await bench.journal.append("logs", record(request.SerializeToString(), os.urandom(8).hex()))
    await bench.load()
    (row,) = await bench.store.query("log", trace=trace.hex())
    assert row["body"] == "é" * LONGEST_BODY + f"…[cut, {2 * (LONGEST_BODY + 1)} bytes]"
    assert row["attrs"] == {"long": "x" * LONGEST_VALUE + f"…[cut, {LONGEST_VALUE + 1} bytes]"}
    assert (row["name"], row["res"]) == ("n" * LONGEST_NAME, {"otel.scope.version": "2"})


SCALARS = st.one_of(
    st.text(max_size=30).map(text),
    st.integers(-(2**63), 2**63 - 1).map(lambda n: AnyValue(int_value=n)),
    st.booleans().map(lambda b: AnyValue(bool_value=b)),
)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.text(min_size=1, max_size=20), SCALARS, max_size=8))
async def test_any_attributes_come_back_as_they_were(bench: Bench, attributes: dict[str, AnyValue]):
    """Keys and values of any letters, NUL and quotes among them."""
    row = await stored(bench, Span(name="x", attributes=[KeyValue(key=key, value=value) for key, value in attributes.items()]))

    def shown(value: AnyValue) -> str:
        if value.HasField("bool_value"):
            return str(value.bool_value).lower()
        return str(value.int_value) if value.HasField("int_value") else value.string_value

    assert row["attrs"] == {key: shown(value) for key, value in attributes.items()}
