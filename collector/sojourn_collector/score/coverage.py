"""Beacon coverage: the share of orders that have a visit, by day, and where it changes by more than chance.

Beacons that a release lost look like fewer customers, and so like less hurt: figures of both sides of such a change are not compared. The days are cut into
stretches by what is likeliest for one share in each, every cut paid for (optimal partition of a binomial likelihood). Days differ more than chance says where
orders come by other ways on some weekdays: what neighbouring days usually differ by is chance here. A cut of less than five points is none.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log

import numpy as np

LEAST = 0.05
"""Difference of the shares below which a change says nothing to anybody."""

PAID, PAID_BY_DAYS = 6.0, 3.0
"""What a cut has to gain in deviance, and how much more with the logarithm of the days among which it was looked for."""

WEEK = 7
"""Days from which on it is known what neighbouring days usually differ by."""

Floats = np.ndarray[tuple[int], np.dtype[np.float64]]

_CHI80 = 1.6424
"""80th percentile of chi-square with one degree of freedom; swings at both ends of a weekend are two of seven neighbours."""


@dataclass(frozen=True, slots=True)
class Orders:
    """Orders of a day, and how many of them have a visit."""

    orders: int
    with_visit: int


@dataclass(frozen=True, slots=True)
class Cut:
    """From the day `place` on the share of orders with a visit is another: of the stretch before it and of the one that it begins, 0–1."""

    place: int
    before: float
    after: float


def cuts(days: Sequence[Orders]) -> list[Cut]:
    """Where the share changes by more than chance, days in their order. Days without orders say nothing.

    :raises ValueError: for a day with more visits than orders.
    """
    if any(not 0 <= day.with_visit <= day.orders for day in days):
        raise ValueError("no more orders have a visit than there are")
    places = [place for place, day in enumerate(days) if day.orders]
    if len(places) < 2:
        return []
    n = np.array([days[place].orders for place in places], dtype=float)
    k = np.array([days[place].with_visit for place in places], dtype=float)
    bounds = _apart(_partition(n, k), n, k)
    found = []
    for first, second, last in zip(bounds, bounds[1:], bounds[2:], strict=False):
        found.append(Cut(places[second], _share(n, k, first, second), _share(n, k, second, last)))
    return found


def _partition(n: Floats, k: Floats) -> list[int]:
    """Bounds of the likeliest stretches, 0 and the number of days included."""
    days = len(n)
    price = (PAID + PAID_BY_DAYS * log(days)) * _scale(n, k)
    orders, visits = np.concatenate(([0.0], np.cumsum(n))), np.concatenate(([0.0], np.cumsum(k)))
    best, came_from = np.zeros(days + 1), np.zeros(days + 1, dtype=int)
    best[0] = -price
    for end in range(1, days + 1):
        total, own = orders[end] - orders[:end], visits[end] - visits[:end]
        cost = best[:end] + _deviance(total, own) + price
        came_from[end] = int(np.argmin(cost))
        best[end] = cost[came_from[end]]
    bounds = [days]
    while bounds[-1]:
        bounds.append(int(came_from[bounds[-1]]))
    return bounds[::-1]


def _deviance(total: Floats, own: Floats) -> Floats:
    """−2 log likelihood of one share for all of it."""
    share = np.clip(own / total, 1e-12, 1 - 1e-12)
    told: Floats = -2 * (own * np.log(share) + (total - own) * np.log1p(-share))
    return told


def _scale(n: Floats, k: Floats) -> float:
    """How much more neighbouring days differ than chance alone would have them, at least 1."""
    if len(n) < WEEK:
        return 1.0
    pooled = (k[1:] + k[:-1] + 1) / (n[1:] + n[:-1] + 2)
    squares = (k[1:] / n[1:] - k[:-1] / n[:-1]) ** 2 / (pooled * (1 - pooled) * (1 / n[1:] + 1 / n[:-1]))
    return max(1.0, float(np.quantile(squares, 0.8)) / _CHI80)


def _apart(bounds: list[int], n: Floats, k: Floats) -> list[int]:
    """Without the cuts that make too little difference, the least first."""
    kept = list(bounds)
    while len(kept) > 2:
        steps = [abs(_share(n, k, before, at) - _share(n, k, at, after)) for before, at, after in zip(kept, kept[1:], kept[2:], strict=False)]
        least = int(np.argmin(steps))
        if steps[least] >= LEAST:
            break
        del kept[least + 1]
    return kept


def _share(n: Floats, k: Floats, first: int, last: int) -> float:
    return float(k[first:last].sum() / n[first:last].sum())
