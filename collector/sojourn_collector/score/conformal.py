"""Absolute-residual conformal intervals from placebo windows (Vovk, Gammerman & Shafer 2005; Lei et al. 2018).

The same figure is taken in many past windows in which nothing happened. How far each lies from their mean says how far today's would have
lain; the k-th smallest of n distances, k = ⌈.95 (n + 1)⌉, covers a like window with at least 95 % whatever the distribution.
"""

from collections.abc import Sequence
from math import ceil, inf

import numpy as np

LEVEL = 0.95
LEAST = 19
"""Windows from which ⌈.95 (n + 1)⌉ is at most n."""


def rank(n: int, level: float = LEVEL) -> int:
    """Which of n ordered residuals bounds the interval; above n there are too few."""
    # .95 · 20 is 19.000000000000004 to a computer.
    return ceil(round(level * (n + 1), 9))


def half_width(values: Sequence[float], level: float = LEVEL) -> tuple[float, float]:
    """Mean of the finite values and the half-width around it; infinite where n is too small or too many values are.

    :param values: one figure per past window; ±inf for a window in which it could not be taken.
    :raises ValueError: when no value is finite.
    """
    return foretold(values, (), 0.0, level)


def foretold(values: Sequence[float], at: Sequence[float], now: float, level: float = LEVEL) -> tuple[float, float]:
    """What a least-squares line through the finite values says of `now`, and the half-width around it; infinite as in `half_width`.

    :param values: one figure per past window; ±inf for a window in which it could not be taken.
    :param at: when each was, in any unit of time; empty or all alike = no trend, their mean.
    :param now: in the same unit.
    :raises ValueError: when no value is finite.
    """
    given = np.asarray(values, dtype=float)
    finite = np.isfinite(given)
    if not finite.any():
        raise ValueError("there is no past window to learn from")
    when = np.asarray(at if len(at) else np.zeros(len(given)), dtype=float)
    middle, mean = float(when[finite].mean()), float(given[finite].mean())
    ahead = when - middle
    across = float((ahead[finite] ** 2).sum())
    slope = float((ahead[finite] * (given[finite] - mean)).sum()) / across if across > 0 else 0.0
    k = rank(len(given), level)
    ordered = np.sort(np.where(finite, np.abs(given - mean - slope * ahead), inf))
    return mean + slope * (now - middle), float(ordered[k - 1]) if k <= len(given) else inf
