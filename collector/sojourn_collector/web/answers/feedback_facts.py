"""What feedback is grouped by: facts of an answer, of the visit and the walk before it, of whoever answered and of their account, and any attribute."""

from datetime import date, timedelta
from typing import Any, Literal, get_args
from urllib.parse import urlencode

from sojourn_collector.config import ImpactConfig
from sojourn_collector.web.answers.breakdown import Choice, Of, choices
from sojourn_collector.web.answers.breakdown import fact_asked as fact_of

By = Literal[
    "survey",
    "question",
    "channel",
    "source",
    "language",
    "journey",
    "step",
    "failure_kind",
    "plan",
    "segment",
    "lifecycle",
    "owner",
    "role",
    "country",
    "region",
    "location",
    "network",
    "device",
    "browser",
    "release",
    "app",
    "day",
    "week",
    "month",
]
FACTS: tuple[By, ...] = get_args(By)
"""`channel` is where it was asked or said. `failure_kind` is that of the worst that the linked walks met before the answer, `none seen` where they met
nothing."""

Over = Literal["", "day", "week", "month"]
"""A second fact, of time, beside any that is none."""

TIMES = frozenset(get_args(Over)) - {""}
OWN = frozenset(("survey", "channel", "source", "journey")) | TIMES
"""Facts that invitations know themselves, so that there is a response rate."""

TOLD = frozenset(("plan", "segment", "lifecycle", "owner", "role", "country", "region", "location", "network"))
"""Facts that may be told of who was invited, or of their account."""


def rated(by: str, attr: str, of: Of) -> Literal["own", "told", ""]:
    """Whether invitations know a fact: by themselves, by what is told of who was invited, or not at all."""
    if attr:
        return "" if of == "visit" else "told"
    return "own" if by in OWN else "told" if by in TOLD else ""


def fact_asked(by: str, attr: str, of: Of) -> dict[str, Any]:
    """The parameters of a query that say which fact it is about; the channel is the answer's own, not that of a visit."""
    return {"by": by, "attr": "", "of": "", "fact": "", "wider": ""} if by == "channel" and not attr else fact_of(by, attr, of)


def feedback_choices(impact: ImpactConfig) -> list[Choice]:
    """What the page Feedback offers to group by: our facts, then the attributes that `segments` of impact.yaml names."""
    return [Choice(urlencode({"by": fact}), fact, "") for fact in FACTS] + [one for one in choices(impact) if one.label]


def begin_of(day: date, over: Over) -> date:
    """The first day of the day, week or month that a day is in."""
    return day.replace(day=1) if over == "month" else day - timedelta(days=day.weekday()) if over == "week" else day


def next_of(begin: date, over: Over) -> date:
    """The first day of the one after it."""
    return begin_of(begin.replace(day=28) + timedelta(days=4), over) if over == "month" else begin + timedelta(days=7 if over == "week" else 1)
