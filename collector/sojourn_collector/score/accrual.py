"""How the share of controls who have paid grows with the time since they stood at the step: Kaplan–Meier, for every draw at once.

A control leaves at their own first failure, at the end of H, or where orders are not yet known; what comes later is not guessed but
taken from those still followed. With everyone followed to the end this is the plain weighted share of those who paid.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sojourn_collector.score.trials import Floats, Ints, Trials

MAX_STEPS = 160
"""Times at which the curve may rise; more first orders than this share a time (rounded up to the next)."""


@dataclass(frozen=True, slots=True)
class Terms:
    """A matrix times × controls of which little is not zero: value at (time, control), by time."""

    time: Ints
    control: Ints
    value: Floats


@dataclass(frozen=True, slots=True)
class Design:
    """One pool's risk sets: at which times the curve may rise, and every control's weight there."""

    times: Floats
    falls: Terms  # weight of the controls followed and not yet paid at that time, less that at the next
    paying: Terms  # weight of those whose first order is at that time


def design(trials: Trials, rows: Ints) -> Design:
    """Lay out the risk sets of these control rows."""
    follow, converted = trials.control_follow[rows], trials.control_converted[rows]
    pays = converted <= follow
    times = _steps(converted[pays])
    slot = np.searchsorted(times, np.where(pays, converted, np.inf))
    # Who pays in a slot is at risk in it; who only leaves is at risk in the slots that begin before they leave.
    last = np.where(pays, slot, np.searchsorted(times, follow, side="right") - 1)
    weight, growing = _weights(trials, rows, times, last)
    left = np.flatnonzero(last >= 0)
    falls = [(last[left], left, weight[left]), *growing]
    paid = np.flatnonzero(pays)
    return Design(times, _terms(falls), _terms([(slot[paid], paid, weight[paid])]))


def _terms(parts: Sequence[tuple[Ints, Ints, Floats]]) -> Terms:
    time, control, value = (np.concatenate(one) for one in zip(*parts, strict=True))
    order = np.argsort(time, kind="stable")
    return Terms(time[order], control[order], value[order])


def _steps(first_orders: Floats) -> Floats:
    times = np.unique(first_orders)
    if len(times) <= MAX_STEPS:
        return times
    return np.asarray(np.unique(np.quantile(times, np.linspace(0, 1, MAX_STEPS + 1)[1:], method="higher")), dtype=float)


def _weights(trials: Trials, rows: Ints, times: Floats, last: Ints) -> tuple[Floats, list[tuple[Ints, Ints, Floats]]]:
    """Weight of each control at the last time it is at risk, and by how much it was less at each time before a growth.

    It grows by 1 / (1 − f) for every later arrival they have come through unhurt by then.
    """
    weight, growing = trials.control_weight[rows].astype(float), []
    for column, row in enumerate(rows.tolist()):
        later = trials.control_later[row]
        if not len(later) or last[column] < 0:
            continue
        grown = weight[column] * trials.control_factor[row] ** np.searchsorted(later, times[: last[column] + 1], side="left")
        weight[column] = grown[-1]
        change = np.flatnonzero(np.diff(grown))
        growing.append((change, np.full(len(change), column), grown[change] - grown[change + 1]))
    return weight, growing


def curves(plan: Design, multipliers: Floats) -> Floats:
    """Share who have paid by each time, for each draw.

    :param multipliers: controls × draws, the draw's weight of each control.
    :returns: (times + 1) × draws; row 0 is before anyone paid.
    """
    draws = multipliers.shape[1]
    if not len(plan.times):
        return np.zeros((1, draws))
    risk = np.cumsum(_sums(plan.falls, multipliers, len(plan.times))[::-1], axis=0)[::-1]
    paying = _sums(plan.paying, multipliers, len(plan.times))
    hazard = np.clip(np.divide(paying, risk, out=np.zeros_like(risk), where=risk > 0), 0.0, 1.0)
    return np.vstack([np.zeros((1, draws)), 1.0 - np.cumprod(1.0 - hazard, axis=0)])


def _sums(terms: Terms, multipliers: Floats, times: int) -> Floats:
    """The matrix times the multipliers: times × draws."""
    found = np.zeros((times, multipliers.shape[1]))
    if len(terms.time):
        begins = np.flatnonzero(np.diff(terms.time, prepend=-1))
        found[terms.time[begins]] = np.add.reduceat(terms.value[:, None] * multipliers[terms.control], begins, axis=0)
    return found


def at(plan: Design, curve: Floats, follow: Floats) -> Floats:
    """The curve at each of these follow-up times: len(follow) × draws."""
    return np.asarray(curve[np.searchsorted(plan.times, follow, side="right")], dtype=float)
