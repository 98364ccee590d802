"""Memory, start and punctuality of the light agent: alone, with http journeys, with the beacon intake, and with a browser journey for comparison.

Method: each case is a fresh agent process with a data folder of its own and a shop on loopback in this process. `start` is from the start of the
process until it says where it listens; `rss` is the resident memory of the agent alone (not of a browser it started) after `--seconds`; `late` is how
long after their time runs began, p50 and p99 over all runs of that stretch; `cpu_ms_per_run` the agent's user and system time over it, divided by runs.
The http case walks `--journeys` journeys of one step once a minute each. Telemetry goes to a port where nothing listens, so that it is spooled.

Run: python bench/bench_agent_rss.py [--seconds 30] [--journeys 500] [--browser] [--json]
"""

import argparse
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psutil

HTTP = "id: j{n}\nbase_url: {shop}\ninterval: 60s\nsteps:\n  - {{id: home, http: {{url: /}}, expect: [status == 200]}}\n"
BROWSER = "id: j{n}\nbase_url: {shop}\ninterval: 10s\nsteps:\n  - id: home\n    browser: [{{goto: /}}]\n"


class Shop(BaseHTTPRequestHandler):
    """A page."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Quiet."""


def measure(folder: Path, shop: str, journey: str, count: int, rum: bool, seconds: float) -> dict[str, float]:
    """One agent with `count` journeys for `seconds`."""
    (folder / "journeys").mkdir()
    for n in range(count):
        (folder / f"journeys/j{n}.yaml").write_text(journey.format(n=n, shop=shop))
    apps = '{shop: {origins: ["http://shop.example"]}}' if rum else "{}"
    config = folder / "agent.yaml"
    config.write_text(
        'journeys: journeys\ndata: data\nsend: [{name: nowhere, url: "http://127.0.0.1:9"}]\nadmin: {listen: "127.0.0.1:0"}\n'
        f'rum: {{listen: "127.0.0.1:0", apps: {apps}}}\n'
    )
    began = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "sojourn_agent.cli", "run", "--config", str(config)], stderr=(folder / "log").open("wb"), start_new_session=True
    )
    try:
        while not (folder / "data/agent.json").exists():
            time.sleep(0.005)
            if process.poll() is not None or time.monotonic() - began > 60:
                raise SystemExit((folder / "log").read_text())
        started = time.monotonic() - began
        before = cpu(process.pid)
        late, runs = watch(json.loads((folder / "data/agent.json").read_text())["admin"], seconds)
        used = cpu(process.pid) - before
        rss = psutil.Process(process.pid).memory_info().rss / 2**20
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
    figures = {"start_s": round(started, 2), "rss_mib": round(rss, 1), "runs": runs}
    if runs:
        late.sort()
        figures |= {"late_p50_ms": round(late[len(late) // 2] * 1000, 1), "late_p99_ms": round(late[int(len(late) * 0.99)] * 1000, 1)}
        figures |= {"cpu_ms_per_run": round(used / runs * 1000, 2)}
    return figures


def cpu(pid: int) -> float:
    """User and system seconds of one process."""
    times = psutil.Process(pid).cpu_times()
    return times.user + times.system


def watch(admin: str, seconds: float) -> tuple[list[float], int]:
    """Every run of the next `seconds`: how late each began, and how many there were."""
    late: dict[str, float] = {}
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(min(5.0, max(0.0, end - time.monotonic())))
        with urllib.request.urlopen(f"http://{admin}/runs", timeout=10) as answer:
            late |= {run["run_id"]: run["late_by"] for run in json.load(answer)["runs"]}
    return list(late.values()), len(late)


def main() -> None:
    """Measure each case and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--journeys", type=int, default=500)
    parser.add_argument("--browser", action="store_true", help="also an agent with a browser journey; needs Chromium")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    shop = f"http://127.0.0.1:{server.server_address[1]}"
    cases = {"alone": (HTTP, 0, False), "http": (HTTP, options.journeys, False), "intake": (HTTP, 0, True)}
    if options.browser:
        cases["browser"] = (BROWSER, 1, False)
    figures: dict[str, Any] = {"machine": {"cpus": os.cpu_count(), "python": platform.python_version(), "system": platform.platform()}}
    for name, (journey, count, rum) in cases.items():
        with tempfile.TemporaryDirectory() as folder:
            figures[name] = measure(Path(folder), shop, journey, count, rum, options.seconds)
        print(f"{name:<8} " + "  ".join(f"{key} {value:g}" for key, value in figures[name].items()), file=sys.stderr if options.json else sys.stdout)
    if options.json:
        print(json.dumps(figures))


if __name__ == "__main__":
    main()
