"""Durations as counts in buckets whose bounds grow by 2 %: any quantile is within 1 %, sums of any hours are exact, and every engine can read them.

Bucket i holds what lies in (g^(i-1), g^i], g = 1.01 / 0.99, in milliseconds; less than a microsecond counts as one. The same as a DDSketch's
(Masson, Rim, Lee 2019), but as a plain map: a state of the engine's own would have to be readable by its version five years on.
"""

from collections.abc import Iterable, Mapping
from math import ceil, log

ACCURACY = 0.01
GROWTH = (1 + ACCURACY) / (1 - ACCURACY)
STEP = log(GROWTH)
"""Width of a bucket in logarithms; `roll_runs.sql` and `roll_steps.sql` write it out."""
LEAST = 0.001


def bucket(ms: float) -> int:
    """The bucket of a duration in milliseconds."""
    return ceil(log(max(ms, LEAST)) / STEP)


def merged(maps: Iterable[Mapping[int, int]]) -> dict[int, int]:
    """The counts of all of them together."""
    out: dict[int, int] = {}
    for one in maps:
        for key, count in one.items():
            out[key] = out.get(key, 0) + count
    return out


def quantile(counts: Mapping[int, int], q: float) -> float | None:
    """The q-quantile (0–1) in milliseconds, within 1 % of one of the values around that rank; None of no values."""
    left = q * (sum(counts.values()) - 1)
    for key in sorted(counts):
        left -= counts[key]
        if left < 0:
            return float(2 * GROWTH**key / (GROWTH + 1))
    return None
