"""Looking again and again: a sum that alarms on newly hit persons, and an interval that stays true however often it is looked at.

CUSUM: Page 1954, for Bernoulli observations Reynolds & Stoumbos 1999. Confidence sequence: Robbins' normal mixture (Robbins 1970).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import erf, log, sqrt

from sojourn_collector.score.intervals import wilson_counts

LEAST_PERSONS = 3


@dataclass(frozen=True, slots=True)
class Cusum:
    """The alarm of one journey × step. `total` rises with persons newly hit, falls with those who were not, and never below 0."""

    p0: float
    p1: float
    threshold: float
    total: float = 0.0
    alarmed: bool = False

    def seen(self, hit: bool) -> "Cusum":
        """After one more person. It alarms at the threshold and is cleared when the sum is back at half of it: no flutter."""
        return self.counted(int(hit), 1)

    def counted(self, hit: int, people: int) -> "Cusum":
        """After some more people, `hit` of them hit, whose order is not known: within them the sum may fall below 0 and come back."""
        step = hit * log(self.p1 / self.p0) + (people - hit) * log((1 - self.p1) / (1 - self.p0))
        total = max(0.0, self.total + step)
        # Once alarmed the sum stops at twice the threshold, or a long outage would take as long to be forgotten.
        total = min(total, 2 * self.threshold)
        return Cusum(self.p0, self.p1, self.threshold, total, total >= self.threshold or (self.alarmed and total > self.threshold / 2))

    def all_seen(self, hits: Iterable[bool]) -> "Cusum":
        """After many."""
        one = self
        for hit in hits:
            one = one.seen(hit)
        return one


def cusum(usual_hit: int, usual_people: int, *, streams: int, people_per_false_alarm: float, factor: float = 3.0) -> Cusum:
    """An alarm for a step.

    :param usual_hit: persons hit of `usual_people` in the same hour block before: p0 is the upper end of their share's 95 % interval, not the
        share itself, which if it is too low alarms far too often.
    :param streams: journey × steps watched at once.
    :param people_per_false_alarm: persons seen on one of them in the time in which the whole installation may alarm falsely once.
    :param factor: how many times p0 must be found.
    :raises ValueError: when there is nothing usual to go by, or a number is not positive.
    """
    if usual_people <= 0 or streams <= 0 or people_per_false_alarm <= 0 or factor <= 1:
        raise ValueError("an alarm needs people who came before, streams, a budget, and a factor above 1")
    p0 = min(0.5, max(1e-6, wilson_counts(usual_hit, usual_people)[1]))
    return Cusum(p0, min(0.95, factor * p0), log(max(2.0, streams * people_per_false_alarm)))


def worth_waking(persons: int, impact_low: float | None, threshold: float, value_low: float | None = None, value_threshold: float | None = None) -> bool:
    """The gate behind the alarm: at least three persons and customer impact surely above the threshold, or as much worth surely hurt."""
    by_people = persons >= LEAST_PERSONS and impact_low is not None and impact_low >= threshold
    by_value = value_low is not None and value_threshold is not None and value_low >= value_threshold
    return by_people or by_value


def confidence_sequence(mean: float, deviation: float, n: float, *, alpha: float = 0.05, tightest_at: float | None = None) -> tuple[float, float]:
    """An interval for a mean that holds at every n at once with probability 1 − alpha.

    :param deviation: standard deviation of one observation.
    :param tightest_at: n at which it should be tightest; by default here.
    :raises ValueError: when n is not positive, the deviation negative or alpha outside 0–1.
    """
    if n <= 0 or deviation < 0 or not 0 < alpha < 1:
        raise ValueError("n must be positive, the deviation not negative, alpha between 0 and 1")
    best = n if tightest_at is None else tightest_at
    # Howard et al. 2021, section 3.2: the mixture's spread that is best at one n.
    rho2 = (-2 * log(alpha) + log(-2 * log(alpha) + 1)) / best
    half = deviation * sqrt(2 * (n * rho2 + 1) / (n * n * rho2) * log(sqrt(n * rho2 + 1) / alpha))
    return mean - half, mean + half


def sure_at(n: float, *, alpha: float = 0.05, tightest_at: float | None = None) -> float:
    """The confidence at which one interval of n observations is as wide as the sequence there: for intervals that are not made of a mean and its deviation.

    :raises ValueError: as `confidence_sequence`.
    """
    return erf(deviations_at(n, alpha=alpha, tightest_at=tightest_at) / sqrt(2))


def deviations_at(n: float, *, alpha: float = 0.05, tightest_at: float | None = None) -> float:
    """How many standard errors the sequence reaches to either side at n; one interval of 95 % reaches 1.96.

    :raises ValueError: as `confidence_sequence`.
    """
    return confidence_sequence(0.0, 1.0, n, alpha=alpha, tightest_at=tightest_at)[1] * sqrt(n)
