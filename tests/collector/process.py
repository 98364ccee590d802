"""Runs `sojourn-collector run` as a process, as an operator would; for tests that kill it."""

import asyncio
import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx2

from tests.collector.engine_folder import copy_tables

CONFIG = """data: data
journeys: journeys
otlp: {{listen: "127.0.0.1:0"{grpc}}}
web: {{listen: "127.0.0.1:0"}}
limits: {{memory: 2 GiB}}
"""


class CollectorProcess:
    """One collector on a folder, restarted on the same data."""

    def __init__(self, folder: Path, *, grpc: bool = False, tables: bool = False) -> None:
        """`grpc`: take OTLP over gRPC too. `tables`: they are made already, and its first start need not make them."""
        self.folder = folder
        if tables:
            copy_tables(folder / "data/engine")
        (folder / "journeys").mkdir()
        self.config = folder / "collector.yaml"
        self.config.write_text(CONFIG.format(grpc=', grpc: "127.0.0.1:0"' if grpc else ""))
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def runtime(self) -> dict[str, Any]:
        """Addresses of the running collector."""
        return dict(json.loads((self.folder / "data/control.json").read_text()))

    async def start(self) -> None:
        """Start and wait until OTLP is taken."""
        (self.folder / "data/control.json").unlink(missing_ok=True)
        with (self.folder / "log.txt").open("ab") as log:
            self._process = subprocess.Popen([sys.executable, "-m", "sojourn_collector.cli", "run", "--config", str(self.config)], stderr=log)
        try:
            await self.until(lambda: (self.folder / "data/control.json").exists() and self.runtime["pid"] == self.pid, "the collector to start")
        except BaseException:
            self.kill()  # nobody else would
            raise

    @property
    def pid(self) -> int:
        """Process id of the collector."""
        assert self._process
        return self._process.pid

    @property
    def engine_pid(self) -> int:
        """Process id of its engine."""
        return int(json.loads((self.folder / "data/engine/engine.pid").read_text())["pid"])

    def kill(self) -> None:
        """kill -9 the collector alone."""
        assert self._process
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def stop(self) -> int:
        """SIGTERM; returns its exit code."""
        assert self._process
        if self._process.poll() is None:
            self._process.terminate()
        return self._process.wait(30)

    async def ready(self) -> None:
        """Wait until /readyz says ready."""

        async def is_ready() -> bool:
            return (await self.get("/readyz")).status_code == 200

        await self.until_true(is_ready, "the collector to be ready")

    async def get(self, path: str) -> httpx2.Response:
        """Ask the web listener."""
        async with httpx2.AsyncClient(trust_env=False, verify=False, timeout=10) as http:
            return await http.get(self.runtime["web"] + path)

    async def until(self, what: Any, wanted: str) -> None:
        """Poll a plain condition."""

        async def asked() -> bool:
            return bool(what())

        await self.until_true(asked, wanted)

    async def until_true(self, what: Any, wanted: str, seconds: float = 200.0) -> None:
        """Poll a condition with a deadline, for what never comes and not for what is slow; says what was waited for, and the process's last words."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                if await what():
                    return
            except (OSError, ValueError, KeyError, httpx2.HTTPError):
                pass
            if self._process and self._process.poll() is not None:
                break
            await asyncio.sleep(0.05)
        raise AssertionError(f"waited in vain for {wanted}; the log ends with:\n{(self.folder / 'log.txt').read_text()[-3000:]}")


def alive(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
