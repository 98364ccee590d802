"""What is usual: the same hours of the week where there are four weeks of them, else all hours."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from sojourn_collector.context import Context
from sojourn_collector.join.rollups import Rollups
from sojourn_collector.score.severities import MARKS, Severities
from sojourn_collector.web.answers.found import find
from sojourn_collector.web.answers.impact import impact
from sojourn_collector.web.answers.usual import hours_of_week, read_usual, usual_of
from sojourn_collector.web.answers.window import window_of
from tests.collector.web.stage import BROKE, NOW, Rows, broken_shop, minute

BERLIN, KOLKATA = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Kolkata")


def weeks_before(rows: Rows, weeks: int, people: int = 12) -> None:
    """In each week: at the hour of the incident one in `people` is hit, at night everybody is."""
    for week in range(1, weeks + 1):
        for number in range(people):
            rows.customer(f"w{week}-{number}", BROKE - timedelta(weeks=week) + timedelta(seconds=60 + 20 * number), fails=number == 0, done=number > 0)
            rows.customer(f"n{week}-{number}", BROKE - timedelta(weeks=week, hours=9, seconds=20 * number), fails=True)


@pytest.mark.parametrize(("weeks", "hours", "share"), [(4, "same", 1 / 12), (2, "all", 13 / 24)])
async def test_the_same_hour_of_the_week_from_four_weeks_on(context: Context, weeks: int, hours: str, share: float) -> None:
    """A bad night does not make a bad noon usual, once there are four weeks to know the noon by."""
    rows = broken_shop(usual=False)
    weeks_before(rows, weeks)
    await rows.store(context.store)
    problem = next(one for one in (await impact(context)).problems if one.clock.since >= BROKE)
    assert problem.people.usual_hours == hours
    assert problem.people.usual_hit == pytest.approx(share * problem.people.reached)
    assert problem.impact.usual is not None
    assert (problem.impact.usual < 10) is (hours == "same")


@pytest.mark.parametrize(("zone", "people"), [("Pacific/Kiritimati", (184, 41, 93)), ("America/St_Johns", (196, 53, 93))])
async def test_sums_of_days_say_the_same_as_the_steps(context: Context, zone: str, people: tuple[int, int, int]) -> None:
    """Once its days are summed up, the time before is the same number by number, also where days begin at odd hours."""
    rows = broken_shop()
    weeks_before(rows, 4)
    await rows.store(context.store)
    context = replace(context, impact=context.impact.model_copy(update={"timezone": zone}))
    found = next(one for one in await find(context, window_of(NOW, ZoneInfo(zone))) if one.incident.since >= BROKE)
    plain = await read_usual(context, found)
    await Rollups(context.store, context.control, ZoneInfo(zone), 400, lambda: 1, context.clock).catch_up()
    asked: list[str] = []
    query = context.store.query

    async def noted(name: str, /, **parameters: Any) -> list[dict[str, Any]]:
        asked.append(name)
        return await query(name, **parameters)

    context.store.query = noted  # type: ignore[method-assign]
    summed = await read_usual(context, found)
    assert "usual_step_days" in asked
    assert summed.pop("oldest") <= plain.pop("oldest")
    assert summed == pytest.approx(plain)
    assert (plain["units"], plain["hit"], plain["unhurt_done"]) == people  # the night four weeks ago is of the first whole day in one of them


def test_too_few_people_at_that_hour_are_not_taken_for_usual() -> None:
    """Below thirty person-days at these hours all hours speak; nothing at all is not known."""
    sums = {"w_sum": 400.0, "w_squares": 400.0, "w_severity": 40.0, "then_w_sum": 29.0, "then_w_squares": 29.0, "then_w_severity": 29.0}
    classes = {f"{when}w_{name}": 0.0 for when in ("", "then_", "anonymous_", "then_anonymous_") for name in MARKS}
    classes |= {f"{when}anonymous_{name}": 0 for when in ("", "then_") for name in ("units", "w_sum", "w_squares", "w_severity")}
    row = {"oldest": NOW - timedelta(days=28), "hit": 40, "units": 400, "then_hit": 29, "then_units": 29, **sums, **classes}
    assert (usual_of(row, NOW, Severities()).share, usual_of(row, NOW, Severities()).hours) == (0.1, "all")
    assert usual_of({**row, "then_units": 30}, NOW, Severities()).hours == "same"
    nothing = {**dict.fromkeys(row, 0), "oldest": datetime(1970, 1, 1, tzinfo=UTC)}
    assert usual_of(nothing, NOW, Severities()).share is None


def test_hours_are_those_of_the_reports_zone() -> None:
    """Friday 14:02–14:10 UTC is Friday 15 o'clock in Berlin, 19 in Kolkata; a window over midnight touches both days; a week touches all hours."""
    assert hours_of_week(BROKE, NOW, BERLIN) == [4 * 24 + 15]
    assert hours_of_week(BROKE, NOW, KOLKATA) == [4 * 24 + 19]
    late = datetime(2026, 11, 22, 22, 30, tzinfo=UTC)
    assert hours_of_week(late, late + minute(60), BERLIN) == [0, 6 * 24 + 23]
    assert hours_of_week(NOW, NOW + timedelta(days=9), BERLIN) == list(range(168))
