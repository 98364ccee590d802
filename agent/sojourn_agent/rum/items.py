"""One writer for each kind of item of a beacon: page views, actions and fetches become spans, the rest log records.

A writer returns None when the item turns out to be of no use (an address that is none); it is then counted as dropped.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from sojourn_agent.rum import beacon as wire
from sojourn_agent.rum.attributes import Attributes
from sojourn_agent.rum.moment import Moment
from sojourn_agent.rum.scrub import scrub, split_url
from sojourn_probes import semconv
from sojourn_probes.addresses import origin_of
from sojourn_probes.channels import channel_word
from sojourn_probes.semconv import SpanType

_ODD = re.compile(r"[^A-Za-z0-9_.-]")
_INFO, _ERROR = 9, 17
_MAX_DURATION_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Page:
    """The page an item happened on: its id, scrubbed URL, path, and its address as it came (to resolve others against)."""

    id: str
    url: str
    path: str
    raw: str


@dataclass(frozen=True, slots=True)
class Written:
    """An item's attributes, for what all items share, and its page."""

    attributes: Attributes
    page: Page


Writer = Callable[[Any, Any, Any, Moment, Page], Written | None]
"""(item, the span list, the log record list, clock, page)."""


def _span(spans: Any, item: Any, name: str, kind: SpanType, moment: Moment) -> tuple[Any, Attributes]:
    span = spans.add()
    span.trace_id = bytes.fromhex(item.trace)
    span.span_id = bytes.fromhex(item.span)
    if item.parent is not None:
        span.parent_span_id = bytes.fromhex(item.parent)
    span.name = name[:256]
    span.kind = Span.SPAN_KIND_CLIENT if kind is SpanType.FETCH else Span.SPAN_KIND_INTERNAL
    span.start_time_unix_nano = moment.nanoseconds(item.at)
    span.end_time_unix_nano = span.start_time_unix_nano + int(min(max(item.duration, 0), _MAX_DURATION_MS) * 1000) * 1000
    attributes = Attributes(span.attributes)
    attributes.text(semconv.SPAN_TYPE, kind)
    return span, attributes


def _record(records: Any, item: Any, event: str, moment: Moment, page: Page, severity: int = _INFO) -> Attributes:
    record = records.add()
    record.time_unix_nano = moment.nanoseconds(item.at)
    record.observed_time_unix_nano = moment.received_ns
    record.event_name = event
    record.severity_number = severity
    attributes = Attributes(record.attributes)
    attributes.text(semconv.URL_FULL, page.url)
    return attributes


def _page_view(item: wire.PageView, spans: Any, records: Any, moment: Moment, page: Page) -> Written | None:
    split = split_url(item.url, page.raw)
    if split is None:
        return None
    url, path = split
    _, attributes = _span(spans, item, f"page_view {path}", SpanType.PAGE_VIEW, moment)
    attributes.text(semconv.URL_FULL, url)
    attributes.text(semconv.URL_PATH, path)
    attributes.text(semconv.NAVIGATION_TYPE, item.nav, 32)
    attributes.text(semconv.CHANNEL, channel_word(item.channel))
    return Written(attributes, Page(page.id, url, path, item.url))


def _action(item: wire.ActionTaken, spans: Any, records: Any, moment: Moment, page: Page) -> Written | None:
    _, attributes = _span(spans, item, f"action {scrub(item.name[:200])}", SpanType.ACTION, moment)
    attributes.text(semconv.URL_FULL, page.url)
    attributes.text(semconv.URL_PATH, page.path)
    return Written(attributes, page)


def _fetch(item: wire.Fetch, spans: Any, records: Any, moment: Moment, page: Page) -> Written | None:
    # Without an address it was no request to anybody, such as one of a `data:` address.
    split = split_url(item.url, page.raw) if item.url else None
    if split is None:
        return None
    url, path = split
    method = item.method.upper()
    span, attributes = _span(spans, item, f"fetch {method} {path}", SpanType.FETCH, moment)
    attributes.text(semconv.URL_FULL, url)
    attributes.text(semconv.URL_PATH, path)
    attributes.text(semconv.HTTP_REQUEST_METHOD, method)
    attributes.flag(semconv.REQUEST_OWN, item.own or not url or origin_of(url) == origin_of(page.url))
    status = item.status if item.status is not None and item.status >= 100 else None  # browsers say 0 when there was no answer
    attributes.whole(semconv.HTTP_RESPONSE_STATUS_CODE, status)
    attributes.whole(semconv.HTTP_RESPONSE_BODY_SIZE, item.size)
    # A request the page itself called off, such as by leaving, is nobody's failure.
    if status is not None and status >= 500:
        fault: str | None = str(status)
    else:
        fault = None if item.error in (None, "", "abort") else "timeout" if item.error == "timeout" else "network"
    if fault is not None:
        attributes.text(semconv.ERROR_TYPE, fault)
        span.status.code = Status.STATUS_CODE_ERROR
    return Written(attributes, page)


def _web_vital(item: wire.WebVital, spans: Any, records: Any, moment: Moment, page: Page) -> Written | None:
    attributes = _record(records, item, semconv.EVENT_WEB_VITAL, moment, page)
    attributes.text(semconv.WEB_VITAL_NAME, item.name.lower())
    attributes.number(semconv.WEB_VITAL_VALUE, item.value)
    attributes.number(semconv.WEB_VITAL_DELTA, item.delta)
    attributes.text(semconv.WEB_VITAL_ID, item.id, 128)
    attributes.text(semconv.WEB_VITAL_RATING, item.rating)
    attributes.text(semconv.WEB_VITAL_NAVIGATION_TYPE, item.nav, 32)
    return Written(attributes, page)


def _error(item: wire.ScriptError, spans: Any, records: Any, moment: Moment, page: Page) -> Written | None:
    attributes = _record(records, item, semconv.EVENT_EXCEPTION, moment, page, _ERROR)
    attributes.free(semconv.EXCEPTION_TYPE, item.name, 128)
    attributes.free(semconv.EXCEPTION_MESSAGE, item.message)
    attributes.free(semconv.EXCEPTION_STACKTRACE, item.stack, 4096)
    if item.trace is not None and item.span is not None:
        records[-1].trace_id = bytes.fromhex(item.trace)
        records[-1].span_id = bytes.fromhex(item.span)
    return Written(attributes, page)


def _frustration(item: wire.Frustration, spans: Any, records: Any, moment: Moment, page: Page) -> Written | None:
    attributes = _record(records, item, semconv.EVENT_FRUSTRATION, moment, page)
    attributes.text(semconv.FRUSTRATION_KIND, item.name)
    attributes.free(semconv.FRUSTRATION_TARGET, item.target, 256)
    return Written(attributes, page)


def _conversion(item: wire.Conversion, spans: Any, records: Any, moment: Moment, page: Page) -> Written | None:
    attributes = _record(records, item, semconv.EVENT_CONVERSION, moment, page)
    attributes.free(semconv.CONVERSION_NAME, item.name, 128)
    attributes.number(semconv.CONVERSION_VALUE, item.value)
    attributes.text(semconv.CONVERSION_CURRENCY, item.currency)
    attributes.free(semconv.ORDER_ID, item.order, 128)
    return Written(attributes, page)


def _survey(item: wire.Survey, spans: Any, records: Any, moment: Moment, page: Page) -> Written | None:
    attributes = _record(records, item, semconv.EVENT_SURVEY, moment, page)
    attributes.free(semconv.SURVEY_ID, item.survey, 128)
    attributes.text(semconv.SURVEY_KIND, item.kind)
    attributes.number(semconv.SURVEY_VALUE, item.value)
    if item.scale is not None:
        attributes.number(semconv.SURVEY_SCALE_MIN, item.scale[0])
        attributes.number(semconv.SURVEY_SCALE_MAX, item.scale[1])
    attributes.free(semconv.SURVEY_COMMENT, item.comment, 4096)
    return Written(attributes, page)


def _custom(item: wire.CustomEvent, spans: Any, records: Any, moment: Moment, page: Page) -> Written | None:
    attributes = _record(records, item, semconv.EVENT_CUSTOM, moment, page)
    attributes.free(semconv.EVENT_CUSTOM_NAME, item.name, 128)
    for key, value in list(item.attributes.items())[: wire.MAX_ATTRIBUTES]:
        # The page's own names stay under a prefix: `session.id` of a custom event must not pass for the session's.
        name = semconv.EVENT_CUSTOM_PREFIX + _ODD.sub("_", key[:64])
        if isinstance(value, bool):
            attributes.flag(name, value)
        elif isinstance(value, str):
            attributes.free(name, value)
        else:
            attributes.number(name, value)
    return Written(attributes, page)


WRITERS: Final[dict[type, Writer]] = {
    wire.PageView: _page_view,
    wire.ActionTaken: _action,
    wire.Fetch: _fetch,
    wire.WebVital: _web_vital,
    wire.ScriptError: _error,
    wire.Frustration: _frustration,
    wire.Conversion: _conversion,
    wire.Survey: _survey,
    wire.CustomEvent: _custom,
}
"""The one list of item kinds."""
