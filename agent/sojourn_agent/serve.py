"""Our HTTP listeners: sockets bound before anything starts, uvicorn in the agent's own loop, a deadline for headers."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from typing import Any, Final

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from sojourn_agent.config import split_listen
from sojourn_probes.errors import SojournError

HEADER_SECONDS: Final = 10.0
"""How long the headers of a request may take to arrive; uvicorn itself waits for ever."""

MAX_CONNECTIONS: Final = 2000


class ListenError(SojournError):
    """A listener cannot be opened; the text is one sentence with the cure."""


def bind(listen: str, key: str) -> socket.socket:
    """A listening socket at `listen`. `key` is its key in agent.yaml, for the sentence of `ListenError`."""
    host, port = split_listen(listen)
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    except OSError as error:
        raise ListenError(f"{listen} ({key} in agent.yaml) is no address of this host: {error.strerror}") from None
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(2048)
    except OSError as error:
        listener.close()
        raise ListenError(_why_not(listen, key, error)) from None
    listener.setblocking(False)
    return listener


def _why_not(listen: str, key: str, error: OSError) -> str:
    if isinstance(error, PermissionError):
        return f"this user may not listen on {listen}; set {key} in agent.yaml to a port above 1023"
    if error.errno == 98:  # EADDRINUSE
        return f"{listen} is taken, perhaps by another agent; stop what listens there or set {key} in agent.yaml to another port"
    return f"cannot listen on {listen} ({key} in agent.yaml): {error.strerror}"


class Listener(uvicorn.Server):
    """One ASGI app on one socket, in the loop that is running. It leaves signals to the agent."""

    def __init__(self, app: Any, listening: socket.socket, *, header_seconds: float = HEADER_SECONDS) -> None:
        protocol = type("Protocol", (_HeaderDeadline,), {"header_seconds": header_seconds})
        config = uvicorn.Config(
            app,
            http=protocol,
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,  # whose word counts is `rum: proxies:` to say, not a default that believes whatever comes from loopback
            limit_concurrency=MAX_CONNECTIONS,
            timeout_keep_alive=15,
            timeout_graceful_shutdown=3,
        )
        super().__init__(config)
        self._listening = listening
        self.address: str = "{}:{}".format(*listening.getsockname()[:2])

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Not ours to take: the agent stops its listeners itself."""
        yield

    async def run_here(self) -> None:
        """Serve until `should_exit` is set."""
        await self.serve(sockets=[self._listening])


class _HeaderDeadline(HttpToolsProtocol):
    """Closes a connection whose request headers take too long (half a header would otherwise hold it for ever)."""

    header_seconds: float = HEADER_SECONDS
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        super().connection_made(transport)
        self._expect_headers()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._expect_headers()

    def on_headers_complete(self) -> None:
        self._forget_deadline()
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget_deadline()
        super().connection_lost(exc)

    def _expect_headers(self) -> None:
        self._forget_deadline()
        self._deadline = self.loop.call_later(self.header_seconds, self.transport.close)

    def _forget_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
