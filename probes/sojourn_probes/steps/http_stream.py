"""A connection on the event loop's own transports, as httpcore2 wants its streams: few steps between a byte's coming and our seeing it."""

import asyncio
import ssl
from collections import deque
from typing import Any, Final

import httpcore2

MAX_WAITING: Final = 256 * 1024
"""Bytes taken in and not yet read, beyond which the other side has to wait."""


class Stream(asyncio.Protocol, httpcore2.AsyncNetworkStream):
    """One TCP connection, later perhaps one of TLS.

    `received` counts the bytes read so far, `ended` says whether the other side has closed. What breaks is an OSError.
    """

    def __init__(self) -> None:
        self.received = 0
        self.ended = False
        self._transport: Any = None
        self._chunks: deque[bytes] = deque()
        self._waiting = 0
        self._paused = False
        self._fault: Exception | None = None
        self._reader: asyncio.Future[None] | None = None
        self._writer: asyncio.Future[None] | None = None
        self._blocked = False

    @classmethod
    async def connect(cls, address: str, port: int) -> "Stream":
        """A connection to `address`. Raises OSError."""
        loop = asyncio.get_running_loop()
        _, stream = await loop.create_connection(cls, address, port)
        return stream

    @property
    def alive(self) -> bool:
        """Whether one may still ask something here."""
        return not (self.ended or self._chunks or self._blocked or self._transport is None or self._transport.is_closing())

    @property
    def heard(self) -> bool:
        """Whether something came that was not read yet."""
        return bool(self._chunks)

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 - the base class's signature
        """What has come, at least a byte; nothing when the other side has closed."""
        while not self._chunks:
            if self._fault is not None:
                raise self._fault
            if self.ended:
                return b""
            self._reader = asyncio.get_running_loop().create_future()
            try:
                await self._reader
            finally:
                self._reader = None
        chunk = self._chunks.popleft()
        self._waiting -= len(chunk)
        self.received += len(chunk)
        if self._paused and self._waiting < MAX_WAITING:
            self._paused = False
            self._transport.resume_reading()
        return chunk

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109 - the base class's signature
        """Hand `buffer` to the network; returns when there is room for more, or something to read: that may be a no to what is being sent."""
        if self._fault is not None:
            raise self._fault
        if self._transport.is_closing():
            return  # why it is closing is not known yet; the next read says it
        self._transport.write(buffer)
        if self._blocked and not self._chunks and not self.ended:
            self._writer = asyncio.get_running_loop().create_future()
            try:
                await self._writer
            finally:
                self._writer = None

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - the base class's signature
    ) -> "Stream":
        """Go on in TLS, within `timeout` seconds. Raises ssl.SSLError and OSError."""
        loop = asyncio.get_running_loop()
        if self._chunks:  # who speaks first speaks no TLS, and the handshake would never see what is already here
            spoken = ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] the server spoke first")
            spoken.reason = "WRONG_VERSION_NUMBER"
            raise spoken
        self._transport = await loop.start_tls(self._transport, self, ssl_context, server_hostname=server_hostname, ssl_handshake_timeout=timeout)
        return self

    async def aclose(self) -> None:
        """Close now: TLS says goodbye if it can, nobody waits for an answer to it."""
        if self._transport is not None:
            # Aborting what was closed twice is an AttributeError in the TLS transport of Python 3.11.2.
            if not self._transport.is_closing():
                self._transport.close()
            self._transport.abort()
            await asyncio.sleep(0)

    def get_extra_info(self, info: str) -> Any:
        """`ssl_object`, `server_addr` and `client_addr`, by httpcore2's names."""
        name = {"server_addr": "peername", "client_addr": "sockname"}.get(info, info)
        return None if self._transport is None else self._transport.get_extra_info(name)

    # What the transport tells.

    def connection_made(self, transport: Any) -> None:
        """The connection is there."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Something came."""
        self._chunks.append(data)
        self._waiting += len(data)
        if self._waiting >= MAX_WAITING and not self._paused:
            self._paused = True
            self._transport.pause_reading()
        _wake(self._reader)
        _wake(self._writer)

    def eof_received(self) -> bool:
        """The other side will say no more; we may still finish what we say, except in TLS."""
        self.ended = True
        _wake(self._reader)
        _wake(self._writer)
        return self._transport.get_extra_info("ssl_object") is None

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self.ended = True
        self._fault = self._fault or exc
        self._blocked = False
        _wake(self._reader)
        if self._writer is not None and not self._writer.done():
            self._writer.set_exception(exc or ConnectionResetError("the connection is closed"))

    def pause_writing(self) -> None:
        """There is no room for more."""
        self._blocked = True

    def resume_writing(self) -> None:
        """There is room again."""
        self._blocked = False
        _wake(self._writer)


def _wake(waiter: "asyncio.Future[None] | None") -> None:
    if waiter is not None and not waiter.done():
        waiter.set_result(None)
