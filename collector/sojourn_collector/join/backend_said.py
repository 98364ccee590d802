"""What backends' own spans say of a visit's requests: a failure that the browser did not see is put where the browser asked. Pure.

The span by which a request entered the backends decides, never one further in: what failed there and was tried again hurt nobody. Where it cannot be told
whether a span is an entry, it does not count. Reasons: docs/decisions/0023-what-backends-say-of-a-visit.md.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sojourn_collector.join.signals import Signal, SignalKind

MOST_SPANS: Final = 500
"""Spans of one trace that are looked at."""

SKEW: Final = 1_000
"""Milliseconds by which clocks of machines may differ when one span is held to lie within another."""
AGAIN: Final = 5_000
"""Milliseconds within which a request of which the asking is not known counts as tried again by whoever asked."""
LINGER: Final = 1_800_000
"""Milliseconds after a visit's last sign of life within which a backend's clock is believed."""

_INTERNAL, _SERVER, _CLIENT = 1, 2, 3
_REQUESTS: Final = frozenset((0, _INTERNAL, _SERVER, _CLIENT))
"""Kinds that may stand for a request of a browser when they are right below its span. Work by way of queues answers nobody."""
_FAILED: Final = 2
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NONE: Final = "0" * 16


@dataclass(frozen=True, slots=True)
class BackendSpan:
    """A backend's span. Times are milliseconds since the epoch by its own clock; `code` 0 = it says no status."""

    span: str
    parent: str
    service: str
    name: str
    kind: int
    status: int
    code: int
    at: int
    ended: int
    method: str
    path: str

    @property
    def failed(self) -> bool:
        """Whether the backend itself calls it a failure of its own; an answer of 4xx is not, whatever the span's status."""
        return self.status == _FAILED and not 400 <= self.code < 500

    def within(self, at: int, ended: int) -> bool:
        """Whether it may have been a part of what lasted from `at` to `ended`."""
        return self.ended - self.at <= ended - at and at - SKEW <= self.at and self.ended <= ended + SKEW


def with_backends(session_id: str, signals: Iterable[Signal], opened: Mapping[str, str], rows: Iterable[Mapping[str, Any]]) -> set[Signal]:
    """The signals of a visit, those that a backend says it failed at marked, and such failures of requests that the browser told nothing of.

    :param opened: by the span of each page view the span it was opened by, as a page says that its server made.
    :param rows: of `join_backend_spans`, whole traces.
    """
    found = set(signals)
    traces: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        traces[row["trace"]].append(row)
    if not traces:
        return found
    mine: dict[str, list[Signal]] = defaultdict(list)
    for signal in sorted(found):
        mine[signal.trace_id].append(signal)
    until = max(signal.ended for signal in found) + LINGER
    for trace, group in traces.items():
        if mine[trace]:
            spans = {span.span: span for row in group if not row["type"] for span in (_span(row),)}
            # Of a trace that was cut nobody can tell whose it is beside.
            others = len(group) >= MOST_SPANS or any(row["session_id"] not in ("", session_id) and row["type"] for row in group)
            for old, new in _Trace(mine[trace], spans, opened, others=others, until=until).failures():
                found.discard(old)
                found.add(new)
    return found


class _Trace:
    """One trace of a visit. `others`: pages of other visits are in it too, as where a page made once is handed to many."""

    def __init__(self, signals: Sequence[Signal], spans: Mapping[str, BackendSpan], opened: Mapping[str, str], *, others: bool, until: int) -> None:
        self._spans = spans
        self._others = others
        self._until = until
        self._pages = [signal for signal in signals if signal.kind is SignalKind.PAGE_VIEW]
        self._fetches = [signal for signal in signals if signal.kind is SignalKind.FETCH]
        self._shown = [signal for signal in signals if signal.kind is not SignalKind.FETCH] or self._fetches
        self._at_pages = {signal.span_id: signal for signal in signals if signal.span_id and signal.kind in (SignalKind.PAGE_VIEW, SignalKind.ACTION)}
        self._entries = [span for span in spans.values() if span.parent not in spans]
        self._under: dict[str, list[BackendSpan]] = defaultdict(list)
        for entry in self._entries:
            self._under[entry.parent].append(entry)
        self._made = {page.span_id: self._top(opened.get(page.span_id, "")) for page in self._pages}

    def failures(self) -> Iterable[tuple[Signal, Signal]]:
        """Each failing signal as it was and as it is."""
        used: set[str] = set()
        for page in self._pages:
            entry = self._made[page.span_id]
            if entry is not None:
                used.add(entry.span)
                if entry.failed:
                    yield from _marked(page, entry)
        asked: dict[Signal, list[BackendSpan]] = defaultdict(list)
        for fetch in self._fetches:
            asked[fetch] += [entry for entry in self._under[fetch.span_id] if entry.kind in _REQUESTS]
            used |= {entry.span for entry in self._under[fetch.span_id]}
        loose = [entry for entry in self._entries if entry.span not in used]
        for entry in loose:
            # The browser's span has another id than it sent on.
            if not self._others and entry.kind == _SERVER and entry.parent not in self._at_pages and (same := self._same(entry)) is not None:
                asked[same].append(entry)
                used.add(entry.span)
        for fetch, entries in asked.items():
            # A gateway that tells nothing of itself may have tried again: its last try is what came back.
            last = max(entries, key=lambda entry: (entry.ended, entry.at, entry.span), default=None)
            if last is not None and last.failed:
                yield from _marked(fetch, last)
        for entry in loose:
            if entry.span not in used and entry.failed and self._counts(entry, asked):
                lost = self._lost(entry)
                yield lost, lost

    def _top(self, span_id: str) -> BackendSpan | None:
        """The entry above a span; none where the parents go round in a circle."""
        span, seen = self._spans.get(span_id), set()
        while span is not None and span.parent in self._spans:
            if span.span in seen:
                return None
            seen.add(span.span)
            span = self._spans[span.parent]
        return span

    def _same(self, entry: BackendSpan) -> Signal | None:
        """The fetch that asked for the same at that time and of which no backend told yet."""
        fitting = [
            fetch
            for fetch in self._fetches
            if not self._under[fetch.span_id] and entry.path and fetch.path == entry.path and fetch.method in ("", entry.method)
            if entry.within(fetch.at, fetch.ended) or abs(entry.at - fetch.at) <= SKEW
        ]
        return min(fitting, key=lambda fetch: abs(fetch.at - entry.at), default=None)

    def _counts(self, entry: BackendSpan, asked: Mapping[Signal, Sequence[BackendSpan]]) -> bool:
        """Whether a failed span, below no fetch of the visit, is surely one of its requests and not a part of one."""
        if any(self._repeats(entry, other) for other in self._entries):
            return False
        if entry.parent in self._at_pages:
            return entry.kind in _REQUESTS
        if entry.kind != _SERVER or self._others:
            return False
        if any(other.service != entry.service and other.kind == _SERVER and entry.within(other.at, other.ended) for other in self._entries):
            return False
        return not any(not asked[fetch] and entry.within(fetch.at, fetch.ended) for fetch in self._fetches)

    @staticmethod
    def _repeats(entry: BackendSpan, other: BackendSpan) -> bool:
        """Whether `other` is the same, tried again soon and answered."""
        return (other.service, other.name) == (entry.service, entry.name) and not other.failed and 0 <= other.at - entry.at <= AGAIN + entry.ended - entry.at

    def _place(self, entry: BackendSpan) -> Signal:
        """The browser's span that the request belongs to: the one it names, else what was shown last before it."""
        if entry.parent in self._at_pages:
            return self._at_pages[entry.parent]
        before = [signal for signal in self._shown if signal.at <= entry.at]
        return max(before or self._shown[:1], key=lambda signal: signal.at)

    def _lost(self, entry: BackendSpan) -> Signal:
        """The request that the browser told nothing of, at its time by the backend's clock if that makes sense in this visit."""
        place = self._place(entry)
        at = entry.at if place.at <= entry.at <= self._until else place.ended
        return Signal(
            at,
            SignalKind.FETCH,
            page=place.page,
            duration=min(max(0, entry.ended - entry.at), max(0, self._until - at)),
            trace_id=place.trace_id,
            span_id=entry.span,
            method=entry.method,
            path=entry.path or entry.name[:500],
            status=entry.code if entry.code >= 500 else 0,
            backend_span=entry.span,
        )


def _marked(signal: Signal, entry: BackendSpan) -> Iterable[tuple[Signal, Signal]]:
    """The signal as the backend's failure makes it. What the browser saw fail is counted already; what it called off or heard a 4xx of is no failure."""
    if signal.went_wrong or signal.error == "abort" or 400 <= signal.status < 500:
        return
    marked = replace(signal, backend_span=entry.span, status=entry.code if entry.code >= 500 else signal.status)
    if signal.kind is SignalKind.FETCH:
        marked = replace(marked, method=marked.method or entry.method, path=marked.path or entry.path)
    yield signal, marked


def _span(row: Mapping[str, Any]) -> BackendSpan:
    method, path = _asked(row)
    at = (row["ts"] - _EPOCH) // timedelta(milliseconds=1)
    return BackendSpan(
        span=row["span"],
        parent=row["parent"] if row["parent"] != _NONE else "",
        service=row["of_service"],
        name=row["called"],
        kind=row["kind"],
        status=row["status"],
        code=_code(row["code"] or row["old_code"]),
        at=at,
        ended=at + min(int(row["duration"]), 86_400_000),
        method=method,
        path=path,
    )


def _asked(row: Mapping[str, Any]) -> tuple[str, str]:
    """Method and path as the span says, else as its name does: `POST /payments`. A query is nobody's business."""
    method, path = str(row["method"] or row["old_method"]), str(row["path"] or row["target"])
    first, _, rest = str(row["called"]).partition(" ")
    if not path and rest.startswith("/") and first.isalpha():
        method, path = method or first, rest
    return method.upper()[:16], path.partition("?")[0].partition("#")[0][:500]


def _code(text: str) -> int:
    return int(text) if len(text) == 3 and text.isascii() and text.isdigit() else 0
