"""Asking routes over HTTP, without a server between."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
from fastapi import APIRouter, FastAPI


@asynccontextmanager
async def asking(*routers: APIRouter) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of an app with these routes, in their order."""
    app = FastAPI()
    for router in routers:
        app.include_router(router)
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://sojourn", timeout=30) as client:
        yield client


async def get(client: httpx2.AsyncClient, path: str, **parameters: Any) -> dict[str, Any]:
    """The body of an answer of `/api/v1`; 200 is expected."""
    answer = await client.get(f"/api/v1/{path}", params=parameters)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())
