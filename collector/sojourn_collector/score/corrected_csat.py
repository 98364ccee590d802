"""CSAT corrected for who answers: telemetry exists of those who were invited and kept silent too. Definition: docs/methods.md.

Hájek mean of the answers, w = 1 / P(answer | facts known of everyone invited), by a logistic model, trimmed at the 99th percentile. The
weights are fitted again in every bootstrap sample; the interval is Wilson's at the smaller of Kish's n_eff and the n that the bootstrap
shows. Those never invited are not corrected for; they are counted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sojourn_collector.score.intervals import effective_n, wilson
from sojourn_collector.score.logit import Floats, NoFit, fit

LEAST_ANSWERS, LEAST_SILENT = 30, 10
SAMPLES = 200
TRIM = 99.0
RIDGE = 1.0
ODDS = 2.0
"""How much likelier (by odds) the satisfied might answer than the dissatisfied of like facts, and the other way round."""


@dataclass(frozen=True, slots=True)
class Invited:
    """One person invited: facts as of then (exposure, journey outcome, device, tenure …), and the answer if there is one."""

    facts: Mapping[str, str]
    satisfied: bool | None


@dataclass(frozen=True, slots=True)
class CorrectedCsat:
    """Raw and corrected share of satisfied (0–1), interval, and the range if the satisfied answer twice or half as readily (by odds)."""

    invited: int
    answered: int
    raw: float | None = None
    share: float | None = None
    low: float | None = None
    high: float | None = None
    n_eff: float = 0.0
    if_satisfied_answer_more: float | None = None
    if_satisfied_answer_less: float | None = None
    reason: str = ""
    never_asked: str = ""


def corrected_csat(people: Sequence[Invited], *, hit: int = 0, never: int = 0, seed: int = 0) -> CorrectedCsat:
    """Correct the share of satisfied.

    :param people: everyone invited, whether they answered or not.
    :param hit: everyone hit, invited or not, and `never` how many of them no survey has reached since. Where nobody is known to be invited that is not known.
    """
    answers = [one for one in people if one.satisfied is not None]
    sentence = f"{never} of {hit} hit were never asked" if never and people else ""
    raw = sum(bool(one.satisfied) for one in answers) / len(answers) if answers else None
    reason = _silent(len(people), len(answers))
    if reason:
        return CorrectedCsat(len(people), len(answers), raw, reason=reason, never_asked=sentence)
    columns, answered = _columns(people), np.array([one.satisfied is not None for one in people])
    satisfied = np.array([bool(one.satisfied) for one in people], dtype=float)
    try:
        weight = _weights(columns, answered)
    except NoFit as error:
        return CorrectedCsat(len(people), len(answers), raw, reason=f"who answers cannot be told from these facts: {error}", never_asked=sentence)
    share = _hajek(weight, satisfied)
    spread = _bootstrap(columns, answered, satisfied, seed)
    n_eff = effective_n(list(weight[answered]))
    if 0 < share < 1 and spread > 0:
        n_eff = min(n_eff, share * (1 - share) / spread**2)
    low, high = wilson(share, max(n_eff, 1.0))
    more, less = _tilted(share, ODDS), _tilted(share, 1 / ODDS)
    return CorrectedCsat(len(people), len(answers), raw, share, low, high, n_eff, more, less, never_asked=sentence)


def _silent(invited: int, answered: int) -> str:
    if answered < LEAST_ANSWERS:
        return f"{answered} answers, corrected from {LEAST_ANSWERS} on"
    if invited - answered < LEAST_SILENT:
        return f"{invited - answered} of those invited kept silent, too few to correct for"
    return ""


def _tilted(share: float, odds: float) -> float:
    """The share among all invited if the satisfied answered `odds` times as readily: their answers then stand for fewer people."""
    return share / odds / (share / odds + 1 - share) if share < 1 else 1.0


def _columns(people: Sequence[Invited]) -> Floats:
    """An intercept and one column for each value of each fact but its first."""
    columns = [np.ones(len(people))]
    for name in sorted({fact for one in people for fact in one.facts}):
        values = sorted({one.facts.get(name, "") for one in people})
        columns += [np.array([one.facts.get(name, "") == value for one in people], dtype=float) for value in values[1:]]
    return np.column_stack(columns)


def _weights(columns: Floats, answered: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Floats:
    chance = fit(columns, answered.astype(float), ridge=RIDGE).fitted
    weight = np.where(answered, 1 / chance, 0.0)
    return np.asarray(np.minimum(weight, np.percentile(weight[answered], TRIM)), dtype=float)


def _hajek(weight: Floats, satisfied: Floats) -> float:
    return float(min(1.0, (weight * satisfied).sum() / weight.sum()))


def _bootstrap(columns: Floats, answered: np.ndarray[tuple[int], np.dtype[np.bool_]], satisfied: Floats, seed: int) -> float:
    rng, shares = np.random.default_rng(seed), []
    for _ in range(SAMPLES):
        rows = rng.integers(len(answered), size=len(answered))
        if 0 < answered[rows].sum() < len(rows):
            try:
                shares.append(_hajek(_weights(columns[rows], answered[rows]), satisfied[rows]))
            except NoFit:
                continue
    return float(np.std(shares, ddof=1)) if len(shares) > SAMPLES // 2 else float("inf")
