"""Everything of a visit on one axis: beacons, spans of backends, feedback, orders, tickets. Each kind of row has one way of being shown."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Literal

from sojourn_collector.web.answers.status import status_of
from sojourn_collector.web.format import count
from sojourn_collector.web.models_details import TimelineItem
from sojourn_probes import semconv
from sojourn_probes.addresses import origin_of

Tone = Literal["neutral", "good", "slow", "bad"]
Row = Mapping[str, Any]

SHOWN_FACTS = 12
POOR = ("poor",)
SERVER_KINDS = (2, 5)
"""Server and consumer: the spans where a service begins."""


def span_item(row: Row, session: str) -> TimelineItem | None:
    """A browser's span; None for a type that has no place on the axis."""
    attrs = row["attrs"]
    path = attrs.get(semconv.URL_PATH, "") or row["name"]
    status = attrs.get(semconv.HTTP_RESPONSE_STATUS_CODE, "")
    bad = row["status"] == 2 or (status_of(status) or 0) >= 500
    titles: Mapping[str, str] = {
        "page_view": path,
        "action": row["name"].removeprefix("action "),
        "fetch": f"{attrs.get(semconv.HTTP_REQUEST_METHOD, 'GET')} {_elsewhere(attrs)}{path}",
    }
    if row["type"] not in titles:
        return None
    kind: Any = row["type"]
    detail = status or (attrs.get(semconv.ERROR_TYPE, "") if bad else "")
    return TimelineItem(
        at=row["ts"],
        duration=row["duration_ns"] / 1e9,
        kind=kind,
        title=titles[row["type"]],
        detail=detail,
        tone="bad" if bad else "neutral",
        trace_id=row["trace"],
        span_id=row["span"],
        session_id=session,
        facts=_facts(attrs),
    )


def _elsewhere(attrs: Row) -> str:
    """The host of a request that went elsewhere than to the page's own origins."""
    if attrs.get(semconv.REQUEST_OWN, "") != "false":
        return ""
    return (origin_of(attrs.get(semconv.URL_FULL, "")) or "").partition("://")[2]


def backend_item(row: Row, session: str) -> TimelineItem | None:
    """A backend's span: where a service begins, or where something failed; the rest is in the trace."""
    bad = row["status"] == 2
    if not bad and row["kind"] not in SERVER_KINDS:
        return None
    return TimelineItem(
        at=row["ts"],
        duration=row["duration_ns"] / 1e9,
        kind="backend",
        title=f"{row['service']}: {row['name']}",
        detail=row["status_message"] or row["attrs"].get(semconv.HTTP_RESPONSE_STATUS_CODE, ""),
        tone="bad" if bad else "neutral",
        trace_id=row["trace"],
        span_id=row["span"],
        session_id=session,
        facts={"service": row["service"], **_facts(row["attrs"])},
    )


def _vital(attrs: Row) -> tuple[str, str, str, Tone]:
    name, value = attrs.get(semconv.WEB_VITAL_NAME, "").upper(), attrs.get(semconv.WEB_VITAL_VALUE, "")
    rating = attrs.get(semconv.WEB_VITAL_RATING, "")
    shown = value if name == "CLS" else f"{value} ms"
    return "web_vital", f"{name} {shown}", rating, "slow" if rating in POOR else "neutral"


def _exception(attrs: Row) -> tuple[str, str, str, Tone]:
    return "error", attrs.get(semconv.EXCEPTION_TYPE, "") or "script error", attrs.get(semconv.EXCEPTION_MESSAGE, ""), "bad"


def _conversion(attrs: Row) -> tuple[str, str, str, Tone]:
    worth = f"{attrs.get(semconv.CONVERSION_VALUE, '')} {attrs.get(semconv.CONVERSION_CURRENCY, '')}".strip()
    return "conversion", attrs.get(semconv.CONVERSION_NAME, "conversion"), worth, "good"


def _frustration(attrs: Row) -> tuple[str, str, str, Tone]:
    return "frustration", "clicked in vain", attrs.get(semconv.FRUSTRATION_TARGET, ""), "slow"


def _survey(attrs: Row) -> tuple[str, str, str, Tone]:
    scale = f"{attrs.get(semconv.SURVEY_VALUE, '?')} of {attrs.get(semconv.SURVEY_SCALE_MIN, '?')}–{attrs.get(semconv.SURVEY_SCALE_MAX, '?')}"
    return "survey", f"{attrs.get(semconv.SURVEY_KIND, 'survey')} {scale}", attrs.get(semconv.SURVEY_COMMENT, ""), "neutral"


def _custom(attrs: Row) -> tuple[str, str, str, Tone]:
    return "event", attrs.get(semconv.EVENT_CUSTOM_NAME, "event"), "", "neutral"


EVENTS: Mapping[str, Callable[[Row], tuple[str, str, str, Tone]]] = {
    semconv.EVENT_WEB_VITAL: _vital,
    semconv.EVENT_EXCEPTION: _exception,
    semconv.EVENT_CONVERSION: _conversion,
    semconv.EVENT_FRUSTRATION: _frustration,
    semconv.EVENT_SURVEY: _survey,
    semconv.EVENT_CUSTOM: _custom,
}
"""How each event of ours is shown."""


def event_item(row: Row, session: str) -> TimelineItem:
    """A log record of the visit; one of a name we do not know is shown by that name."""
    show = EVENTS.get(row["name"])
    kind, title, detail, tone = show(row["attrs"]) if show else ("event", row["name"] or "log", row["body"], "neutral")
    shown: Any = kind
    return TimelineItem(
        at=row["ts"],
        kind=shown,
        title=title,
        detail=detail,
        tone=tone,
        trace_id=row["trace_id"],
        span_id=row["span_id"],
        session_id=session,
        facts=_facts(row["attrs"]),
    )


def feedback_item(row: Row) -> TimelineItem:
    """A feedback record."""
    given = "" if row["value"] is None else f"{row['value']:g}" + ("" if row["scale_max"] is None else f" of {row['scale_min'] or 0:g}–{row['scale_max']:g}")
    tone: Tone = "neutral" if row["satisfied"] is None else "good" if row["satisfied"] else "bad"
    facts = {"source": row["source"], "link": row["join"]}
    return TimelineItem(
        at=row["ts"], kind="feedback", title=f"{row['kind']} {given}".strip(), detail=row["comment"], tone=tone, session_id=row["session_id"], facts=facts
    )


def order_item(row: Row) -> TimelineItem:
    """An order."""
    plain = row["status"] == "completed"
    facts = {"order": row["id"], "source": row["source"], "link": row["join"], "status": row["status"]}
    if row["probe"]:
        facts["probe"] = "not counted"
    abroad = row["rate_currency"] and row["rate_currency"] != row["currency"]
    converted = f" ({row['gross'] * row['rate']:,.2f} {row['rate_currency']} by the rate of its day)" if abroad else ""
    return TimelineItem(
        at=row["ts"],
        kind="order",
        title=f"order {row['gross']:,.2f} {row['currency']}{converted}",
        detail="" if plain else row["status"],
        tone="good" if plain else "neutral",
        trace_id=row["trace_id"],
        session_id=row["session_id"],
        facts=facts,
    )


def ticket_items(row: Row) -> list[TimelineItem]:
    """A ticket where it was opened, first answered and solved."""
    facts = {"ticket": row["id"], "source": row["source"], "link": row["join"], "status": row["status"]}
    facts |= {name: row[name] for name in ("priority", "channel") if row[name]}
    if row["reopens"]:
        facts["reopened"] = count(row["reopens"], "time")
    seen: list[tuple[datetime | None, str, Tone]] = [
        (row["ts"], "opened", "bad"),
        (row["first_reply_at"], "first answered", "neutral"),
        (row["solved_at"], "solved", "good"),
    ]
    return [
        TimelineItem(at=at, kind="ticket", title=title, detail=row["topic"], tone=tone, trace_id=row["trace_id"], session_id=row["session_id"], facts=facts)
        for at, title, tone in seen
        if at is not None
    ]


def subscription_items(row: Row) -> list[TimelineItem]:
    """A subscription where it began, and where it ended with why."""
    facts = {"subscription": row["id"], "source": row["source"], "status": row["status"]}
    facts |= {name: row[name] for name in ("plan", "interval", "reason") if row[name]}
    if not row["user_id"]:
        facts["of"] = f"the account {row['account_id']}"
    price = "" if row["monthly"] is None else f"{row['monthly']:,.2f} {row['currency']} a month"
    seen: list[tuple[datetime | None, str, str, Tone]] = [
        (row["ts"], "began", price, "good"),
        (row["ended"], "ended", ": ".join(part for part in (row["reason"].replace("_", " "), row["comment"]) if part), "bad"),
    ]
    return [
        TimelineItem(at=at, kind="subscription", title=f"subscription {title}", detail=detail, tone=tone, facts=facts)
        for at, title, detail, tone in seen
        if at is not None
    ]


def run_item(row: Row, name: str) -> TimelineItem:
    """A real run of a journey."""
    tones: Mapping[str, Tone] = {"finished": "good", "stopped": "bad"}
    words = {"finished": "finished", "gave_up": "gave up", "stopped": "was stopped"}
    return TimelineItem(
        at=row["started"],
        duration=max(0.0, (row["ended"] - row["started"]).total_seconds()),
        kind="run",
        title=name,
        detail=words.get(row["end"], "still trying"),
        tone=tones.get(row["end"], "neutral"),
        run_id=row["run_id"],
        session_id=row["session_id"],
        facts={"severity": f"{row['severity']:.2g}"},
    )


def _facts(attrs: Row) -> dict[str, str]:
    """The first attributes by name; the whole set is in the trace."""
    return {key: str(attrs[key])[:300] for key in sorted(attrs)[:SHOWN_FACTS]}
