"""Runs `sojourn-collector run` on an engine that is there already, and kills itself with SIGKILL where it is told to: `driver.py ENDPOINT DIE_AT CONFIG`."""

import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NoReturn, ParamSpec, TypeVar

from sojourn_collector import assembly, cli
from sojourn_collector.config import CollectorConfig
from sojourn_collector.store.books import SharedBooks
from sojourn_collector.store.control.claims import Claims
from sojourn_collector.store.endpoint import Endpoint
from sojourn_collector.store.journal import Journal
from sojourn_collector.store.load import Loader

P = ParamSpec("P")
T = TypeVar("T")


class Elsewhere:
    """Stands for the engine's supervisor: the engine is another's process."""

    given: Endpoint
    state, reason, restarts = "ready", "", 0

    def __init__(self, config: CollectorConfig, environ: Mapping[str, str]) -> None:
        """As `engine_of` makes one."""

    def endpoint(self) -> Endpoint:
        """Where it answers."""
        return self.given

    async def start(self) -> None:
        """It runs."""

    async def stop(self) -> None:
        """It goes on."""


def _die() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("killed")


def _after(work: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
    async def until_then(*args: P.args, **given: P.kwargs) -> T:
        await work(*args, **given)
        _die()

    return until_then


POINTS: dict[str, tuple[Any, str]] = {
    "claimed": (Claims, "claim"),
    "appended": (Journal, "append"),
    "settled": (SharedBooks, "before"),
    "loaded": (Loader, "_load"),
    "entered": (SharedBooks, "after"),
    "resolved": (Journal, "resolve"),
}
"""Where a collector may die: after each of these."""


def main(endpoint: str, die_at: str, config: str) -> int:
    """Run it."""
    Elsewhere.given = Endpoint(**json.loads(endpoint))
    setattr(assembly, "engine_of", Elsewhere)  # noqa: B010 - it is no part of what the module offers
    if die_at:
        owner, name = POINTS[die_at]
        setattr(owner, name, _after(getattr(owner, name)))
    return cli.main(["run", "--config", config])


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
