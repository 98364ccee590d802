"""The admin API of erasures, exports and backups: who may ask, and what becomes of bodies that make no sense."""

import io
import json
import zipfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI

from sojourn_collector.config import CollectorConfig, ImpactConfig
from sojourn_collector.context import Context, now
from sojourn_collector.join.journeys import JourneyFolder
from sojourn_collector.store.backup import Backup
from sojourn_collector.store.client import Store
from sojourn_collector.store.control.keys import Scope
from sojourn_collector.web.admin_door import AdminDoor
from sojourn_collector.web.erasures import build_erasures
from sojourn_collector.web.exports import build_exports
from tests.collector.erasure.people import Customer, ago
from tests.collector.erasure.rig import Rig, rig

TOKEN = "token-of-the-process"
OWN = {"authorization": f"Bearer {TOKEN}"}
PATHS = (
    ("POST", "erasures", {"person": "ann"}),
    ("GET", "erasures", None),
    ("GET", "erasures/1", None),
    ("POST", "exports", {"person": "ann"}),
    ("POST", "tables", {"table": "spans", "begin": "2026-01-01T00:00:00Z", "end": "2026-01-02T00:00:00Z", "folder": "/nowhere"}),
    ("POST", "backups", {"folder": "/nowhere"}),
)


@dataclass
class Door:
    """The API and what lies behind it."""

    http: httpx2.AsyncClient
    parts: Rig

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> httpx2.Response:
        """One request; a body of bytes goes as it is."""
        content = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        return await self.http.request(method, f"/api/v1/admin/{path}", content=content, headers=headers or OWN)


@pytest.fixture
async def door(tmp_path: Path, store: Store) -> AsyncIterator[Door]:
    """Built as `app.build_web` does."""
    async with rig(tmp_path / "data", store) as parts:
        config = CollectorConfig(data=tmp_path / "data")
        context = Context(store, parts.control, JourneyFolder(tmp_path), ImpactConfig(), config, parts.loader, now)
        admin = AdminDoor(parts.control.keys, TOKEN)
        app = FastAPI()
        app.include_router(build_erasures(parts.eraser, parts.control, admin))
        backup = Backup(config.data, store, parts.control, parts.journal, parts.loader, parts.turns)
        app.include_router(build_exports(context, parts.eraser, backup, admin))
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://127.0.0.1") as http:
            yield Door(http, parts)


async def test_only_admins_ask_and_only_this_machine_writes_to_its_disk(door: Door, tmp_path: Path):
    """No key or one of another scope: 401 everywhere, nothing begun. An admin's key does all but have files written here: 403."""
    reader = await door.parts.control.keys.create("reader", [Scope.READ, Scope.OTLP, Scope.SOURCES])
    for method, path, body in PATHS:
        for given in ("Bearer ", f"Bearer {reader.text}", f"Basic {TOKEN}"):
            answer = await door.ask(method, path, body, authorization=given)
            assert (answer.status_code, answer.json()) == (401, {"error": "A key with the scope admin is needed: Authorization: Bearer sj_…"})
    assert await door.parts.control.erasures.list() == []
    admin = await door.parts.control.keys.create("admin", [Scope.ADMIN])
    answers = [(await door.ask(method, path, body, authorization=f"Bearer {admin.text}")).status_code for method, path, body in PATHS]
    assert answers == [202, 200, 200, 200, 403, 403]
    assert [row.actor for row in await door.parts.control.erasures.list()] == [admin.key.id]


HOSTILE = {
    "nothing": b"",
    "no JSON": b"{",
    "no UTF-8": b'{"person": "\xff"}',
    "a list": b"[]",
    "deep": b"[" * 10_000,
    "large": b'{"person": "' + b"u" * 200_000 + b'"}',
    "nobody": b"{}",
    "two": b'{"person": "a", "session": "b"}',
    "a number": b'{"person": 5}',
    "blank": b'{"person": " "}',
    "half a letter": b'{"person": "\\ud800"}',
    "too long": json.dumps({"person": "u" * 16_385}).encode(),
    "an unknown key": b'{"person": "a", "and": "b"}',
    "a huge number": b'{"person": 1' + b"0" * 5000 + b"}",
    "not a number": b'{"person": NaN}',
}


@pytest.mark.parametrize("path", ["erasures", "exports", "tables", "backups"])
async def test_a_body_that_makes_no_sense_is_one_sentence(door: Door, path: str):
    """422, an error of one line without the text that was sent; nothing begun."""
    for what, body in HOSTILE.items():
        answer = await door.ask("POST", path, body)
        assert answer.status_code == 422, what
        assert list(answer.json()) == ["error"], what
        assert "\n" not in answer.json()["error"], what
        assert len(answer.json()["error"]) < 300, what
    assert await door.parts.control.erasures.list() == []


async def test_sentences(door: Door):
    """Place and cure."""

    async def said(path: str, body: Any) -> str:
        return str((await door.ask("POST", path, body)).json()["error"])

    assert await said("erasures", b"{") == 'The body is not JSON; send an object such as {"person": "u12", "dry_run": true}.'
    assert await said("erasures", {}) == "Name one of person, session and account."
    assert await said("erasures", {"person": "a", "orders": "burn"}) == "orders: Input should be 'strip' or 'delete'."
    assert await said("exports", {"person": "a", "account": "b"}) == "Name one of person, session and account."
    assert await said("tables", {"table": "spans"}) == "Begin: Field required."
    assert (await door.ask("GET", "erasures/9")).json() == {"error": "There is no erasure 9."}


async def test_a_table_that_is_none_is_told_at_the_end(door: Door, tmp_path: Path):
    """The head has gone out when it is found; the last line says it, and no file is made."""
    body = {"table": "system.users; --", "begin": "2026-01-01T00:00:00Z", "end": "2026-01-02T00:00:00Z", "folder": str(tmp_path / "out")}
    (line,) = (await door.ask("POST", "tables", body)).text.splitlines()
    assert json.loads(line)["error"].startswith("there is no table 'system.users; --' to export; there are spans, events")
    assert not (tmp_path / "out").exists()


async def test_a_look_an_erasure_and_a_copy(door: Door):
    """A dry run tells names and counts and changes nothing; a copy is a ZIP of theirs alone; an erasure is accepted and told as a digest."""
    mine, other = Customer("mine"), Customer("other")
    for who in (mine, other):
        await door.parts.load("traces", who.spans(ago(5)))
    look = (await door.ask("POST", "erasures", {"person": mine.user, "dry_run": True})).json()
    assert (look["names"]["sessions"], look["counts"]["spans"]) == (mine.sessions, 5)
    assert await door.parts.count("spans") == 10
    answer = await door.ask("POST", "exports", {"person": mine.user})
    assert (answer.headers["content-type"], answer.headers["cache-control"]) == ("application/zip", "no-store")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as packed:
        assert sorted(packed.namelist()) == ["README.txt", "spans.jsonl"]
        assert len(packed.read("spans.jsonl").splitlines()) == 5
        assert other.name.encode() not in packed.read("spans.jsonl")
    accepted = await door.ask("POST", "erasures", {"person": mine.user})
    assert (accepted.status_code, accepted.json()["id"]) == (202, 1)
    await door.parts.eraser.work()
    seen = (await door.ask("GET", "erasures/1")).json()
    assert (seen["state"], seen["counts"], seen["actor"]) == ("done", {"spans": 5}, "cli")
    assert mine.name not in json.dumps(seen)
    assert [deed.action for deed in await door.parts.control.audit.list()][::-1] == ["export.subject", "erasure.ask", "erasure.done"]
