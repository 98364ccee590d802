"""Customer impact, people view: how badly the customers of a journey or a step were hurt, 0 = nobody.

Definition: docs/scores.md. `100 · Σ w · severity / Σ w` over units, w = 1 / sampling probability; interval = Wilson on the weighted
mean with n_eff = (Σw)² / Σw². A unit is person × incident for a problem, person × journey × local day otherwise; its severity is the
worst one, never a sum. Visits without identity are scored apart from people and never put into one list with them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, tzinfo

from sojourn_collector.score.intervals import wilson

SPEAKS_FROM = 30
"""Settled units below which the score stays silent."""


@dataclass(frozen=True, slots=True)
class Unit:
    """One settled unit: its key (person, or person and day), its worst severity 0–1, its sampling probability 0 < rate ≤ 1."""

    key: str
    severity: float
    sample_rate: float = 1.0


@dataclass(frozen=True, slots=True)
class ImpactScore:
    """The score with its interval, of how many units, and why it is silent when it is."""

    of: int
    n_eff: float
    score: float | None = None
    low: float | None = None
    high: float | None = None
    usual: float | None = None
    excess: float | None = None
    reason: str = ""

    @property
    def measured(self) -> bool:
        """Whether there is a score."""
        return self.score is not None


def day_key(person: str, journey: str, at: datetime, zone: tzinfo) -> str:
    """Key of the unit person × journey × local day; `at` is an aware datetime."""
    return f"{person}\0{journey}\0{at.astimezone(zone).date().isoformat()}"


def worst_by_unit(units: Iterable[Unit]) -> list[Unit]:
    """One unit per key with its worst severity; where the rates of one key differ the lowest counts."""
    worst: dict[str, Unit] = {}
    for unit in units:
        if not 0 <= unit.severity <= 1 or not 0 < unit.sample_rate <= 1:
            raise ValueError(f"unit {unit.key!r}: severity lies in 0–1 and sample rate in 0–1 above 0")
        seen = worst.get(unit.key)
        if seen is None:
            worst[unit.key] = unit
        else:
            worst[unit.key] = Unit(unit.key, max(seen.severity, unit.severity), min(seen.sample_rate, unit.sample_rate))
    return list(worst.values())


@dataclass(frozen=True, slots=True)
class Moments:
    """What the score needs of merged units: how many, Σ w, Σ w² and Σ w · severity. The engine can sum these itself."""

    units: int
    weights: float
    squares: float
    severity: float

    @property
    def mean(self) -> float | None:
        """Weighted mean severity 0–1; None for no units."""
        return self.severity / self.weights if self.weights > 0 else None


NOBODY = Moments(0, 0.0, 0.0, 0.0)
"""No units at all."""


def moments(units: Iterable[Unit]) -> Moments:
    """Merge units by key to their worst and sum them up.

    :raises ValueError: for a severity or a sample rate out of range.
    """
    pairs = [(1 / unit.sample_rate, unit.severity) for unit in worst_by_unit(units)]
    return Moments(len(pairs), sum(w for w, _ in pairs), sum(w * w for w, _ in pairs), sum(w * severity for w, severity in pairs))


def score_of(units: Moments, usual: Moments = NOBODY, *, speaks_from: int = SPEAKS_FROM) -> ImpactScore:
    """Score the sums of settled units.

    :param usual: the same of the time before, for `usual` and `excess`; it too must be of `speaks_from` units or more.
    :param speaks_from: how many units it takes to speak.
    """
    n_eff = units.weights**2 / units.squares if units.squares > 0 else 0.0
    mean = units.mean
    if units.units < speaks_from or mean is None:
        return ImpactScore(units.units, n_eff, reason=f"{units.units} settled, measured from {speaks_from} on")
    low, high = wilson(min(1.0, max(0.0, mean)), n_eff)
    normal = usual.mean if usual.units >= speaks_from else None
    return ImpactScore(
        of=units.units,
        n_eff=n_eff,
        score=100 * mean,
        low=100 * low,
        high=100 * high,
        usual=None if normal is None else 100 * normal,
        excess=None if normal is None else 100 * (mean - normal),
    )


def customer_impact(units: Iterable[Unit], usual: Iterable[Unit] = (), *, speaks_from: int = SPEAKS_FROM) -> ImpactScore:
    """Score settled units; see `score_of`. Units of one key are merged to the worst first."""
    return score_of(moments(units), moments(usual), speaks_from=speaks_from)


def total_severity(units: Iterable[Unit]) -> float:
    """Σ w · severity: what lists are ordered by, so that a journey with ten visitors does not lead."""
    return moments(units).severity
