"""What a problem and a journey measure beside the report: the value view, revenue exposed, drivers, who suffered in silence, corrected CSAT."""

from datetime import date, datetime
from typing import Literal

from pydantic import Field

from sojourn_collector.web.models import Answer, Problem, Versioned


class Largest(Answer):
    """A customer whose worth lies above the cap of the value view, uncapped, in the report's currency over 90 days."""

    person_id: str
    label: str
    worth: float


class ValueView(Answer):
    """Customer impact 0–100 weighed by what each was worth in the 90 days before; identified people only.

    `coverage` = share of them whose worth is known (0–1), `hurt` = Σ worth × severity, `n_eff` = how many equal customers the weights are worth.
    """

    state: Literal["measured", "not measured"]
    score: float | None = None
    low: float | None = None
    high: float | None = None
    of: int = 0
    n_eff: float = 0
    coverage: float = 0
    hurt: float = 0
    currency: str = ""
    largest: list[Largest]
    reason: str = ""


class Exposed(Answer):
    """Recurring revenue a month of accounts and subscriptions with somebody hit: exposed, which is not lost. None = nobody's is known.

    `unknown` = people hit of whom no account or subscription with a price is known; `converted` = amounts told in another currency that
    `monthly` holds by the rate of the day the problem began, `other_currencies` = amounts without a rate, which it does not.
    """

    monthly: float | None = None
    currency: str = ""
    accounts: int = 0
    subscriptions: int = 0
    people: int = 0
    unknown: int = 0
    renewing: int = 0
    converted: dict[str, float] = Field(default_factory=dict)
    other_currencies: dict[str, float]


class ExposedItem(Answer):
    """What one account, or one person of their own, pays a month in one currency: as told of the account, or the sum of `subscriptions`.

    `counted`: it is in `monthly` of the problem; else its currency has no rate, and it stands apart there. `told_…` where it was converted.
    """

    whose: str
    kind: Literal["account", "person"]
    label: str
    monthly: float
    currency: str
    counted: bool
    told_monthly: float | None = None
    told_currency: str = ""
    subscriptions: int = 0
    people_hit: int
    renewal: date | None = None


class ExposedList(Answer):
    """Body of `GET /api/v1/problems/{id}/exposed`: what the recurring revenue exposed is the sum of. `next` is the cursor of the next page."""

    as_of: datetime
    currency: str
    next: str | None
    items: list[ExposedItem]


class ProblemAnswer(Versioned):
    """Body of `GET /api/v1/problems/{id}`: the problem of the report, and what is measured of it alone.

    Without `from` and `to` it is looked for where its id says that it began, however long ago. Late data may have moved its beginning: the answer is then
    of the problem that goes on there, under the id it has now.
    """

    as_of: datetime
    problem: Problem
    value: ValueView
    exposed: Exposed


class DriverLine(Answer):
    """One group of a breakdown. `share` = mean severity of its people, shrunk towards that of all, with its 80 % interval (0–1); `raw` as counted.

    `points` = how many of the score's points it explains. `thin` = fewer than 30 people. By worth: `worth` = what these people are worth, each once;
    `hurt` = worth · severity over their days, both in the report's currency; `thin` = as much as fewer than 30 equal customers.
    """

    value: str
    name: str
    cause: str = ""
    people: int
    worth: float | None = None
    hurt: float
    raw: float
    share: float
    low: float
    high: float
    points: float
    thin: bool


class ProbesAt(Answer):
    """Walks of our probes from one location; never added to those of customers. `not_counted` = inconclusive or not walked."""

    location: str
    runs: int
    passed: int
    degraded: int
    failed: int
    not_counted: int


class Breakdown(Versioned):
    """Body of `GET /api/v1/journeys/{id}/breakdown`: what explains the score, the strongest first. Groups of fewer than 5 people are not shown (`hidden`).

    `score` and `units` are of everybody; of more than 2,000 groups those hurt least are not looked at (`cut`). `probes` beside a breakdown by location.
    By worth: each counts by what they were worth in the time before the window; `coverage` = share of units whose worth is known, the others are not in it;
    `one_in` above 1: of every so-manieth person.
    """

    as_of: datetime
    window_from: datetime
    window_to: datetime
    journey: str
    by: str
    view: Literal["people", "value"] = "people"
    units: int
    score: float | None
    low: float | None = None
    high: float | None = None
    n_eff: float | None = None
    coverage: float | None = None
    currency: str = ""
    one_in: int = 1
    covers: Literal["people", "anonymous visits", "all visits"] = "people"
    """Whom it is of: days of people, or visits where no people are known or sessions were sampled."""
    unknown: int = 0
    hidden: int = 0
    cut: int = 0
    groups: list[DriverLine]
    probes: list[ProbesAt] = Field(default_factory=list)
    reason: str = ""


class SilentPerson(Answer):
    """Somebody valuable who was badly hit and has said nothing since. `worth` of the 90 days before, in the report's currency."""

    person_id: str
    label: str
    account_id: str
    account: str
    segment: str
    severity: float
    hit_at: datetime
    journey: str
    step: str
    worth: float
    session_id: str


class SilentAnswer(Versioned):
    """Body of `GET /api/v1/silent-sufferers`. `notes` say who is not in the list and why; `found` = how many there are and `worth` what all of them were
    worth, None of nobody; `people` are the most valuable of them."""

    as_of: datetime
    window_from: datetime
    window_to: datetime
    currency: str
    hurt: int
    found: int = 0
    worth: float | None = None
    people: list[SilentPerson]
    notes: list[str]
    truncated: bool = False


class CorrectedCsatAnswer(Versioned):
    """Body of `GET /api/v1/journeys/{id}/corrected-csat`: satisfied of all who were asked, those who kept silent included. Shares 0–1, silent with a reason.

    `if_satisfied_answer_more`/`_less`: what it would be if the satisfied answered twice, or half, as readily (by odds) as the others of like facts.
    """

    as_of: datetime
    window_from: datetime
    window_to: datetime
    journey: str
    scale: str = ""
    invited: int
    answered: int
    raw: float | None = None
    share: float | None = None
    low: float | None = None
    high: float | None = None
    n_eff: float = 0
    if_satisfied_answer_more: float | None = None
    if_satisfied_answer_less: float | None = None
    facts: list[str]
    reason: str = ""
    never_asked: str = ""
