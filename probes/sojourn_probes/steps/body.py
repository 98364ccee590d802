"""Reads a body within bounds: what a small compressed body unpacks to is counted while unpacking, not after."""

from collections.abc import AsyncIterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from sojourn_probes.unpacking import UNPACKERS, NotUnpacked, Unpacker

ENCODINGS: Final = "gzip, deflate, br, zstd"
"""What we ask for and can unpack."""

MOST_PACKED: Final = 4
"""How often a body may be packed."""


class BodyTooLarge(Exception):  # noqa: N818 - says what is the matter
    """The body is larger than allowed."""


@dataclass(slots=True)
class Body:
    """A body as far as it was read: `wire` counts bytes as received, `content` is unpacked."""

    wire: int = 0
    content: bytearray = field(default_factory=bytearray)


async def read_body(chunks: AsyncIterable[bytes], encoding: str, limit: int, body: Body) -> None:
    """Read `chunks` into `body`, unpacking `encoding` (a Content-Encoding), at most `limit` bytes unpacked.

    Raises `BodyTooLarge`, and `NotUnpacked` for what is not what it says.
    """
    unpackers = _unpackers(encoding)
    async for chunk in chunks:
        body.wire += len(chunk)
        for piece in _through(unpackers, chunk):
            body.content += piece
            if len(body.content) > limit:
                del body.content[limit:]
                raise BodyTooLarge
    if body.wire:
        for unpacker in unpackers:
            unpacker.finish()


def _unpackers(encoding: str) -> list[Unpacker]:
    """In the order of unpacking: the encoding applied last first. Unknown ones are left as they are."""
    named = [word for part in encoding.split(",") if (word := part.strip().lower()) in UNPACKERS]
    if len(named) > MOST_PACKED:
        raise NotUnpacked(f"it is packed {len(named)} times over")
    return [UNPACKERS[name]() for name in reversed(named)]


def _through(unpackers: list[Unpacker], data: bytes) -> Iterator[bytes]:
    if not unpackers:
        yield data
        return
    for piece in unpackers[0].pieces(data):
        yield from _through(unpackers[1:], piece)
