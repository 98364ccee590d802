"""Single items of a request, and the ids under which it goes on."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from sojourn_collector.forward.erase import scrub_of
from sojourn_collector.forward.items import sift
from sojourn_collector.forward.only import keep_of
from sojourn_collector.forward_config import ForwardOnly
from sojourn_collector.store.hops import MOST, forwarded, hops
from tests.collector.receive.conftest import traces


def points() -> ExportMetricsServiceRequest:
    """A gauge with two points and a histogram with one, of the service shop."""
    request = ExportMetricsServiceRequest()
    source = request.resource_metrics.add()
    source.resource.attributes.add(key="service.name").value.string_value = "shop"
    scope = source.scope_metrics.add()
    gauge = scope.metrics.add(name="queue")
    for place in ("eu", "us"):
        gauge.gauge.data_points.add(as_int=1).attributes.add(key="place").value.string_value = place
    scope.metrics.add(name="took").histogram.data_points.add(count=1).attributes.add(key="place").value.string_value = "us"
    return request


def test_points_are_items():
    """A metric whose last point goes is gone; one that keeps a point stays with it."""
    body, stay, gone = sift("metrics", points().SerializeToString(), keep_of(ForwardOnly(attributes={"place": "eu"})))
    left = ExportMetricsServiceRequest.FromString(body)
    assert (stay, gone) == (1, 2)
    assert [(metric.name, len(metric.gauge.data_points)) for metric in left.resource_metrics[0].scope_metrics[0].metrics] == [("queue", 1)]


@pytest.mark.parametrize(
    ("only", "stays"),
    [
        ({}, True),
        ({"services": ("shop",)}, True),
        ({"services": ("till",)}, False),
        ({"traffic": ("none",)}, True),
        ({"traffic": ("real", "synthetic")}, False),
        ({"attributes": {"batch": "*"}}, True),
        ({"attributes": {"batch": "b", "service.name": "shop"}}, True),
        ({"attributes": {"batch": "c"}}, False),
        ({"services": ("shop",), "attributes": {"nothing": "*"}}, False),
    ],
)
def test_every_part_of_only_must_hold(only, stays: bool):
    """Service, traffic (`none` for what has no mark) and attributes, those of the resource too."""
    body = traces(1, batch="b").SerializeToString()
    left, stay, gone = sift("traces", body, keep_of(ForwardOnly(**only)))
    assert (left == body, stay, gone) == ((True, 1, 0) if stays else (False, 0, 1))
    assert stays or left == b""


def test_plain_values_match_as_the_tables_write_them():
    """Numbers and truth values are compared as text; arrays match nothing."""
    request = ExportLogsServiceRequest()
    log = request.resource_logs.add().scope_logs.add().log_records.add()
    log.attributes.add(key="n").value.int_value = 7
    log.attributes.add(key="yes").value.bool_value = True
    log.attributes.add(key="half").value.double_value = 0.5
    log.attributes.add(key="many").value.array_value.values.add().string_value = "x"
    body = request.SerializeToString()
    for attributes, stay in (({"n": "7", "yes": "true", "half": "0.5"}, 1), ({"many": "x"}, 0)):
        assert sift("logs", body, keep_of(ForwardOnly(attributes=attributes)))[1] == stay


def test_a_scrub_leaves_others_alone():
    """Bodies without the subject are not touched; a body of nothing but the subject is empty; a value under another name is no subject."""
    body = traces(2, batch="u12").SerializeToString()
    assert scrub_of({"batch": {"u12"}})("traces", body) == b""
    assert scrub_of({"batch": {"u13"}})("traces", body) is None
    assert scrub_of({"user.id": {"u12"}})("traces", body) is None
    assert scrub_of({"batch": {"u12"}})("traces", b"\xffu12") == b""


def test_ids_are_the_same_for_ever_and_tell_the_way():
    """The same batch has the same id; another fact has another; each collector adds itself."""
    own, next_one = "0123456789ab", "ba9876543210"
    once = forwarded("b1", own, "x")
    assert once == forwarded("b1", own, "x") != forwarded("b1", own, "y")
    assert uuid.UUID(once.partition("@")[0]).version == 5
    assert hops(forwarded(once, next_one)) == (own, next_one)
    longest = once
    for _ in range(MOST):
        longest = forwarded(longest, own)
    assert len(longest) <= 200


@given(st.text(max_size=80))
def test_a_foreign_id_came_through_nobody(batch: str):
    """Any other batch id has no hops, and can be forwarded."""
    assert hops(batch) == () or "@" in batch
    assert hops(forwarded(batch, "0123456789ab"))[-1] == "0123456789ab"
