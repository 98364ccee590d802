"""What people and accounts used, and what is being sold to accounts: in the API, beside what they lived through."""

from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from sojourn_collector.sources.email import email_digest
from sojourn_collector.store.client import Store
from tests.collector.web.stage import NOW, Rows, context_of
from tests.collector.web.test_lists import client_of


@pytest.fixture
async def client(store: Store, tmp_path: Path) -> AsyncIterator[httpx2.AsyncClient]:
    context = context_of(store, tmp_path)
    async with client_of(context) as one:
        yield one
    context.control.close()


def used(number: int, days_ago: float, event: str = "report opened", **more: Any) -> dict[str, Any]:
    """A row of usage."""
    return {"source": "app", "id": f"e{number}", "ts": NOW - timedelta(days=days_ago), "event": event, "version": 1, **more}


def deal(number: int, **more: Any) -> dict[str, Any]:
    """A row of deals."""
    return {"source": "crm", "id": f"d{number}", "account_id": "acme", "status": "open", "amount": 100, "currency": "EUR", "version": 1, **more}


async def test_nothing_was_told(store: Store, client: httpx2.AsyncClient) -> None:
    """Without any usage or deal both are unknown, not zero."""
    rows = Rows()
    rows.accounts = [{"source": "crm", "id": "acme", "name": "Acme", "version": 1}]
    await rows.store(store)
    (item,) = (await client.get("/api/v1/accounts")).json()["items"]
    assert (item["usage"], item["pipeline"]) == (None, None)
    assert (await client.get("/api/v1/people/user:nobody")).status_code == 404


async def test_accounts_and_people(store: Store, client: httpx2.AsyncClient) -> None:
    """Use counts once, for the account of the event or of its person, 28 days against the 28 before; open deals by currency."""
    rows = Rows()
    rows.accounts = [{"source": "crm", "id": one, "name": one.title(), "version": 1} for one in ("acme", "idle")]
    rows.people = [{"source": "crm", "id": "u1", "account_id": "acme", "version": 1}]
    rows.usage = [
        used(1, 1, user_id="u1"),
        used(1, 1, user_id="u1") | {"version": 2},
        used(2, 1.01, user_id="u1"),
        used(3, 5, "export made", user_id="u1", account_id="acme"),
        used(4, 3, user_id="u2", account_id="acme"),
        used(5, 30, user_id="u1"),
        used(6, 55, user_id="u1"),
        used(7, 80, user_id="u3", account_id="idle"),
        used(8, 1, user_id="u9", account_id="other"),
        used(9, 1, user_id="u1") | {"deleted": 1},
        used(10, 2, visitor_id="v1"),
        used(11, 2, given_session_id="s1"),
        used(12, 100, user_id="u4"),
    ]
    rows.deals = [
        deal(1),
        deal(2, amount=50.5, closes_on=date(2026, 6, 30)),
        deal(3, currency="USD", closes_on=date(2026, 5, 1)),
        deal(4, amount=None, currency=""),
        deal(5, status="won"),
        deal(6, status="lost"),
        deal(7, account_id="other"),
    ]
    await rows.store(store)
    items = {one["account_id"]: one for one in (await client.get("/api/v1/accounts")).json()["items"]}
    used_by_acme = {key: value for key, value in items["acme"]["usage"].items() if key != "last"}
    assert used_by_acme == {"days": 3, "users": 2, "times": 4, "times_before": 2}
    assert items["acme"]["pipeline"] == {"deals": 4, "unpriced": 1, "worth": {"EUR": 150.5, "USD": 100.0}, "next_close": "2026-05-01"}
    assert (items["idle"]["usage"]["times"], items["idle"]["usage"]["days"], items["idle"]["pipeline"]["deals"]) == (0, 0, 0)

    usage = (await client.get("/api/v1/people/user:u1")).json()["usage"]
    assert (usage["days"], usage["times"], usage["times_before"]) == (2, 3, 2)
    assert [(one["event"], one["times"]) for one in usage["events"]] == [("report opened", 2), ("export made", 1)]
    for ident in ("visitor:v1", "visit:s1"):
        assert (await client.get(f"/api/v1/people/{ident}")).json()["usage"]["times"] == 1
    assert (await client.get("/api/v1/people/user:u4")).status_code == 404


async def test_the_name_of_an_owner(store: Store, client: httpx2.AsyncClient) -> None:
    """An account's owner by the id or the address it says; the newest of several feeds; who is not told of has no name, and what is said stays as it is."""
    rows = Rows()
    said = {"a1": "77", "a2": "Ann@Shop.example", "a3": "Bob", "a4": "", "a5": "gone"}
    rows.accounts = [{"source": "crm", "id": one, "owner": owner, "version": 1} for one, owner in said.items()]
    told = {"source": "crm", "email_sha256": email_digest("ann@shop.example"), "team": "South", "received": NOW}
    rows.owners = [
        {**told, "id": "77", "name": "Ann Bell", "version": 2},
        {**told, "source": "file", "id": "77", "name": "Anne", "version": 1},
        {**told, "id": "gone", "name": "Gone", "version": 1, "deleted": 1, "email_sha256": ""},
    ]
    await rows.store(store)
    items = (await client.get("/api/v1/accounts")).json()["items"]
    assert [(one["owner"], one["owner_name"], one["owner_team"]) for one in items] == [
        ("77", "Ann Bell", "South"),
        ("Ann@Shop.example", "Ann Bell", "South"),
        ("Bob", "", ""),
        ("", "", ""),
        ("gone", "", ""),
    ]
    (one,) = (await client.get("/api/v1/accounts", params={"owner": "77"})).json()["items"]
    assert one["account_id"] == "a1"
