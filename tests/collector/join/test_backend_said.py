"""Which of a backend's spans is a request of the visit: pure, times in seconds."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sojourn_collector.join.backend_said import MOST_SPANS, with_backends
from sojourn_collector.join.signals import Signal, SignalKind

TRACE = "t"
PAGE = Signal(0, SignalKind.PAGE_VIEW, page="/pay", duration=500, trace_id=TRACE, span_id="page")
NEVER_SENT = "lost"


def fetch(at: float, span: str = "fetch", path: str = "/payments", duration: int = 1000, **more: Any) -> Signal:
    """A request the browser told of."""
    return Signal(int(at * 1000), SignalKind.FETCH, page="/pay", path=path, method="POST", duration=duration, trace_id=TRACE, span_id=span, status=200, **more)


def span(ident: str, parent: str, at: float = 10, took: float = 0.5, *, status: int = 2, kind: int = 2, service: str = "shop", **more: Any) -> dict[str, Any]:
    """A row of a backend's span; `type` makes it a browser's, `session_id` of which visit."""
    own = {"code": "", "old_code": "", "method": "POST", "old_method": "", "path": "/payments", "target": "", "called": f"POST {service}", "type": ""}
    moment = datetime.fromtimestamp(at, UTC)
    row = {"trace": TRACE, "span": ident, "parent": parent, "of_service": service, "kind": kind, "status": status, "ts": moment, "duration": int(took * 1000)}
    return {**row, **own, "session_id": "", **more}


def failing(signals: list[Signal], rows: list[dict[str, Any]], opened: dict[str, str] | None = None) -> list[tuple[str, str]]:
    """Each signal that a backend says it failed at: its own span, and the backend's."""
    found = with_backends("s-1", signals, opened or {}, rows)
    return sorted((one.span_id, one.backend_span) for one in found if one.backend_span)


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ([span("a", NEVER_SENT)], [("a", "a")]),
        ([span("a", "")], [("a", "a")]),
        ([span("a", NEVER_SENT, kind=1)], []),
        ([span("a", NEVER_SENT, kind=3)], []),
        ([span("a", NEVER_SENT, status=1)], []),
        ([span("a", "page")], [("a", "a")]),
        ([span("a", "page", kind=5)], []),
        ([span("a", "e"), span("e", NEVER_SENT, status=0)], []),
        ([span("a", "c", service="bank"), span("c", "e", kind=3), span("e", NEVER_SENT)], [("e", "e")]),
    ],
    ids=["an entry", "a root", "internal", "a call", "called well", "below the page", "a queue's", "a part of one that answered", "the outermost of a chain"],
)
def test_requests_without_a_fetch(rows: list[dict[str, Any]], found: list[tuple[str, str]]) -> None:
    """Of a visit that told its page alone."""
    assert failing([PAGE], rows) == found


def test_what_may_be_a_part_does_not_count() -> None:
    """A failed span below one that nobody sent is no request while it lies within another service's entry, or within a fetch of which no backend told."""
    inner = span("a", NEVER_SENT, 10.1, 0.2, service="payments", path="/charge")
    around = span("e", "elsewhere", 10, 0.5, status=0)
    assert failing([PAGE], [inner, around]) == []
    assert failing([PAGE], [inner, {**around, "of_service": "payments", "called": "POST /other"}]) == [("a", "a")]
    assert failing([PAGE], [inner, {**around, "status": 2}]) == [("e", "e")]
    assert failing([PAGE, fetch(10)], [inner]) == []
    assert failing([PAGE, fetch(10)], [inner, span("e", "fetch", 10, 0.5, status=0, service="payments", called="POST /x")]) == [("a", "a")]
    assert failing([PAGE, fetch(40)], [inner]) == [("a", "a")]


def test_a_fetch_under_another_id_is_found_by_what_it_asked() -> None:
    """A sender whose span has another id than it sent on: the request at that time with that path is the fetch's, and is counted once."""
    assert failing([PAGE, fetch(10, duration=300)], [span("a", NEVER_SENT, 10.6, 0.5)]) == [("fetch", "a")]
    failed = Signal(10_000, SignalKind.FETCH, page="/pay", path="/payments", method="POST", duration=600, trace_id=TRACE, span_id="fetch", status=502)
    found = with_backends("s-1", [PAGE, failed], {}, [span("a", NEVER_SENT, code="502")])
    assert [one for one in sorted(found) if one.went_wrong] == [failed]


@pytest.mark.parametrize(("after", "found"), [(1.0, []), (4.9, []), (6.5, [("a", "a")]), (-1.0, [("a", "a")])])
def test_the_same_answered_soon_after(after: float, found: list[tuple[str, str]]) -> None:
    """Nobody can tell whether the backend tried again or the customer did: within five seconds it hurt nobody."""
    assert failing([PAGE], [span("a", NEVER_SENT), span("b", NEVER_SENT, 10 + after, status=0)]) == found


def test_of_a_trace_of_many_only_what_is_named_counts() -> None:
    """Pages of other visits in the trace, or more spans than are looked at: what names no span of this visit may be anybody's."""
    other = span("p2", "", type="page_view", session_id="s-2", status=0)
    own = span("p1", "", type="page_view", session_id="s-1", status=0)
    assert failing([PAGE], [span("a", NEVER_SENT), own]) == [("a", "a")]
    assert failing([PAGE], [span("a", NEVER_SENT), own, other]) == []
    assert failing([PAGE, fetch(10)], [span("a", "fetch"), other]) == [("fetch", "a")]
    many = [span(f"m{n}", "e0", 900, status=0, called="GET /") for n in range(MOST_SPANS)]
    assert failing([PAGE], [span("a", NEVER_SENT), *many]) == []


def test_the_page_is_made_by_the_entry_above_it() -> None:
    """The page view names a span within the server; the entry above it decides, once, even where the circle closes."""
    rows = [span("e", ""), span("i", "e", kind=1, status=0)]
    assert failing([PAGE], rows, {"page": "i"}) == [("page", "e")]
    assert failing([PAGE], [{**rows[0], "status": 0}, {**rows[1], "status": 2}], {"page": "i"}) == []
    assert failing([PAGE], [span("x", "y"), span("y", "x")], {"page": "x"}) == []


def test_the_place_of_a_request_without_a_fetch() -> None:
    """The page shown last before it in the trace, at the backend's time; by a clock that is off the page's end."""
    later = Signal(60_000, SignalKind.PAGE_VIEW, page="/thanks", duration=100, trace_id=TRACE, span_id="page2")
    for at, page, moment in ((10, "/pay", 10_000), (70, "/thanks", 70_000), (-3600, "/pay", 500), (90_000, "/thanks", 60_100)):
        (one,) = [one for one in with_backends("s-1", [PAGE, later], {}, [span("a", NEVER_SENT, at)]) if one.backend_span]
        assert (one.page, one.at, one.kind) == (page, moment, SignalKind.FETCH)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"code": "503"}, "503 from POST /payments"),
        ({"old_code": "500", "path": "", "target": "/old?card=4111#x"}, "500 from POST /old"),
        ({"path": "", "called": "POST /named"}, "the backend failed at POST /named"),
        ({"path": "", "called": "shop.Cart/Add", "code": "500"}, "500 from shop.Cart/Add"),
        ({"path": "", "method": "", "called": "shop.Cart/Add"}, "the backend failed at shop.Cart/Add"),
        ({"code": "5e2"}, "the backend failed at POST /payments"),
        ({"code": "²³⁴"}, "the backend failed at POST /payments"),
    ],
)
def test_the_words(more: dict[str, Any], said: str) -> None:
    """As a browser would have said it; queries are left out, nonsense is no status."""
    (one,) = [one for one in with_backends("s-1", [PAGE], {}, [span("a", NEVER_SENT, **more)]) if one.backend_span]
    assert (one.failure_message, one.failure_kind, one.failed) == (said, "status", True)


def test_order_and_repetition_change_nothing() -> None:
    """Rows in any order and given twice yield the same."""
    rows = [span("a", "fetch", code="500"), span("b", NEVER_SENT, 30, path="/x"), span("c", "b", 30.1, kind=3)]
    signals = [PAGE, fetch(10)]
    once = with_backends("s-1", signals, {}, rows)
    assert with_backends("s-1", reversed(signals), {}, [*reversed(rows), *rows]) == once
    assert len([one for one in once if one.backend_span]) == 2
    assert with_backends("s-1", signals, {}, []) == set(signals)


def test_a_day_of_spans_is_bounded() -> None:
    """A span that claims to last for ever lasts no longer than the visit may."""
    (one,) = [one for one in with_backends("s-1", [PAGE], {}, [span("a", NEVER_SENT, took=1e9)]) if one.backend_span]
    assert one.ended <= PAGE.ended + timedelta(minutes=30) // timedelta(milliseconds=1)
