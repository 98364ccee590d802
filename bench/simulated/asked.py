"""Puts worlds into a real engine and asks of them what the report asks: the same tables, named queries and functions."""

import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench.simulated.judged import Answered
from bench.simulated.measured import Measured
from bench.simulated.world import World

from sojourn_collector.config import CollectorConfig, ImpactConfig
from sojourn_collector.context import Context
from sojourn_collector.store.client import Store
from sojourn_collector.store.control.control import Control
from sojourn_collector.store.engine_process import EngineProcess, EngineSettings
from sojourn_collector.store.migrations import migrate
from sojourn_collector.web.answers.found import find
from sojourn_collector.web.answers.orders_known import OrdersKnown
from sojourn_collector.web.answers.problem import problem_of
from sojourn_collector.web.answers.shortfall import HISTORY
from sojourn_collector.web.answers.theirs import Theirs
from sojourn_collector.web.answers.window import Window
from sojourn_collector.web.models import Problem


class _NoFolder:
    """No journey files: journeys go by their ids."""

    def all(self) -> Mapping[str, Any]:
        """None."""
        return {}


@asynccontextmanager
async def engine() -> AsyncIterator[Context]:
    """A context on an engine of its own in a folder that goes away."""
    with tempfile.TemporaryDirectory(prefix="worlds-") as folder:
        process = EngineProcess(Path(folder) / "engine", EngineSettings(memory=2 << 30))
        endpoint = process.start()
        store = Store(lambda: endpoint, deadline=120.0)
        control = Control.open(Path(folder) / "control.sqlite")
        try:
            await migrate(store)
            yield context_on(store, control)
        finally:
            control.close()
            await store.close()
            process.kill()


def context_on(store: Store, control: Control) -> Context:
    """What the answers are given, with the defaults of impact.yaml."""
    return Context(store, control, _NoFolder(), ImpactConfig(), CollectorConfig(), None)  # type: ignore[arg-type]


async def problems(context: Context, world: World, tenant: str) -> list[Problem]:
    """Store the world under a tenant of its own and work out every problem the report would find in it."""
    await _stored(context, tenant, {"steps": world.steps, "orders": world.orders})
    now, watermark = _utc(world.now), _utc(world.watermark)
    found = await find(context, Window(_utc(world.since), now, now))
    known = OrdersKnown(len(world.orders), watermark)
    theirs = Theirs(context, found, now, timedelta(seconds=HISTORY))
    return [(await problem_of(context, one, known, now, theirs)).problem for one in found]


async def measured(context: Context, world: Measured, tenant: str) -> Answered:
    """Store the world under a tenant of its own and ask its question."""
    await _stored(context, tenant, world.rows)
    return await world.ask(context)


async def _stored(context: Context, tenant: str, tables: Mapping[str, list[dict[str, Any]]]) -> None:
    # One connection for all worlds; a Store is for one tenant, and opening one costs more than most worlds.
    context.store._tenant = tenant
    # Drawing a large world takes seconds, in which an idle connection may have been closed: a question finds out, an insert would fail.
    await context.store.ping()
    for table, rows in tables.items():
        await context.store.insert(table, rows)


def _utc(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
