"""Customer impact, value view: how much of the customers' worth was hurt, 0 = none. Definition: docs/methods.md.

`100 · Σ w · v · severity / Σ w · v`, v = net revenue of the 90 days (or MRR) that end *before the incident*. Who is known for a shorter time
gets their segment's median for the days not seen, so that newcomers are not worth nothing; v is capped at its 99th percentile, and those
above it are named. Interval: Wilson at n_eff over accounts, since people of one account are worth one account.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

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

NOBODY = "nobody's worth is known: send orders or accounts with their mrr"


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
        return ValueImpact(0, coverage, 0.0, reason=NOBODY)
    whole = np.array(_worths(known, days))
    most = _most(whole, cap)
    weight = np.array([1 / unit.sample_rate for unit in known]) * np.minimum(whole, most)
    n_eff = effective_n(_by_account(known, weight))
    largest = tuple((unit.key, float(value)) for unit, value in sorted(zip(known, whole, strict=True), key=lambda pair: -pair[1]) if value > most)
    severity = np.array([unit.severity for unit in known])
    return _scored(len(known), coverage, n_eff, float(weight.sum()), float((weight * severity).sum()), largest)


@dataclass(frozen=True, slots=True)
class Worth:
    """What somebody counts for: their worth, capped, and `whose` worth it is, their account's or their own."""

    amount: float
    whose: str


class Lived(NamedTuple):
    """Sums over one person's units: Σ w, and Σ w · severity."""

    person: str
    weight: float
    hurt: float


class Weighed(NamedTuple):
    """Sums over people: Σ w · v and Σ w · v · severity over units, of those whose worth is known; `known` and `all` = Σ w of theirs and of everybody's units,
    `once` = Σ v, everybody's once."""

    worth: float
    hurt: float
    n_eff: float
    known: float
    all: float
    once: float


def worths_of(people: Iterable[ValueUnit], *, days: float = DAYS, cap: float = CAP) -> dict[str, Worth]:
    """What each of these people counts for, however many units they have; who is left out is not known."""
    known = [one for one in people if one.revenue is not None]
    if not known:
        return {}
    whole = np.array(_worths(known, days))
    amounts = np.minimum(whole, _most(whole, cap)).tolist()
    return {one.key: Worth(amount, _whose(one)) for one, amount in zip(known, amounts, strict=True)}


def weighed(lived: Iterable[Lived], worths: Mapping[str, Worth]) -> Weighed:
    """Add people up by their worth, each of whom is told once. All units of one account, or of one person, are one customer's: who comes daily is still one."""
    hurt = known = everybody = once = 0.0
    by_whose: dict[str, float] = defaultdict(float)
    for one in lived:
        everybody += one.weight
        worth = worths.get(one.person)
        if worth is None:
            continue
        known += one.weight
        once += worth.amount
        hurt += worth.amount * one.hurt
        by_whose[worth.whose] += worth.amount * one.weight
    return Weighed(sum(by_whose.values()), hurt, effective_n(list(by_whose.values())), known, everybody, once)


def value_of(sums: Weighed) -> ValueImpact:
    """The score of people added up."""
    coverage = sums.known / sums.all if sums.all else 0.0
    if not sums.known:
        return ValueImpact(0, coverage, 0.0, reason=NOBODY)
    return _scored(round(sums.known), coverage, sums.n_eff, sums.worth, sums.hurt)


def _scored(of: int, coverage: float, n_eff: float, worth: float, hurt: float, largest: tuple[tuple[str, float], ...] = ()) -> ValueImpact:
    if worth <= 0:
        return ValueImpact(of, coverage, n_eff, reason="nobody of them has paid anything")
    if n_eff < LEAST:
        reason = f"not estimable, a few customers decide (worth {n_eff:.0f} equal ones, from {LEAST:g} on)"
        return ValueImpact(of, coverage, n_eff, largest=largest, reason=reason)
    mean = min(1.0, hurt / worth)
    low, high = wilson(mean, n_eff)
    return ValueImpact(of, coverage, n_eff, 100 * mean, 100 * low, 100 * high, hurt, largest)


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


def _most(whole: np.ndarray[tuple[int], np.dtype[np.float64]], cap: float) -> float:
    """The worth above which nobody weighs more."""
    return float(np.percentile(whole, cap, method="higher")) if len(whole) >= 100 else float(whole.max())


def _by_account(units: Sequence[ValueUnit], weight: np.ndarray[tuple[int], np.dtype[np.float64]]) -> list[float]:
    sums: dict[str, float] = defaultdict(float)
    for unit, own in zip(units, weight.tolist(), strict=True):
        sums[_whose(unit)] += own
    return list(sums.values())


def _whose(unit: ValueUnit) -> str:
    return f"account {unit.account}" if unit.account else f"person {unit.key}"
