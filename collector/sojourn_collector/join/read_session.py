"""From stored spans and events to one session: its signals, who it was, and its row in the table `sessions`."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sojourn_collector.join.backend_said import with_backends
from sojourn_collector.join.signals import Signal, SignalKind
from sojourn_collector.join.visit_facts import visit_facts
from sojourn_collector.join.whose import asked_origin, is_echo, is_foreign, page_origins
from sojourn_probes import semconv

MOST_TRACES = 2000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_KINDS = {"page_view": SignalKind.PAGE_VIEW, "fetch": SignalKind.FETCH, "action": SignalKind.ACTION}
_EVENTS = {
    semconv.EVENT_EXCEPTION: SignalKind.EXCEPTION,
    semconv.EVENT_CONVERSION: SignalKind.CONVERSION,
    semconv.EVENT_CUSTOM: SignalKind.EVENT,
    semconv.EVENT_WEB_VITAL: SignalKind.VITAL,
}
_NAMES = {
    SignalKind.EXCEPTION: semconv.EXCEPTION_TYPE,
    SignalKind.CONVERSION: semconv.CONVERSION_NAME,
    SignalKind.EVENT: semconv.EVENT_CUSTOM_NAME,
    SignalKind.VITAL: semconv.WEB_VITAL_NAME,
}


@dataclass(frozen=True, slots=True)
class Person:
    """Whose session it was: `user:<id>`, else `visitor:<id>`, else `visit:<session id>`."""

    id: str
    kind: str
    user_id: str
    visitor_id: str
    account_id: str


@dataclass(frozen=True, slots=True)
class Session:
    """One whole session as stored so far."""

    id: str
    person: Person
    app: str
    consent: str
    traffic: str
    run_id: str
    device: str
    browser: str
    release: str
    sample_rate: float
    facts: Mapping[str, str]
    signals: tuple[Signal, ...]
    order_ids: tuple[str, ...]
    surveys: tuple[Mapping[str, Any], ...]

    @property
    def started(self) -> int:
        """Milliseconds since the epoch of the first signal."""
        return self.signals[0].at

    @property
    def ended(self) -> int:
        """Milliseconds since the epoch of the end of the last signal."""
        return max(signal.ended for signal in self.signals)

    def row(self, version: int) -> dict[str, Any]:
        """The row of the table `sessions`."""
        return {
            "session_id": self.id,
            "version": version,
            "person_id": self.person.id,
            "person_kind": self.person.kind,
            "user_id": self.person.user_id,
            "visitor_id": self.person.visitor_id,
            "account_id": self.person.account_id,
            "app": self.app,
            "consent": self.consent,
            "traffic": self.traffic,
            "run_id": self.run_id,
            "device": self.device,
            "browser": self.browser,
            "release": self.release,
            "sample_rate": self.sample_rate,
            "facts": dict(self.facts),
            "started": self.started,
            "ended": self.ended,
            "pages": sum(signal.kind is SignalKind.PAGE_VIEW for signal in self.signals),
            "errors": sum(signal.went_wrong for signal in self.signals),
            "trace_ids": list(dict.fromkeys(signal.trace_id for signal in self.signals if signal.trace_id))[:MOST_TRACES],
            "order_ids": list(self.order_ids),
        }


def read_session(
    session_id: str, rows: Sequence[Mapping[str, Any]], attributes: Iterable[str] = (), backends: Iterable[Mapping[str, Any]] = ()
) -> Session | None:
    """The session behind these rows of spans and events, in any order; None when there are none. Of `attributes` the newest values become facts.

    `backends` are rows of `join_backend_spans` of its traces that a backend failed in.

    Somebody who signs in midway had the whole session: the newest user wins over none, and over another.
    One signal with a verified probe mark makes it synthetic.
    """
    if not rows:
        return None
    ordered = sorted(rows, key=lambda row: row["ts"])
    synthetic = any(row["traffic"] == semconv.Traffic.SYNTHETIC for row in ordered)
    surveys = [row for row in ordered if row["name"] == semconv.EVENT_SURVEY]
    pages = page_origins(ordered)
    signals = {_signal(row, pages) for row in ordered}
    said = with_backends(session_id, signals, {row["span_id"]: row.get("parent_id", "") for row in ordered if row["kind"] == "page_view"}, backends)
    orders = dict.fromkeys(row["attrs"].get(semconv.ORDER_ID, "") for row in ordered if row["name"] == semconv.EVENT_CONVERSION)
    return Session(
        id=session_id,
        person=_person(session_id, ordered),
        app=_last(row["app"] for row in ordered),
        consent=_last(_attribute(row, semconv.CONSENT) for row in ordered) or semconv.Consent.UNKNOWN,
        traffic=semconv.Traffic.SYNTHETIC if synthetic else semconv.Traffic.REAL,
        run_id=_last(row["run_id"] for row in ordered) if synthetic else "",
        device=_last(_attribute(row, semconv.DEVICE) for row in ordered),
        browser=_last(_attribute(row, semconv.BROWSER) for row in ordered),
        release=_last(_attribute(row, semconv.SERVICE_VERSION) for row in ordered),
        sample_rate=_rate(_last(_attribute(row, semconv.SAMPLE_RATE) for row in ordered)),
        facts=visit_facts(ordered, attributes),
        signals=tuple(sorted(said)),
        order_ids=tuple(id_ for id_ in orders if id_),
        surveys=tuple({(row["ts"], row["attrs"].get(semconv.SURVEY_ID, "")): row for row in surveys}.values()),
    )


def _person(session_id: str, ordered: Sequence[Mapping[str, Any]]) -> Person:
    user, visitor = _last(row["user_id"] for row in ordered), _last(row["visitor_id"] for row in ordered)
    account = _last(row["account_id"] for row in ordered)
    if user:
        return Person(f"user:{user}", "user", user, visitor, account)
    if visitor:
        return Person(f"visitor:{visitor}", "visitor", "", visitor, account)
    return Person(f"visit:{session_id}", "visit", "", "", account)


def _signal(row: Mapping[str, Any], pages: frozenset[str]) -> Signal:
    attrs: Mapping[str, str] = row["attrs"]
    origin = asked_origin(row)
    kind = _KINDS[row["kind"]] if row["kind"] in _KINDS else _EVENTS.get(row["name"], SignalKind.OTHER)
    asked = attrs.get(semconv.URL_PATH, "")  # of a fetch what it asked for; its page is apart
    return Signal(
        at=milliseconds(row["ts"]),
        kind=kind,
        page=attrs.get(semconv.PAGE_PATH, "") or ("" if kind is SignalKind.FETCH else asked),
        name=_name(kind, attrs),
        duration=int(row["duration"]),
        trace_id=row["trace_id"],
        span_id=row["span_id"],
        method=attrs.get(semconv.HTTP_REQUEST_METHOD, ""),
        path=asked if kind is SignalKind.FETCH else "",
        status=_status(attrs.get(semconv.HTTP_RESPONSE_STATUS_CODE, "")),
        error=attrs.get(semconv.ERROR_TYPE, ""),
        message=attrs.get(semconv.EXCEPTION_MESSAGE, "")[:500],
        value=_number(attrs.get(semconv.WEB_VITAL_VALUE, ""), 0.0),
        cart_value=_number(attrs.get(semconv.CART_VALUE, ""), -1.0),
        cart_currency=attrs.get(semconv.CART_CURRENCY, ""),
        origin="" if origin in pages else origin,
        foreign=is_foreign(row, origin, pages),
        echo=kind is SignalKind.EXCEPTION and is_echo(attrs.get(semconv.EXCEPTION_MESSAGE, "")),
    )


def _name(kind: SignalKind, attrs: Mapping[str, str]) -> str:
    name = attrs.get(_NAMES.get(kind, ""), "")
    return name.lower() if kind is SignalKind.VITAL else name


def _status(text: str) -> int:
    status = _number(text, 0.0)
    return int(status) if 100 <= status <= 999 else 0


def milliseconds(moment: datetime) -> int:
    """Whole milliseconds since the epoch."""
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def _attribute(row: Mapping[str, Any], name: str) -> str:
    return str(row["attrs"].get(name, "") or row["res"].get(name, ""))


def _last(values: Iterable[str]) -> str:
    found = ""
    for value in values:
        found = value or found
    return found


def _rate(text: str) -> float:
    rate = _number(text, 1.0)
    return rate if 0 < rate <= 1 else 1.0


def _number(text: str, otherwise: float) -> float:
    """A sender's number; nonsense and infinities are none."""
    try:
        number = float(text)
    except ValueError:
        return otherwise
    return number if abs(number) < 1e15 else otherwise
