"""The intake on a real server on loopback, with a real control database."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx2
import pytest
from fastapi import FastAPI

from sojourn_collector.counters import Counters
from sojourn_collector.sources.base import Secrets
from sojourn_collector.sources.configured import Configured
from sojourn_collector.sources.intake import build_routes
from sojourn_collector.sources.segment_door import build_segment
from sojourn_collector.sources.webhook_intake import build_webhooks
from sojourn_collector.sources_config import SourceSettings
from sojourn_collector.store.control import Control, Scope
from tests.collector.control_file import open_control
from tests.collector.sources import webhook_rig as rig
from tests.collector.sources.vendor_api import VendorApi, running
from tests.collector.sources.webhook_rig import Desk
from tests.serving import served

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
PROBE_KEYS = {"k1": b"a probe key"}
SECRETS = Secrets(PROBE_KEYS, b"an author key")


@dataclass
class Context:
    """What the intake is given."""

    control: Control
    clock: Callable[[], datetime] = lambda: NOW
    secrets: Secrets = field(default_factory=lambda: SECRETS)


@dataclass
class Door:
    """The running intake: its address, a client with the right key, and the control database behind it."""

    url: str
    client: httpx2.AsyncClient
    control: Control
    key: str


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    """An intake with one key of scope `sources`."""
    control = open_control(tmp_path / "control.sqlite")
    app = FastAPI()
    app.include_router(build_routes(Context(control), body_deadline=0.5))
    key = (await control.keys.create("shop", [Scope.SOURCES])).text
    async with served(app) as url, httpx2.AsyncClient(base_url=url, headers={"authorization": f"Bearer {key}"}, trust_env=False, timeout=60) as client:
        yield Door(url, client, control, key)
    control.close()


@contextlib.asynccontextmanager
async def desk_of(folder: Path, configured: Mapping[str, Configured], origin: str = "https://shop.example") -> AsyncIterator[Desk]:
    """An intake of these vendors on loopback; pages of `origin` may post to it."""
    control = open_control(folder / "control.sqlite")
    context, counters = rig.Context(control, configured), Counters()
    app = FastAPI()
    app.include_router(build_webhooks(context, counters, body_deadline=0.5))
    app.include_router(build_routes(context, body_deadline=0.5))
    app.include_router(build_segment(context, counters, [origin], body_deadline=0.5))
    try:
        async with served(app) as url, httpx2.AsyncClient(base_url=url, trust_env=False, timeout=60) as client:
            yield Desk(url, client, context, counters)
    finally:
        control.close()


Opening = Callable[..., Awaitable[Desk]]


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[Opening]:
    """Opens an intake: `await opened(helpdesk=settings("zendesk"))`."""
    async with contextlib.AsyncExitStack() as stack:

        async def start(**sources: SourceSettings) -> Desk:
            return await stack.enter_async_context(desk_of(tmp_path, rig.webhooks(**sources)))

        yield start


@pytest.fixture
async def vendor_api() -> AsyncIterator[VendorApi]:
    """A vendor's API on loopback."""
    async with running() as one:
        yield one
