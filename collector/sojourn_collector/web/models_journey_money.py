"""The shape of `GET /api/v1/journeys/{id}/money`: what a journey's problems cost together, and the recurring revenue exposed in it."""

from datetime import datetime
from typing import Literal

from sojourn_collector.web.models import Answer, Versioned
from sojourn_collector.web.models_measures import Exposed


class MissingSum(Answer):
    """The unclipped figures of the problems that reach into the window, each whole, and have one (`estimated` of `problems`), added up; may be negative.

    The ends of their intervals are added too. `upper_bound` is the sum over the problems that have nothing but one (`bounded`), and in no estimate; `silent`
    have neither. `hit` = different people and visits in those estimated, `twice` of them in two so near that one purchase may be missing in both: with more
    than 2 in 100 there is no sum.
    """

    state: Literal["so_far", "final", "not_estimable"]
    problems: int
    estimated: int
    amount: float | None = None
    low: float | None = None
    high: float | None = None
    currency: str
    final_at: datetime | None = None
    hit: int = 0
    twice: int = 0
    bounded: int = 0
    upper_bound: float | None = None
    silent: int = 0
    reason: str = ""
    notes: list[str]


class JourneyMoney(Versioned):
    """Body of `GET /api/v1/journeys/{id}/money`. `exposed` is of everybody hit at any of its steps, each account and subscription once: exposed, not lost."""

    as_of: datetime
    window_from: datetime
    window_to: datetime
    journey: str
    name: str
    missing: MissingSum
    exposed: Exposed | None
    """None where more people were hit than are looked at; `missing.notes` say so."""
