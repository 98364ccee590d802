"""What several problems cost together: unclipped figures add up, as long as what somebody did not pay is in one of them only.

Definition: docs/methods.md. The ends of the intervals are added: that is as wide as it need be where all figures err the same way (problems of one time share
controls and order values), and wider where they err each for itself. Upper bounds stand apart and are in no estimate.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import combinations

MOST_TWICE = 0.02
"""Share of those hit who may be in two problems at once: with more, what they did not pay would count twice."""


@dataclass(frozen=True, slots=True)
class Part:
    """One problem: its estimate, its upper bound, None where it has none, and who was hit when."""

    since: datetime
    until: datetime
    hit: frozenset[str]
    amount: float | None = None
    low: float | None = None
    high: float | None = None
    upper_bound: float | None = None
    final: bool = False
    final_at: datetime | None = None

    @property
    def estimated(self) -> bool:
        """Whether there is an estimate with its interval."""
        return self.amount is not None and self.low is not None and self.high is not None


@dataclass(frozen=True, slots=True)
class MoneySum:
    """The sum of those estimated (`problems`, of `hit` different people and visits), and apart from it that of the upper bounds of those that have only one.

    `silent` have neither; `twice` = who was hit in two of those estimated so near to each other that one purchase may be missing in both.
    """

    problems: int = 0
    hit: int = 0
    amount: float | None = None
    low: float | None = None
    high: float | None = None
    final: bool = False
    final_at: datetime | None = None
    bounded: int = 0
    upper_bound: float | None = None
    silent: int = 0
    twice: int = 0
    reason: str = ""


def money_sum(parts: Sequence[Part], outcome: timedelta) -> MoneySum:
    """Add up what problems cost.

    :param outcome: how long after a failure what somebody pays still counts as that person's outcome.
    """
    told = [one for one in parts if one.estimated]
    bounds = [one.upper_bound for one in parts if not one.estimated and one.upper_bound is not None]
    hit = frozenset[str]().union(*(one.hit for one in told))
    near = [(one, other) for one, other in combinations(told, 2) if one.since <= other.until + outcome and other.since <= one.until + outcome]
    twice = frozenset[str]().union(*(one.hit & other.hit for one, other in near))
    whole = MoneySum(
        problems=len(told),
        hit=len(hit),
        bounded=len(bounds),
        upper_bound=sum(bounds) if bounds else None,
        silent=len(parts) - len(told) - len(bounds),
        twice=len(twice),
    )
    if not told:
        return replace(whole, reason="no problem of this time has an estimate" if parts else "there was no problem in this time")
    if len(twice) > MOST_TWICE * len(hit):
        return replace(whole, reason=_twice(len(twice), len(hit)))
    return replace(
        whole,
        amount=sum(one.amount or 0.0 for one in told),
        low=sum(one.low or 0.0 for one in told),
        high=sum(one.high or 0.0 for one in told),
        final=all(one.final for one in told),
        final_at=max((one.final_at for one in told if one.final_at is not None), default=None),
    )


def _twice(twice: int, hit: int) -> str:
    why = "so what they did not pay would be added twice; each problem has its own figure"
    return f"{twice} of {hit} were hit in two problems within the time that counts for each, {why}"
