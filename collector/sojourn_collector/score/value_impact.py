"""Customer impact, value view: how much of the customers' worth was hurt, 0 = none. Definition: docs/methods.md.

`100 · Σ w · v · severity / Σ w · v`, v = net revenue of the 90 days (or MRR) that end *before the incident*. Who is known for a shorter time
gets their segment's median for the days not seen, so that newcomers are not worth nothing; v is capped at its 99th percentile, and those
above it are named. Interval: Wilson at n_eff over accounts, since people of one account are worth one account.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sojourn_collector.score.intervals import effective_n, wilson

DAYS = 90.0
"""Days before the incident whose revenue says what a customer is worth, where impact.yaml says nothing else."""

LEAST = 30.0
"""Effective number of customers below which a few decide."""

FULL = 0.75
"""Share of the days for which somebody is known from which on they count as known for all of them: who comes every other week was not there on the first."""

CAP = 99.0
"""Percentile of worth at which it is capped, the same."""


@dataclass(frozen=True, slots=True)
class ValueUnit:
    """One settled unit of the people view with what is known of its worth before the incident.

    `revenue` in major units over the days known (None = no identity, nothing known), `known_days` of the days a worth is of (all of them for MRR, which
    speaks for itself).
    """

    key: str
    severity: float
    revenue: float | None
    known_days: float = DAYS
    segment: str = ""
    account: str = ""
    sample_rate: float = 1.0


@dataclass(frozen=True, slots=True)
class ValueImpact:
    """The score with its interval; `coverage` = share of units whose worth is known; `largest` = those above the cap with their uncapped worth."""

    of: int
    coverage: float
    n_eff: float
    score: float | None = None
    low: float | None = None
    high: float | None = None
    hurt: float = 0.0
    largest: tuple[tuple[str, float], ...] = ()
    reason: str = ""


def value_impact(units: Iterable[ValueUnit], *, days: float = DAYS, cap: float = CAP) -> ValueImpact:
    """Score the units whose worth is known.

    :param days: how many days a worth is of.
    :param cap: percentile above which nobody weighs more.
    :raises ValueError: for a severity or sample rate out of range.
    """
    listed = list(units)
    if any(not 0 <= unit.severity <= 1 or not 0 < unit.sample_rate <= 1 for unit in listed):
        raise ValueError("severity lies in 0–1 and sample rate in 0–1 above 0")
    known = [unit for unit in listed if unit.revenue is not None]
    coverage = len(known) / len(listed) if listed else 0.0
    if not known:
        return ValueImpact(0, coverage, 0.0, reason="nobody's worth is known: send orders or accounts with their mrr")
    whole = np.array(_worths(known, days))
    most = float(np.percentile(whole, cap, method="higher")) if len(whole) >= 100 else float(whole.max())
    worth = np.minimum(whole, most)
    weight = np.array([1 / unit.sample_rate for unit in known]) * worth
    n_eff = effective_n(_by_account(known, weight))
    largest = tuple((unit.key, float(value)) for unit, value in sorted(zip(known, whole, strict=True), key=lambda pair: -pair[1]) if value > most)
    if weight.sum() <= 0:
        return ValueImpact(len(known), coverage, n_eff, reason="nobody of them has paid anything")
    if n_eff < LEAST:
        return ValueImpact(
            len(known), coverage, n_eff, largest=largest, reason=f"not estimable, a few customers decide (worth {n_eff:.0f} equal ones, from {LEAST:g} on)"
        )
    severity = np.array([unit.severity for unit in known])
    hurt = float((weight * severity).sum())
    mean = min(1.0, hurt / float(weight.sum()))
    low, high = wilson(mean, n_eff)
    return ValueImpact(len(known), coverage, n_eff, 100 * mean, 100 * low, 100 * high, hurt, largest)


@dataclass(frozen=True, slots=True)
class Medians:
    """The median worth of those known for nearly all the days it is of, by segment; `overall` stands in for a segment of which nobody is."""

    days: float
    overall: float
    by_segment: Mapping[str, float]

    @classmethod
    def of(cls, known: Iterable[tuple[str, float, float]], days: float = DAYS) -> "Medians":
        """Of segment, revenue and days known of each."""
        full: dict[str, list[float]] = defaultdict(list)
        for segment, revenue, known_days in known:
            if known_days >= FULL * days:
                full[segment].append(max(0.0, revenue))
        everyone = [value for values in full.values() for value in values]
        return cls(days, float(np.median(everyone)) if everyone else 0.0, {segment: float(np.median(values)) for segment, values in full.items()})

    def worth(self, segment: str, revenue: float, known_days: float) -> float:
        """Revenue seen, and the segment's median for the share of the days that was not."""
        return max(0.0, revenue) + max(0.0, 1 - known_days / self.days) * self.by_segment.get(segment, self.overall)


def _worths(units: Sequence[ValueUnit], days: float) -> list[float]:
    medians = Medians.of(((unit.segment, unit.revenue or 0.0, unit.known_days) for unit in units), days)
    return [medians.worth(unit.segment, unit.revenue or 0.0, unit.known_days) for unit in units]


def _by_account(units: Sequence[ValueUnit], weight: np.ndarray[tuple[int], np.dtype[np.float64]]) -> list[float]:
    sums: dict[str, float] = defaultdict(float)
    for unit, own in zip(units, weight.tolist(), strict=True):
        sums[f"account {unit.account}" if unit.account else f"person {unit.key}"] += own
    return list(sums.values())
