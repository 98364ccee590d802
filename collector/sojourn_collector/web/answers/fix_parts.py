"""The counts of a fix's judgement as they are drawn: week by week before, the trouble, week by week after; and who is counted."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Literal

from sojourn_collector.score.fix_verification import LOOKS, DayCount
from sojourn_collector.web.models_fixes import Counted, FixPart, MixPart

WEEKS = 12
"""Weeks before the trouble that are drawn."""
WEEK = 7

Span = tuple[int, int]


def counted(rows: Iterable[DayCount], span: Span, *, treated: bool) -> Counted:
    """Good of all in one arm from the first day to before the last."""
    mine = [row for row in rows if row.treated == treated and span[0] <= row.day < span[1]]
    return Counted(good=sum(row.good for row in mine), of=sum(row.of for row in mine))


def parts_of(rows: Sequence[DayCount], fixed: int, trouble: int, today: int, day: Callable[[int], date]) -> list[FixPart]:
    """Both arms in whole weeks beside one another; the trouble with the day of the fix is one part of its own."""

    def part(name: Literal["before", "trouble", "after"], span: Span) -> FixPart:
        fixed_arm, untouched = (counted(rows, span, treated=arm) for arm in (True, False))
        return FixPart(part=name, first=day(span[0]), last=day(span[1] - 1), fixed=fixed_arm, untouched=untouched)

    weeks = [part("before", (trouble - WEEK * number, trouble - WEEK * (number - 1))) for number in range(WEEKS, 0, -1)]
    known = next((number for number, one in enumerate(weeks) if one.fixed.of or one.untouched.of), len(weeks))
    end = min(today, fixed + 1 + LOOKS[-1])
    after = [part("after", (begin, min(begin + WEEK, end))) for begin in range(fixed + 1, end, WEEK)]
    return [*weeks[known:], part("trouble", (trouble, fixed + 1)), *after]


def mix_of(rows: Iterable[DayCount], before: Span, after: Span) -> list[MixPart]:
    """Of which groups those counted on the fixed journey are, the largest first."""
    sides: dict[Span, Counter[str]] = {before: Counter(), after: Counter()}
    for row in rows:
        for span, counts in sides.items():
            if row.treated and span[0] <= row.day < span[1]:
                counts[row.stratum] += row.of
    names = sorted(sides[before] | sides[after], key=lambda name: (-sides[before][name], name))
    return [MixPart(name=name or "not known", before=sides[before][name], after=sides[after][name]) for name in names]
