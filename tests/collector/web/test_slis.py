"""The figures of /metrics that are worked out: over a small shop on the real engine."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from sojourn_collector.context import Context
from sojourn_collector.counters import Counters
from sojourn_collector.exposition import Histogram, render
from sojourn_collector.impact_version import config_version
from sojourn_collector.join.run_counts import RunCounts
from sojourn_collector.store.client import EngineUnavailable, Store
from sojourn_collector.web import slis as module
from sojourn_collector.web.slis import Slis
from sojourn_probes import semconv
from tests.collector.web.stage import NOW, Rows, minute


def values(slis: Slis, name: str) -> dict[tuple[str, ...], float]:
    """A family's samples by the labels' values."""
    return {tuple(one.labels.values()): one.value for one in slis.samples() if one.name == name and not isinstance(one.value, Histogram)}


async def stage(context: Context) -> None:
    """Forty customers of the last hour, ten of them stopped; two anonymous visits, one hit; a probe that passed, then failed; an agent."""
    rows = Rows()
    for number in range(40):
        rows.customer(f"u{number}", NOW - minute(20), fails=number < 10, stopped=number < 10, done=number >= 10)
    rows.customer("early", NOW - minute(90), done=True)
    rows.customer("a", NOW - minute(5), fails=True, anonymous=True)
    rows.customer("b", NOW - minute(5), done=True, anonymous=True)
    rows.probe(NOW - minute(3))
    rows.probe(NOW - minute(1), "failed")
    await rows.store(context.store)
    spoke = {"name": semconv.AGENT_RSS, "ts": NOW - minute(2), "accepted": NOW, "location": "local", "value": 1.0}
    await context.store.insert("metrics", [spoke])


async def test_customers_impact_and_ages(context: Context):
    """People and visits of the last hour apart, impact with its interval, the newest runs and agents; journeys nobody tried stand at 0 customers."""
    await stage(context)
    slis = Slis(context, RunCounts(), Counters())
    await slis.refresh()
    assert values(slis, "sojourn_journey_customers_reached") == {("checkout",): 40}
    assert values(slis, "sojourn_journey_customers_hit") == {("checkout",): 10}
    assert values(slis, "sojourn_journey_visits_reached") == {("checkout",): 2}
    assert values(slis, "sojourn_journey_visits_hit") == {("checkout",): 1}
    assert values(slis, "sojourn_journey_impact_score")["checkout",] == pytest.approx(100 * 10 / 41)
    low, high = values(slis, "sojourn_journey_impact_low")["checkout",], values(slis, "sojourn_journey_impact_high")["checkout",]
    assert 0 < low < 100 * 10 / 41 < high < 100
    assert values(slis, "sojourn_impact_config_info") == {(config_version(context.impact),): 1}
    assert values(slis, "sojourn_journey_last_run_timestamp_seconds")["checkout", "synthetic", "local"] == (NOW - minute(1)).timestamp()
    assert values(slis, "sojourn_journey_last_good_timestamp_seconds")["checkout", "synthetic", "local"] == (NOW - minute(3)).timestamp()
    assert values(slis, "sojourn_journey_patience_seconds") == {("checkout", "local"): 90.0}
    assert values(slis, "sojourn_agent_last_seen_timestamp_seconds") == {("local",): (NOW - minute(2)).timestamp()}
    assert render(slis.samples(), open_metrics=True).endswith("# EOF\n")


async def test_a_journey_nobody_tries_has_no_customers(context: Context):
    """No customer in the last hour is 0 for a journey that has customers, nothing for one that has none; impact is absent, not 0."""
    slis = Slis(context, RunCounts(), Counters())
    await slis.refresh()
    assert values(slis, "sojourn_journey_customers_reached") == {("checkout",): 0}
    assert values(slis, "sojourn_journey_impact_score") == {}


async def test_old_figures_are_not_shown(context: Context):
    """While the engine is away the last figures stand for five minutes, then they are absent; when they were refreshed is said all the while."""
    moment = [NOW]
    clock: Callable[[], datetime] = lambda: moment[0]  # noqa: E731 - a clock that is moved
    slis = Slis(replace(context, clock=clock), RunCounts(), Counters())
    await slis.refresh()
    moment[0] = NOW + module.KEPT
    assert values(slis, "sojourn_journey_customers_hit")
    moment[0] += timedelta(seconds=1)
    assert values(slis, "sojourn_journey_customers_hit") == {}
    assert values(slis, "sojourn_slis_refreshed_timestamp_seconds") == {(): NOW.timestamp()}
    away = Slis(replace(context, store=Store(lambda: None)), RunCounts(), Counters())
    with pytest.raises(EngineUnavailable):
        await away.refresh()
    assert values(away, "sojourn_slis_refreshed_timestamp_seconds") == {}
