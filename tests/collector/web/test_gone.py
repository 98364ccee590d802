"""A client that goes away takes its query with it."""

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import httpx2
import pytest
import uvicorn
from fastapi import FastAPI

from sojourn_collector.context import Context
from sojourn_collector.store.catalogue import Catalogue, NamedQuery
from sojourn_collector.store.client import Store
from sojourn_collector.store.endpoint import Endpoint
from sojourn_collector.web.lists import build_lists
from tests.collector.web.stage import context_of

RUNNING = "SELECT count() AS n FROM system.processes WHERE query LIKE '%' || {mark:String} || '%' AND query NOT LIKE '%system.processes%'"


class Loose(Catalogue):
    """Its query of runs takes any parameters and uses none."""

    def get(self, name: str) -> NamedQuery:
        """The query."""
        named = super().get(name)
        return Whatever(named.name, named.sql, named.types) if name == "list_runs" else named


class Whatever(NamedQuery):
    """Takes any parameters."""

    def bind(self, _: Mapping[str, Any]) -> dict[str, Any]:
        """Nothing."""
        return {}


@pytest.fixture
async def slow(engine: Endpoint, tmp_path: Path) -> AsyncIterator[Context]:
    """A context whose list of runs never comes to an end."""
    queries = tmp_path / "queries"
    queries.mkdir()
    (queries / "list_runs.sql").write_text(
        f"SELECT '{tmp_path.name}', sum(sleepEachRow(0.05)) AS n FROM numbers(1000000) SETTINGS max_block_size = 1, max_threads = 1"
    )
    (queries / "running.sql").write_text(RUNNING)

    store = Store(lambda: engine, catalogue=Loose(queries))
    one = context_of(store, tmp_path)
    yield one
    one.control.close()
    await store.close()


async def test_the_query_of_a_client_that_is_gone_is_killed(slow: Context, tmp_path: Path) -> None:
    """The connection is closed while the engine works: within a moment it works no more, long before the deadline."""
    app = FastAPI()
    app.include_router(build_lists(slow))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
        serving = asyncio.create_task(server.serve(sockets=[taken]))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/api/v1/runs?deadline=30"

        async def running() -> bool:
            return bool((await slow.store.query("running", mark=tmp_path.name))[0]["n"])

        try:
            async with asyncio.timeout(25):
                while not server.started:
                    await asyncio.sleep(0.01)
                async with httpx2.AsyncClient(trust_env=False, timeout=60) as client:
                    asking = asyncio.create_task(client.get(url, timeout=60))
                    while not await running():
                        await asyncio.sleep(0.02)
                    asking.cancel()
                    await asyncio.gather(asking, return_exceptions=True)
                while await running():
                    await asyncio.sleep(0.02)
        finally:
            server.should_exit = True
            await serving
