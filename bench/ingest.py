"""How many spans the collector takes per CPU-second, end to end: HTTP, key, checks, ledger, fsync, load with its rollups, join.

Method: for each kind of span a collector process with its engine child on an empty folder; before the clock starts, requests are encoded; then several
senders post them with a key and batch ids, each waiting for its 200. The clock ends when the last span is in the table and joined. Counted is the CPU
time (user + system) of the collector and all its children, not the sender's; bytes per span are those of the table's parts after it stopped. Kinds:

    backend-8    server spans in traces of 8, with the 8 attributes a web framework's instrumentation sets
    backend-20   the same with 20 attributes
    journey      runs of scripted journeys as the agent sends them: root, 3 steps, 6 exchanges; the join reads and writes each run

With `--otelcol PATH` the same requests go to an OpenTelemetry Collector as well, which receives OTLP and writes it to a file: no ids checked, no ledger,
no fsync, no tables. It is a floor for what taking in alone costs, not a store. `--grow N` repeats each kind N times into the same folder.

Run: python bench/ingest.py [--kind backend-8] [--spans 500000] [--per-request 2000] [--gzip] [--grow 1] [--otelcol PATH] [--json]
"""

import argparse
import asyncio
import gzip
import json
import os
import platform
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import psutil
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue

from sojourn_collector.store.engine_process import EngineProcess, EngineSettings
from sojourn_probes import semconv
from sojourn_probes.semconv import SpanType

CONFIG = 'otlp: {listen: "127.0.0.1:0"}\nweb: {listen: "127.0.0.1:0"}\n'
OTELCOL = """receivers: {{otlp: {{protocols: {{http: {{endpoint: "127.0.0.1:{port}"}}}}}}}}
processors: {{batch: {{}}}}
exporters: {{file: {{path: "{file}", format: proto}}}}
service:
  telemetry: {{metrics: {{level: none}}}}
  pipelines: {{traces: {{receivers: [otlp], processors: [batch], exporters: [file]}}}}
"""
METHODS, ROUTES = ("GET", "POST", "PUT"), tuple(f"/api/{word}/{{id}}" for word in ("cart", "product", "search", "login", "payment", "stock", "price", "user"))
WORDS = ("eu", "us", "gold", "basic", "web", "app", "blue", "green", "a", "b")
DIFFERENT = 40
"""Requests encoded before the clock starts; senders take them in turn, under fresh batch ids."""


def backend(spans: int, dice: random.Random, more: int = 0) -> bytes:
    """One request of server spans in traces of 8, with 8 attributes and `more` of the application's own."""
    message, scope = _request(dice.choice(("shop", "payments", "stock")), "opentelemetry.instrumentation.asgi")
    trace = b""
    for number in range(spans):
        if number % 8 == 0:
            trace = dice.randbytes(16)
        method, route = dice.choice(METHODS), dice.choice(ROUTES)
        start = time.time_ns() - dice.randrange(10**9)
        span = scope.spans.add(trace_id=trace, span_id=dice.randbytes(8), name=f"{method} {route}", kind=2, start_time_unix_nano=start)
        span.parent_span_id = dice.randbytes(8)
        span.end_time_unix_nano = start + dice.randrange(10**6, 10**9)
        _texts(
            span.attributes,
            {
                "http.request.method": method,
                "http.route": route,
                "url.path": route.replace("{id}", str(dice.randrange(10**6))),
                "url.scheme": "https",
                "user_agent.original": "Mozilla/5.0 (X11; Linux x86_64) Chrome/156",
                "client.address": f"10.0.{dice.randrange(256)}.{dice.randrange(256)}",
                **{f"shop.fact.{one}": dice.choice(WORDS) if one % 3 else f"{dice.choice(WORDS)}-{dice.randrange(1000)}" for one in range(more)},
            },
        )
        span.attributes.add(key="http.response.status_code").value.int_value = dice.choice((200, 200, 200, 404, 502))
        span.attributes.add(key="server.port").value.int_value = 443
    return message.SerializeToString()


def journey(spans: int, dice: random.Random) -> bytes:
    """One request of runs of 10 spans each: the root, three steps, and two exchanges in each of them."""
    message, scope = _request("sojourn-agent", "sojourn.agent")
    for _ in range(max(1, spans // 10)):
        start, trace, failed = time.time_ns() - dice.randrange(10**9), dice.randbytes(16), dice.random() < 0.02
        common = {
            semconv.JOURNEY_ID: f"journey-{dice.randrange(20)}",
            semconv.JOURNEY_VERSION: "3f1c0a9b2d3e",
            semconv.RUN_ID: str(uuid.UUID(bytes=dice.randbytes(16))),
            semconv.TRAFFIC: "synthetic",
            semconv.LOCATION: dice.choice(("eu", "us")),
        }
        outcome = {semconv.RUN_OUTCOME: "failed" if failed else "passed"}
        root = scope.spans.add(trace_id=trace, span_id=dice.randbytes(8), name="journey checkout", kind=1, start_time_unix_nano=start)
        _finish(root, common | {semconv.SPAN_TYPE: str(SpanType.RUN)} | outcome, failed, dice)
        for name in ("home", "login", "pay"):
            bad = failed and name == "pay"
            step = scope.spans.add(trace_id=trace, span_id=dice.randbytes(8), name=f"step {name}", kind=1, start_time_unix_nano=start)
            step.parent_span_id = root.span_id
            of_step = common | {semconv.STEP_ID: name}
            _finish(step, of_step | {semconv.SPAN_TYPE: str(SpanType.STEP), semconv.STEP_OUTCOME: "failed" if bad else "passed"}, bad, dice)
            for _ in range(2):
                one = scope.spans.add(trace_id=trace, span_id=dice.randbytes(8), name="GET", kind=3, start_time_unix_nano=start)
                one.parent_span_id = step.span_id
                http = {"http.request.method": "GET", "url.full": f"https://shop.example/{name}", "server.address": "shop.example"}
                _finish(one, of_step | {semconv.SPAN_TYPE: str(SpanType.EXCHANGE)} | http, bad, dice)
    return message.SerializeToString()


def _finish(span: Any, texts: dict[str, str], failed: bool, dice: random.Random) -> None:
    span.end_time_unix_nano = span.start_time_unix_nano + dice.randrange(10**7, 10**9)
    span.status.code = 2 if failed else 0
    _texts(span.attributes, texts)
    span.attributes.add(key=semconv.ATTEMPT).value.int_value = 1


def _request(service: str, scope_name: str) -> tuple[ExportTraceServiceRequest, Any]:
    message = ExportTraceServiceRequest()
    source = message.resource_spans.add()
    _texts(source.resource.attributes, {"service.name": service, "host.name": "web-1", "telemetry.sdk.language": "python"})
    scope = source.scope_spans.add()
    scope.scope.name = scope_name
    return message, scope


def _texts(attributes: Any, values: dict[str, str]) -> None:
    attributes.extend([KeyValue(key=key, value={"string_value": value}) for key, value in values.items()])


KINDS: dict[str, Callable[[int, random.Random], bytes]] = {
    "backend-8": backend,
    "backend-20": lambda spans, dice: backend(spans, dice, 12),
    "journey": journey,
}


async def until(asked: Callable[[], Any], what: str, seconds: float = 600.0) -> Any:
    """Poll until `asked` answers something true; returns it."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if found := await asked():
                return found
        except (OSError, ValueError, httpx2.HTTPError):
            pass
        await asyncio.sleep(0.05)
    raise SystemExit(f"{what} did not come about within {seconds:g} s")


def used(process: psutil.Process) -> dict[str, float]:
    """CPU seconds so far of a process and its children, by what they are."""
    found: dict[str, float] = {}
    for one in (process, *process.children(recursive=True)):
        name = "engine" if "engine_child" in " ".join(one.cmdline()) else "collector"
        found[name] = found.get(name, 0.0) + sum(one.cpu_times()[:2])
    return found


class Load:
    """Requests of one kind, encoded once and sent as often as wanted."""

    def __init__(self, kind: str, given: argparse.Namespace) -> None:
        dice = random.Random(given.seed)
        self.requests = max(1, given.spans // given.per_request)
        # Runs must not be the same run again and again: the join would read ever longer ones.
        different = self.requests if kind == "journey" else min(DIFFERENT, self.requests)
        self.bodies = [KINDS[kind](given.per_request, dice) for _ in range(different)]
        self.spans = self.requests * given.per_request
        self.bytes_per_span = round(len(self.bodies[0]) / given.per_request)
        self.headers = {"content-type": "application/x-protobuf"}
        self._senders = given.senders
        if given.gzip:
            self.bodies = [gzip.compress(body, 1) for body in self.bodies]
            self.headers["content-encoding"] = "gzip"

    async def send(self, http: httpx2.AsyncClient, url: str, more: dict[str, str]) -> None:
        """All requests, by several senders, each until its 200."""
        left = iter(range(self.requests))

        async def sender() -> None:
            for number in left:
                headers = self.headers | more | {"idempotency-key": str(uuid.uuid4())}
                while (await http.post(url, content=self.bodies[number % len(self.bodies)], headers=headers)).status_code != 200:
                    await asyncio.sleep(0.1)

        await asyncio.gather(*(sender() for _ in range(self._senders)))


async def into_collector(load: Load, folder: Path, process: psutil.Process, key: str) -> dict[str, Any]:
    """Send everything, wait until it is in the tables and joined."""

    async def started() -> Any:
        return json.loads((folder / "data/control.json").read_text())

    addresses = await until(started, "the collector's start")
    async with httpx2.AsyncClient(trust_env=False, verify=False, timeout=120) as http:

        async def state() -> Any:
            return (await http.get(addresses["web"] + "/readyz")).json()

        async def is_ready() -> Any:
            return (await state())["ready"]

        async def is_joined() -> bool:
            now = await state()
            return bool(now["loading"]["loaded_seq"] == now["loading"]["last_seq"] <= now["joining"]["joined_seq"])

        await until(is_ready, "a ready collector")
        before, wall = used(process), time.monotonic()
        await load.send(http, addresses["otlp"] + "/v1/traces", {"authorization": f"Bearer {key}"})
        taken = time.monotonic() - wall
        await until(is_joined, "the end of load and join")
        split = {name: seconds - before.get(name, 0.0) for name, seconds in used(process).items()}
        wall = time.monotonic() - wall
    seconds = sum(split.values())
    resident = {("engine" if "engine_child" in " ".join(one.cmdline()) else "collector"): one.memory_info().rss >> 20 for one in (process, *process.children())}
    return {
        "spans": load.spans,
        "spans_per_cpu_second": round(load.spans / seconds),
        "cpu_seconds_per_million": round(seconds / load.spans * 1e6, 2),
        "cpu_seconds": {name: round(value, 2) for name, value in split.items()},
        "taken_seconds": round(taken, 2),
        "wall_seconds": round(wall, 2),
        "bytes_per_span_sent": load.bytes_per_span,
        "rss_mib": resident,
    }


@contextmanager
def collector(folder: Path) -> Iterator[tuple[psutil.Process, str]]:
    """A collector process on a folder, and a key for OTLP."""
    (folder / "journeys").mkdir()
    config = folder / "collector.yaml"
    config.write_text(CONFIG)
    command = [sys.executable, "-m", "sojourn_collector.cli"]
    made = subprocess.run([*command, "key", "create", "--name", "bench", "--scope", "otlp", "--json", "--config", str(config)], capture_output=True, check=True)
    with (folder / "log.txt").open("wb") as log:
        child = subprocess.Popen([*command, "run", "--config", str(config)], stderr=log)
    try:
        yield psutil.Process(child.pid), json.loads(made.stdout)["key"]
    finally:
        child.terminate()
        child.wait(60)


def on_disk(folder: Path) -> dict[str, float]:
    """Bytes per row of the tables' active parts, read by an engine of our own after the collector ended."""
    engine = EngineProcess(folder / "data/engine", EngineSettings())
    endpoint = engine.start()
    sql = (
        "SELECT table, sum(bytes_on_disk) / sum(rows) FROM system.parts WHERE active AND database = 'default' AND rows GROUP BY table FORMAT JSONCompactEachRow"
    )
    try:
        answer = httpx2.post(
            f"http://{endpoint.host}:{endpoint.port}/", content=sql, headers={"authorization": f"Bearer {endpoint.token}"}, trust_env=False, timeout=60
        )
        answer.raise_for_status()
        return {table: round(size, 1) for table, size in (json.loads(line) for line in answer.text.splitlines()) if table != "migrations"}
    finally:
        engine.stop()


async def into_otelcol(load: Load, binary: str, folder: Path) -> dict[str, Any]:
    """The same requests into an OpenTelemetry Collector that writes a file."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    config = folder / "otelcol.yaml"
    config.write_text(OTELCOL.format(port=port, file=folder / "out.pb"))
    with (folder / "otelcol.txt").open("wb") as log:
        child = subprocess.Popen([binary, "--config", str(config)], stdout=log, stderr=log)
    process = psutil.Process(child.pid)
    try:
        async with httpx2.AsyncClient(trust_env=False, verify=False, timeout=60) as http:
            url = f"http://127.0.0.1:{port}/v1/traces"

            async def answers() -> bool:
                return (await http.post(url, content=b"", headers=load.headers if "content-encoding" not in load.headers else {})).status_code < 500

            await until(answers, "the OpenTelemetry Collector's start", 30)
            before = sum(process.cpu_times()[:2])
            await load.send(http, url, {})
            await asyncio.sleep(1)  # its batch processor writes within 200 ms
            seconds = sum(process.cpu_times()[:2]) - before
        return {"spans_per_cpu_second": round(load.spans / seconds), "rss_mib": process.memory_info().rss >> 20}
    finally:
        child.terminate()
        child.wait(30)


def measure(kind: str, given: argparse.Namespace) -> dict[str, Any]:
    """One kind of span: ours, grown as often as wanted, then the peer."""
    rounds = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with collector(folder) as (process, key):
            for number in range(given.grow):
                given.seed += 1
                load = Load(kind, given)
                rounds.append(asyncio.run(into_collector(load, folder, process, key)))
                if given.grow > 1:
                    print(
                        f"  {kind}, round {number + 1}: {rounds[-1]['spans_per_cpu_second']} spans per CPU-second, {rounds[-1]['rss_mib']} MiB", file=sys.stderr
                    )
        result: dict[str, Any] = rounds[-1] | {"bytes_per_row_on_disk": on_disk(folder)}
    if given.grow > 1:
        result["spans_per_cpu_second_by_round"] = [one["spans_per_cpu_second"] for one in rounds]
    if given.otelcol:
        with tempfile.TemporaryDirectory() as name:
            result["otelcol"] = asyncio.run(into_otelcol(load, given.otelcol, Path(name)))
            result["ratio_to_otelcol"] = round(result["spans_per_cpu_second"] / result["otelcol"]["spans_per_cpu_second"], 2)
    return result


def main() -> None:
    """Each kind on a fresh folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kind", choices=list(KINDS), action="append", help="default: all of them")
    parser.add_argument("--spans", type=int, default=500_000)
    parser.add_argument("--per-request", type=int, default=2000)
    parser.add_argument("--senders", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--grow", type=int, default=1, help="rounds into the same folder")
    parser.add_argument("--gzip", action="store_true")
    parser.add_argument("--otelcol", default=shutil.which("otelcol") or shutil.which("otelcol-contrib"), help="an OpenTelemetry Collector to measure beside it")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    found = {kind: measure(kind, given) for kind in given.kind or KINDS}
    about = {"bench": "ingest", "gzip": given.gzip, "per_request": given.per_request, "cpus": os.cpu_count(), "load": round(os.getloadavg()[0], 1)}
    about |= {"machine": platform.machine(), "python": platform.python_version()}
    if given.json:
        print(json.dumps({"kinds": found, **about}))
        return
    for kind, result in found.items():
        print(kind)
        print("\n".join(f"  {key}: {value}" for key, value in result.items()))
    print("\n".join(f"{key}: {value}" for key, value in about.items()))


if __name__ == "__main__":
    main()
