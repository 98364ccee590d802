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
    given = np.asarray(values, dtype=float)
    finite = given[np.isfinite(given)]
    if not len(finite):
        raise ValueError("there is no past window to learn from")
    mean = float(finite.mean())
    k = rank(len(given), level)
    residuals = np.sort(np.where(np.isfinite(given), np.abs(given - mean), inf))
    return mean, float(residuals[k - 1]) if k <= len(given) else inf
