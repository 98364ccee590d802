"""Drivers: which steps and causes explain a score, ranked so that small groups do not lead.

Each group's share hurt is shrunk towards that of all by an empirical-Bayes beta-binomial, fitted by moments (Kleinman 1973); the prior counts
as no more people than are outside the group, since it is learnt from no more. Groups are
ordered by the people hurt for whom there is good evidence: the lower end of the 80 % credible interval times the people in the group.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from scipy import special

HIDDEN_BELOW, THIN_BELOW = 5, 30
"""People below which a group is not shown (it could tell of one), and below which it is marked thin."""

MOST = 1e6
"""Strength of the prior where groups do not differ at all."""


@dataclass(frozen=True, slots=True)
class Group:
    """People who reached a step, and the sum of the severities that one cause brought there (0 ≤ hurt ≤ people).

    Both are sums of weights; `seen` = how many people's worth of evidence they rest on, (Σw)² / Σw². None: each person weighs 1.
    """

    step: str
    cause: str
    people: float
    hurt: float
    seen: float | None = None

    @property
    def evidence(self) -> tuple[float, float]:
        """People and hurt as so many as were seen, with the same share."""
        return (self.people, self.hurt) if self.seen is None else (self.seen, self.hurt * self.seen / self.people)


@dataclass(frozen=True, slots=True)
class Driver:
    """One group as shown: raw and shrunk share, its 80 % interval, and how many points of the score it explains."""

    step: str
    cause: str
    people: float
    hurt: float
    share: float
    low: float
    high: float
    points: float
    thin: bool


def prior(groups: Sequence[Group]) -> tuple[float, float]:
    """α and β of the groups' shares, by moments; groups that differ no more than chance are pooled whole.

    :raises ValueError: for a group without people or with more hurt than people.
    """
    if not groups or any(group.people <= 0 or not 0 <= group.hurt <= group.people for group in groups):
        raise ValueError("a group has people, and no more of them hurt than there are")
    seen = [group.evidence for group in groups]
    total = sum(people for people, _ in seen)
    mean = min(1 - 1e-9, max(1e-9, sum(hurt for _, hurt in seen) / total))
    if len(groups) < 2:
        return mean, 1 - mean
    k = len(groups)
    spread = k / (k - 1) * sum(people * (hurt / people - mean) ** 2 for people, hurt in seen) / total
    chance = mean * (1 - mean) / k * sum(1 / people for people, _ in seen)
    strength = MOST if spread <= chance else min(MOST, max(0.0, mean * (1 - mean) - spread) / (spread - chance))
    strength = max(strength, 1.0)
    return mean * strength, (1 - mean) * strength


class Shrunk(NamedTuple):
    """A group's share drawn towards that of all, with its 80 % credible interval."""

    share: float
    low: float
    high: float


def shrunk(hurt: float, people: float, learnt: tuple[float, float], outside: float) -> Shrunk:
    """Draw one group's share towards that of all.

    :param learnt: α and β of `prior`.
    :param outside: people who are not in the group. The prior counts as no more: groups that differ by chance alone would else all have the share of all, as if
        that were known without error.
    """
    alpha, beta = learnt
    surer = min(1.0, max(1.0, outside) / (alpha + beta))
    a, b = hurt + surer * alpha, people - hurt + surer * beta
    return Shrunk(a / (a + b), float(special.betaincinv(a, b, 0.1)), float(special.betaincinv(a, b, 0.9)))


def drivers(groups: Iterable[Group], active: float, seen: float | None = None) -> list[Driver]:
    """The groups worth showing, the strongest first.

    :param active: Σ w of all units of the score; a group's points are 100 · hurt / active.
    :param seen: how many people's worth of evidence that is, as `Group.seen`.
    :raises ValueError: when `active` is not positive, and as `prior`.
    """
    if active <= 0:
        raise ValueError("a score of nobody has no drivers")
    listed = [group for group in groups if group.people > 0]
    if not listed:
        return []
    learnt = prior(listed)
    shown = [_driver(group, learnt, active, active if seen is None else seen) for group in listed if not hidden(group) and group.hurt > 0]
    return sorted(shown, key=lambda one: (-one.low * one.people, one.step, one.cause))


def hidden(group: Group) -> bool:
    """Whether a group is of so few people that it could tell of one."""
    return round(group.evidence[0], 6) < HIDDEN_BELOW


def _driver(group: Group, learnt: tuple[float, float], active: float, seen: float) -> Driver:
    people, hurt = group.evidence
    share, low, high = shrunk(hurt, people, learnt, seen - people)
    return Driver(group.step, group.cause, group.people, group.hurt, share, low, high, 100 * group.hurt / active, people < THIN_BELOW)
