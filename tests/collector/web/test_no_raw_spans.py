"""The report of 30 days is made of what was worked out of spans and events, never of the spans and events themselves."""

import re
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from sojourn_collector.context import Context
from sojourn_collector.store.catalogue import Catalogue
from sojourn_collector.web.answers.breakdown import breakdown
from sojourn_collector.web.answers.cause import MOST_TRACES
from sojourn_collector.web.answers.experience_by import experience_by
from sojourn_collector.web.answers.history import history
from sojourn_collector.web.answers.impact import impact
from sojourn_collector.web.answers.journey import journey
from sojourn_collector.web.answers.journey_money import journey_money
from sojourn_collector.web.answers.satisfaction_by import satisfaction_by
from sojourn_collector.web.answers.tickets import tickets
from sojourn_collector.web.answers.window import Window, window_of
from tests.collector.web.stage import BROKE, NOW, broken_shop, minute

RAW = re.compile(r"\b(?:FROM|JOIN)\s+(spans|events|metrics_\w+|logs)\b")


@pytest.fixture
async def shop(context: Context) -> Window:
    """The broken shop with spans of its customers; the window is of 30 days."""
    rows = broken_shop()
    for number in range(41):
        at = BROKE + timedelta(seconds=2 * number)
        rows.span(at, "fetch POST /payments", f"{number + 1:032x}", "aa" * 8, service="shop", span_type="fetch", traffic="real", status=2)
        rows.span(at, "POST /payments", f"{number + 1:032x}", "bb" * 8, parent="aa" * 8, service="shop", kind=2, status=2)
    await rows.store(context.store)
    return window_of(NOW, ZoneInfo("UTC"), NOW - timedelta(days=30), NOW)


async def _all(context: Context, window: Window) -> list[dict[str, Any]]:
    """Everything a report says, without when telemetry was last heard of and which service single traces name."""
    told = [
        await impact(context, window),
        await journey(context, "checkout", window),
        await history(context, "checkout", since=window.since, until=window.until),
        await breakdown(context, "checkout", window),
        await satisfaction_by(context, window),
        await tickets(context, window),
        await experience_by(context, "checkout", window),
        await journey_money(context, "checkout", window),
    ]
    assert None not in told
    return [_bare(one.model_dump()) for one in told if one is not None]


def _bare(told: Any) -> Any:
    if isinstance(told, dict):
        return {key: _bare(value) for key, value in told.items() if key not in ("freshness", "service")}
    if isinstance(told, list):
        return [_bare(one) for one in told]
    return told.replace(" (service shop)", "") if isinstance(told, str) else told


async def test_what_is_asked_of_raw_tables(context: Context, shop: Window, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two questions only: what was heard of in the last ten minutes, and the failed spans of some traces within the problem's own time."""
    catalogue, asked = Catalogue(), list[tuple[str, dict[str, Any]]]()
    query = type(context.store).query

    async def noting(self: Any, name: str, /, **parameters: Any) -> Any:
        asked.append((name, parameters))
        return await query(self, name, **parameters)

    monkeypatch.setattr(type(context.store), "query", noting)
    await _all(context, shop)
    raw = [(name, parameters) for name, parameters in asked if RAW.search(catalogue.get(name).sql)]
    assert {name for name, _ in raw} == {"telemetry_seen", "cause_spans"}
    for name, parameters in raw:
        if name == "telemetry_seen":
            assert parameters["recent"] >= NOW - minute(10)
        else:
            assert 0 < len(parameters["traces"]) <= MOST_TRACES
            assert BROKE - minute(70) < parameters["since"] < BROKE < parameters["until"] <= NOW + minute(60)


async def test_the_same_without_spans(context: Context, shop: Window) -> None:
    """When spans and events are gone the report says the same to the last digit, but for the failing service, which traces name."""
    before = await _all(context, shop)
    assert before[0]["problems"][0]["people"]["hit"] == 41
    for table in ("spans", "events"):
        await context.store.statement(f"ALTER TABLE {table} DELETE WHERE tenant = '{context.store.tenant}' SETTINGS mutations_sync = 1")
    assert await context.store.rows(f"SELECT 1 FROM spans WHERE tenant = '{context.store.tenant}'") == []
    after = await _all(context, shop)
    assert [len(one) for one in after] == [len(one) for one in before]
    for was, now in zip(before, after, strict=True):
        assert {key: now[key] for key in now if now[key] != was[key]} == {}
