"""Evidence of days that are over is remembered, and says the same as all that is stored."""

import random
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from sojourn_collector.context import Context
from sojourn_collector.join.worker import VERSION
from sojourn_collector.store.client import Store
from sojourn_collector.web.answers.found import Found, find
from sojourn_collector.web.answers.impact import impact
from sojourn_collector.web.answers.remembered import ProblemMemory
from sojourn_collector.web.answers.window import window_of
from tests.collector.web.stage import NOW, Rows, context_of, minute

UTC = ZoneInfo("UTC")
WEEK = window_of(NOW, UTC, NOW - timedelta(days=5))


@pytest.fixture
async def context(store: Store, tmp_path: Path) -> AsyncIterator[Context]:
    one = replace(context_of(store, tmp_path), problems=ProblemMemory())
    await one.control.progress.set(VERSION, 1)
    yield one
    one.control.close()


def told(found: list[Found]) -> list[Any]:
    """What is told of incidents; failed runs by their number."""
    return [(one.id, replace(one.incident, failed_runs=(), hits=()), sum(run.runs for run in one.incident.failed_runs)) for one in found]


def some_days(seed: int) -> Rows:
    """Seven days of two locations' probes and a few customers, with trouble now and then, also around midnight."""
    dice, rows = random.Random(seed), Rows()
    begin = (NOW - timedelta(days=7)).replace(hour=0, minute=0)
    bad = [begin + timedelta(days=dice.randrange(7), hours=dice.randrange(24)) for _ in range(5)] + [begin + timedelta(days=3, hours=23, minutes=50)]

    def trouble(at: Any) -> bool:
        return any(start <= at < start + minute(25) for start in bad)

    at = begin
    while at < NOW:
        for location in ("eu", "us"):
            rows.probe(at + timedelta(seconds=dice.randrange(50)), "failed" if trouble(at) and dice.random() < 0.8 else "passed", location=location)
        at += minute(20)
    for number in range(80):
        near = dice.choice(bad) + minute(dice.randrange(30)) if dice.random() < 0.7 else begin + timedelta(hours=dice.randrange(7 * 24 - 12))
        if near < NOW:
            rows.customer(f"u{number}", near, fails=trouble(near), stopped=trouble(near) and number % 2 == 0)
    return rows


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_what_is_remembered_says_what_all_of_it_says(context: Context, store: Store, seed: int) -> None:
    """The same incidents of a week with and without memory, the first time and the second, of all journeys and of one."""
    await some_days(seed).store(store)
    everything = await find(replace(context, problems=None), WEEK)
    assert len(everything) >= 3
    for _ in range(2):
        assert told(await find(context, WEEK)) == told(everything)
        assert told(await find(context, WEEK, ["checkout"])) == told(everything)
    today = window_of(NOW, UTC)
    assert told(await find(context, today)) == told(await find(replace(context, problems=None), today))


async def test_days_are_remembered_while_the_clock_goes_on(context: Context, store: Store) -> None:
    """What is asked up to now reads no day twice, although now is later each time somebody looks."""
    await some_days(1).store(store)
    later = iter(range(10_000))
    ticking = replace(context, clock=lambda: NOW + timedelta(milliseconds=next(later)), problems=ProblemMemory(lambda: 0.0))
    read: Counter[str] = Counter()
    query = store.query

    async def noted(name: str, /, **how: Any) -> Any:
        read[name] += 1
        return await query(name, **how)

    store.query = noted  # type: ignore[method-assign]
    await impact(ticking, window_of(ticking.clock(), UTC, NOW - timedelta(days=5)))
    assert read["report_failing"] > 5
    read.clear()
    await impact(ticking, window_of(ticking.clock(), UTC, NOW - timedelta(days=5)))
    assert (read["report_failing"], read["report_probe_edges"], read["journey_steps"], read["probe_totals"]) == (1, 0, 0, 0)


async def test_a_day_is_read_again_when_the_join_wrote_to_it(context: Context, store: Store) -> None:
    """A failure that comes four days late is found; other days are not asked for again."""
    await some_days(1).store(store)
    before = await find(context, WEEK)
    asked: list[Any] = []
    query = store.query

    async def noted(name: str, /, **how: Any) -> Any:
        if name == "report_failing":
            asked.append(how["since"])
        return await query(name, **how)

    store.query = noted  # type: ignore[method-assign]
    late, at = Rows(), NOW - timedelta(days=4, hours=5)
    for number in range(4):
        late.customer(f"late{number}", at, fails=True, stopped=True)
    for row in (*late.runs, *late.steps):
        row["version"] = 2
    await late.store(store)
    await context.control.progress.set(VERSION, 2)
    after = await find(context, WEEK)
    assert len(after) == len(before) + 1
    midnight = at.replace(hour=0, minute=0)
    assert {one for one in asked if one < NOW - timedelta(days=1)} == {midnight, midnight + timedelta(days=1)}


async def test_nothing_is_remembered_across_an_erasure(context: Context, store: Store) -> None:
    """Once somebody was erased every day is read again."""
    await some_days(2).store(store)
    await find(context, WEEK)
    assert context.problems is not None
    held = list(context.problems.days._days.values())
    assert len(held) >= 5
    await context.control.erasures.add("default", "person", "u1", "cli", "strip", NOW)
    erased = await find(context, WEEK)
    assert not any(old is new for old in held for new in context.problems.days._days.values())
    assert told(erased) == told(await find(replace(context, problems=None), WEEK))


async def test_the_first_probe_of_a_step_ends_what_only_customers_met(context: Context, store: Store) -> None:
    """Three were hit days ago where nothing was probed: over with the last of them, and remembered; from the first pass on it is known when it was well."""
    rows = Rows()
    for number in range(3):
        rows.customer(f"u{number}", NOW - timedelta(days=3) + minute(number), fails=True, stopped=True)
    await rows.store(store)
    for probed in (False, True):
        if probed:
            probes = Rows()
            probes.probe(NOW - minute(30), "passed")
            await probes.store(store)
        everything = await find(replace(context, problems=None), WEEK)
        assert [one.incident.until == one.incident.last_evidence for one in everything] == [not probed]
        for _ in range(2):
            assert told(await find(context, WEEK)) == told(everything)


@pytest.mark.parametrize("fails", [False, True], ids=["well since", "fails again today"])
async def test_what_broke_before_midnight_is_over_with_a_pass_after_it(context: Context, store: Store, fails: bool) -> None:
    """Failures from 23:50 to 23:58, passes since midnight: over two seconds after it, with memory as without."""
    rows, midnight = Rows(), NOW.replace(hour=0, minute=0)
    for count in range(-60, 400, 2):
        at = midnight + minute(count)
        rows.probe(at, "failed" if -10 <= count <= -2 or (fails and count == 300) else "passed")
    await rows.store(store)
    everything = await find(replace(context, problems=None), WEEK)
    assert [(one.incident.state, one.incident.until) for one in everything] == [("over", midnight + timedelta(seconds=2))]
    for _ in range(2):
        assert told(await find(context, WEEK)) == told(everything)
