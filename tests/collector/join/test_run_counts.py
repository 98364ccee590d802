"""Runs as /metrics counts them, over the real join."""

from typing import Any

from sojourn_collector.exposition import Histogram, Sample
from sojourn_collector.join.run_counts import MOST, RunCounts
from sojourn_collector.join.worker import JoinWorker
from sojourn_collector.sources import normalise
from tests.collector.join.working import buys, probe_run, shopper
from tests.collector.join.world import World


def counting(world: World) -> RunCounts:
    """Counts that the world's worker feeds from now on, as in a new process."""
    counts = RunCounts()
    world.worker = JoinWorker(world.store, world.control, world.journeys, world.impact, world.loaded, normalise=normalise, clock=world.clock, counts=counts)
    return counts


def values(counts: RunCounts, name: str) -> dict[tuple[str, ...], float]:
    """What stands above 0, by the labels' values; of a histogram how many were observed."""
    found = {tuple(sample.labels.values()): number(sample) for sample in counts.samples() if sample.name == name}
    return {labels: value for labels, value in found.items() if value}


def number(sample: Sample) -> float:
    """A sample's value as a number."""
    return sum(sample.value.counts) if isinstance(sample.value, Histogram) else sample.value


async def test_a_customers_run_is_counted_once_when_it_is_over(world: World) -> None:
    """Being tried it counts nothing; settled it counts once, whatever else the session does later, and also for the process after a restart."""
    counts, b = counting(world), shopper(world, user_id="u1")
    spans, events = buys(b, "o-1")
    await world.load(spans[:2])
    await world.join()
    assert values(counts, "sojourn_journey_runs") == {}
    await world.load(spans[2:], events)
    await world.join()
    assert values(counts, "sojourn_journey_runs") == {("checkout", "real", "", "passed"): 1}
    assert values(counts, "sojourn_journey_ends") == {("checkout", "finished"): 1}
    assert values(counts, "sojourn_journey_run_duration_seconds") == {("checkout", "real", ""): 1}
    restarted = counting(world)
    await world.load([b.page(40, "/elsewhere")])
    await world.join()
    assert values(counts, "sojourn_journey_runs") == {("checkout", "real", "", "passed"): 1}
    assert values(restarted, "sojourn_journey_runs") == {}


async def test_a_probes_run_is_counted_with_its_steps_and_shown_by_its_trace(world: World) -> None:
    """A failed run has an exemplar and no duration; every attempt at a step counts; joined again it counts no second time."""
    counts = counting(world)
    spans = probe_run(world, "run-1", "failed")
    await world.load(spans)
    await world.join()
    await world.load(spans[:1])
    await world.join()
    assert values(counts, "sojourn_journey_runs") == {("checkout", "synthetic", "eu", "failed"): 1}
    assert values(counts, "sojourn_journey_run_duration_seconds") == {}
    steps = values(counts, "sojourn_journey_steps")
    assert steps["checkout", "synthetic", "pay", "failed"] == 2
    (failed,) = [sample for sample in counts.samples() if sample.name == "sojourn_journey_runs" and sample.labels["outcome"] == "failed"]
    assert failed.exemplar is not None
    assert failed.exemplar.labels == {"trace_id": b"0123456789abcdef".hex()}
    assert ("checkout", "synthetic", "eu") in values(counts, "sojourn_journey_last_run_timestamp_seconds")
    assert values(counts, "sojourn_journey_last_good_timestamp_seconds") == {}
    assert counts.probed() == [("checkout", "eu")]


def run(journey: str, number: int, **more: Any) -> dict[str, Any]:
    """A row of a synthetic run."""
    row = {"run_id": f"r{number}", "traffic": "synthetic", "journey": journey, "location": "eu", "outcome": "passed", "started": 1000, "ended": 2500}
    return {**row, "settled": True, "trace_ids": [], **more}


def test_names_without_end_are_counted_together() -> None:
    """Telemetry may invent any number of journeys; beyond the bound they are one, `other`, and none of their runs is lost from the count."""
    counts = RunCounts()
    counts.scripted([run(f"j{number}", number) for number in range(MOST + 5)], [])
    found = values(counts, "sojourn_journey_runs")
    assert len(found) == MOST + 1
    assert found["other", "synthetic", "other", "passed"] == 5


def test_hostile_rows_count_as_inconclusive_and_show_nothing() -> None:
    """An outcome or a traffic that is none, a run that ends before it starts, a trace id that is none: counted, not shown."""
    counts = RunCounts()
    counts.scripted([run("j", 1, outcome="great", traffic="x", ended=0), run("j", 2, ended=0, trace_ids=["<script>"])], [])
    assert values(counts, "sojourn_journey_runs") == {("j", "other", "eu", "inconclusive"): 1, ("j", "synthetic", "eu", "passed"): 1}
    (took,) = [sample.value for sample in counts.samples() if sample.name.endswith("run_duration_seconds") and sample.labels["traffic"] == "synthetic"]
    assert isinstance(took, Histogram)
    assert (took.counts[0], took.total, took.exemplars) == (1, 0.0, {})


def test_a_certificate_is_known_from_its_expectation() -> None:
    """`tls.expires_in` says when the certificate runs out, in whatever unit; what was not measured says nothing."""
    counts = RunCounts()
    for step, actual in (("home", "13.5 d"), ("pay", "90.0 m"), ("cart", "not measured")):
        attrs = {"sojourn.expectation.text": "tls.expires_in > 14d", "sojourn.expectation.actual": actual}
        span = {"span_type": "step", "journey": "j", "step": step, "ts": 1000, "events_name": ["sojourn.expectation"], "events_attrs": [attrs]}
        counts.certificates([span])
    assert values(counts, "sojourn_journey_certificate_expiry_timestamp_seconds") == {("j", "home"): 1 + 13.5 * 86400, ("j", "pay"): 5401}
