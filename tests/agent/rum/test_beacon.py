"""Reading beacons leniently: the bad part goes, the rest stays, and nothing makes the reader fall over."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from sojourn_agent.rum.beacon import MAX_BYTES, MAX_ITEMS, BeaconError, BeaconReader, ScriptError
from sojourn_agent.rum.otlp import encode
from sojourn_agent.spool import MAX_BODY
from tests.agent.rum.taking import beacon, fetch, page_view

NOW = 1_800_000_000 * 10**9
READER = BeaconReader()


def read(body):
    return READER.read(json.dumps(body).encode())


BAD_ITEMS: list[Any] = [
    *(3, None, "x", [], {}, {"type": "page_view"}, {"type": "nonsense", "at": 1}),
    {**page_view(), "at": "noon"},
    {**page_view(), "at": 1, "trace": "0" * 32},
    {**page_view(), "at": 1, "trace": "A1" * 16},
    {**page_view(), "at": 1, "span": "b2" * 8 + "\n"},
    {**fetch(), "at": 1, "method": "DROP TABLE"},
]


@pytest.mark.parametrize("bad", BAD_ITEMS)
def test_a_bad_item_is_dropped_and_counted(bad):
    """One item that is none is left out; its neighbours stay."""
    found, dropped = read({**beacon(page_view()), "items": [{**page_view(), "at": 1}, bad, {**fetch(), "at": 2}]})
    assert ([type(item).__name__ for item in found.items], dropped) == (["PageView", "Fetch"], 1)


@pytest.mark.parametrize(
    "bad",
    [
        {"device": 3},
        {"cart": {"value": "many"}},
        {"page": []},
        {"sent": "now"},
        {"consent": "yes"},
        {"sample_rate": 0},
        {"sample_rate": 7},
        {"user": "u" * 500},
        {"items": {}},
    ],
)
def test_a_bad_field_is_dropped_and_counted(bad):
    """A field that cannot be read is as if it had not been sent."""
    assert read({**beacon(), **bad})[1] == 1


def test_items_beyond_the_most_are_dropped_and_counted():
    """Only the first items of a beacon are kept."""
    found, dropped = read(beacon(*[{"type": "error"}] * (MAX_ITEMS + 7)))
    assert (len(found.items), dropped) == (MAX_ITEMS, 7)


def test_half_an_emoji_is_no_reason_to_lose_a_beacon():
    """A lone surrogate, as a browser writes a text cut in the middle of an emoji, becomes the replacement character."""
    found, dropped = READER.read(json.dumps(beacon({"type": "error", "message": "oh no"})).replace("oh no", "oh \\ud83d").encode())
    (item,) = found.items
    assert isinstance(item, ScriptError)
    assert (item.message, dropped) == ("oh �", 0)


def test_no_beacon_becomes_a_batch_too_large_for_the_spool():
    """The largest that items and addresses of one beacon can be blown up to stays under what a batch may have."""
    long = "https://shop.example/" + "p" * 2000
    body = beacon(page={"id": "p" * 3000, "url": long}, app="shop")
    item = {**page_view(url="/"), "at": 1}
    while len(json.dumps(body)) < MAX_BYTES - 200 and len(body["items"]) < MAX_ITEMS:
        body["items"].append(item)
    found, _ = read(body)
    done = encode(found, NOW, "granted", None, unverified=False)
    assert done.items == len(found.items)
    assert len(done.traces) < MAX_BODY - (512 << 10)


@settings(max_examples=300, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(st.sampled_from(["v", "id", "app", "session", "page", "url", "items", "type", "at", "attributes", "name"]), inner, max_size=6)
        ),
        max_leaves=12,
    )
)
def test_any_json_is_read_or_refused(body):
    """No JSON makes the reader do anything but read or refuse, nor the encoder fail on what was read."""
    try:
        found, _ = READER.read(json.dumps({"v": 1, "id": "b", "app": "shop", "session": {"id": "s"}, "items": [body], "page": body, "cart": body}).encode())
    except BeaconError:
        return
    encode(found, NOW, "granted", None, unverified=True)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(body):
    """No bytes make the reader do anything but read or refuse."""
    with pytest.raises(BeaconError):
        READER.read(body)


@settings(max_examples=200, deadline=None)
@given(st.floats(-1e15, 1e15), st.floats(-1e15, 1e15) | st.none(), st.floats(-1e15, 1e15))
def test_times_stay_near_the_arrival(at, sent, duration):
    """Whatever a clock says, spans begin between a day before and five minutes after their arrival and do not end before they begin."""
    found, _ = read({**beacon(), "sent": sent, "items": [{**page_view(duration=duration), "at": at}]})
    (span,) = ExportTraceServiceRequest.FromString(encode(found, NOW, "unknown", None, unverified=False).traces).resource_spans[0].scope_spans[0].spans
    assert NOW - 86_400 * 10**9 <= span.start_time_unix_nano <= NOW + 300 * 10**9
    assert span.start_time_unix_nano <= span.end_time_unix_nano <= span.start_time_unix_nano + 86_400 * 10**9


@pytest.mark.parametrize(("skew_ms", "corrected"), [(3_600_000, True), (-7_200_000, True), (4_000, False)])
def test_a_wrong_clock_is_set_right(skew_ms, corrected):
    """A client whose clock is off by more than 5 s has its times shifted by what `sent` and the arrival tell; less is left alone."""
    now_ms = NOW / 1e6
    found, _ = read({**beacon(), "sent": now_ms + skew_ms, "items": [{**page_view(), "at": now_ms + skew_ms - 1000}]})
    done = encode(found, NOW, "unknown", None, unverified=False)
    (span,) = ExportTraceServiceRequest.FromString(done.traces).resource_spans[0].scope_spans[0].spans
    assert span.start_time_unix_nano / 1e6 == now_ms - 1000 + (0 if corrected else skew_ms)
    assert done.corrected is corrected


def test_a_custom_event_cannot_pass_for_the_session():
    """What a page calls `session.id` in an event of its own stays under a prefix."""
    found, _ = read(beacon({"type": "event", "name": "e", "attributes": {"session.id": "other", "sojourn.traffic": "synthetic", "bad key\n": 1}}))
    logs = encode(found, NOW, "unknown", None, unverified=False).logs
    assert b"sojourn.event.attribute.session.id" in logs
    assert b"sojourn.event.attribute.bad_key_" in logs
    assert b"sojourn.event.attribute.sojourn.traffic" in logs
