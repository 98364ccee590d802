"""Segment's messages become orders, people and accounts: by SDK and by webhook, once, in any order, with consent."""

import itertools
from datetime import timedelta
from decimal import Decimal
from typing import Any

from sojourn_collector.sources.email import email_digest
from sojourn_collector.sources.records import EventReading, Records
from sojourn_collector.store.control import Scope
from sojourn_collector.store.told import said_by_key
from sojourn_probes.marks import make_mark
from tests.collector.sources.conftest import Opening
from tests.collector.sources.segment_sender import BOUGHT, batch, key_of, message, order, post
from tests.collector.sources.test_intake import uuid7
from tests.collector.sources.webhook_rig import NOW, PROBE_KEYS, settings


async def test_an_order(opened: Opening) -> None:
    """Revenue goes before total, exact, with its session, person and account; what was bought and who was anonymous is not kept."""
    desk = await opened()
    await batch(desk, order(context={"groupId": "acme", "ip": "10.0.0.1", "userAgent": "x", "traits": {"email": "Jo@example.com", "firstName": "Jo"}}))
    row = (await desk.records())["orders"]["o-1"]
    assert (row["source"], row["amount"], row["currency"], row["status"], row["refunded"]) == ("segment", Decimal("55.2000"), "EUR", "completed", 0)
    assert (row["ts"].isoformat(), row["given_session_id"], row["user_id"], row["account_id"]) == ("2026-03-01T11:00:00+00:00", "s-1", "u-1", "acme")
    assert row["email_sha256"] == email_digest("jo@example.com")
    kept = str(await desk.bodies())
    assert not [word for word in ("IPod", "a-1", "10.0.0.1", "Jo", "27.6") if word in kept]


async def test_amounts(opened: Opening) -> None:
    """Text and number, with the noise of floats and without it, and yen are yen."""
    told: list[tuple[dict[str, Any], str]] = [
        ({"revenue": None, "total": 62}, "62"),
        ({"revenue": "19.99"}, "19.99"),
        ({"revenue": 0, "total": 5}, "0"),
        ({"revenue": 0.1 + 0.2, "currency": "usd"}, "0.3"),
        ({"revenue": 1e-7}, "0"),
        ({"revenue": 1500, "currency": "JPY"}, "1500"),
    ]
    desk = await opened()
    await batch(desk, *(order(messageId=str(n), properties={**BOUGHT, **one, "order_id": str(n)}) for n, (one, _) in enumerate(told)))
    rows = (await desk.records())["orders"]
    assert [rows[str(n)]["amount"] for n in range(len(told))] == [Decimal(amount) for _, amount in told]


async def test_an_order_in_any_order(opened: Opening) -> None:
    """Completed, updated, two part refunds and one of them again: whatever comes first, it is one order with what was given back."""
    parts = [
        order(),
        order("Order Updated", timestamp="2026-03-01T11:10:00Z", properties={**BOUGHT, "revenue": 60}),
        order("Order Refunded", messageId="r1", timestamp="2026-03-01T11:20:00Z", properties={"order_id": "o-1", "total": 10, "currency": "EUR"}),
        order("Order Refunded", messageId="r2", timestamp="2026-03-01T11:30:00Z", properties={"order_id": "o-1", "products": [{"price": 2.5, "quantity": 2}]}),
        order("Order Refunded", messageId="r1", timestamp="2026-03-01T11:20:00Z", properties={"order_id": "o-1", "total": 10, "currency": "EUR"}),
    ]
    desk = await opened()
    for number, shuffled in enumerate(list(itertools.permutations(parts))[::23]):
        named = [{**one, "messageId": f"{number}-{one['messageId']}", "properties": {**one["properties"], "order_id": f"o{number}"}} for one in shuffled]
        for one in named:
            await batch(desk, one)
    for row in (await desk.records())["orders"].values():
        assert (row["amount"], row["refunded"], row["status"]) == (60, 15, "completed")
    assert await desk.errors() == []


async def test_a_whole_refund_and_a_cancelled_order(opened: Opening) -> None:
    """A refund that says no amount is all of it; a cancelled order counts nothing."""
    desk = await opened()
    later = {"timestamp": "2026-03-01T11:30:00Z"}
    await batch(desk, order(), order("Order Refunded", properties={"order_id": "o-1"}, **later))
    await batch(desk, order(messageId="2", properties={**BOUGHT, "order_id": "o-2"}), order("Order Cancelled", properties={"order_id": "o-2"}, **later))
    rows = (await desk.records())["orders"]
    assert (rows["o-1"]["refunded"], rows["o-1"]["status"], rows["o-2"]["status"]) == (Decimal("55.2"), "refunded", "cancelled")


async def test_tests_and_probes(opened: Opening) -> None:
    """What is marked as a test is no order; a probe's is marked as one, by its mark or by the sender's word."""
    mark = make_mark(uuid7(NOW - timedelta(hours=1)), "k1", PROBE_KEYS["k1"], NOW.timestamp() - 3600)
    desk = await opened()
    await batch(
        desk,
        order(messageId="1", properties={**BOUGHT, "order_id": "t", "test": True}),
        order(messageId="2", properties={**BOUGHT, "order_id": "p", "sojourn_probe": mark}),
        order(messageId="3", properties={**BOUGHT, "order_id": "q", "probe": True}),
        order(messageId="4", properties={**BOUGHT, "order_id": "f", "sojourn_probe": mark[:-2] + "00"}),
    )
    assert {ident: row["probe"] for ident, row in (await desk.records())["orders"].items()} == {"p": True, "q": True, "f": False}


async def test_what_an_order_lacks_is_said(opened: Opening) -> None:
    """Without an id, an amount or a currency the message is kept and says why; nothing is guessed."""
    desk = await opened()
    await batch(
        desk,
        order(messageId="1", properties={"revenue": 5, "currency": "EUR"}),
        order(messageId="2", properties={"order_id": "a", "revenue": 5}),
        order(messageId="3", properties={"order_id": "b", "currency": "EUR"}),
        order("Order Refunded", messageId="4", properties={"order_id": "c", "total": 5}),
    )
    assert "orders" not in await desk.records()
    assert await desk.errors() == [
        "properties.order_id is missing from the event",
        "orders a: currency is missing",
        "orders b: amount is missing",
        "orders c: at is missing; amount is missing; currency is missing",
    ]


async def test_people_and_accounts(opened: Opening) -> None:
    """identify and group, in parts: roles, the digest of the address, the company and who belongs to it; no names of persons."""
    desk = await opened()
    await batch(
        desk,
        message("identify", traits={"email": "jo@example.com", "name": "Jo Doe", "phone": "+49 30 1234567", "role": "buyer"}),
        message("group", groupId="acme", traits={"name": "Acme", "plan": "pro", "industry": "retail", "mrr": 99.5, "currency": "EUR", "owner": "Kim"}),
        message("group", messageId="m-2", groupId="acme", timestamp="2026-03-01T11:05:00Z", traits={"plan": "free"}),
        message("identify", messageId="m-3", userId=None, traits={"email": "x@example.com"}),
        message("alias", previousId="a-1"),
    )
    rows = await desk.records()
    person, account = rows["people"]["u-1"], rows["accounts"]["acme"]
    assert (person["email_sha256"], person["role"], person["account_id"], person["name"], person["consent"]) == (
        email_digest("jo@example.com"),
        "buyer",
        "acme",
        "",
        "unknown",
    )
    assert (account["name"], account["plan"], account["segment"], account["mrr"], account["owner"]) == ("Acme", "free", "retail", Decimal("99.5"), "Kim")
    assert list(rows["people"]) == ["u-1"]
    assert "Doe" not in str(await desk.bodies())


async def test_each_fact_is_as_old_as_the_event_that_said_it(opened: Opening) -> None:
    """A later event that tells only a name makes no older plan newer than what another feed says; a clock ahead tells nothing of the future."""
    desk = await opened()
    await batch(
        desk,
        message("group", groupId="acme", timestamp="2026-03-01T11:00:00Z", traits={"name": "Acme", "plan": "pro"}),
        message("group", messageId="m-2", groupId="acme", timestamp="2026-03-01T11:05:00Z", traits={"name": "ACME"}),
    )
    records = Records(desk.control, EventReading(desk.context.webhooks), desk.context.secrets, desk.context.clock)
    rows = [record for told, _ in await records(await desk.control.inbox.waiting()) for record in told if record.kind == "accounts"]
    assert {key: at.strftime("%H:%M") for key, at in rows[-1].times.items()} == {"name": "11:05", "plan": "11:00"}
    assert rows[-1].row["plan"] == "pro"
    columns = said_by_key(rows[-1].times, 5)
    assert columns["said"] - columns["said_before"].pop("plan") == 300_000_000
    assert columns["said_before"] == {}


async def test_consent(opened: Opening) -> None:
    """Without consent the visitor id is not kept; where it is denied nobody is named, and the order still counts."""
    told: list[tuple[Any, str]] = [
        ("denied", "denied"),
        ({"categoryPreferences": {"Analytics": False, "Advertising": True}}, "denied"),
        ({"categoryPreferences": {"analytics": True, "performance": "yes"}}, "denied"),
        ("granted", "granted"),
        ({"categoryPreferences": {"C0002": True}}, "granted"),
        ({"categoryPreferences": {"Advertising": True}}, "unknown"),
        (None, "unknown"),
    ]
    desk = await opened()
    for number, (consent, _) in enumerate(told):
        context = {"consent": consent, "traits": {"email": f"jo{number}@example.com"}}
        whose: dict[str, Any] = {"userId": f"u{number}", "anonymousId": f"a{number}", "context": context}
        await batch(
            desk, order(messageId=f"o{number}", properties={**BOUGHT, "order_id": str(number)}, **whose), message("identify", messageId=f"i{number}", **whose)
        )
    rows, kept = await desk.records(), str(await desk.bodies())
    for number, (_, means) in enumerate(told):
        row, named = rows["orders"][str(number)], means != "denied"
        assert (row["user_id"], bool(row["email_sha256"]), row["amount"]) == (f"u{number}" if named else "", named, Decimal("55.2"))
        assert (f"'a{number}'" in kept, f"'u{number}'" in kept) == (means == "granted", named)
        assert rows["people"].get(f"u{number}", {}).get("consent") == (means if named else None)


async def test_the_sender_s_clock(opened: Opening) -> None:
    """A time is as long before its arrival as the sender says it was before it was sent; what has no time is of now, and nothing lies ahead."""
    desk = await opened()
    ahead = NOW + timedelta(days=400)
    for number, (happened, sent, minutes) in enumerate(
        [(ahead, ahead + timedelta(minutes=7), 7), (NOW - timedelta(minutes=9), None, 9), (None, ahead, 0), (ahead, None, 0), (ahead, NOW, 0)]
    ):
        one = order(messageId=str(number), properties={**BOUGHT, "order_id": str(number)}, timestamp=happened and happened.isoformat())
        await post(desk, {"batch": [one], **({"sentAt": sent.isoformat()} if sent else {})})
        row = (await desk.records())["orders"][str(number)]
        assert row["ts"] == NOW - timedelta(minutes=minutes)


async def test_by_webhook(opened: Opening) -> None:
    """Segment's own webhook, signed, and RudderStack's under a key of ours, make the same rows of the same messages; the time is as delivered."""
    desk = await opened(cdp=settings("segment"), rudder=settings("segment", secret=None, session_field="visit"))
    told = {**order(), "sentAt": NOW.isoformat(), "receivedAt": NOW.isoformat(), "originalTimestamp": "2031-01-01T00:00:00Z"}
    await desk.take("cdp", told)
    headers = {"authorization": f"Bearer {await key_of(desk)}"}
    assert (await desk.send("rudder", order(properties={**BOUGHT, "order_id": "o-2", "visit": "s-2"}), headers)).status_code == 200
    rows = (await desk.records())["orders"]
    assert (rows["o-1"]["source"], rows["o-1"]["ts"].isoformat(), rows["o-1"]["user_id"]) == ("cdp", "2026-03-01T11:00:00+00:00", "u-1")
    assert (rows["o-2"]["source"], rows["o-2"]["given_session_id"]) == ("rudder", "s-2")
    assert (await desk.send("rudder", order())).status_code == 401


async def test_rudderstack_s_own_session_is_none_of_ours(opened: Opening) -> None:
    """A session id of digits finds no visit and is left out, so that the person's visit can be found."""
    desk = await opened()
    mine = {key: value for key, value in BOUGHT.items() if key != "session_id"}
    await batch(
        desk,
        order(messageId="1", properties=mine, context={"sessionId": 1662362497}),
        order(messageId="2", properties={**mine, "order_id": "o-2"}, context={"sessionId": "s-7"}),
    )
    rows = (await desk.records())["orders"]
    assert (rows["o-1"]["given_session_id"], rows["o-2"]["given_session_id"]) == ("", "s-7")


async def test_usage(opened: Opening) -> None:
    """Events, pages and screens say who used what, at which visit, with plain properties; a probe uses nothing, a visitor id needs consent."""
    desk = await opened()
    searched = {"query": "shoes, call +49 30 1234567", "results": 3, "sorted": True, "url": "https://x/?token=1", "nested": {"a": 1}, "session_id": "s-1"}
    await batch(
        desk,
        message("track", messageId="1", event=" Products  Searched ", properties=searched, context={"groupId": "acme"}),
        message("page", messageId="2", name="Cart", userId=None, context={"consent": "granted"}),
        message("page", messageId="3", userId=None, properties={"path": "/cart"}),
        message("screen", messageId="4", name="Home", context={"consent": "denied", "sessionId": "s-2"}),
        message("track", messageId="5", event="x", properties={"probe": True}),
        message("track", messageId="6", event=" "),
        order(messageId="7"),
        message("track", messageId="8", event="e" * 400, properties={f"p{n}": n for n in range(60)}),
    )
    rows = (await desk.records())["usage"]
    who = {ident: (row["event"][:17], row["user_id"], row["visitor_id"], row["given_session_id"]) for ident, row in rows.items()}
    assert who == {
        "1": ("Products Searched", "u-1", "", "s-1"),
        "2": ("page: Cart", "", "a-1", ""),
        "3": ("page: /cart", "", "", ""),
        "4": ("screen: Home", "", "", "s-2"),
        "7": ("Order Completed", "u-1", "", "s-1"),
        "8": ("e" * 17, "u-1", "", ""),
    }
    assert (rows["1"]["account_id"], rows["1"]["attrs"]) == ("acme", {"query": "shoes, call [phone]", "results": "3", "sorted": "true"})
    assert (len(rows["8"]["event"]), len(rows["8"]["attrs"])) == (200, 50)
    assert await desk.errors() == ["event is missing: a track says what was done"]


async def test_usage_under_a_key_that_stands_in_a_page(opened: Opening) -> None:
    """What pages say was used counts, also of an order that does not."""
    desk = await opened()
    await post(desk, {"batch": [order(), message("page", name="Cart")]}, key=await key_of(desk, Scope.PAGE))
    rows = await desk.records()
    assert {table: sorted(row["event"] for row in found.values()) for table, found in rows.items()} == {"usage": ["Order Completed", "page: Cart"]}
