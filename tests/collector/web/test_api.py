"""`/api/v1` over HTTP: shapes, statuses and sentences."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2
import pytest
from fastapi import FastAPI

from sojourn_collector.context import Context
from sojourn_collector.store.client import Store
from sojourn_collector.web.api import build_api
from sojourn_collector.web.models import ImpactReport
from tests.collector.web.stage import NOW, Rows, broken_shop, context_of, minute


def client_of(context: Context) -> httpx2.AsyncClient:
    app = FastAPI()
    app.include_router(build_api(context))
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://sojourn")


@pytest.fixture
async def context(store: Store, tmp_path: Path) -> AsyncIterator[Context]:
    one = context_of(store, tmp_path)
    yield one
    one.control.close()


@pytest.fixture
async def client(context: Context) -> AsyncIterator[httpx2.AsyncClient]:
    async with client_of(context) as one:
        yield one


async def test_the_report_reads_back_as_its_model(context: Context, client: httpx2.AsyncClient) -> None:
    """The body of /impact is valid for the published model, unknown keys refused."""
    await broken_shop(usual=False).store(context.store)
    answer = await client.get("/api/v1/impact")
    assert answer.status_code == 200
    report = ImpactReport.model_validate_json(answer.content)
    assert report.problems[0].people.hit == 41
    assert report.as_of == NOW


HOSTILE = ("nobody", "user:nobody", "a/b/../c", "x' OR '1'='1", "{tenant:String}", "\0", "ä" * 600, "%00", "\\", "<script>")


@pytest.mark.parametrize(("kind", "word"), [("journeys", "journey"), ("runs", "run"), ("visits", "visit"), ("people", "person"), ("traces", "trace")])
async def test_an_unknown_or_hostile_id_is_404_with_one_sentence(client: httpx2.AsyncClient, kind: str, word: str) -> None:
    """Whatever the id, nothing breaks: 404 and a sentence."""
    for ident in HOSTILE:
        answer = await client.get(f"/api/v1/{kind}/{quote(ident, safe='')}")
        assert answer.status_code == 404
        assert answer.json()["error"].startswith(f"There is no {word} ")
        assert len(answer.json()["error"]) < 400


async def test_a_person_is_found_by_an_encoded_id(context: Context, client: httpx2.AsyncClient) -> None:
    """Ids with a colon, a slash or a space find their person."""
    rows = Rows()
    rows.customer("mary ann/2", NOW - minute(5))
    await rows.store(context.store)
    answer = await client.get(f"/api/v1/people/{quote('user:mary ann/2', safe='')}")
    assert (answer.status_code, answer.json()["label"]) == (200, "mary ann/2")


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"from": "yesterday"}, "from is not a time with a zone; write RFC 3339, such as 2026-01-31T14:00:00Z"),
        ({"to": "2026-11-20T10:00:00"}, "to is not a time with a zone; write RFC 3339, such as 2026-01-31T14:00:00Z"),
        ({"from": "2026-11-20T12:00:00Z", "to": "2026-11-20T10:00:00Z"}, "from must lie before to"),
        ({"from": "2027-01-01T00:00:00Z"}, "from lies in the future; give a time before now"),
        ({"to": "0001-01-01T00:00:03Z"}, "to lies before 1970; give a later time"),
        ({"from": "1969-12-31T23:59:59Z"}, "from lies before 1970; give a later time"),
        ({"from": "2020-01-01T00:00:00Z"}, "the window is longer than 92 days; choose a shorter one"),
    ],
)
async def test_a_window_that_makes_no_sense_is_422_with_the_cure(client: httpx2.AsyncClient, parameters: dict[str, str], sentence: str) -> None:
    """Place, cause and cure in one sentence."""
    answer = await client.get("/api/v1/impact", params=parameters)
    assert (answer.status_code, answer.json()) == (422, {"error": sentence})


async def test_the_window_is_taken_from_the_query(client: httpx2.AsyncClient) -> None:
    """from and to are honoured, whatever their zone."""
    answer = await client.get("/api/v1/impact", params={"from": "2026-11-20T11:00:00+01:00", "to": "2026-11-20T12:00:00Z"})
    body = answer.json()
    assert (body["window_from"], body["window_to"]) == ("2026-11-20T10:00:00Z", "2026-11-20T12:00:00Z")


async def test_a_journey_that_is_not_there_is_404(client: httpx2.AsyncClient) -> None:
    """The filter of /impact knows the folder."""
    answer = await client.get("/api/v1/impact", params={"journey": "nope"})
    assert (answer.status_code, answer.json()) == (404, {"error": "There is no journey 'nope'."})
    assert (await client.get("/api/v1/impact", params={"journey": "checkout"})).json()["journeys"][0]["id"] == "checkout"


async def test_while_the_engine_is_down_the_answer_is_503_with_a_time_to_come_back(context: Context) -> None:
    """Every endpoint says 503, Retry-After and one sentence."""
    down = Store(lambda: None)
    async with client_of(replace(context, store=down)) as client:
        for path in ("impact", "journeys/checkout", "runs/x", "visits/x", "people/user:x", f"traces/{'ab' * 16}"):
            answer = await client.get(f"/api/v1/{path}")
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
            assert answer.json() == {"error": "The engine is starting or was just restarted; try again in a moment."}


async def test_openapi_names_answers_and_errors(context: Context) -> None:
    """Each endpoint publishes its model and the shape of its errors."""
    app = FastAPI()
    app.include_router(build_api(context))
    paths: dict[str, Any] = app.openapi()["paths"]
    things = ("journeys/{ident}", "journeys/{ident}/history", "people/{ident}", "runs/{ident}", "traces/{ident}", "visits/{ident}")
    assert sorted(paths) == [f"/api/v1/{path}" for path in ("impact", *things)]
    for operations in paths.values():
        responses = operations["get"]["responses"]
        assert set(responses) == {"200", "404", "422", "503"}
        assert responses["404"]["content"]["application/json"]["schema"]["$ref"].endswith("/ErrorAnswer")
