"""How pulled feeds stand, on both kinds of database."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sojourn_collector.store.control import Control
from sojourn_collector.store.control.feeds import FeedState

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


async def test_a_state_is_kept_as_it_is(control: Control) -> None:
    """One that was never asked is empty; what is put is read again, whole; a later one takes its place; tenants are apart."""
    assert await control.feeds.get("forum") == FeedState("forum")
    state = FeedState("forum", NOW, NOW - timedelta(hours=1), NOW + timedelta(minutes=15), 2, 10, 3, "away", {"ab": {"etag": '"1"'}})
    await control.feeds.put(state)
    assert await control.feeds.get("forum") == state
    newer = replace(state, failures=0, error="", answered_at=NOW)
    await control.feeds.put(newer)
    await control.feeds.put(FeedState("forum"), tenant="other")
    assert await control.feeds.list() == {"forum": newer}
