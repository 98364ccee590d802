"""A vendor's delivery at the door: proven or refused, kept whole and scrubbed, once."""

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from sojourn_collector.store.control import Scope
from tests.collector.sources.conftest import Opening
from tests.collector.sources.webhook_rig import NOW, SECRET, SIGNERS, settings

CREATED: dict[str, Any] = {
    "account_id": 22129848,
    "detail": {
        "id": "5158",
        "subject": "Cannot login to mobile app",
        "status": "OPEN",
        "priority": "HIGH",
        "requester_id": "8447388090494",
        "created_at": "2026-03-01T10:12:07Z",
        "updated_at": "2026-03-01T10:12:07Z",
        "via": {"channel": "WEB"},
    },
    "event": {},
    "id": "d4f5c389-8f4a-4c2e-a1b9-8e4f39c71d51",
    "subject": "zen:ticket:5158",
    "time": "2026-03-01T10:12:07.123456789Z",
    "type": "zen:event-type:ticket.created",
    "zendesk_event_version": "2022-11-06",
}


async def test_it_is_kept_whole(opened: Opening) -> None:
    """What was delivered lies in the inbox under the name of its source and its event's id when the answer comes."""
    desk = await opened(helpdesk=settings("zendesk"))
    answer = await desk.send("helpdesk", CREATED)
    assert (answer.status_code, answer.json()) == (200, {"accepted": 1, "rejected": 0, "errors": []})
    (row,) = await desk.control.inbox.waiting()
    assert (row.tenant, row.source, row.kind, row.source_key, row.received_at) == ("default", "helpdesk", "zendesk", CREATED["id"], NOW)
    assert json.loads(row.body) == {"event": CREATED}


async def test_a_redelivery_is_dealt_with_once(opened: Opening) -> None:
    """The same event again, also at the same moment, is answered with 200 and kept once; it is not forgotten when the row is erased."""
    desk = await opened(helpdesk=settings("zendesk"))
    answers = await asyncio.gather(*(desk.send("helpdesk", CREATED) for _ in range(5)))
    assert {answer.status_code for answer in answers} == {200}
    (row,) = await desk.control.inbox.waiting()
    await desk.control.inbox.remove([row.id])
    assert (await desk.send("helpdesk", CREATED)).status_code == 200
    assert await desk.bodies() == []
    assert desk.counters.value("sojourn_webhook_events", source="helpdesk", outcome="seen") == 5
    await desk.control.webhooks.forget_before(NOW + timedelta(seconds=1))
    assert not await desk.control.webhooks.seen("default", "helpdesk", CREATED["id"])


async def test_two_sources_of_one_vendor_are_apart(opened: Opening) -> None:
    """The same id at another source is another event, and the secret of one does not open the other's door."""
    desk = await opened(one=settings("zendesk"), two=settings("zendesk", secret={"env": "BEFORE"}))
    await desk.take("one", CREATED)
    assert (await desk.send("two", CREATED)).status_code == 401
    body = json.dumps(CREATED).encode()
    assert (await desk.send("two", body, SIGNERS["zendesk"](body, "the secret before it", NOW))).status_code == 200
    assert len(await desk.bodies()) == 2


async def test_two_secrets_during_rotation(opened: Opening) -> None:
    """With previous_secret both are good; without it only the new one is."""
    desk = await opened(old=settings("typeform", previous_secret={"env": "BEFORE"}), new=settings("typeform"))
    body = json.dumps({"event_type": "ping", "event_id": "1"}).encode()
    signed = SIGNERS["typeform"](body, "the secret before it", NOW)
    assert (await desk.send("old", body, signed)).status_code == 200
    assert (await desk.send("old", body)).status_code == 200
    assert (await desk.send("new", body, signed)).status_code == 401


@pytest.mark.parametrize(
    ("headers", "sentence"),
    [
        ({}, "The header x-zendesk-webhook-signature is missing; have the vendor sign what it sends."),
        (
            {"x-zendesk-webhook-signature": "x", "x-zendesk-webhook-signature-timestamp": "2026-03-01T12:00:00Z"},
            "The signature in x-zendesk-webhook-signature is not made with the secret of this source; compare it with the vendor's page.",
        ),
        ({"x-zendesk-webhook-signature": "x"}, "The time of the signature is missing or cannot be read."),
        (
            {"x-zendesk-webhook-signature": "x", "x-zendesk-webhook-signature-timestamp": "2026-03-01T11:00:00Z"},
            "The signature is 3600 s away from this clock, more than 300 s; look at the clock of this machine.",
        ),
    ],
)
async def test_what_is_not_proven(opened: Opening, headers: dict[str, str], sentence: str) -> None:
    """It is refused with 401 and one sentence, and nothing is kept; a key of ours opens no vendor's door."""
    desk = await opened(helpdesk=settings("zendesk"))
    key = (await desk.control.keys.create("shop", [Scope.SOURCES])).text
    answer = await desk.send("helpdesk", CREATED, headers | {"authorization": f"Bearer {key}"})
    assert (answer.status_code, answer.json()) == (401, {"error": sentence})
    assert await desk.bodies() == []


async def test_a_replayed_request(opened: Opening) -> None:
    """A request that was overheard is worth nothing after five minutes, and nothing new before."""
    desk = await opened(helpdesk=settings("zendesk"))
    body = json.dumps(CREATED).encode()
    overheard = SIGNERS["zendesk"](body, SECRET, NOW)
    assert (await desk.send("helpdesk", body, overheard)).status_code == 200
    assert (await desk.send("helpdesk", body, overheard)).status_code == 200
    desk.context.now = NOW + timedelta(seconds=301)
    assert (await desk.send("helpdesk", body, overheard)).status_code == 401
    assert len(await desk.bodies()) == 1


@pytest.mark.parametrize(
    ("kind", "header", "body"),
    [
        ("shopify", "x-shopify-webhook-id", {"id": 1, "updated_at": "2026-03-01T10:00:00Z", "total_price": "1.00", "currency": "EUR"}),
        ("chatwoot", "x-chatwoot-delivery", {"event": "conversation_updated", "id": 1, "updated_at": 1_772_359_200, "status": "open"}),
    ],
)
async def test_an_overheard_delivery_under_another_id(opened: Opening, kind: str, header: str, body: dict[str, Any]) -> None:
    """Where the vendor does not sign the id of a delivery, what it did sign is known again under any id; another body is a new event, and so is a later one."""
    desk = await opened(them=settings(kind))
    raw = json.dumps(body).encode()
    overheard = SIGNERS[kind](raw, SECRET, NOW) | {"x-shopify-topic": "orders/updated"}
    for ident in ("first", "first", "another", "a third"):
        assert (await desk.send("them", raw, overheard | {header: ident})).status_code == 200
    assert (len(await desk.bodies()), desk.counters.value("sojourn_webhook_events", source="them", outcome="seen")) == (1, 3)
    await desk.take("them", {**body, "updated_at": "2026-03-01T11:00:00Z"})
    assert len(await desk.bodies()) == 2
    if kind == "chatwoot":  # it signs when it sent, so the same words later are told anew
        desk.context.now += timedelta(seconds=60)
        assert (await desk.send("them", raw, SIGNERS[kind](raw, SECRET, desk.context.now) | {header: "later"})).status_code == 200
        assert len(await desk.bodies()) == 3


async def test_the_same_body_under_another_topic(opened: Opening) -> None:
    """An order is told with the same words when it is placed and when it is paid."""
    desk = await opened(shop=settings("shopify"))
    body = {"id": 1, "updated_at": "2026-03-01T10:00:00Z"}
    for topic in ("orders/partially_fulfilled", "orders/paid"):
        await desk.take("shop", body, x_shopify_topic=topic, x_shopify_webhook_id=topic)
    assert len(await desk.bodies()) == 2


async def test_without_a_signature_nothing_is_read(opened: Opening) -> None:
    """The answer comes although the announced body never does."""
    desk = await opened(helpdesk=settings("zendesk"))
    reader, writer = await asyncio.open_connection("127.0.0.1", int(desk.url.rsplit(":", 1)[1]))
    writer.write(b"POST /api/v1/in/helpdesk HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\n")
    async with asyncio.timeout(10):
        assert (await reader.readline()).startswith(b"HTTP/1.1 401")
    writer.close()
    await writer.wait_closed()


@pytest.mark.parametrize(
    ("body", "status", "sentence"),
    [
        (b"{", 400, "The body is not JSON: Expecting property name enclosed in double quotes at line 1, column 2."),
        (b'{"a": 1', 400, "The body is not JSON: Expecting ',' delimiter at line 1, column 8."),
        (b"\xff\xfe", 400, "The body is not UTF-8."),
        (b"[" * 100_000, 400, "The JSON is nested deeper than 32 levels."),
        (b"[" * 40 + b"]" * 40, 400, "The JSON is nested deeper than 32 levels."),
        (b'{"a": NaN}', 400, "The body is not JSON: NaN is not a number of JSON."),
        (b'{"a": 1, "a": 2}', 400, "The body is not JSON: a key stands twice in one object."),
        (b"x" * (2 << 20) + b"x", 413, "The body is larger than 2 MiB; send it in several requests."),
    ],
)
async def test_hostile_and_truncated_bodies(opened: Opening, body: bytes, status: int, sentence: str) -> None:
    """A signed body that cannot be read is refused with one sentence; nothing is kept."""
    desk = await opened(helpdesk=settings("zendesk"))
    answer = await desk.send("helpdesk", body)
    assert (answer.status_code, answer.json()) == (status, {"error": sentence})
    assert await desk.bodies() == []


@pytest.mark.parametrize("body", [b"[]", b"1", b'"x"', b"null", b"{}", b'{"id": null, "type": 5}', b'{"type": "zen:event-type:ticket.created"}'])
async def test_json_that_is_no_event(opened: Opening, body: bytes) -> None:
    """JSON of another shape is answered with its sentence, never with an error of ours."""
    desk = await opened(helpdesk=settings("zendesk"))
    answer = await desk.send("helpdesk", body)
    assert answer.status_code == (200 if body == b"null" else 400)
    assert await desk.bodies() == []


async def test_an_empty_delivery_and_a_look(opened: Opening) -> None:
    """Vendors try an address with an empty body, HEAD or GET; they get 200, and nothing is kept."""
    desk = await opened(helpdesk=settings("zendesk"))
    assert (await desk.send("helpdesk", b"")).status_code == 200
    assert (await desk.client.head("/api/v1/in/helpdesk")).status_code == 200
    assert (await desk.client.get("/api/v1/in/helpdesk")).status_code == 200
    assert await desk.bodies() == []


async def test_a_slow_body(opened: Opening) -> None:
    """A body that does not arrive is given up."""
    desk = await opened(helpdesk=settings("zendesk"))
    reader, writer = await asyncio.open_connection("127.0.0.1", int(desk.url.rsplit(":", 1)[1]))
    writer.write(b"POST /api/v1/in/helpdesk HTTP/1.1\r\nhost: x\r\nx-zendesk-webhook-signature: x\r\ncontent-length: 100\r\n\r\n{")
    async with asyncio.timeout(10):
        assert (await reader.readline()).startswith(b"HTTP/1.1 408")
    writer.close()
    await writer.wait_closed()


async def test_personal_data_never_reaches_the_disk(opened: Opening, tmp_path: Path) -> None:
    """Addresses become their digest or go, telephone numbers, cards, streets and names of persons go; ids and times stay."""
    desk = await opened(answers=settings("typeform"))
    card, joe = "4111 1111 1111 1111", "joe.bloggs@example.com"
    body = {
        "event_id": "e-1",
        "event_type": "form_response",
        "form_response": {
            "token": "0123456789012",
            "submitted_at": "2026-03-01T11:00:00Z",
            "hidden": {"email": f" {joe.upper()} ", "sid": "5f0c1a9e-4711-4222-8333-012345678901"},
            "answers": [
                {"type": "text", "text": f"write to {joe} or +49 30 1234567, {card}, \ud800", "field": {"id": "f1", "type": "long_text"}},
                {"type": "email", "email": joe, "field": {"id": "f2", "type": "email"}},
                {"type": "phone_number", "phone_number": "+49301234567", "field": {"id": "f3", "type": "phone_number"}},
            ],
            joe: 1,
        },
    }
    await desk.take("answers", body)
    files = b"".join(path.read_bytes() for path in tmp_path.glob("control.sqlite*"))
    for secret in (b"joe.bloggs", b"JOE.BLOGGS", b"1234567,", b"4111", b"+49301234567"):
        assert secret not in files
    for kept in (b"0123456789012", b"5f0c1a9e-4711-4222-8333-012345678901", b"2026-03-01T11:00:00Z"):
        assert kept in files


async def test_a_dry_run_keeps_nothing(opened: Opening) -> None:
    """It answers with the rows that would come of the event, and the event may come afterwards as new."""
    desk = await opened(helpdesk=settings("zendesk"))
    answer = (await desk.send("helpdesk", CREATED, query="?dry_run=true")).json()
    assert (answer["accepted"], [(one["kind"], one["row"]["id"], one["row"]["status"]) for one in answer["records"]]) == (1, [("tickets", "5158", "open")])
    assert await desk.bodies() == []
    await desk.take("helpdesk", CREATED)
    assert len(await desk.bodies()) == 1


async def test_a_dry_run_of_rows(opened: Opening) -> None:
    """Rows of our own form are checked as otherwise, and not kept; no watermark moves."""
    desk = await opened()
    key = (await desk.control.keys.create("shop", [Scope.SOURCES])).text
    headers = {"authorization": f"Bearer {key}"}
    rows = [{"id": "o-1", "at": "2026-03-01T11:59:00Z", "amount": "62.00", "currency": "EUR"}, {"id": "o-2"}]
    answer = await desk.client.post("/api/v1/in/orders?dry_run=true&watermark=2026-03-01T12:00:00Z", json=rows[:1], headers=headers)
    assert answer.json() == {"accepted": 1, "rejected": 0, "errors": []}
    answer = await desk.client.post("/api/v1/in/orders?dry_run=true", json=rows, headers=headers)
    assert answer.json()["errors"] == [{"row": 1, "error": "at is missing; amount is missing; currency is missing"}]
    assert (await desk.bodies(), await desk.control.watermarks.get("orders")) == ([], None)
    answer = await desk.client.post("/api/v1/in/tickets?dry_run=true", json={"id": "t-1", "at": "2026-03-01T11:59:00Z"}, headers=headers)
    assert (answer.json()["accepted"], await desk.bodies()) == (1, [])
    answer = await desk.client.post("/api/v1/in/orders?dry_run=yes", json=rows, headers=headers)
    assert (answer.status_code, answer.json(), await desk.bodies()) == (400, {"error": 'dry_run: must be true or false, got "yes".'}, [])


async def test_a_secret_that_went_missing(opened: Opening, tmp_path: Path) -> None:
    """While the file of the secret cannot be read the vendor is asked to come back; it learns nothing of our files."""
    file = tmp_path / "secret"
    file.write_text(SECRET + "\n")
    desk = await opened(helpdesk=settings("zendesk", secret={"file": file}))
    await desk.take("helpdesk", CREATED)
    file.unlink()
    answer = await desk.send("helpdesk", CREATED)
    assert (answer.status_code, answer.json()) == (503, {"error": "The secret of this source cannot be read just now; see the collector's log."})
