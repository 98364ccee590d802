"""Satisfaction by one fact: each survey, question and scale apart, small groups drawn towards the others, response rates where they are known."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple, get_args
from zoneinfo import ZoneInfo

from sojourn_collector.context import Context
from sojourn_collector.score.drivers import HIDDEN_BELOW, THIN_BELOW, Group, prior, shrunk
from sojourn_collector.score.satisfaction import Answer, Scale, ces_of_counts, csat_of_counts, nps_of_counts
from sojourn_collector.web.answers.answers_counted import answers_counted
from sojourn_collector.web.answers.weeks import PATIENCE
from sojourn_collector.web.answers.window import Window
from sojourn_collector.web.models import Effort, Promoters, Share
from sojourn_collector.web.models_feedback import SatisfactionBy, SatisfactionGroup

By = Literal[
    "survey", "question", "channel", "source", "language", "journey", "step", "plan", "segment", "lifecycle", "device", "browser", "release", "day", "week"
]
FACTS: tuple[str, ...] = get_args(By)
RATED = frozenset(("survey", "channel", "source", "journey", "day", "week"))
"""Facts that invitations know themselves, so that there is a response rate."""

MOST = 500
Row = Mapping[str, Any]


class _Asked(NamedTuple):
    """One question on one scale."""

    survey: str
    question: str
    kind: str
    scale: Scale


async def satisfaction_by(context: Context, window: Window, by: By = "survey", journey: str = "") -> SatisfactionBy:
    """The body of `GET /api/v1/satisfaction`. Raises EngineUnavailable."""
    asked: dict[str, Any] = {"since": window.since, "until": window.until, "by": by, "journey": journey, "zone": context.impact.timezone}
    rows, invited = await asyncio.gather(
        context.store.query("feedback_groups", deadline=PATIENCE, **asked),
        context.store.query("invited_groups", deadline=PATIENCE, **asked) if by in RATED else _nothing(),
    )
    rates = {(row["fact"], row["survey"]): row["answered"] / row["invited"] for row in invited if row["invited"] and row["answered"] <= row["invited"]}
    partial = {(row["fact"], row["survey"]): row["partial"] for row in invited}
    zone = ZoneInfo(context.impact.timezone)
    groups: dict[_Asked, dict[str, list[Row]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        scale = Scale(row["scale_min"], row["scale_max"], bool(row["higher_is_better"]))
        groups[_Asked(row["survey"], row["question"] or row["question_id"], row["kind"], scale)][row["fact"]].append(row)
    shown: list[SatisfactionGroup] = []
    hidden = 0
    for question, by_fact in groups.items():
        known = {fact: mine for fact, mine in by_fact.items() if fact}
        kept = {fact: mine for fact, mine in known.items() if sum(row["n"] for row in mine) >= HIDDEN_BELOW}
        hidden += len(known) - len(kept)
        told = [_group(fact, question, mine, rates.get((fact, question.survey))) for fact, mine in kept.items()]
        told = [one.model_copy(update={"rows": _where(window, zone, by, one, kept[one.value], question.scale, journey)}) for one in told]
        if by in RATED:
            told = [one.model_copy(update={"partial": partial.get((one.value, question.survey), 0)}) for one in told]
        shown += _shrunk(told)
    return SatisfactionBy(
        as_of=window.now,
        window_from=window.since,
        window_to=window.until,
        by=by,
        groups=sorted(shown, key=lambda one: (one.survey, one.question, one.kind, one.value if by in ("day", "week") else "", -one.answered, one.value))[:MOST],
        hidden=hidden,
        unknown=sum(row["n"] for row in rows if not row["fact"]),
    )


def _where(window: Window, zone: ZoneInfo, by: By, group: SatisfactionGroup, rows: Sequence[Row], scale: Scale, journey: str) -> str:
    """The address of the answers of a group."""
    ids = {row["question_id"] for row in rows}
    return answers_counted(window, zone, by, group.value, survey=group.survey, question_ids=ids, kind=group.kind, scale=str(scale), journey=journey)


async def _nothing() -> list[dict[str, Any]]:
    return []


def _group(fact: str, asked: _Asked, rows: Sequence[Row], rate: float | None) -> SatisfactionGroup:
    counts = [(Answer(row["value"], asked.scale, None if row["satisfied"] is None else bool(row["satisfied"])), row["n"]) for row in rows]
    answered = sum(times for _, times in counts)
    told = SatisfactionGroup(
        value=fact,
        survey=asked.survey,
        question=asked.question,
        kind=asked.kind,
        scale=str(asked.scale),
        answered=answered,
        mean=sum(answer.value * times for answer, times in counts) / answered,
        response_rate=rate,
        thin=answered < THIN_BELOW,
    )
    if asked.kind in ("csat", "mention"):
        scores = csat_of_counts(counts)
        return told.model_copy(
            update={"csat": Share(satisfied=scores[0].satisfied, answered=scores[0].answered, low=scores[0].low, high=scores[0].high) if scores else None}
        )
    if asked.kind == "nps" and (asked.scale.low, asked.scale.high) == (0, 10):
        nps = nps_of_counts((answer.value, times) for answer, times in counts)
        return told.model_copy(update={"nps": Promoters(score=nps.score, low=nps.low, high=nps.high, answered=nps.answered) if nps else None})
    if asked.kind == "ces" and asked.scale.length == 7:
        ces = ces_of_counts(counts)
        effort = Effort(scale=str(asked.scale), easy=ces.easy, answered=ces.answered, low=ces.low, high=ces.high, mean=ces.mean) if ces else None
        return told.model_copy(update={"ces": effort})
    return told


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
