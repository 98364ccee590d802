"""When each source of data was last heard of. What was never heard of comes with what to do."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

from sojourn_collector.web.answers.times import from_ms, known
from sojourn_collector.web.models import Freshness

Source = Literal["beacons", "probes", "backend", "feedback", "orders", "accounts", "people"]

HINTS: Mapping[Source, str] = {
    "beacons": 'put <script src="…/rum.js" data-app="…"></script> into your pages; the agent serves it',
    "probes": "run sojourn-agent with a journey in its folder; `sojourn init URL` writes a first one",
    "backend": "point your services' OTLP/HTTP exporter at the collector",
    "feedback": "POST survey answers to /api/v1/in/feedback with a key of `sojourn-collector key create`",
    "orders": "POST orders to /api/v1/in/orders; without them there is no money",
    "accounts": "POST accounts to /api/v1/in/accounts to see names and plans",
    "people": "POST people to /api/v1/in/people to see names instead of ids",
}
"""What to do about a source nobody has sent."""

STALE_AFTER: Mapping[Source, timedelta | None] = {
    "beacons": timedelta(minutes=15),
    "probes": timedelta(minutes=5),
    "backend": timedelta(minutes=15),
    "feedback": timedelta(days=7),
    "orders": timedelta(hours=1),
    "accounts": None,
    "people": None,
}
"""Age at which a source is stale; None = it changes so rarely that age says nothing."""

TRAFFIC: Mapping[Source, str] = {"beacons": "real", "probes": "synthetic", "backend": ""}
"""Which traffic a telemetry source shows as; spans of backends carry none."""


def freshness_of(
    telemetry: Sequence[Mapping[str, Any]],
    feedback: Mapping[str, Any],
    orders: Mapping[str, Any],
    masters: Sequence[Mapping[str, Any]],
    orders_watermark: datetime | None,
    now: datetime,
) -> list[Freshness]:
    """Every source once, in the order of the way of the data."""
    newest = {row["traffic"]: known(row["newest"]) for row in telemetry}
    last: dict[Source, datetime | None] = {source: newest.get(traffic) for source, traffic in TRAFFIC.items()}
    last["feedback"] = known(feedback["newest"]) if feedback["records"] else None
    moments = [at for at in (known(orders["newest"]) if orders["orders"] else None, orders_watermark) if at is not None]
    last["orders"] = max(moments, default=None)
    for row in masters:
        last["accounts" if row["source"] == "accounts" else "people"] = from_ms(min(row["newest"], 2**42)) if row["rows_kept"] else None
    return [_freshness(source, last.get(source), now) for source in HINTS]


def _freshness(source: Source, last: datetime | None, now: datetime) -> Freshness:
    if last is None:
        return Freshness(source=source, last=None, state="never", hint=HINTS[source])
    limit = STALE_AFTER[source]
    if limit is not None and now - last > limit:
        return Freshness(source=source, last=last, state="stale", hint=f"nothing new for more than {_span(limit)}")
    return Freshness(source=source, last=min(last, now), state="fresh")


def _span(limit: timedelta) -> str:
    hours, minutes = divmod(int(limit.total_seconds()) // 60, 60)
    return f"{minutes} min" if not hours else f"{hours} h" if hours < 48 else f"{hours // 24} days"
