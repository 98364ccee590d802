"""What backends' spans say of a visit, on the real engine: who was hit there though the browser saw nothing."""

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from sojourn_collector.join.ranges import progress_name
from sojourn_collector.store.journal import Journal
from sojourn_collector.store.load_sql import Load
from sojourn_collector.store.record import Record
from tests.collector.join.backends import CLIENT, CONSUMER, INTERNAL, OK, SERVER, answered
from tests.collector.join.working import shopper, table
from tests.collector.join.world import Browser, World

Row = dict[str, Any]
LOST = b"lostspan"


def pays(b: Browser, status: int = 200) -> list[Row]:
    """Comes to the payment and asks for it."""
    return [b.page(0, "/"), b.page(5, "/checkout/pay"), b.fetch(10, "/checkout/pay", "/payments", status, 0.5)]


async def pay(world: World) -> Row:
    """The step at which it was paid."""
    return next(row for row in await table(world, "steps") if row["step"] == "pay")


async def hits(world: World) -> list[tuple[str, int]]:
    """Each visit that came to pay, and whether it was hit there."""
    return sorted((row["session_id"], row["hit"]) for row in await table(world, "steps") if row["step"] == "pay")


async def test_a_backend_that_failed_behind_an_answer_hits(world: World) -> None:
    """Answered with 200 in the browser and 500 at the backend's entry: one failure, at the browser's time, with the backend's span as evidence."""
    b = shopper(world, ago=4000, user_id="u1")
    spans = pays(b)
    # The backend's clock is an hour ahead: the browser's counts.
    failed = answered(b, spans[2], 500, at=3610)
    await world.load([*spans, failed])
    await world.join()
    step = await pay(world)
    assert (step["hit"], step["stopped"], step["severity"], step["person_id"]) == (1, 1, 1.0, "user:u1")
    assert step["failures"] == [b.start + timedelta(seconds=10.5)]
    assert (step["hit_trace_id"], step["hit_span_id"]) == (b.trace(3).hex(), failed["span_id"].hex())
    assert (step["failure_kind"], step["failure_message"], step["hit_status"], step["hit_method"], step["hit_path"]) == (
        *("status", "500 from POST /payments"),
        *(500, "POST", "/payments"),
    )
    assert (await table(world, "sessions"))[0]["errors"] == 1


async def test_a_failure_without_a_status_says_so(world: World) -> None:
    """GraphQL answers 200 and its span says error: a hit, called a failure of the backend and neither a 200 nor no answer."""
    b = shopper(world, ago=4000)
    spans = pays(b)
    await world.load([*spans, answered(b, spans[2], 200)])
    await world.join()
    step = await pay(world)
    assert (step["failure_kind"], step["failure_message"]) == ("status", "the backend failed at POST /payments")
    assert (step["hit"], step["hit_status"], step["hit_method"], step["hit_path"]) == (1, 0, "", "/payments")


async def test_one_failure_seen_from_both_ends_is_one(world: World) -> None:
    """A 502 in the browser and in the backend is one failure, told as the browser saw it."""
    b = shopper(world, ago=4000)
    spans = pays(b, 502)
    await world.load([*spans, answered(b, spans[2], 502, at=10.1)])
    await world.join()
    step = await pay(world)
    assert (step["failures"], step["hit_span_id"]) == ([b.start + timedelta(seconds=10.5)], spans[2]["span_id"].hex())
    assert (await table(world, "sessions"))[0]["errors"] == 1


async def test_a_request_the_browser_told_nothing_of(world: World) -> None:
    """A sender of page views alone: the failed entry in the page's trace, below a span nobody sent, hits at that page and at its time."""
    b = shopper(world, ago=4000)
    spans = pays(b)[:2]
    failed = answered(b, spans[1], 503, at=30, parent=LOST)
    await world.load([*spans, failed])
    await world.join()
    step = await pay(world)
    assert (step["hit"], step["hit_span_id"], step["failure_message"]) == (1, failed["span_id"].hex(), "503 from POST /payments")
    assert step["failures"] == [b.start + timedelta(seconds=30.2)]
    assert {row["step"]: row["hit"] for row in await table(world, "steps")} == {"home": 0, "pay": 1}


@pytest.mark.parametrize("ahead", [-7200, 7200])
async def test_a_clock_that_makes_no_sense_is_left_out(world: World, ahead: float) -> None:
    """A backend whose clock is hours off does not move the failure out of the page: it is placed at the browser's span."""
    b = shopper(world, ago=9000)
    spans = pays(b)[:2]
    await world.load([*spans, answered(b, spans[1], 503, at=30 + ahead, parent=LOST)])
    await world.join()
    step = await pay(world)
    assert step["failures"] == [b.start + timedelta(seconds=5.7)]
    assert (step["started"], len(await table(world, "runs"))) == (b.start + timedelta(seconds=5), 1)


async def test_the_page_itself_failed(world: World) -> None:
    """The request that rendered a page, which names its span in the page, answered 500: the page view is the failure."""
    b = shopper(world, ago=4000)
    home, pay_page = pays(b)[:2]
    entry = answered(b, None, 500, at=5, trace=pay_page["trace_id"])
    inner = answered(b, None, kind=INTERNAL, status=OK, at=5.05, took=0.01, parent=entry["span_id"], trace=pay_page["trace_id"])
    pay_page["parent_id"] = inner["span_id"].decode()
    await world.load([home, pay_page, entry, inner])
    await world.join()
    step = await pay(world)
    assert (step["hit"], step["failure_message"], step["hit_span_id"]) == (1, "500 from GET /checkout/pay", entry["span_id"].hex())
    assert (await table(world, "sessions"))[0]["errors"] == 1


async def test_what_a_backend_tried_again_hurts_nobody(world: World) -> None:
    """A call within the backend that failed and was made again with success is no failure: the entry answered, whether or not the browser's span came."""
    for session, sent in (("s-1", 3), ("s-2", 2)):
        b = shopper(world, session, ago=4000)
        spans = pays(b)
        entry = answered(b, spans[2], 201, status=OK)
        call = answered(b, spans[2], 500, kind=CLIENT, parent=entry["span_id"], at=10.01, took=0.05)
        inner = answered(b, spans[2], 500, service="payments", parent=call["span_id"], at=10.02, took=0.03)
        again = answered(b, spans[2], 201, status=OK, service="payments", parent=entry["span_id"], at=10.1, took=0.05)
        for page in spans[:sent]:
            page["trace_id"] = spans[2]["trace_id"]
        await world.load([*spans[:sent], entry, call, inner, again])
    await world.join()
    assert await hits(world) == [("s-1", 0), ("s-2", 0)]


async def test_a_gateway_that_says_nothing_tried_again(world: World) -> None:
    """Two entries below one fetch: a gateway between made the second, and what came back last counts."""
    for session, codes in (("s-1", (502, 201)), ("s-2", (201, 502))):
        b = shopper(world, session, ago=4000)
        spans = pays(b)
        tries = [answered(b, spans[2], code, at=10 + n / 5, took=0.1, status=OK if code < 500 else 2) for n, code in enumerate(codes)]
        await world.load([*spans, *tries])
    await world.join()
    assert await hits(world) == [("s-1", 0), ("s-2", 1)]


@pytest.mark.parametrize(
    ("shown", "span"),
    [
        (404, {"code": 404}),
        (200, {"code": 404}),
        (404, {"code": 0}),
        (200, {"code": 500, "status": OK}),
        (200, {"kind": CONSUMER}),
    ],
    ids=["404", "404 in the backend", "404 in the browser", "not called an error", "a queue's work"],
)
async def test_what_is_no_failure_of_the_backend(world: World, shown: int, span: dict[str, int]) -> None:
    """A 404 is an answer; so is what the backend does not call an error; and work by way of a queue answers nobody."""
    b = shopper(world, ago=4000)
    spans = pays(b, shown)
    await world.load([*spans, answered(b, spans[2], **span)])  # type: ignore[arg-type]
    await world.join()
    assert (await pay(world))["hit"] == 0


async def test_what_the_customer_called_off(world: World) -> None:
    """A request called off by leaving the page breaks the backend's work, and is nobody's failure."""
    b = shopper(world, ago=4000)
    spans = pays(b, 0)
    spans[2]["attrs"]["error.type"] = "abort"
    await world.load([*spans, answered(b, spans[2])])
    await world.join()
    assert (await pay(world))["hit"] == 0


async def test_a_third_party_hurts_nobody(world: World) -> None:
    """A call to a third party that failed within the backend is no entry; a fetch to somebody else's host stays somebody else's, with an error in the visit."""
    b = shopper(world, ago=4000)
    spans = pays(b)
    spans[1]["attrs"]["url.full"] = "https://shop.example/checkout/pay"
    spans[2]["attrs"] |= {"url.full": "https://chat.example/payments", "sojourn.request.own": "false"}
    entry = answered(b, spans[1], 201, status=OK, parent=LOST, at=8)
    call = answered(b, spans[1], 503, kind=CLIENT, parent=entry["span_id"], at=8.05, took=0.1)
    await world.load([*spans, entry, call, answered(b, spans[2], 500)])
    await world.join()
    assert (await pay(world))["hit"] == 0
    assert (await table(world, "sessions"))[0]["errors"] == 1


async def test_a_backend_heard_late_makes_the_hit(world: World) -> None:
    """Spans of the backend that come after the visit was joined join it again, and what shows later that it was tried again takes the hit back."""
    b = shopper(world, ago=4000)
    spans = pays(b)[:2]
    await world.load(spans)
    await world.join()
    assert (await pay(world))["hit"] == 0
    entry = answered(b, spans[1], 201, status=OK, parent=LOST, at=10)
    inner = answered(b, spans[1], 500, service="payments", parent=entry["span_id"], at=10.05, took=0.05)
    await world.load([inner])
    await world.join()
    assert (await pay(world))["hit"] == 1
    await world.load([entry])
    await world.join()
    assert ((await pay(world))["hit"], (await table(world, "runs"))[0]["severity"]) == (0, 0.0)


async def test_a_browser_heard_late_makes_the_hit(world: World) -> None:
    """The backend's failure is there before the browser's first beacon: it counts as soon as that comes."""
    b = shopper(world, ago=4000)
    spans = pays(b)
    await world.load([answered(b, spans[2], 500)])
    await world.join()
    await world.load(spans)
    await world.join()
    assert (await pay(world))["hit"] == 1


async def test_joined_twice_it_is_the_same(world: World) -> None:
    """A range joined a second time, as after a crash, leaves the same rows."""
    b = shopper(world, ago=4000)
    spans = pays(b)
    await world.load([*spans[:2], answered(b, spans[1], 500, parent=LOST)])
    await world.join()
    before = [{**row, "version": 0} for row in await table(world, "steps")]
    await world.control.progress.set(progress_name(0), 0)
    await world.new_worker().catch_up()
    assert [{**row, "version": 0} for row in await table(world, "steps")] == before


async def test_a_probe_is_no_customer(world: World) -> None:
    """A browser of a probe whose backend failed is no run of a customer, and its trace concerns no visit."""
    b = shopper(world, ago=4000, traffic="synthetic", run_id="r-1")
    spans = pays(b)
    await world.load([*spans, answered(b, spans[2], 500)])
    await world.join()
    assert [row for row in await table(world, "runs") if row["traffic"] == "real"] == []
    assert await world.worker._backends.touched(0, 1) == {}


async def test_a_page_handed_to_many(world: World) -> None:
    """One trace in the pages of two visitors, as a cache makes it: a failure that names no span of theirs is nobody's, one below their own fetch is theirs."""
    for session, asked in (("s-1", False), ("s-2", True)):
        b = shopper(world, session, ago=4000)
        spans = pays(b)
        for span in spans:
            span["trace_id"] = b"the cached trace"
            span["span_id"] = session.encode() + span["span_id"][3:]
        await world.load([*spans, answered(b, spans[2], 500, parent=None if asked else LOST)])
    await world.join()
    assert await hits(world) == [("s-1", 0), ("s-2", 1)]


async def test_hostile_spans(world: World) -> None:
    """Spans in a circle, of nonsense for a status, endless texts and durations, their own parents: nothing stands still and the honest one counts."""
    b = shopper(world, ago=4000)
    spans = pays(b)
    honest = answered(b, spans[2], 500)
    odd = [
        answered(
            b, spans[2], http__response__status_code="9" * 5000, http__request__method="x" * 5000, url__path="/" + "y" * 9000, parent=LOST, took=9e9, at=20
        ),
        answered(b, spans[2], http__response__status_code="٥٠٠", url__path="?q=<script>", parent=LOST, at=20),
        answered(b, spans[2], 500),
        answered(b, spans[2], 500),
        answered(b, spans[2], 500),
    ]
    for n, parent in ((2, 3), (3, 2), (4, 4)):
        odd[n]["parent_id"] = odd[parent]["span_id"].decode()
    many = [answered(b, spans[2], 500, service=f"s{n}", parent=LOST, at=200 + n) for n in range(600)]
    await world.load([*spans, honest, *odd, *many])
    await world.join()
    step = await pay(world)
    assert (step["hit"], step["hit_span_id"]) == (1, honest["span_id"].hex())
    assert max(len(step[name]) for name in ("hit_method", "hit_path", "failure_message")) < 600


async def test_such_people_are_in_problems(world: World) -> None:
    """What makes problems and who is asked for in them hold whoever was hit by a backend's word alone."""
    b = shopper(world, ago=4000, user_id="u1")
    spans = pays(b)
    await world.load([*spans, answered(b, spans[2], 500)])
    await world.join()
    until = b.start + timedelta(hours=1)
    (person,) = await world.store.query("problem_people", journey="checkout", step="pay", run_since=b.start, since=b.start, until=until, most=10)
    assert (person["person_id"], person["failed"], person["hit_status"]) == ("user:u1", [int((b.start.timestamp() + 10.5) * 1000)], 500)


def test_kinds_are_those_of_opentelemetry() -> None:
    """SpanKind of trace.proto: the numbers the tests speak of."""
    assert (INTERNAL, SERVER, CLIENT, CONSUMER) == (1, 2, 3, 5)


def otlp(world: World, trace: bytes) -> ExportTraceServiceRequest:
    """As two senders' SDKs send it: a page view and a fetch of a browser, and below the fetch the server's span, failed."""
    request, began = ExportTraceServiceRequest(), int(world.clock().timestamp() - 4000) * 10**9
    browser, backend = request.resource_spans.add(), request.resource_spans.add()
    backend.resource.attributes.add(key="service.name").value.string_value = "shop"
    for key, text in (("session.id", "s-1"), ("sojourn.traffic", "real"), ("sojourn.app", "shop")):
        browser.resource.attributes.add(key=key).value.string_value = text
    spans = browser.scope_spans.add().spans
    page = spans.add(trace_id=trace, span_id=b"\xffpagespa", name="page_view", start_time_unix_nano=began, end_time_unix_nano=began + 10**9)
    fetch = spans.add(trace_id=trace, span_id=b"\xfefetchsp", parent_span_id=page.span_id, name="fetch", kind=Span.SPAN_KIND_CLIENT)
    fetch.start_time_unix_nano, fetch.end_time_unix_nano = began + 2 * 10**9, began + 3 * 10**9
    for span, kind, path in ((page, "page_view", "/checkout/pay"), (fetch, "fetch", "/payments")):
        for key, text in (("sojourn.span.type", kind), ("url.path", path), ("sojourn.page.path", "/checkout/pay")):
            span.attributes.add(key=key).value.string_value = text
    entry = backend.scope_spans.add().spans.add(trace_id=trace, span_id=b"\xfdentrysp", parent_span_id=fetch.span_id, name="POST", kind=Span.SPAN_KIND_SERVER)
    entry.start_time_unix_nano, entry.end_time_unix_nano = began + 2 * 10**9, began + 3 * 10**9
    entry.attributes.add(key="http.response.status_code").value.int_value = 500
    entry.status.code = Status.STATUS_CODE_ERROR
    return request


async def test_spans_as_they_are_sent(world: World, tmp_path: Path) -> None:
    """Through the load: kinds, status, parents and numbers of OpenTelemetry's wire mean what the join takes them for."""
    trace = os.urandom(16)
    body = otlp(world, trace).SerializeToString()
    journal = Journal(tmp_path / "journal", linger=0)
    await journal.open(0)
    await journal.append("traces", Record(world.store.tenant, "b", int(world.clock().timestamp() * 1e9), "local", bytes(32), 3, body))
    file = await journal.next_file()
    await world.store.load(Load("traces", file.path, file.seq, trace.hex()))
    await journal.close()
    await world.loaded.done(file.seq)
    await world.join()
    step = await pay(world)
    assert (step["hit"], step["hit_trace_id"], step["hit_span_id"]) == (1, trace.hex(), b"\xfdentrysp".hex())
    assert step["failure_message"] == "500 from GET /payments"
