"""Reads a request's body within its limits: size as sent, size and ratio after decompression, time to arrive."""

import asyncio
import io
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from sojourn_collector.config import Limits
from sojourn_collector.receive.answers import RefusalError
from sojourn_collector.receive.budget import Held
from sojourn_probes.unpacking import UNPACKERS, NotUnpacked

Receive = Callable[[], Awaitable[dict[str, Any]]]
CODINGS = ("gzip", "zstd", "deflate")
"""How a body may be packed: what OpenTelemetry's exporters and collectors send."""
RATIO_FROM = 64 << 10
"""Bytes below which the ratio says nothing: a few equal lines compress well and harm nobody."""


class ClientGoneError(Exception):
    """The sender hung up before its request was whole; nobody waits for an answer."""


async def read_body(receive: Receive, headers: Mapping[bytes, bytes], limits: Limits, held: Held) -> bytes:
    """The decompressed body, what is there of it counted in `held`. Raises RefusalError, ClientGoneError."""
    encoding = headers.get(b"content-encoding", b"").strip().lower().decode("latin-1") or "identity"
    if encoding != "identity" and encoding not in CODINGS:
        raise RefusalError(415, f"Content-Encoding {encoding[:40]!r} is not read here; send {', '.join(CODINGS)} or no encoding.", "encoding")
    length = headers.get(b"content-length", b"0")
    if length.isdigit() and int(length) > limits.body:
        raise too_large(limits)
    inflater = None if encoding == "identity" else Inflater(encoding, limits)
    # Not pieces that are joined at the end: for a moment there would be twice as much, and the pieces' memory is seldom given back to the system.
    whole = io.BytesIO()
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
                    unpacked = piece if inflater is None else inflater.feed(piece)
                    held.grow(len(unpacked))
                    whole.write(unpacked)
                if not message.get("more_body"):
                    break
    except TimeoutError as error:
        raise RefusalError(408, f"The body did not arrive within {limits.body_deadline:g} s.", "slow", {"connection": "close"}) from error
    if inflater is not None:
        inflater.end()
    return whole.getvalue()


def too_large(limits: Limits) -> RefusalError:
    """413."""
    return RefusalError(413, f"The body is larger than the {limits.body} bytes taken here; send smaller batches.", "size", {"connection": "close"})


class Inflater:
    """Unpacks piece by piece; stops at a size and at a ratio, so that a bomb costs no more than one piece."""

    def __init__(self, coding: str, limits: Limits) -> None:
        self._coding, self._limits = coding, limits
        self._unpacker = UNPACKERS[coding]()
        self._in = self._out = 0

    def feed(self, data: bytes) -> bytes:
        """What `data` adds to the body. Raises RefusalError."""
        self._in += len(data)
        out: list[bytes] = []
        try:
            for piece in self._unpacker.pieces(data):
                self._out += len(piece)
                self._check()
                out.append(piece)
        except NotUnpacked as error:
            raise RefusalError(400, f"The body is not valid {self._coding}.", self._coding) from error
        return b"".join(out)

    def end(self) -> None:
        """The body is complete. Raises RefusalError when it ends in the middle."""
        try:
            if self._in:
                self._unpacker.finish()
        except NotUnpacked as error:
            raise RefusalError(400, f"The {self._coding} body ends too early.", self._coding) from error

    def _check(self) -> None:
        if self._out > self._limits.body:
            raise RefusalError(413, f"The body is larger than the {self._limits.body} bytes taken here once decompressed.", "size", {"connection": "close"})
        if self._out > RATIO_FROM and self._out > self._in * self._limits.ratio:
            raise RefusalError(413, f"The body grows more than {self._limits.ratio} times when decompressed.", "bomb", {"connection": "close"})
