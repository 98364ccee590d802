"""One record of a spool segment: a fixed header and the request body as it goes over the wire (gzip).

Header (little endian): magic, CRC of the rest of the header, sequence number, created (ms since the epoch), batch id, signal,
size and CRC of the body. Header and body have their own CRC, so that a damaged body costs one record and not what follows it.
"""

import struct
import uuid
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal, cast

Signal = Literal["traces", "logs", "metrics"]
SIGNALS: Final[tuple[Signal, ...]] = ("traces", "logs", "metrics")

MAGIC: Final = b"SJR1"
_CHECKED: Final = struct.Struct("<QQ16sBII")
HEADER_SIZE: Final = len(MAGIC) + 4 + _CHECKED.size
MAX_STORED: Final = 4 << 20  # far above what `append` takes; a larger size in a header means damage


@dataclass(frozen=True, slots=True)
class Record:
    """One batch: its place in the spool, its id, and the gzipped body that is sent."""

    seq: int
    created_ms: int
    batch: uuid.UUID
    signal: Signal
    body: bytes

    @property
    def size(self) -> int:
        """Bytes the record takes in a segment."""
        return HEADER_SIZE + len(self.body)

    def encode(self) -> bytes:
        """The record as it lies in a segment."""
        checked = _CHECKED.pack(self.seq, self.created_ms, self.batch.bytes, SIGNALS.index(self.signal), len(self.body), zlib.crc32(self.body))
        return b"".join((MAGIC, zlib.crc32(checked).to_bytes(4, "little"), checked, self.body))


@dataclass(frozen=True, slots=True)
class Found:
    """A record met while scanning, `None` when its body is damaged, and the offset behind it."""

    seq: int
    created_ms: int
    record: Record | None
    end: int


def scan(data: bytes, offset: int = 0) -> Iterator[Found]:
    """Every record of `data` from `offset` on. Damaged bytes are stepped over to the next sound header; a tail without one ends the scan."""
    while (offset := _next_header(data, offset)) >= 0:
        seq, created_ms, batch, signal, size, body_crc = _CHECKED.unpack_from(data, offset + 8)
        start = offset + HEADER_SIZE
        body = data[start : start + size]
        if len(body) == size and zlib.crc32(body) == body_crc:
            offset = start + size
            yield Found(seq, created_ms, Record(seq, created_ms, uuid.UUID(bytes=batch), SIGNALS[signal], body), offset)
        elif _next_header(data, offset + HEADER_SIZE) >= 0:
            offset = _next_header(data, offset + HEADER_SIZE)
            yield Found(seq, created_ms, None, offset)
        else:
            return


def _next_header(data: bytes, offset: int) -> int:
    while (offset := data.find(MAGIC, offset)) >= 0:
        if _sound(data, offset):
            return offset
        offset += 1
    return -1


def _sound(data: bytes, offset: int) -> bool:
    checked = data[offset + 8 : offset + HEADER_SIZE]
    if len(checked) < _CHECKED.size or zlib.crc32(checked) != int.from_bytes(data[offset + 4 : offset + 8], "little"):
        return False
    signal, size = cast(tuple[int, int], _CHECKED.unpack(checked)[3:5])
    return signal < len(SIGNALS) and size <= MAX_STORED
