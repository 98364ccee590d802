"""Satisfaction by a fact: each survey, question and scale by itself, never mixed."""

from sojourn_collector.web.chapters.figures import of_effort, of_promoters, of_share
from sojourn_collector.web.chapters.told import COUNTED, INTERVAL, Column, Figure, Table, Told
from sojourn_collector.web.format import count
from sojourn_collector.web.models_feedback import SatisfactionBy, SatisfactionGroup, SatisfactionPeriod
from sojourn_collector.web.words import FEEDBACK_FACTS, FEEDBACK_KINDS

ANSWER = SatisfactionBy
_COLUMNS = (
    Column("group", "group"),
    Column("survey", "survey"),
    Column("question", "question"),
    Column("asked", "asked"),
    Column("scale", "scale"),
    Column("answered", "answers"),
    Column("mean", "mean"),
    Column("satisfied", "satisfied", COUNTED),
    Column("nps", "NPS", COUNTED),
    Column("easy", "found it easy", COUNTED),
    Column("shrunk", "drawn towards all", INTERVAL),
    Column("response_rate", "response rate"),
    Column("partial", "left before the end"),
    Column("size", "size"),
)


_OVER = (
    Column("group", "group"),
    Column("survey", "survey"),
    Column("question", "question"),
    Column("scale", "scale"),
    Column("from", "from"),
    Column("whole", "whole"),
    Column("answered", "answers"),
    Column("mean", "mean"),
    Column("satisfied", "satisfied", COUNTED),
    Column("nps", "NPS", COUNTED),
    Column("easy", "found it easy", COUNTED),
)


def tell(answer: SatisfactionBy) -> Told:
    """Of a window."""
    notes = [f"{count(answer.hidden, 'group')} of fewer than five people not shown"] if answer.hidden else []
    notes += [f"of {count(answer.unknown, 'answer')} this is not known"] if answer.unknown else []
    by_group = Table("group", "", _COLUMNS, [_group(one) for one in answer.groups], "no answers of a group large enough to show")
    periods = [_period(one, period) for one in answer.groups for period in one.periods or ()]
    over = [Table("period", f"By {answer.over}", _OVER, periods, f"no {answer.over} has five answers of one group")] if answer.over else []
    return Told(
        "satisfaction",
        f"Satisfaction by {FEEDBACK_FACTS.get(answer.by, answer.by.replace('_', ' ')).lower()}",
        answer.as_of,
        answer.window_from,
        answer.window_to,
        tables=[by_group, *over],
        notes=notes,
    )


def _period(group: SatisfactionGroup, one: SatisfactionPeriod) -> tuple[str | Figure | None, ...]:
    return (
        group.value,
        group.survey,
        group.question,
        group.scale,
        one.period,
        "" if one.whole else "in part",
        Figure(one.answered),
        Figure(one.mean, "number"),
        "" if one.csat is None else of_share(one.csat),
        "" if one.nps is None else of_promoters(one.nps),
        "" if one.ces is None else of_effort(one.ces),
    )


def _group(one: SatisfactionGroup) -> tuple[str | Figure | None, ...]:
    return (
        one.value,
        one.survey,
        one.question,
        FEEDBACK_KINDS.get(one.kind, one.kind),
        one.scale,
        Figure(one.answered),
        Figure(one.mean, "number"),
        "" if one.csat is None else of_share(one.csat),
        "" if one.nps is None else of_promoters(one.nps),
        "" if one.ces is None else of_effort(one.ces),
        "" if one.shrunk is None else Figure(one.shrunk, "share", one.shrunk_low, one.shrunk_high),
        Figure(one.response_rate, "share"),
        Figure(one.partial) if one.partial is not None else None,
        "few" if one.thin else "",
    )
