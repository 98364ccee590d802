"""Whether those hit were different before, where few of them had a past: the gate must not take chance for a difference."""

import numpy as np

from sojourn_collector.score.money import Payment, Settings, Shopper
from sojourn_collector.score.placebo import placebo
from sojourn_collector.score.pools import build_pools
from sojourn_collector.score.trials import build_trials

SETTINGS = Settings(outcome=1000.0)


def different(seed: int, *, factor: float = 1.0) -> bool:
    """35 hit beside 600, one in four with an order before, worth a log-normal amount; those hit paid `factor` times as much."""
    rng = np.random.default_rng(seed)
    paid = (rng.random(635) < 0.25) * rng.lognormal(4.0, 1.2, 635)
    paid[:35] *= factor
    people = [
        Shopper(f"u{n}", (float(n),), n + 1.0 if n < 35 else None, "desktop", 50.0, (Payment(-5000.0, float(paid[n])),) if paid[n] else ()) for n in range(635)
    ]
    trials = build_trials(people, SETTINGS, 1e6)
    told = placebo(trials, build_pools(trials, 5))
    assert told is not None
    return told.failed


def test_people_who_are_alike_are_seldom_called_different() -> None:
    """The amounts are skewed and the hit are few: in 300 worlds without a difference about one in twenty is taken for one."""
    assert sum(different(seed) for seed in range(300)) <= 300 * 0.05 + 2 * (300 * 0.05 * 0.95) ** 0.5


def test_people_who_paid_four_times_as_much_are_told() -> None:
    """What keeps chance out does not hide a difference."""
    assert sum(different(seed, factor=4.0) for seed in range(50)) >= 40
