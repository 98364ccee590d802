"""The listeners of the process: sockets taken before anything else starts, uvicorn without its signal handlers, deadlines and a bound for connections."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from typing import Any, cast

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from sojourn_collector.config import split_listen
from sojourn_collector.connections import Connections
from sojourn_collector.listener_tls import ServerTls, sender_of

HEADER_DEADLINE = 10.0
"""Seconds for a request's headers to arrive; uvicorn itself would wait for ever."""
BODY_DEADLINE = 60.0
"""Seconds for a request's body, whoever reads it; those who read it politely have a shorter one and an answer."""
WRITE_DEADLINE = 60.0
"""Seconds a sender may leave an answer lying before it reads on."""
HEADER_BYTES = 64 << 10
CONNECTIONS = 4096
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
    """uvicorn's HTTP with deadlines for headers, body and the reading of the answer, a size for headers, and a place among the listener's connections."""

    _timer: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None
    _header_bytes = 0

    def connection_made(self, transport: Any) -> None:
        """Start the clock at once: a silent connection counts."""
        super().connection_made(transport)
        self._arm(HEADER_DEADLINE)
        self._room.made(self)

    def data_received(self, data: bytes) -> None:
        """Start it again for the next request on the same connection."""
        if self.cycle is None or self.cycle.response_complete:
            self._arm(HEADER_DEADLINE)
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
        """In time; the body has its own. Whom the sender's certificate names goes along in the scope, as `PEER`."""
        self._disarm()
        self._arm(self._body_deadline)
        self._room.works(self)
        connection = self.transport.get_extra_info("ssl_object") if self.transport is not None else None
        self.scope[PEER] = None if connection is None else sender_of(connection.getpeercert())  # type: ignore[literal-required]
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The request is whole."""
        self._disarm()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Idle, unless another request was sent ahead or the body of this one still comes."""
        super().on_response_complete()
        if self.cycle.response_complete:
            self._room.rests(self)

    def pause_writing(self) -> None:
        """The sender does not read its answer: it has a while to go on."""
        super().pause_writing()
        if self._unread is None:
            self._unread = self.loop.call_later(WRITE_DEADLINE, self._abort)

    def resume_writing(self) -> None:
        """It reads on."""
        self._forgive()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing to wait for."""
        self._disarm()
        self._forgive()
        self._room.lost(self)
        super().connection_lost(exc)

    def _count(self, data: bytes) -> None:
        self._header_bytes += len(data)
        if self._header_bytes > HEADER_BYTES:
            # The parser turns an error of a callback into 400 and closes.
            raise ValueError("the headers are too large")

    def let_go(self) -> None:
        """Make room for another connection."""
        self._disarm()
        if self.transport is not None:
            self.transport.close()

    @property
    def _room(self) -> Connections:
        return cast(GuardedConfig, self.config).connections

    @property
    def _body_deadline(self) -> float:
        return cast(GuardedConfig, self.config).body_deadline

    def _forgive(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def _abort(self) -> None:
        self._unread = None
        if self.transport is not None:
            self.transport.abort()

    def _arm(self, seconds: float) -> None:
        if self._timer is None:
            self._timer = self.loop.call_later(seconds, self._close)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _close(self) -> None:
        self._timer = None
        if self.transport is not None:
            self.transport.close()


class GuardedConfig(uvicorn.Config):
    """uvicorn's configuration with what `GuardedProtocol` needs."""

    def __init__(self, app: Any, connections: Connections, body_deadline: float) -> None:
        super().__init__(
            app, http=GuardedProtocol, ws="none", lifespan="off", log_config=None, access_log=False, server_header=False, timeout_graceful_shutdown=3
        )
        self.connections = connections
        self.body_deadline = body_deadline


class QuietServer(uvicorn.Server):
    """A uvicorn server whose owner decides when it ends."""

    def __init__(self, app: Any, tls: ServerTls | None = None, *, connections: int = CONNECTIONS, body_deadline: float = BODY_DEADLINE) -> None:
        """`connections` may be open at once; a body is waited for `body_deadline` seconds."""
        self.connections = Connections(connections)
        config = GuardedConfig(app, self.connections, body_deadline)
        config.load()
        config.ssl = None if tls is None else tls.context
        super().__init__(config)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the process."""
        yield
