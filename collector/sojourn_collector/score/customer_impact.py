"""Customer impact, people view and per visit: how badly the customers of a journey or a step were hurt, 0 = nobody.

Definition: docs/scores.md. `100 · Σ w · severity / Σ w` over units, w = 1 / sampling probability; interval = Wilson on the weighted
mean with n_eff = (Σw)² / Σw². A unit is person × incident for a problem, person × journey × local day otherwise; its severity is the
worst one, never a sum. Visits without identity are scored apart from people and never put into one list with them: their unit is visit ×
journey. Where sessions were sampled there is no score of people, for of those who came twice one visit may have been left out: there every
visit, of whomever, is a unit.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Literal, NamedTuple

from sojourn_collector.score.intervals import wilson

SPEAKS_FROM = 30
"""Settled units below which the score stays silent."""

SAMPLED = (
    "sessions were sampled, so of somebody who came twice one visit may be missing: there is no score of people, the one per visit is weighted by the sampling"
)
"""Why there is no score of people where units of them carry weights."""


Covers = Literal["people", "anonymous visits", "all visits"]
"""Whom a score is of."""


@dataclass(frozen=True, slots=True)
class Unit:
    """One settled unit: its key (person, or person and day), its worst severity 0–1, its sampling probability 0 < rate ≤ 1."""

    key: str
    severity: float
    sample_rate: float = 1.0


@dataclass(frozen=True, slots=True)
class ImpactScore:
    """The score with its interval, of how many units, and why it is silent when it is.

    `trying` = units outside it of which something is still open; `if_all_pass` and `if_all_fail` bound it: what it comes to when all of that succeeds,
    and when all fails.
    """

    of: int
    n_eff: float
    covers: Covers = "people"
    score: float | None = None
    low: float | None = None
    high: float | None = None
    usual: float | None = None
    excess: float | None = None
    reason: str = ""
    trying: int = 0
    if_all_pass: float | None = None
    if_all_fail: float | None = None

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

    @property
    def sampled(self) -> bool:
        """Whether some of the units stand for others: none weighs less than one."""
        return self.weights > self.units * (1 + 1e-9)

    def __add__(self, other: "Moments") -> "Moments":
        """Both; they must have no unit in common."""
        return Moments(self.units + other.units, self.weights + other.weights, self.squares + other.squares, self.severity + other.severity)


NOBODY = Moments(0, 0.0, 0.0, 0.0)
"""No units at all."""


@dataclass(frozen=True, slots=True)
class Trying:
    """Units of which something is still open: Σ w, and Σ w · severity if all of it succeeds and if all fails. `counted` = what of them the score has."""

    units: int = 0
    weights: float = 0.0
    at_best: float = 0.0
    at_worst: float = 0.0
    counted_weights: float = 0.0
    counted: float = 0.0

    def __add__(self, other: "Trying") -> "Trying":
        """Both; they must have no unit in common."""
        return Trying(
            self.units + other.units,
            self.weights + other.weights,
            self.at_best + other.at_best,
            self.at_worst + other.at_worst,
            self.counted_weights + other.counted_weights,
            self.counted + other.counted,
        )


NONE_TRYING = Trying()
"""Nothing is open."""


class Body(NamedTuple):
    """What is known of one kind of units: the settled ones, those of the time before, and those still trying."""

    now: Moments = NOBODY
    usual: Moments = NOBODY
    trying: Trying = NONE_TRYING


EMPTY = Body()
"""Units of a kind that nobody is of."""


def moments(units: Iterable[Unit]) -> Moments:
    """Merge units by key to their worst and sum them up.

    :raises ValueError: for a severity or a sample rate out of range.
    """
    pairs = [(1 / unit.sample_rate, unit.severity) for unit in worst_by_unit(units)]
    return Moments(len(pairs), sum(w for w, _ in pairs), sum(w * w for w, _ in pairs), sum(w * severity for w, severity in pairs))


def score_of(
    units: Moments, usual: Moments = NOBODY, trying: Trying = NONE_TRYING, *, covers: Covers = "people", speaks_from: int = SPEAKS_FROM
) -> ImpactScore:
    """Score the sums of settled units. Of people of whom sessions were sampled there is no score, and no usual value.

    :param usual: the same of the time before, for `usual` and `excess`; it too must be of `speaks_from` units or more.
    :param trying: who is outside of it because something is still open, for its bounds.
    :param covers: whom the units are of.
    :param speaks_from: how many units it takes to speak.
    """
    n_eff = units.weights**2 / units.squares if units.squares > 0 else 0.0
    mean = units.mean
    if covers == "people" and units.sampled:
        return ImpactScore(units.units, n_eff, covers, reason=SAMPLED, trying=trying.units)
    if units.units < speaks_from or mean is None:
        return ImpactScore(units.units, n_eff, covers, reason=f"{units.units} settled, measured from {speaks_from} on", trying=trying.units)
    low, high = wilson(min(1.0, max(0.0, mean)), n_eff)
    normal = usual.mean if usual.units >= speaks_from and not (covers == "people" and usual.sampled) else None
    if_all_pass, if_all_fail = bounds(units, trying)
    return ImpactScore(
        of=units.units,
        n_eff=n_eff,
        covers=covers,
        score=100 * mean,
        low=100 * low,
        high=100 * high,
        usual=None if normal is None else 100 * normal,
        excess=None if normal is None else 100 * (mean - normal),
        trying=trying.units,
        if_all_pass=if_all_pass,
        if_all_fail=if_all_fail,
    )


def bounds(units: Moments, trying: Trying) -> tuple[float | None, float | None]:
    """The score 0–100 when all who still try succeed, and when all fail; None when nobody does."""
    weights = units.weights - trying.counted_weights + trying.weights
    if not trying.units or weights <= 0:
        return None, None
    settled = units.severity - trying.counted
    return 100 * (settled + trying.at_best) / weights, 100 * (settled + trying.at_worst) / weights


def scores_of(people: Body, anonymous: Body, every: Body | None = None, *, speaks_from: int = SPEAKS_FROM) -> tuple[ImpactScore, ImpactScore | None]:
    """The score of people, and the one per visit, which is never added to it; None where there are no visits to score.

    :param anonymous: visits without identity.
    :param every: every visit, of people too; needed where `people` were sampled by session, for then it is what is scored.
    """
    of_people = score_of(*people, speaks_from=speaks_from)
    if people.now.sampled:
        return of_people, score_of(*(every or EMPTY), covers="all visits", speaks_from=speaks_from)
    if not anonymous.now.units and not anonymous.trying.units:
        return of_people, None
    return of_people, score_of(*anonymous, covers="anonymous visits", speaks_from=speaks_from)


def customer_impact(units: Iterable[Unit], usual: Iterable[Unit] = (), *, covers: Covers = "people", speaks_from: int = SPEAKS_FROM) -> ImpactScore:
    """Score settled units; see `score_of`. Units of one key are merged to the worst first."""
    return score_of(moments(units), moments(usual), covers=covers, speaks_from=speaks_from)
