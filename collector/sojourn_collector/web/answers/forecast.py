"""How many tickets a problem will bring in the next day, learnt from earlier incidents of the journey at the same age."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sojourn_collector.context import Context
from sojourn_collector.score.complaint_forecast import Forecast, PastIncident, forecast
from sojourn_collector.score.forecast_scores import TimedIncident, earlier_forecasts
from sojourn_collector.web.answers.breaks import versioned
from sojourn_collector.web.answers.found import Found, find, find_one
from sojourn_collector.web.answers.times import to_ms
from sojourn_collector.web.answers.titles import journey_title, step_title
from sojourn_collector.web.answers.window import RUN_LENGTH, Window
from sojourn_collector.web.models_forecast import ForecastAnswer, ForecastFrom

AHEAD = timedelta(hours=24)
BACK = timedelta(days=91)
"""How far back incidents are learnt from."""
WEEK, WEEKS, LEAST_WEEKS = timedelta(days=7), 8, 4
"""The same hours of how many weeks before say what is usual, and of how many at least."""
STRETCH = timedelta(minutes=10)
DEADLINE = 25.0


@dataclass(frozen=True, slots=True)
class _Trouble:
    """Incidents of a journey less than a day apart, as one: their tickets cannot be told apart."""

    since: datetime
    until: datetime


class _Arrived:
    """Tickets by when they were first received."""

    def __init__(self, rows: Sequence[Mapping[str, Any]]) -> None:
        self._counts = {row["stretch"]: row["tickets"] for row in rows}
        self.first = min(self._counts, default=None)

    def within(self, since: datetime, until: datetime) -> int:
        """How many, to the stretch."""
        return sum(self._counts.get(stretch, 0) for stretch in range(_stretch(since), _stretch(until)))

    def usual(self, since: datetime, troubles: Sequence[_Trouble]) -> float | None:
        """Mean of the same 24 hours of the weeks before, those in trouble and those before the first ticket left out; None when too few are left."""
        counts = []
        for number in range(1, WEEKS + 1):
            begin = since - number * WEEK
            troubled = any(one.since < begin + AHEAD and begin < one.until + AHEAD for one in troubles)
            if not troubled and self.first is not None and _stretch(begin) >= self.first:
                counts.append(self.within(begin, begin + AHEAD))
        return sum(counts) / len(counts) if len(counts) >= LEAST_WEEKS else None


def _stretch(at: datetime) -> int:
    return int(at.timestamp() // STRETCH.total_seconds())


async def problem_forecast(context: Context, ident: str) -> ForecastAnswer | None:
    """The body of `GET /api/v1/problems/{id}/forecast`; None when there is no problem of this id. Raises EngineUnavailable, QueryTimeout."""
    placed = await find_one(context, ident, context.clock())
    if placed is None:
        return None
    found, now = placed[0], placed[1].now
    past, arrived = await asyncio.gather(
        find(context, Window(now - BACK, now, now), [found.journey]),
        context.store.query("tickets_arrived", since=now - BACK - (WEEKS + 1) * WEEK, until=now, deadline=DEADLINE),
    )
    troubles = _apart([*past, found])
    present = next(one for one in troubles if one.since <= found.incident.since <= one.until)
    tickets = _Arrived(arrived)
    exposures = await _exposures(context, found.journey, troubles, now - present.since)
    lines = _lines(troubles, exposures, tickets, now, now - present.since)
    people, exposure = exposures.get(present.since, (0, 0.0))
    base = tickets.usual(now, troubles)
    made, scored = await asyncio.to_thread(_forecast, found, exposure, base, tickets, lines, now - present.since)
    spoke = made.expected is not None
    answer = ForecastAnswer(
        as_of=now,
        until=now + AHEAD,
        problem=found.id,
        journey=journey_title(context, found.journey),
        step=step_title(context, found.journey, found.step),
        state="measured" if spoke else "not measured",
        expected=made.expected,
        low=made.low,
        high=made.high,
        base=base,
        people=people,
        exposure=exposure,
        excess_rate=made.excess_rate,
        scored=scored,
        incidents=lines,
        reason=made.reason,
    )
    return await versioned(context, answer, "forecast", now - BACK, now, journey=found.journey)


def _apart(found: Sequence[Found]) -> list[_Trouble]:
    told: list[_Trouble] = []
    for one in sorted(found, key=lambda each: each.incident.since):
        begin, end = one.incident.since, max(one.incident.since, one.incident.last_evidence)
        if told and begin <= told[-1].until + AHEAD:
            told[-1] = _Trouble(told[-1].since, max(told[-1].until, end))
        else:
            told.append(_Trouble(begin, end))
    return told


async def _exposures(context: Context, journey: str, troubles: Sequence[_Trouble], age: timedelta) -> dict[datetime, tuple[int, float]]:
    """Of each, who had been hit when it was as old as the present one is: people and Σ severity."""
    until, severities = max(one.since for one in troubles) + age, context.impact.severities.numbers
    rows = await context.store.query(
        "incident_exposure",
        journey=journey,
        since=troubles[0].since - RUN_LENGTH,
        until=until,
        sinces=[to_ms(one.since) for one in troubles],
        untils=[to_ms(one.since + age) for one in troubles],
        deadline=DEADLINE,
    )
    return {troubles[row["number"] - 1].since: (row["people"], severities.summed(row, "marks", "n_")) for row in rows}


def _lines(
    troubles: Sequence[_Trouble], exposures: Mapping[datetime, tuple[int, float]], tickets: _Arrived, now: datetime, age: timedelta
) -> list[ForecastFrom]:
    """Those whose day after is over, with somebody hit by that age and the usual number known."""
    told = []
    for number, one in enumerate(troubles):
        asked = one.since + age
        # Only what was known then: trouble that came later takes no week out.
        base = tickets.usual(asked, troubles[: number + 1])
        if asked + AHEAD <= now and one.since in exposures and base is not None:
            people, exposure = exposures[one.since]
            came = tickets.within(asked, asked + AHEAD)
            told.append(ForecastFrom(since=one.since, people=people, exposure=exposure, tickets=came, base=base))
    return told


def _forecast(found: Found, exposure: float, base: float | None, tickets: _Arrived, lines: Sequence[ForecastFrom], age: timedelta) -> tuple[Forecast, int]:
    if tickets.first is None:
        return Forecast(reason="no tickets are known: the help desk is not connected, or nobody wrote"), 0
    if base is None:
        return Forecast(reason=f"what is usual in these hours is not known yet: it takes {LEAST_WEEKS} weeks of tickets without trouble"), 0
    past = [PastIncident(one.exposure, one.tickets, one.base) for one in lines]
    first = forecast(exposure, base, past, seed=found.seed)
    if first.expected is None:
        return first, 0
    timed = [TimedIncident((one.since + age).timestamp(), (one.since + age + AHEAD).timestamp(), each) for one, each in zip(lines, past, strict=True)]
    scored = earlier_forecasts(timed)
    if not scored:
        return Forecast(reason=f"no earlier forecast could be compared with what came yet: {len(past)} past incidents, the sixth is the first to tell"), 0
    return forecast(exposure, base, past, scored, seed=found.seed), len(scored)
