"""How many tickets a problem will bring."""

from datetime import datetime
from typing import Literal

from sojourn_collector.web.models import Answer, Named, Versioned


class ForecastFrom(Answer):
    """A past incident at the same age: people hit by then, Σ of their severities, tickets of the 24 hours after that, and what is usual in those hours."""

    since: datetime
    people: int
    exposure: float
    tickets: int
    base: float


class ForecastAnswer(Versioned):
    """Body of `GET /api/v1/problems/{id}/forecast`: tickets first received from `as_of` until `until`, with a 95 % prediction interval.

    `base` = what these hours bring anyway, None where not enough weeks are known; `excess_rate` = further tickets per unit of severity; `scored` = earlier
    forecasts that were compared with what came. `reason` says why there is none.
    """

    as_of: datetime
    until: datetime
    problem: str
    journey: Named
    step: Named
    state: Literal["measured", "not measured"]
    expected: float | None = None
    low: int | None = None
    high: int | None = None
    base: float | None = None
    people: int = 0
    exposure: float = 0
    excess_rate: float | None = None
    scored: int = 0
    incidents: list[ForecastFrom]
    reason: str = ""
