"""The whole demo as a process: unattended, interrupted, killed."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from sojourn_collector.web.models import ImpactReport

ROOT = Path(__file__).parents[2]
PATIENCE = 420


@contextmanager
def demo(folder: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """The demo's process; its folder lies under `folder`, its progress goes to progress.log there."""
    with (folder / "progress.log").open("w") as progress:
        process = subprocess.Popen(
            [sys.executable, "-m", "sojourn_demo", *arguments],
            cwd=ROOT,
            env={**os.environ, "TMPDIR": str(folder)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=progress,
            text=True,
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                process.terminate()
            process.communicate(timeout=60)


def _until(done: Callable[[], bool], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


def _alive(processes: list[psutil.Process]) -> list[psutil.Process]:
    return [process for process in processes if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]


@pytest.mark.browser
@pytest.mark.timeout(PATIENCE + 60)
def test_unattended(tmp_path: Path) -> None:
    """`--once --json` prints one JSON object of truth and report, and exits 0 because the report says the truth."""
    with demo(tmp_path, "--once", "--json", "--seed", "7", "--shoppers", "320") as process:
        out, _ = process.communicate(timeout=PATIENCE)
    progress = (tmp_path / "progress.log").read_text()
    assert process.returncode == 0, progress
    answer = json.loads(out)
    assert set(answer) == {"truth", "report"}
    truth = answer["truth"]
    assert set(truth) == {"journey", "step", "cause", "people_reached", "people_hit", "shortfall", "currency", "seed"}
    assert truth["seed"] == 7
    report = ImpactReport.model_validate(answer["report"])
    problem = report.problems[0]
    assert (problem.journey.id, problem.step.id) == (truth["journey"], truth["step"]) == ("checkout", "pay")
    assert problem.cause is not None
    assert problem.cause.summary == truth["cause"] == "502 from POST /payments (service payments)"
    assert (problem.people.reached, problem.people.hit) == (truth["people_reached"], truth["people_hit"])
    assert problem.people.visits_hit > 0
    assert problem.clock.first_probe_failure is not None
    assert problem.impact.state == "measured"
    assert problem.money.level == 1
    assert len(problem.headline) == 4
    assert any(comment.text and comment.session_id for comment in problem.satisfaction.comments)
    assert any(sufferer.plan for sufferer in problem.who)
    assert report.windows.simulated
    assert {fresh.source for fresh in report.freshness if fresh.state != "never"} == {
        "beacons",
        "probes",
        "backend",
        "feedback",
        "orders",
        "accounts",
        "people",
    }
    assert list(tmp_path.iterdir()) == [tmp_path / "progress.log"]


@pytest.mark.parametrize("number", [pytest.param(signal.SIGINT, marks=pytest.mark.slow), signal.SIGKILL, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)])
@pytest.mark.timeout(240)
def test_leaves_nothing_behind(tmp_path: Path, number: signal.Signals) -> None:
    """Interrupted, told to stop or killed while everything runs, the demo leaves no process behind."""
    with demo(tmp_path, "--once", "--shoppers", "20") as process:
        progress = tmp_path / "progress.log"
        _until(lambda: "The agent is ready" in progress.read_text() or process.poll() is not None, 180, "the parts did not start")
        assert process.poll() is None, progress.read_text()
        children = psutil.Process(process.pid).children(recursive=True)
        assert len(children) >= 4
        process.send_signal(number)
        process.wait(60)
        assert process.returncode == (-signal.SIGKILL if number == signal.SIGKILL else 130)
        _until(lambda: not _alive(children), 60, f"still there: {_alive(children)}")
