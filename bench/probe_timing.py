"""How true the phases of an `http` probe are, and what a probe costs: ours, and Debian's prometheus-blackbox-exporter in the same run.

Method: a server on loopback in a process of its own, plain and in TLS, waits a known time before its handshake (from the greeting's coming, TLS only),
before its header (from the request's coming) and before its body (from the header's going). It sleeps in a thread for each connection, on the
monotonic clock, and keeps the waits it really made; those are taken off, so its own lateness waking from sleep is no error of the prober. What is left
is the error: loopback, both sides' waking up, the prober's own lateness, and in `tls` the handshake's arithmetic on both sides. The server's waking up to
read is in it too, for either prober alike. `connect` has no known wait but none.

Ours is `run()` of a journey of one step, with `tools` that outlive runs, as the agent's walker calls it, in asyncio's loop; encoding and spooling the
result are the walker's and not in here. Probes start at even times whether or not those before have ended, and each connects anew. Both probers get the
same rates in turn, never at once, after five probes that do not count.
What ours has in memory by then is frozen, as in an agent that has started. CPU is the process's own clock (CLOCK_PROCESS_CPUTIME, that of its pid), user and
system; for ours that includes starting the probes, for blackbox answering /probe. The one asking blackbox is us and not counted, but takes its share
of the machine. Percentiles are of the error's size, by nearest rank: at one probe a second the p99 is the worst of a few. `mean` keeps the sign.

Blackbox's `processing` also sends the request (ours is `wait`, after sending), its `transfer` is our `receive`. Without the program it is left out
and said so.

Run: python bench/probe_timing.py [--seconds 6] [--rates 1,20,100] [--json]
"""

import argparse
import asyncio
import contextlib
import gc
import json
import math
import os
import platform
import re
import shutil
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import trustme

from sojourn_agent.loop import run_in_loop
from sojourn_probes.ids import new_run_id
from sojourn_probes.journey import Journey
from sojourn_probes.load import load_text
from sojourn_probes.names import Names
from sojourn_probes.redact import Redactor
from sojourn_probes.run import run
from sojourn_probes.secrets import SecretStore

DELAYS = {"tls": 0.020, "wait": 0.050, "receive": 0.030}
WORKERS = 48
WARM = 5
BODY = b"x" * 512
JOURNEY = """
id: timing
base_url: {url}
retries: 0
timeout: 10s
steps:
  - id: get
    http: {{url: "/?n=${{run.id}}"{tls}}}
    expect: [status == 200]
"""
BLACKBOX = "modules: {{get: {{prober: http, timeout: 10s, http: {{preferred_ip_protocol: ip4, tls_config: {{ca_file: '{ca}'}}}}}}}}"
THEIRS = {"connect": "connect", "tls": "tls", "processing": "wait", "transfer": "receive"}
PHASE = re.compile(r'^probe_http_duration_seconds\{phase="(\w+)"\} (\S+)$', re.MULTILINE)

Seconds = dict[str, float]
Probe = Callable[[str], Awaitable[Seconds | None]]
"""Takes a mark the server will know it by; seconds by phase, None when the probe failed."""


class Server:
    """Waits as it should and remembers how long it did."""

    def __init__(self, trust: ssl.SSLContext) -> None:
        self._trust = trust
        self._made: dict[str, Seconds] = {}

    def listen(self, secure: bool) -> int:
        """Answer on a free port, by workers that are there already."""
        listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        for _ in range(WORKERS):
            threading.Thread(target=self._work, args=(listener, secure), daemon=True).start()
        port: int = listener.getsockname()[1]
        return port

    def _work(self, listener: socket.socket, secure: bool) -> None:
        while True:
            plain, _ = listener.accept()
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            # Whoever goes early has failed its probe and says so itself.
            with contextlib.suppress(OSError), plain:
                made: Seconds = {}
                if not secure:
                    self._answer(plain, made)
                    continue
                plain.recv(1, socket.MSG_PEEK)
                came = time.monotonic()
                made["tls"] = _sleep_until(came + DELAYS["tls"]) - came
                with self._trust.wrap_socket(plain, server_side=True) as stream:
                    self._answer(stream, made)

    def _answer(self, stream: socket.socket, made: Seconds) -> None:
        asked = b""
        while b"\r\n\r\n" not in asked:
            if not (more := stream.recv(65536)):
                return
            asked += more
        came = time.monotonic()
        path = asked.split(b" ", 2)[1].decode()
        if path == "/log":
            body, self._made = json.dumps(self._made).encode(), {}
            stream.sendall(_header(len(body)) + body)
            return
        header = _header(len(BODY))
        answered = _sleep_until(came + DELAYS["wait"])
        stream.sendall(header)
        ended = _sleep_until(answered + DELAYS["receive"])
        stream.sendall(BODY)
        self._made[path.partition("?n=")[2]] = {**made, "wait": answered - came, "receive": ended - answered}


def _header(size: int) -> bytes:
    return f"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: {size}\r\nconnection: close\r\n\r\n".encode()


def _sleep_until(when: float) -> float:
    """Sleep, and tell what time it is then."""
    while (now := time.monotonic()) < when:
        time.sleep(when - now)
    return now


def serve(folder: Path) -> None:
    """Be the server: say where, and answer until killed."""
    sys.setswitchinterval(0.0005)
    trust = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trust.load_cert_chain(folder / "server.pem")
    server = Server(trust)
    print(server.listen(False), server.listen(True), flush=True)
    threading.Event().wait()


async def asked(port: int, target: str) -> tuple[int, str]:
    """Status and body of a GET, in HTTP/1.0 so that the body comes whole."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(f"GET {target} HTTP/1.0\r\nhost: 127.0.0.1:{port}\r\n\r\n".encode())
        head, _, body = (await reader.read(-1)).partition(b"\r\n\r\n")
    finally:
        writer.close()
    return int(head.split(b" ", 2)[1]), body.decode()


def ours(journey: Journey, tools: dict[str, Any]) -> Probe:
    """A probe by the runner, as the agent's walker does."""

    async def probe(mark: str) -> Seconds | None:
        store = SecretStore({})
        result = await run(journey, names=Names(journey.vars, {}, store, mark), redact=Redactor(store), tools=tools)
        return None if result.failure is not None else result.attempts[0].steps[0].exchanges[0].phases

    return probe


def theirs(port: int, url: str) -> Probe:
    """A probe by blackbox."""

    async def probe(mark: str) -> Seconds | None:
        status, text = await asked(port, f"/probe?module=get&target={quote(f'{url}/?n={mark}', safe='')}")
        if status != 200 or "\nprobe_success 1" not in text:
            return None
        return {THEIRS[phase]: float(seconds) for phase, seconds in PHASE.findall(text) if phase in THEIRS}

    return probe


def cpu_of(pid: int) -> float:
    """Seconds of CPU that process `pid` has used, its ended threads included."""
    return time.clock_gettime((~pid << 3) | 2)  # what clock_getcpuclockid(3) answers on Linux


async def measured(probe: Probe, rate: float, seconds: float, pid: int, log_port: int, phases: tuple[str, ...]) -> dict[str, Any]:
    """Probe at `rate` for `seconds` and tell the errors and the cost."""
    for _ in range(WARM):
        await probe(new_run_id(time.time()))
    gc.collect()
    gc.freeze()  # as the agent does once it has started
    count = max(1, round(rate * seconds))
    marks = [new_run_id(time.time()) for _ in range(count)]
    await asked(log_port, "/log")
    used, began = cpu_of(pid), time.monotonic()
    tasks = []
    for number, mark in enumerate(marks):
        await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
        tasks.append(asyncio.create_task(probe(mark)))
    found = await asyncio.gather(*tasks)
    used, took = cpu_of(pid) - used, time.monotonic() - began
    made: dict[str, Seconds] = json.loads((await asked(log_port, "/log"))[1])
    good = [(seen, made[mark]) for mark, seen in zip(marks, found, strict=True) if seen is not None]
    figures: dict[str, Any] = {"probes": count, "failed": count - len(good), "seconds": round(took, 2), "cpu_ms_per_probe": round(used / count * 1000, 3)}
    for phase in phases:
        figures[phase] = spread([seen[phase] - known.get(phase, 0.0) for seen, known in good if phase in seen])
    figures["server_late_p99_ms"] = spread([known[phase] - DELAYS[phase] for _, known in good for phase in known])["p99"]
    return figures


def spread(errors: list[float]) -> dict[str, float | None]:
    """Milliseconds of errors: their sizes' percentiles, and the mean with its sign."""
    if not errors:
        return {"p50": None, "p95": None, "p99": None, "mean": None}
    sizes = sorted(abs(error) for error in errors)
    of = {name: round(sizes[math.ceil(len(sizes) * share) - 1] * 1000, 3) for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))}
    return {**of, "mean": round(statistics.mean(errors) * 1000, 3)}


def ratios(mine: dict[str, Any], other: dict[str, Any]) -> dict[str, float]:
    """Ours over theirs, where both have figures."""
    pairs = {"cpu": (mine["cpu_ms_per_probe"], other["cpu_ms_per_probe"])}
    for phase, figures in mine.items():
        if isinstance(figures, dict):
            pairs |= {f"{phase}_{name}": (figures[name], other[phase][name]) for name in ("p50", "p99")}
    return {name: round(a / b, 2) for name, (a, b) in pairs.items() if a is not None and b}


def free_port() -> int:
    """A port nobody has now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


async def answering(port: int) -> bool:
    """Whether blackbox has come up within five seconds."""
    for _ in range(100):
        with contextlib.suppress(OSError):
            return (await asked(port, "/-/healthy"))[0] == 200
        await asyncio.sleep(0.05)
    return False


async def measure(options: argparse.Namespace, folder: Path, ports: dict[str, int], blackbox: tuple[int, int] | None) -> dict[str, Any]:
    """All figures."""
    found: dict[str, Any] = {"ours": {}, "blackbox": {}, "ratio": {}}
    if blackbox is not None and not await answering(blackbox[1]):
        raise SystemExit("blackbox was started and does not answer")
    for scheme, port in ports.items():
        url, secure = f"{scheme}://127.0.0.1:{port}", scheme == "https"
        phases = ("connect", "tls", "wait", "receive") if secure else ("connect", "wait", "receive")
        journey = load_text(JOURNEY.format(url=url, tls=", tls: {ca_file: ca.pem}" if secure else ""), folder / "timing.yaml")
        probers = {"ours": (ours(journey, {}), os.getpid())}
        if blackbox is not None:
            probers["blackbox"] = (theirs(blackbox[1], url), blackbox[0])
        for rate in options.rates:
            for name, (probe, pid) in probers.items():
                print(f"{name} {scheme} {rate:g}/s …", file=sys.stderr, flush=True)
                found[name].setdefault(scheme, {})[f"{rate:g}"] = await measured(probe, rate, options.seconds, pid, ports["http"], phases)
            if blackbox is not None:
                both = (found[name][scheme][f"{rate:g}"] for name in ("ours", "blackbox"))
                found["ratio"].setdefault(scheme, {})[f"{rate:g}"] = ratios(*both)
    return found


def show(found: dict[str, Any], out: Any) -> None:
    """Lines for people."""
    for name in ("ours", "blackbox"):
        if "left_out" in found[name]:
            print(f"{name} is left out: {found[name]['left_out']}", file=out)
            continue
        for scheme, by_rate in found[name].items():
            for rate, figures in by_rate.items():
                errors = "  ".join(f"{phase} {spread['p50']}/{spread['p95']}/{spread['p99']}" for phase, spread in figures.items() if isinstance(spread, dict))
                print(f"{name:<9}{scheme:<6}{rate:>4}/s  {errors}  cpu {figures['cpu_ms_per_probe']}  failed {figures['failed']}", file=out)
    print("milliseconds; errors p50/p95/p99 (reach: wait and receive p99 < 2 at 100/s, then < 1; cpu 0.53)", file=out)


def certificates(folder: Path) -> None:
    """An authority, and a server's certificate by it."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(folder / "server.pem")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=6)
    parser.add_argument("--rates", type=lambda text: [float(rate) for rate in text.split(",")], default=[1.0, 20.0, 100.0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve is not None:
        serve(options.serve)
        return
    program = shutil.which("prometheus-blackbox-exporter") or shutil.which("blackbox_exporter")
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        certificates(folder)
        server = started(stack, [sys.executable, __file__, "--serve", name], stdout=subprocess.PIPE, text=True)
        ports = dict(zip(("http", "https"), map(int, server.stdout.readline().split()), strict=True))
        blackbox, version = None, None
        if program is not None:
            version = re.search(r"version (\S+)", "".join(_said(program)))
            (folder / "blackbox.yml").write_text(BLACKBOX.format(ca=folder / "ca.pem"))
            port = free_port()
            command = [program, f"--config.file={folder / 'blackbox.yml'}", f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"]
            blackbox = (started(stack, command, stdout=subprocess.DEVNULL).pid, port)
        found = run_in_loop(measure(options, folder, ports, blackbox))
    machine = {"cpus": os.cpu_count(), "python": platform.python_version(), "load_before": round(load, 1), "load_after": round(os.getloadavg()[0], 1)}
    delays = {phase: round(seconds * 1000, 3) for phase, seconds in DELAYS.items()}
    found = {"machine": machine, "delays_ms": delays, "blackbox_version": version.group(1) if version else None, **found}
    if program is None:
        found["blackbox"] = {"left_out": "prometheus-blackbox-exporter is not installed here"}
    show(found, sys.stderr if options.json else sys.stdout)
    if options.json:
        print(json.dumps(found))


def _said(program: str) -> tuple[str, str]:
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    return done.stdout, done.stderr


def started(stack: contextlib.ExitStack, command: list[str], **how: Any) -> Any:
    """A process that ends with `stack`."""
    process = subprocess.Popen(command, **how)
    stack.callback(process.wait, 10)
    stack.callback(process.terminate)
    return process


if __name__ == "__main__":
    main()
