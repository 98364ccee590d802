"""What very many payers pay is drawn as one sum: the same as person by person."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from sojourn_collector.score import draws
from sojourn_collector.score.draws import MANY, _drawn, _Factors, _summed

HIT, DRAWS = 12_000, 1_000


def drawn(monkeypatch: pytest.MonkeyPatch, factors: np.ndarray, *, many: int, seed: int = 3) -> np.ndarray:
    """Totals of a third of 12,000 carts, each times a payer's factor; from `many` payers on as one sum."""
    monkeypatch.setattr(draws, "MANY", many)
    rng = np.random.default_rng(11)
    base, pays = rng.lognormal(3.0, 0.7, HIT), rng.random((HIT, 1)) < np.full(DRAWS, 1 / 3)
    trials: Any = SimpleNamespace(control_cluster=np.arange(len(factors)), control_weight=rng.choice([1.0, 10.0], len(factors)))
    payers = _Factors(trials, np.arange(len(factors)), factors)
    return _drawn(base, pays, payers, rng.standard_exponential((len(factors), DRAWS)), np.random.default_rng(seed))


@pytest.mark.parametrize("sigma", [0.1, 0.8])
def test_a_sum_of_many_is_what_its_parts_are(monkeypatch: pytest.MonkeyPatch, sigma: float) -> None:
    """Mean, spread and every quantile that an interval is made of agree with those of person by person, within what a thousand draws can tell."""
    factors = np.random.default_rng(5).lognormal(0.0, sigma, 400)
    one_by_one, at_once = drawn(monkeypatch, factors, many=10**9), drawn(monkeypatch, factors, many=MANY)
    assert not np.array_equal(one_by_one, at_once)
    # The payers' weights are the same in both: what differs is only which factor each one took.
    differs = one_by_one - at_once
    assert abs(differs.mean()) < 4 * differs.std() / np.sqrt(DRAWS)
    assert at_once.std() == pytest.approx(one_by_one.std(), rel=0.05)
    assert np.quantile(at_once, [0.025, 0.5, 0.975]) == pytest.approx(np.quantile(one_by_one, [0.025, 0.5, 0.975]), rel=0.01)


def test_a_sum_that_hangs_on_one_order_is_taken_person_by_person() -> None:
    """One payer's factor of many thousands makes the sum skewed however many pay: then each one's factor is drawn."""
    even, weight = np.random.default_rng(5).lognormal(0.0, 0.5, 4000), np.ones((4000, 5))
    uneven = even.copy()
    uneven[0] = 50_000.0
    pays = np.ones((HIT, 5), dtype=bool)
    assert _summed(np.ones(HIT), pays, even, weight, np.random.default_rng(1))[1].all()
    assert not _summed(np.ones(HIT), pays, uneven, weight, np.random.default_rng(1))[1].any()


def test_few_payers_are_drawn_as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """Below the bound nothing changes, to the last digit."""
    factors = np.random.default_rng(5).lognormal(0.0, 0.8, 400)
    assert np.array_equal(drawn(monkeypatch, factors, many=5_000), drawn(monkeypatch, factors, many=10**9))
