"""Rows that know a person by the digest of an address alone go with them, and stay away."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from sojourn_collector.sources.email import email_digest
from sojourn_collector.store.control.inbox import Arrival
from sojourn_collector.store.erasure.find import find
from sojourn_collector.store.erasure.subject import Subject
from tests.collector.erasure.rig import Rig
from tests.collector.erasure.test_eraser import erase

MINE, OURS = email_digest("joe@example.com"), email_digest("family@example.com")
NOW = datetime.now(UTC)


async def told(parts: Rig, kind: str, ident: str, ago: timedelta = timedelta(hours=1), **row: Any) -> None:
    """A row in the inbox."""
    body = {"id": ident, "at": (NOW - ago).isoformat(), **row}
    await parts.control.inbox.add_many([Arrival(parts.store.tenant, "desk", kind, ident, NOW, json.dumps(body))])


async def test_an_address_of_ones_own(parts: Rig) -> None:
    """Tickets, answers and the like with the address go from tables and inbox; those with an address that others have too, and those of others, stay."""
    await parts.store.insert("people", [{"source": "crm", "id": "user-joe-4711", "email_sha256": MINE, "version": 1}])
    # Another feed's: a newer row of the same feed would replace the one above, whenever the engine merges them.
    await parts.store.insert("people", [{"source": "shop", "id": one, "email_sha256": OURS, "version": 2} for one in ("user-joe-4711", "user-ann-0815")])
    for table in ("tickets", "feedback", "subscriptions", "invitations", "usage"):
        rows = [{"source": "desk", "id": f"{name}", "ts": NOW, "email_sha256": mail, "version": 1} for name, mail in (("mine", MINE), ("ours", OURS))]
        await parts.store.insert(table, [*rows, {"source": "desk", "id": "hers", "ts": NOW, "email_sha256": MINE, "user_id": "user-ann-0815", "version": 1}])
    await told(parts, "tickets", "mine", email_sha256=MINE)
    await told(parts, "tickets", "ours", email_sha256=OURS)
    assert (await find(parts.store, Subject("person", "user-joe-4711"))).emails == {MINE}
    counts = await erase(parts, "person", "user-joe-4711")
    assert {name: counts.get(name) for name in ("tickets", "feedback", "subscriptions", "invitations", "usage", "inbox tickets")} == {
        "tickets": 1,
        "feedback": 1,
        "subscriptions": 1,
        "invitations": 1,
        "usage": 1,
        "inbox tickets": 1,
    }
    for table in ("tickets", "feedback", "subscriptions", "invitations", "usage"):
        assert await parts.count(table) == 2
    assert [row.source_key for row in await parts.control.inbox.after(0)] == ["ours"]


async def test_it_stays_away(parts: Rig) -> None:
    """What is told later under the address and happened before goes again; what happens afterwards is a new person's."""
    await parts.store.insert("people", [{"source": "crm", "id": "user-joe-4711", "email_sha256": MINE, "version": 1}])
    await erase(parts, "person", "user-joe-4711")
    await told(parts, "tickets", "before", email_sha256=MINE)
    await told(parts, "tickets", "after", -timedelta(hours=1), email_sha256=MINE)
    await told(parts, "feedback", "others", email_sha256=OURS)
    kept = await parts.tombstones.sift(await parts.control.inbox.waiting())
    assert sorted(row.source_key for row in kept) == ["after", "others"]


async def test_an_owner_goes_by_their_address(parts: Rig) -> None:
    """Who looks after accounts is a person as well: the row under the digest of their address goes, from table and inbox; the others' stay."""
    await parts.store.insert("people", [{"source": "crm", "id": "user-joe-4711", "email_sha256": MINE, "version": 1}])
    for ident, digest in (("77", MINE), ("78", OURS), ("79", "")):
        await parts.store.insert("owners", [{"source": "crm", "id": ident, "name": "Ann", "email_sha256": digest, "version": 1}])
        await told(parts, "owners", ident, name="Ann", email_sha256=digest)
    found = await erase(parts, "person", "user-joe-4711")
    assert (found["owners"], found["inbox owners"], await parts.count("owners")) == (1, 1, 2)
    assert sorted(row.source_key for row in await parts.control.inbox.after(0)) == ["78", "79"]


async def test_usage_of_a_visitor_and_deals_of_an_account(parts: Rig) -> None:
    """Use under a visitor id goes with the visitor, and what an account is to be sold goes with the account, from tables and inbox; others' stay."""
    for visitor in ("visitor-4711", "visitor-0815"):
        await parts.store.insert("usage", [{"source": "app", "id": visitor, "ts": NOW, "event": "x", "visitor_id": visitor, "version": 1}])
        await told(parts, "usage", visitor, event="x", visitor_id=visitor)
    for account in ("acme-4711", "other-0815"):
        await parts.store.insert("deals", [{"source": "crm", "id": account, "account_id": account, "amount": 5, "currency": "EUR", "version": 1}])
        await told(parts, "deals", account, account_id=account)
    assert await erase(parts, "person", "visitor:visitor-4711") == {"usage": 1, "inbox usage": 1}
    await parts.store.insert(
        "usage", [{"source": "app", "id": "theirs", "ts": NOW, "event": "x", "user_id": "member-4711", "account_id": "acme-4711", "version": 1}]
    )
    assert await erase(parts, "account", "acme-4711") == {"deals": 1, "usage": 1, "inbox deals": 1}
    assert (await parts.count("usage"), await parts.count("deals")) == (1, 1)
    assert sorted(row.source_key for row in await parts.control.inbox.after(0)) == ["other-0815", "visitor-0815"]
