"""How the share of controls who have paid grows with the time since they stood at the step: Kaplan–Meier, for every draw at once.

A control leaves at their own first failure, at the end of H, or where orders are not yet known; what comes later is not guessed but
taken from those still followed. With everyone followed to the end this is the plain weighted share of those who paid.
"""

from dataclasses import dataclass

import numpy as np

from sojourn_collector.score.trials import Floats, Ints, Trials

MAX_STEPS = 160
"""Times at which the curve may rise; more first orders than this share a time (rounded up to the next)."""


@dataclass(frozen=True, slots=True)
class Design:
    """One pool's risk sets: at which times the curve may rise, and every control's weight there."""

    times: Floats
    at_risk: Floats  # times × controls: weight of the controls still followed and not yet paid
    paying: Floats  # times × controls: weight of those whose first order is at that time


def design(trials: Trials, rows: Ints) -> Design:
    """Lay out the risk sets of these control rows."""
    follow, converted = trials.control_follow[rows], trials.control_converted[rows]
    pays = converted <= follow
    times = _steps(converted[pays])
    slot = np.searchsorted(times, np.where(pays, converted, np.inf))
    weight = _weights(trials, rows, times)
    index = np.arange(len(times))[:, None]
    # Who pays in a slot is at risk in it; who only leaves is at risk in the slots that begin before they leave.
    last = np.where(pays, slot, np.searchsorted(times, follow, side="right") - 1)
    return Design(times, weight * (index <= last[None, :]), weight * ((index == slot[None, :]) & pays[None, :]))


def _steps(first_orders: Floats) -> Floats:
    times = np.unique(first_orders)
    if len(times) <= MAX_STEPS:
        return times
    return np.asarray(np.unique(np.quantile(times, np.linspace(0, 1, MAX_STEPS + 1)[1:], method="higher")), dtype=float)


def _weights(trials: Trials, rows: Ints, times: Floats) -> Floats:
    """Weight of each control at each time: grown by 1 / (1 − f) for every later arrival they have come through unhurt by then."""
    weight = np.tile(trials.control_weight[rows], (len(times), 1))
    for column, row in enumerate(rows):
        later = trials.control_later[row]
        if len(later):
            weight[:, column] *= trials.control_factor[row] ** np.searchsorted(later, times, side="left")
    return weight


def curves(plan: Design, multipliers: Floats) -> Floats:
    """Share who have paid by each time, for each draw.

    :param multipliers: controls × draws, the draw's weight of each control.
    :returns: (times + 1) × draws; row 0 is before anyone paid.
    """
    draws = multipliers.shape[1]
    if not len(plan.times):
        return np.zeros((1, draws))
    risk, paying = plan.at_risk @ multipliers, plan.paying @ multipliers
    hazard = np.clip(np.divide(paying, risk, out=np.zeros_like(risk), where=risk > 0), 0.0, 1.0)
    return np.vstack([np.zeros((1, draws)), 1.0 - np.cumprod(1.0 - hazard, axis=0)])


def at(plan: Design, curve: Floats, follow: Floats) -> Floats:
    """The curve at each of these follow-up times: len(follow) × draws."""
    return np.asarray(curve[np.searchsorted(plan.times, follow, side="right")], dtype=float)
