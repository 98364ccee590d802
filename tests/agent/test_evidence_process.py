"""The agent as a process: evidence that a collector could not take survives kill -9, and never delays telemetry."""

import json
import signal
from pathlib import Path

from tests.agent.receiver import Answer, Receiver, listening
from tests.processes import free_port, get_json, program, stop, until

JOURNEY = """id: browse
base_url: http://127.0.0.1:{shop}
interval: {interval}
steps:
  - id: home
    http: {{url: /}}
    expect: [status == 299]
"""


def configure(folder: Path, collector: str, shop: str) -> Path:
    """agent.yaml with a journey that fails and leaves the answer."""
    (folder / "journeys").mkdir()
    (folder / "journeys/browse.yaml").write_text(JOURNEY.format(shop=shop.rpartition(":")[2], interval="1s"))
    path = folder / "agent.yaml"
    path.write_text(
        f'journeys: journeys\ndata: data\nsend: [{{name: collector, url: "{collector}", evidence: true}}]\nadmin: {{listen: "127.0.0.1:{free_port()}"}}\n'
        "host: {loop_lag: 60s}\n"
    )
    return path


def of_evidence(receiver: Receiver, status: int) -> set[str]:
    """Names of the pieces that got this answer."""
    return {asked.path.partition("?")[0].rpartition("/")[2] for asked in list(receiver.asked) if "/v1/evidence/" in asked.path and asked.answered == status}


def test_what_waits_survives_kill_9_and_holds_no_telemetry_up(tmp_path):
    """A collector that takes batches but no evidence: runs arrive all the while, what waits is told; after kill -9 every piece is delivered, under its name."""
    takes = False
    with (
        listening(Receiver()) as shop,
        listening(Receiver(lambda n, asked: Answer(200 if takes or "/v1/evidence" not in asked.path else 503, {"retry-after": "1"}))) as collector,
    ):
        # The shop's answer to GET is 501: the step fails and its answer is evidence.
        config = configure(tmp_path, collector.url, shop.url)
        with program("sojourn_agent.cli", "run", "--config", str(config), log=tmp_path / "agent.log") as process:
            until((tmp_path / "data/agent.json").exists, what="the agent")
            admin = json.loads((tmp_path / "data/agent.json").read_text())["admin"]
            until(lambda: len([asked for asked in collector.asked if asked.path == "/v1/traces"]) >= 3 and of_evidence(collector, 503), what="three runs")
            told = get_json(f"http://{admin}/healthz")["evidence"]["collector"]
            assert (told["waiting"] >= 2, told["delivered"], "answered 503" in told["trouble"]) == (True, 0, True)
            process.send_signal(signal.SIGKILL)
            process.wait()
        left = {path.name.removesuffix(".json") for path in (tmp_path / "data/evidence-waiting/collector").glob("*.json")}
        takes = True
        with program("sojourn_agent.cli", "run", "--config", str(config), log=tmp_path / "agent.log") as process:
            until(lambda: of_evidence(collector, 200) >= left, what="the pieces that waited")
            assert stop(process) == 0
    assert len(left) >= 2
    assert all(b"status 501" in asked.wire for asked in collector.asked if asked.answered == 200 and "/v1/evidence/" in asked.path)
