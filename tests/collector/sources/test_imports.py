"""Imports on a real server: rows with their import, and what undoing does to the inbox."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI

from sojourn_collector.sources.import_door import ImportDoor
from sojourn_collector.sources.intake import build_routes
from sojourn_collector.store.control import Scope
from sojourn_collector.web.imports import build_imports
from tests.collector.control_file import open_control
from tests.collector.sources.conftest import Context, Door
from tests.serving import served

TOKEN = "token-of-the-process"
LINES = {"content-type": "application/x-ndjson"}


def order(ident: str, amount: str = "10.00") -> dict[str, str]:
    """One order."""
    return {"id": ident, "at": "2026-02-01T10:00:00Z", "amount": amount, "currency": "EUR"}


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Door]:
    """Intake and imports, and a client with a key of scope `sources`."""
    control = open_control(tmp_path / "control.sqlite")
    context = Context(control)
    app = FastAPI()
    app.include_router(build_imports(context, ImportDoor(control, TOKEN), body_deadline=0.5))
    app.include_router(build_routes(context, body_deadline=0.5))
    key = (await control.keys.create("me", [Scope.SOURCES])).text
    async with served(app) as url, httpx2.AsyncClient(base_url=url, headers={"authorization": f"Bearer {key}"}, trust_env=False, timeout=60) as client:
        yield Door(url, client, control, key)
    control.close()


async def brought(desk: Door, *rows: dict[str, Any]) -> str:
    """An import of these rows."""
    ident = (await desk.client.post("/api/v1/imports", params={"source": "orders", "file": "o.csv"})).json()["id"]
    answer = await desk.client.post(f"/api/v1/imports/{ident}/rows", content="\n".join(json.dumps(row) for row in rows), headers=LINES)
    assert answer.json()["accepted"] == len(rows)
    return str(ident)


async def waiting(desk: Door) -> list[tuple[str, str, bool]]:
    """What the engine is still to be told: key, amount, whether it is to go."""
    return [(row.source_key, json.loads(row.body)["amount"], row.withdrawn) for row in await desk.control.inbox.waiting()]


async def test_rows_belong_to_their_import(desk):
    """Good rows are kept with the import, bad ones come back; the list counts both."""
    ident = (await desk.client.post("/api/v1/imports", params={"source": "orders", "file": "o\x00.csv"})).json()["id"]
    body = json.dumps(order("1")) + "\n\nnonsense\n" + json.dumps(order("2", "-1"))
    answer = await desk.client.post(f"/api/v1/imports/{ident}/rows", content=body, headers=LINES)
    assert answer.json() == {
        "accepted": 1,
        "rejected": 2,
        "errors": [
            {"row": 1, "error": "the line is not JSON: Expecting value at column 1"},
            {"row": 2, "error": "amount: -1 is negative; what was given back goes into refunded of its order"},
        ],
    }
    (row,) = await desk.control.inbox.waiting()
    assert row.import_id == ident
    (listed,) = (await desk.client.get("/api/v1/imports")).json()
    assert (listed["id"], listed["source"], listed["file"], listed["accepted"], listed["rejected"]) == (ident, "orders", "o.csv", 1, 2)


async def test_undoing_brings_back_what_was_replaced(desk):
    """New rows go, replaced ones are the version before, and what was replaced since stays."""
    await desk.client.post("/api/v1/in/orders", json=[order("old", "1.00"), order("since", "1.00")])
    ident = await brought(desk, order("new", "2.00"), order("old", "2.00"), order("since", "2.00"))
    await desk.client.post("/api/v1/in/orders", json=order("since", "3.00"))
    rows = await desk.control.inbox.waiting()
    await desk.control.inbox.mark([row.id for row in rows], rows[0].received_at)
    assert (await desk.client.post(f"/api/v1/imports/{ident}/undo")).json() == {"rows": 3, "restored": 1}
    assert await waiting(desk) == [("old", "1.00", False), ("new", "2.00", True), ("old", "2.00", True), ("since", "2.00", True)]
    standing = {row.source_key: await desk.control.inbox.newest(row) is not None for row in await desk.control.inbox.waiting() if row.withdrawn}
    assert standing == {"new": False, "old": True, "since": True}


async def test_an_undone_import_is_closed(desk):
    """It can neither be added to nor be undone again."""
    ident = await brought(desk, order("1"))
    await desk.client.post(f"/api/v1/imports/{ident}/undo")
    again = await desk.client.post(f"/api/v1/imports/{ident}/undo")
    said = f"There is no import {ident} that could be undone; `sojourn-collector import --list` shows which there are."
    assert (again.status_code, again.json()) == (409, {"error": said})
    more = await desk.client.post(f"/api/v1/imports/{ident}/rows", content=json.dumps(order("2")), headers=LINES)
    assert (more.status_code, more.json()) == (409, {"error": f"Import {ident} was undone; nothing can be added to it."})
    assert [row.source_key for row in await desk.control.inbox.waiting()] == ["1"]


async def test_a_row_withdrawn_while_it_is_copied_is_not_dealt_with(desk):
    """Whoever read it before marks it after: it still waits to be taken out of the engine."""
    ident = await brought(desk, order("1"))
    (row,) = await desk.control.inbox.waiting()
    await desk.client.post(f"/api/v1/imports/{ident}/undo")
    await desk.control.inbox.mark([row.id], row.received_at)
    assert await waiting(desk) == [("1", "10.00", True)]


async def test_a_dry_run_keeps_nothing(desk):
    """Neither rows nor an import."""
    answer = await desk.client.post("/api/v1/imports/dry-run", params={"source": "orders"}, content=json.dumps(order("1")), headers=LINES)
    assert answer.json() == {"accepted": 1, "rejected": 0, "errors": []}
    assert await desk.control.inbox.waiting() == []
    assert (await desk.client.get("/api/v1/imports")).json() == []


async def test_who_may_import(desk):
    """A key of scope sources or the process's token; pages of other sites never, whatever they send along."""
    reader = (await desk.control.keys.create("reader", [Scope.READ])).text
    good = {"authorization": f"Bearer {desk.key}"}
    async with httpx2.AsyncClient(base_url=desk.url, trust_env=False, timeout=60) as http:
        for headers, status in (
            ({}, 401),
            ({"authorization": "Bearer sj_x_y"}, 401),
            ({"authorization": f"Bearer {reader}"}, 403),
            ({"authorization": f"Bearer {TOKEN}"}, 200),
            (good, 200),
            ({**good, "sec-fetch-site": "same-origin", "origin": desk.url}, 200),
            ({**good, "sec-fetch-site": "cross-site"}, 403),
            ({**good, "sec-fetch-site": "same-site"}, 403),
            ({**good, "origin": "https://evil.example"}, 403),
            ({**good, "origin": "null"}, 403),
        ):
            assert (await http.get("/api/v1/imports", headers=headers)).status_code == status, headers
    other = await desk.client.get("/api/v1/imports", headers={"sec-fetch-site": "cross-site"})
    assert other.json() == {"error": "A page of another site may not import here."}


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (b"", 400, "The body is empty; send a JSON object, an array of objects, or one object a line."),
        (b"\xff\xfe", 400, "The body is not UTF-8."),
        (b"{}\n" * 10_001, 400, "The body has more than 10000 rows; send them in several requests."),
        (b" " * ((5 << 20) + 1), 413, "The body is larger than 5 MiB; send it in several requests."),
    ],
)
async def test_hostile_bodies(desk, body, status, said):
    """One sentence, and nothing is kept."""
    answer = await desk.client.post("/api/v1/imports/dry-run", params={"source": "orders"}, content=body, headers=LINES)
    assert (answer.status_code, answer.json()) == (status, {"error": said})


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/api/v1/imports/zz/undo", "ident: String should match pattern '^[0-9a-f]{12}$'"),
        (f"/api/v1/imports?source={'x' * 99}", "source: String should have at most 32 characters"),
        ("/api/v1/imports", "source: Field required"),
    ],
)
async def test_a_parameter_that_makes_no_sense_is_one_sentence(desk, path, said):
    """Like everywhere in the API: `error`, and what is wrong where."""
    answer = await desk.client.post(path)
    assert (answer.status_code, answer.json()) == (422, {"error": said})


async def test_csv_at_the_intake(desk):
    """Columns are matched by the address; errors name the file's line."""
    text = "Nr;at;Betrag\n1;2026-02-01 10:00;12,50\n2;2026-02-01 10:00;x\n"
    asked = {"map": ["Nr=id", "Betrag=amount"], "set": "currency=EUR", "timezone": "Europe/Berlin", "decimal": ","}
    answer = await desk.client.post("/api/v1/in/orders", params=asked, content=text.encode(), headers={"content-type": "text/csv; charset=utf-8"})
    said = 'line 3: amount: "x" is not a number with a decimal comma, such as 1.234,50'
    assert (answer.status_code, answer.json()) == (200, {"accepted": 1, "rejected": 1, "errors": [{"row": 1, "error": said}]})
    (row,) = await desk.control.inbox.waiting()
    assert json.loads(row.body) == {"currency": "EUR", "id": "1", "at": "2026-02-01T10:00:00+01:00", "amount": "12.50"}
    text = "id,at,amount,currency\n3,5/11/2025 10:00,1,EUR\n4,11/27/2025 10:00,1,EUR\n"
    asked = {"dry_run": "true"}
    answer = await desk.client.post("/api/v1/in/orders", params=asked, content=text.encode(), headers={"content-type": "text/csv"})
    assert (answer.json()["accepted"], answer.json()["notes"]) == (
        1,
        [
            "1 time has no zone and is read as UTC; name the zone of the file if it is another.",
            "at: 1 date may be read in two ways. All dates of this column fit month-first, 1 of them nothing else: month-first is the likely answer.",
        ],
    )
    asked |= {"dates": "month-first", "timezone": "UTC"}
    answer = await desk.client.post("/api/v1/in/orders", params=asked, content=text.encode(), headers={"content-type": "text/csv"})
    assert answer.json() == {"accepted": 2, "rejected": 0, "errors": []}
    hostile = await desk.client.post("/api/v1/in/orders", content=b'id\n"', headers={"content-type": "text/csv"})
    assert (hostile.status_code, hostile.json()) == (
        400,
        {"error": "Line 2: a quote is opened and not closed; close it, or write a quote within a cell twice."},
    )
