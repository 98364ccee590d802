"""The listeners of the process: sockets taken before anything else starts, uvicorn without its signal handlers, a deadline for headers."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from sojourn_collector.config import split_listen
from sojourn_collector.listener_tls import ServerTls, sender_of

HEADER_DEADLINE = 10.0
"""Seconds for a request's headers to arrive; uvicorn itself would wait for ever."""
HEADER_BYTES = 64 << 10
PEER = "sojourn.peer"
"""Key of the ASGI scope under which a sender's certificate is named; None without one."""


class ListenError(Exception):
    """An address cannot be listened on; the text is one sentence with the cure."""


def take(address: str, key: str) -> socket.socket:
    """Bind `address`, such as `127.0.0.1:4318`; `key` is where collector.yaml gives it. Raises ListenError."""
    host, port = split_listen(address)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=1024)
    except OSError as error:
        why = "is taken by another program" if error.errno in {98, 48} else f"cannot be listened on ({error.strerror})"
        raise ListenError(taken_sentence(address, key, why)) from error


def taken_sentence(address: str, key: str, why: str = "is taken by another program, or is no address of this machine") -> str:
    """What is said of an address that cannot be listened on; `key` names it in collector.yaml."""
    return f"{address} {why}: stop that program or give {key} another address in collector.yaml"


def url_of(host: str, port: int, *, tls: bool = False) -> str:
    """Where what listens on `host` and `port` is reached from this machine."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    scheme = "https" if tls else "http"
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


class GuardedProtocol(HttpToolsProtocol):
    """uvicorn's HTTP with a deadline and a size for headers."""

    _timer: asyncio.TimerHandle | None = None
    _header_bytes = 0

    def connection_made(self, transport: Any) -> None:
        """Start the clock at once: a silent connection counts."""
        super().connection_made(transport)
        self._arm()

    def data_received(self, data: bytes) -> None:
        """Start it again for the next request on the same connection."""
        if self.cycle is None or self.cycle.response_complete:
            self._arm()
        super().data_received(data)

    def on_message_begin(self) -> None:
        """Each request has its own size."""
        self._header_bytes = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """The request line counts as a header."""
        self._count(url)
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Count, then keep."""
        self._count(name + value)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """In time. Whom the sender's certificate names goes along in the scope, as `PEER`."""
        self._disarm()
        connection = self.transport.get_extra_info("ssl_object") if self.transport is not None else None
        self.scope[PEER] = None if connection is None else sender_of(connection.getpeercert())  # type: ignore[literal-required]
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing to wait for."""
        self._disarm()
        super().connection_lost(exc)

    def _count(self, data: bytes) -> None:
        self._header_bytes += len(data)
        if self._header_bytes > HEADER_BYTES:
            # The parser turns an error of a callback into 400 and closes.
            raise ValueError("the headers are too large")

    def _arm(self) -> None:
        if self._timer is None:
            self._timer = self.loop.call_later(HEADER_DEADLINE, self._close)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _close(self) -> None:
        self._timer = None
        if self.transport is not None:
            self.transport.close()


class QuietServer(uvicorn.Server):
    """A uvicorn server whose owner decides when it ends."""

    def __init__(self, app: Any, tls: ServerTls | None = None) -> None:
        config = uvicorn.Config(
            app, http=GuardedProtocol, ws="none", lifespan="off", log_config=None, access_log=False, server_header=False, timeout_graceful_shutdown=3
        )
        config.load()
        config.ssl = None if tls is None else tls.context
        super().__init__(config)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the process."""
        yield
