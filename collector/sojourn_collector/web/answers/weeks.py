"""What is asked of many weeks, which a moment changes little: reports of the same minute share it."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sojourn_collector.context import Context
from sojourn_collector.web.answers.window import Window

T = TypeVar("T")

STEPS_OF_FOLLOW_UP = 1000
"""Parts of the outcome window: orders known for one part more change what is missing so far by too little to tell."""

LONG = timedelta(days=2)
"""A window longer than this is looked at for what became of weeks: the seconds that reports share parts of it for change nothing."""

LONG_SHARED = 60.0

BESIDE = 240.0
"""Seconds beyond those for which it is shared that an answer is told as it was, while it is asked anew: nobody waits for it."""

PATIENCE = 60.0
"""Seconds that a question about weeks may take."""


async def of_weeks(context: Context, window: Window, name: tuple[Any, ...], ask: Callable[[], Awaitable[T]]) -> T:
    """The answer to a question about a long window up to now, shared by reports of the same minute, and told as it was while it is asked anew.

    Of other windows it is asked at once.
    """
    if context.problems is None or window.until - window.since <= LONG or window.until != window.now:
        return await ask()
    shared = min(LONG_SHARED, context.impact.windows.outcome / STEPS_OF_FOLLOW_UP)
    return await context.problems.once((*name, minutes_of(window.since, window.until)), shared, ask, beside=BESIDE)


def minute_of(window: Window) -> int:
    """The minute a window begins in, since 1970: by it what is asked of nearly the same window is known again."""
    return int(window.since.timestamp() // 60)


def minutes_of(since: datetime, until: datetime) -> int:
    """The length of a window in minutes: by it what is asked of the last so many days is known again while these move on."""
    return round((until - since).total_seconds() / 60)


async def in_turn(window: Window, *asked: Awaitable[Any]) -> Any:
    """The answers to several questions: of a long window one after the other, since together each would take too long; else all at once."""
    if window.until - window.since <= LONG:
        return await asyncio.gather(*asked)
    tasks = list(asked)
    answers = []
    try:
        while tasks:
            answers.append(await tasks.pop(0))
    finally:
        for one in tasks:
            if asyncio.iscoroutine(one):
                one.close()
    return answers
