"""The parts of the demo as processes: each in a group of its own, its output in a file, none left behind."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

TAIL: Final = 25
"""Lines of a log shown when a part has died."""
PATIENCE: Final = 10.0
"""Seconds a part may take to stop before it is killed."""


class PartDiedError(Exception):
    """A part stopped by itself; the text names it and ends with its last words."""


@dataclass(slots=True)
class Part:
    """One running process of the demo."""

    name: str
    process: asyncio.subprocess.Process
    log: Path

    def last_words(self) -> str:
        """The last lines of the part's log."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-TAIL:]
        return "\n".join(f"    {line}" for line in lines)

    async def watch(self) -> None:
        """Wait until the part ends, which it should not. Raises PartDiedError when it does."""
        code = await self.process.wait()
        raise PartDiedError(f"{self.name} stopped by itself (exit {code}); its last words, from {self.log}:\n{self.last_words()}")

    async def stop(self) -> None:
        """SIGTERM to the group, SIGKILL when it takes too long, and once more for what it left behind."""
        if self.process.returncode is None:
            _signal(self.process.pid, signal.SIGTERM)
            try:
                async with asyncio.timeout(PATIENCE):
                    await self.process.wait()
            except TimeoutError:
                _signal(self.process.pid, signal.SIGKILL)
                await self.process.wait()
        _signal(self.process.pid, signal.SIGKILL)


def _signal(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


@dataclass(slots=True)
class Parts:
    """Starts parts and stops them in reverse order."""

    folder: Path
    running: list[Part] = field(default_factory=list)
    _watchers: list[asyncio.Task[None]] = field(default_factory=list)

    async def start(self, name: str, arguments: Sequence[str], environment: Mapping[str, str] | None = None, *, watch: asyncio.TaskGroup | None = None) -> Part:
        """Start `python ARGUMENTS…` as part `name`; its output goes to `{name}.log`.

        With `watch`, that group fails with PartDiedError as soon as the part stops by itself.
        """
        log, scratch = self.folder / f"{name}.log", self.folder / "tmp"
        # What a browser that had to be killed leaves in its temporary folder goes with ours.
        scratch.mkdir(exist_ok=True)
        values = {"TMPDIR": str(scratch), **(environment or {})}
        program = [sys.executable, "-I", str(Path(__file__).with_name("launch.py")), str(os.getpid()), sys.executable, *arguments]
        with log.open("ab") as output:
            process = await asyncio.create_subprocess_exec(
                *program, stdin=asyncio.subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True, env=clean_environment(values)
            )
        part = Part(name, process, log)
        self.running.append(part)
        if watch is not None:
            self._watchers.append(watch.create_task(part.watch()))
        return part

    async def run(self, name: str, arguments: Sequence[str]) -> str:
        """Run a command to its end and return what it printed. Raises PartDiedError when it fails."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=clean_environment({}),
        )
        try:
            out, err = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode:
            raise PartDiedError(f"{name} failed (exit {process.returncode}): {(err or out).decode(errors='replace').strip()}")
        return out.decode()

    def unwatch(self) -> None:
        """From now on parts may stop."""
        for watcher in self._watchers:
            watcher.cancel()

    async def stop(self) -> None:
        """Stop everything, the last started first."""
        while self.running:
            await self.running.pop().stop()


def clean_environment(extra: Mapping[str, str]) -> dict[str, str]:
    """The environment of a part: ours without what would change telemetry or send loopback through a proxy."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("OTEL_") and not key.upper().endswith("_PROXY")}
    return {**kept, "PYTHONUNBUFFERED": "1", **extra}
