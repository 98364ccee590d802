"""A real little web site on loopback, told by each test what to answer."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass
class Asked:
    """One request as it came in."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


Answer = bytes | Sequence[bytes | float] | None
"""The raw answer, or its pieces with seconds of silence between them, or None to hang up without one."""


def answer(status: int = 200, body: str | bytes = b"", **headers: str) -> bytes:
    """A raw HTTP answer; underscores in header names become hyphens."""
    raw = body.encode() if isinstance(body, str) else body
    lines = [f"HTTP/1.1 {status} Said", f"content-length: {len(raw)}", *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + raw


@dataclass
class Site:
    """Where it listens and what it was asked so far."""

    url: str
    port: int
    asked: list[Asked] = field(default_factory=list)


Respond = Callable[[Asked], Awaitable[Answer]]


@asynccontextmanager
async def site(respond: Respond, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> AsyncIterator[Site]:
    """Serve `respond` until the block ends; every connection is closed after its answer."""
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            asked = await _read(reader)
            if asked is not None:
                served.asked.append(asked)
                raw = await respond(asked)
                for piece in () if raw is None else (raw,) if isinstance(raw, bytes) else raw:
                    if isinstance(piece, bytes):
                        writer.write(piece)
                        await writer.drain()
                    else:
                        await asyncio.sleep(piece)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the other side is gone, or the test is over
        finally:
            tasks.discard(task)
            writer.close()

    server = await asyncio.start_server(serve, host, 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    served = Site(f"{'https' if tls else 'http'}://{'localhost' if tls else host}:{port}", port)
    try:
        yield served
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _read(reader: asyncio.StreamReader) -> Asked | None:
    line = (await reader.readline()).decode("latin-1").split()
    if len(line) < 2:
        return None
    headers: dict[str, str] = {}
    while (raw := await reader.readline()).strip():
        name, _, value = raw.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()
    return Asked(line[0], line[1], headers, await reader.readexactly(int(headers.get("content-length", "0"))))
