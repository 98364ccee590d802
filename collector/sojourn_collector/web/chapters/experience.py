"""How customers fared in a journey, or at one of its steps, by a fact: a row a group, and everybody above."""

from sojourn_collector.web.chapters.figures import of_impact
from sojourn_collector.web.chapters.told import COUNTED, INTERVAL, Cell, Column, Figure, Table, Told, broken
from sojourn_collector.web.format import count, part
from sojourn_collector.web.models_experience import ExperienceBy, FaredGroup
from sojourn_collector.web.words import FACTS

ANSWER = ExperienceBy
_COLUMNS = (
    Column("group", "group"),
    Column("tried", "tried"),
    Column("finished", "finished", COUNTED),
    Column("gave_up", "gave up", COUNTED),
    Column("stopped", "stopped", COUNTED),
    Column("hit", "met a failure", COUNTED),
    Column("slow", "slow only", COUNTED),
    Column("apdex", "Apdex", COUNTED),
    Column("impact", "impact, of people", COUNTED),
    Column("impact_of_visits", "impact, per visit", COUNTED),
    Column("drawn", "severity drawn towards all [in 4 of 5 cases]", INTERVAL),
    Column("size", "size"),
)


def tell(answer: ExperienceBy) -> Told:
    """Of one journey by one fact."""
    fact = FACTS.get(answer.by, answer.by.replace("_", " ")).lower()
    step = next((one.name or one.id for one in answer.steps if one.id == answer.step), "")
    beside = [("not known", answer.unknown), ("groups not shown", answer.others)]
    groups = [_group("everybody", answer.whole), *(_group(one.name or one.value, one) for one in answer.groups)]
    notes = [f"{count(answer.hidden, 'group')} of fewer than five people and visits not shown by themselves"] if answer.hidden else []
    notes += [f"{count(answer.cut, 'smaller group')} not looked at by themselves"] if answer.cut else []
    return Told(
        "experience",
        f"How customers fared in {answer.name or answer.journey}{f' at {step}' if step else ''}, by {fact}",
        answer.as_of,
        answer.window_from,
        answer.window_to,
        answer.config_version,
        answer.journey,
        broken(answer),
        [Table("group", "", _COLUMNS, [*groups, *(_group(name, one) for name, one in beside if one is not None)])],
        [*([answer.reason] if answer.reason else []), *notes],
    )


def _group(name: str, one: FaredGroup) -> tuple[Cell, ...]:
    over = one.finished + one.gave_up + one.stopped
    return (
        name,
        Figure(one.tried),
        _share(one.finished, over, one.finished_low, one.finished_high),
        _share(one.gave_up, over, one.gave_up_low, one.gave_up_high),
        _share(one.stopped, over, one.stopped_low, one.stopped_high),
        _share(one.hit, one.tried, one.hit_low, one.hit_high),
        _share(one.slow, one.tried, one.slow_low, one.slow_high),
        Figure(one.apdex, "number", one.apdex_low, one.apdex_high, one.apdex_of) if one.apdex_of is not None else "",
        of_impact(one.impact) if one.impact is not None else "",
        of_impact(one.impact_of_visits) if one.impact_of_visits is not None else "",
        Figure(one.drawn.share, "share", one.drawn.low, one.drawn.high) if one.drawn is not None else "",
        "few" if one.thin else "",
    )


def _share(some: int, of: int, low: float | None, high: float | None) -> Figure:
    return Figure(part(some, of), "share", low, high, of, why="" if of else "no walk is over")
