"""Problems are worked out again when something of them changed, and not before."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sojourn_collector.context import Context
from sojourn_collector.join.worker import VERSION
from sojourn_collector.store.client import QueryTimeout, Store
from sojourn_collector.web.answers import remembered
from sojourn_collector.web.answers.impact import impact
from sojourn_collector.web.answers.remembered import KEPT, MOST, OVERDUE, ProblemMemory, known_step
from sojourn_collector.web.answers.window import window_of
from sojourn_collector.web.models import ImpactReport, Problem
from tests.collector.web.stage import BROKE, NOW, Rows, broken_shop, context_of, minute

LATER = NOW + timedelta(hours=1)


class Ticking:
    """Seconds that pass only when told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Shop:
    """A shop that was broken an hour ago, over memory with a clock of its own; `asked` counts queries by name."""

    def __init__(self, context: Context, ticking: Ticking) -> None:
        self.context = context
        self.ticking = ticking
        self.asked: Counter[str] = Counter()
        self.work = 0.0
        """Seconds that working out a problem takes."""
        query = context.store.query

        async def noted(name: str, /, **parameters: Any) -> list[dict[str, Any]]:
            self.asked[name] += 1
            self.ticking.now += self.work if name == "problem_people" else 0
            return await query(name, **parameters)

        context.store.query = noted  # type: ignore[method-assign]

    async def report(self) -> ImpactReport:
        """Ask, a minute after the last time; `asked` holds what it took."""
        self.ticking.now += 61
        self.asked.clear()
        return await impact(self.context)

    async def write(self, rows: Rows, version: int) -> None:
        """Write rows as the join does, and note how far it has come."""
        for table in vars(rows).values():
            for row in table:
                row["version"] = version
        await rows.store(self.context.store)
        await self.context.control.progress.set(VERSION, version)


@pytest.fixture
async def shop(store: Store, tmp_path: Path) -> AsyncIterator[Shop]:
    """Over since half past two, everything known of orders."""
    ticking = Ticking()
    context = replace(context_of(store, tmp_path, now=LATER), problems=ProblemMemory(ticking))
    rows = broken_shop(usual=False)
    for number in range(60):
        rows.probe(NOW + minute(number))
    await rows.store(store)
    await context.control.progress.set(VERSION, 1)
    await context.control.watermarks.advance("orders", LATER, sender="shop", tenant=store.tenant)
    yield Shop(context, ticking)
    context.control.close()


def only(report: ImpactReport) -> Problem:
    """The one problem."""
    (problem,) = report.problems
    return problem


async def test_a_problem_that_is_over_is_worked_out_once(shop: Shop) -> None:
    """Asked again with nothing new, its people, orders and answers are not read again; it is the same answer, as of then."""
    first = only(await shop.report())
    assert shop.asked["problem_people"] == 1
    again = only(await shop.report())
    assert (again, again.state, again.as_of) == (first, "over", LATER)
    assert not shop.asked.keys() & {"problem_people", "problem_orders", "problem_feedback", "usual_step", "usual_orders"}


async def test_an_order_of_one_of_its_people_is_counted_at_once(shop: Shop) -> None:
    """A late order of someone who was stopped is in the next answer; orders of strangers change nothing of it."""
    first = only(await shop.report())
    rows = Rows()
    rows.order("of-a-stranger", BROKE + minute(5), 60.0, person="user:nobody")
    await shop.write(rows, 7)
    assert only(await shop.report()) == first
    rows = Rows()
    rows.order("late", BROKE + minute(5), 600.0, person="user:u3")
    await shop.write(rows, 9)
    told = only(await shop.report())
    assert first.money.amount is not None
    assert told.money.amount == pytest.approx(first.money.amount - 600, abs=1)
    assert shop.asked["problem_people"] == 1
    await shop.report()
    assert shop.asked["problem_people"] == 0


async def test_an_order_that_went_to_somebody_else_is_missed_where_it_was(shop: Shop) -> None:
    """Linked anew to a stranger, an order is no longer its former person's: that is noticed though the new row does not name them."""
    first = only(await shop.report())
    rows = Rows()
    session = f"s-u30-{int((BROKE + timedelta(seconds=60)).timestamp())}"  # u30 was hit, and paid later
    rows.order(f"o-{session}", BROKE + timedelta(seconds=90), 60.0, person="user:nobody")
    await shop.write(rows, 9)
    told = only(await shop.report())
    assert first.money.amount is not None
    assert told.money.amount == pytest.approx(first.money.amount + 60, abs=1)


async def test_an_answer_and_a_late_beacon_are_counted_at_once(shop: Shop) -> None:
    """A comment that comes an hour later is told; so is a customer whose beacons came late. What happens elsewhere in time changes nothing."""
    first = only(await shop.report())
    rows = Rows()
    rows.answer("f1", NOW + minute(30), 1, person="user:u3", comment="still no luck")
    await shop.write(rows, 5)
    assert [comment.text for comment in only(await shop.report()).satisfaction.comments] == ["still no luck"]
    rows = Rows()
    rows.customer("late", BROKE + minute(1), fails=True, stopped=True)
    await shop.write(rows, 6)
    told = only(await shop.report())
    assert told.people.hit == first.people.hit + 1
    rows = Rows()
    rows.customer("evening", LATER - minute(10), done=True)
    await shop.write(rows, 8)
    assert only(await shop.report()) == told


async def test_an_import_of_very_many_rows_changes_everything(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where more people than can be told have new rows, every problem is worked out again."""
    monkeypatch.setattr(remembered, "MOST_NAMES", 3)
    await shop.report()
    rows = Rows()
    for number in range(5):
        rows.answer(f"i{number}", NOW, 4, person=f"user:import{number}")
    await shop.write(rows, 5)
    await shop.report()
    assert shop.asked["problem_people"] == 1


async def test_who_is_erased_is_told_no_more(shop: Shop) -> None:
    """While an erasure is at work nothing remembered is told, and what was remembered before it never again."""
    await shop.report()
    ident = await shop.context.control.erasures.add("default", "person", "u3", "test", "strip", LATER)
    await shop.report()
    assert shop.asked["problem_people"] == 1
    await shop.context.control.erasures.note(ident, state="done", done_at=LATER)
    await shop.report()
    assert shop.asked["problem_people"] == 1
    await shop.report()
    assert shop.asked["problem_people"] == 0


async def test_after_five_minutes_everything_is_read_again(shop: Shop) -> None:
    """Names and plans are not watched: they are as old as that at most."""
    await shop.report()
    shop.ticking.now += KEPT
    await shop.report()
    assert shop.asked["problem_people"] == 1


async def test_another_moment_than_now_is_worked_out_each_time(shop: Shop) -> None:
    """A report of the past is not mixed with the one of today."""
    now = only(await shop.report())
    zone = shop.context.clock().tzinfo
    assert zone is not None
    past = window_of(LATER, zone, NOW - timedelta(hours=2), NOW)  # type: ignore[arg-type]
    told = only(await impact(shop.context, past))
    assert (told.state, now.state) == ("failing", "over")
    assert only(await shop.report()) == now


async def test_a_problem_that_goes_on_rests_as_long_as_it_was_work(store: Store, tmp_path: Path) -> None:
    """While it fails it is worked out again each time, but not before five times the work of the last time has passed since that was done.

    Who asks while somebody else works it out is told it as it was, and does not wait.
    """
    ticking = Ticking()
    context = replace(context_of(store, tmp_path), problems=ProblemMemory(ticking))
    await broken_shop(usual=False).store(store)
    shop = Shop(context, ticking)
    shop.work = 4
    first = only(await shop.report())
    ticking.now += 10
    shop.asked.clear()
    assert only(await impact(context)) is first
    assert shop.asked["problem_people"] == 0
    ticking.now += 10.5
    assert context.problems is not None
    async with context.problems.working:
        assert only(await impact(context)) is first
    assert shop.asked["problem_people"] == 0
    assert only(await impact(context)) is not first
    assert shop.asked["problem_people"] == 1
    context.control.close()


async def test_who_waits_all_the_same_is_told_of_now(store: Store, tmp_path: Path) -> None:
    """Who must wait for another problem while somebody works is not told what goes on as it was before the wait."""
    ticking = Ticking()
    context = replace(context_of(store, tmp_path), problems=ProblemMemory(ticking))
    rows = broken_shop(usual=False)
    await rows.store(store)
    shop, memory = Shop(context, ticking), context.problems
    assert memory is not None
    first = only(await shop.report())
    earlier = Rows()
    for number in range(10):
        earlier.probe(BROKE - minute(300 - number), "failed" if number < 5 else "passed")
    await earlier.store(store)
    ticking.now += 61
    shop.asked.clear()
    async with memory.working:
        asking = asyncio.create_task(impact(context))
        while not memory.working._waiters:
            await asyncio.sleep(0.01)
        assert not asking.done()
    told = {problem.id: problem for problem in (await asking).problems}
    assert len(told) == 2
    assert told[first.id] is not first
    assert shop.asked["problem_people"] == 2
    context.control.close()


async def test_a_problem_that_is_long_work_is_waited_for_by_nobody(store: Store, tmp_path: Path) -> None:
    """One that took a minute is told as it was when its time is up, and worked out anew meanwhile, once; after 15 minutes without that it is waited for.

    Nothing of it is told again once somebody was erased.
    """
    ticking = Ticking()
    context = replace(context_of(store, tmp_path), problems=ProblemMemory(ticking))
    await broken_shop(usual=False).store(store)
    shop, memory = Shop(context, ticking), context.problems
    assert memory is not None
    shop.work = 60
    first = only(await shop.report())
    assert not memory.due.is_set()
    ticking.now += 90
    for _ in range(2):
        assert only(await shop.report()) is first
        assert shop.asked["problem_people"] == 0
    assert memory.due.is_set()
    renewing = asyncio.create_task(memory.renew())
    while not memory._renewing:
        await asyncio.sleep(0)
    assert only(await impact(context)) is first
    await renewing
    assert shop.asked["problem_people"] == 1
    assert not [key for key in memory._due if key[0] != "once"]
    second = only(await impact(context))
    assert second is not first
    ticking.now += KEPT + OVERDUE
    assert only(await shop.report()) is not second
    third = only(await impact(context))
    ticking.now += 121
    await context.control.erasures.add("default", "person", "u1", "cli", "strip", NOW)
    assert only(await shop.report()) is not third
    context.control.close()


async def test_what_cannot_be_renewed_keeps_no_other_from_it(store: Store, tmp_path: Path) -> None:
    """Of two that are long work the first runs into its deadline each time: the second is worked out all the same, and the deadline is told after it."""
    ticking = Ticking()
    context = replace(context_of(store, tmp_path), problems=ProblemMemory(ticking))
    rows = broken_shop(usual=False)
    for number in range(10):
        rows.probe(BROKE - minute(300 - number), "failed" if number < 5 else "passed")
    await rows.store(store)
    shop, memory = Shop(context, ticking), context.problems
    assert memory is not None
    shop.work = 60
    before = {problem.id: problem for problem in (await shop.report()).problems}
    ticking.now += 400
    await shop.report()
    first, second = memory._due

    async def late() -> None:
        raise QueryTimeout("The query took longer than 60 s and was stopped.")

    memory._due[first] = late
    with pytest.raises(QueryTimeout, match="was stopped"):
        await memory.renew()
    after = {problem.id: problem for problem in (await impact(context)).problems}
    assert after[first[1]] is before[first[1]]
    assert after[second[1]] is not before[second[1]]
    context.control.close()


def test_orders_are_known_in_steps_too_small_to_matter() -> None:
    """A thousandth of the outcome window is the same; past the end of the window nothing changes any more; unknown is zero."""
    final = NOW + timedelta(hours=24)
    step = 86.4
    base = datetime.fromtimestamp(NOW.timestamp() // step * step + 1, NOW.tzinfo)
    assert known_step(base, final, 86_400) == known_step(base + timedelta(seconds=60), final, 86_400)
    assert known_step(base, final, 86_400) != known_step(base + timedelta(seconds=90), final, 86_400)
    assert known_step(final + timedelta(days=1), final, 86_400) == known_step(final + timedelta(days=9), final, 86_400)
    assert known_step(None, final, 86_400) == 0.0
    assert MOST > 100
