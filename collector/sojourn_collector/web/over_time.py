"""Satisfaction of groups over time as small pictures side by side: where each point and its interval stand. A table beside each says the same."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Final

from sojourn_collector.web.models_feedback import SatisfactionBy, SatisfactionGroup, SatisfactionPeriod

TOP, HIGH = 8.0, 72.0
"""Pixels above the highest value there can be, and from there down to the lowest."""
LEFT, WIDE = 13.0, 84.0
"""The same to the right, in percent of the picture."""
LEAST: Final = -100.0
"""The lowest net promoter score; the highest is the highest share too."""


@dataclass(frozen=True, slots=True)
class Point:
    """A period: where it stands, and what is told of it."""

    x: float
    y: float
    low: float
    high: float
    name: str
    period: SatisfactionPeriod


@dataclass(frozen=True, slots=True)
class Picture:
    """One group: its points, lines between those of periods that follow one another, and the values at the edges of the scale."""

    group: SatisfactionGroup
    points: list[Point]
    lines: list[tuple[Point, Point]]
    edges: tuple[str, str]
    ticks: list[tuple[float, str, str]]


def over_time(by: SatisfactionBy) -> list[Picture]:
    """The pictures of the groups that are told by period and have a score; those with most answers first."""
    places = {period: number for number, period in enumerate(by.periods)}
    told = sorted((one for one in by.groups if one.periods), key=lambda one: (-one.answered, one.survey, one.question, one.value))
    return [picture for one in told if (picture := _picture(one, places, by.over)).points]


def _picture(group: SatisfactionGroup, places: dict[str, int], over: str) -> Picture:
    points = [
        Point(_x(places[one.period], len(places)), _y(value, group), _y(low, group), _y(high, group), period_name(one.period, over), one)
        for one in group.periods or ()
        if one.period in places and (scored := score_of(one)) is not None
        for value, low, high in (scored,)
    ]
    lines = [(one, other) for one, other in pairwise(points) if places[other.period.period] - places[one.period.period] == 1]
    return Picture(group, points, lines, ("100", "−100") if group.kind == "nps" else ("100%", "0%"), _ticks(list(places), over))


def score_of(one: SatisfactionPeriod) -> tuple[float, float, float] | None:
    """Its score with both ends of the interval: per cent of those satisfied or at ease, or the net promoter score."""
    if one.csat is not None and one.csat.answered and one.csat.low is not None and one.csat.high is not None:
        return 100 * one.csat.satisfied / one.csat.answered, 100 * one.csat.low, 100 * one.csat.high
    if one.nps is not None:
        return one.nps.score, one.nps.low, one.nps.high
    if one.ces is not None and one.ces.answered:
        return 100 * one.ces.easy / one.ces.answered, 100 * one.ces.low, 100 * one.ces.high
    return None


def period_name(first: str, over: str) -> str:
    """`16 Nov`, of a month `Nov 2026`."""
    day = date.fromisoformat(first)
    return f"{day:%b %Y}" if over == "month" else f"{day.day} {day:%b}"


def _ticks(periods: Sequence[str], over: str) -> list[tuple[float, str, str]]:
    """The first and the last period of the window: place, name and which side of the place it is written to."""
    ends = dict.fromkeys(number for number in (0, len(periods) - 1) if number >= 0)
    return [(_x(number, len(periods)), period_name(periods[number], over), "middle" if len(ends) == 1 else "end" if number else "start") for number in ends]


def _x(number: int, of: int) -> float:
    return round(LEFT + (WIDE * number / (of - 1) if of > 1 else WIDE / 2), 2)


def _y(value: float, group: SatisfactionGroup) -> float:
    least = LEAST if group.kind == "nps" else 0.0
    return round(TOP + HIGH * (100 - min(100.0, max(least, value))) / (100 - least), 1)
