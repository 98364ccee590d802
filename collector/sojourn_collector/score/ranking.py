"""What a list of problems is ordered by: Σ w · v · severity drawn towards what is usual, and not the score, by which a journey of ten visitors would lead.

v is what somebody was worth before against the typical customer among those hurt: never less than one, so that newcomers and visits without a name are not
worth nothing, and capped, so that one customer does not decide alone. The sum is drawn towards what is usual at the step as if 30 usual units more had come:
few people say little. People and visits are never added up: a problem stands where the larger of its two sums puts it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sojourn_collector.score.customer_impact import NOBODY, SPEAKS_FROM, Moments

USUAL_UNITS = float(SPEAKS_FROM)
"""How many usual units the time before counts for: as many as it takes for a score to speak."""


@dataclass(frozen=True, slots=True)
class Hurt:
    """Units of one kind that were hurt: whose, and w · severity of each; `of` = the sums of all units, hurt or not, `usual` = the mean severity 0–1 before."""

    units: Sequence[tuple[str, float]] = ()
    of: Moments = NOBODY
    usual: float = 0.0


NOT_HURT = Hurt()
"""Nobody of a kind was hurt."""


def relative_worth(paid: Mapping[str, float], cap: float) -> dict[str, float]:
    """v of everybody of whom something is known, 1 for the typical one who paid; who is not in it counts 1.

    :param paid: what each paid in the time before, or the account's price for as long; at most 0 says nothing.
    :param cap: percentile above which nobody weighs more.
    """
    known = np.array([amount for amount in paid.values() if amount > 0])
    if not len(known):
        return {}
    typical, most = float(np.median(known)), float(np.percentile(known, cap, method="higher"))
    return {person: max(1.0, min(amount, most) / typical) for person, amount in paid.items()}


def weight(people: Hurt, visits: Hurt, worth: Mapping[str, float]) -> tuple[float, float]:
    """The larger sum first, then the other: what a problem is placed by, the largest first."""
    own, apart = _drawn(people, worth), _drawn(visits, worth)
    return max(own, apart), min(own, apart)


def _drawn(hurt: Hurt, worth: Mapping[str, float]) -> float:
    mean = hurt.of.mean
    if not mean or hurt.of.squares <= 0:
        return 0.0
    n = hurt.of.weights**2 / hurt.of.squares
    drawn = (n * mean + USUAL_UNITS * hurt.usual) / (n + USUAL_UNITS)
    return sum(amount * worth.get(whose, 1.0) for whose, amount in hurt.units) * drawn / mean
