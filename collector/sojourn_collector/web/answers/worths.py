"""What rows of the engine say somebody was worth before a moment."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sojourn_collector.score.value_impact import DAYS

MONTH = 30.0
"""Days of a month: what an account pays a month counts for as many of them as a worth is of."""

Row = Mapping[str, Any]


class KnownWorth(NamedTuple):
    """Net revenue (None: nothing is known), of how many days it is known, the segment, and the account where the worth is the account's."""

    revenue: float | None
    days: float
    segment: str
    account: str


def known_worth(worth: Row | None, currency: str, before: datetime, days: float = DAYS) -> KnownWorth:
    """Net revenue over `days` days before a moment: orders, else what the account pays a month.

    :param worth: a row of `worth_at_step` or `worth_in_journey`; None for somebody of whom nothing is known.
    """
    if worth is None:
        return KnownWorth(None, days, "", "")
    segment = worth["segment"] or worth["plan"] or ""
    if not worth["orders"] and worth["mrr"] is not None and worth["mrr_currency"] == currency:
        return KnownWorth(days / MONTH * worth["mrr"], days, segment, worth["account"])
    since = min((ms for ms in (worth["ordered_since"], worth["seen_since"]) if ms), default=None)
    known = 0.0 if since is None else min(days, max(0.0, before.timestamp() - since / 1000) / 86_400)
    return KnownWorth(float(worth["paid"] or 0.0), known, segment, "")


def told_of(worths: Mapping[str, Row], currency: str) -> Mapping[str, Row]:
    """Those of whom something is known. Where nobody at all has ordered no feed of orders is there: then of who has no price nothing is known, and not
    that they paid nothing."""
    if any(row["orders"] for row in worths.values()):
        return worths
    return {person: row for person, row in worths.items() if row["mrr_currency"] == currency}
