"""What explains a journey's score: its groups, the strongest first."""

from sojourn_collector.web.chapters.told import INTERVAL, Cell, Column, Figure, Table, Told, broken, facts
from sojourn_collector.web.format import count, number
from sojourn_collector.web.models_measures import Breakdown
from sojourn_collector.web.scores_said import DAYS, UNITS
from sojourn_collector.web.words import FACTS

ANSWER = Breakdown
_COLUMNS = (
    Column("group", "group"),
    Column("cause", "what happened"),
    Column("people", "of"),
    Column("worth", "worth"),
    Column("points", "points of the score"),
    Column("share", "hurt [in 4 of 5 cases]", INTERVAL),
    Column("raw", "as counted"),
    Column("size", "size"),
)
_PROBES = ("location", "runs", "passed", "degraded", "failed", "not_counted")


def tell(answer: Breakdown) -> Told:
    """Of one journey by one fact."""
    score = Figure(answer.score, "score", answer.low, answer.high, answer.units, why=answer.reason)
    groups = [
        (
            one.name,
            one.cause,
            Figure(one.people),
            Figure(one.worth, "money", currency=answer.currency) if one.worth is not None else "",
            Figure(one.points, "points"),
            Figure(one.share, "share", one.low, one.high),
            Figure(one.raw, "share"),
            "few" if one.thin else "",
        )
        for one in answer.groups
    ]
    probes: list[tuple[Cell, ...]] = [(one.location, *(Figure(getattr(one, name)) for name in _PROBES[1:])) for one in answer.probes]
    return Told(
        "drivers",
        f"What explains the score of {answer.journey}: by {FACTS.get(answer.by, answer.by).lower()}{', by worth' if answer.view == 'value' else ''}",
        answer.as_of,
        answer.window_from,
        answer.window_to,
        answer.config_version,
        answer.journey,
        broken(answer),
        [
            facts("whole", "", [(f"impact, of {DAYS[answer.covers][1]}", score)]),
            Table("group", "", _COLUMNS, groups, answer.reason or "nobody was hurt in a group that is large enough to show"),
            Table("probes", "Our probes, beside it", [Column(name, name.replace("_", " ")) for name in _PROBES], probes),
        ],
        _notes(answer),
    )


def _notes(answer: Breakdown) -> list[str]:
    notes = []
    if answer.view == "value" and answer.coverage is not None and answer.units:
        notes.append(f"of {number(100 * answer.coverage)} % of the days of people it is known what they are worth; the others are not in it")
    if answer.one_in > 1:
        notes.append(f"of one in {number(answer.one_in)} people, drawn by chance")
    if answer.unknown and answer.units > answer.unknown:
        notes.append(f"of {count(answer.unknown, *DAYS[answer.covers])} this is not known")
    if answer.hidden:
        notes.append(f"{count(answer.hidden, 'group')} of fewer than five {'equal customers' if answer.view == 'value' else UNITS[answer.covers][1]} not shown")
    if answer.cut:
        notes.append(f"{count(answer.cut, 'more group')} that were hurt least not looked at; the score is of everybody")
    return notes
