"""Kaplan–Meier for waiting times of which some still go on: median and other quantiles with 95 % intervals.

A mean over what is finished would leave out the slowest. Curve: Kaplan & Meier 1958, variance Greenwood's, bands on the log(−log) scale;
the interval of a quantile is where the bands cross it (Brookmeyer & Crowley 1982).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sojourn_collector.score.intervals import Z95

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Waiting:
    """One quantile of waiting times in seconds; a bound of None lies beyond what was seen, and so may the value itself."""

    value: float | None
    low: float | None
    high: float | None
    finished: int
    waiting: int


@dataclass(frozen=True, slots=True)
class Curve:
    """Share still waiting after each time at which somebody's waiting ended, with its 95 % band."""

    times: Floats
    share: Floats
    low: Floats
    high: Floats


def curve(spans: Sequence[float], finished: Sequence[bool]) -> Curve:
    """The share still waiting.

    :param spans: seconds waited, until the end or, where it goes on, until now; not negative.
    :raises ValueError: for a negative span or lists of different lengths.
    """
    span, done = np.asarray(spans, dtype=float), np.asarray(finished, dtype=bool)
    if len(span) != len(done) or (span < 0).any():
        raise ValueError("each waiting time is 0 or longer and says whether it has ended")
    times, ended = np.unique(span[done], return_counts=True)
    risk = len(span) - np.searchsorted(np.sort(span), times, side="left")
    share = np.cumprod(1 - ended / risk, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        greenwood = np.cumsum(ended / (risk * (risk - ended)))
        scale = np.exp(Z95 * np.sqrt(greenwood) / np.abs(np.log(share)))
        # Where all have ended there is no variance to speak of: the band closes at 0.
        low, high = np.where(share > 0, share**scale, 0.0), np.where(share > 0, share ** (1 / scale), 0.0)
    return Curve(times, share, low, high)


def quantile(spans: Sequence[float], finished: Sequence[bool], share: float = 0.5) -> Waiting:
    """When a share of those waiting had come to their end; .5 = median, .9 = nine in ten.

    :raises ValueError: for a share outside 0–1, and as `curve`.
    """
    if not 0 < share < 1:
        raise ValueError(f"a quantile lies between 0 and 1, not at {share}")
    one = curve(spans, finished)
    count = int(np.asarray(finished, dtype=bool).sum())
    return Waiting(
        _crossing(one.times, one.share, 1 - share),
        _crossing(one.times, one.low, 1 - share),
        _crossing(one.times, one.high, 1 - share),
        count,
        len(spans) - count,
    )


def _crossing(times: Floats, values: Floats, level: float) -> float | None:
    below = np.flatnonzero(values <= level + 1e-12)
    return float(times[below[0]]) if len(below) else None
