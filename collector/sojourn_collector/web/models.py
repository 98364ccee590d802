"""The answers of `/api/v1`: what the report shows and what a script reads. One shape for both.

Every score carries how many it speaks of, its interval and its state; None means "not known", never zero.
Times are RFC 3339 in UTC; durations seconds; money major units with an ISO 4217 code beside it.
"""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict


class Answer(BaseModel):
    """Base of every answer: frozen, unknown keys refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Named(Answer):
    """A journey or a step by id and name."""

    id: str
    name: str


class Freshness(Answer):
    """When a source of data was last heard of. `never` asks for the cure in `hint`."""

    source: Literal["beacons", "probes", "backend", "feedback", "orders", "accounts", "people"]
    last: datetime | None
    state: Literal["fresh", "stale", "never"]
    hint: str = ""


class ChangedKey(Answer):
    """A key of impact.yaml with its values as they stand there; `none` where it was not there."""

    key: str
    old: str
    new: str


class Coverage(Answer):
    """Orders, and how many of them have a visit, with the 95 % interval of that share (0–1, Wilson): how much of what happens the browsers tell."""

    orders: int
    with_visit: int
    low: float
    high: float


class Break(Answer):
    """A moment from which on scores are worked out by another configuration, or of other visits, in the time an answer speaks of.

    `stored`: what came in before stays by the former, so a change across the moment need not be one in customers. `recomputed`: all of the answer is by
    the present configuration; only what was kept or sent elsewhere before is by the former. `frozen`: the moment lies after a kept report. `coverage`: from
    that day on another share of the orders has a visit (`before` and `version` are empty), so a change across it need not be one in customers.
    """

    at: datetime
    kind: Literal["stored", "recomputed", "frozen", "coverage"]
    before: str
    version: str
    changes: list[ChangedKey]
    sentence: str


class Versioned(Answer):
    """What is worked out by impact.yaml: which version of it, and what in the time it speaks of is by another."""

    config_version: str = ""
    breaks: list[Break] = []


class Basis(Answer):
    """What of impact.yaml the formulas name: what each class of what people met counts as (0–1), and from how many hit on money is estimated."""

    slow: float
    recovered: float
    left: float
    blocked: float
    min_hit: int


class Windows(Answer):
    """The time windows in force, in seconds, as impact.yaml sets them."""

    outcome: float
    abandon: float
    incident_gap: float
    usual: float
    simulated: bool = False


class Cause(Answer):
    """What the failing signals have in common, e.g. `502 from POST /payments (service payments)`."""

    summary: str
    kind: str
    status: int | None = None
    method: str = ""
    path: str = ""
    service: str = ""
    trace_id: str = ""
    seen: int = 0
    of: int = 0


class People(Answer):
    """Persons at the failing step during the incident. Visits without identity are counted apart, never summed in.

    `usual_hours`: whether the usual number is of the same hours of the weeks before or, with less than four weeks or few people, of all.
    `possibly`: came while our probes failed, and of whom neither a failure is known nor that it worked; `/problems/{id}/people` lists them.
    """

    reached: int
    hit: int
    stopped: int
    recovered: int
    slow: int = 0
    trying: int = 0
    possibly: int = 0
    usual_hit: float | None = None
    usual_hours: Literal["same", "all"] | None = None
    visits_reached: int = 0
    visits_hit: int = 0
    visits_stopped: int = 0
    visits_possibly: int = 0


class Impact(Answer):
    """Customer impact 0–100, 0 = nobody hurt. `state` is `measured` from 30 settled units on.

    `covers` says whom it is of: people; or visits, of those without identity alone, or where sessions are sampled of everybody. Scores of people and of
    visits are never added up. `of` = people (of a journey: days of people), or visits, whose walk is over; `by_visit` = beside a score of people the share
    (0–1) known only by their visit, whom it leaves out. `trying` = units outside it of which something is still open; `if_all_pass`, `if_all_fail`: what it
    comes to if all of that succeeds, or fails.
    """

    state: Literal["measured", "not measured"]
    covers: Literal["people", "anonymous visits", "all visits"] = "people"
    score: float | None = None
    low: float | None = None
    high: float | None = None
    of: int = 0
    n_eff: float = 0
    usual: float | None = None
    excess: float | None = None
    by_visit: float | None = None
    reason: str = ""
    trying: int = 0
    if_all_pass: float | None = None
    if_all_fail: float | None = None


class CompanyImpact(Impact):
    """Customer impact over all journeys: each person's day once, at the worst they met anywhere. Anonymous visits (`visits`) are counted apart.

    `hit` of `weight` = person-days with a hit, slow ones too, each by 1 / its sampling probability; `of` as many as were seen.
    """

    hit: float = 0
    weight: float = 0
    visits: int = 0
    of_visits: Impact | None = None
    """The score per visit, as beside every score of people."""


class Money(Answer):
    """The realised shortfall of those hit. `amount` may be negative and is never clipped.

    `so_far` = before all windows are over (missing so far, part may come back); `final`; `upper_bound` = level 0 only;
    `not_estimable` with the reasons. Levels: 1 = against people beside them, `1b` = the failure follows a segment, 2 = against past days.
    `upper_bound` is filled whenever level 0 can be computed.
    """

    state: Literal["so_far", "final", "upper_bound", "not_estimable"]
    level: Literal[0, 1, "1b", 2] | None = None
    amount: float | None = None
    low: float | None = None
    high: float | None = None
    currency: str = ""
    final_at: datetime | None = None
    as_of: datetime | None = None
    hit: int = 0
    mature: int = 0
    controls: int = 0
    overlap: float | None = None
    upper_bound: float | None = None
    e_value: float | None = None
    reasons: list[str] = []
    notes: list[str] = []


class Share(Answer):
    """Satisfied of answered with its Wilson interval (0–1); rate unknown where nobody counted invitations, and without the `partial`."""

    satisfied: int
    answered: int
    low: float | None = None
    high: float | None = None
    response_rate: float | None = None
    partial: int = 0


class Promoters(Answer):
    """Net promoter score (−100 to 100) of `answered` persons with its adjusted-Wald 95 % interval."""

    score: float
    low: float
    high: float
    answered: int


class Effort(Answer):
    """Those who found it easy, of those who answered on a scale of seven; interval 0–1 (Wilson), mean on the scale."""

    scale: str
    easy: int
    answered: int
    low: float
    high: float
    mean: float


class Comment(Answer):
    """One feedback record with its link to a visit. `join` is explicit, inferred or unlinked."""

    id: str
    at: datetime
    kind: str
    value: float | None = None
    scale_min: float | None = None
    scale_max: float | None = None
    satisfied: bool | None = None
    text: str = ""
    person_id: str = ""
    session_id: str = ""
    hit: bool | None = None
    join: Literal["explicit", "inferred", "unlinked"]


class Satisfaction(Answer):
    """What those hit answered beside the others who reached the step; for a journey `others` is everyone who tried it.

    CSAT on one scale only, named in `scale`; recommendation (NPS) and effort (CES) beside it, never mixed with it.
    """

    scale: str = ""
    hit: Share | None = None
    others: Share | None = None
    nps_hit: Promoters | None = None
    nps_others: Promoters | None = None
    ces_hit: Effort | None = None
    ces_others: Effort | None = None
    comments: list[Comment] = []
    unlinked: int = 0
    state: Literal["measured", "not measured"] = "not measured"


class Sufferer(Answer):
    """One person (or anonymous visit) hit, for the list of whom to contact."""

    person_id: str
    kind: Literal["user", "visitor", "visit"]
    label: str
    account_id: str = ""
    account: str = ""
    plan: str = ""
    severity: float
    stopped: bool
    at: datetime
    value: float | None = None
    session_id: str = ""
    run_id: str = ""
    trace_id: str = ""
    comment: str = ""


class Clock(Answer):
    """The clock of a problem: both ends of every boundary, unknown as null. `last_evidence` = when it was last seen, by a probe or a customer."""

    since: datetime
    last_evidence: datetime | None = None
    until: datetime | None = None
    last_probe_pass: datetime | None = None
    first_probe_failure: datetime | None = None
    first_customer_hit: datetime | None = None
    window_from: datetime
    window_to: datetime


class Problem(Answer):
    """One incident at one step of one journey, with everything known of it.

    `state` is `unknown` where the probes that saw it fell silent: it may be over or go on. `as_of` is when its figures were worked out: of a problem
    that keeps changing and is long to work out they may be up to a minute old. `earlier`: it ended before the report's window and is told until
    `shown_until`, when its money has been final for a day. `notes` say where its figures are not of everyone.
    """

    id: str
    as_of: datetime
    journey: Named
    step: Named
    state: Literal["failing", "over", "unknown"]
    clock: Clock
    cause: Cause | None
    people: People
    impact: Impact
    impact_of_visits: Impact | None = None
    money: Money
    satisfaction: Satisfaction
    who: list[Sufferer] = []
    who_total: int = 0
    probe_run_id: str = ""
    last_good_run_id: str = ""
    headline: list[str] = []
    earlier: bool = False
    shown_until: datetime | None = None
    notes: list[str] = []


class StepFunnel(Answer):
    """One step in the journey's funnel, customers only. Shares are of `reached` or of those timed, 0–1, with 95 % intervals."""

    id: str
    name: str
    reached: int
    done: int
    done_low: float | None = None
    done_high: float | None = None
    hit: int
    hit_low: float | None = None
    hit_high: float | None = None
    slow: int = 0
    lcp_p75: float | None = None
    apdex: float | None = None
    apdex_low: float | None = None
    apdex_high: float | None = None
    apdex_of: int = 0
    apdex_t: float | None = None


class Experience(Answer):
    """How customers fared in a journey over the window."""

    tried: int
    finished: int
    gave_up: int
    stopped: int
    trying: int
    newest: datetime | None = None
    finished_low: float | None = None
    finished_high: float | None = None
    usual_finished: float | None = None
    steps: list[StepFunnel] = []


class ProbeRun(Answer):
    """One run of our probes in a list."""

    run_id: str
    at: datetime
    location: str
    outcome: str
    flaky: bool
    duration: float
    failure: str = ""
    step: str = ""


class ProbeState(Answer):
    """What our probes say about a journey; `unknown` when the newest run is too old or there is none."""

    state: Literal["passing", "degraded", "failing", "unknown"]
    last: datetime | None = None
    passed: int = 0
    total: int = 0
    p50: float | None = None
    p95: float | None = None
    runs: list[ProbeRun] = []
    hint: str = ""


class JourneyState(Answer):
    """One journey on the front page."""

    id: str
    name: str
    state: Literal["healthy", "degraded", "failing", "unknown"]
    experience: Experience
    probes: ProbeState
    impact: Impact
    impact_of_visits: Impact | None = None


class ImpactReport(Versioned):
    """Body of `GET /api/v1/impact`. Problems come ordered by the sum of severities, worst first; those that ended before the window come last.

    `problems_found` = how many there are, those not worked out included; `people_in_others` and `visits_in_others` were hit in these alone and are part of
    `people_hit` and `visits_hit`; `notes` say so in a sentence.
    """

    as_of: datetime
    window_from: datetime
    window_to: datetime
    currency: str
    windows: Windows
    basis: Basis | None = None
    freshness: list[Freshness]
    problems: list[Problem]
    journeys: list[JourneyState]
    contact_first: list[Sufferer]
    company: CompanyImpact | None = None
    """Over all journeys; None of a report of one."""
    people_hit: int = 0
    visits_hit: int = 0
    problems_found: int = 0
    people_in_others: int = 0
    visits_in_others: int = 0
    notes: list[str] = []
    unlinked_feedback: int = 0
    unlinked_orders: int = 0
    coverage: Coverage | None = None
    raw_gone_before: datetime | None = None
    """Spans, log records and metrics from before were dropped for want of room on disk."""


class JourneyAnswer(Versioned):
    """Body of `GET /api/v1/journeys/{id}`."""

    as_of: datetime
    window_from: datetime
    window_to: datetime
    id: str
    name: str
    description: str = ""
    owner: str = ""
    runbook: str = ""
    lifecycle: str = ""
    state: Literal["healthy", "degraded", "failing", "unknown"]
    experience: Experience
    probes: ProbeState
    impact: Impact
    impact_of_visits: Impact | None = None
    satisfaction: Satisfaction
    problems: list[Problem]
    notes: list[str] = []
    visits: list["VisitLine"] = []


class VisitLine(Answer):
    """One visit in a list."""

    session_id: str
    started: datetime
    ended: datetime
    app: str = ""
    device: str = ""
    browser: str = ""
    pages: int = 0
    errors: int = 0
    worst: float = 0
    traffic: Literal["synthetic", "real"] = "real"
