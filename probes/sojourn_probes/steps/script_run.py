"""Walks a `script` step: the file runs in a process of its own, which nothing outlives and which sees nothing of our environment."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from sojourn_probes.expect import shortened
from sojourn_probes.result import Failure
from sojourn_probes.semconv import FailureKind
from sojourn_probes.steps.base import Observation, StepContext
from sojourn_probes.steps.script import ScriptModel
from sojourn_probes.units import show_size

MAX_VALUE: Final = 1_000_000
"""Bytes of what a script returns."""
MAX_PRINTED: Final = 64 * 1024
"""Bytes kept of what it prints."""
PASSED_ON: Final = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "SSL_CERT_FILE")
"""Environment variables the script sees. Secrets reach it by its args alone."""
_MOST_TAKEN: Final = 2 * MAX_PRINTED
_LEAVING_SECONDS: Final = 1.0


class Runner:
    """Walks one `script` step."""

    async def run(self, part: ScriptModel, context: StepContext) -> Observation:
        """Run the script of `part` and say what it returned."""
        now = context.clock.now_ns()
        seen = Observation(now, now)
        context.kept["partial"] = seen
        try:
            file = _file(context.folder, part.file)
            if file is None:
                message = f"{part.file} is not in the journey's folder; put it there, its path is relative to the journey file"
                seen.failure = Failure(FailureKind.CONFIG, message)
            else:
                seen.waiting = f"{part.file} is still running"
                await _walk(file, context.names.fill(part.args), context, seen)
                seen.waiting = ""
        finally:
            seen.ended_ns = context.clock.now_ns()
        context.kept.pop("partial", None)
        return seen


def _file(folder: Path, name: str) -> Path | None:
    home = folder.resolve()
    path = (home / name).resolve()
    return path if path.is_relative_to(home) and path.is_file() else None


async def _walk(file: Path, args: Any, context: StepContext, seen: Observation) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",
        "-m",
        "sojourn_probes.steps.script_child",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=file.parent,
        env={name: os.environ[name] for name in PASSED_ON if name in os.environ} | {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1"},
        start_new_session=True,
    )
    answer, printed = bytearray(), bytearray()
    reading = [
        asyncio.ensure_future(_read(process.stdout, answer, MAX_VALUE + 1024)),
        asyncio.ensure_future(_read(process.stderr, printed, _MOST_TAKEN)),
    ]
    try:
        await _ask(process, {"file": str(file), "args": args})
        # What it leaves running may hold its output open for ever, so that its own end counts.
        await _ended(process.pid)
    finally:
        # What the script started must not outlive it, whether it ended or was stopped.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        await asyncio.shield(_leave(process, reading))
        # First redact, then cut and split: a part of a secret would not be recognised any more.
        whole = len(printed) < _MOST_TAKEN
        said = context.redact.text(printed.decode("utf-8", "replace")) if whole else context.redact.beginning(printed)
        text = said.encode()[:MAX_PRINTED]
        seen.console = text.decode("utf-8", "ignore").splitlines()
    _judge(process.returncode or 0, bytes(answer), context, seen)


async def _ended(pid: int) -> None:
    """Return when the process has ended, whoever else holds its pipes."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return  # it has ended, and was told so to the event loop
    loop, over = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(descriptor, over.set)
    try:
        await over.wait()
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)


async def _ask(process: asyncio.subprocess.Process, asked: dict[str, Any]) -> None:
    assert process.stdin is not None
    with contextlib.suppress(ConnectionError):
        process.stdin.write(json.dumps(asked, default=str).encode())
        await process.stdin.drain()
    process.stdin.close()


async def _read(stream: asyncio.StreamReader | None, into: bytearray, most: int) -> None:
    """All of `stream`, of which `most` bytes are kept."""
    assert stream is not None
    while data := await stream.read(65536):
        into += data[: max(0, most - len(into))]


async def _leave(process: asyncio.subprocess.Process, reading: Sequence[asyncio.Future[None]]) -> None:
    """Wait for the end of the killed process and of its output; what escaped into a session of its own is not waited for."""
    waiting: list[asyncio.Future[Any]] = [*reading, asyncio.ensure_future(process.wait())]
    _, late = await asyncio.wait(waiting, timeout=_LEAVING_SECONDS)
    if late:
        process._transport.close()  # type: ignore[attr-defined]  # there is no public way to let go of the pipes
    for one in late:
        one.cancel()
    await asyncio.gather(*late, return_exceptions=True)


def _judge(code: int, answer: bytes, context: StepContext, seen: Observation) -> None:
    def failed(kind: FailureKind, message: str) -> None:
        seen.failure = Failure(kind, context.redact.text(message))

    if len(answer) > MAX_VALUE:
        failed(FailureKind.CONTENT, f"the script returned more than {show_size(MAX_VALUE)}; return less")
        return
    try:
        outcome = json.loads(answer)
        # A script can write here itself, so nothing is taken for granted.
        texts = [outcome.get(key, "") for key in ("config", "failed", "place")] if isinstance(outcome, dict) else [None]
        told = all(isinstance(text, str) for text in texts) and not {"config", "failed", "value"}.isdisjoint(outcome)
    except (ValueError, RecursionError):
        told = False
    if not told:
        how = f"was ended by {_signal(-code)}" if code < 0 else f"ended with exit code {code}"
        failed(FailureKind.SCRIPT, f"the script {how} and returned nothing" + (f"; it said: {seen.console[-1][:200]}" if seen.console else ""))
    elif "config" in outcome:
        failed(FailureKind.CONFIG, outcome["config"])
    elif "failed" in outcome:
        failed(FailureKind.SCRIPT, shortened(context.redact.text(_sound(outcome["failed"]))) + outcome.get("place", ""))
    else:
        seen.facts["body"] = _sound(json.dumps(outcome["value"], ensure_ascii=False))


def _sound(text: str) -> str:
    """`text` without halves of surrogate pairs, which could neither be sent nor stored."""
    return text.encode("utf-8", "replace").decode()


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # real-time signals have no names
        return f"signal {number}"
