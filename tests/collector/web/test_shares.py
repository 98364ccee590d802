"""Links to frozen reports: made and ended by an admin, read by whoever has one, the same for ever."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import httpx2
import pytest
from fastapi import FastAPI

from sojourn_collector.context import Context
from sojourn_collector.store.client import Store
from sojourn_collector.store.control.keys import Scope
from sojourn_collector.web.admin_door import AdminDoor
from sojourn_collector.web.guard import Guard
from sojourn_collector.web.shares import build_shares
from tests.collector.web.stage import NOW, broken_shop, context_of

TOKEN = "token-of-the-process"
ADMIN = {"authorization": f"Bearer {TOKEN}"}


@dataclass
class Link:
    """The routes behind a guard that asks for keys, and a clock that can be moved."""

    http: httpx2.AsyncClient
    context: Context
    now: list[datetime]


@pytest.fixture
async def link(store: Store, tmp_path: Path) -> AsyncIterator[Link]:
    now = [NOW]
    context = replace(context_of(store, tmp_path), clock=lambda: now[0])
    app = FastAPI()
    app.include_router(build_shares(context, AdminDoor(context.control.keys, TOKEN)))
    guard = Guard(app, frozenset({"sojourn.example"}), context.control.keys, needs_key=True, token=TOKEN)
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(guard), base_url="http://sojourn.example", timeout=30) as http:
        yield Link(http, context, now)
    context.control.close()


async def test_a_link_shows_what_was_when_it_was_made(link: Link, store: Store) -> None:
    """Without a key, frozen: what is stored afterwards changes nothing; nobody's name is on it; it ends in time."""
    rows = broken_shop()
    rows.people.append({"source": "crm", "id": "u0", "version": 1, "name": "Ada Berger"})
    await rows.store(store)
    made = await link.http.post("/api/v1/admin/shares", json={"title": "Pay <b>broke</b>", "days": 2}, headers=ADMIN)
    assert made.status_code == 201
    page = await link.http.get(made.json()["path"])
    assert page.status_code == 200
    assert "41" in page.text
    assert "Pay &lt;b&gt;broke&lt;/b&gt;" in page.text
    assert "Ada Berger" not in page.text
    assert "script-src" not in page.headers["content-security-policy"]
    assert page.headers["cache-control"] == "no-store"
    later = broken_shop(usual=False)
    await later.store(store)
    assert (await link.http.get(made.json()["path"])).text.replace("\n", "") == page.text.replace("\n", "")
    (seen,) = (await link.http.get("/api/v1/admin/shares", headers=ADMIN)).json()
    assert (seen["id"], seen["title"], seen["actor"]) == (made.json()["id"], "Pay <b>broke</b>", "cli")
    assert made.json()["path"].removeprefix("/shared/") not in str(seen)
    link.now[0] = NOW + timedelta(days=2)
    assert (await link.http.get(made.json()["path"])).status_code == 404


async def test_an_ended_link_leads_nowhere_and_the_deeds_are_written_down(link: Link) -> None:
    """DELETE ends it; both deeds are in the audit log."""
    made = (await link.http.post("/api/v1/admin/shares", headers=ADMIN)).json()
    assert (await link.http.delete(f"/api/v1/admin/shares/{made['id']}", headers=ADMIN)).status_code == 204
    assert (await link.http.get(made["path"])).status_code == 404
    again = await link.http.delete(f"/api/v1/admin/shares/{made['id']}", headers=ADMIN)
    assert (again.status_code, again.json()) == (404, {"error": f"There is no link '{made['id']}'."})
    assert [deed.action for deed in await link.context.control.audit.list()] == ["share.end", "share.create"]


async def test_only_an_admin_makes_or_sees_links(link: Link) -> None:
    """A key that may read the report may not give it away; a wrong or long secret finds nothing."""
    reader = await link.context.control.keys.create("reader", [Scope.READ])
    for method, path in (("POST", "/api/v1/admin/shares"), ("GET", "/api/v1/admin/shares"), ("DELETE", "/api/v1/admin/shares/x")):
        answer = await link.http.request(method, path, headers={"authorization": f"Bearer {reader.text}"})
        assert (answer.status_code, answer.json()["error"]) == (401, "A key with the scope admin is needed: Authorization: Bearer sj_…")
    assert (await link.http.get("/shared/" + "a" * 32)).status_code == 404
    assert (await link.http.get("/shared/" + "a" * 5000)).status_code == 404


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("{", 'The body is not JSON; send an object such as {"title": "Monday", "days": 14}.'),
        ("[1]", 'The body must be a JSON object such as {"title": "Monday", "days": 14}.'),
        ('{"days": 0}', "days: Input should be greater than or equal to 1."),
        ('{"days": "many"}', "days: Input should be a valid integer."),
        ('{"shoe": 1}', "shoe: Extra inputs are not permitted."),
        ("[" * 100_000, "The body is larger than 16 KiB."),
        ("[" * 16_000, 'The body is not JSON; send an object such as {"title": "Monday", "days": 14}.'),
        ('{"from": "yesterday"}', "from: Input should be a valid datetime or date, input is too short."),
    ],
)
async def test_a_hostile_body_is_one_sentence(link: Link, body: str, sentence: str) -> None:
    """422, and nothing is kept."""
    answer = await link.http.post("/api/v1/admin/shares", content=body, headers=ADMIN)
    assert (answer.status_code, answer.json()["error"].rstrip(".")) == (422, sentence.rstrip("."))
    assert (await link.http.get("/api/v1/admin/shares", headers=ADMIN)).json() == []
