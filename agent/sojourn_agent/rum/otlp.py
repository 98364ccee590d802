"""A beacon as OTLP: one ResourceSpans and one ResourceLogs, with the attributes of docs/telemetry.md.

Both are returned encoded as whole export requests. Encoded requests may be concatenated: protobuf joins repeated fields.
"""

from dataclasses import dataclass

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from sojourn_agent.rum.attributes import Attributes
from sojourn_agent.rum.beacon import AnyItem, Beacon
from sojourn_agent.rum.items import WRITERS, Page, Written
from sojourn_agent.rum.moment import Moment
from sojourn_agent.rum.scrub import split_url
from sojourn_probes import semconv
from sojourn_probes.marks import Mark

_NAME = 120


@dataclass(frozen=True, slots=True)
class Encoded:
    """What a beacon came to: the two encoded requests (empty when there is nothing of that signal) and what happened on the way."""

    traces: bytes
    logs: bytes
    items: int
    dropped: int
    cut: int
    clamped: int
    corrected: bool


def encode(beacon: Beacon, received_ns: int, consent: str, mark: Mark | None, unverified: bool, country: str = "") -> Encoded:
    """The OTLP of `beacon`.

    `received_ns`: arrival, nanoseconds since the epoch. `consent`: as it counts here; only `granted` lets ids of people through.
    `mark`: the verified probe mark, if any; `unverified`: it carried one that proves nothing. `country`: where it comes from, empty when not known.
    """
    traces, logs = ExportTraceServiceRequest(), ExportLogsServiceRequest()
    spans = traces.resource_spans.add()
    attributes = Attributes(spans.resource.attributes)
    _resource(attributes, beacon, consent, mark, unverified)
    attributes.text(semconv.GEO_COUNTRY, country)
    scope = spans.scope_spans.add()
    scope.scope.name = "sojourn.rum"
    records = logs.resource_logs.add()
    records.resource.CopyFrom(spans.resource)
    log_scope = records.scope_logs.add()
    log_scope.scope.name = "sojourn.rum"

    moment = Moment(received_ns, beacon.sent)
    home = split_url(beacon.page.url)
    dropped, cut = 0, attributes.cut
    for item in beacon.items:
        written = WRITERS[type(item)](item, scope.spans, log_scope.log_records, moment, _page_of(item, beacon, home))
        dropped += written is None
        cut += _about_item(written, item, beacon) if written is not None else 0
    return Encoded(
        traces.SerializeToString() if scope.spans else b"",
        logs.SerializeToString() if log_scope.log_records else b"",
        len(beacon.items) - dropped,
        dropped,
        cut,
        moment.clamped,
        moment.shift_ms != 0,
    )


def _resource(attributes: Attributes, beacon: Beacon, consent: str, mark: Mark | None, unverified: bool) -> None:
    text = attributes.text
    text(semconv.SERVICE_NAME, beacon.app)
    text(semconv.APP, beacon.app)
    text(semconv.SERVICE_VERSION, beacon.release, _NAME)
    text(semconv.SESSION_ID, beacon.session.id)
    text(semconv.SESSION_PREVIOUS_ID, beacon.session.previous)
    text(semconv.CONSENT, consent)
    attributes.number(semconv.SAMPLE_RATE, beacon.sample_rate)
    text(semconv.DEVICE, beacon.device.type)
    text(semconv.BROWSER, beacon.device.browser, _NAME)
    text(semconv.OS_NAME, beacon.device.os, _NAME)
    text(semconv.BROWSER_LANGUAGE, beacon.device.language, 35)
    if beacon.device.network in semconv.NETWORKS:
        text(semconv.NETWORK, beacon.device.network)
    text(semconv.TRAFFIC, semconv.Traffic.REAL if mark is None else semconv.Traffic.SYNTHETIC)
    if mark is not None:
        text(semconv.RUN_ID, mark.run_id)
        text(semconv.PROBE_KEY_ID, mark.key_id)
        text(semconv.SYNTHETIC_TYPE, "test")
    elif unverified:
        attributes.flag(semconv.PROBE_UNVERIFIED, True)
    if consent == semconv.Consent.GRANTED:
        text(semconv.USER_ID, beacon.user)
        text(semconv.VISITOR_ID, beacon.visitor)
        text(semconv.ACCOUNT_ID, beacon.account)


def _page_of(item: AnyItem, beacon: Beacon, home: tuple[str, str] | None) -> Page:
    """The page `item` happened on: its own `page`, else its `url` unless that is what a fetch asked for, else the beacon's."""
    own = item.page
    address = (own if isinstance(own, str) else own.url) if own is not None else None
    if not address and not hasattr(item, "method"):
        address = item.url
    ident = own.id if own is not None and not isinstance(own, str) and own.id else beacon.page.id
    if not address:
        return Page(ident, *(home or ("", "")), beacon.page.url)
    split = split_url(address, beacon.page.url)
    return Page(ident, *(split or ("", "")), address)


def _about_item(written: Written, item: AnyItem, beacon: Beacon) -> int:
    """The attributes every item has; returns how many texts of it were cut."""
    attributes, page = written.attributes, written.page
    attributes.text(semconv.PAGE_ID, page.id, 64)
    attributes.text(semconv.PAGE_PATH, page.path)
    cart = item.cart or beacon.cart
    if cart is not None:
        attributes.number(semconv.CART_VALUE, cart.value)
        attributes.text(semconv.CART_CURRENCY, cart.currency)
    return attributes.cut
