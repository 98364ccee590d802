"""Reads a request's body within its limits: size as sent, size and ratio after decompression, time to arrive."""

import asyncio
import zlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from sojourn_collector.config import Limits
from sojourn_collector.receive.answers import RefusalError

Receive = Callable[[], Awaitable[dict[str, Any]]]
PIECE = 256 << 10
RATIO_FROM = 64 << 10
"""Bytes below which the ratio says nothing: a few equal lines compress well and harm nobody."""


class ClientGoneError(Exception):
    """The sender hung up before its request was whole; nobody waits for an answer."""


async def read_body(receive: Receive, headers: Mapping[bytes, bytes], limits: Limits) -> bytes:
    """The decompressed body. Raises RefusalError, ClientGoneError."""
    encoding = headers.get(b"content-encoding", b"identity").strip().lower()
    if encoding not in {b"identity", b"", b"gzip"}:
        raise RefusalError(415, f"Content-Encoding {encoding[:40].decode('latin-1')!r} is not read here; send gzip or no encoding.", "encoding")
    length = headers.get(b"content-length", b"0")
    if length.isdigit() and int(length) > limits.body:
        raise too_large(limits)
    inflater = Inflater(limits) if encoding == b"gzip" else None
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(limits.body_deadline):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise ClientGoneError
                piece = message.get("body", b"")
                size += len(piece)
                if size > limits.body:
                    raise too_large(limits)
                if piece:
                    parts.append(piece if inflater is None else inflater.feed(piece))
                if not message.get("more_body"):
                    break
    except TimeoutError as error:
        raise RefusalError(408, f"The body did not arrive within {limits.body_deadline:g} s.", "slow", {"connection": "close"}) from error
    if inflater is not None:
        inflater.end()
    return b"".join(parts)


def too_large(limits: Limits) -> RefusalError:
    """413."""
    return RefusalError(413, f"The body is larger than the {limits.body} bytes taken here; send smaller batches.", "size", {"connection": "close"})


class Inflater:
    """Gunzips piece by piece; stops at a size and at a ratio, so that a bomb costs no more than one piece."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._engine = zlib.decompressobj(zlib.MAX_WBITS | 16)
        self._in = self._out = 0
        self._begun = False

    def feed(self, data: bytes) -> bytes:
        """What `data` adds to the body. Raises RefusalError."""
        self._in += len(data)
        out: list[bytes] = []
        while True:
            if self._engine.eof:
                # A gzip file may have several members, one after the other.
                self._engine = zlib.decompressobj(zlib.MAX_WBITS | 16)
            self._begun = True
            try:
                piece = self._engine.decompress(data, PIECE)
            except zlib.error as error:
                raise RefusalError(400, "The body is not valid gzip.", "gzip") from error
            self._out += len(piece)
            self._check()
            out.append(piece)
            if self._engine.eof:
                data = self._engine.unused_data
                done = not data
            else:
                # A full piece may leave output inside zlib even when all input is consumed.
                data = self._engine.unconsumed_tail
                done = not data and len(piece) < PIECE
            if done:
                break
        return b"".join(out)

    def end(self) -> None:
        """The body is complete. Raises RefusalError when the last member is not."""
        if self._begun and not self._engine.eof:
            raise RefusalError(400, "The gzip body ends too early.", "gzip")

    def _check(self) -> None:
        if self._out > self._limits.body:
            raise RefusalError(413, f"The body is larger than the {self._limits.body} bytes taken here once decompressed.", "size", {"connection": "close"})
        if self._out > RATIO_FROM and self._out > self._in * self._limits.ratio:
            raise RefusalError(413, f"The body grows more than {self._limits.ratio} times when decompressed.", "bomb", {"connection": "close"})
