"""Ids of runs, traces and spans."""

import os
from collections.abc import Callable

RandomBytes = Callable[[int], bytes]
"""Gives that many random bytes; `os.urandom` except in tests."""


def new_run_id(now: float, random: RandomBytes = os.urandom) -> str:
    """A UUIDv7 (RFC 9562 §5.7): `now`, seconds since the epoch, in its first 48 bits as milliseconds, the rest random."""
    value = (int(now * 1000) & (1 << 48) - 1) << 80 | int.from_bytes(random(10))
    value = value & ~(0xF << 76) | 7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def new_trace_id(random: RandomBytes = os.urandom) -> str:
    """32 hex digits, not all zero (W3C Trace Context)."""
    return _nonzero(16, random)


def new_span_id(random: RandomBytes = os.urandom) -> str:
    """16 hex digits, not all zero (W3C Trace Context)."""
    return _nonzero(8, random)


def _nonzero(size: int, random: RandomBytes) -> str:
    while not any(raw := random(size)):
        continue
    return raw.hex()
