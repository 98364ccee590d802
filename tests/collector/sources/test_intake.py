"""`POST /api/v1/in/{source}` over real HTTP, with bodies good and hostile."""

import asyncio
import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

from sojourn_collector.sources import SOURCES
from sojourn_collector.store.control import Scope
from sojourn_probes.marks import make_mark
from tests.collector.sources.conftest import NOW, PROBE_KEYS, Door

ORDER: dict[str, Any] = {"id": "o-1", "at": "2026-03-01T11:59:00Z", "amount": "62.00", "currency": "EUR"}
JSON = {"content-type": "application/json"}
LINES = {"content-type": "application/x-ndjson"}


async def post(door: Door, body: bytes | str, source: str = "orders", headers: dict[str, str] = JSON, query: str = "") -> httpx2.Response:
    """Send a body as it is."""
    return await door.client.post(f"/api/v1/in/{source}{query}", content=body, headers=headers)


async def kept(door: Door) -> list[dict[str, Any]]:
    """The bodies in the inbox, in order."""
    return [json.loads(row.body) for row in await door.control.inbox.waiting()]


async def test_an_object_an_array_and_lines(door: Door) -> None:
    """One object, an array and NDJSON are taken, and what was sent is on disk when the answer comes."""
    more = [ORDER | {"id": f"o-{n}"} for n in range(2, 6)]
    assert (await post(door, json.dumps(ORDER))).json() == {"accepted": 1, "rejected": 0, "errors": []}
    assert (await post(door, json.dumps(more[:2]))).json()["accepted"] == 2
    assert (await post(door, "\n".join(map(json.dumps, more[2:])) + "\n\n", headers=LINES)).json()["accepted"] == 2
    rows = await door.control.inbox.waiting()
    assert [(r.kind, r.source, r.source_key, r.received_at) for r in rows] == [("orders", "api", f"o-{n}", NOW) for n in range(1, 6)]
    assert json.loads(rows[0].body) == ORDER


async def test_lines_sent_as_json(door: Door) -> None:
    """NDJSON under `application/json`, as curl sends it, is understood."""
    body = json.dumps(ORDER) + "\n" + json.dumps(ORDER | {"id": "o-2"})
    assert (await post(door, body)).json()["accepted"] == 2


async def test_good_rows_are_kept_and_bad_ones_named(door: Door) -> None:
    """Of a mixed body the good rows are kept; each bad one is answered with its number and a sentence."""
    rows = [ORDER, {**ORDER, "id": "o-2", "amount": -5}, 7, {**ORDER, "id": "o-3", "currency": "EURO"}, {**ORDER, "id": "o-4"}]
    answer = await post(door, json.dumps(rows))
    assert answer.status_code == 200
    assert answer.json() == {
        "accepted": 2,
        "rejected": 3,
        "errors": [
            {"row": 1, "error": "amount: -5 is negative; what was given back goes into refunded of its order"},
            {"row": 2, "error": "the row is not a JSON object"},
            {"row": 3, "error": 'currency: "EURO" is not a currency of ISO 4217, such as EUR'},
        ],
    }
    assert [row["id"] for row in await kept(door)] == ["o-1", "o-4"]


async def test_all_bad_is_400(door: Door) -> None:
    """When no row can be taken the status is 400 and nothing is kept."""
    answer = await post(door, "{}")
    assert (answer.status_code, answer.json()) == (
        400,
        {"accepted": 0, "rejected": 1, "errors": [{"row": 0, "error": "id is missing; at is missing; amount is missing; currency is missing"}]},
    )
    assert await kept(door) == []


async def test_bad_lines_do_not_spoil_good_ones(door: Door) -> None:
    """A line that is no JSON is one row's error; empty lines do not count."""
    answer = await post(door, f'{json.dumps(ORDER)}\n\n{{"id":\nNaN\n', headers=LINES)
    assert (answer.status_code, answer.json()["accepted"]) == (200, 1)
    assert answer.json()["errors"] == [
        {"row": 1, "error": "the line is not JSON: Expecting value at column 7"},
        {"row": 2, "error": "the line is not JSON: NaN is not a number of JSON"},
    ]


async def test_an_empty_array_is_fine(door: Door) -> None:
    """Nothing new is no error."""
    answer = await post(door, "[]")
    assert (answer.status_code, answer.json()) == (200, {"accepted": 0, "rejected": 0, "errors": []})


@pytest.mark.parametrize(
    ("header", "sentence"),
    [
        ("", "A key is needed: send the header Authorization: Bearer sj_…; `sojourn-collector key create` makes one."),
        ("Basic c2o6c2o=", "A key is needed: send the header Authorization: Bearer sj_…; `sojourn-collector key create` makes one."),
        ("Bearer", "A key is needed: send the header Authorization: Bearer sj_…; `sojourn-collector key create` makes one."),
        ("Bearer sj_0123_wrong", "This key is unknown or was revoked."),
        ("Bearer " + "x" * 5000, "This key is unknown or was revoked."),
        ("Bearer sj_ff\t_ff", "This key is unknown or was revoked."),
    ],
)
async def test_without_the_right_key(door: Door, header: str, sentence: str) -> None:
    """No key, another scheme or a wrong key is 401 with one sentence, for sources that exist and others alike."""
    for source in ("orders", "nonsense"):
        answer = await post(door, json.dumps(ORDER), source, JSON | {"authorization": header})
        assert (answer.status_code, answer.json(), answer.headers["www-authenticate"]) == (401, {"error": sentence}, "Bearer")
    assert await kept(door) == []


async def test_a_revoked_key_and_one_of_another_scope(door: Door) -> None:
    """A revoked key is as good as none; a key for something else is 403; an admin's key may send."""
    other = (await door.control.keys.create("reader", [Scope.READ])).text
    admin = (await door.control.keys.create("boss", [Scope.ADMIN])).text
    answer = await post(door, json.dumps(ORDER), headers=JSON | {"authorization": f"Bearer {other}"})
    assert (answer.status_code, answer.json()) == (403, {"error": 'The key "reader" may not send to sources; make one with scope sources.'})
    assert (await post(door, json.dumps(ORDER), headers=JSON | {"authorization": f"Bearer {admin}"})).status_code == 200
    await door.control.keys.revoke(door.key.split("_")[1])
    assert (await post(door, json.dumps(ORDER))).status_code == 401


async def test_the_key_is_asked_for_before_the_body(door: Door) -> None:
    """Without a key the answer comes although the announced body never does."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(door.url.rsplit(":", 1)[1]))
    writer.write(b"POST /api/v1/in/orders HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 1000000\r\n\r\n")
    async with asyncio.timeout(10):
        assert (await reader.readline()).startswith(b"HTTP/1.1 401")
    writer.close()
    await writer.wait_closed()


async def test_a_sender_that_goes_away_is_no_fault_of_ours(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    """Senders that hang up half way leave no error in the log, and the next one is served."""
    for _ in range(3):
        _, writer = await asyncio.open_connection("127.0.0.1", int(door.url.rsplit(":", 1)[1]))
        writer.write(f"POST /api/v1/in/orders HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {door.key}\r\ncontent-length: 100\r\n\r\n[{{".encode())
        await writer.drain()
        assert (await door.client.post("/api/v1/in/orders", json=[])).status_code == 200  # by now the half body is being read
        writer.close()
        await writer.wait_closed()
        assert (await door.client.post("/api/v1/in/orders", json=[])).status_code == 200
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []


async def test_a_body_that_does_not_come(door: Door) -> None:
    """A body that stops half way is given up after the deadline with 408."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(door.url.rsplit(":", 1)[1]))
    head = f"POST /api/v1/in/orders HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {door.key}\r\ncontent-length: 100\r\n\r\n[{{"
    writer.write(head.encode())
    async with asyncio.timeout(10):
        answer = await reader.read(4000)
    assert answer.startswith(b"HTTP/1.1 408")
    assert b'{"error":"The body did not arrive within 0.5 s."}' in answer
    writer.close()
    await writer.wait_closed()


@pytest.mark.parametrize(
    ("body", "status", "sentence"),
    [
        (b"", 400, "The body is empty; send a JSON object, an array of objects, or one object a line."),
        (b" \n ", 400, "The body is empty; send a JSON object, an array of objects, or one object a line."),
        (b"\xff\xfe{}", 400, "The body is not UTF-8."),
        (b"{", 400, "The body is not JSON: Expecting property name enclosed in double quotes at line 1, column 2."),
        (b"id=1", 400, "The body is not JSON: Expecting value at line 1, column 1."),
        (b'{"amount": NaN}', 400, "The body is not JSON: NaN is not a number of JSON."),
        (b'{"amount": -Infinity}', 400, "The body is not JSON: -Infinity is not a number of JSON."),
        (b'{"id": "a", "id": "b"}', 400, "The body is not JSON: a key stands twice in one object."),
        (b'{"amount": ' + b"9" * 5000 + b"}", 400, "The body is not JSON: a number has more than 300 digits."),
        (b"[" * 200_000, 400, "The JSON is nested deeper than 16 levels."),
        (b'{"a":' * 100_000, 400, "The JSON is nested deeper than 16 levels."),
        (b"[" + b"{}," * 10_000 + b"{}]", 400, "The body has more than 10000 rows; send them in several requests."),
        (b"{}\n" * 10_001, 400, "The body has more than 10000 rows; send them in several requests."),
        (b" " * (5 * 2**20 + 1), 413, "The body is larger than 5 MiB; send it in several requests."),
    ],
)
async def test_bodies_nothing_can_be_read_of(door: Door, body: bytes, status: int, sentence: str) -> None:
    """A body that is no JSON, too deep, too long or too large is refused whole with one sentence, and the door stays open."""
    answer = await post(door, body)
    assert (answer.status_code, answer.json()) == (status, {"error": sentence})
    assert (await post(door, json.dumps(ORDER))).status_code == 200


async def test_a_row_nested_too_deep(door: Door) -> None:
    """One row that is nested too deep is that row's error."""
    deep = {"a": json.loads("[" * 20 + "]" * 20)}
    answer = await post(door, json.dumps([deep, ORDER]))
    assert answer.json() == {"accepted": 1, "rejected": 1, "errors": [{"row": 0, "error": "The JSON is nested deeper than 16 levels."}]}


async def test_a_stream_without_a_length_is_bounded_too(door: Door) -> None:
    """A chunked body that grows beyond the limit is cut off with 413."""

    async def endless() -> Any:
        for _ in range(200):
            yield b" " * 65_536

    answer = await door.client.post("/api/v1/in/orders", content=endless(), headers=JSON)
    assert (answer.status_code, answer.json()) == (413, {"error": "The body is larger than 5 MiB; send it in several requests."})


@pytest.mark.parametrize(
    ("headers", "sentence"),
    [
        ({"content-type": "text/html"}, 'The content type "text/html" is not taken; send application/json, application/x-ndjson or text/csv.'),
        ({"content-type": "application/json", "content-encoding": "gzip"}, "A compressed body is not taken here; send it as it is."),
    ],
)
async def test_other_content(door: Door, headers: dict[str, str], sentence: str) -> None:
    """Other content types and compressed bodies are 415."""
    answer = await post(door, json.dumps(ORDER), headers=headers)
    assert (answer.status_code, answer.json()) == (415, {"error": sentence})


async def test_an_unknown_source_and_method(door: Door) -> None:
    """A source that does not exist is 404 and says which do; GET is 405."""
    answer = await post(door, "{}", "Bestellungen%7F")
    assert (answer.status_code, answer.json()) == (404, {"error": f'There is no source "Bestellungen\\u007f"; there are {", ".join(SOURCES)}.'})
    assert (await door.client.get("/api/v1/in/orders")).status_code == 405


async def test_watermarks(door: Door) -> None:
    """`?watermark=` says that everything up to then was sent; it never goes back, and only orders have one."""
    assert (await post(door, "[]", query="?watermark=2026-03-01T11:00:00%2B00:00")).status_code == 200
    assert (await post(door, "[]", query="?watermark=2026-03-01T10:00:00+00:00")).status_code == 200
    assert await door.control.watermarks.get("orders") == datetime(2026, 3, 1, 11, tzinfo=UTC)
    answer = await post(door, "[]", query="?watermark=yesterday")
    assert (answer.status_code, answer.json()) == (400, {"error": 'watermark: must be a time such as 2026-03-01T12:00:00Z (RFC 3339), got "yesterday".'})
    answer = await post(door, "[]", "feedback", query="?watermark=2026-03-01T11:00:00Z")
    assert (answer.status_code, answer.json()) == (400, {"error": "The source feedback has no watermark; leave the parameter out."})


async def test_a_watermark_with_refused_rows_is_not_believed(door: Door) -> None:
    """When a row was refused not everything was sent, so the watermark stays."""
    body = json.dumps([ORDER, ORDER | {"amount": -1}])
    assert (await post(door, body, query="?watermark=2026-03-01T11:00:00Z")).status_code == 200
    assert await door.control.watermarks.get("orders") is None


async def test_personal_data_never_reaches_the_disk(door: Door) -> None:
    """Comments are scrubbed and e-mail addresses hashed before the inbox keeps a row."""
    comment = "Call +49 170 1234567 or mail Joe.Doe@Example.org, card 4111 1111 1111 1111, IBAN DE89 3704 0044 0532 0130 00 thanks"
    feedback = {"id": "f", "kind": "text", "at": "2026-03-01T11:00:00Z", "comment": comment}
    person = {"id": "u1", "name": "Joe", "email": " Joe.Doe@Example.org "}
    assert (await post(door, json.dumps(feedback), "feedback")).status_code == 200
    assert (await post(door, json.dumps(person), "people")).status_code == 200
    first, second = await kept(door)
    assert first["comment"] == "Call [phone] or mail [email], card [card], IBAN [iban] thanks"
    assert second == {"id": "u1", "name": "Joe", "email_sha256": hashlib.sha256(b"joe.doe@example.org").hexdigest()}


async def test_an_address_stays_out_of_the_answer(door: Door) -> None:
    """A refused e-mail address is not repeated in the sentence."""
    answer = await post(door, json.dumps({"id": "u1", "email": "joe at example"}), "people")
    assert answer.json()["errors"] == [{"row": 0, "error": "email: is not an e-mail address"}]


async def test_probe_marks_of_orders(door: Door) -> None:
    """A mark that verifies at the order's own time makes it a probe's, also when it is sent later; a forged one does not."""
    placed = NOW - timedelta(hours=20)
    run_id = uuid7(placed)
    mark = make_mark(run_id, "k1", PROBE_KEYS["k1"], placed.timestamp())
    forged = mark[:-1] + ("0" if mark[-1] != "0" else "1")
    rows = [ORDER | {"id": name, "at": placed.isoformat(), "probe_mark": m} for name, m in (("real", mark), ("forged", forged))]
    assert (await post(door, json.dumps(rows))).json()["accepted"] == 2
    assert [(row["id"], row["probe"], "probe_mark" in row) for row in await kept(door)] == [("real", True, False), ("forged", False, False)]


def uuid7(moment: datetime) -> str:
    """A UUIDv7 of this time."""
    digits = f"{int(moment.timestamp() * 1000):012x}"
    return f"{digits[:8]}-{digits[8:]}-7000-8000-000000000000"


@pytest.mark.parametrize(
    "row",
    [
        {"id": "\ud800", "at": "2026-03-01T11:00:00Z", "amount": 1, "currency": "EUR"},
        {"\ud800": 1, **ORDER},
        {**ORDER, "channel": "\ud800"},
        {**ORDER, "id": "x" * 100_000},
        {**ORDER, "id": ["a"]},
        {**ORDER, "id": None},
        {**ORDER, "id": True},
        {**ORDER, "amount": 1e308},
        {**ORDER, "amount": "1e5"},
        {**ORDER, "amount": "٣"},
        {**ORDER, "amount": [1]},
        {**ORDER, "at": 1_700_000_000},
        {**ORDER, "at": "9999-12-31T23:59:59Z"},
        {**ORDER, "at": "0001-01-01T00:00:00+14:00"},
        {**ORDER, "status": {"$ne": 1}},
        {**ORDER, "probe": "yes"},
        {**ORDER, "__class__": "x"},
        {**ORDER, "trace_id": "0" * 32},
    ],
)
async def test_hostile_rows(door: Door, row: dict[str, Any]) -> None:
    """Rows with broken Unicode, wrong types, absurd numbers and times are refused one by one with a sentence, never with 500."""
    answer = await post(door, json.dumps([row, ORDER]))
    assert answer.status_code == 200
    assert answer.json()["accepted"] == 1
    assert answer.json()["errors"][0]["row"] == 0
    assert len(answer.json()["errors"][0]["error"]) < 400


async def test_many_senders_at_once(door: Door) -> None:
    """Bodies sent at the same time are all kept."""
    answers = await asyncio.gather(*(post(door, json.dumps([ORDER | {"id": f"{n}-{m}"} for m in range(50)])) for n in range(20)))
    assert {a.status_code for a in answers} == {200}
    assert await door.control.inbox.count_waiting() == 1000


async def test_it_is_in_openapi(door: Door) -> None:
    """Each source stands in OpenAPI with its row, its key and its answers; the catch-all does not."""
    paths = (await door.client.get("/openapi.json")).json()["paths"]
    assert sorted(paths) == [f"/api/v1/in/{name}" for name in sorted(SOURCES)]
    orders = paths["/api/v1/in/orders"]["post"]
    row = orders["requestBody"]["content"]["application/json"]["schema"]["anyOf"][0]
    assert {"id", "at", "amount", "currency"} <= set(row["properties"])
    assert row["properties"]["currency"]["description"] == "ISO 4217 code."
    assert [p["name"] for p in orders["parameters"]] == ["watermark", "dry_run"]
    assert set(orders["responses"]) >= {"200", "400", "401", "403", "408", "413", "415"}
