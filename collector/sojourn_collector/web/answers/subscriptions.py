"""Subscriptions as items of an answer."""

from collections.abc import Mapping
from typing import Any

from sojourn_collector.web.models_records import SubscriptionItem

Row = Mapping[str, Any]


def subscription_of(row: Row) -> SubscriptionItem:
    """A row of `subscriptions` as an item."""
    return SubscriptionItem(
        id=row["id"],
        source=row["source"],
        began=row["ts"],
        status=row["status"],
        monthly=row["monthly"],
        currency=row["currency"],
        interval=row["interval"],
        plan=row["plan"],
        renews_at=row["renews_at"],
        cancel_at=row["cancel_at"],
        ended_at=row["ended"],
        reason=row["reason"],
        comment=row["comment"],
        person_id=f"user:{row['user_id']}" if row["user_id"] else "",
        account_id=row["account_id"],
    )
