"""The newest run of each location: by the sums of whole days the same as from every run."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from sojourn_collector.config import ImpactConfig
from sojourn_collector.context import Context
from sojourn_collector.join.rollups import Rollups
from sojourn_collector.store.client import Store
from sojourn_collector.web.answers.probes import probe_states
from sojourn_collector.web.answers.window import window_of
from tests.collector.web.stage import NOW, Rows, context_of

KIRITIMATI = ZoneInfo("Pacific/Kiritimati")


@pytest.fixture
async def context(store: Store, tmp_path: Path) -> AsyncIterator[Context]:
    """A place that walks still, one that has only said nothing of the journey since three days, one that was last heard of just within a week."""
    one = context_of(store, tmp_path, impact=ImpactConfig(timezone=KIRITIMATI.key))
    rows = Rows()
    for hours in (0, 30, 80, 120):
        rows.probe(NOW - timedelta(hours=hours, seconds=30), location="eu")
    for hours in (75, 100):
        rows.probe(NOW - timedelta(hours=hours), "failed" if hours == 75 else "passed", location="us", message="502 from POST /payments")
    rows.probe(NOW - timedelta(hours=2), "inconclusive", location="us")
    rows.probe(NOW - timedelta(days=7) + timedelta(minutes=20), location="asia")
    await rows.store(store)
    yield one
    one.control.close()


async def test_sums_of_days_find_the_same_newest_runs(context: Context) -> None:
    """Before and after the days are summed up the same places are called silent; then only the days of their last runs are read, not the week."""
    window = window_of(NOW, KIRITIMATI)
    before = await probe_states(context, window)
    assert before["checkout"].hint == "nothing new from asia, us: is the agent there running? name the journey's locations: to leave one out"
    await Rollups(context.store, context.control, KIRITIMATI, 400, lambda: 1, context.clock).catch_up()
    query, read = context.store.query, timedelta()

    async def noted(name: str, /, **parameters: Any) -> list[dict[str, Any]]:
        nonlocal read
        if name == "probe_newest":
            read += parameters["until"] - parameters["since"]
        return await query(name, **parameters)

    context.store.query = noted  # type: ignore[method-assign]
    assert await probe_states(context, window) == before
    assert timedelta() < read < timedelta(days=4)
