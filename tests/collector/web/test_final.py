"""A problem is told until its money has been final for a day, and found by its id for as long as its runs are kept."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from sojourn_collector.config import ImpactConfig, Windows
from sojourn_collector.context import Context
from sojourn_collector.join.worker import VERSION
from sojourn_collector.store.client import Store
from sojourn_collector.web.answers.impact import impact
from sojourn_collector.web.answers.problem_alone import problem_alone
from sojourn_collector.web.answers.remembered import KEPT, KEPT_OLD, ProblemMemory
from sojourn_collector.web.answers.window import window_of
from sojourn_collector.web.api import build_api
from sojourn_collector.web.measures import build_measures
from sojourn_collector.web.pages import build_pages
from sojourn_collector.web.verdicts import build_verdicts
from tests.collector.web.asking import asking
from tests.collector.web.stage import NOW, Rows, context_of, minute

END = NOW
"""When the last of them was hit, to two seconds."""
ONE_DAY = ImpactConfig()
HOUR = timedelta(hours=1)


def an_hour_of_trouble() -> Rows:
    """120 people at `pay`, every other one hit and stopped, the others paid; over at `END`."""
    rows = Rows()
    for number in range(120):
        hit = number % 2 == 1
        at = END - minute(60) + timedelta(seconds=30 * (number + 1) - 2)
        rows.customer(f"u{number}", at, fails=hit, stopped=hit, done=not hit, pays=None if hit else 60.0)
    return rows


@asynccontextmanager
async def later(store: Store, folder: Path, after: timedelta, *, behind: timedelta = timedelta(), impact: ImpactConfig = ONE_DAY) -> AsyncIterator[Context]:
    """That long after the end; orders are known but for the last `behind`."""
    own = folder / f"{after}-{behind}".replace(":", ".")
    own.mkdir(exist_ok=True)
    context = context_of(store, own, impact=impact, now=END + after)
    await context.control.watermarks.advance("orders", END + after - behind, sender="shop", tenant=store.tenant)
    try:
        yield context
    finally:
        context.control.close()


@pytest.mark.parametrize(
    ("hours", "behind", "told"),
    [
        (1, 0, [("over", "so_far", False)]),
        (23, 0, [("over", "so_far", False)]),
        (24.2, 0, [("over", "final", True)]),
        (47.9, 0, [("over", "final", True)]),
        (48.1, 0, []),
        (47.9, 26, [("over", "so_far", True)]),
        (60, 13, [("over", "final", True)]),
        (62, 13, []),
        (48 + 8 * 24, 20 * 24, []),
    ],
)
async def test_a_problem_is_told_until_its_money_has_been_final_for_a_day(
    store: Store, tmp_path: Path, hours: float, behind: float, told: list[tuple[str, str, bool]]
) -> None:
    """By the clock of the orders: where their source is behind, it stays that much longer, but for a week at most."""
    await an_hour_of_trouble().store(store)
    async with later(store, tmp_path, HOUR * hours, behind=HOUR * behind) as context:
        report = await impact(context)
    assert [(one.state, one.money.state, one.earlier) for one in report.problems] == told
    assert report.problems_found == len(told)
    assert report.people_hit == 60 * len(told)
    if told:
        assert report.problems[0].shown_until == END + timedelta(days=2)


async def test_seven_days_to_come_back_keep_it_for_eight(store: Store, tmp_path: Path) -> None:
    """The outcome window is impact.yaml's: with a week the problem is there, final, eight days later."""
    await an_hour_of_trouble().store(store)
    week = ImpactConfig(windows=Windows(outcome=7 * 86_400.0))
    for days, told in ((6.9, ["so_far"]), (7.9, ["final"]), (8.1, [])):
        async with later(store, tmp_path, timedelta(days=days), impact=week) as context:
            assert [one.money.state for one in (await impact(context)).problems] == told


async def test_a_window_one_asks_for_holds_what_reaches_into_it(store: Store, tmp_path: Path) -> None:
    """With `from` the report is of that time alone."""
    await an_hour_of_trouble().store(store)
    async with later(store, tmp_path, 30 * HOUR) as context:
        day = window_of(context.clock(), ZoneInfo("UTC"), context.clock() - timedelta(days=1))
        assert (await impact(context, day)).problems == []
        assert len((await impact(context)).problems) == 1


async def test_those_of_the_day_come_first(store: Store, tmp_path: Path) -> None:
    """However much more people lived through before, a problem inside the window stands above."""
    rows = an_hour_of_trouble()
    for number in range(3):
        rows.customer(f"now{number}", END + 30 * HOUR + minute(number), fails=True)
    await rows.store(store)
    async with later(store, tmp_path, 31 * HOUR) as context:
        assert [(one.people.hit, one.earlier) for one in (await impact(context)).problems] == [(3, False), (60, True)]


async def test_an_id_leads_to_its_problem_weeks_later(store: Store, tmp_path: Path) -> None:
    """The page, the API and the forecast read from the id when it was; the answer is of now, and final."""
    await an_hour_of_trouble().store(store)
    async with later(store, tmp_path, HOUR) as context:
        (first,) = (await impact(context)).problems
    async with (
        later(store, tmp_path, timedelta(days=40)) as context,
        asking(build_verdicts(context), build_measures(context), build_api(context), build_pages(context)) as client,
    ):
        assert (await impact(context)).problems == []
        told = (await client.get(f"/api/v1/problems/{first.id}")).json()
        assert (told["problem"]["id"], told["problem"]["state"], told["problem"]["money"]["state"]) == (first.id, "over", "final")
        assert told["as_of"] == (END + timedelta(days=40)).isoformat().replace("+00:00", "Z")
        page = await client.get(f"/problems/{first.id}")
        assert (page.status_code, "It is over and its money is final." in page.text) == (200, True)
        assert (await client.get(f"/problems/{first.id}/forecast")).status_code == 200
        assert (await client.get(f"/api/v1/problems/{first.id}/forecast")).json()["problem"] == first.id
        asked = {"from": (END + timedelta(days=39)).isoformat()}
        missed = await client.get(f"/api/v1/problems/{first.id}", params=asked)
        assert (missed.status_code, missed.json()) == (404, {"error": f"There is no problem {first.id!r} in this window."})


async def test_beyond_the_longest_window_it_is_told_as_of_its_end(store: Store, tmp_path: Path) -> None:
    """A problem half a year old is looked for in the 92 days after it began."""
    await an_hour_of_trouble().store(store)
    async with later(store, tmp_path, HOUR) as context:
        (first,) = (await impact(context)).problems
    async with later(store, tmp_path, timedelta(days=180)) as context:
        told = await problem_alone(context, first.id)
    assert told is not None
    assert (told.problem.money.state, told.problem.people.hit) == ("final", 60)


async def test_an_id_of_before_late_data_leads_on(store: Store, tmp_path: Path) -> None:
    """Somebody's beacons come late and move the beginning: the former id leads to the problem that it has become part of."""
    await an_hour_of_trouble().store(store)
    async with later(store, tmp_path, HOUR) as context:
        (first,) = (await impact(context)).problems
        rows = Rows()
        rows.customer("late", END - minute(70), fails=True)
        await rows.store(store)
        (moved,) = (await impact(context)).problems
        told = await problem_alone(context, first.id)
    assert moved.id != first.id
    assert told is not None
    assert (told.problem.id, told.problem.people.hit) == (moved.id, 61)


@pytest.mark.parametrize(
    "ident",
    [
        "checkout.pay.20261120T131002Z",
        "checkout.cart.20261120T131029Z",
        "newsletter.pay.20261120T131029Z",
        "checkout.pay.19691231T235959Z",
        "checkout.pay.00010101T000000Z",
        "checkout.pay.20991231T000000Z",
        "checkout.pay.2026",
        ".pay.20261120T131029Z",
        "pay.20261120T131029Z",
        "..",
        "",
    ],
)
async def test_an_id_that_names_nothing_leads_nowhere(store: Store, tmp_path: Path, ident: str) -> None:
    """A time before any failure of it, another step, a time that is none or not of this world: nothing, and no error."""
    rows = Rows()
    for number in range(4):
        rows.customer(f"u{number}", END - minute(20) + timedelta(seconds=number), fails=True)
    await rows.store(store)
    async with later(store, tmp_path, HOUR, impact=ImpactConfig(windows=Windows(incident_gap=60.0))) as context:
        assert await problem_alone(context, ident) is None


async def test_problems_of_before_are_remembered(store: Store, tmp_path: Path) -> None:
    """Asked again, neither a day before today nor the problem is read again; it is worked out anew once an hour, and when an order of its people comes."""
    await an_hour_of_trouble().store(store)
    asked: Counter[str] = Counter()
    seconds = [1000.0]
    async with later(store, tmp_path, 45 * HOUR) as plain:
        context = replace(plain, problems=ProblemMemory(lambda: seconds[0]))
        query = store.query

        async def noted(name: str, /, **parameters: Any) -> list[dict[str, Any]]:
            asked[name] += 1
            return await query(name, **parameters)

        store.query = noted  # type: ignore[method-assign]
        try:
            await context.control.progress.set(VERSION, 1)
            (first,) = (await impact(context)).problems
            for passed, people in ((61.0, 0), (KEPT, 0), (KEPT_OLD, 1)):
                asked.clear()
                seconds[0] += passed
                assert [one.money for one in (await impact(context)).problems] == [first.money]
                assert (asked["report_hits"], asked["problem_people"], asked["problem_orders"]) == (1, people, people)
            late = Rows()
            late.order("late", END + HOUR, 600.0, person="user:u1")
            late.orders[0]["version"] = 7
            await late.store(store)
            await context.control.progress.set(VERSION, 7)
            seconds[0] += 61
            (told,) = (await impact(context)).problems
        finally:
            store.query = query  # type: ignore[method-assign]
    assert first.money.amount is not None
    assert told.money.amount == pytest.approx(first.money.amount - 600, abs=1)
