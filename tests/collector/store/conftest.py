"""An engine of a test file's own, for what is done to whole tables."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from sojourn_collector.store.client import Store
from sojourn_collector.store.engine_process import Endpoint, EngineProcess, EngineSettings
from sojourn_collector.store.migrations import migrate


async def _prepare(endpoint: Endpoint) -> None:
    store = Store(lambda: endpoint)
    await migrate(store)
    await store.close()


@pytest.fixture(scope="module")
def own_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    """A migrated engine nobody else uses."""
    process = EngineProcess(tmp_path_factory.mktemp("own"), EngineSettings(memory=1 << 30))
    endpoint = process.start()
    try:
        asyncio.run(_prepare(endpoint))
        yield endpoint
    finally:
        process.kill()


@pytest.fixture
async def own(own_engine: Endpoint) -> AsyncIterator[Store]:
    """A store on it."""
    store = Store(lambda: own_engine)
    yield store
    await store.close()
