"""What tickets tell: how many, how long until a reply and a solution, how many are solved, come back or lie about. Definition: docs/methods.md.

Open tickets count as waiting so long and are never left out: who averages what is closed praises a desk for not closing its hardest cases.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sojourn_collector.score.intervals import wilson_counts
from sojourn_collector.score.survival import Waiting, quantile
from sojourn_collector.score.trend import Trend, trend

DAY = 86_400.0
AGAIN = 7 * DAY
"""Seconds within which another ticket of the same person on the same topic is a repeat contact."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """One ticket. Times are epoch seconds, None = not yet; `person` and `topic` may be unknown (empty)."""

    id: str
    opened: float
    first_reply: float | None = None
    solved: float | None = None
    reopens: int = 0
    person: str = ""
    topic: str = ""


@dataclass(frozen=True, slots=True)
class Share:
    """`count` of `of` with Wilson's 95 % interval; None for the bounds where there is nobody to count."""

    count: int
    of: int
    low: float | None = None
    high: float | None = None

    @classmethod
    def of_counts(cls, count: int, of: int) -> "Share":
        """The share of these counts with its interval."""
        return cls(count, of, *wilson_counts(count, of)) if of else cls(count, of)


@dataclass(frozen=True, slots=True)
class TicketFigures:
    """Tickets opened in a window, as of a moment. Waiting times in seconds."""

    opened: int
    open: int
    first_reply: Waiting | None
    resolution: Waiting | None
    resolution_p90: Waiting | None
    solved: Share
    reopened: Share
    repeat: Share
    stale: Share
    per_day: Trend


def ticket_figures(tickets: Iterable[Ticket], since: float, until: float, now: float, *, stale_days: float = 3.0) -> TicketFigures:
    """The figures of the tickets opened in [since, until).

    :param now: epoch seconds asked as of; what happened later is not known yet.
    :param stale_days: days without a solution from which on a ticket counts as unresolved; of those opened at least so long ago.
    :raises ValueError: when the window is empty or `stale_days` not positive.
    """
    if until <= since or stale_days <= 0:
        raise ValueError("the window of tickets must be longer than nothing, and so must the days until one is stale")
    known = [ticket for ticket in tickets if ticket.opened <= now]
    mine = [ticket for ticket in known if since <= ticket.opened < until]
    solved = [ticket for ticket in mine if _by(ticket.solved, now)]
    old = [ticket for ticket in mine if now - ticket.opened >= stale_days * DAY]
    late = [ticket for ticket in old if not _by(ticket.solved, ticket.opened + stale_days * DAY)]
    days = Counter(int((ticket.opened - since) // DAY) for ticket in mine)
    named = [ticket for ticket in mine if ticket.person]
    return TicketFigures(
        opened=len(mine),
        open=len(mine) - len(solved),
        first_reply=_waiting([(ticket, ticket.first_reply) for ticket in mine], now, 0.5),
        resolution=_waiting([(ticket, ticket.solved) for ticket in mine], now, 0.5),
        resolution_p90=_waiting([(ticket, ticket.solved) for ticket in mine], now, 0.9),
        solved=Share.of_counts(len(solved), len(mine)),
        reopened=Share.of_counts(sum(ticket.reopens > 0 for ticket in solved), len(solved)),
        repeat=Share.of_counts(_repeats(named, known), len(named)),
        stale=Share.of_counts(len(late), len(old)),
        # The last day is not over: half a day's tickets would look like a fall.
        per_day=trend([float(days[number]) for number in range(int((min(until, now) - since) // DAY))]),
    )


def _by(at: float | None, moment: float) -> bool:
    return at is not None and at <= moment


def _waiting(tickets: Sequence[tuple[Ticket, float | None]], now: float, share: float) -> Waiting | None:
    if not tickets:
        return None
    ended = [at is not None and at <= now for _, at in tickets]
    # A source whose clock ran behind may tell of a reply before the question.
    spans = [max(0.0, (at if over and at is not None else now) - ticket.opened) for (ticket, at), over in zip(tickets, ended, strict=True)]
    return quantile(spans, ended, share)


def _repeats(tickets: Sequence[Ticket], known: Sequence[Ticket]) -> int:
    """How many have an earlier ticket of the same person and topic within `AGAIN`, opened in the window or before it."""
    by_who: dict[tuple[str, str], list[float]] = {}
    for ticket in known:
        by_who.setdefault((ticket.person, ticket.topic), []).append(ticket.opened)
    return sum(any(ticket.opened - AGAIN <= at < ticket.opened for at in by_who[ticket.person, ticket.topic]) for ticket in tickets)
