"""The answers about tickets: how many, how long until a reply and a solution, which journeys they came from."""

from datetime import datetime
from typing import Literal

from sojourn_collector.web.models import Answer, Share, Versioned


class WaitingTime(Answer):
    """A quantile of waiting times in seconds with its 95 % interval, open ones counted as waiting. None = beyond what was seen so far."""

    value: float | None
    low: float | None
    high: float | None
    finished: int
    waiting: int


class Part(Answer):
    """`count` of `of`, and Wilson's 95 % interval of that share (0–1); None where there is nobody to count."""

    count: int
    of: int
    low: float | None = None
    high: float | None = None


class PerDay(Answer):
    """Tickets a day: the days of the window, oldest first, and whether they rise (slope per day, Theil–Sen).

    `low`, `high`: the slope's interval, 95 % at all looks together: wider than one that holds at one look.
    """

    days: list[int]
    mean: float | None = None
    direction: Literal["rising", "falling", "no trend", "unknown"] = "unknown"
    slope: float | None = None
    low: float | None = None
    high: float | None = None


class TicketFigures(Answer):
    """Tickets opened in a window, as of its report. `stale` = not solved within `stale_days`, of those opened at least so long ago.

    `first_reply` is of tickets whose source tells of replies; `replies_untold` are the others, and it is None where all are. `unanswered` = solved without a
    known reply, known to have waited until then; `waiting` of `first_reply` are those not solved. `reopened` is of all that were ever solved.
    `repeat` = another ticket of the same person on the same topic within seven days before. `after_failure` = those whose linked visit had met a failure.
    """

    opened: int
    open: int
    first_reply: WaitingTime | None = None
    resolution: WaitingTime | None = None
    resolution_p90: WaitingTime | None = None
    unanswered: int = 0
    replies_untold: int = 0
    solved: Part
    reopened: Part
    repeat: Part
    stale: Part
    after_failure: Part
    stale_days: float
    per_day: PerDay


class TicketGroup(Answer):
    """Tickets of one journey, topic or priority. `id` is empty for those that name none."""

    id: str
    name: str
    figures: TicketFigures


class TicketLine(Answer):
    """One open ticket, for the list of the longest waiting. `severity` is the worst its visit met, None without a linked visit.

    `replied` is None of a desk that never told of a reply.
    """

    id: str
    source: str
    opened: datetime
    status: str
    priority: str
    topic: str
    replied: bool | None
    person_id: str
    account_id: str
    session_id: str
    journey: str
    step: str
    severity: float | None


class TicketsAnswer(Versioned):
    """Body of `GET /api/v1/tickets`. Of more than `most` tickets the newest count, and `truncated` says so."""

    as_of: datetime
    window_from: datetime
    window_to: datetime
    figures: TicketFigures
    journeys: list[TicketGroup]
    topics: list[TicketGroup]
    priorities: list[TicketGroup]
    longest_waiting: list[TicketLine]
    truncated: bool = False
    linked: int = 0
    state: Literal["measured", "not measured"] = "not measured"


class StarterSet(Answer):
    """Satisfaction and support over the last `days`: CSAT on the scale with most answers, and tickets. None = no such data yet.

    `other_scales` = scales beside it that answers were given on, which are never mixed in. `rows` = the address of the answers that CSAT counts.
    """

    days: int
    window_from: datetime | None = None
    window_to: datetime | None = None
    as_of: datetime | None = None
    scale: str = ""
    satisfied: Share | None = None
    other_scales: int = 0
    rows: str = ""
    tickets: TicketFigures | None = None
