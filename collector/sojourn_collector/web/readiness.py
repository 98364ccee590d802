"""Keeps the report ready: who opens it first finds the problems worked out."""

import asyncio
import logging
import time
from collections.abc import Callable
from datetime import timedelta
from zoneinfo import ZoneInfo

from sojourn_collector.context import Context
from sojourn_collector.store.client import StoreError
from sojourn_collector.store.control.errors import ControlUnavailableError
from sojourn_collector.web.answers.impact import impact
from sojourn_collector.web.answers.window import window_of

_log = logging.getLogger(__name__)

EVERY = 60.0
"""Seconds between two times at least."""

MONTH = timedelta(days=30)
MONTH_EVERY = 10
"""Every so many times a month is looked at too, so that its days are known when somebody asks."""

MONTH_FIRST = 2
"""Not at once: after a start the report of today is wanted first."""

SHARE = 0.05
"""Of the time, how much is spent on it at most."""


async def renew_problems(context: Context) -> None:
    """Work out anew what was told as it was because that takes long, until cancelled. What does not answer is asked for again by whoever is told it."""
    if context.problems is None:
        return
    while True:
        await context.problems.due.wait()
        try:
            await context.problems.renew()
        except (StoreError, ControlUnavailableError) as error:
            _log.info("problems are told as they were last: %s", error)


async def keep_ready(context: Context, *, every: float = EVERY, monotonic: Callable[[], float] = time.monotonic) -> None:
    """Ask for the report, every so many seconds or less often, until cancelled. What does not answer is waited for."""
    problem, rounds = "", 0
    while True:
        began = monotonic()
        try:
            await impact(context)
            if rounds % MONTH_EVERY == MONTH_FIRST:
                now = context.clock()
                await impact(context, window_of(now, ZoneInfo(context.impact.timezone), now - MONTH))
            rounds += 1
            problem = ""
        except (StoreError, ControlUnavailableError) as error:
            if str(error) != problem:
                _log.info("the report is not kept ready: %s", error)
            problem = str(error)
        await asyncio.sleep(max(every, (monotonic() - began) / SHARE))
