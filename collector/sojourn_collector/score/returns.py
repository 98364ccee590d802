"""What visits without identity may have paid later: when they come back they are somebody else, and nobody sees that it is them.

Bounds: none came back (the estimate itself), and as many as of the identified people hit who left without paying. With too few
identified people to say, all who would have bought.
"""

import numpy as np
from scipy import special

from sojourn_collector.score.trials import Bools, Trials

ENOUGH = 20
"""Identified people hit who left without paying, from which on their share of returns is believed."""


def unseen(trials: Trials, counted: Bools) -> Bools:
    """Those counted who are known by their visit alone and did not pay in it."""
    anonymous = np.array([not shopper.identified for shopper in trials.hit], dtype=bool)
    return np.asarray(counted & anonymous & (trials.hit_orders == 0), dtype=bool)


def return_rate(trials: Trials, counted: Bools) -> tuple[float | None, float]:
    """Share of identified people hit, of those who did not pay in that visit, who paid in another within H; and what such an order was worth.

    The share is None with fewer than `ENOUGH` of them.
    """
    left, returned, money = 0, 0, 0.0
    for shopper, start, follow, counts in zip(trials.hit, trials.hit_time, trials.hit_follow, counted, strict=True):
        if not counts or not shopper.identified:
            continue
        inside = [payment for payment in shopper.payments if start < payment.at <= start + follow]
        if inside and not inside[0].elsewhere:
            continue
        left += 1
        returned += bool(inside)
        money += sum(payment.amount for payment in inside)
    return (returned / left if left >= ENOUGH else None), (money / returned if returned else 0.0)


def may_have_returned(trials: Trials, counted: Bools, expected: float) -> float:
    """Money that those unseen may have paid later under another name.

    :param expected: what they would have paid had nothing failed; they cannot have brought more back.
    """
    rate, worth = return_rate(trials, counted)
    return expected if rate is None else min(max(0.0, expected), rate * worth * int(unseen(trials, counted).sum()))


def tail_of(back: float, spread: float, level: float = 0.95) -> float:
    """Share to leave out at each end of the range [none came back − `back`, none came back]: the truth lies near one end at most.

    Imbens & Manski (2004), eq. 6: c with Φ(c + back / spread) − Φ(−c) = level, of which the tail is Φ(−c): .025 where `back` is 0, .05 where it is wide.

    :param back: money that may have come back unseen, what the two bounds lie apart.
    :param spread: standard deviation of the draws.
    """
    if back <= 0 or spread <= 0:
        return (1 - level) / 2
    apart = min(back / spread, 40.0)
    # Loading it takes time that every command would wait for.
    from scipy import optimize

    return float(special.ndtr(-optimize.brentq(lambda c: special.ndtr(c + apart) - special.ndtr(-c) - level, 0.0, 3.0)))
