"""Intervals for shares: Wilson at n, and at an effective n where the units carry weights.

Source: Wilson 1927; the effective sample size is Kish's. Check values are in tests/collector/score/test_intervals.py.
"""

from collections.abc import Sequence
from math import sqrt

import numpy as np

Z95 = 1.959963984540054
"""Two-sided 95 % point of the normal distribution."""


def wilson(share: float, n: float, z: float = Z95) -> tuple[float, float]:
    """Wilson's score interval for a share.

    :param share: the observed share, 0–1.
    :param n: how many units it speaks of; may be an effective n and then broken.
    :param z: normal quantile, 1.96 for 95 %.
    :returns: (low, high), both within 0–1.
    :raises ValueError: when n is not positive or the share is outside 0–1.
    """
    if n <= 0:
        raise ValueError("a share of no units has no interval")
    if not 0 <= share <= 1:
        raise ValueError(f"a share lies between 0 and 1, not at {share}")
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    # At 0 and 1 the exact bound is the share itself; rounding must not push it past.
    low = 0.0 if share == 0 else max(0.0, min(share, centre - half))
    high = 1.0 if share == 1 else min(1.0, max(share, centre + half))
    return low, high


def wilson_counts(successes: float, n: float) -> tuple[float, float]:
    """Wilson's 95 % interval for `successes` of `n`; see `wilson`."""
    if n <= 0:
        raise ValueError("a share of no units has no interval")
    return wilson(successes / n, n)


def effective_n(weights: Sequence[float]) -> float:
    """How many equal units these weights are worth: (Σw)² / Σw². 0 for no units."""
    w = np.asarray(weights, dtype=float)
    squares = float(np.square(w).sum())
    return float(w.sum()) ** 2 / squares if squares > 0 else 0.0
