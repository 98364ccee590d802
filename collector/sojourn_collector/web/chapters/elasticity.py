"""What goes with speed, step by step: the odds of finishing and of satisfaction per doubling of the first wait."""

from sojourn_collector.web.chapters.told import COUNTED, Cell, Column, Figure, Table, Told, broken
from sojourn_collector.web.format import count, number
from sojourn_collector.web.models_speed import Odds, SpeedAnswer

ANSWER = SpeedAnswer
_WAITS = (
    Column("step", "step"),
    Column("walks", "tries"),
    Column("hit", "hit, left out"),
    Column("unknown", "wait not known"),
    Column("p10", "1 in 10 within"),
    Column("p50", "half within"),
    Column("p90", "9 in 10 within"),
)
_ODDS = (
    Column("step", "step"),
    Column("outcome", "outcome"),
    Column("ratio", "odds per doubling of the wait", COUNTED),
    Column("good", "with it"),
    Column("left", "left before the paint"),
    Column("shortest", "from, times the usual"),
    Column("longest", "to"),
    Column("goes", "with a longer wait"),
    Column("reason", ""),
)
_GOES = {"less": "less often", "more": "more often", "unknown": "cannot be told from chance"}


def tell(answer: SpeedAnswer) -> Told:
    """Of one journey."""
    waits: list[tuple[Cell, ...]] = [
        (one.step.name, Figure(one.walks), Figure(one.hit), Figure(one.unknown), *(Figure(value, "seconds") for value in (one.p10, one.p50, one.p90)))
        for one in answer.steps
    ]
    odds: list[tuple[Cell, ...]] = [
        (one.step.name, name, *_odds(found)) for one in answer.steps for name, found in (("finished", one.finished), ("satisfied", one.satisfied))
    ]
    lines = ["An association: those who wait longer may differ in other things too, and a faster page need not bring as much"]
    read = [f"{count(answer.walks, 'try', 'tries')} read"]
    read += [f"one in {number(answer.one_in)}"] if answer.one_in > 1 else []
    read += ["there are more than were read"] if answer.truncated else []
    read += [f"answers on {answer.scale}"] if answer.scale else []
    sentences = [
        f"{one.step.name}: {found.sentence}" for one in answer.steps for found in (one.finished, one.satisfied) if found.ratio is not None and found.sentence
    ]
    return Told(
        "elasticity",
        f"Speed, and what goes with it: {answer.journey.name}",
        answer.as_of,
        answer.window_from,
        answer.window_to,
        answer.config_version,
        answer.journey.id,
        [*lines, "; ".join(read), *broken(answer)],
        [
            Table("waits", "First waits", _WAITS, waits, answer.reason or "no step is known"),
            Table("odds", "Odds for each doubling of the wait", _ODDS, odds),
        ],
        [*sentences, "Each figure is right in 19 of 20 cases by itself: of many steps one may stand out by chance"],
    )


def _odds(found: Odds) -> tuple[Figure | str, ...]:
    return (
        Figure(found.ratio, "ratio", found.low, found.high, found.of),
        Figure(found.good),
        Figure(found.left),
        Figure(found.shortest, "ratio") if found.shortest is not None else "",
        Figure(found.longest, "ratio") if found.longest is not None else "",
        _GOES[found.goes] if found.ratio is not None else "",
        found.reason,
    )
