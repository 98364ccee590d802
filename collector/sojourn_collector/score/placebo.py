"""Placebo by person: were those hit already different before anything failed?

The same comparison as the estimate, on the money of the 28 days *before* time zero. A standardised difference above 0.1 whose interval
lies off 0 means that the controls cannot stand in for those hit. Visits without identity have no past that anyone could know of, and are
left out of both arms: where login breaks they are those hit, and would seem to be people who never bought.
"""

from dataclasses import dataclass

import numpy as np

from sojourn_collector.score.intervals import Z95, effective_n
from sojourn_collector.score.pools import Pools
from sojourn_collector.score.trials import Bools, Floats, Trials

TOLERATED = 0.1
"""Standardised difference that passes."""


@dataclass(frozen=True, slots=True)
class Placebo:
    """Standardised difference of past money, hit minus controls, with its 95 % interval."""

    difference: float
    low: float
    high: float

    @property
    def failed(self) -> bool:
        """Whether those hit were already different."""
        return abs(self.difference) > TOLERATED and (self.low > 0 or self.high < 0)


def placebo(trials: Trials, pools: Pools) -> Placebo | None:
    """Compare the past of both arms, controls weighted to the cells of those hit; None when nobody has a past to compare."""
    known = np.array([shopper.identified for shopper in trials.hit], dtype=bool)
    rows = [pool.hit[known[pool.hit]] for pool in pools.pools]
    weights = _control_weights(trials, pools, known)
    if effective_n(list(weights)) < 2 or sum(map(len, rows)) < 2:
        return None
    hit, control = trials.hit_before[np.concatenate(rows)], trials.control_before
    mean = float(np.average(control, weights=weights))
    variance = float(np.average(np.square(control - mean), weights=weights))
    spread = float(np.sqrt((hit.var(ddof=1) + variance) / 2))
    if spread == 0:
        return None
    difference = (float(hit.mean()) - mean) / spread
    # By the variance of both arms together, as if they were alike: few of those hit paid before, and where none of the large amounts is among them their own
    # variance is small just when their mean is.
    persons = _persons(trials, weights)
    together = (len(hit) * float(hit.var(ddof=1)) + persons * variance) / (len(hit) + persons)
    half = Z95 * float(np.sqrt(together * (1 / len(hit) + 1 / persons))) / spread
    return Placebo(difference, difference - half, difference + half)


def _control_weights(trials: Trials, pools: Pools, known: Bools) -> Floats:
    weights = np.zeros(len(trials.control))
    identified = np.array([shopper.identified for shopper in trials.control], dtype=bool)
    for pool in pools.pools:
        whole = trials.control_whole[pool.control] * trials.control_weight[pool.control] * identified[pool.control]
        if whole.sum() > 0:
            weights[pool.control] += int(known[pool.hit].sum()) * whole / whole.sum()
    return weights


def _persons(trials: Trials, weights: Floats) -> float:
    """Effective number of people, not of arrivals: one person's arrivals share one past."""
    return max(1.0, effective_n(list(np.bincount(trials.control_cluster, weights=weights))))
