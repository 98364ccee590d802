"""Money from past days: a browser that takes all failures, and days whose windows are counted as today's."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from sojourn_collector.context import Context
from sojourn_collector.impact_config import SegmentAttribute
from sojourn_collector.store.client import QueryTimeout
from sojourn_collector.store.control.marks import MarkKind, MarkRow
from sojourn_collector.web.answers import past_days
from sojourn_collector.web.answers.guests import guests_of
from sojourn_collector.web.answers.impact import impact
from sojourn_collector.web.answers.past_starts import past_starts
from sojourn_probes.maintenance import Window as Maintenance
from tests.collector.web.stage import NOW, Rows, minute


def browsers(rows: Rows, browser: str, sessions: set[str]) -> None:
    """Give these sessions a browser."""
    for row in rows.sessions:
        if row["session_id"] in sessions:
            row["browser"] = browser


@pytest.mark.parametrize(
    ("fact", "value", "said"),
    [("region", "DE-BY", "region DE-BY"), ("attribute:payment.method", "invoice", "payment.method invoice")],
    ids=["region", "attribute"],
)
async def test_a_region_or_a_payment_method_that_takes_all_failures_is_one_too(context: Context, fact: str, value: str, said: str) -> None:
    """What visits say of themselves is looked at like their browser: the region they come from, an attribute that impact.yaml names."""
    attribute = SegmentAttribute(attribute="payment.method", of="visit")
    rows = Rows()
    for number in range(120):
        fails = number % 3 == 0
        rows.customer(
            f"u{number}", NOW - minute(8) + timedelta(seconds=3 * number + 1), fails=fails, stopped=fails, done=not fails, pays=None if fails else 60.0
        )
        rows.sessions[-1]["facts"] = {fact: value if fails else "other"}
    await rows.store(context.store)
    (problem,) = (await impact(replace(context, impact=context.impact.model_copy(update={"segments": (attribute,)})))).problems
    assert problem.money.reasons[0] == f"only {said} was hit, nobody like those hit stayed unhurt"


@pytest.mark.parametrize("days", [23, 10])
async def test_a_browser_that_takes_all_failures_is_compared_as_on_other_days(context: Context, days: int) -> None:
    """40 of Safari hit and none of 80 others; on 22 days before both paid alike: level 1b says it; with nine days before it gives a bound and why."""
    rows, safari = Rows(), set()
    start = NOW - minute(8)
    for day in range(days):
        for number in range(120):
            of_safari, today = number % 3 == 0, day == 0
            pays = number % 5 != 4 and not (today and of_safari)
            at = start - timedelta(days=day) + timedelta(seconds=3 * number + 1)
            session = rows.customer(f"u{day}-{number}", at, fails=today and of_safari, stopped=today and of_safari, done=pays, pays=60.0 if pays else None)
            safari |= {session} if of_safari else set()
    browsers(rows, "Safari 19", safari)
    await rows.store(context.store)
    (problem,) = (await impact(context)).problems
    money = problem.money
    if days == 10:
        assert (money.level, money.state, money.amount) == (0, "upper_bound", None)
        assert money.reasons == ["only browser Safari 19 was hit, nobody like those hit stayed unhurt", "9 past days to compare with, estimated from 19 on"]
        return
    assert (money.level, money.state, money.hit) == ("1b", "so_far", 40)
    assert money.amount is not None
    assert money.low is not None
    assert money.high is not None
    # Four in five of the others paid 60, and of Safari too on other days; the first to fail had come before anything failed.
    assert abs(money.amount - 40 * 48) < 150
    assert money.notes[0].startswith("only browser Safari 19 was hit; compared with the others at the same time")


def outage(days: int = 22) -> Rows:
    """Everybody at the step is hit; on so many days before 120 people paid four times in five."""
    rows = Rows()
    for day in range(days + 1):
        for number in range(120):
            pays = number % 5 != 4 and day > 0
            at = NOW - minute(8) - timedelta(days=day) + timedelta(seconds=3 * number + 1)
            rows.customer(f"u{day}-{number}", at, fails=day == 0, stopped=day == 0, done=pays, pays=60.0 if pays else None)
    return rows


@pytest.mark.parametrize(("days", "level"), [(22, 2), (10, 0)])
async def test_an_outage_is_compared_with_the_same_minutes_of_other_days(context: Context, days: int, level: int) -> None:
    """Everybody at the step is hit; on 22 days before 120 people paid four times in five: level 2. With ten days it says what is missing."""
    await outage(days).store(context.store)
    # Nobody orders any more: without a watermark nothing would be known of the time since.
    await context.control.watermarks.advance("orders", NOW, sender="shop", tenant=context.store.tenant)
    (problem,) = (await impact(context)).problems
    money = problem.money
    assert (money.level, money.hit) == (level, 120)
    if level == 0:
        assert money.reasons == [
            "120 of the 120 who came were hit, too few beside them stayed unhurt",
            "10 past days to compare with, estimated from 19 on",
        ]
        return
    assert money.amount is not None
    assert abs(money.amount - 120 * 48) < 300
    assert money.notes[0] == "nearly everyone was hit; compared with the same hours of 22 past days"


async def test_past_days_that_take_too_long_do_not_cost_the_report(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the engine cannot read past days in time, the problem is told with its bound and says so."""
    rows = Rows()
    for day in range(23):
        for number in range(60):
            at = NOW - minute(8) - timedelta(days=day) + timedelta(seconds=3 * number + 1)
            rows.customer(f"u{day}-{number}", at, fails=day == 0, stopped=day == 0, done=day > 0, pays=60.0 if day else None)
    await rows.store(context.store)
    await context.control.watermarks.advance("orders", NOW, sender="shop", tenant=context.store.tenant)
    query = context.store.query

    async def slow(name: str, /, **parameters: Any) -> list[dict[str, Any]]:
        if name == "step_days":
            raise QueryTimeout("The query took longer than 10 s and was stopped.")
        return await query(name, **parameters)

    monkeypatch.setattr(context.store, "query", slow)
    (problem,) = (await impact(context)).problems
    assert problem.money.level == 0
    assert problem.money.reasons == ["60 of the 60 who came were hit, too few beside them stayed unhurt", "past days could not be read in time"]


async def test_a_segment_at_fault_for_days_is_not_compared_with_others(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long it lasts: who was not of the segment cannot stand in for it."""
    monkeypatch.setattr(past_days, "LONGEST", timedelta(0))
    rows = Rows()
    for number in range(150):
        desk = number % 3 > 0
        pays = desk and number % 5 != 4
        at = NOW - minute(8) + timedelta(seconds=2 * number + 1)
        rows.customer(f"u{number}", at, fails=not desk, stopped=not desk, done=pays, pays=60.0 if pays else None, device="desktop" if desk else "mobile")
    await rows.store(context.store)
    (problem,) = (await impact(context)).problems
    assert (problem.money.level, problem.money.amount) == (0, None)
    assert problem.money.reasons == ["only device mobile was hit, nobody like those hit stayed unhurt"]


async def test_who_came_before_the_first_failure_and_met_it_is_counted(context: Context) -> None:
    """Four were at the payment step for a minute when it broke: all four are hit, each at their own arrival; who had paid by then was not there."""
    rows = Rows()
    for number in range(4):
        rows.customer(f"hit{number}", NOW - minute(5) + timedelta(seconds=number), fails=True, stopped=True)
        broke = NOW - minute(4) + timedelta(seconds=number)
        rows.steps[-1] |= {"failures": [broke], "last_seen": broke}
    rows.customer("early", NOW - minute(5), done=True)
    rows.customer("late", NOW - minute(4) + timedelta(seconds=2), done=True)
    await rows.store(context.store)
    (problem,) = (await impact(context)).problems
    assert (problem.people.hit, problem.people.reached) == (4, 5)
    assert sorted(one.person_id for one in problem.who) == [f"user:hit{number}" for number in range(4)]


def test_a_failure_belongs_to_the_last_arrival_before_it() -> None:
    """Arrivals before the incident count only where nothing later led to the failure."""

    def arrivals(came: list[int], failed: list[int]) -> tuple[int, ...]:
        row = {"run_id": "r", "person_id": "user:a", "person_kind": "user", "came": came, "failed": failed, "recovered": 0, "stopped": 1, "slow": 0, "done": 0}
        (guest,) = guests_of([row | {"settled": 1, "severity": 1.0, "sample_rate": 1.0, "session_id": "s", "done_ms": 0}], 100, 200)
        return guest.arrivals

    assert arrivals([50, 90], [110]) == (90,)
    assert arrivals([50, 90, 120], [110, 130]) == (90, 120)
    assert arrivals([90, 105], [110]) == (105,)
    assert arrivals([90, 105], [95]) == (105,)
    assert arrivals([90, 250], [110]) == (90,)


@pytest.mark.parametrize("origin", ["told", "told of a campaign", "seen", "long before", "of another journey"])
async def test_what_else_happened_at_its_start_keeps_level_two_silent(context: Context, origin: str) -> None:
    """A release or a campaign within the hour before: what it changed cannot be told from the failure. One of yesterday or of another journey says nothing."""
    rows = outage()
    start = NOW - minute(8)
    if origin == "seen":
        for row in rows.sessions:
            row["release"] = "2.4.1" if row["started"] >= start - minute(1) else "2.4.0"
    await rows.store(context.store)
    await context.control.watermarks.advance("orders", NOW, sender="shop", tenant=context.store.tenant)
    if origin != "seen":
        kind, name = (MarkKind.CAMPAIGN, "spring sale") if origin == "told of a campaign" else (MarkKind.RELEASE, "2.4.1")
        at = start - (timedelta(days=1) if origin == "long before" else minute(20))
        await context.control.marks.add(MarkRow(kind, at, name, "cli", NOW, "newsletter" if origin == "of another journey" else ""))
    (problem,) = (await impact(context)).problems
    if origin in ("long before", "of another journey"):
        assert problem.money.level == 2
        return
    assert (problem.money.level, problem.money.amount) == (0, None)
    said = "the campaign spring sale" if origin == "told of a campaign" else "the release 2.4.1"
    assert problem.money.reasons[-1].startswith(said)
    assert problem.money.reasons[-1].endswith("fell at its start: what it changed cannot be told from what the failure did")


async def test_holidays_and_maintenance_are_no_days_to_compare_with(context: Context) -> None:
    """With five of 22 past days holidays 17 are left, two too few."""
    await outage().store(context.store)
    await context.control.watermarks.advance("orders", NOW, sender="shop", tenant=context.store.tenant)
    holidays = tuple((NOW - timedelta(days=ago)).date() for ago in range(3, 8))
    (problem,) = (await impact(replace(context, impact=context.impact.model_copy(update={"holidays": holidays})))).problems
    assert problem.money.reasons[-1] == "17 past days to compare with, estimated from 19 on"


def test_the_same_time_of_other_days_is_by_the_clock_on_the_wall() -> None:
    """Noon of Berlin is noon on both sides of the change of clocks, a night has no hour that was left out, and maintenance and holidays are out."""
    berlin = ZoneInfo("Europe/Berlin")
    noon = datetime(2026, 3, 30, 12, tzinfo=berlin).astimezone(UTC)
    starts = dict(past_starts(noon, noon + minute(30), 3, berlin))
    assert [starts[ago].astimezone(berlin).hour for ago in (1, 2, 3)] == [12, 12, 12]
    assert noon - starts[2] == timedelta(hours=47)
    night = datetime(2026, 3, 30, 2, 30, tzinfo=berlin).astimezone(UTC)
    assert [ago for ago, _ in past_starts(night, night + minute(10), 3, berlin)] == [2, 3]
    weekly = Maintenance.model_validate({"weekly": {"days": ["sat"], "from": "12:10", "to": "13:00"}})
    assert [ago for ago, _ in past_starts(noon, noon + minute(30), 3, berlin, [date(2026, 3, 27)], [weekly], "Europe/Berlin")] == [1]
