"""Did a fix help? The journey it treats beside journeys nobody touched, at the looks that are over."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from sojourn_collector.context import Context
from sojourn_collector.join.rollups import midnight
from sojourn_collector.score.fix_verification import LEVEL, LOOKS, DayCount, verify_fix
from sojourn_collector.score.severities import RECOVERED
from sojourn_collector.score.trouble import MOST, trouble_begin
from sojourn_collector.store.control.marks import MarkRow
from sojourn_collector.web.answers.breaks import versioned
from sojourn_collector.web.answers.fix_answers import BEFORE, answers_by_day
from sojourn_collector.web.answers.fix_parts import Span, counted, mix_of, parts_of
from sojourn_collector.web.answers.marks import mark_of
from sojourn_collector.web.answers.titles import journey_title
from sojourn_collector.web.models import Named
from sojourn_collector.web.models_fixes import FixLook, FixMeasure, Mark, Verdict, Verification

HISTORY = 168
"""Days before the trouble that say how much the difference varies without a fix: six times the longest look."""
DEADLINE = 30.0

Measured = Literal["satisfied", "finished", "unhurt"]


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is compared: day numbers count from 1970 in the report's zone."""

    mark: Mark
    journey: str
    untouched: Sequence[str]
    fixed: int
    today: int
    zone: ZoneInfo


async def verification(context: Context, ident: str) -> Verification | None:
    """The body of `GET /api/v1/marks/{id}/verification`; None for a mark that is not kept. Raises EngineUnavailable, QueryTimeout."""
    mark = await mark_of(context, ident)
    if mark is None:
        return None
    zone, now = ZoneInfo(context.impact.timezone), context.clock()
    others = [row for row in await context.control.marks.list() if row.id != ident]
    journey = mark.journey.id if mark.journey else ""
    fixed, today = _number(mark.at.astimezone(zone).date()), _number(now.astimezone(zone).date())
    left_out = _treated(others, mark.at) - {journey}
    untouched = sorted(one for one in context.journeys.all() if one != journey and one not in left_out)
    reason = _silent(mark, journey, untouched)
    if reason:
        return await versioned(context, _told(context, mark, "not estimable", f"It cannot be judged: {reason}.", reason=reason), "fix", now, now)
    asked = _Asked(mark, journey, untouched, fixed, today, zone)
    begin = fixed - MOST - HISTORY
    span = {"since": midnight(_day(begin), zone), "until": min(now, midnight(_day(fixed + LOOKS[-1] + 1), zone))}
    common: dict[str, Any] = {**span, "journey": journey, "untouched": untouched, "zone": zone.key, "severity": RECOVERED, "deadline": DEADLINE}
    if span["since"] >= span["until"]:
        early = _told(context, mark, "too early", "It lies too far ahead to be judged.", reason="the mark lies in the future")
        return await versioned(context, early, "fix", now, now)
    walks, answers = await asyncio.gather(context.store.query("fix_days", **common), context.store.query("fix_answers", **common, days=BEFORE))
    given, scale = answers_by_day(answers)
    days: dict[Measured, list[DayCount]] = {
        "satisfied": given,
        "finished": [DayCount(row["day"], bool(row["treated"]), row["finished"], row["tries"], row["stratum"]) for row in walks],
        "unhurt": [DayCount(row["day"], bool(row["treated"]), row["unhurt"], row["tries"], row["stratum"]) for row in walks],
    }
    trouble = _trouble(asked, days["unhurt"])
    measures = await asyncio.to_thread(lambda: [_measure(asked, name, rows, trouble, scale if name == "satisfied" else "") for name, rows in days.items()])
    answer = _judged(context, asked, trouble, measures, [journey_title(context, one) for one in sorted(left_out)], _notes(others, mark))
    return await versioned(context, answer, "fix", span["since"], span["until"], journey=journey)


def _silent(mark: Mark, journey: str, untouched: Sequence[str]) -> str:
    if not journey:
        how = f"mark it with the journey it treats (sojourn-collector mark {mark.kind} … --journey ID)"
        return f"it names no journey, so nothing is untouched that it could be compared with; {how}"
    if not untouched:
        return "there is no other journey that was left untouched in that time, so a change of everything cannot be told from the fix"
    return ""


def _treated(others: Iterable[MarkRow], at: datetime) -> set[str]:
    """Journeys that were changed on purpose in the same time: they are nobody's untouched ones."""
    near = timedelta(days=MOST + LOOKS[-1])
    return {row.journey for row in others if row.journey and abs(row.at - at) <= near}


def _notes(others: Iterable[MarkRow], mark: Mark) -> list[str]:
    near = timedelta(days=LOOKS[-1])
    also = [row.name for row in others if abs(row.at - mark.at) <= near and mark.journey and row.journey == mark.journey.id]
    return [f"The same journey was also changed by “{name}” within 28 days: the two cannot be told apart." for name in also[:5]]


def _trouble(asked: _Asked, unhurt: Iterable[DayCount]) -> int:
    """The first day of the trouble that led to the fix: what somebody said, else what the failures of those days say."""
    if asked.mark.trouble_from is not None:
        return min(asked.fixed, max(asked.fixed - HISTORY, _number(asked.mark.trouble_from.astimezone(asked.zone).date())))
    hit: dict[int, tuple[int, int]] = {}
    for row in unhurt:
        if row.treated:
            before = hit.get(row.day, (0, 0))
            hit[row.day] = (before[0] + row.of - row.good, before[1] + row.of)
    return trouble_begin(hit, asked.fixed)


def _measure(asked: _Asked, name: Measured, rows: Sequence[DayCount], trouble: int, scale: str) -> FixMeasure:
    what = "answers" if name == "satisfied" else "tries"
    over = [look for look in LOOKS if asked.today - asked.fixed - 1 >= look]
    looks = [_look(rows, asked.fixed, trouble, look, what) for look in over]
    newest = looks[-1] if looks else None
    parts = parts_of(rows, asked.fixed, trouble, asked.today, _day)
    if newest is None:
        early = verify_fix(rows, asked.fixed, trouble, asked.today)
        return FixMeasure(measure=name, verdict="too early", reason=early.reason, scale=scale, looks=[], parts=parts, mix=[])
    spans: tuple[Span, Span] = ((trouble - newest.days, trouble), (asked.fixed + 1, asked.fixed + 1 + newest.days))
    return FixMeasure(measure=name, verdict=newest.verdict, reason=newest.reason, scale=scale, looks=looks, parts=parts, mix=mix_of(rows, *spans))


def _look(rows: Sequence[DayCount], fixed: int, trouble: int, look: int, what: str) -> FixLook:
    told = verify_fix(rows, fixed, trouble, fixed + 1 + look, what)
    before, after = (trouble - look, trouble), (fixed + 1, fixed + 1 + look)
    return FixLook(
        days=look,
        verdict=told.verdict,
        effect=told.effect,
        low=told.low,
        high=told.high,
        reason=told.reason,
        shifts=len(told.shifts),
        fixed_before=counted(rows, before, treated=True),
        fixed_after=counted(rows, after, treated=True),
        untouched_before=counted(rows, before, treated=False),
        untouched_after=counted(rows, after, treated=False),
    )


def _judged(context: Context, asked: _Asked, trouble: int, measures: list[FixMeasure], left_out: list[Named], notes: list[str]) -> Verification:
    by_name = {one.measure: one for one in measures}
    # Which one decides goes by counts and dates alone, never by what came out.
    deciding: Literal["satisfied", "finished"] = "finished" if by_name["satisfied"].verdict == "not estimable" else "satisfied"
    one = by_name[deciding]
    ahead = next((look for look in LOOKS if asked.today - asked.fixed - 1 < look), None)
    return _told(
        context,
        asked.mark,
        one.verdict,
        _sentence(one),
        reason=one.reason,
        decided_by="" if one.verdict == "too early" else deciding,
        next_look=None if ahead is None else midnight(_day(asked.fixed + 1 + ahead), asked.zone),
        next_look_days=ahead,
        fixed_on=_day(asked.fixed),
        trouble_from=_day(trouble),
        trouble_told=asked.mark.trouble_from is not None,
        untouched=[journey_title(context, name) for name in asked.untouched],
        left_out=left_out,
        notes=notes,
        measures=measures,
    )


SHARES: dict[str, str] = {"satisfied": "satisfied answers", "finished": "tries that finished", "unhurt": "tries without a failure"}


def _sentence(one: FixMeasure) -> str:
    if one.verdict == "too early":
        return f"It is {one.reason}."
    look = one.looks[-1]
    if look.effect is None or look.low is None or look.high is None:
        return f"It cannot be judged: {look.reason}."
    points = f"{100 * look.effect:+.1f} points, between {100 * look.low:+.1f} and {100 * look.high:+.1f}".replace("-", "−")
    share = SHARES[one.measure]
    if one.verdict == "improved":
        return f"{look.days} days on, the share of {share} rose against untouched journeys ({points})."
    if one.verdict == "worse":
        return f"{look.days} days on, the share of {share} fell against untouched journeys ({points})."
    return f"No evidence after {look.days} days that the share of {share} changed ({points}). That is not evidence of no effect."


def _told(context: Context, mark: Mark, verdict: Verdict, sentence: str, **more: Any) -> Verification:
    empty: dict[str, Any] = {"untouched": [], "left_out": [], "notes": [], "measures": []}
    return Verification(as_of=context.clock(), mark=mark, verdict=verdict, sentence=sentence, level=LEVEL, **{**empty, **more})


def _number(day: date) -> int:
    return day.toordinal() - date(1970, 1, 1).toordinal()


def _day(number: int) -> date:
    return date(1970, 1, 1) + timedelta(days=number)
