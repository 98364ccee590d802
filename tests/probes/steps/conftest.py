"""One warm browser for the tests of a file, on one event loop (`pytest.mark.asyncio(loop_scope="module")`)."""

from collections.abc import AsyncIterator

import pytest_asyncio

from sojourn_probes.steps.browser_pool import BrowserPool
from tests.probes.steps.browser_site import started_by_us
from tests.probes.steps.browsing import Warm


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def warm() -> AsyncIterator[Warm]:
    """Started before the first test, so that no journey's deadline pays for it; when the last is done nothing of it may be left running."""
    pool = BrowserPool()
    try:
        async with pool.context():
            pass
        yield Warm(pool)
    finally:
        await pool.aclose()
    assert started_by_us() == {}
