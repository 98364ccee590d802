"""Marks over HTTP, and whether a fix helped: of stored runs and answers, in the API and on the pages."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest
from fastapi import FastAPI

from sojourn_collector.cli import main
from sojourn_collector.context import Context
from sojourn_collector.sources.import_door import ImportDoor
from sojourn_collector.store.client import Store
from sojourn_collector.store.control.keys import Scope
from sojourn_collector.web.admin_door import AdminDoor
from sojourn_collector.web.guard import Guard
from sojourn_collector.web.marks import build_marks
from sojourn_collector.web.pages import build_pages
from tests.collector.web.asking import asking
from tests.collector.web.stage import NOW, Rows
from tests.serving import served

TOKEN = "token-of-the-process"
DAY = timedelta(days=1)
FIXED = NOW - 9 * DAY
OURS = {"authorization": f"Bearer {TOKEN}"}
A_FIX = {"kind": "fix", "name": "payment answers", "journey": "checkout", "step": "pay", "at": FIXED.isoformat()}


@pytest.fixture
async def client(context: Context) -> AsyncIterator[httpx2.AsyncClient]:
    async with asking(build_marks(context, ImportDoor(context.control, TOKEN), AdminDoor(context.control.keys, TOKEN)), build_pages(context)) as one:
        yield one


def walk(rows: Rows, journey: str, at: datetime, number: int, *, finished: bool, hit: bool) -> str:
    """One customer's settled walk; its run id."""
    run_id = f"{journey}-{at:%j}-{number}"
    who = {"session_id": f"s-{run_id}", "person_id": f"user:{run_id}", "person_kind": "user", "device": "mobile" if number % 3 else "desktop"}
    end = {"end": "finished" if finished else "stopped" if hit else "gave_up", "severity": 0.0 if not hit else 1.0}
    rows.runs.append({"run_id": run_id, "version": 1, "traffic": "real", "journey": journey, "started": at, "ended": at, "settled": 1, **who, **end})
    return run_id


def months(effect: float, *, answers: bool = True, days: int = 80) -> Rows:
    """Two journeys of 30 walks and 20 answers a day; in the ten days before the fix checkout is in trouble, after it `effect` more finish and are satisfied."""
    rng, rows = np.random.default_rng(4), Rows()
    for day in range(days):
        at = NOW - (days - day) * DAY
        for journey in ("checkout", "newsletter"):
            after, trouble = at > FIXED + timedelta(hours=12), FIXED - 10 * DAY <= at < FIXED
            treated = journey == "checkout"
            share = 0.6 + (effect if treated and after else -0.3 if treated and trouble else 0.0)
            hit = 0.4 if treated and trouble else 0.05
            for number in range(30):
                finished = bool(rng.random() < share)
                run_id = walk(rows, journey, at, number, finished=finished, hit=not finished and bool(rng.random() < hit / (1 - share)))
                if answers and number < 20:
                    rows.answer(run_id, at + timedelta(minutes=5), 5 if rng.random() < share else 2, person=f"user:{run_id}")
                    rows.feedback[-1] |= {"run_ids": [run_id]}
    return rows


async def made(client: httpx2.AsyncClient, **mark: Any) -> dict[str, Any]:
    answer = await client.post("/api/v1/marks", json={**A_FIX, **mark}, headers=OURS)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def test_a_fix_that_helped_is_told_from_the_end_of_a_bad_week(client: httpx2.AsyncClient, store: Store) -> None:
    """35 points more are satisfied and finish after the fix than before the ten days of trouble, which are out: improved at 7 days; the page says the same."""
    await months(0.35).store(store)
    mark = await made(client)
    told = (await client.get(f"/api/v1/marks/{mark['id']}/verification")).json()
    assert (told["verdict"], told["decided_by"], told["trouble_told"]) == ("improved", "satisfied", False)
    assert told["trouble_from"] == f"{(FIXED - 10 * DAY):%Y-%m-%d}"
    assert (told["next_look_days"], told["next_look"]) == (14, f"{(FIXED + 15 * DAY):%Y-%m-%d}T00:00:00Z")
    assert [one["id"] for one in told["untouched"]] == ["newsletter"]
    satisfied, finished, unhurt = told["measures"]
    for one in (satisfied, finished):
        (look,) = one["looks"]
        assert look["low"] < 0.35 < look["high"]
        assert look["low"] > 0
    assert (satisfied["looks"][0]["fixed_after"]["of"], finished["looks"][0]["fixed_after"]["of"]) == (7 * 20, 7 * 30)
    assert unhurt["verdict"] == "no evidence"
    assert {part["name"] for part in finished["mix"]} == {"desktop", "mobile"}
    (trouble,) = (part for part in finished["parts"] if part["part"] == "trouble")
    assert trouble["fixed"]["good"] / trouble["fixed"]["of"] < 0.45
    page = await client.get(f"/fixes/{mark['id']}")
    assert page.status_code == 200
    for text in ("Improved", told["sentence"].split("(")[0].strip(), "7 days", "How was this computed", 'data-chart="'):
        assert text in page.text
    assert mark["id"] in (await client.get("/fixes")).text


async def test_a_fix_without_effect_after_a_bad_week_is_no_evidence(client: httpx2.AsyncClient, store: Store) -> None:
    """The trouble ended and everything is as it was before it: no evidence, and the sentence says that this is not evidence of no effect."""
    await months(0.0, answers=False).store(store)
    mark = await made(client)
    told = (await client.get(f"/api/v1/marks/{mark['id']}/verification")).json()
    assert (told["verdict"], told["decided_by"]) == ("no evidence", "finished")
    assert told["sentence"].endswith("That is not evidence of no effect.")
    assert told["measures"][0]["reason"].startswith("0 answers on the fixed journey before, judged from 30 on")


async def test_those_who_had_met_a_failure_lately_stand_apart(client: httpx2.AsyncClient, store: Store) -> None:
    """Of five who answer after the fix only the one hit three days before is told apart: not one hit that day, long ago, later or on another journey."""
    rows, answered = months(0.0), NOW - 5 * DAY
    for who, (journey, days) in enumerate([("checkout", 3), ("checkout", 0), ("checkout", 40), ("checkout", -1), ("newsletter", 3)]):
        walk(rows, journey, answered - days * DAY, 900 + who, finished=False, hit=True)
        rows.runs[-1] |= {"person_id": f"user:back{who}"}
        rows.answer(f"back{who}", answered + timedelta(hours=1), 5, person=f"user:back{who}")
        rows.feedback[-1] |= {"journey": "checkout"}
    await rows.store(store)
    mark = await made(client)
    satisfied = (await client.get(f"/api/v1/marks/{mark['id']}/verification")).json()["measures"][0]
    assert satisfied["mix"] == [
        {"name": "had met none", "before": 7 * 20, "after": 7 * 20 + 4},
        {"name": "met a failure in the 28 days before", "before": 0, "after": 1},
    ]


async def test_what_cannot_be_judged_says_why(client: httpx2.AsyncClient, context: Context) -> None:
    """Too early; a release that names no journey; every other journey changed in the same time; a mark that lies ahead."""
    young = await made(client, at=(NOW - 2 * DAY).isoformat())
    told = (await client.get(f"/api/v1/marks/{young['id']}/verification")).json()
    assert (told["verdict"], told["sentence"]) == ("too early", "It is looked at first when 7 whole days have passed since the fix.")
    release = await made(client, kind="release", name="2.4.1", journey="", step="")
    told = (await client.get(f"/api/v1/marks/{release['id']}/verification")).json()
    assert told["reason"].startswith("it names no journey, so nothing is untouched that it could be compared with; mark it with the journey it treats")
    await made(client, journey="newsletter", step="")
    told = (await client.get(f"/api/v1/marks/{young['id']}/verification")).json()
    assert told["reason"].startswith("there is no other journey that was left untouched in that time")
    assert (await client.get("/api/v1/marks/00000000000a/verification")).json() == {"error": "There is no mark '00000000000a'."}
    for ident in (young["id"], release["id"]):
        assert (await client.get(f"/fixes/{ident}")).status_code == 200
    assert (await client.get("/fixes/nothing")).status_code == 404


async def test_releases_are_seen_in_visits(client: httpx2.AsyncClient, store: Store) -> None:
    """The first visit on a release says since when; such a mark names no journey and cannot be removed."""
    rows = Rows()
    for number, release in enumerate(("2.4.0", "2.4.1", "2.4.1")):
        rows.customer(f"r{number}", NOW - (3 - number) * DAY)
        rows.sessions[-1] |= {"release": release}
    await rows.store(store)
    told = (await client.get("/api/v1/marks")).json()["marks"]
    assert [(one["name"], one["origin"], one["visits"], one["app"]) for one in told] == [("2.4.1", "seen", 2, "shop"), ("2.4.0", "seen", 1, "shop")]
    assert told[0]["at"] == (rows.sessions[1]["started"]).isoformat().replace("+00:00", "Z")
    assert (await client.get(f"/api/v1/marks/{told[0]['id']}/verification")).json()["verdict"] == "not estimable"
    assert (await client.delete(f"/api/v1/marks/{told[0]['id']}", headers=OURS)).status_code == 422
    assert "2.4.1" in (await client.get("/fixes")).text


async def test_who_may_send_data_may_mark_and_only_an_admin_may_remove(client: httpx2.AsyncClient, context: Context) -> None:
    """Without a key of the scope sources nothing is made; removing takes the scope admin; both are written down."""
    keys = {scope: (await context.control.keys.create(str(scope), [scope])).text for scope in (Scope.SOURCES, Scope.READ, Scope.ADMIN)}
    for key in ("", keys[Scope.READ]):
        answer = await client.post("/api/v1/marks", json=A_FIX, headers={"authorization": f"Bearer {key}"})
        assert answer.status_code in (401, 403)
    assert (await client.post("/api/v1/marks", json=A_FIX, headers={**OURS, "origin": "https://evil.example"})).status_code == 403
    answer = await client.post("/api/v1/marks", json=A_FIX, headers={"authorization": f"Bearer {keys[Scope.SOURCES]}"})
    ident = answer.json()["id"]
    assert answer.status_code == 201
    assert (await client.delete(f"/api/v1/marks/{ident}", headers={"authorization": f"Bearer {keys[Scope.SOURCES]}"})).status_code == 401
    assert (await client.delete(f"/api/v1/marks/{ident}", headers={"authorization": f"Bearer {keys[Scope.ADMIN]}"})).status_code == 204
    assert (await client.delete(f"/api/v1/marks/{ident}", headers=OURS)).status_code == 404
    assert [deed.action for deed in await context.control.audit.list()] == ["mark.remove", "mark.fix"]


async def test_marks_from_the_command_line(context: Context, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Made, listed and removed through the running collector; what it refuses is one sentence and exit 2; without one, a mark can still be removed."""
    app = FastAPI()
    app.include_router(build_marks(context, ImportDoor(context.control, TOKEN), AdminDoor(context.control.keys, TOKEN)))
    config, data = tmp_path / "collector.yaml", tmp_path / "data"
    config.write_text(f"data: {data}\n")
    data.mkdir()

    async def mark(*arguments: str) -> tuple[int, str]:
        code = await asyncio.to_thread(main, ["mark", *arguments, "--config", str(config)])
        said = capsys.readouterr()
        return code, said.out + said.err

    async with served(app) as url:
        (data / "control.json").write_text(json.dumps({"web": url, "token": TOKEN, "pid": os.getpid()}))
        assert await mark("list") == (0, "There are no marks. Make one: sojourn-collector mark release 2.4.1\n")
        code, said = await mark("fix", "payment answers", "--journey", "checkout", "--step", "pay", "--at", "2026-11-10T08:00:00Z")
        (kept,) = await context.control.marks.list()
        assert (code, said.splitlines()) == (
            0,
            [
                f"Mark {kept.id} is made: 2026-11-10T08:00Z  fix     payment answers  checkout › pay",
                f"Whether it helped: /fixes/{kept.id} in the report, from 7 days on.",
            ],
        )
        assert (kept.actor, kept.journey, kept.step) == ("cli", "checkout", "pay")
        assert await mark("list") == (0, f"{kept.id:18}2026-11-10T08:00Z  fix     payment answers  checkout › pay\n")
        assert await mark("fix", "x", "--journey", "no") == (2, "sojourn-collector: journey: there is no journey 'no'; there are checkout, newsletter\n")
        assert (await mark("release", "x", "--at", "noon"))[1] == (
            "sojourn-collector: --at: 'noon' is no time with a zone; write one such as 2026-03-01T00:00:00Z\n"
        )
        assert await mark("remove", kept.id) == (0, f"Mark {kept.id} is removed.\n")
        assert await mark("remove", kept.id) == (2, f"sojourn-collector: there is no mark {kept.id}\n")
    (data / "control.json").unlink()
    assert (await mark("release", "x"))[1] == f"sojourn-collector: no collector runs on {data}; start it with `sojourn-collector run`, then mark\n"
    assert (await mark("remove", "4f1c0a9b2d3e"))[1] == (
        "sojourn-collector: there is no mark 4f1c0a9b2d3e; `sojourn-collector mark list` shows which there are\n"
    )


async def test_off_this_machine_a_key_for_sending_may_mark_and_not_read(context: Context) -> None:
    """Behind the guard that asks for keys: a pipeline's key of the scope sources makes marks and reads none; without a key there is neither."""
    app = FastAPI()
    app.include_router(build_marks(context, ImportDoor(context.control, TOKEN), AdminDoor(context.control.keys, TOKEN)))
    guard = Guard(app, frozenset({"sojourn.example"}), context.control.keys, needs_key=True, token=TOKEN)
    key = {"authorization": f"Bearer {(await context.control.keys.create('pipeline', [Scope.SOURCES])).text}"}
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(guard), base_url="http://sojourn.example") as http:
        ident = (await http.post("/api/v1/marks", json=A_FIX, headers=key)).json()["id"]
        assert (await http.get("/api/v1/marks", headers=key)).status_code == 401
        assert (await http.get(f"/api/v1/marks/{ident}/verification", headers=key)).status_code == 401
        assert (await http.post("/api/v1/marks", json=A_FIX)).status_code == 401
        assert (await http.delete(f"/api/v1/marks/{ident}")).status_code == 401
        assert (await http.get("/api/v1/marks", headers=OURS)).status_code == 200


@pytest.mark.parametrize(
    ("body", "status", "sentence"),
    [
        (b"{", 400, 'The body is not JSON; send an object such as {"kind": "release", "name": "2.4.1"}.'),
        (b"[" * 20_000, 400, 'The body is not JSON; send an object such as {"kind": "release", "name": "2.4.1"}.'),
        (b" " * 40_000, 413, ""),
        (b'{"kind": "party", "name": "x"}', 422, "kind: Input should be 'release', 'fix', 'campaign' or 'price'."),
        (b'{"kind": "fix", "name": " "}', 422, "name: String should match pattern '\\S'."),
        (b'{"kind": "fix", "name": "x\\u0000"}', 422, "name: Value error, holds a control character; leave it out."),
        (b'{"kind": "fix", "name": "x", "owner": 1}', 422, "owner: Extra inputs are not permitted."),
        (b'{"kind": "fix", "name": "x"}', 422, "journey: a fix names the journey it treats, or nothing could be told of it."),
        (b'{"kind": "fix", "name": "x", "journey": "no"}', 422, "journey: there is no journey 'no'; there are checkout, newsletter."),
        (b'{"kind": "fix", "name": "x", "journey": "checkout", "step": "no"}', 422, "step: there is no step 'no' in this journey; there are cart, pay."),
        (b'{"kind": "release", "name": "x", "at": "2026-01-01T00:00:00"}', 422, "at: Input should have timezone info."),
        (
            b'{"kind": "release", "name": "x", "at": "2099-01-01T00:00:00Z"}',
            422,
            "at: lies before 1970 or more than 366 days ahead; give the time of the release.",
        ),
        (
            b'{"kind": "release", "name": "x", "at": "2026-01-01T00:00:00Z", "trouble_from": "2026-01-02T00:00:00Z"}',
            422,
            "trouble_from: the trouble that led to it begins before it, and it was at 2026-01-01T00:00:00+00:00.",
        ),
    ],
)
async def test_a_mark_that_makes_no_sense_is_refused(client: httpx2.AsyncClient, body: bytes, status: int, sentence: str) -> None:
    """Hostile and wrong bodies: a status, one sentence, and nothing is kept."""
    answer = await client.post("/api/v1/marks", content=body, headers=OURS)
    assert answer.status_code == status
    assert not sentence or answer.json() == {"error": sentence}
    assert (await client.get("/api/v1/marks")).json()["marks"] == []
