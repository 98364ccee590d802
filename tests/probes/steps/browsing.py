"""Walking journeys of browser steps against a site, in a warm browser of which nothing may be left."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sojourn_probes.result import RunResult
from sojourn_probes.semconv import FailureKind
from sojourn_probes.steps.browser_pool import BrowserPool
from tests.probes.site import Site, site
from tests.probes.steps.browser_site import shop, started_by_us


@asynccontextmanager
async def alone(respond: Any = shop, **settings: Any) -> AsyncIterator[tuple[Site, dict[str, Any]]]:
    """A shop and the tools with a warm browser of the test's own; afterwards nothing of it may be left running."""
    pool = BrowserPool(**settings)
    try:
        async with site(respond) as served:
            yield served, {"browser": pool}
    finally:
        await pool.aclose()
    assert started_by_us() == {}


class Warm:
    """Opens shops for tests that share a browser, each test with contexts of its own: `async with warm(respond) as (served, tools)`."""

    def __init__(self, pool: BrowserPool) -> None:
        self._pool = pool

    @asynccontextmanager
    async def __call__(self, respond: Any = shop) -> AsyncIterator[tuple[Site, dict[str, Any]]]:
        """A shop and the tools with the warm browser; afterwards no context may be left open in it."""
        async with site(respond) as served:
            yield served, {"browser": self._pool}
        assert [running.browser.contexts for running in self._pool._warm.values() if running.browser.contexts] == []


def journey(url: str, *actions: str, more: str = "", timeout: str = "30s") -> str:
    """A journey of one browser step `buy` with `actions`, one YAML flow value each."""
    listed = "".join(f"\n      - {action}" for action in actions)
    return f"id: buy\nbase_url: {url}\ntimeout: {timeout}\nsteps:\n  - id: buy\n    browser:{listed}\n{more}"


def only_failure(result: RunResult) -> tuple[FailureKind, str]:
    assert result.failure is not None
    return result.failure.kind, result.failure.message
