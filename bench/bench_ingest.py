"""How many spans the collector takes per CPU-second, end to end: HTTP, checks, ledger, fsync, load with its rollup view.

Method: a collector process with its engine child on an empty folder; before the clock starts, requests of backend spans with 8 attributes are encoded;
then several senders post them with batch ids, each waiting for its 200. The clock ends when the last span is in the table. Counted is the CPU time
(user + system) of the collector and all its children, not the sender's. `--json` prints one JSON object as the last line.

Run: python bench/bench_ingest.py [--spans 1000000] [--per-request 2000] [--gzip] [--json]
"""

import argparse
import asyncio
import gzip
import json
import os
import platform
import random
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

import httpx2
import psutil
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

CONFIG = 'otlp: {listen: "127.0.0.1:0"}\nweb: {listen: "127.0.0.1:0"}\n'
METHODS, ROUTES = ("GET", "POST", "PUT"), tuple(f"/api/{word}/{{id}}" for word in ("cart", "product", "search", "login", "payment", "stock", "price", "user"))


def request(spans: int, dice: random.Random) -> bytes:
    """One request of `spans` server spans in traces of 8, with the attributes a web framework's instrumentation sets."""
    message = ExportTraceServiceRequest()
    source = message.resource_spans.add()
    for key, value in {"service.name": dice.choice(("shop", "payments", "stock")), "host.name": "web-1", "telemetry.sdk.language": "python"}.items():
        source.resource.attributes.add(key=key).value.string_value = value
    scope = source.scope_spans.add()
    scope.scope.name = "opentelemetry.instrumentation.asgi"
    trace = b""
    for number in range(spans):
        if number % 8 == 0:
            trace = dice.randbytes(16)
        method, route = dice.choice(METHODS), dice.choice(ROUTES)
        start = time.time_ns() - dice.randrange(10**9)
        span = scope.spans.add(trace_id=trace, span_id=dice.randbytes(8), name=f"{method} {route}", kind=2, start_time_unix_nano=start)
        span.parent_span_id = dice.randbytes(8)
        span.end_time_unix_nano = start + dice.randrange(10**6, 10**9)
        texts = {
            "http.request.method": method,
            "http.route": route,
            "url.path": route.replace("{id}", str(dice.randrange(10**6))),
            "url.scheme": "https",
            "user_agent.original": "Mozilla/5.0 (X11; Linux x86_64) Chrome/156",
            "client.address": f"10.0.{dice.randrange(256)}.{dice.randrange(256)}",
        }
        for key, text in texts.items():
            span.attributes.add(key=key).value.string_value = text
        span.attributes.add(key="http.response.status_code").value.int_value = dice.choice((200, 200, 200, 404, 502))
        span.attributes.add(key="server.port").value.int_value = 443
    return message.SerializeToString()


async def until(asked, seconds: float = 120.0):
    """Poll until `asked` answers something true; returns it."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if found := await asked():
                return found
        except (OSError, ValueError, httpx2.HTTPError):
            pass
        await asyncio.sleep(0.05)
    raise SystemExit("the collector did not get there in time")


def cpu_seconds(process: psutil.Process) -> float:
    """CPU time of a process and its children."""
    return sum(sum(one.cpu_times()[:2]) for one in (process, *process.children(recursive=True)))


async def measure(given: argparse.Namespace, folder: Path, process: psutil.Process) -> dict[str, float]:
    """Send everything, wait until it is in the table."""
    runtime = folder / "data/control.json"

    async def started():
        return json.loads(runtime.read_text())

    addresses = await until(started)
    dice = random.Random(given.seed)
    bodies = [request(given.per_request, dice) for _ in range(max(1, min(40, given.spans // given.per_request)))]
    size = len(bodies[0]) / given.per_request
    if given.gzip:
        bodies = [gzip.compress(body, 1) for body in bodies]
    left = iter(range(given.spans // given.per_request))
    headers = {"content-type": "application/x-protobuf"} | ({"content-encoding": "gzip"} if given.gzip else {})
    async with httpx2.AsyncClient(trust_env=False, verify=False, timeout=60) as http:

        async def is_ready():
            return (await http.get(addresses["web"] + "/readyz")).json()["ready"]

        async def is_loaded():
            loading = (await http.get(addresses["web"] + "/readyz")).json()["loading"]
            return loading["loaded_seq"] == loading["last_seq"]

        async def sender():
            for number in left:
                key = {"idempotency-key": str(uuid.uuid4())}
                while (await http.post(addresses["otlp"] + "/v1/traces", content=bodies[number % len(bodies)], headers=headers | key)).status_code != 200:
                    await asyncio.sleep(0.1)

        await until(is_ready)
        cpu, wall = cpu_seconds(process), time.monotonic()
        await asyncio.gather(*(sender() for _ in range(given.senders)))
        taken = time.monotonic() - wall
        await until(is_loaded, 600)
        wall, used = time.monotonic() - wall, cpu_seconds(process) - cpu
    spans = given.spans // given.per_request * given.per_request
    resident = {("engine" if "engine_child" in " ".join(one.cmdline()) else "collector"): one.memory_info().rss >> 20 for one in (process, *process.children())}
    return {
        "spans": spans, "spans_per_cpu_second": round(spans / used), "cpu_seconds": round(used, 2), "wall_seconds": round(wall, 2),
        "taken_seconds": round(taken, 2), "bytes_per_span": round(size), "rss_mib": resident,
    }  # fmt: skip


def main() -> None:
    """Start a collector, measure, stop it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--spans", type=int, default=500_000)
    parser.add_argument("--per-request", type=int, default=2000)
    parser.add_argument("--senders", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--gzip", action="store_true")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "journeys").mkdir()
        (folder / "collector.yaml").write_text(CONFIG)
        with (folder / "log.txt").open("wb") as log:
            child = subprocess.Popen([sys.executable, "-m", "sojourn_collector.cli", "run", "--config", str(folder / "collector.yaml")], stderr=log)
        try:
            result = asyncio.run(measure(given, folder, psutil.Process(child.pid)))
        finally:
            child.terminate()
            child.wait(30)
    result |= {"bench": "ingest", "gzip": given.gzip, "cpus": os.cpu_count(), "machine": platform.machine(), "python": platform.python_version()}
    print(json.dumps(result) if given.json else "\n".join(f"{key}: {value}" for key, value in result.items()))


if __name__ == "__main__":
    main()
