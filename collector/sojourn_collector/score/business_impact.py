"""Business impact: the realised shortfall of those hit, levels 0 and 1. Definition and reasons: docs/scores.md.

L = Σ over those hit of (what they would have paid within H of their first failure − what they paid). The second sum is seen; the first
is drawn 2,000 times from people at the same step at the same time who did not fail, so that the interval covers this loss and not an
average one. Gates look at counts, at controls and at the time before, never at the outcomes of those hit.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from sojourn_collector.score import accrual
from sojourn_collector.score.draws import predictive
from sojourn_collector.score.money import MIN_ORDER_VALUES, Healthy, Settings, Shopper, Shortfall, e_value, level_zero
from sojourn_collector.score.placebo import placebo
from sojourn_collector.score.pools import Pool, Pools, build_pools
from sojourn_collector.score.returns import may_have_returned, tail_of, unseen
from sojourn_collector.score.trials import Bools, Trials, build_trials

FEW_DRAWS = 200
"""Draws where only a mean is wanted."""

MATURE_SHARE = 0.8
"""Share of those hit whose whole window must be over before the answer is called final."""


def business_impact(
    shoppers: Sequence[Shopper],
    settings: Settings,
    *,
    now: float,
    watermark: float | None,
    seed: int,
    healthy: Healthy | None = None,
    order_values: Sequence[float] = (),
) -> Shortfall:
    """Estimate the shortfall of one incident at one step.

    :param shoppers: everyone who came to the step in the incident, both arms.
    :param now: epoch seconds asked as of.
    :param watermark: epoch seconds up to which the slowest order source has sent everything; None = no orders are known at all.
    :param seed: seed of the draws; the same incident always gets the same numbers.
    :param healthy: the time before, for level 0; without it the people at the step who were not hurt stand in.
    :param order_values: net values of the journey's orders in the 28 days before; from `MIN_ORDER_VALUES` on they say what the order of
        someone with an unknown cart is worth, before that the payers beside them do.
    """
    known = now if watermark is None else min(now, watermark)
    trials = build_trials(shoppers, settings, known)
    hit = len(trials.hit)
    mature = trials.hit_follow >= settings.outcome
    final = hit > 0 and float(mature.mean()) >= MATURE_SHARE
    pools = build_pools(trials, settings.min_controls)
    healthy = healthy or _healthy(trials)
    carts = [shopper.cart for shopper in trials.hit]
    plain = Shortfall(
        state="upper_bound",
        level=0,
        hit=hit,
        mature=int(mature.sum()),
        controls=len({int(c) for c in trials.control_cluster}),
        upper_bound=level_zero(carts, healthy) if hit else None,
        overlap=1 - len(pools.outside) / hit if hit else None,
        outside=len(pools.outside),
        outside_bound=level_zero([carts[row] for row in pools.outside], healthy) if len(pools.outside) else None,
        final_at=float(trials.hit_time.max()) + settings.outcome if hit else None,
        control_orders=_control_orders(trials, pools),
        expected_orders=_expected_orders(trials, pools),
    )
    reasons = _gates(plain, settings) if watermark is not None else ("no orders have been received: send them to /api/v1/in/orders",)
    past = placebo(trials, pools)
    difference = None if past is None else past.difference
    if reasons:
        return _silent(plain, reasons, difference)
    if past is not None and past.failed:
        sentence = f"those hit had already paid differently before ({past.difference:+.2f} standard deviations [{past.low:+.2f}, {past.high:+.2f}])"
        return _silent(plain, (sentence,), difference, "not_estimable")
    return _speak(plain, trials, pools, settings, final=final, seed=seed, placebo_difference=difference, mature_rows=mature, order_values=order_values)


def _speak(
    plain: Shortfall,
    trials: Trials,
    pools: Pools,
    settings: Settings,
    *,
    final: bool,
    seed: int,
    placebo_difference: float | None,
    mature_rows: Bools,
    order_values: Sequence[float],
) -> Shortfall:
    wanted = mature_rows if final else np.ones(len(trials.hit), dtype=bool)
    counted = np.zeros(len(trials.hit), dtype=bool)
    for pool in pools.pools:
        counted[pool.hit] = True
    counted &= wanted
    values = np.asarray(order_values if len(order_values) >= MIN_ORDER_VALUES else (), dtype=np.float64)
    expected = predictive(trials, _only(pools, counted), settings, np.random.default_rng(seed), values)
    losses = expected.money - float(trials.hit_paid[counted].sum())
    hidden = unseen(trials, counted)
    back = 0.0
    if hidden.any():
        theirs = predictive(trials, _only(pools, hidden), replace(settings, draws=FEW_DRAWS), np.random.default_rng(seed), values)
        back = may_have_returned(trials, counted, float(theirs.money.mean()))
    tail = 100 * tail_of(back, float(losses.std()))
    low, high = np.percentile(losses, [tail, 100 - tail])
    return Shortfall(
        state="final" if final else "so_far",
        level=1,
        hit=plain.hit,
        mature=plain.mature,
        controls=plain.controls,
        amount=float(losses.mean()),
        low=float(low) - back,
        high=float(high),
        overlap=plain.overlap,
        expected_orders=plain.expected_orders,
        control_orders=plain.control_orders,
        upper_bound=plain.upper_bound,
        outside=plain.outside,
        outside_bound=plain.outside_bound,
        e_value=e_value(expected.orders, float((trials.hit_orders[counted] > 0).sum())),
        placebo=placebo_difference,
        final_at=plain.final_at,
        notes=(*_notes(plain, placebo_difference, final=final), *_worth_note(trials, counted, len(values)), *_return_note(int(hidden.sum()), back)),
    )


def _silent(plain: Shortfall, reasons: tuple[str, ...], difference: float | None, state: str = "upper_bound") -> Shortfall:
    bounded = state == "upper_bound" and plain.upper_bound is not None and plain.hit > 0
    return Shortfall(
        state="upper_bound" if bounded else "not_estimable",
        level=0 if bounded else None,
        hit=plain.hit,
        mature=plain.mature,
        controls=plain.controls,
        overlap=plain.overlap,
        expected_orders=plain.expected_orders,
        control_orders=plain.control_orders,
        upper_bound=plain.upper_bound,
        outside=plain.outside,
        outside_bound=plain.outside_bound,
        placebo=difference,
        final_at=plain.final_at,
        reasons=reasons,
    )


def _gates(plain: Shortfall, settings: Settings) -> tuple[str, ...]:
    """What keeps the estimate silent. Blind to what those hit paid: silence must not depend on the answer."""
    if not plain.hit:
        return ("nobody was hit",)
    reasons = []
    if plain.hit < settings.min_hit:
        reasons.append(f"{plain.hit} hit, estimated from {settings.min_hit} on")
    if (plain.expected_orders or 0.0) < settings.min_expected_orders:
        reasons.append(f"{plain.expected_orders or 0.0:.1f} orders expected of those hit, estimated from {settings.min_expected_orders:g} on")
    if plain.control_orders < settings.min_control_orders:
        reasons.append(f"{plain.control_orders} of those not hit ordered, estimated from {settings.min_control_orders} on")
    if (plain.overlap or 0.0) < settings.min_overlap:
        reasons.append(f"{plain.overlap or 0.0:.0%} of those hit have comparable people who were not, estimated from {settings.min_overlap:.0%} on")
    return tuple(reasons)


def _notes(plain: Shortfall, difference: float | None, *, final: bool) -> tuple[str, ...]:
    notes = []
    if final and plain.mature < plain.hit:
        notes.append(f"for the {plain.mature} of {plain.hit} whose window is over")
    if plain.outside:
        bound = "" if plain.outside_bound is None else f", at most {plain.outside_bound:,.0f} more"
        notes.append(f"{plain.outside} hit without comparable people are left out{bound}")
    if difference is None:
        notes.append("no earlier orders to check whether those hit were different before")
    return tuple(notes)


def _worth_note(trials: Trials, counted: Bools, values: int) -> tuple[str, ...]:
    """Where the order value of people without a known cart comes from."""
    unknown = sum(trials.hit[int(row)].cart is None for row in np.flatnonzero(counted))
    if not unknown:
        return ()
    whence = f"{values:,} orders of this journey in the weeks before" if values else "those beside them who paid"
    return (f"{unknown} of those hit had no known cart; {whence} say what their orders are worth",)


def _return_note(hidden: int, back: float) -> tuple[str, ...]:
    if not hidden:
        return ()
    name = f"{hidden} of those hit are known by their visit alone"
    return (f"{name}; up to {back:,.0f} of it they may have paid later under another name, and the range reaches so far down",)


def _payers(trials: Trials) -> Bools:
    return trials.control_converted <= trials.control_follow


def _control_orders(trials: Trials, pools: Pools) -> int:
    """Distinct controls, in the pools used, who ordered."""
    rows = np.unique(np.concatenate([pool.control for pool in pools.pools])) if pools.pools else np.array([], dtype=np.intp)
    return len(np.unique(trials.control_cluster[rows[_payers(trials)[rows]]]))


def _expected_orders(trials: Trials, pools: Pools) -> float:
    return sum(_expected_of(trials, pool) for pool in pools.pools)


def _expected_of(trials: Trials, pool: Pool) -> float:
    plan = accrual.design(trials, pool.control)
    curve = accrual.curves(plan, np.ones((len(pool.control), 1)))
    return float(accrual.at(plan, curve, trials.hit_follow[pool.hit]).sum())


def _healthy(trials: Trials) -> Healthy | None:
    """Conversion and order value of the people at the step who never failed; None when there are too few to say."""
    rows = np.flatnonzero(trials.control_whole > 0)
    people = len(np.unique(trials.control_cluster[rows]))
    payers = rows[_payers(trials)[rows]]
    if people < 5 or not len(payers):
        return None
    return Healthy(len(np.unique(trials.control_cluster[payers])) / people, float(trials.control_paid[payers].mean()), people)


def _only(pools: Pools, counted: Bools) -> Pools:
    kept = (Pool(pool.hit[counted[pool.hit]], pool.control, pool.rank) for pool in pools.pools)
    return Pools(tuple(pool for pool in kept if len(pool.hit)), pools.outside)
