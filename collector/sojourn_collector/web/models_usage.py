"""What people and accounts used lately, and what is being sold to accounts."""

from datetime import datetime

from pydantic import Field

from sojourn_collector.web.models import Answer


class UsedEvent(Answer):
    """One thing somebody used: how often in the last 28 days, and when last."""

    event: str
    times: int
    last: datetime


class PersonUsage(Answer):
    """Use by one person. `days` and `times` are of the last 28 days, `times_before` of the 28 before; `others` is how many events are not listed."""

    last: datetime
    days: int
    times: int
    times_before: int
    events: list[UsedEvent] = Field(default_factory=list)
    others: int = 0


class AccountUsage(Answer):
    """Use by the people of an account till the end of the window: the last 28 days, with how many people on how many days, and the 28 days before."""

    last: datetime
    days: int
    users: int
    times: int
    times_before: int


class Pipeline(Answer):
    """Open deals of an account as they stand now: their worth by currency, never summed over currencies; `unpriced` ones add nothing to it."""

    deals: int = 0
    unpriced: int = 0
    worth: dict[str, float] = Field(default_factory=dict)
    next_close: str | None = None
