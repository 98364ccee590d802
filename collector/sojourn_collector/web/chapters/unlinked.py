"""Answers, tickets and orders that could not be linked to a visit, the likely cause and the cure."""

from sojourn_collector.web.chapters.told import Column, Figure, Table, Told
from sojourn_collector.web.models_feedback import UnlinkedAnswer

ANSWER = UnlinkedAnswer
_NAMES = (Column("what", "what"), Column("source", "source"), Column("survey", "survey"))
_UNLINKED = (*_NAMES, Column("records", "not linked"), Column("newest", "newest"), Column("why", "why"), Column("cure", "what helps"))
_LINKED = (*_NAMES, Column("records", "in all"), Column("explicit", "by a key"), Column("inferred", "a guess"))
_ELSEWHERE = (Column("origin", "host"), Column("failed", "failed requests"), Column("visits", "visits"), Column("newest", "newest"))


def tell(answer: UnlinkedAnswer) -> Told:
    """Of a window, by source."""
    return Told(
        "unlinked",
        "What is linked to no visit",
        answer.as_of,
        answer.window_from,
        answer.window_to,
        tables=[
            Table(
                "unlinked",
                "",
                _UNLINKED,
                [(one.what, one.source, one.survey, Figure(one.records), one.newest, one.sentence, one.cure) for one in answer.unlinked],
                "nothing that came in is without a visit",
            ),
            Table(
                "linked",
                "Linked",
                _LINKED,
                [(one.what, one.source, one.survey, *map(Figure, (one.records, one.explicit, one.inferred))) for one in answer.linked],
            ),
            Table(
                "elsewhere",
                "Failed requests to other hosts, the last 24 hours",
                _ELSEWHERE,
                [(one.origin, Figure(one.failed), Figure(one.visits), one.newest) for one in answer.elsewhere],
            ),
        ],
        notes=["where an API of yours is among these hosts, name it under customers: origins: of the journey"] if answer.elsewhere else [],
    )
