"""Durations and sizes as the configuration writes them."""

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, ValidationInfo

SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400}
BYTES = {"B": 1, "KB": 1000, "MB": 10**6, "GB": 10**9, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}


LONGEST_DAYS = 3650


def duration(value: Any) -> float:
    """Seconds of `30m`, `1.5s`, `500ms`. Raises ValueError."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)", value) if isinstance(value, str) else None
    if not match:
        raise ValueError(f"{value!r} is not a duration; write a number with ms, s, m, h or d, such as 30m")
    seconds = float(match[1]) * SECONDS[match[2]]
    if seconds > LONGEST_DAYS * SECONDS["d"]:
        raise ValueError(f"{value[:40]!r} is too long; write at most {LONGEST_DAYS}d")
    return seconds


def size(value: Any) -> int:
    """Bytes of `20 MiB`. Raises ValueError."""
    match = re.fullmatch(r"(\d{1,15}(?:\.\d+)?)\s*(B|KB|MB|GB|KiB|MiB|GiB)", value) if isinstance(value, str) else None
    if not match:
        raise ValueError(f"{value!r} is not a size; write a number with B, KiB, MiB or GiB, such as 20 MiB")
    return int(float(match[1]) * BYTES[match[2]])


def _duration(value: Any) -> Any:
    return value if isinstance(value, float) else duration(value)


def _size(value: Any, info: ValidationInfo) -> Any:
    return value if isinstance(value, int) and info.mode == "python" and not info.context else size(value)


Duration = Annotated[float, BeforeValidator(_duration)]
Size = Annotated[int, BeforeValidator(_size)]
