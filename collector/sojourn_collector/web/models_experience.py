"""The shape of `GET /api/v1/journeys/{id}/experience`: how customers fared in a journey, or at one of its steps, by one fact about them."""

from datetime import datetime

from sojourn_collector.web.models import Answer, Impact, Named, Versioned


class Drawn(Answer):
    """A group's mean severity (0–1) drawn towards that of all as far as it may be chance, with its 80 % interval."""

    share: float
    low: float
    high: float


class FaredGroup(Answer):
    """Customers' walks with one value of the fact: finished + gave_up + stopped + trying = tried. Of a step: those who came to it, and `finished` went on.

    Shares are of walks that are over, `hit` (met a failure) and `slow` (something was slow, and nothing worse) of all; their intervals 0–1 (Wilson).
    Apdex is told of a step. `impact` counts days of people, under the value of their worst walk; `drawn` is what groups are ordered by. `thin` = of fewer
    than 30 units.
    """

    value: str
    name: str
    tried: int
    finished: int
    gave_up: int
    stopped: int
    trying: int
    hit: int
    slow: int
    finished_low: float | None = None
    finished_high: float | None = None
    gave_up_low: float | None = None
    gave_up_high: float | None = None
    stopped_low: float | None = None
    stopped_high: float | None = None
    hit_low: float | None = None
    hit_high: float | None = None
    slow_low: float | None = None
    slow_high: float | None = None
    apdex: float | None = None
    apdex_low: float | None = None
    apdex_high: float | None = None
    apdex_of: int | None = None
    apdex_t: float | None = None
    impact: Impact | None = None
    impact_of_visits: Impact | None = None
    drawn: Drawn | None = None
    thin: bool = False


class ExperienceBy(Versioned):
    """Body of `GET /api/v1/journeys/{id}/experience`. The counts of `groups`, `unknown` and `others` add up to those of `whole`, which are the journey's own.

    Ordered by the units hurt for whom there is good evidence, so that small groups do not lead. Groups of fewer than 5 people and visits are not shown
    (`hidden`), of more than 2,000 the smallest are not looked at (`cut`); together they are `others`.
    `steps` are those customers are recognised at. By step and by failure kind walks have no impact: whom
    a failure hit is hurt by it, and what a score is made of is `breakdown`'s.
    """

    as_of: datetime
    window_from: datetime
    window_to: datetime
    journey: str
    name: str
    step: str = ""
    steps: list[Named]
    by: str
    whole: FaredGroup
    groups: list[FaredGroup]
    unknown: FaredGroup | None = None
    others: FaredGroup | None = None
    hidden: int = 0
    cut: int = 0
    reason: str = ""
