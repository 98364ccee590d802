"""Satisfaction of each group by day, week or month: those of few answers are not told, and only the largest groups are."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any, Final
from zoneinfo import ZoneInfo

from sojourn_collector.context import Context
from sojourn_collector.score.drivers import HIDDEN_BELOW
from sojourn_collector.web.answers.feedback_facts import Over, begin_of, next_of
from sojourn_collector.web.answers.satisfaction_measured import measured, question_of
from sojourn_collector.web.answers.weeks import PATIENCE
from sojourn_collector.web.answers.window import Window
from sojourn_collector.web.models_feedback import SatisfactionBy, SatisfactionGroup, SatisfactionPeriod

MOST_GROUPS: Final = 12
"""Groups that are told by time, those with most answers."""

MOST_ROWS: Final = 100_000
"""Rows after which the query ends: then some are missing, and nothing is told by time."""

Key = tuple[str, str, str, str, str]


async def with_periods(context: Context, answer: SatisfactionBy, window: Window, over: Over, asked: Mapping[str, Any]) -> SatisfactionBy:
    """The same answer with the periods of its largest groups.

    :param asked: what `feedback_groups` was asked for the answer.
    :raises EngineUnavailable: while the engine cannot answer.
    """
    largest = sorted(answer.groups, key=lambda one: (-one.answered, one.survey, one.question, one.value))[:MOST_GROUPS]
    pairs = sorted({(one.value, one.survey) for one in largest})
    rows = await context.store.query(
        "feedback_groups", deadline=PATIENCE, **asked, over=over, facts=[fact for fact, _ in pairs], surveys=[survey for _, survey in pairs]
    )
    zone = ZoneInfo(context.impact.timezone)
    whole = _periods(window, over, zone)
    found: dict[Key, dict[str, list[Mapping[str, Any]]]] = defaultdict(lambda: defaultdict(list))
    for row in rows if len(rows) < MOST_ROWS else ():
        question = question_of(row)
        found[row["fact"], question.survey, question.question, question.kind, str(question.scale)][row["period"]].append(row)
    wanted = {_key(one) for one in largest} & found.keys()
    groups = [one.model_copy(update={"periods": _told(found[_key(one)], whole)}) if _key(one) in wanted else one for one in answer.groups]
    return answer.model_copy(update={"over": over, "periods": list(whole), "groups": groups, "without_periods": len(groups) - len(wanted)})


def _key(group: SatisfactionGroup) -> Key:
    return (group.value, group.survey, group.question, group.kind, group.scale)


def _told(by_period: Mapping[str, list[Mapping[str, Any]]], whole: Mapping[str, bool]) -> list[SatisfactionPeriod]:
    return [
        SatisfactionPeriod(period=period, whole=whole.get(period, False), **measured(question_of(rows[0]), rows))
        for period, rows in sorted(by_period.items())
        if sum(row["n"] for row in rows) >= HIDDEN_BELOW
    ]


def _periods(window: Window, over: Over, zone: ZoneInfo) -> dict[str, bool]:
    """The first day of each period of the window, and whether all of it is in it."""
    begin = begin_of(window.since.astimezone(zone).date(), over)
    found: dict[str, bool] = {}
    while (start := _midnight(begin, zone)) < window.until:
        after = next_of(begin, over)
        found[begin.isoformat()] = window.since <= start and _midnight(after, zone) <= window.until
        begin = after
    return found


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone)
