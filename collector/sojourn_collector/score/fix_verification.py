"""Did the fix help? Difference in differences on the treated journey against untouched ones. Definition: docs/methods.md.

(treated after − treated before) − (untouched after − untouched before), shares of satisfied (or of those who got it done). The days that
triggered the fix are out: a bad week is followed by a better one without any fix. The mix of respondents is held at that of the time
before. Interval: the larger of what chance in the counts gives and what the same difference showed at dates of the pre-period at which
nothing was fixed. Three looks, each at 98.3 %: three at 95 % would claim falsely 11.3 % of the time.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Literal

import numpy as np
from scipy import special

LOOKS = (7, 14, 28)
"""Days after the fix at which it is looked at."""

LEVEL = 1 - 0.05 / 3
LEAST_ANSWERS = 30
LEAST_SHIFTS = 8
APART = 6
LEAST_OF_STRATUM = 5


@dataclass(frozen=True, slots=True)
class DayCount:
    """Good of all on one day (number from any fixed date) in one arm and one stratum of respondents."""

    day: int
    treated: bool
    good: int
    of: int
    stratum: str = ""


@dataclass(frozen=True, slots=True)
class FixVerdict:
    """`no evidence` is not `no effect`: the interval says what remains possible. `shifts` are the differences at dates without a fix."""

    verdict: Literal["improved", "no evidence", "worse", "too early", "not estimable"]
    look: int | None = None
    effect: float | None = None
    low: float | None = None
    high: float | None = None
    shifts: tuple[float, ...] = ()
    reason: str = ""


Days = Mapping[tuple[bool, int], Sequence[DayCount]]
"""Counts by arm and day."""


def verify_fix(days: Iterable[DayCount], fixed: int, triggered_from: int, today: int, what: str = "answers") -> FixVerdict:
    """Judge a fix at the newest look that is over.

    :param fixed: day of the fix; it belongs to neither side.
    :param triggered_from: first day of the trouble that led to it; from here to the fix nothing counts.
    :param today: the day not yet over.
    :param what: what is counted, for sentences.
    :raises ValueError: when the trouble begins after the fix.
    """
    if triggered_from > fixed:
        raise ValueError("the trouble that led to a fix begins before it")
    look = max((days for days in LOOKS if today - fixed - 1 >= days), default=None)
    if look is None:
        return FixVerdict("too early", reason=f"looked at first when {LOOKS[0]} whole days have passed since the fix")
    rows = _by_day(days)
    after, before = (fixed + 1, fixed + 1 + look), (triggered_from - look, triggered_from)
    cells = {(arm, when): _of(rows, arm, span) for arm in (True, False) for when, span in (("before", before), ("after", after))}
    thin = [
        f"{count} {what} {'on the fixed journey' if arm else 'on untouched ones'} {when}, judged from {LEAST_ANSWERS} on"
        for (arm, when), count in cells.items()
        if count < LEAST_ANSWERS
    ]
    if thin:
        return FixVerdict("not estimable", look, reason="; ".join(thin))
    effect, error = _difference(rows, before, after)
    shifts = _shifted(rows, look, triggered_from)
    if len(shifts) < LEAST_SHIFTS:
        return FixVerdict(
            "not estimable", look, effect, shifts=tuple(shifts), reason=f"{len(shifts)} earlier dates to compare with, judged from {LEAST_SHIFTS} on"
        )
    half = max(float(special.ndtri(0.5 + LEVEL / 2)) * error, _spread(shifts, _side(look, triggered_from - min(day for _, day in rows))))
    low, high = effect - half, effect + half
    return FixVerdict("improved" if low > 0 else "worse" if high < 0 else "no evidence", look, effect, low, high, tuple(shifts))


def _by_day(days: Iterable[DayCount]) -> Days:
    rows: dict[tuple[bool, int], list[DayCount]] = defaultdict(list)
    for row in days:
        rows[row.treated, row.day].append(row)
    return dict(rows)


def _within(rows: Days, treated: bool, span: tuple[int, int]) -> Iterable[DayCount]:
    return (row for day in range(*span) for row in rows.get((treated, day), ()))


def _of(rows: Days, treated: bool, span: tuple[int, int]) -> int:
    return sum(row.of for row in _within(rows, treated, span))


def _difference(rows: Days, before: tuple[int, int], after: tuple[int, int]) -> tuple[float, float]:
    """The difference in differences and its standard error from the counts, each arm at its own mix of the time before."""
    effect, variance = 0.0, 0.0
    for treated, sign in ((True, 1.0), (False, -1.0)):
        counts = {when: _by_stratum(rows, treated, span) for when, span in (("before", before), ("after", after))}
        strata = {one for one, (_, of) in counts["before"].items() if of >= LEAST_OF_STRATUM and counts["after"].get(one, (0, 0))[1] >= LEAST_OF_STRATUM}
        for when, direction in (("before", -1.0), ("after", 1.0)):
            for weight, good, of in _standard(counts, when, strata):
                # Agresti and Caffo's one more of each keeps the error of a share of 0 or 1 from being none.
                share = (good + 1) / (of + 2)
                effect += sign * direction * weight * good / of
                variance += weight**2 * share * (1 - share) / of
    return effect, sqrt(variance)


def _standard(counts: dict[str, dict[str, tuple[int, int]]], when: str, strata: set[str]) -> list[tuple[float, int, int]]:
    """Weight of the time before, good and all of each stratum; strata too thin on either side stand together as one."""

    def merged(side: str) -> dict[str, tuple[int, int]]:
        told: dict[str, tuple[int, int]] = {one: counts[side][one] for one in strata}
        rest = [pair for one, pair in counts[side].items() if one not in strata]
        if rest:
            told["\0rest"] = (sum(good for good, _ in rest), sum(of for _, of in rest))
        return told

    base, side = merged("before"), merged(when)
    usable = [one for one in side if side[one][1]]
    total = sum(base.get(one, (0, 0))[1] for one in usable)
    if not total:
        return [(1 / len(usable), *side[one]) for one in usable]
    return [(base.get(one, (0, 0))[1] / total, *side[one]) for one in usable]


def _by_stratum(rows: Days, treated: bool, span: tuple[int, int]) -> dict[str, tuple[int, int]]:
    told: dict[str, tuple[int, int]] = defaultdict(lambda: (0, 0))
    for row in _within(rows, treated, span):
        good, of = told[row.stratum]
        told[row.stratum] = (good + row.good, of + row.of)
    return dict(told)


def _shifted(rows: Days, look: int, end: int) -> list[float]:
    """The same difference at every date of the pre-period for which both sides lie in it.

    Where the pre-period is short the sides are too, at least as long as the first look: they then vary more, which errs on the safe side.
    """
    first = min((day for _, day in rows), default=end)
    side = _side(look, end - first)
    told = []
    for date in range(first + side, end - side + 1):
        before, after = (date - side, date), (date, date + side)
        if all(_of(rows, arm, span) >= LEAST_ANSWERS // 2 for arm in (True, False) for span in (before, after)):
            told.append(_difference(rows, before, after)[0])
    return told


def _side(look: int, length: int) -> int:
    """Days on each side of a shifted date: as long as the look, but so that windows enough lie apart to tell how much they vary."""
    return max(LOOKS[0], min(look, length // APART))


def _spread(shifts: Sequence[float], side: int) -> float:
    """Half-width from the shifted dates: spread around no effect, by Student's t.

    The mean square of differences of neighbouring means at every date is twice the fully overlapping Allan variance; its degrees of freedom
    are those of NIST SP 1065 (Riley 2008), §5.4.1, white noise of the days: 3 (N − 1) / 2m − 2 (N − 2) / N, times 4m² / (4m² + 5), N = days + 1.
    """
    days = len(shifts) + 2 * side
    freedom = (3 * (days - 1) / (2 * side) - 2 * (days - 2) / days) * 4 * side**2 / (4 * side**2 + 5)
    point = float(special.stdtrit(max(2.0, freedom), 0.5 + LEVEL / 2))
    return point * float(np.sqrt(np.mean(np.square(shifts))))
