"""Places on an axis in percent: the drawn side of timelines, clocks and waterfalls. The lists beside them say the same in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sojourn_collector.web.format import Clockface, lasting
from sojourn_collector.web.models import Clock
from sojourn_collector.web.models_details import RunStep, TimelineItem, TraceSpan
from sojourn_collector.web.words import ITEMS, LANES, PHASES

_SECOND = timedelta(seconds=1)
_THIN = 0.4  # percent: what takes no time is still seen
MOST_ITEMS = 400
DAYS_FROM = 86_400.0
"""Seconds from which on an axis is labelled by days alone."""


@dataclass(frozen=True)
class Mark:
    """One thing on a lane: from `x` on, `width` wide, both in percent of the axis."""

    x: float
    width: float
    tone: str
    name: str
    number: int = 0


@dataclass(frozen=True)
class Lane:
    """A named lane with its marks."""

    name: str
    marks: list[Mark]


@dataclass(frozen=True)
class Drawing:
    """Lanes over labelled ticks (percent, label, svg text-anchor)."""

    lanes: list[Lane]
    ticks: list[tuple[float, str, str]]


def _share(part: float, whole: float) -> float:
    return round(min(100.0, max(0.0, 100 * part / whole)), 3) if whole > 0 else 0.0


def _tick_anchor(x: float) -> str:
    return "start" if x < 8 else "end" if x > 92 else "middle"


def timeline(items: Sequence[TimelineItem], clock: Clockface, until: datetime | None = None) -> Drawing | None:
    """All items on one axis, a lane per kind of thing. None when there is nothing to draw.

    :param until: what came later (an answer to a survey, a ticket days after the visit) is left to the list: it would press the rest into one point.
    """
    drawn = [(index, item) for index, item in enumerate(items, 1) if until is None or item.at <= until]
    if not drawn:
        return None
    first = min(item.at for _, item in drawn)
    last = max(item.at + timedelta(seconds=max(0.0, item.duration)) for _, item in drawn)
    whole = max((last - first) / _SECOND, 0.001)
    marks: dict[str, list[Mark]] = {name: [] for name in LANES}
    for index, item in drawn:
        if item.kind == "web_vital":
            continue  # measured at the end of a page, it would hide the page it speaks of
        what, lane = ITEMS[item.kind]
        x = _share((item.at - first) / _SECOND, whole)
        marks[lane].append(Mark(min(x, 100 - _THIN), max(_THIN, min(_share(item.duration, whole), 100 - x)), item.tone, f"{what}: {item.title}", index))
    ticks, day = list[tuple[float, str, str]](), ""
    for quarter in (0, 1, 2, 3, 4):
        at = first + timedelta(seconds=whole * quarter / 4)
        label = clock.at(at, seconds=whole < 1800) if whole >= 8 else f"+{lasting(whole * quarter / 4)}"
        if whole > DAYS_FROM:
            # Day and hour five times over do not fit on a phone; a day is said where it first stands.
            label = clock.short_day(at)
            label = "" if ticks and label == day else label
            day = label or day
        ticks.append((quarter * 25.0, label, _tick_anchor(quarter * 25.0)))
    return Drawing([Lane(name, found) for name, found in marks.items() if found], ticks)


@dataclass(frozen=True)
class ClockMark:
    """One moment of a problem's clock."""

    x: float
    label: str
    at: datetime
    tone: str


def problem_clock(clock: Clock, now: datetime) -> list[ClockMark]:
    """The moments of a problem in order, on an axis from the earliest to now (or to its end)."""
    found = [
        ("Our last good probe", clock.last_probe_pass, "good"),
        ("First customer hit", clock.first_customer_hit, "bad"),
        ("Our probe failed first", clock.first_probe_failure, "bad"),
        ("Over" if clock.until else "Now", clock.until or now, "neutral"),
    ]
    moments = sorted(((label, at, tone) for label, at, tone in found if at is not None), key=lambda moment: moment[1])
    first, last = moments[0][1], moments[-1][1]
    whole = (last - first) / _SECOND
    return [ClockMark(_share((at - first) / _SECOND, whole), label, at, tone) for label, at, tone in moments]


@dataclass(frozen=True)
class Phase:
    """One phase of an exchange on the axis of its step."""

    key: str
    name: str
    seconds: float
    x: float
    width: float


def phases(exchange: dict[str, Any], whole: float) -> list[Phase]:
    """An exchange's phases one after the other, on an axis of `whole` seconds."""
    measured = exchange.get("phases")
    if not isinstance(measured, dict):
        return []
    found: list[Phase] = []
    start = 0.0
    for key, name in PHASES.items():
        seconds = measured.get(key)
        if isinstance(seconds, int | float) and seconds >= 0:
            found.append(Phase(key, name, float(seconds), _share(start, whole), max(_share(seconds, whole), _THIN / 2)))
            start += seconds
    return found


def longest_exchange(steps: Sequence[RunStep]) -> float:
    """Seconds of the longest exchange among `steps`, so that two runs are drawn on one scale."""
    longest = 0.0
    for step in steps:
        for exchange in step.exchanges:
            measured = exchange.get("phases")
            total = sum(v for v in measured.values() if isinstance(v, int | float)) if isinstance(measured, dict) else 0.0
            longest = max(longest, total)
    return longest


def span_place(span: TraceSpan, whole: float) -> tuple[float, float]:
    """(x, width) of a span's bar in percent of the trace."""
    x = min(_share(span.offset, whole), 100 - _THIN)
    return x, max(_THIN, min(_share(span.duration, whole), 100 - x))
