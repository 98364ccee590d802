"""Elasticity: how the odds of satisfaction or conversion go with each doubling of the first latency at a step. Definition: docs/methods.md.

Latency is relative to the median of its cell (route × device × network × hour), the errors are clustered by person. It is an association.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log2
from typing import Literal

import numpy as np

from sojourn_collector.score.intervals import Z95
from sojourn_collector.score.logit import NoFit, fit
from sojourn_collector.score.sequential import deviations_at

LEAST_EVENTS, LEAST_RANGE = 30, 2.0
LEAST_IN_CELL = 5

TIGHTEST = 1000
"""Walks at which the sequence that the word is said by is tightest."""


@dataclass(frozen=True, slots=True)
class Experience:
    """One person's first latency at the step in seconds, its cell, and whether they were satisfied (or bought).

    `left` = went before anything was painted: the latency is how long the page was visible until then, and would have been longer.
    """

    person: str
    latency: float
    cell: str
    good: bool
    left: bool = False


@dataclass(frozen=True, slots=True)
class Elasticity:
    """Odds ratio per doubling with its 95 % interval, valid between `shortest` and `longest` (relative latency, 5th to 95th percentile).

    `goes` = whether it goes with the wait, by an interval that holds however often one looks; `unknown` = it cannot be told from chance.
    """

    of: int
    odds_ratio: float | None = None
    low: float | None = None
    high: float | None = None
    shortest: float | None = None
    longest: float | None = None
    sentence: str = ""
    reason: str = ""
    goes: Literal["less", "more", "unknown"] = "unknown"


def elasticity(experiences: Sequence[Experience], what: str = "conversion") -> Elasticity:
    """Fit logit(good) ~ log₂(relative latency).

    :raises ValueError: for a latency that is not positive.
    """
    if any(one.latency <= 0 for one in experiences):
        raise ValueError("a latency is longer than nothing")
    cells: dict[str, list[float]] = defaultdict(list)
    for one in experiences:
        cells[one.cell].append(one.latency)
    usable = [one for one in experiences if len(cells[one.cell]) >= LEAST_IN_CELL]
    medians = {cell: float(np.median(values)) for cell, values in cells.items()}
    doublings = np.array([log2(one.latency / medians[one.cell]) for one in usable])
    good = np.array([one.good for one in usable], dtype=float)
    reason = _silent(doublings, good)
    if reason:
        return Elasticity(len(usable), reason=reason)
    try:
        fitted = fit(np.column_stack([np.ones(len(good)), doublings]), good, [each.person for each in usable])
    except NoFit as error:
        return Elasticity(len(usable), reason=f"not estimable: {error}")
    slope, error_of = float(fitted.beta[1]), float(np.sqrt(fitted.covariance[1, 1]))
    ratio, low, high = exp(slope), exp(slope - Z95 * error_of), exp(slope + Z95 * error_of)
    shortest, longest = (float(2**value) for value in np.percentile(doublings, [5, 95]))
    left = sum(each.left for each in usable)
    censored = f"; {left} left before the page was painted, their wait counts up to then" if left else ""
    sentence = (
        f"each doubling of the wait is associated with {ratio:.2f} times the odds of {what} [{low:.2f}, {high:.2f}], "
        f"between {shortest:.1f} and {longest:.1f} times the usual wait{censored}"
    )
    reach = error_of * deviations_at(len(usable), tightest_at=TIGHTEST)
    goes: Literal["less", "more", "unknown"] = "less" if slope + reach < 0 else "more" if slope - reach > 0 else "unknown"
    return Elasticity(len(usable), ratio, low, high, shortest, longest, sentence, goes=goes)


def _silent(doublings: "np.ndarray[tuple[int], np.dtype[np.float64]]", good: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> str:
    if len(doublings) < 3 * LEAST_EVENTS:
        return f"{len(doublings)} people with a wait to compare, estimated from {3 * LEAST_EVENTS} on"
    low, high = np.percentile(doublings, [100 / 3, 200 / 3])
    rarer = min(good.sum(), len(good) - good.sum())
    wanted = good if rarer == good.sum() else 1 - good
    events = (int(wanted[doublings <= low].sum()), int(wanted[doublings >= high].sum()))
    if min(events) < LEAST_EVENTS:
        return f"{min(events)} of the rarer outcome in an outer third of the waits, estimated from {LEAST_EVENTS} on"
    p10, p90 = np.percentile(doublings, [10, 90])
    if 2 ** float(p90 - p10) < LEAST_RANGE:
        return f"the waits hardly differ (p90 is {2 ** float(p90 - p10):.1f} times p10), estimated from {LEAST_RANGE:g} times on"
    return ""
