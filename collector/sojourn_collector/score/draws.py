"""Predictive draws of what those hit would have paid.

Per draw: a Bayesian bootstrap over people (accounts), across all pools at once, gives the share who pay, widened for the payers it rests on;
pools with fewer than five payers take Beta(k + the usual share, …) instead, a bootstrap knows nothing of what it has not seen. Then each
person hit pays or not, an amount from their own cart (times what payers pay per unit of their cart) or, without a cart, from the payers beside them.
A percentile bootstrap of the mean would cover the realised loss far too rarely (docs/scores.md).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import sqrt

import numpy as np

from sojourn_collector.score import accrual
from sojourn_collector.score.intervals import effective_n
from sojourn_collector.score.money import Settings
from sojourn_collector.score.pools import MIN_PAYERS, Pool, Pools
from sojourn_collector.score.trials import Bools, Floats, Ints, Trials

MIN_PRIOR = 0.02
"""Least order a thin cell is given before its own people are counted."""

UNSURE = 6.0
"""Of k payers a bootstrap's variance is multiplied by 1 + this / k. A share of few payers is less sure than their weights say: k itself is by chance, and
where it is low so is the variance read off it; and those hit are not quite like those beside them. Why this number: docs/decisions/0021."""

RATIOS_FROM = 20
"""Payers of a pool from which on what they pay per unit of their cart is theirs; with fewer, everybody's."""

MANY = 2000
SKEWED = 0.2
"""From so many payers on, and up to this skewness of their sum, what a draw pays is drawn as one sum instead of person by person."""

BLOCK = 2_000_000
"""Numbers held at once per matrix; draws are made in blocks of this size so that 20,000 people fit in memory."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What those hit would have paid: one total per draw, and the expected number of payers."""

    money: Floats
    orders: float


class _Factors:
    """What payers paid, per unit of their cart or in all, and how much each of them weighs in each draw."""

    def __init__(self, trials: Trials, rows: Ints, factors: Floats) -> None:
        self.factors = factors
        self.same = not len(factors) or np.ptp(factors) <= 1e-9 * max(1.0, abs(float(factors[0])))
        self._clusters, self._weight = trials.control_cluster[rows], trials.control_weight[rows]
        self._drawn: Floats | None = None
        self._weights = self._cumulated = np.zeros((0, 0))

    def weights(self, multipliers: Floats) -> Floats:
        """Payers × draws; kept until the next block, since all thin pools look at the same payers."""
        if self._drawn is not multipliers:
            self._drawn, self._cumulated = multipliers, np.zeros((0, 0))
            self._weights = multipliers[self._clusters] * self._weight[:, None]
        return self._weights

    def cumulated(self, multipliers: Floats) -> Floats:
        """Draws × payers: how much this one and those before it weigh."""
        weights = self.weights(multipliers)
        if not len(self._cumulated):
            self._cumulated = np.ascontiguousarray(np.cumsum(weights, axis=0).T)
        return self._cumulated


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A pool with everything that does not change between draws."""

    pool: Pool
    plan: accrual.Design
    payers: float  # as many equally weighted people
    carts: Floats
    follow: Floats
    ratios: _Factors | None
    values: _Factors | None
    """Of its own payers, where they are enough."""
    share: Floats  # as observed, by each one's follow-up


def predictive(trials: Trials, pools: Pools, settings: Settings, rng: np.random.Generator, order_values: Floats | None = None) -> Expected:
    """Draw `settings.draws` totals for the hit rows of these pools, each at its own follow-up.

    :param order_values: what orders of the time before were worth, for people without a known cart; None or empty = those beside them say it.
    """
    values = order_values if order_values is not None and len(order_values) else None
    prepared = [_prepare(trials, pool, own_values=values is None) for pool in pools.pools]
    clusters = int(trials.control_cluster.max()) + 1 if len(trials.control) else 1
    whole = _Whole(trials, pools)
    widest = max([clusters, *(len(p.pool.hit) for p in prepared), *(len(p.pool.control) for p in prepared)], default=1)
    money, orders = [], 0.0
    for size in _blocks(settings.draws, max(1, BLOCK // widest)):
        multipliers = rng.standard_exponential((clusters, size))
        total = np.zeros(size)
        for one in prepared:
            share = _shares(trials, one, whole, multipliers, rng)
            orders += float(share.sum())
            total += _amounts(one, whole, share, multipliers, rng, values)
        money.append(total)
    return Expected(np.concatenate(money), orders / settings.draws)


def _blocks(total: int, size: int) -> Iterator[int]:
    while total > 0:
        yield min(size, total)
        total -= size


class _Whole:
    """All controls in use together: the shape of the curve for thin pools, and what payers pay."""

    def __init__(self, trials: Trials, pools: Pools) -> None:
        rows = np.unique(np.concatenate([pool.control for pool in pools.pools])) if pools.pools else np.array([], dtype=np.intp)
        self.plan = accrual.design(trials, rows)
        self._curve = accrual.curves(self.plan, np.ones((len(rows), 1)))
        payers = rows[trials.control_converted[rows] <= trials.control_follow[rows]]
        self.ratios, self.values = _ratios(trials, payers), _Factors(trials, payers, trials.control_paid[payers])
        self._every = float(np.clip(self._curve[-1, 0], 0.0, 1.0))
        self._by_trial = {trial: _share_of(trials, rows, trial) for trial in {trials.control_key[row].trial for row in rows.tolist()}}

    def share(self, trial: int) -> float:
        """Share of payers among all controls in use of that trial: what a thin cell is taken to be like before its own people are counted. Who comes again
        is keener than who comes first; where hardly anybody of a trial paid, all controls tell."""
        own = self._by_trial.get(trial)
        return self._every if own is None else own

    def progress(self, follow: Floats) -> Floats:
        """How much of the final share of payers is reached by each follow-up, 0–1."""
        end = float(self._curve[-1, 0])
        shares = accrual.at(self.plan, self._curve, follow)[:, 0]
        return shares / end if end > 0 else np.zeros(len(follow))


def _share_of(trials: Trials, rows: Ints, trial: int) -> float | None:
    mine = rows[[trials.control_key[row].trial == trial for row in rows.tolist()]]
    if np.count_nonzero(trials.control_converted[mine] <= trials.control_follow[mine]) < MIN_PAYERS:
        return None
    curve = accrual.curves(accrual.design(trials, mine), np.ones((len(mine), 1)))
    return float(np.clip(curve[-1, 0], 0.0, 1.0))


def _prepare(trials: Trials, pool: Pool, *, own_values: bool) -> _Prepared:
    rows = pool.control
    paying = rows[trials.control_converted[rows] <= trials.control_follow[rows]]
    carts = [trials.hit[row].cart or np.nan for row in pool.hit.tolist()]
    plan, follow = accrual.design(trials, rows), trials.hit_follow[pool.hit]
    payers = effective_n(list(_by_person(trials, paying, _weights(trials, paying))[0]))
    return _Prepared(
        pool=pool,
        plan=plan,
        payers=payers,
        carts=np.array(carts, dtype=np.float64),
        follow=follow,
        ratios=_ratios(trials, paying) if payers >= RATIOS_FROM else None,
        values=_Factors(trials, paying, trials.control_paid[paying]) if own_values and payers >= MIN_PAYERS else None,
        share=accrual.at(plan, accrual.curves(plan, np.ones((len(rows), 1))), follow),
    )


def _shares(trials: Trials, one: _Prepared, whole: _Whole, multipliers: Floats, rng: np.random.Generator) -> Floats:
    """Probability of having paid by their own follow-up, for each hit row and draw."""
    rows = one.pool.control
    if one.payers >= MIN_PAYERS:
        drawn = accrual.at(one.plan, accrual.curves(one.plan, multipliers[trials.control_cluster[rows]]), one.follow)
        return np.asarray(np.clip(one.share + sqrt(1 + UNSURE / one.payers) * (drawn - one.share), 0.0, 1.0), dtype=float)
    paid = trials.control_converted[rows] <= trials.control_follow[rows]
    # Who left at their own failure is stood for by those who stayed, whose weight has grown for it.
    rows, paid = rows[paid | ~trials.control_left[rows]], paid[paid | ~trials.control_left[rows]]
    # Who has paid is followed to the end; the others as far as the curve of all had come by then.
    weight, paying, progress = _by_person(trials, rows, _weights(trials, rows), paid, np.where(paid, 1.0, whole.progress(trials.control_follow[rows])))
    exposure = float((weight * progress).sum())
    usual = whole.share(trials.hit_key[int(one.pool.hit[0])].trial)
    if exposure <= 0:
        return np.asarray(np.multiply.outer(whole.progress(one.follow), np.full(multipliers.shape[1], usual)), dtype=float)
    size = exposure**2 / float((weight**2 * progress).sum())
    count = size * min(1.0, float((weight * paying).sum()) / exposure)
    prior = min(0.5, max(usual, MIN_PRIOR))
    final = rng.beta(count + prior, size - count + 1 - prior, size=multipliers.shape[1])
    return np.asarray(np.multiply.outer(whole.progress(one.follow), final), dtype=float)


def _weights(trials: Trials, rows: Ints) -> Floats:
    """Weight of each control where it ends: at its order, or when it leaves."""
    end = np.minimum(trials.control_converted[rows], trials.control_follow[rows])
    grown = np.zeros(len(rows))
    for place, row in enumerate(rows.tolist()):
        if len(later := trials.control_later[row]):
            grown[place] = np.searchsorted(later, end[place], side="left")
    return np.asarray(trials.control_weight[rows] * trials.control_factor[rows] ** grown, dtype=float)


def _by_person(trials: Trials, rows: Ints, *columns: Floats | Bools) -> list[Floats]:
    """Each column by person: one person's several arrivals count once, at their largest."""
    _, person = np.unique(trials.control_cluster[rows], return_inverse=True)
    told = []
    for column in columns:
        largest = np.zeros(int(person.max()) + 1 if len(person) else 0)
        np.maximum.at(largest, person, np.asarray(column, dtype=float))
        told.append(largest)
    return told


def _amounts(one: _Prepared, whole: _Whole, share: Floats, multipliers: Floats, rng: np.random.Generator, order_values: Floats | None) -> Floats:
    """Total paid in each draw: who pays, times their cart and a payer's ratio; where no cart is known an earlier order's or a payer's amount."""
    pays = rng.random(share.shape) < share
    known = ~np.isnan(one.carts)
    total = np.zeros(share.shape[1])
    if known.any():
        total += _drawn(one.carts[known], pays[known], one.ratios or whole.ratios, multipliers, rng)
    if (~known).any() and order_values is not None:
        paying = pays[~known].sum(axis=0)
        total += [float(rng.choice(order_values, size=count).sum()) for count in paying.tolist()]
    elif (~known).any():
        total += _drawn(np.ones(int((~known).sum())), pays[~known], one.values or whole.values, multipliers, rng)
    return total


def _ratios(trials: Trials, payers: Ints) -> _Factors:
    rows = payers[trials.control_cart[payers] > 0]
    return _Factors(trials, rows, trials.control_paid[rows] / trials.control_cart[rows])


def _drawn(base: Floats, pays: Bools, payers: _Factors, multipliers: Floats, rng: np.random.Generator) -> Floats:
    """Σ base · factor over those who pay, the factor taken from the payers by the draw's weights; one value needs no dice."""
    factors = payers.factors
    if payers.same:
        return np.asarray((float(factors[0]) if len(factors) else 1.0) * (base @ pays), dtype=float)
    total, enough = _summed(base, pays, factors, payers.weights(multipliers), rng)
    if enough.all():
        return total
    cumulated = payers.cumulated(multipliers)
    for draw in np.flatnonzero(~enough).tolist():
        chosen, until = base[pays[:, draw]], cumulated[draw]
        picked = np.searchsorted(until, rng.random(len(chosen)) * until[-1], side="right")
        total[draw] = float(chosen @ factors[np.minimum(picked, len(factors) - 1)])
    return total


def _summed(base: Floats, pays: Bools, factors: Floats, weight: Floats, rng: np.random.Generator) -> tuple[Floats, Bools]:
    """The same for draws in which many pay, and which of them are: a sum of very many is told by its mean, variance and skewness (Cornish–Fisher), without
    taking a factor for each.

    :param weight: of each payer in each draw.
    """
    total, enough = np.zeros(pays.shape[1]), np.count_nonzero(pays, axis=0) >= MANY
    if not enough.any():
        return total, enough
    weight = weight[:, enough] / weight[:, enough].sum(axis=0)
    mean = factors @ weight
    beside = factors[:, None] - mean
    variance, third = (beside**2 * weight).sum(axis=0), (beside**3 * weight).sum(axis=0)
    paying = pays[:, enough].astype(float)
    sums, squares, cubes = base @ paying, base**2 @ paying, base**3 @ paying
    spread = np.sqrt(variance * squares)
    skew = np.divide(third * cubes, spread**3, out=np.zeros_like(spread), where=spread > 0)
    z = rng.standard_normal(len(mean))
    total[enough] = mean * sums + spread * (z + skew * (z**2 - 1) / 6)
    enough[enough] = np.abs(skew) <= SKEWED
    return total, enough
