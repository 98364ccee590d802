"""Runs the command `sojourn` as a process, with or without a terminal."""

import asyncio
import os
import pty
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

PROGRAM = (sys.executable, "-m", "sojourn_probes.cli")


@dataclass
class Done:
    """What a command left."""

    code: int | None
    out: str
    err: str


async def program(*args: object, **env: str) -> Done:
    """The command as a process without a terminal, to its end."""
    process = await asyncio.create_subprocess_exec(*PROGRAM, *map(str, args), stdout=-1, stderr=-1, stdin=asyncio.subprocess.DEVNULL, env={**os.environ, **env})
    out, err = await process.communicate()
    return Done(process.returncode, out.decode("utf-8", "replace"), err.decode("utf-8", "replace"))


@dataclass
class Terminal:
    """A command at a terminal: what it has shown so far, and keys for it."""

    process: asyncio.subprocess.Process
    side: int
    shown: str = ""
    more: asyncio.Event = field(default_factory=asyncio.Event)

    async def shows(self, text: str, times: int = 1) -> None:
        """Wait until `text` has been shown so often."""
        async with asyncio.timeout(60):
            while self.shown.count(text) < times:
                self.more.clear()
                await self.more.wait()

    def press(self, key: bytes) -> None:
        """Press a key; b"\\x03" is Ctrl-C and goes to every process of the terminal's foreground, as at a real one."""
        os.write(self.side, key)

    async def ended(self) -> int:
        """Its exit code."""
        async with asyncio.timeout(60):
            return await self.process.wait()


@asynccontextmanager
async def terminal(*args: object, **env: str) -> AsyncIterator[Terminal]:
    """The command in the foreground of a terminal of its own."""
    ours, theirs = pty.openpty()
    environ = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "120", "LINES": "40", **env}
    # A session of its own with this terminal as the controlling one, so that Ctrl-C becomes a signal; it is heard also where the tests run in the background.
    starter = (
        "import fcntl, os, signal, sys, termios; os.setsid(); fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
        "signal.signal(signal.SIGINT, signal.SIG_DFL); os.execv(sys.argv[1], sys.argv[1:])"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", starter, *PROGRAM, *map(str, args), stdin=theirs, stdout=theirs, stderr=theirs, env=environ
    )
    os.close(theirs)
    at = Terminal(process, ours)
    reading = asyncio.create_task(_read(at))
    try:
        yield at
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        await reading
        os.close(ours)


async def _read(at: Terminal) -> None:
    """All that is written to the terminal until nobody has it open any more."""
    while chunk := await asyncio.to_thread(_chunk, at.side):
        at.shown += chunk.decode("utf-8", "replace")
        at.more.set()


def _chunk(side: int) -> bytes:
    try:
        return os.read(side, 65536)
    except OSError:  # EIO: the other side is closed
        return b""
