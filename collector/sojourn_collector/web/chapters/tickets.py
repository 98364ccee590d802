"""Tickets: how many, how long until a reply and a solution, which come back or lie about, and from where. Nobody is named."""

from collections.abc import Sequence

from sojourn_collector.web.chapters.figures import of_part, of_waiting
from sojourn_collector.web.chapters.told import COUNTED, Column, Figure, Table, Told, broken, facts
from sojourn_collector.web.format import number
from sojourn_collector.web.models_tickets import TicketFigures, TicketGroup, TicketsAnswer

ANSWER = TicketsAnswer
_GROUPS = (
    Column("group", "group"),
    Column("opened", "opened"),
    Column("open", "open"),
    Column("first_reply", "first reply, median", (*COUNTED, "why")),
    Column("resolution", "until solved, median", COUNTED),
    Column("stale", "unresolved", COUNTED),
    Column("after_failure", "after a failure", COUNTED),
    Column("trend", "trend"),
)
NONE = "nobody asked for help in this time, or no help desk is connected"


def tell(answer: TicketsAnswer) -> Told:
    """Of a window."""
    lines = ["there are more; these figures are of the newest"] if answer.truncated else []
    linked = ("linked to a visit", Figure(answer.linked, of=answer.figures.opened))
    return Told(
        "tickets",
        "Tickets",
        answer.as_of,
        answer.window_from,
        answer.window_to,
        answer.config_version,
        lines=[*lines, *broken(answer)],
        tables=[
            facts("tickets", "", [*rows(answer.figures), linked] if answer.figures.opened else [], NONE),
            _groups("journey", "By journey", answer.journeys, "no journey known"),
            _groups("topic", "By topic", answer.topics, "no topic"),
            _groups("priority", "By priority", answer.priorities, "no priority"),
        ],
    )


def first_rows(told: TicketFigures) -> list[tuple[str, Figure]]:
    """How many, and how long they wait."""
    return [
        ("tickets opened", Figure(told.opened)),
        ("still open", Figure(told.open)),
        ("first reply, median", of_waiting(told.first_reply, "no desk told of replies")),
        ("until solved, median", of_waiting(told.resolution)),
        ("tickets a day", Figure(told.per_day.mean, "decimal")),
    ]


def rows(told: TicketFigures) -> list[tuple[str, Figure]]:
    """The figures of tickets, a line each."""
    day = told.per_day
    known = day.direction != "unknown"
    return [
        ("opened", Figure(told.opened)),
        ("still open", Figure(told.open)),
        ("first reply, median", of_waiting(told.first_reply, "no desk told of replies")),
        ("tickets of a desk that never told of a reply", Figure(told.replies_untold)),
        ("solved without a known reply", Figure(told.unanswered)),
        ("until solved, median", of_waiting(told.resolution)),
        ("until solved, 9 in 10", of_waiting(told.resolution_p90)),
        ("solved", of_part(told.solved)),
        ("opened again, of those ever solved", of_part(told.reopened)),
        ("asked again on the same within a week", of_part(told.repeat)),
        (f"not solved within {number(told.stale_days, 0 if told.stale_days % 1 == 0 else 1)} days", of_part(told.stale)),
        ("after a failure, of those with a linked visit", of_part(told.after_failure)),
        ("a day", Figure(day.mean, "decimal")),
        (
            f"more a day, each day ({day.direction})" if known else "more a day, each day",
            Figure(day.slope if known else None, "number", day.low, day.high, why="" if known else "too few days"),
        ),
    ]


def _groups(key: str, title: str, groups: Sequence[TicketGroup], none: str) -> Table:
    return Table(key, title, _GROUPS, [_group(one.name if one.id else none, one.figures) for one in groups])


def _group(name: str, told: TicketFigures) -> tuple[str | Figure, ...]:
    return (
        name,
        Figure(told.opened),
        Figure(told.open),
        of_waiting(told.first_reply, "no desk told of replies"),
        of_waiting(told.resolution),
        of_part(told.stale),
        of_part(told.after_failure),
        "not known" if told.per_day.direction == "unknown" else told.per_day.direction,
    )
