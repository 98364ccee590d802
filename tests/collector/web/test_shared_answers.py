"""Answers about nobody in particular are shared for a while, and told as they were while they are asked anew."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from sojourn_collector.store.client import QueryTimeout, Store
from sojourn_collector.web.answers.remembered import ProblemMemory
from sojourn_collector.web.answers.weeks import of_weeks
from sojourn_collector.web.answers.window import window_of
from tests.collector.web.stage import NOW, context_of, minute
from tests.collector.web.test_remembered import Ticking


async def test_two_who_ask_at_once_are_one_question() -> None:
    """Who asks while the same is being asked waits for that answer; an answer past its time is asked for again; a failure is nobody's answer."""
    ticking = Ticking()
    memory = ProblemMemory(ticking)
    calls = 0

    async def ask() -> int:
        nonlocal calls
        calls += 1
        await asyncio.sleep(0.01)
        if calls == 3:
            raise ValueError("no")
        return calls

    assert await asyncio.gather(memory.once(("q",), 10, ask), memory.once(("q",), 10, ask)) == [1, 1]  # type: ignore[comparison-overlap]
    ticking.now += 11
    assert await memory.once(("q",), 10, ask) == 2
    ticking.now += 11
    with pytest.raises(ValueError, match="no"):
        await memory.once(("q",), 10, ask)
    assert await memory.once(("q",), 10, ask) == 4


async def test_an_old_answer_is_told_while_it_is_asked_anew() -> None:
    """For the seconds beside nobody waits: the answer of before is told, `renew` asks once however many were told; after them who asks waits."""
    ticking, asked = Ticking(), 0
    memory = ProblemMemory(ticking)

    async def ask() -> int:
        nonlocal asked
        asked += 1
        return asked

    async def tell() -> int:
        return await memory.once(("q",), 60, ask, beside=240)

    assert await tell() == 1
    ticking.now += 61
    assert (await tell(), await tell(), asked) == (1, 1, 1)
    assert memory.due.is_set()
    await memory.renew()
    assert (await tell(), asked, memory.due.is_set()) == (2, 2, False)
    ticking.now += 60 + 239
    assert (await tell(), asked) == (2, 2)
    ticking.now += 2
    assert (await tell(), asked) == (3, 3), "nothing renewed it for too long"


async def test_an_old_answer_that_cannot_be_asked_anew_is_due_again() -> None:
    """A question that fails beside is told to whoever renews, and is due again when somebody is told the old answer."""
    ticking = Ticking()
    answers: Iterator[int | QueryTimeout] = iter([1, QueryTimeout("The question took longer than 60 s."), 2])
    memory = ProblemMemory(ticking)

    async def ask() -> int:
        answer = next(answers)
        if isinstance(answer, QueryTimeout):
            raise answer
        return answer

    async def tell() -> int:
        return await memory.once(("q",), 60, ask, beside=240)

    assert await tell() == 1
    ticking.now += 61
    assert await tell() == 1
    with pytest.raises(QueryTimeout, match="took longer than 60 s"):
        await memory.renew()
    assert await tell() == 1
    await memory.renew()
    assert await tell() == 2


async def test_single_questions_are_renewed_before_problems() -> None:
    """A problem may take half a minute: what was due after it and is a single question is asked before it."""
    ticking, done = Ticking(), list[str]()
    memory = ProblemMemory(ticking)

    async def work(what: str) -> str:
        done.append(what)
        return what

    await memory.once(("q",), 60, lambda: work("question"), beside=240)
    ticking.now += 61
    memory._ask_for(("config", "problem"), lambda: work("problem"))
    await memory.once(("q",), 60, lambda: work("question"), beside=240)
    await memory.renew()
    assert done == ["question", "question", "problem"]


async def test_what_is_asked_of_weeks_moves_on_with_them(store: Store, tmp_path: Path) -> None:
    """The last thirty days are known again a minute later, and told as they were while asked anew; thirty-one are another question."""
    ticking, asked = Ticking(), list[int]()
    context = replace(context_of(store, tmp_path), problems=ProblemMemory(ticking))

    async def days_of(days: int, now: datetime) -> int:
        window = window_of(now, ZoneInfo("UTC"), now - timedelta(days=days))

        async def ask() -> int:
            asked.append(days)
            return len(asked)

        return await of_weeks(context, window, ("q",), ask)

    assert (await days_of(30, NOW), await days_of(31, NOW), await days_of(1, NOW), await days_of(1, NOW)) == (1, 2, 3, 4)
    ticking.now += 61
    assert (await days_of(30, NOW + minute(1)), asked) == (1, [30, 31, 1, 1])
    assert context.problems is not None
    await context.problems.renew()
    assert (await days_of(30, NOW + minute(1)), asked) == (5, [30, 31, 1, 1, 30])
