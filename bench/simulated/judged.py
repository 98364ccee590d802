"""Judges the answers over many worlds of a family: coverage, claims where nothing happened, bias, speak rates, width beside the oracle's."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
from bench.simulated.world import World, spoke

from sojourn_collector.web.models import Problem

ENOUGH = 400
"""Worlds a family must be judged on before it may pass."""


@dataclass(frozen=True)
class Answered:
    """What came out of one world. An answer that stayed silent has only `held` and `spoke`."""

    held: bool
    nothing: bool
    spoke: bool
    amount: float = 0.0
    low: float = 0.0
    high: float = 0.0
    truth: float = 0.0
    oracle: float = 0.0
    bound: float = 0.0
    claimed: bool = False
    level: int | str = 0
    silence: str = ""


def answered(world: World, problems: Sequence[Problem]) -> Answered:
    """The world's largest problem is judged; a loss claimed of any problem is a claim."""
    speaking = [problem for problem in problems if spoke(problem.money)]
    claimed = any((problem.money.low or 0.0) > 0 for problem in speaking)
    if not problems:
        return Answered(world.gates_hold, world.nothing, spoke=False, silence="no problem was found")
    one = max(speaking or problems, key=lambda problem: problem.money.hit)
    money = one.money
    if not speaking:
        return Answered(world.gates_hold, world.nothing, spoke=False, silence="; ".join(money.reasons))
    assert money.amount is not None
    assert money.low is not None
    assert money.high is not None
    return Answered(
        held=world.gates_hold,
        nothing=world.nothing,
        spoke=True,
        amount=money.amount,
        low=money.low,
        high=money.high,
        truth=world.truth(one),
        oracle=world.oracle_width(one),
        bound=money.upper_bound or 0.0,
        claimed=claimed,
        level=money.level or 0,
    )


def verdict(answers: Sequence[Answered]) -> dict[str, Any]:
    """A family's figures; None where there is nothing to count. `meets` = within every bound, `passes` = and on enough worlds."""
    speaking = [one for one in answers if one.spoke]
    nothing = [one for one in answers if one.nothing]
    covered = [one.low <= one.truth <= one.high for one in speaking]
    errors = np.array([one.amount - one.truth for one in speaking])
    truths, bounds = sum(one.truth for one in speaking), sum(one.bound for one in speaking)
    # Where next to nothing is lost a share of the loss says nothing; then it is of the upper bounds.
    scale = truths if abs(truths) > 0.02 * bounds else bounds
    # A ratio of sums: one world with hardly anything at stake does not decide.
    widths, best = sum(one.high - one.low for one in speaking), sum(one.oracle for one in speaking)
    coverage = _share(covered)
    told: dict[str, Any] = {
        "worlds": len(answers),
        "spoke": len(speaking),
        "coverage": coverage,
        "coverage_se": None if coverage is None else sqrt(coverage * (1 - coverage) / len(covered)),
        "false_claims": _share([one.claimed for one in nothing]) if nothing else None,
        "bias": float(errors.sum() / scale) if scale else None,
        "bias_se": float(errors.std() * sqrt(len(errors)) / abs(scale)) if scale else None,
        "speak_rate_when_true": _share([one.spoke for one in answers if one.held]),
        "speak_rate_when_false": _share([one.spoke for one in answers if not one.held]),
        "width_ratio": widths / best if best else None,
    }
    told["meets"] = _meets(told)
    told["passes"] = told["meets"] and len(answers) >= ENOUGH
    return told


def _share(flags: Sequence[bool]) -> float | None:
    return sum(flags) / len(flags) if flags else None


def _meets(told: dict[str, Any]) -> bool:
    """Bounds of docs/methods.md; a figure that does not apply is not held against the family, silence everywhere is."""
    bounds = (
        ("coverage", 0.92, 1),
        ("false_claims", 0.04, -1),
        ("speak_rate_when_true", 0.8, 1),
        ("speak_rate_when_false", 0.05, -1),
        ("width_ratio", 1.6, -1),
    )
    return all(told[name] is None or (told[name] - bound) * sign >= 0 for name, bound, sign in bounds)
