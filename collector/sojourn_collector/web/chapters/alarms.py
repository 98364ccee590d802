"""Steps at which more customers are newly hit than is usual at this hour."""

from sojourn_collector.web.chapters.told import INTERVAL, Cell, Column, Figure, Table, Told, facts
from sojourn_collector.web.models_alarms import Alarm, AlarmsAnswer

ANSWER = AlarmsAnswer
_COLUMNS = (
    Column("journey", "journey"),
    Column("step", "step"),
    Column("state", "state"),
    Column("since", "since"),
    Column("raised", "raised"),
    Column("hit", "newly hit", ("of",)),
    Column("usual", "usual share", ("high",)),
    Column("impact", "impact", INTERVAL),
    Column("sum", "sum", ("of",)),
    Column("also", "also"),
)


def tell(answer: AlarmsAnswer) -> Told:
    """As of now."""
    rows = [_row(one) for one in (*answer.alarms, *answer.rising)]
    budget = [
        ("steps watched", Figure(answer.watched)),
        ("steps with too little of a past", Figure(answer.unwatched)),
        ("false alarms a week all together may raise", Figure(answer.false_per_week, "number")),
        ("people who come in a week", Figure(answer.people_per_week)),
    ]
    return Told(
        "alarms",
        "Alarms of newly hit customers",
        answer.as_of,
        lines=["there are more steps than are looked at"] if answer.truncated else [],
        tables=[Table("alarm", "", _COLUMNS, rows, "nowhere are more customers newly hit than usual"), facts("budget", "Watched", budget)],
    )


def _row(one: Alarm) -> tuple[Cell, ...]:
    return (
        one.journey.name,
        one.step.name,
        "rising" if one.state == "rising" else f"alarm{', wakes' if one.wakes else ''}",
        one.since,
        "" if one.raised is None else one.raised,
        Figure(one.hit, of=one.people),
        Figure(one.usual, "share", high=one.usual_high),
        Figure(one.impact, "score", one.low, one.high),
        Figure(one.sum, "number", of=one.threshold),
        ", ".join(other.name for other in one.also),
    )
