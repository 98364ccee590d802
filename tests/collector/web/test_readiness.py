"""The report is ready before anybody asks."""

import asyncio
import logging
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from sojourn_collector.context import Context
from sojourn_collector.store.client import EngineUnavailable
from sojourn_collector.web.answers.impact import impact
from sojourn_collector.web.answers.remembered import ProblemMemory
from sojourn_collector.web.readiness import keep_ready, renew_problems
from tests.collector.web.stage import broken_shop


async def test_who_opens_the_report_first_finds_it_worked_out(context: Context, caplog: pytest.LogCaptureFixture) -> None:
    """An engine that does not answer is waited for and said once; once it does, the problems are worked out before anybody asks."""
    caplog.set_level(logging.INFO)
    context = replace(context, problems=ProblemMemory(lambda: 0.0))
    await broken_shop(usual=False).store(context.store)
    asked: Counter[str] = Counter()
    query, down = context.store.query, True

    async def noted(name: str, /, **parameters: Any) -> list[dict[str, Any]]:
        asked[name] += 1
        if down:
            raise EngineUnavailable("The engine is starting.")
        return await query(name, **parameters)

    context.store.query = noted  # type: ignore[method-assign]
    ready = asyncio.create_task(keep_ready(context, every=0.01, monotonic=lambda: 0.0))
    while asked["report_hits"] < 3:
        await asyncio.sleep(0.01)
    down = False
    while not asked["problem_feedback"]:
        await asyncio.sleep(0.01)
    rounds = asked["report_hits"]
    while asked["report_hits"] == rounds:
        await asyncio.sleep(0.01)
    ready.cancel()
    await asyncio.gather(ready, return_exceptions=True)
    asked.clear()
    assert len((await impact(context)).problems) == 1
    assert asked["problem_people"] == 0
    assert [record.getMessage() for record in caplog.records if "kept ready" in record.getMessage()] == [
        "the report is not kept ready: The engine is starting."
    ]


async def test_what_is_long_work_is_done_beside(context: Context, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """Whenever something is due it is worked out; an engine that does not answer is said, and the next time is tried again."""
    caplog.set_level(logging.INFO)
    memory = ProblemMemory(lambda: 0.0)
    answers: list[Exception | None] = [EngineUnavailable("The engine is starting."), None]
    done: list[Exception | None] = []

    async def renew() -> None:
        memory.due.clear()
        done.append(answers[len(done)])
        if (error := done[-1]) is not None:
            raise error

    monkeypatch.setattr(memory, "renew", renew)
    renewing = asyncio.create_task(renew_problems(replace(context, problems=memory)))
    await asyncio.sleep(0)
    assert not done
    for count in (1, 2):
        memory.due.set()
        while len(done) < count:
            await asyncio.sleep(0)
    renewing.cancel()
    await asyncio.gather(renewing, return_exceptions=True)
    assert [record.getMessage() for record in caplog.records if "told as" in record.getMessage()] == [
        "problems are told as they were last: The engine is starting."
    ]
