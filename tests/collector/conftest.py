"""A real engine for the collector's tests: one process per test session, a tenant of its own per test."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from sojourn_collector.store.client import Store
from sojourn_collector.store.engine_process import Endpoint, EngineProcess, EngineSettings
from sojourn_collector.store.migrations import migrate
from tests.postgres_server import postgres, postgres_database

__all__ = ["postgres", "postgres_database"]


async def _prepare(endpoint: Endpoint) -> None:
    store = Store(lambda: endpoint)
    await migrate(store)
    await store.close()


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    """Where a migrated engine answers."""
    folder: Path = tmp_path_factory.mktemp("engine")
    process = EngineProcess(folder, EngineSettings(memory=2 << 30))
    endpoint = process.start()
    try:
        asyncio.run(_prepare(endpoint))
        yield endpoint
    finally:
        process.kill()


@pytest.fixture
async def store(engine: Endpoint) -> AsyncIterator[Store]:
    """A store on the session's engine with a tenant nobody else has, so that tests need not clean tables."""
    one = Store(lambda: engine, tenant=f"t-{uuid.uuid4().hex[:12]}")
    yield one
    await one.close()
