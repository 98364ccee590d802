"""How many valuable customers were badly hit and have said nothing since, and what bounds that. Nobody is named: the page Said nothing does that."""

from collections import Counter

from sojourn_collector.web.chapters.told import Column, Figure, Table, Told, broken, facts
from sojourn_collector.web.models_measures import SilentAnswer

ANSWER = SilentAnswer
_PLACES = (Column("journey", "journey"), Column("step", "step"), Column("people", "said nothing"))


def tell(answer: SilentAnswer) -> Told:
    """Of a window, by where they were hit."""
    places = Counter((one.journey, one.step) for one in answer.people)
    rows = [
        ("valuable, badly hit, said nothing", Figure(answer.found, of=answer.hurt)),
        ("worth before, together", Figure(answer.worth, "money", currency=answer.currency, why="" if answer.found else "of nobody")),
        ("badly hit in all", Figure(answer.hurt)),
    ]
    of = f", of the {len(answer.people)} most valuable" if answer.found > len(answer.people) else ""
    return Told(
        "silent",
        "Said nothing",
        answer.as_of,
        answer.window_from,
        answer.window_to,
        answer.config_version,
        lines=[*(["there are more people hit than are looked at"] if answer.truncated else []), *broken(answer)],
        tables=[
            facts("silent", "", rows),
            Table("place", f"Where they were hit{of}", _PLACES, [(*place, Figure(people)) for place, people in places.most_common()]),
        ],
        notes=[*answer.notes, *(["who they are says the page Said nothing (/silent) or --json"] if answer.people else [])],
    )
