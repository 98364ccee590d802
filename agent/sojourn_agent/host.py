"""The truth about the host: how busy, how late, how full. A run measured while it was starved proves nothing."""

import asyncio
import os
import time
from collections import deque
from dataclasses import dataclass, replace
from typing import Final

import psutil

from sojourn_agent.config import HostSettings
from sojourn_probes.result import Failure, RunResult
from sojourn_probes.semconv import FailureKind, Outcome
from sojourn_probes.units import show_duration

_EVERY: Final = 0.1
_REMEMBERED: Final = 3900.0  # longer than any run: six attempts of ten minutes


@dataclass(frozen=True, slots=True)
class Strain:
    """The host over a stretch of time: how late the event loop was at worst (seconds), how busy the CPU on average (0–1, None when too short to say)."""

    loop_lag: float
    cpu: float | None


class HostWatch:
    """Measures for as long as `run` lives. Times are `time.monotonic()`: the loop's own clock may stand still within one turn."""

    def __init__(self) -> None:
        self._lags: deque[tuple[float, float]] = deque(maxlen=20_000)
        self._cpu: deque[tuple[float, float]] = deque()
        self._process = psutil.Process(os.getpid())

    async def run(self) -> None:
        """Wake every 0.1 s and see how late that was."""
        psutil.cpu_percent(None)
        seconds = 0
        began = time.monotonic()
        while True:
            due = time.monotonic() + _EVERY
            await asyncio.sleep(_EVERY)
            now = time.monotonic()
            lag = now - due
            if lag > 0.02:
                self._lags.append((now, lag))
            if int(now - began) > seconds:
                seconds = int(now - began)
                self._cpu.append((now, psutil.cpu_percent(None) / 100))
                self._forget(now - _REMEMBERED)

    def strain(self, since: float) -> Strain:
        """The host from `since` (`time.monotonic()`) until now."""
        lags = [lag for at, lag in self._lags if at >= since]
        busy = [share for at, share in self._cpu if at >= since]
        return Strain(max(lags, default=0.0), sum(busy) / len(busy) if busy else None)

    @property
    def cpu(self) -> float:
        """Share of the host's CPU that was busy in the last second measured."""
        return self._cpu[-1][1] if self._cpu else 0.0

    @property
    def rss(self) -> int:
        """Bytes of memory this process holds."""
        return int(self._process.memory_info().rss)

    def _forget(self, before: float) -> None:
        for remembered in (self._lags, self._cpu):
            while remembered and remembered[0][0] < before:
                remembered.popleft()


def over_budget(strain: Strain, budget: HostSettings) -> str | None:
    """Why nothing measured under `strain` can be trusted, as a sentence; None when it can."""
    if strain.loop_lag > budget.loop_lag:
        return f"the agent itself was {show_duration(strain.loop_lag)} late during this run (budget {show_duration(budget.loop_lag)}); the host is starved"
    if budget.cpu is not None and strain.cpu is not None and strain.cpu > budget.cpu:
        return f"{strain.cpu:.0%} of the host's CPU was busy during this run (budget {budget.cpu:.0%}); the host is starved"
    return None


def distrust(result: RunResult, reason: str) -> RunResult:
    """`result` as inconclusive for `reason`; what it said itself is kept in the sentence, and the steps stay as they were."""
    said = f"; without that: {result.outcome}" + (f", {result.failure.message}" if result.failure else "")
    failure = Failure(FailureKind.AGENT, reason + said, result.failure.step if result.failure else None)
    return replace(result, outcome=Outcome.INCONCLUSIVE, flaky=False, failure=failure)
