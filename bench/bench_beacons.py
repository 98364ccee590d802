"""Beacons per second of the agent's intake on one core, over HTTP, validated, scrubbed, turned into OTLP and fsynced.

Method: the intake with the real spool runs in a process of its own, held to one CPU core; this process, on another core where there is one, sends
different 1 KB beacons (page view, fetch, web vital, error, conversion; consent and cart as in a shop) over keep-alive connections, each waiting for its
204 before the next. `per_second` counts answers of a run without pause; `per_cpu_second` divides by the CPU time the intake used (all its threads).
`p50_ms` and `p99_ms` are of a second run at `--rate` beacons per second, latency counted from the time a beacon was due, so that waiting in line is in it.

Run: python bench/bench_beacons.py [--beacons 40000] [--connections 256] [--rate 1500] [--json]
"""

import argparse
import asyncio
import json
import os
import platform
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

import psutil

ORIGIN = "https://shop.example"


def serve(folder: Path, core: int) -> None:
    """The process under measurement: prints its port, ends with its standard input."""
    os.sched_setaffinity(0, {core})
    from sojourn_agent.loop import run_in_loop as run_in_loop
    from sojourn_agent.rum.config import RumConfig
    from sojourn_agent.rum.intake import build_app
    from sojourn_agent.serve import Listener
    from sojourn_agent.spool import Spool

    limit = {"per_second": 1e9, "burst": 1e9}
    config = RumConfig.model_validate({"apps": {"shop": {"origins": [ORIGIN]}}, "per_ip": limit, "per_app": limit})

    async def run() -> None:
        async with Spool(folder, ["nowhere"]) as spool:
            listening = socket.create_server(("127.0.0.1", 0), backlog=512)
            listener = Listener(build_app(config, spool, {}), listening)
            print(listening.getsockname()[1], flush=True)
            ending = asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
            ending.add_done_callback(lambda _: setattr(listener, "should_exit", True))
            await listener.run_here()

    run_in_loop(run(), fast=True)


def request(number: int) -> bytes:
    """A whole HTTP request with a beacon of about 1 KB that nobody sent before."""
    now = time.time() * 1000
    trace, span = uuid.uuid4().hex, uuid.uuid4().hex[:16]
    extra = (
        {
            "type": "error",
            "at": now,
            "name": "TypeError",
            "message": f"Cannot read properties of undefined, order of jo{number}@shop.example",
            "stack": "at pay (cart.js:10:5)",
        },
        {"type": "conversion", "at": now, "name": "order_completed", "value": 62.5, "currency": "EUR", "order": f"o-{number}"},
        {"type": "web_vital", "at": now, "name": "INP", "value": 96, "delta": 96, "id": f"v6-{number}", "rating": "good", "nav": "navigate"},
    )[number % 3]  # fmt: skip
    items = [
        {"type": "page_view", "at": now - 900, "duration": 412,
         "trace": trace, "span": span, "url": f"{ORIGIN}/products/{number % 500}?ref=mail", "nav": "navigate"},
        {"type": "fetch", "at": now - 300, "duration": 88.4,
         "trace": trace, "span": uuid.uuid4().hex[:16], "parent": span, "method": "POST", "url": f"{ORIGIN}/payments", "status": 201},
        {"type": "web_vital", "at": now - 200, "name": "LCP", "value": 1340.5, "delta": 1340.5, "id": f"v6-{number}-1", "rating": "good", "nav": "navigate"},
        extra,
    ]  # fmt: skip
    session = {"id": f"session-{number % 5000:08d}-0000", "start": now - 60000}
    body = json.dumps(
        {
            "v": 1, "id": uuid.uuid4().hex, "app": "shop", "sent": now, "session": session, "consent": "granted",
            "visitor": f"v-{number % 5000}", "user": f"u-{number % 5000}",
            "sample_rate": 1, "page": {"id": span, "url": f"{ORIGIN}/products/{number % 500}"}, "cart": {"value": 62.5, "currency": "EUR"},
            "device": {"type": "desktop", "browser": "Chrome 156", "os": "Linux", "language": "en", "webdriver": False}, "items": items,
        },
        separators=(",", ":"),
    ).encode()  # fmt: skip
    names = f"host: intake\r\norigin: {ORIGIN}\r\nuser-agent: Mozilla/5.0 Chrome/156.0\r\ncontent-type: text/plain"
    return f"POST /v1/beacons HTTP/1.1\r\n{names}\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body


async def send(port: int, bodies: list[bytes], connections: int, rate: float | None) -> tuple[float, list[float], int]:
    """(seconds, latencies in seconds, answers other than 204) of sending all `bodies`, as fast as they are answered or at `rate` per second."""
    latencies: list[float] = []
    wrong = 0
    began = time.perf_counter()
    todo = iter(range(len(bodies)))

    async def one_by_one() -> None:
        nonlocal wrong
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for number in todo:
            due = began + number / rate if rate else time.perf_counter()
            if (wait := due - time.perf_counter()) > 0:
                await asyncio.sleep(wait)
            writer.write(bodies[number])
            head = await reader.readuntil(b"\r\n\r\n")
            latencies.append(time.perf_counter() - due)
            wrong += not head.startswith(b"HTTP/1.1 204")
        writer.close()
        await writer.wait_closed()

    await asyncio.gather(*(one_by_one() for _ in range(connections)))
    return time.perf_counter() - began, sorted(latencies), wrong


def main() -> None:
    """Start the intake, measure, stop it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--beacons", type=int, default=40_000)
    parser.add_argument("--connections", type=int, default=256)
    parser.add_argument("--rate", type=float, default=1500)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    if given.serve:
        serve(given.serve, cores[0])
        return
    with tempfile.TemporaryDirectory() as folder:
        child = subprocess.Popen([sys.executable, __file__, "--serve", folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        assert child.stdin is not None
        port, process = int(child.stdout.readline()), psutil.Process(child.pid)
        os.sched_setaffinity(0, {cores[-1]})
        asyncio.run(send(port, [request(number) for number in range(2000)], given.connections, None))
        bodies = [request(number) for number in range(given.beacons)]
        before = process.cpu_times()
        seconds, _, wrong = asyncio.run(send(port, bodies, given.connections, None))
        after = process.cpu_times()
        used = after.user + after.system - before.user - before.system
        paced = [request(number) for number in range(min(given.beacons, int(given.rate * 10)))]
        _, latencies, wrong_paced = asyncio.run(send(port, paced, given.connections, given.rate))
        rss = process.memory_info().rss >> 20
        child.stdin.close()
        child.wait(30)
    result = {
        "bench": "beacons", "per_second": round(given.beacons / seconds), "per_cpu_second": round(given.beacons / used), "core_busy": round(used / seconds, 2),
        "rate": given.rate,
        "p50_ms": round(latencies[len(latencies) // 2] * 1000, 1), "p99_ms": round(latencies[int(len(latencies) * 0.99)] * 1000, 1),
        "beacons": given.beacons, "bytes": round(sum(map(len, bodies)) / len(bodies)), "refused": wrong + wrong_paced, "rss_mib": rss,
        "connections": given.connections, "cpus": os.cpu_count(), "load": round(os.getloadavg()[0], 1),
        "machine": platform.machine(), "python": platform.python_version(),
    }  # fmt: skip
    print(json.dumps(result) if given.json else "\n".join(f"{key}: {value}" for key, value in result.items()))


if __name__ == "__main__":
    main()
