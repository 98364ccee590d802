"""Judges the estimator over many worlds of a family: coverage, claims where nothing happened, bias, speak rate, width."""

from dataclasses import asdict, dataclass, replace

import numpy as np

from sojourn_collector.score.business_impact import business_impact
from sojourn_collector.score.money import DRAWS
from tests.collector.score.worlds import make_world


@dataclass(frozen=True)
class Verdict:
    """What came out for a family; shares 0–1, bias relative to the summed truth (or to the sum of upper bounds when that is 0)."""

    family: str
    worlds: int
    spoke: int
    coverage: float
    claims: float
    bias: float
    bias_error: float
    width_ratio: float

    def as_dict(self) -> dict[str, object]:
        return asdict(self)


def judge(family: str, worlds: int, first_seed: int = 1, people: tuple[int, int] | None = None, draws: int = DRAWS) -> Verdict:
    """Run the estimator over `worlds` worlds; width_ratio = mean width ÷ 3.92 standard deviations of its errors."""
    errors, covered, claims, widths, truths, bounds = [], [], [], [], [], []
    for seed in range(first_seed, first_seed + worlds):
        world = make_world(family, seed, people)
        settings = replace(world.settings, draws=draws)
        answer = business_impact(world.shoppers, settings, now=world.now, watermark=world.watermark, seed=seed)
        if answer.amount is None or answer.low is None or answer.high is None:
            continue
        errors.append(answer.amount - world.truth)
        covered.append(answer.low <= world.truth <= answer.high)
        claims.append(answer.low > 0)
        widths.append(answer.high - answer.low)
        truths.append(world.truth)
        bounds.append(answer.upper_bound or 0.0)
    scale = float(np.sum(truths)) if abs(float(np.sum(truths))) > 0.02 * float(np.sum(bounds)) else float(np.sum(bounds))
    z = np.array(errors) / np.array(widths)
    return Verdict(
        family=family,
        worlds=worlds,
        spoke=len(errors),
        coverage=float(np.mean(covered)),
        claims=float(np.mean(claims)),
        bias=float(np.sum(errors)) / scale,
        bias_error=float(np.std(errors) * np.sqrt(len(errors))) / abs(scale),
        width_ratio=float(1 / (3.92 * np.std(z))),
    )
