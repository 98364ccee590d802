"""A real OTLP/HTTP backend on loopback that keeps what it gets and answers as told."""

import asyncio
import contextlib
import gzip
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn

from sojourn_collector.listeners import take
from tests.serving import PromptServer

Answer = tuple[int, dict[str, str], bytes]


@dataclass
class Sink:
    """`answer` says what each request hears, by its path, headers and unpacked body; what hears 2xx is in `taken`, everything in `asked`."""

    url: str = ""
    answer: Callable[[str, dict[str, str], bytes], Answer] = lambda path, headers, body: (200, {}, b"")
    asked: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    taken: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """ASGI."""
        packed = b""
        while True:
            message = await receive()
            packed += message.get("body", b"")
            if not message.get("more_body"):
                break
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        body = gzip.decompress(packed)
        status, extra, said = self.answer(scope["path"], headers, body)
        self.asked.append((scope["path"], headers, body))
        if status < 300:
            self.taken.append((scope["path"], headers, body))
        self.changed.set()
        fields = [(name.encode(), value.encode()) for name, value in extra.items()]
        await send({"type": "http.response.start", "status": status, "headers": fields})
        await send({"type": "http.response.body", "body": said})

    async def until(self, what: Callable[[], bool], seconds: float = 30.0) -> None:
        """Wait until a condition holds that only requests change."""
        async with asyncio.timeout(seconds):
            while not what():
                self.changed.clear()
                await self.changed.wait()


@contextlib.asynccontextmanager
async def sinking(address: str = "127.0.0.1:0", certificate: Path | None = None) -> AsyncIterator[Sink]:
    """Run one, over TLS with a certificate."""
    sink = Sink()
    taken = take(address, "sink")
    server = PromptServer(uvicorn.Config(sink, lifespan="off", log_config=None, timeout_graceful_shutdown=1, ssl_certfile=certificate))
    server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign,assignment]
    sink.url = "{}://{}:{}".format("https" if certificate else "http", *taken.getsockname()[:2])
    serving = asyncio.create_task(server.serve(sockets=[taken]))
    try:
        yield sink
    finally:
        server.should_exit = True
        await serving
        taken.close()
