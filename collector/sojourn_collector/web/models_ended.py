"""Subscriptions that ended: why, what they brought, and how many had been hit before."""

from datetime import datetime

from pydantic import Field

from sojourn_collector.web.models import Answer
from sojourn_collector.web.models_tickets import Part


class EndedFigures(Answer):
    """Subscriptions that ended. `monthly` = what those with a known price brought a month, in the report's currency by the rate of the day each ended.

    `converted` = what of it was told in another currency; `other_currencies` = amounts without a rate, which are not in it; `unpriced` of no known price.
    `hit_before` = those of whose person or account somebody was hit by a failure in `days_before` days before, of those of whom any walk is known then.
    """

    ended: int
    monthly: float | None = None
    unpriced: int = 0
    converted: dict[str, float] = Field(default_factory=dict)
    other_currencies: dict[str, float] = Field(default_factory=dict)
    hit_before: Part


class EndedReason(Answer):
    """Those of one reason, in the word of the feed; empty where none was given. `rows` = the address of them."""

    reason: str
    figures: EndedFigures
    rows: str


class EndedLine(Answer):
    """One that ended with words of the customer. `severity` = the worst they, or anybody of their account, met before; None where no walk is known."""

    ended: datetime
    reason: str
    comment: str
    plan: str
    monthly: float | None
    currency: str
    person_id: str
    label: str
    account_id: str
    account: str
    severity: float | None


class EndedAnswer(Answer):
    """Body of `GET /api/v1/subscriptions/ended`: reasons, those of most subscriptions first, and the newest with words. Of over 20,000 the newest count."""

    as_of: datetime
    window_from: datetime
    window_to: datetime
    currency: str
    days_before: int
    figures: EndedFigures
    reasons: list[EndedReason]
    words: list[EndedLine]
    rows: str
    truncated: bool = False
