"""The curve of payers, against the plain sums over every control at every time."""

from types import SimpleNamespace
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sojourn_collector.score.accrual import curves, design

TIMES = st.integers(0, 12).map(float)
CONTROL = st.tuples(
    TIMES,  # followed for
    st.one_of(st.just(np.inf), TIMES),  # first order
    st.sampled_from([1.0, 2.5, 10.0]),  # weight
    st.sampled_from([1.0, 1.1, 2.0]),  # factor for every later arrival
    st.lists(TIMES, max_size=3).map(sorted),  # later arrivals
)


def plainly(controls: list[Any], multipliers: np.ndarray) -> np.ndarray:
    """Kaplan–Meier by definition, one time after the other."""
    times = sorted({order for follow, order, *_ in controls if order <= follow})
    left, told = np.ones(multipliers.shape[1]), [np.zeros(multipliers.shape[1])]
    for time in times:
        risk, paying = np.zeros_like(left), np.zeros_like(left)
        for row, (follow, order, weight, factor, later) in enumerate(controls):
            ends = order if order <= follow else follow
            if ends < time:
                continue
            own = weight * factor ** sum(one < time for one in later) * multipliers[row]
            risk += own
            paying += own * (order <= follow and order == time)
        left = left * (1 - paying / risk)
        told.append(1 - left)
    return np.array(told)


@given(st.lists(CONTROL, min_size=1, max_size=12), st.integers(0, 100))
def test_the_curve_is_kaplan_meiers(controls: list[Any], seed: int) -> None:
    """For every draw, with people who leave, who weigh more after each later arrival, and some whom nobody saw at the first order."""
    follow, converted, weight, factor, later = (list(column) for column in zip(*controls, strict=True))
    trials: Any = SimpleNamespace(
        control_follow=np.array(follow),
        control_converted=np.array(converted),
        control_weight=np.array(weight),
        control_factor=np.array(factor),
        control_later=[np.array(one) for one in later],
    )
    multipliers = np.random.default_rng(seed).standard_exponential((len(controls), 5))
    np.testing.assert_allclose(curves(design(trials, np.arange(len(controls))), multipliers), plainly(controls, multipliers), atol=1e-9)
