"""The answers about being asked: too often, too rarely, and whether somebody may be asked now."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from sojourn_collector.web.models import Answer
from sojourn_collector.web.models_tickets import Part


class AskedWeek(Answer):
    """One week: invitations that reached somebody, answers, and their share (None where nobody was asked)."""

    week: str
    invited: int
    answered: int
    rate: float | None


class UnaskedAccount(Answer):
    """An account of which nobody has answered for long; `answered` = when somebody did last, None never."""

    account_id: str
    name: str
    plan: str
    owner: str
    owner_name: str = ""
    monthly: float | None
    currency: str
    answered: datetime | None


class AskedTooOften(Answer):
    """Somebody who was asked again within `rest_days`: on how many days they were asked, how many of these came too soon, how many days lay between the
    closest two, when they were asked last, and by which surveys (at most ten of them).
    """

    person_id: str
    label: str
    account: str
    times: int
    too_soon: int
    closest_days: float
    last: datetime
    surveys: list[str]


class AskedAnswer(Answer):
    """Body of `GET /api/v1/surveys`. `too_often` = people asked again within `rest_days`, of those asked; `people` = at most 50 of them, most often first.

    `risk` is said from both sides: people asked too soon, and a response rate that falls.
    """

    as_of: datetime
    window_from: datetime
    window_to: datetime
    rest_days: float
    too_often: Part
    most: int
    people: list[AskedTooOften] = Field(default_factory=list)
    weeks: list[AskedWeek]
    rate_direction: Literal["rising", "falling", "no trend", "unknown"]
    risk: Literal["tired", "not tired", "unknown"]
    rarely_days: float
    accounts_unasked: int
    accounts: int
    unasked: list[UnaskedAccount]


class Eligibility(Answer):
    """Body of `GET /api/v1/survey-eligibility`: whether a survey tool may ask this person now, and when else.

    `asked_30`, `asked_90` = on how many days of so many they were asked.
    """

    user: str
    eligible: bool
    reason: str
    next_at: datetime | None
    last_asked: datetime | None
    asked_30: int
    asked_90: int
