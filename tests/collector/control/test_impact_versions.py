"""Versions of impact.yaml in a control database of each kind."""

from datetime import UTC, datetime, timedelta

from sojourn_collector.store.control import Control
from sojourn_collector.store.control.impact_versions import ImpactVersion

AT = datetime(2026, 3, 1, 8, tzinfo=UTC)


async def test_a_version_is_written_down_when_it_is_another_than_before(control: Control) -> None:
    """A start with the same writes nothing; one that comes back is there twice; the oldest comes first; another tenant's are its own."""
    hour = timedelta(hours=1)
    assert await control.impact_versions.remember("aaa", {"severities.left": 0.8, "cart_bands": [25.0]}, AT)
    assert not await control.impact_versions.remember("aaa", {"severities.left": 0.8, "cart_bands": [25.0]}, AT + hour)
    assert await control.impact_versions.remember("bbb", {"severities.left": 0.6}, AT + 2 * hour)
    assert await control.impact_versions.remember("aaa", {"severities.left": 0.8}, AT + 3 * hour)
    assert await control.impact_versions.list() == [
        ImpactVersion("aaa", AT, {"severities.left": 0.8, "cart_bands": [25.0]}),
        ImpactVersion("bbb", AT + 2 * hour, {"severities.left": 0.6}),
        ImpactVersion("aaa", AT + 3 * hour, {"severities.left": 0.8}),
    ]
    assert await control.impact_versions.list(tenant="other") == []
