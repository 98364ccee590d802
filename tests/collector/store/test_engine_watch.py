"""Which engine that does not answer is busy and which hangs."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from sojourn_collector.store.engine import TICKS, Supervisor, Watch

WATCH = Watch(deadline=0.2, glance=0.02, busy_deadline=1.0)


class Working:
    """In place of the process: computes for so many glances, then stands still."""

    def __init__(self, glances: int) -> None:
        self._left, self._ticks = glances, 0

    def cpu_ticks(self) -> int:
        """CPU time used."""
        self._left -= 1
        self._ticks += TICKS if self._left >= 0 else 0
        return self._ticks


@pytest.mark.parametrize(
    ("glances", "said"),
    [
        pytest.param(0, "did not answer within 0.2 s", id="it stood still from the begin"),
        pytest.param(5, "did not answer within 0.2 s", id="it computed a moment ago"),
        pytest.param(1000, "did not answer within 1 s", id="it computes all the while"),
    ],
)
async def test_an_engine_that_does_not_answer(tmp_path: Path, glances: int, said: str) -> None:
    """It is given up when it has stood still for `deadline`, or computed for `busy_deadline`."""
    supervisor = Supervisor(tmp_path, watch=WATCH)
    supervisor._process = Working(glances)  # type: ignore[assignment]
    never: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    assert await supervisor._silent(never) == said


async def test_an_answer_ends_the_waiting(tmp_path: Path) -> None:
    """One that answers late, and computed until then, is well."""
    supervisor = Supervisor(tmp_path, watch=WATCH)
    supervisor._process = Working(1000)  # type: ignore[assignment]
    ping: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_later(0.3, ping.set_result, None)
    assert await supervisor._silent(ping) == ""
