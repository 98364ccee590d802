"""Reads a body within bounds: what a small compressed body unpacks to is counted while unpacking, not after."""

import zlib
from collections.abc import AsyncIterable
from dataclasses import dataclass, field
from typing import Any, Final

ENCODINGS: Final = "gzip, deflate"
"""What we ask for and can unpack."""

_WINDOW: Final = {"gzip": 31, "x-gzip": 31, "deflate": 15}


class BodyTooLarge(Exception):  # noqa: N818 - says what is the matter
    """The body is larger than allowed."""


@dataclass(slots=True)
class Body:
    """A body as far as it was read: `wire` counts bytes as received, `content` is unpacked."""

    wire: int = 0
    content: bytearray = field(default_factory=bytearray)


async def read_body(chunks: AsyncIterable[bytes], encoding: str, limit: int, body: Body) -> None:
    """Read `chunks` into `body`, unpacking `encoding` (a Content-Encoding), at most `limit` bytes unpacked.

    Raises `BodyTooLarge`, and zlib.error for what is not what it says.
    """
    window = _WINDOW.get(encoding.strip().lower())
    unpack = None if window is None else zlib.decompressobj(window)
    async for chunk in chunks:
        body.wire += len(chunk)
        if unpack is None:
            body.content += chunk
        else:
            _unpack(unpack, chunk, body, limit)
        if len(body.content) > limit:
            del body.content[limit:]
            raise BodyTooLarge
    if unpack is not None and body.wire:
        body.content += unpack.flush()
        if not unpack.eof:
            raise zlib.error("it ends in the middle")


def _unpack(unpack: Any, chunk: bytes, body: Body, limit: int) -> None:
    pending = chunk
    while pending and not unpack.eof:
        body.content += unpack.decompress(pending, limit - len(body.content) + 1)
        if len(body.content) > limit:
            return
        pending = unpack.unconsumed_tail
