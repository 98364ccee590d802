"""An engine of a test file's own, for what is done to whole tables."""

from collections.abc import AsyncIterator, Iterator

import pytest

from sojourn_collector.store.client import Store
from sojourn_collector.store.engine_process import Endpoint, EngineProcess, EngineSettings
from tests.collector.engine_folder import copy_tables


@pytest.fixture(scope="module")
def own_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    """A migrated engine nobody else uses."""
    folder = tmp_path_factory.mktemp("own")
    copy_tables(folder)
    process = EngineProcess(folder, EngineSettings(memory=1 << 30))
    try:
        yield process.start()
    finally:
        process.kill()


@pytest.fixture
async def own(own_engine: Endpoint) -> AsyncIterator[Store]:
    """A store on it."""
    store = Store(lambda: own_engine)
    yield store
    await store.close()
