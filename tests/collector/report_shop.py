"""A broken shop behind the collector's real routes, and the command `report` as a user types it."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Self

import pytest
from fastapi import FastAPI

from sojourn_collector.cli import main
from sojourn_collector.context import Context
from sojourn_collector.sources.import_door import ImportDoor
from sojourn_collector.store.client import Store
from sojourn_collector.web.admin_door import AdminDoor
from sojourn_collector.web.api import build_api
from sojourn_collector.web.feedback import build_feedback
from sojourn_collector.web.guard import Guard
from sojourn_collector.web.marks import build_marks
from sojourn_collector.web.measures import build_measures
from sojourn_collector.web.shares import build_shares
from sojourn_collector.web.verdicts import build_verdicts
from tests.collector.web.stage import NOW, broken_shop, context_of
from tests.serving import served

TOKEN = "token-of-the-process"


class StoppedAtNow(datetime):
    """What the clock says in the shop."""

    @classmethod
    def now(cls, tz: Any = None) -> Self:
        """Always the same."""
        return cls.fromtimestamp(NOW.timestamp(), tz)


@dataclass
class Shop:
    """The shop, and the command as a user types it: exit code, standard output and standard error."""

    context: Context
    config: Path
    web: str
    capsys: pytest.CaptureFixture[str]

    async def run(self, *given: str) -> tuple[int, str, str]:
        """Run the command."""
        code = await asyncio.to_thread(main, ["report", "--config", str(self.config), *given])
        out, err = self.capsys.readouterr()
        return code, out, err


@asynccontextmanager
async def open_shop(store: Store, folder: Path, capsys: pytest.CaptureFixture[str]) -> AsyncIterator[Shop]:
    """As a running collector is found: by `control.json` of its data folder."""
    context = context_of(store, folder)
    await broken_shop().store(store)
    app, admin = FastAPI(), AdminDoor(context.control.keys, TOKEN)
    for routes in (build_measures, build_verdicts, build_feedback, build_api):
        app.include_router(routes(context))
    app.include_router(build_marks(context, ImportDoor(context.control, TOKEN), admin))
    app.include_router(build_shares(context, admin))
    config, data = folder / "collector.yaml", folder / "running"
    data.mkdir()
    config.write_text(f"data: {data}\n")
    async with served(Guard(app, frozenset({"127.0.0.1"}), context.control.keys, needs_key=True, token=TOKEN)) as web:
        (data / "control.json").write_text(json.dumps({"pid": os.getpid(), "token": TOKEN, "web": web}))
        yield Shop(context, config, web, capsys)
    context.control.close()
