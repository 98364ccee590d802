"""Durations as Go programs write them: `1h30m`, `500ms`."""

import re
from typing import Any

_PIECE = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)(ns|us|µs|ms|s|m|h|d)")
_SIZE = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def seconds_of(value: Any) -> float | None:
    """Seconds, a bare number taken for seconds; None when it is no duration."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, str) or not re.fullmatch(rf"(?:{_PIECE.pattern}){{1,6}}", value.strip()):
        return None
    return sum(float(number) * _SIZE[unit] for number, unit in _PIECE.findall(value))
