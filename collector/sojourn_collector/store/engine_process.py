"""Starts and ends the engine's process; knows nothing of event loops."""

import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from sojourn_collector.store.endpoint import Endpoint as Endpoint
from sojourn_collector.store.endpoint import EngineStartError as EngineStartError


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """What the engine may use. `memory` in bytes, `start_deadline` in seconds."""

    memory: int = 4 << 30
    readers: int = 4
    start_deadline: float = 60.0

    def options(self) -> str:
        """Start arguments of the engine; its own defaults are 90 % of the memory and 5 GB of mark cache."""
        return f"max_server_memory_usage={self.memory}&mark_cache_size={min(256 << 20, self.memory // 8)}&max_concurrent_queries=64"


class EngineProcess:
    """One engine on one folder, in its own process group."""

    def __init__(self, folder: Path, settings: EngineSettings) -> None:
        self._folder = folder
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """Process id while one runs."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def start(self) -> Endpoint:
        """Start the process and wait until it listens (seconds). Raises EngineStartError."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._end_stale()
        token = secrets.token_urlsafe(32)
        # The child asks to be killed when the thread that forked it ends (PR_SET_PDEATHSIG): threads of a pool live as long as the loop.
        process = subprocess.Popen(
            [sys.executable, "-m", "sojourn_collector.store.engine_child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
            cwd=self._folder,  # the engine keeps the schemas of the Protobuf reader in ./__cache__
            env={**os.environ, "TZ": "UTC"},
        )
        self._process = process
        self._pid_file.write_text(json.dumps({"pid": process.pid, "started": started_ticks(process.pid)}))
        order = {
            "path": str(self._folder.resolve() / "data"),
            "options": self._settings.options(),
            "readers": self._settings.readers,
            "token": token,
            "parent": os.getpid(),
        }
        answer = self._ask(process, json.dumps(order).encode() + b"\n")
        if "port" not in answer:
            self.kill()
            raise EngineStartError(f"The engine did not start in {self._folder}: {answer.get('error', 'its process ended at once')}")
        return Endpoint("127.0.0.1", int(answer["port"]), token)

    def _ask(self, process: subprocess.Popen[bytes], order: bytes) -> dict[str, Any]:
        assert process.stdin
        assert process.stdout
        lines: SimpleQueue[bytes] = SimpleQueue()
        stdout = process.stdout
        threading.Thread(target=lambda: lines.put(stdout.readline()), daemon=True).start()
        try:
            process.stdin.write(order)
            process.stdin.flush()
            line = lines.get(timeout=self._settings.start_deadline)
            return dict(json.loads(line)) if line else {}
        except Empty:
            return {"error": f"it did not answer within {self._settings.start_deadline:g} s"}
        except (BrokenPipeError, ValueError):
            return {}

    def alive(self) -> bool:
        """Whether the process runs (a stopped one does)."""
        return self._process is not None and self._process.poll() is None

    def resident_bytes(self) -> int:
        """Resident memory of the process; 0 when it is gone."""
        try:
            return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        except (OSError, IndexError):
            return 0

    def cpu_ticks(self) -> int:
        """CPU time the process has used, in clock ticks; 0 when it is gone."""
        try:
            fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return 0
        return int(fields[11]) + int(fields[12])

    def stop(self, grace: float = 5.0) -> None:
        """Ask it to end, wait up to `grace` seconds, then kill."""
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):  # killed below
                self._process.wait(grace)
        self.kill()

    def kill(self) -> None:
        """End the whole process group at once; SIGKILL reaches a stopped process too."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.poll() is None:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe:
                with contextlib.suppress(BrokenPipeError):  # an order nobody read
                    pipe.close()
        self._pid_file.unlink(missing_ok=True)

    @property
    def _pid_file(self) -> Path:
        return self._folder / "engine.pid"

    def _end_stale(self) -> None:
        """Kill an engine left over from a collector that was killed: it holds the folder's lock."""
        try:
            noted = json.loads(self._pid_file.read_text())
            pid, started = int(noted["pid"]), noted["started"]
        except (OSError, ValueError, KeyError, TypeError):
            return
        # The start time guards against a process id that was given to somebody else since.
        if started is None or started_ticks(pid) != started:
            return
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return
        deadline = time.monotonic() + 10
        while started_ticks(pid) == started and time.monotonic() < deadline:
            time.sleep(0.02)


def started_ticks(pid: int) -> int | None:
    """Start time of a process in clock ticks since boot (`/proc/<pid>/stat`, field 22); None when there is none or it is a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else int(fields[19])
