"""Satisfaction by one fact: each survey, question and scale apart, small groups drawn towards the others, response rates where they are known."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from sojourn_collector.context import Context
from sojourn_collector.score.drivers import HIDDEN_BELOW, Group, prior, shrunk
from sojourn_collector.score.satisfaction import Scale
from sojourn_collector.web.answers.answers_counted import answers_counted
from sojourn_collector.web.answers.breakdown import Of
from sojourn_collector.web.answers.breakdown_worth import nothing
from sojourn_collector.web.answers.feedback_facts import TIMES, By, Over, fact_asked, rated
from sojourn_collector.web.answers.response_rates import rates_of
from sojourn_collector.web.answers.satisfaction_measured import Question, measured, question_of
from sojourn_collector.web.answers.satisfaction_over import with_periods
from sojourn_collector.web.answers.weeks import PATIENCE
from sojourn_collector.web.answers.window import Window
from sojourn_collector.web.models_feedback import ResponseRate, SatisfactionBy, SatisfactionGroup

MOST = 500
Row = Mapping[str, Any]


async def satisfaction_by(
    context: Context, window: Window, by: By = "survey", journey: str = "", *, attr: str = "", of: Of = "", over: Over = ""
) -> SatisfactionBy:
    """The body of `GET /api/v1/satisfaction`.

    :param attr: name of an attribute to group by, instead of `by`; of visits there are those that `segments` of impact.yaml names.
    :param of: whose attribute; empty: the person's, else their account's, else the visit's.
    :param over: tell each group by day, week or month too.
    :raises EngineUnavailable: while the engine cannot answer.
    """
    asked: dict[str, Any] = {"since": window.since, "until": window.until, "journey": journey, "zone": context.impact.timezone}
    fact = fact_asked(by, attr, of)
    known_by = rated(by, attr, of)
    rows, invited = await asyncio.gather(
        context.store.query("feedback_groups", deadline=PATIENCE, **asked, **fact, over="", facts=[], surveys=[]),
        context.store.query("invited_groups", deadline=PATIENCE, **asked, **{name: fact[name] for name in ("by", "attr", "of")}) if known_by else nothing(),
    )
    rates = rates_of(invited, told=known_by == "told")
    of_group = {(one.value, one.survey): one for one in rates}
    zone = ZoneInfo(context.impact.timezone)
    groups: dict[Question, dict[str, list[Row]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        groups[question_of(row)][row["fact"]].append(row)
    shown: list[SatisfactionGroup] = []
    hidden = 0
    for question, by_fact in groups.items():
        known = {fact: mine for fact, mine in by_fact.items() if fact}
        kept = {fact: mine for fact, mine in known.items() if sum(row["n"] for row in mine) >= HIDDEN_BELOW}
        hidden += len(known) - len(kept)
        told = [_group(fact, question, mine, of_group.get((fact, question.survey))) for fact, mine in kept.items()]
        told = [one.model_copy(update={"rows": _where(window, zone, "attr" if attr else by, one, kept[one.value], question.scale, journey)}) for one in told]
        if known_by:
            told = [one if one.partial is not None else one.model_copy(update={"partial": 0}) for one in told]
        shown += _shrunk(told)
    by_time = by in TIMES and not attr
    shown.sort(key=lambda one: (one.survey, one.question, one.kind, one.value if by_time else "", -one.answered, one.value))
    answer = SatisfactionBy(
        as_of=window.now,
        window_from=window.since,
        window_to=window.until,
        by=attr or by,
        groups=shown[:MOST],
        hidden=hidden,
        unknown=sum(row["n"] for row in rows if not row["fact"]),
        rates=[one for one in rates if one.invited >= HIDDEN_BELOW][:MOST],
    )
    return answer if not over else await with_periods(context, answer, window, over, {**asked, **fact})


def _where(window: Window, zone: ZoneInfo, by: str, group: SatisfactionGroup, rows: Sequence[Row], scale: Scale, journey: str) -> str:
    """The address of the answers of a group; empty where the list knows no such filter."""
    ids = {row["question_id"] for row in rows}
    return answers_counted(window, zone, by, group.value, survey=group.survey, question_ids=ids, kind=group.kind, scale=str(scale), journey=journey)


def _group(fact: str, asked: Question, rows: Sequence[Row], rate: ResponseRate | None) -> SatisfactionGroup:
    return SatisfactionGroup(
        value=fact,
        survey=asked.survey,
        question=asked.question,
        kind=asked.kind,
        scale=str(asked.scale),
        **measured(asked, rows),
        response_rate=rate.rate if rate else None,
        partial=rate.partial if rate else None,
    )


def _shrunk(groups: Sequence[SatisfactionGroup]) -> list[SatisfactionGroup]:
    """Shares of the groups of one question, drawn towards their common one (empirical Bayes), with 80 % credible intervals."""
    rated = [one for one in groups if one.csat is not None and one.csat.answered]
    if len(rated) < 2:
        return list(groups)
    counted = [Group(one.value, "", one.csat.answered, one.csat.satisfied) for one in rated if one.csat]
    learnt, everyone = prior(counted), sum(group.people for group in counted)
    out = []
    for one in groups:
        if one.csat is None or not one.csat.answered:
            out.append(one)
            continue
        share, low, high = shrunk(one.csat.satisfied, one.csat.answered, learnt, everyone - one.csat.answered)
        out.append(one.model_copy(update={"shrunk": share, "shrunk_low": low, "shrunk_high": high}))
    return out
