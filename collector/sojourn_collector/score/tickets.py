"""What tickets tell: how many, how long until a reply and a solution, how many are solved, come back or lie about. Definition: docs/methods.md.

Open tickets count as waiting so long and are never left out: who averages what is closed praises a desk for not closing its hardest cases.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from sojourn_collector.score.intervals import wilson_counts
from sojourn_collector.score.survival import Waiting, quantile
from sojourn_collector.score.trend import Trend, trend

DAY = 86_400.0
AGAIN = 7 * DAY
"""Seconds within which another ticket of the same person on the same topic is a repeat contact."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """One ticket. Times are epoch seconds, None = not yet; `person`, `topic` and `source` may be unknown (empty). `reopens` = how often it was opened again."""

    id: str
    opened: float
    first_reply: float | None = None
    solved: float | None = None
    reopens: int = 0
    person: str = ""
    topic: str = ""
    source: str = ""


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
    """Tickets opened in a window, as of a moment. Waiting times in seconds.

    `first_reply` is of those whose source tells of replies; the others are `replies_untold`. `unanswered` = solved without a known reply: they waited until
    then. `reopened` is of all that were ever solved.
    """

    opened: int
    open: int
    first_reply: Waiting | None
    resolution: Waiting | None
    resolution_p90: Waiting | None
    unanswered: int
    replies_untold: int
    solved: Share
    reopened: Share
    repeat: Share
    stale: Share
    per_day: Trend


def ticket_figures(
    tickets: Iterable[Ticket], since: float, until: float, now: float, *, stale_days: float = 3.0, replying: Collection[str] | None = None
) -> TicketFigures:
    """The figures of the tickets opened in [since, until).

    :param now: epoch seconds asked as of; what happened later is not known yet.
    :param stale_days: days without a solution from which on a ticket counts as unresolved; of those opened at least so long ago.
    :param replying: sources that have ever told of a first reply; None: all do.
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
    telling = [ticket for ticket in mine if replying is None or ticket.source in replying]
    unanswered = sum(not _by(ticket.first_reply, now) and _by(ticket.solved, now) for ticket in telling)
    ever = [ticket for ticket in mine if ticket.reopens > 0 or _by(ticket.solved, now)]
    named = [ticket for ticket in mine if ticket.person]
    return TicketFigures(
        opened=len(mine),
        open=len(mine) - len(solved),
        first_reply=_first_reply(telling, now, unanswered),
        resolution=_waiting([(ticket, ticket.solved, now) for ticket in mine], now, 0.5),
        resolution_p90=_waiting([(ticket, ticket.solved, now) for ticket in mine], now, 0.9),
        unanswered=unanswered,
        replies_untold=len(mine) - len(telling),
        solved=Share.of_counts(len(solved), len(mine)),
        reopened=Share.of_counts(sum(ticket.reopens > 0 for ticket in ever), len(ever)),
        repeat=Share.of_counts(_repeats(named, known), len(named)),
        stale=Share.of_counts(len(late), len(old)),
        # The last day is not over: half a day's tickets would look like a fall.
        per_day=trend([float(days[number]) for number in range(int((min(until, now) - since) // DAY))]),
    )


def _by(at: float | None, moment: float) -> bool:
    return at is not None and at <= moment


def _first_reply(tickets: Sequence[Ticket], now: float, unanswered: int) -> Waiting | None:
    """A solution ends the wait for a reply without one having come: who was told nothing of it is known to have waited so long."""
    told = _waiting([(ticket, ticket.first_reply, now if ticket.solved is None else min(ticket.solved, now)) for ticket in tickets], now, 0.5)
    return told and replace(told, waiting=told.waiting - unanswered)


def _waiting(tickets: Sequence[tuple[Ticket, float | None, float]], now: float, share: float) -> Waiting | None:
    """Each ticket with when its waiting ended, and up to when it is known to have waited if it did not."""
    if not tickets:
        return None
    ended = [at is not None and at <= now for _, at, _ in tickets]
    # A source whose clock ran behind may tell of a reply before the question.
    spans = [max(0.0, (at if over and at is not None else seen) - ticket.opened) for (ticket, at, seen), over in zip(tickets, ended, strict=True)]
    return quantile(spans, ended, share)


def _repeats(tickets: Sequence[Ticket], known: Sequence[Ticket]) -> int:
    """How many have an earlier ticket of the same person and topic within `AGAIN`, opened in the window or before it."""
    by_who: dict[tuple[str, str], list[float]] = {}
    for ticket in known:
        by_who.setdefault((ticket.person, ticket.topic), []).append(ticket.opened)
    return sum(any(ticket.opened - AGAIN <= at < ticket.opened for at in by_who[ticket.person, ticket.topic]) for ticket in tickets)
