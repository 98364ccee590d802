"""Whether something rises or falls: the Theil–Sen slope with its interval (Sen 1968). A word only where the interval leaves 0 out.

Pages look again each day. Sen's interval of 95 % would sooner or later leave 0 out of what has no trend; it is taken at the confidence of a confidence
sequence, which holds at all looks together.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sojourn_collector.score.sequential import sure_at

LEAST = 7
"""Points below which nothing is said."""

TIGHTEST = 28
"""Points at which the sequence is tightest: the days of the usual window."""


@dataclass(frozen=True, slots=True)
class Trend:
    """Slope per unit of time, its interval that holds however often one looks, and the word for it; `unknown` with fewer than `LEAST` points."""

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

    slope, _, low, high = (float(one) for one in stats.theilslopes(list(values), at, sure_at(len(values), tightest_at=TIGHTEST)))
    return Trend("rising" if low > 0 else "falling" if high < 0 else "no trend", slope, low, high)
