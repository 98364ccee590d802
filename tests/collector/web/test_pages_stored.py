"""The report's pages over a real store: whatever one can click leads to a page that says what it promises."""

import html
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from html import unescape
from pathlib import Path

import httpx2
import pytest
from fastapi import FastAPI

from sojourn_collector.context import Context
from sojourn_collector.store.client import Store
from sojourn_collector.web.api import build_api
from sojourn_collector.web.feedback import build_feedback
from sojourn_collector.web.lists import build_lists
from sojourn_collector.web.measures import build_measures
from sojourn_collector.web.pages import build_pages
from sojourn_collector.web.verdicts import build_verdicts
from tests.collector.web.stage import BROKE, NOW, Rows, broken_shop, context_of, minute

LINK = re.compile(r'href="(/(?:problems|journeys|people|visits|runs|traces)/[^"#?]+)')
KINDS = ("problems", "journeys", "people", "visits", "runs", "traces")
COMMENT = "Could not pay <script>alert(1)</script> & left"


@pytest.fixture
async def context(store: Store, tmp_path: Path) -> AsyncIterator[Context]:
    one = context_of(store, tmp_path)
    yield one
    one.control.close()


@pytest.fixture
async def pages(context: Context) -> AsyncIterator[httpx2.AsyncClient]:
    app = FastAPI()
    app.include_router(build_verdicts(context))
    app.include_router(build_measures(context))
    app.include_router(build_feedback(context))
    app.include_router(build_api(context))
    app.include_router(build_lists(context))
    app.include_router(build_pages(context))
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://sojourn") as client:
        yield client


async def walked(pages: httpx2.AsyncClient) -> dict[str, str]:
    """Pages that links lead to from the front page: path → its HTML. Of the links of a kind on one page the first five are followed."""
    found: dict[str, str] = {}
    waiting = ["/"]
    while waiting:
        path = waiting.pop(0)
        answer = await pages.get(path)
        assert answer.status_code == 200, (path, answer.status_code)
        found[path] = answer.text
        links = list(dict.fromkeys(LINK.findall(answer.text)))
        for kind in KINDS:
            of_kind = [link for link in links if link.startswith(f"/{kind}/")][:5]
            waiting += [link for link in of_kind if link not in found and link not in waiting]
    return found


async def test_tickets_of_a_journey_that_is_not_there_are_not_none(pages: httpx2.AsyncClient) -> None:
    """404, as in the API: an empty page would say that nobody asked."""
    assert (await pages.get("/tickets", params={"journey": "nothing"})).status_code == 404
    assert (await pages.get("/tickets", params={"journey": "checkout"})).status_code == 200


async def test_accounts_stand_beside_what_their_people_lived_through(context: Context, pages: httpx2.AsyncClient) -> None:
    """Those whose people were hit first of all, all of them when asked; what nobody told is not known; another choice or cursor than offered is 404."""
    rows = Rows()
    rows.customer("u1", NOW - minute(500), fails=True, stopped=True, account="a1")
    rows.customer("u2", NOW - minute(400), done=True, account="a1")
    rows.customer("u3", NOW - minute(300), done=True, account="a2")
    rows.accounts.append(
        {"source": "crm", "id": "a1", "version": 1, "name": "Acme <b>", "plan": "gold", "owner": "Kim", "mrr": Decimal(1200), "currency": "EUR"}
    )
    await rows.store(context.store)
    hurt, every = [(await pages.get("/accounts", params=asked)).text for asked in ({}, {"met": "any"})]
    assert "Acme &lt;b&gt;" in hurt
    for seen in ("1 of 2", "gold", "Kim", "1,200.00 EUR", "Was stopped"):
        assert seen in hurt, seen
    assert ">a2<" not in hurt
    link = html.unescape(hurt[hurt.index("/api/v1/accounts?") :].partition('"')[0])
    assert [one["account_id"] for one in (await pages.get(link)).json()["items"]] == ["a1"], "the same as JSON"
    assert "known from visits only" in every
    assert "0 of 1" in every
    for asked in ({"met": "some"}, {"cursor": "nonsense"}, {"cursor": "x" * 10_000}):
        assert (await pages.get("/accounts", params=asked)).status_code == 404


async def test_one_can_walk_from_the_number_to_the_comment(context: Context, pages: httpx2.AsyncClient) -> None:
    """Front page → problem → person → visit → trace, and our own failing run; every link opens, and the comment stands there as text."""
    rows = broken_shop()
    at = BROKE + timedelta(seconds=6)
    rows.answer("f1", at + minute(1), 1, person="user:u3", session=f"s-u3-{int(at.timestamp())}", comment=COMMENT)
    for trace in dict.fromkeys(trace for row in (*rows.runs, *rows.sessions) for trace in row.get("trace_ids", [])):
        rows.span(at, "POST /payments", trace, "01" * 8, service="payments")
    await rows.store(context.store)
    found = await walked(pages)
    kinds = {path.split("/")[1] for path in found}
    assert kinds == {"", *KINDS}
    assert [path for path, html in found.items() if "As of" not in html] == []
    asked = {unescape(href) for html in found.values() for href in re.findall(r'href="(/api/v1/[^"]+)"', html)}
    assert len(asked) > 5
    for address in asked:
        answer = await pages.get(address)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json"), address
    front = found["/"]
    assert "41" in front
    problem = next(html for path, html in found.items() if path.startswith("/problems/"))
    assert "502 from POST /payments" in problem
    assert all("<script>alert(1)</script>" not in html for html in found.values())
    assert "Could not pay &lt;script&gt;" in problem
    visit = f"/visits/s-u3-{int(at.timestamp())}"
    assert visit in problem
    for path in (visit, "/people/user:u3"):
        answer = await pages.get(path)
        assert (answer.status_code, "Could not pay &lt;script&gt;" in answer.text) == (200, True), path
        assert "<script>alert(1)</script>" not in answer.text
