"""Whether something rises or falls: the Theil–Sen slope with its 95 % interval (Sen 1968). An arrow only where the interval leaves 0 out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import special

LEAST = 7
"""Points below which nothing is said."""


@dataclass(frozen=True, slots=True)
class Trend:
    """Slope per unit of time, its interval, and the word for it; `unknown` with fewer than `LEAST` points."""

    direction: Literal["rising", "falling", "no trend", "unknown"]
    slope: float | None = None
    low: float | None = None
    high: float | None = None


def trend(values: Sequence[float], times: Sequence[float] | None = None) -> Trend:
    """The trend of values; `times` by default 0, 1, 2 …

    :raises ValueError: when times and values differ in number.
    """
    at = list(range(len(values))) if times is None else list(times)
    if len(at) != len(values):
        raise ValueError("each value needs its time")
    if len(values) < LEAST or len(set(at)) < 2:
        return Trend("unknown")
    slope, low, high = _theil_sen(at, values)
    return Trend("rising" if low > 0 else "falling" if high < 0 else "no trend", slope, low, high)


def _theil_sen(times: Sequence[float], values: Sequence[float]) -> tuple[float, float, float]:
    """Median of the slopes between any two points, and the slopes between which it lies (Sen 1968, eq. 2.6)."""
    x, y = np.array(times, dtype=float), np.array(values, dtype=float)
    later = x[:, None] > x
    slopes = np.sort((y[:, None] - y)[later] / (x[:, None] - x)[later])
    count = len(slopes)
    variance = (_pairs(len(y)) - sum(_pairs(many) for one in (x, y) for many in np.unique(one, return_counts=True)[1])) / 18
    # Where more points are tied than tell apart there is no variance, and every slope may be it.
    apart = -special.ndtri(0.025) * np.sqrt(variance) if variance >= 0 else count
    low = max(int(np.round((count - apart) / 2)) - 1, 0)
    high = min(int(np.round((count + apart) / 2)), count - 1)
    return float(np.median(slopes)), float(slopes[low]), float(slopes[high])


def _pairs(many: int) -> int:
    return int(many * (many - 1) * (2 * many + 5))
