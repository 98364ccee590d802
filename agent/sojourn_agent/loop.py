"""The event loop the agent runs in: uvloop for one that takes beacons, it is faster and costs 1 MiB; else asyncio's own."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def run_in_loop(work: Coroutine[Any, Any, T], *, fast: bool = False) -> T:
    """Run `work` to its end and return what it returns; `fast` in uvloop where it is installed."""
    with asyncio.Runner(loop_factory=_uvloop() if fast else None) as runner:
        return runner.run(work)


def _uvloop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory
