"""A journey over time as its page draws it: one point an hour or day, nothing where nothing was measured, and no line across a break."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple
from zoneinfo import ZoneInfo

from sojourn_collector.join.rollups import midnight
from sojourn_collector.web import format as write
from sojourn_collector.web.models import Break, Impact
from sojourn_collector.web.models_fixes import Mark
from sojourn_collector.web.models_history import HistoryCustomers, HistoryPeriod, JourneyHistory

CUTS = ("stored", "coverage")
"""Breaks across which figures do not compare. One that all of the answer is worked out anew by is none."""
MOST_MARKS = 30
MOST_HOURS = timedelta(days=8)
"""The longest time of which hours are shown."""
_HOUR = timedelta(hours=1)
_NAME = 40

Measure = Literal["people", "stopped", "impact"]


class Shown(NamedTuple):
    """One hour or day: its number, what was measured, how it is called, and the part it belongs to, within which figures compare."""

    place: int
    period: HistoryPeriod | None
    name: str
    part: int


class Line(NamedTuple):
    """A moment marked on the charts: a break, or a release, fix, campaign or price; `place` = which hour or day it lies in."""

    place: int
    kind: str
    at: datetime
    name: str
    mark: Mark | None = None


class HistoryShown(NamedTuple):
    """The hours or days from the first that was measured, the moments among them, oldest first, and the score that is drawn: of people, or per visit."""

    rows: list[Shown]
    lines: list[Line]
    covers: str

    @property
    def measured(self) -> list[tuple[Shown, HistoryCustomers]]:
        """Those in which customers were seen."""
        return [(row, row.period.customers) for row in self.rows if row.period is not None and row.period.customers is not None]

    def impact(self, one: HistoryCustomers) -> Impact | None:
        """Its score of the kind that is drawn, where it was measured."""
        scores = (one.impact, one.impact_of_visits)
        return next((score for score in scores if score is not None and score.covers == self.covers and score.state == "measured"), None)

    def chart(self, measure: Measure) -> dict[str, Any]:
        """The chart of one measure. Of people there are no intervals: they were counted."""
        told = {"people": _people, "stopped": _stopped, "impact": self._impact}[measure]
        points = []
        for row in self.rows:
            customers = row.period.customers if row.period is not None else None
            value, low, high = told(customers) if customers is not None else (None, None, None)
            point = {"name": row.name, "part": row.part, "value": value, "low": low, "high": high, "open": row.period is not None and row.period.open}
            # Visits without identity stand apart from people, never in one number with them.
            points.append(point | ({"apart": customers.anonymous if customers is not None else None} if measure == "people" else {}))
        lines = [{"at": line.place, "kind": "mark" if line.mark else "break", "name": line.name} for line in self.lines]
        return {"kind": "history", "measure": measure, "points": points, "lines": lines}

    def _impact(self, one: HistoryCustomers) -> tuple[float | None, float | None, float | None]:
        score = self.impact(one)
        return (None, None, None) if score is None else (_round(score.score), _round(score.low), _round(score.high))


def history_shown(found: JourneyHistory, marks: Sequence[Mark], clock: write.Clockface) -> HistoryShown:
    """Lay out a history.

    :param marks: of the whole installation; those of the journey, and those that are of none, within the time are shown, the newest `MOST_MARKS`.
    """
    zone = ZoneInfo(found.timezone)
    begins = list(_begins(found, zone))
    by_begin = {period.since: period for period in found.periods}
    last = _next(begins[-1], found, zone) if begins else found.window_to

    def place(at: datetime) -> int | None:
        return next((number for number in reversed(range(len(begins))) if begins[number] <= at), None) if at < last else None

    moments = [(one.at, _broken(one)) for one in found.breaks if one.kind in CUTS]
    if found.usual_severities_until is not None:
        moments.append((found.usual_severities_until, "severities changed"))
    cuts = [(number, at, name) for at, name in moments if (number := place(at)) is not None]
    mine = sorted((one for one in marks if one.journey is None or one.journey.id == found.id), key=lambda one: one.at)
    told = [(number, one) for one in mine if (number := place(one.at)) is not None][-MOST_MARKS:]
    lines = [Line(number, "break", at, name) for number, at, name in cuts]
    lines += [Line(number, one.kind, one.at, write.plain(f"{one.kind} {one.name}", _NAME), one) for number, one in told]
    rows, part = [], 0
    # An hour or day in which it changed is of both, and stands alone.
    edges = [edge for number, at, _ in cuts for edge in ((number,) if at == begins[number] else (number, number + 1))]
    for number, begin in enumerate(begins):
        part += edges.count(number) > 0
        name = clock.short_day(begin) if found.every == "day" else clock.at(begin, seconds=False)
        rows.append(Shown(number, by_begin.get(begin), name, part))
    return HistoryShown(rows, sorted(lines, key=lambda line: line.at), _covers(found.periods))


def _begins(found: JourneyHistory, zone: ZoneInfo) -> Iterator[datetime]:
    """Every hour or day from the first that was measured to the last, those in between that were not included."""
    if not found.periods:
        return
    at, last = found.periods[0].since, found.periods[-1].since
    while at <= last:
        yield at
        at = _next(at, found, zone)


def _next(at: datetime, found: JourneyHistory, zone: ZoneInfo) -> datetime:
    return at + _HOUR if found.every == "hour" else midnight(at.astimezone(zone).date() + timedelta(days=1), zone)


def _covers(periods: Sequence[HistoryPeriod]) -> str:
    """Whom the drawn score is of, one kind for all: people wherever they have one on any day."""
    customers = [one.customers for one in periods if one.customers is not None]
    scores = [*(one.impact for one in customers), *(one.impact_of_visits for one in customers)]
    return next((score.covers for score in scores if score is not None and score.state == "measured"), "people")


def _broken(one: Break) -> str:
    return "configuration changed" if one.kind == "stored" else "another share of orders has a visit"


def _people(one: HistoryCustomers) -> tuple[float | None, float | None, float | None]:
    return float(one.people), None, None


def _stopped(one: HistoryCustomers) -> tuple[float | None, float | None, float | None]:
    over = one.tried - one.trying
    if not over or one.stopped_low is None or one.stopped_high is None:
        return None, None, None
    return _round(100 * one.stopped / over), _round(100 * one.stopped_low), _round(100 * one.stopped_high)


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
