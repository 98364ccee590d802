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


async def test_the_newest_runs_are_looked_for_no_further_back_than_they_lie(store: Store, tmp_path: Path) -> None:
    """Of a journey last walked ten hours ago a day is read, not the thirty of the report; the other, never walked, is looked for in all of them."""
    one = context_of(store, tmp_path)
    rows = Rows()
    for number in range(40):
        rows.probe(NOW - timedelta(hours=10, minutes=number))
    await rows.store(store)
    query, read = store.query, list[tuple[timedelta, list[str]]]()

    async def noted(name: str, /, **parameters: Any) -> list[dict[str, Any]]:
        if name == "probe_runs":
            read.append((parameters["until"] - parameters["since"], parameters["journeys"]))
        return await query(name, **parameters)

    store.query = noted  # type: ignore[method-assign]
    states = await probe_states(one, window_of(NOW, ZoneInfo("UTC"), NOW - timedelta(days=30), NOW))
    assert max(run.at for run in states["checkout"].runs) == NOW - timedelta(hours=10)
    assert len(states["checkout"].runs) == 30
    day, both, other = timedelta(days=1), ["checkout", "newsletter"], ["newsletter"]
    assert read == [(timedelta(hours=6), []), (day, both), (7 * day, other), (30 * day, other)]
    one.control.close()
