"""The shape of `GET /api/v1/journeys/{id}/history`: how a journey fared by day or hour, for as long as sums are kept."""

from datetime import date, datetime
from typing import Literal

from sojourn_collector.web.models import Answer, Coverage, Impact, Versioned


class HistoryCustomers(Answer):
    """What customers met whose run began in this hour or day. `people` counts persons once, `anonymous` visits of nobody known; seconds.

    The intervals (0–1, Wilson) are of shares of those whose run is over.
    """

    tried: int
    finished: int
    gave_up: int
    stopped: int
    trying: int
    people: int
    anonymous: int
    finished_low: float | None = None
    finished_high: float | None = None
    stopped_low: float | None = None
    stopped_high: float | None = None
    took_p50: float | None = None
    took_p75: float | None = None
    impact: Impact | None = None
    """By the day only: its unit is a person's day."""
    impact_of_visits: Impact | None = None
    """By the day only, as beside every score of people."""


class HistoryProbes(Answer):
    """What our probes met. `passed_share` is of the runs that say something: passed, degraded, failed; seconds are of those that passed."""

    runs: int
    passed: int
    degraded: int
    failed: int
    inconclusive: int
    skipped: int
    flaky: int
    passed_share: float | None = None
    passed_low: float | None = None
    passed_high: float | None = None
    took_p50: float | None = None
    took_p95: float | None = None
    locations: list[str]


class HistoryStep(Answer):
    """One step in this hour or day, of one traffic; of probes every attempt counts. `severity` is the mean; seconds."""

    id: str
    name: str
    traffic: Literal["real", "synthetic"]
    attempts: int
    reached: int
    done: int
    hit: int
    slow: int
    recovered: int
    abandoned: int
    stopped: int
    failed: int
    people: int
    people_hit: int
    severity: float | None = None
    took_p50: float | None = None
    took_p75: float | None = None
    lcp_p75: float | None = None


class HistoryPeriod(Answer):
    """One hour or day; `customers` and `probes` are absent when there were none. `open`: it is not over, or not counted for good yet."""

    since: datetime
    until: datetime
    day: date | None = None
    """The date in the zone of impact.yaml, by the day only."""
    open: bool = False
    coverage: Coverage | None = None
    """Orders of the day, of whatever journey, and how many have a visit; by the day only."""
    customers: HistoryCustomers | None = None
    probes: HistoryProbes | None = None
    steps: list[HistoryStep]


class JourneyHistory(Versioned):
    """Body of `GET /api/v1/journeys/{id}/history`. Hours and days in which nothing was measured are absent: that is not zero."""

    as_of: datetime
    window_from: datetime
    window_to: datetime
    id: str
    name: str
    every: Literal["hour", "day"]
    timezone: str
    kept_days: int
    """How many days back the sums of this kind are kept."""
    counted_until: datetime | None = None
    """Up to here what is told comes from sums, after it from the runs themselves."""
    usual_severities_until: datetime | None = None
    """Impact before is of sums that do not tell apart what people met: it stays by severities of 0.25, 0.5, 0.8 and 1, whatever impact.yaml says."""
    periods: list[HistoryPeriod]
