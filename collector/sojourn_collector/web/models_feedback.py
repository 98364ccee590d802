"""The answers about feedback: one record with what happened before it, lists, satisfaction by a fact, and what could not be linked."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from sojourn_collector.web.models import Answer, Effort, Named, Promoters, Share, VisitLine
from sojourn_collector.web.models_lists import Page


class FeedbackItem(Answer):
    """One answer, comment or mention with its scale. Of a mention `title`, `url`, and `author` as a digest. `language` is that of the words, empty where it is
    not known; `language_by` says whether the sender gave it. `link` says how it is linked to a visit, `confidence` how sure that is (0–1)."""

    id: str
    source: str
    at: datetime
    kind: str
    value: float | None
    scale_min: float | None
    scale_max: float | None
    higher_is_better: bool
    satisfied: bool | None
    text: str
    title: str = ""
    url: str = ""
    author: str = ""
    language: str
    language_by: Literal["", "given", "detected"] = ""
    survey: str
    question_id: str
    question: str
    channel: str
    journey: str
    step: str
    account_id: str
    person_id: str
    session_id: str
    link: Literal["explicit", "inferred", "unlinked"]
    confidence: float


class LanguageLine(Answer):
    """How many answers have words in a language; empty where it is not known."""

    language: str
    answers: int


class FeedbackList(Page):
    """Body of `GET /api/v1/feedback`."""

    items: list[FeedbackItem]


class FailedSpan(Answer):
    """The deepest failed span of a backend in the request that failed."""

    trace_id: str
    span_id: str
    service: str
    name: str
    message: str
    status: int | None


class WalkBefore(Answer):
    """A walk through a journey in the visit, before the answer; `failed_step` is where it met its worst failure, with the backend's span where one is kept."""

    run_id: str
    journey: Named
    started: datetime
    end: str
    severity: float
    release: str
    failed_step: Named | None
    failure_kind: str
    failure: str
    trace_id: str
    span: FailedSpan | None


class FeedbackAnswer(Answer):
    """Body of `GET /api/v1/feedback/{id}`. `why_unlinked` and `cure` are said where no visit is known."""

    feedback: FeedbackItem
    person: str
    account: str
    visit: VisitLine | None
    release: str
    runs: list[WalkBefore]
    order_id: str
    ticket_id: str
    why_unlinked: str
    cure: str


class SatisfactionPeriod(Answer):
    """Answers of a group in one day, week or month, named by its first day; `whole`: all of it lies in the window."""

    period: str
    whole: bool
    answered: int
    mean: float
    csat: Share | None = None
    nps: Promoters | None = None
    ces: Effort | None = None
    thin: bool


class SatisfactionGroup(Answer):
    """Answers of one group to one question of one survey on one scale; scales are never mixed. `shrunk` is drawn towards all groups of that question.

    `response_rate` is None where it is not known how many were asked; `partial` are answers of the survey from people who left it before its end, in no
    response rate, None where they are not counted by this fact. `periods`: those of at least five answers, None where they were not asked for or are not told.
    """

    value: str
    survey: str
    question: str
    kind: str
    scale: str
    answered: int
    mean: float
    csat: Share | None = None
    nps: Promoters | None = None
    ces: Effort | None = None
    shrunk: float | None = None
    shrunk_low: float | None = None
    shrunk_high: float | None = None
    response_rate: float | None = None
    partial: int | None = None
    thin: bool
    periods: list[SatisfactionPeriod] | None = None
    rows: str = ""
    """Address of the answers it counts; empty where the list cannot be asked for exactly those."""


class ResponseRate(Answer):
    """So many were asked by a survey, and answered it to its end, by a fact. `rate` is None where it is not known of whom the survey's invitations or answers
    are, or where more answered than are known to have been asked.
    """

    value: str
    survey: str
    invited: int
    answered: int
    partial: int
    rate: float | None


class SatisfactionBy(Answer):
    """Body of `GET /api/v1/satisfaction`. Groups of fewer than five people are not shown (`hidden`); of `unknown` answers the fact is not known.

    `rates` are of all groups of which at least five were asked, whether they answered or not; empty where invitations do not know the fact. `periods` are all
    days, weeks or months of the window, by their first day; `without_periods` groups are not told by them, since others are larger.
    """

    as_of: datetime
    window_from: datetime
    window_to: datetime
    by: str
    groups: list[SatisfactionGroup]
    hidden: int
    unknown: int
    rates: list[ResponseRate] = Field(default_factory=list)
    over: Literal["", "day", "week", "month"] = ""
    periods: list[str] = Field(default_factory=list)
    without_periods: int = 0


class UnlinkedLine(Answer):
    """So many records of a source (and survey) that are linked to no visit, the likely cause and its cure."""

    what: Literal["feedback", "mentions", "tickets", "orders"]
    source: str
    survey: str
    records: int
    newest: datetime
    cause: str
    sentence: str
    cure: str


class LinkedLine(Answer):
    """How many records of a source (and survey) are linked to a visit: by a key, or inferred from the person's last visit."""

    what: Literal["feedback", "mentions", "tickets", "orders"]
    source: str
    survey: str
    records: int
    explicit: int
    inferred: int


class ElsewhereLine(Answer):
    """Requests of browsers that failed at an origin which is not the site's own, in the last 24 hours: they hurt nobody, in how many visits."""

    origin: str
    failed: int
    visits: int
    newest: datetime


class UnlinkedAnswer(Answer):
    """Body of `GET /api/v1/unlinked`. `elsewhere`: where an API of yours is among them, name it under `customers: origins:` of the journey."""

    as_of: datetime
    window_from: datetime
    window_to: datetime
    unlinked: list[UnlinkedLine]
    linked: list[LinkedLine]
    elsewhere: list[ElsewhereLine] = Field(default_factory=list)
