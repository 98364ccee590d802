"""What the API answers about one thing: a run, a visit, a person, a trace."""

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from sojourn_collector.web.models import Answer, Comment, Named, VisitLine
from sojourn_collector.web.models_records import SubscriptionItem
from sojourn_collector.web.models_usage import PersonUsage


class TimelineItem(Answer):
    """One thing that happened, on the axis of a visit or a person. `tone` is how it should look."""

    at: datetime
    duration: float = 0
    kind: Literal[
        "page_view",
        "action",
        "fetch",
        "backend",
        "web_vital",
        "error",
        "frustration",
        "conversion",
        "event",
        "survey",
        "feedback",
        "order",
        "ticket",
        "subscription",
        "step",
        "run",
    ]
    title: str
    detail: str = ""
    tone: Literal["neutral", "good", "slow", "bad"] = "neutral"
    trace_id: str = ""
    span_id: str = ""
    run_id: str = ""
    session_id: str = ""
    facts: dict[str, str] = Field(default_factory=dict)


class EvidencePiece(Answer):
    """What a step left when it failed: a screenshot, the answer, requests and the like. `name` is the agent's file name, on the host `host`.

    `link` is good for a while, for whoever has it; it is there when `state` is `kept`.
    """

    kind: str
    name: str
    state: Literal["kept", "not_sent", "too_old", "no_room", "erased"]
    host: str = ""
    link: str = ""
    media_type: str = ""
    bytes: int | None = None
    sha256: str = ""
    received: datetime | None = None
    expires: datetime | None = None


class RunStep(Answer):
    """One step of a run, of either traffic."""

    id: str
    name: str
    attempt: int = 1
    outcome: str
    started: datetime | None = None
    duration: float | None = None
    failure_kind: str = ""
    failure: str = ""
    reached: bool = False
    hit: bool = False
    done: bool = False
    severity: float = 0
    expectations: list[dict[str, Any]] = Field(default_factory=list)
    exchanges: list[dict[str, Any]] = Field(default_factory=list)
    vitals: dict[str, float] = Field(default_factory=dict)
    evidence: list[EvidencePiece] = Field(default_factory=list)
    trace_id: str = ""


class RunAnswer(Answer):
    """Body of `GET /api/v1/runs/{id}`."""

    run_id: str
    traffic: Literal["synthetic", "real"]
    journey: Named
    journey_version: str = ""
    outcome: str
    end: str = ""
    flaky: bool = False
    attempts: int = 1
    started: datetime
    ended: datetime
    location: str = ""
    failure_kind: str = ""
    failure_step: str = ""
    failure: str = ""
    severity: float = 0
    session_id: str = ""
    person_id: str = ""
    trace_ids: list[str] = Field(default_factory=list)
    steps: list[RunStep] = Field(default_factory=list)
    last_good: "RunAnswer | None" = None
    feedback: list[Comment] = Field(default_factory=list)


class VisitAnswer(Answer):
    """Body of `GET /api/v1/visits/{id}`: one session on one axis."""

    session_id: str
    person_id: str
    person_kind: Literal["user", "visitor", "visit"]
    account_id: str = ""
    app: str = ""
    device: str = ""
    browser: str = ""
    consent: str = "unknown"
    traffic: Literal["synthetic", "real"] = "real"
    started: datetime
    ended: datetime
    runs: list[RunAnswer] = Field(default_factory=list)
    timeline: list[TimelineItem] = Field(default_factory=list)
    feedback: list[Comment] = Field(default_factory=list)


class PersonAnswer(Answer):
    """Body of `GET /api/v1/people/{id}`."""

    person_id: str
    kind: Literal["user", "visitor", "visit"]
    label: str
    account_id: str = ""
    account: str = ""
    plan: str = ""
    since: datetime | None = None
    orders_net: float | None = None
    currency: str = ""
    usage: PersonUsage | None = None
    subscriptions: list[SubscriptionItem] = Field(default_factory=list)
    visits: list[VisitLine] = Field(default_factory=list)
    timeline: list[TimelineItem] = Field(default_factory=list)
    feedback: list[Comment] = Field(default_factory=list)


class TraceSpan(Answer):
    """One span of a trace; `depth` counts from the root, orphans start at 0."""

    span_id: str
    parent_id: str = ""
    depth: int
    name: str
    service: str
    kind: str
    started: datetime
    offset: float
    duration: float
    status: str
    message: str = ""
    traffic: str = ""
    attributes: dict[str, str] = Field(default_factory=dict)
    events: list[dict[str, Any]] = Field(default_factory=list)


class TraceAnswer(Answer):
    """Body of `GET /api/v1/traces/{id}`."""

    trace_id: str
    started: datetime
    duration: float
    spans: list[TraceSpan]
    session_id: str = ""
    run_id: str = ""
    journey: str = ""
    truncated: bool = False
