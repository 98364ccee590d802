"""The answers of the lists of `/api/v1`: a page of items each, newest first, and where the next page begins."""

from datetime import datetime
from typing import Literal

from sojourn_collector.web.models import Answer, Named
from sojourn_collector.web.models_usage import AccountUsage, Pipeline


class Page(Answer):
    """What every list carries. `next` is the cursor of the next page, None after the last."""

    window_from: datetime
    window_to: datetime
    next: str | None


class RunItem(Answer):
    """One run of either traffic. `outcome` says how a probe fared, `end` and `severity` how a customer did."""

    run_id: str
    traffic: Literal["synthetic", "real"]
    journey: str
    started: datetime
    ended: datetime
    settled: bool
    outcome: str
    end: str
    severity: float
    flaky: bool
    attempts: int
    failure_kind: str
    failure_step: str
    failure: str
    location: str
    session_id: str
    person_id: str
    account_id: str
    app: str
    device: str
    browser: str
    release: str
    trace_id: str


class RunList(Page):
    """Body of `GET /api/v1/runs`."""

    items: list[RunItem]


class SessionItem(Answer):
    """One visit."""

    session_id: str
    traffic: Literal["synthetic", "real"]
    started: datetime
    ended: datetime
    person_id: str
    person_kind: Literal["user", "visitor", "visit"]
    account_id: str
    app: str
    device: str
    browser: str
    release: str
    consent: str
    pages: int
    errors: int
    orders: int


class SessionList(Page):
    """Body of `GET /api/v1/sessions`."""

    items: list[SessionItem]


class PersonItem(Answer):
    """One person and what they did in the window. `worst` is the severity of their worst run, None without any run."""

    person_id: str
    kind: Literal["user", "visitor", "visit"]
    label: str
    account_id: str
    visits: int
    first_seen: datetime
    last_seen: datetime
    pages: int
    errors: int
    runs: int
    runs_hit: int
    worst: float | None


class PersonList(Page):
    """Body of `GET /api/v1/people`."""

    items: list[PersonItem]


class AtProblemItem(Answer):
    """Somebody at the step of a problem. `at` is when a failure first met them, else when they first came; `tries` how often they came."""

    person_id: str
    kind: Literal["user", "visitor", "visit"]
    label: str
    account_id: str
    account: str
    plan: str
    at: datetime
    tries: int
    settled: bool
    slow: bool
    severity: float
    value: float | None
    session_id: str
    run_id: str


class AtProblemList(Page):
    """Body of `GET /api/v1/problems/{id}/people`, who came last first. `people` and `visits` are how many there are in all, whatever page and `kind`.

    `note` says why nobody can be possibly hit, or of which walks the list is.
    """

    problem: str
    as_of: datetime
    met: Literal["possibly", "hit"]
    journey: Named
    step: Named
    people: int
    visits: int
    currency: str
    note: str
    items: list[AtProblemItem]


class AccountItem(Answer):
    """One account. `told` is false when only visits named it. People and visits are those of the window; `monthly` is None where nobody told it.

    `owner` is what the account's feed says; `owner_name` and `owner_team` what a feed of owners says of them, empty where none does.

    `ended` = subscriptions of theirs or of their people that ended in the window, with why the newest did.

    `usage` is None where no use of theirs was told of in 90 days, `pipeline` where no deal of anybody ever was.
    """

    account_id: str
    name: str
    plan: str
    segment: str
    lifecycle: str
    owner: str
    owner_name: str = ""
    owner_team: str = ""
    monthly: float | None
    currency: str
    renewal: str | None
    told: bool
    visits: int
    people: int
    people_hit: int
    worst: float | None
    last_seen: datetime | None
    usage: AccountUsage | None = None
    pipeline: Pipeline | None = None
    ended: int = 0
    ended_reason: str = ""
    ended_comment: str = ""


class AccountList(Page):
    """Body of `GET /api/v1/accounts`, by id."""

    items: list[AccountItem]


class Looked(Page):
    """A list looked for backwards in time. With `complete` all of the window was looked through; else all from `looked_from` on, and `next` goes on there."""

    complete: bool
    looked_from: datetime


class TraceItem(Answer):
    """One trace. `root` is its root span, or the first that is kept; `matched` how many of its spans say what was asked."""

    trace_id: str
    started: datetime
    duration: float
    root: str
    service: str
    services: list[str]
    spans: int
    errors: int
    matched: int
    traffic: str
    journey: str
    run_id: str
    session_id: str


class TraceList(Looked):
    """Body of `GET /api/v1/traces`."""

    items: list[TraceItem]


class SearchItem(Answer):
    """One span, or one log record. Run and visit are its own, or those its trace belongs to; `duration` and `status` are a span's, `severity` a log's.

    Of attributes the first 64 are here, 256 characters of each; of a log's text 4,096. A trace's answer has its spans' whole.
    """

    signal: Literal["traces", "logs"]
    at: datetime
    trace_id: str
    span_id: str
    service: str
    name: str
    text: str
    kind: str | None = None
    status: str | None = None
    duration: float | None = None
    severity: int | None = None
    traffic: str
    journey: str
    step: str
    run_id: str
    session_id: str
    attributes: dict[str, str]
    resource: dict[str, str]


class SearchList(Looked):
    """Body of `GET /api/v1/search`."""

    items: list[SearchItem]
