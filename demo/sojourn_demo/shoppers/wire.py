"""A lean HTTP/1.1 client for hundreds of shoppers at once against our own servers on loopback.

The general client costs some 3 ms of CPU per request here, which on two cores would take from the parts being shown; this one a tenth.
It keeps connections open, reads replies with a Content-Length, and knows nothing else: no TLS, no redirects, no cookies.
"""

import asyncio
import json
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class WireError(Exception):
    """No reply: the server could not be reached, hung up, or spoke something else."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body as JSON; an empty object when it is something else."""
        return json.loads(self.body) if self.headers.get("content-type", "").startswith("application/json") else {}


@dataclass(slots=True)
class Wire:
    """Connections to servers on loopback. `timeout` in seconds holds for one request. Close it when done."""

    timeout: float = 60.0
    _idle: dict[tuple[str, int], list[Stream]] = field(default_factory=lambda: defaultdict(list))

    async def request(self, method: str, url: str, headers: Mapping[str, str], body: bytes = b"") -> Reply:
        """Send one request and read its reply; once more on a fresh connection when an idle one turns out to be closed. Raises WireError."""
        parts = urlsplit(url)
        server = parts.hostname or "", parts.port or 80
        path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        lines = [f"{method} {path} HTTP/1.1", f"host: {parts.netloc}", f"content-length: {len(body)}", *(f"{name}: {value}" for name, value in headers.items())]
        message = "\r\n".join([*lines, "", ""]).encode("latin-1", "replace") + body
        try:
            async with asyncio.timeout(self.timeout):
                while self._idle[server]:
                    with suppress(ConnectionError, asyncio.IncompleteReadError):
                        return await self._exchange(server, self._idle[server].pop(), message)
                return await self._exchange(server, await asyncio.open_connection(*server), message)
        except (OSError, EOFError, ValueError, TimeoutError) as error:
            raise WireError(f"{method} {url}: {type(error).__name__}") from error

    async def aclose(self) -> None:
        """Close all connections."""
        for streams in self._idle.values():
            for _, writer in streams:
                writer.close()
                with suppress(OSError):
                    await writer.wait_closed()
        self._idle.clear()

    async def _exchange(self, server: tuple[str, int], stream: Stream, message: bytes) -> Reply:
        reader, writer = stream
        keep = False
        try:
            writer.write(message)
            status, headers = _head(await reader.readuntil(b"\r\n\r\n"))
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            keep = headers.get("connection", "") != "close"
        finally:
            if keep:
                self._idle[server].append(stream)
            else:
                writer.close()
        return Reply(status, headers, body)


def _head(head: bytes) -> tuple[int, dict[str, str]]:
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
    if "transfer-encoding" in headers:
        raise ValueError("a reply of unknown length")
    return int(first.split(" ", 2)[1]), headers
