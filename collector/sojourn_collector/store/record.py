"""A journal record: an accepted request as the engine's Protobuf reader takes it, with what the ledger needs.

    Record { string tenant=1; string batch=2; fixed64 received=3; bytes body=4; fixed32 crc=5; string credential=6; bytes digest=7; uint64 items=8;
             fixed32 head_crc=9 }

Each is preceded by its length (varint). `body` is the untouched OTLP request. Path and batch id, credential and digest make the ledger's row, so a lost
ledger is rebuilt from the files. `crc` is over the body, `head_crc` over everything before it, `crc` included: together they find a torn or damaged record.
The body is last. The engine reads tenant, received and body and skips the rest.
"""

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

FIXED64, LENGTH, FIXED32, VARINT = 1, 2, 5, 0
LARGEST = 80 << 20


FIELDS = frozenset(range(1, 10))


@dataclass(frozen=True, slots=True)
class Record:
    """One accepted request. `received` in nanoseconds since 1970; `batch` is empty when the sender gave no id; `items` counts its rows."""

    tenant: str
    batch: str
    received: int
    credential: str
    digest: bytes
    items: int
    body: bytes

    def encode(self) -> bytes:
        """The record with its length before it."""
        fields = (
            _bytes(1, self.tenant.encode())
            + _bytes(2, self.batch.encode())
            + b"\x19"
            + struct.pack("<Q", self.received)
            + b"\x2d"
            + struct.pack("<I", zlib.crc32(self.body))
            + _bytes(6, self.credential.encode())
            + _bytes(7, self.digest)
            + b"\x40"
            + varint(self.items)
        )
        fields += b"\x4d" + struct.pack("<I", zlib.crc32(fields)) + b"\x22" + varint(len(self.body))
        return b"".join((varint(len(fields) + len(self.body)), fields, self.body))


def varint(number: int) -> bytes:
    """Base-128 with continuation bits, lowest first."""
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def _bytes(field: int, value: bytes) -> bytes:
    return bytes([field << 3 | LENGTH]) + varint(len(value)) + value


def read(data: bytes) -> Iterator[tuple[int, int, Record]]:
    """Whole records with their start and end offsets; stops before the first torn or damaged one."""
    at = 0
    while at < len(data):
        try:
            length, begin = read_varint(data, at)
            end = begin + length
            if length > LARGEST or end > len(data):
                return
            record = _decode(memoryview(data)[begin:end])
        except (IndexError, ValueError, struct.error):
            return
        yield at, end, record
        at = end


def survey(data: bytes) -> Iterator[tuple[int, int, Record | None]]:
    """All of a file: whole records, and the damaged stretches between and after them (None), with their offsets.

    After a damaged record the next one is looked for: where its length says, else wherever a record with its right checksums begins.
    """
    at = 0
    while at < len(data):
        upto = at
        for start, end, record in read(data[at:] if at else data):
            yield at + start, at + end, record
            upto = at + end
        if upto == len(data):
            return
        at = _next(data, upto)
        yield upto, at, None


def torn(data: bytes, at: int) -> bool:
    """Whether what begins at `at` is a write that never ended: fewer bytes than its length says, or nothing but zeros."""
    try:
        length, begin = read_varint(data, at)
    except (IndexError, ValueError):
        return True
    return LARGEST >= length > len(data) - begin or not any(data[at:])


def _next(data: bytes, damaged: int) -> int:
    try:
        length, begin = read_varint(data, damaged)
        if length and begin + length <= len(data) and (begin + length == len(data) or _whole(data, begin + length)):
            return begin + length
    except (IndexError, ValueError):
        pass  # its length is damaged too
    # A record begins with its length, then field 1 (the tenant), then field 2.
    for found in re.finditer(rb"\x0a([\x00-\x7f])", data[damaged + 2 :]):
        first = damaged + 2 + found.start()
        second = first + 2 + found[1][0]
        if second < len(data) and data[second] == 0x12:
            for start in range(first - 1, max(first - 5, damaged), -1):
                if _whole(data, start, first):
                    return start
    return len(data)


def _whole(data: bytes, at: int, begin: int | None = None) -> bool:
    """Whether a whole record begins at `at`, with its fields at `begin`."""
    try:
        length, fields = read_varint(data, at)
        if begin not in (None, fields) or length > LARGEST or fields + length > len(data):
            return False
        _decode(memoryview(data)[fields : fields + length])
    except (IndexError, ValueError, struct.error):
        return False
    return True


def read_varint(data: bytes | memoryview, at: int) -> tuple[int, int]:
    """A number and the offset after it. Raises IndexError at the end, ValueError when it is too long."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7
        if shift > 63:
            raise ValueError("a number is too long")


def _decode(data: memoryview) -> Record:
    found: dict[int, int | bytes] = {}
    at, checked = 0, False
    while at < len(data):
        began = at
        key, at = read_varint(data, at)
        kind = key & 7
        if key == 9 << 3 | FIXED32:
            if zlib.crc32(data[:began]) != struct.unpack_from("<I", data, at)[0]:
                raise ValueError("the head is damaged")
            checked = True
        if kind == LENGTH:
            length, at = read_varint(data, at)
            if at + length > len(data):
                raise ValueError("a field is torn")
            found[key >> 3] = bytes(data[at : at + length])
            at += length
        elif kind == FIXED64:
            found[key >> 3] = struct.unpack_from("<Q", data, at)[0]
            at += 8
        elif kind == FIXED32:
            found[key >> 3] = struct.unpack_from("<I", data, at)[0]
            at += 4
        elif kind == VARINT:
            found[key >> 3], at = read_varint(data, at)
        else:
            raise ValueError("not a record")
    # Without its checksum, or with a field nobody writes, a key was hit.
    if not checked or not found.keys() <= FIELDS:
        raise ValueError("the head is damaged")
    body = found.get(4, b"")
    if not isinstance(body, bytes) or zlib.crc32(body) != found.get(5):
        raise ValueError("the body is damaged")
    return Record(_text(found, 1), _text(found, 2), _number(found, 3), _text(found, 6), _raw(found, 7), _number(found, 8), body)


def _raw(found: dict[int, int | bytes], field: int) -> bytes:
    value = found.get(field, b"")
    if not isinstance(value, bytes):
        raise ValueError("not a record")
    return value


def _text(found: dict[int, int | bytes], field: int) -> str:
    return _raw(found, field).decode()


def _number(found: dict[int, int | bytes], field: int) -> int:
    value = found.get(field, 0)
    if not isinstance(value, int):
        raise ValueError("not a record")
    return value
