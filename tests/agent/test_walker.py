"""One run for the scheduler: walked, doubted when the host was starved, kept even when the spool takes its time."""

import asyncio
from pathlib import Path
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from sojourn_agent.config import HostSettings
from sojourn_agent.host import HostWatch, Strain
from sojourn_agent.spool_memory import MemorySpool
from sojourn_agent.telemetry import resource
from sojourn_agent.walker import Walker
from sojourn_probes.journey import Journey
from sojourn_probes.secrets import SecretStore
from tests.processes import free_port


class Starved(HostWatch):
    """A host that was late by as much as it is told."""

    def __init__(self, lag: float) -> None:
        super().__init__()
        self.lag = lag

    def strain(self, since: float) -> Strain:
        """Always that."""
        return Strain(self.lag, None)


def walker(spool: MemorySpool, folder: Path, host: HostWatch | None = None) -> Walker:
    """A walker of location `here`."""
    return Walker(
        location="here",
        environ={},
        secrets=lambda: SecretStore({}),
        mark=None,
        spool=spool,
        host=host or HostWatch(),
        budget=HostSettings.model_validate({}),
        described=resource("here", "1"),
        version="1",
        evidence=folder,
    )


def journey() -> Journey:
    """A journey to a port where nobody listens."""
    return Journey.model_validate({"id": "a", "timeout": "5s", "steps": [{"id": "s", "http": {"url": f"http://127.0.0.1:{free_port()}/"}}]})


def root_of(body: bytes) -> dict[str, Any]:
    """Attributes of the root span."""
    span = ExportTraceServiceRequest.FromString(body).resource_spans[0].scope_spans[0].spans[0]
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in span.attributes}


async def test_a_run_becomes_one_batch_of_traces(tmp_path):
    """One append; /runs and the counters know it, with how late it began."""
    spool = MemorySpool()
    made = walker(spool, tmp_path)
    await made.walk(journey(), 1.5)
    [body] = spool.of("traces")
    assert root_of(body)["sojourn.run.outcome"] == "failed"
    assert made.outcomes == {("a", "failed"): 1}
    assert (made.newest[0]["outcome"], made.newest[0]["late_by"], made.newest[0]["failure"]["kind"]) == ("failed", 1.5, "connect")


async def test_a_run_on_a_starved_host_accuses_nobody(tmp_path):
    """It leaves as inconclusive, with the agent as the kind of failure."""
    spool = MemorySpool()
    await walker(spool, tmp_path, Starved(3.0)).walk(journey(), 0)
    root = root_of(spool.of("traces")[0])
    assert (root["sojourn.run.outcome"], root["sojourn.failure.kind"]) == ("inconclusive", "agent")
    assert root["sojourn.failure.message"].startswith(
        "the agent itself was 3.00 s late during this run (budget 2.00 s); the host is starved; without that: failed, "
    )


async def test_a_result_waits_for_a_spool_that_takes_nothing(tmp_path):
    """While the disk is full the result is kept in memory and put in when there is room."""
    spool = MemorySpool(unavailable="the disk is full")
    made = walker(spool, tmp_path)
    walking = asyncio.create_task(made.walk(journey(), 0))
    async with asyncio.timeout(20):
        while not made.newest:
            await asyncio.sleep(0.01)
    assert spool.batches == []
    spool.unavailable = ""
    await walking
    assert len(spool.of("traces")) == 1
    assert made.lost == 0


async def test_a_journey_in_maintenance_is_skipped_and_says_so(tmp_path):
    """Nothing is asked of the site; the run is kept, so that silence is not taken for a dead agent."""
    spool = MemorySpool()
    walking = walker(spool, tmp_path)
    down = Journey.model_validate(
        {
            "id": "a",
            "labels": {"tier": "gold"},
            "maintenance": [{"cron": "* * * * *", "for": "60s", "reason": "new database"}],
            "steps": [{"id": "s", "http": {"url": "http://127.0.0.1:1/"}}],
        }
    )
    await walking.walk(down, 0.0)
    root = root_of(spool.of("traces")[0])
    assert (root["sojourn.run.outcome"], root["sojourn.run.note"]) == ("skipped", "in maintenance: new database")
    assert root["sojourn.journey.label.tier"] == "gold"
    assert walking.newest[-1]["note"] == "in maintenance: new database"
    assert walking.newest[-1]["steps"] == []


async def test_what_depends_on_a_failing_journey_is_skipped_until_it_passes(tmp_path):
    """Also at second hand; the root of it is named."""
    spool = MemorySpool()
    walking = walker(spool, tmp_path)
    steps = [{"id": "s", "http": {"url": f"http://127.0.0.1:{free_port()}/"}}]
    parent = Journey.model_validate({"id": "dns", "timeout": "5s", "steps": steps})
    child = Journey.model_validate({"id": "shop", "depends_on": ["dns"], "steps": steps})
    grandchild = Journey.model_validate({"id": "pay", "depends_on": ["shop"], "steps": steps})
    for one in (parent, child, grandchild):
        await walking.walk(one, 0.0)
    assert [(run["outcome"], run["note"]) for run in walking.newest] == [
        ("failed", ""),
        ("skipped", "depends on dns, which is failing"),
        ("skipped", "depends on dns, which is failing"),
    ]
    pause = [{"id": "s", "wait": "1ms"}]
    for one in (parent, child, grandchild):
        await walking.walk(one.model_copy(update={"steps": Journey.model_validate({"id": "x", "steps": pause}).steps}), 0.0)
    assert [run["outcome"] for run in walking.newest][3:] == ["passed", "passed", "passed"]
