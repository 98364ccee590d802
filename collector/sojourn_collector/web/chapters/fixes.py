"""Marks of releases, fixes, campaigns and prices; which of them `fix --mark` tells more of."""

from sojourn_collector.web.chapters.told import Column, Figure, Table, Told
from sojourn_collector.web.models_fixes import MarksAnswer
from sojourn_collector.web.words import MARKS

ANSWER = MarksAnswer
_COLUMNS = (
    Column("id", "id"),
    Column("at", "when"),
    Column("what", "what"),
    Column("name", "name"),
    Column("journey", "journey"),
    Column("step", "step"),
    Column("visits", "seen on visits"),
)


def tell(answer: MarksAnswer) -> Told:
    """The newest first."""
    rows = [
        (
            one.id,
            one.at,
            MARKS[one.kind],
            one.name,
            "" if one.journey is None else one.journey.id,
            "" if one.step is None else one.step.id,
            "" if one.visits is None else Figure(one.visits),
        )
        for one in answer.marks
    ]
    empty = "there are no marks; make one: sojourn-collector mark release 2.4.1"
    return Told("fixes", "Releases and fixes", answer.as_of, tables=[Table("mark", "", _COLUMNS, rows, empty)])
