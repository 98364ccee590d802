"""The admin routes: only for whoever holds an admin key or the process's own token."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI

from sojourn_collector.store.control.control import Control
from sojourn_collector.store.control.keys import Scope
from sojourn_collector.store.journal import Journal
from sojourn_collector.store.letters import Letters
from sojourn_collector.web.admin import build_admin
from sojourn_collector.web.admin_door import AdminDoor
from tests.collector.control_file import open_control
from tests.collector.store.test_letters import NOW, record

TOKEN = "token-of-the-process"


@dataclass
class Door:
    """The routes, and what is behind them."""

    http: httpx2.AsyncClient
    control: Control
    folder: Path

    async def replay(self, ident: Any, authorization: str = f"Bearer {TOKEN}") -> httpx2.Response:
        return await self.http.post(f"/api/v1/admin/dead-letters/{ident}/replay", headers={"authorization": authorization} if authorization else {})


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    control, journal, folder = open_control(tmp_path / "control.sqlite"), Journal(tmp_path / "journal"), tmp_path / "dead"
    folder.mkdir()
    (folder / "1.pb").write_bytes(record(b"x").encode())
    await control.dead_letters.add("traces", "refused", "1.pb", NOW)
    await journal.open()
    app = FastAPI()
    app.include_router(build_admin(Letters(control, folder, journal), AdminDoor(control.keys, TOKEN)))
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://127.0.0.1") as http:
        yield Door(http, control, folder)
    await journal.close()
    control.close()


async def test_only_an_admin_may(door: Door):
    """No key, a wrong one, one of another scope, a password: 401 and nothing happens; an admin's key and the process's token do."""
    reader = await door.control.keys.create("reader", [Scope.READ, Scope.OTLP, Scope.SOURCES])
    for authorization in ("", "Bearer ", "Bearer sj_a_b", f"Bearer {reader.text}", f"Basic {TOKEN}", f"bearer {TOKEN}x"):
        answer = await door.replay(1, authorization)
        assert (answer.status_code, answer.json()) == (401, {"error": "A key with the scope admin is needed: Authorization: Bearer sj_…"})
    assert (door.folder / "1.pb").exists()
    admin = await door.control.keys.create("admin", [Scope.ADMIN])
    answer = await door.replay(1, f"Bearer {admin.text}")
    assert (answer.status_code, answer.json()) == (200, {"seq": 1})
    (deed,) = await door.control.audit.list()
    assert deed.actor == admin.key.id


@pytest.mark.parametrize(("ident", "status"), [(2, 404), (0, 422), (-1, 422), ("x", 422), ("1%00", 422), (10**30, 422)])
async def test_what_is_not_there_is_said(door: Door, ident: Any, status: int):
    """Another id is 404, what is no id 422; the letter stays."""
    answer = await door.replay(ident)
    assert answer.status_code == status
    assert list(answer.json()) == ["error"]
    assert status != 404 or answer.json()["error"] == "There is no dead letter 2; see: sojourn-collector dead-letters."
    assert (door.folder / "1.pb").exists()
