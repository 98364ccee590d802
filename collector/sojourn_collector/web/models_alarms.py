"""Newly hit customers beyond what is usual: which steps alarm, since when, and by what budget of false alarms."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from sojourn_collector.web.models import Answer, Named


class Alarm(Answer):
    """One step. `since` = when more than usual began to be hit, `raised` = when it was enough for an alarm; people and impact (0–100) are of since then.

    `rising`: more than usual, and not yet an alarm. `wakes`: also at least three were hit and the lower end of impact is at the one impact.yaml names, or
    those hit are worth what it names. `worth` = net revenue of those hit who are known, in the `weights.paid` before; None where impact.yaml names no sum.
    `usual` = share usually hit at that hour, `usual_high` the upper end of its 95 % interval. It alarms when `sum`, the larger of two, reaches `threshold`.
    `also` = later steps of the journey that alarm: the same cause as far as one can tell.
    """

    journey: Named
    step: Named
    state: Literal["rising", "alarm"]
    since: datetime
    raised: datetime | None
    people: int
    hit: int
    hit_people: int
    hit_visits: int
    usual: float
    usual_high: float
    sum: float
    threshold: float
    impact: float
    low: float
    high: float
    worth: float | None = None
    wakes: bool
    also: list[Named] = Field(default_factory=list)
    rows: str = ""
    """Address of those hit."""


class AlarmsAnswer(Answer):
    """Body of `GET /api/v1/alarms`. `watched` of the steps that customers came to, those of `journeys`; the others have too little of a past for a usual share.

    `false_per_week` = false alarms that all of them together may raise in a week, of `people_per_week` who come.
    """

    as_of: datetime
    watched: int
    unwatched: int
    journeys: list[str]
    false_per_week: float
    factor: float
    people_per_week: int
    impact_from: float
    worth_from: float | None = None
    currency: str
    alarms: list[Alarm]
    rising: list[Alarm]
    truncated: bool = False
