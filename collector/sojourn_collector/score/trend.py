"""Whether something rises or falls: the Theil–Sen slope with its 95 % interval (Sen 1968). An arrow only where the interval leaves 0 out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

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
    # Loading it takes a good part of a second, which every command would wait for.
    from scipy import stats

    slope, _, low, high = (float(one) for one in stats.theilslopes(list(values), at, 0.95))
    return Trend("rising" if low > 0 else "falling" if high < 0 else "no trend", slope, low, high)
