"""The host's truth: what it measured decides whether a run counts."""

import asyncio
import time

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from sojourn_agent.config import HostSettings
from sojourn_agent.host import HostWatch, Strain, distrust, over_budget
from sojourn_agent.host_metrics import encode_gauges
from sojourn_agent.telemetry import resource
from sojourn_probes.semconv import AGENT_CLOCK_OFFSET, AGENT_CPU, FailureKind, Outcome
from tests.agent.runs import run_result

BUDGET = HostSettings.model_validate({"loop_lag": "500ms", "cpu": 0.9})


def test_a_host_within_its_budget_is_trusted():
    """Also when the CPU could not be measured."""
    assert over_budget(Strain(0.4, 0.9), BUDGET) is None
    assert over_budget(Strain(0.4, None), BUDGET) is None
    assert over_budget(Strain(0.4, 1.0), HostSettings.model_validate({})) is None


def test_a_starved_host_is_told_in_a_sentence():
    """Which budget, and how far over it."""
    assert over_budget(Strain(0.8, 0.5), BUDGET) == "the agent itself was 800 ms late during this run (budget 500 ms); the host is starved"
    assert over_budget(Strain(0.1, 0.97), BUDGET) == "97% of the host's CPU was busy during this run (budget 90%); the host is starved"


def test_a_run_on_a_starved_host_is_inconclusive_and_says_what_it_was():
    """Outcome and failure change; the steps stay as they were measured."""
    result = run_result()
    doubted = distrust(result, "the host is starved")
    assert (doubted.outcome, doubted.flaky, doubted.attempts) == (Outcome.INCONCLUSIVE, False, result.attempts)
    assert doubted.failure is not None
    assert (doubted.failure.kind, doubted.failure.step) == (FailureKind.AGENT, "pay")
    assert doubted.failure.message == "the host is starved; without that: failed, expected status == 200, got 502"


async def test_a_blocked_loop_is_seen():
    """Blocking the loop for 0.3 s shows as lag of that order, since then and not before."""
    watch = HostWatch()
    watching = asyncio.create_task(watch.run())
    await asyncio.sleep(0.15)
    before = time.monotonic()
    time.sleep(0.3)  # the fault this test is about
    async with asyncio.timeout(10):
        while not watch.strain(before).loop_lag:
            await asyncio.sleep(0.01)
    assert watch.strain(before).loop_lag > 0.15
    assert watch.strain(time.monotonic() + 60).loop_lag == 0
    assert watch.rss > 1 << 20
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)


def test_the_gauges_are_one_batch_of_metrics():
    """Each value a gauge with its unit; one that is not known is left out."""
    body = encode_gauges({AGENT_CPU: 0.25, AGENT_CLOCK_OFFSET: None}, resource("eu", "1"), "1", 123)
    [metric] = ExportMetricsServiceRequest.FromString(body).resource_metrics[0].scope_metrics[0].metrics
    assert (metric.name, metric.unit, metric.gauge.data_points[0].as_double, metric.gauge.data_points[0].time_unix_nano) == (
        "sojourn.agent.cpu",
        "1",
        0.25,
        123,
    )
