"""The page *Add data* in a real Chromium, and what it refuses over plain HTTP."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, cast

import httpx2
import pytest
from fastapi import FastAPI

from sojourn_collector.config import CollectorConfig, ImpactConfig
from sojourn_collector.context import Context
from sojourn_collector.sources.base import Secrets
from sojourn_collector.sources.import_door import ImportDoor
from sojourn_collector.store.control import Control, Scope
from sojourn_collector.web.add_data import build_add_data
from sojourn_collector.web.guard import Guard
from sojourn_collector.web.pages import mount_static
from sojourn_probes import chromium
from tests.collector.control_file import open_control
from tests.collector.web.fixtures import NOW
from tests.serving import served

ORDERS = """Order ID;Ordered at;Total;Customer;Land
o-1;2026-11-01 10:00;62,00;u1;DE
o-2;2026-11-02 11:30;1.019,90;u2;FR
o-3;2026-11-02 12:00;oops;u3;<img src=x onerror=alert(1)>
"""


@dataclass
class Parts:
    """What of the context the page uses."""

    control: Control
    impact: ImpactConfig = field(default_factory=lambda: ImpactConfig(timezone="Europe/Berlin"))
    config: CollectorConfig = field(default_factory=CollectorConfig)
    secrets: Secrets = field(default_factory=Secrets)

    def clock(self) -> datetime:
        """Always the same."""
        return NOW


@dataclass
class Running:
    """The page's address, a key that may send, and the database behind it."""

    url: str
    key: str
    control: Control


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    """The page behind the guard, as the collector has it on loopback."""
    control = open_control(tmp_path / "control.sqlite")
    app = FastAPI(openapi_url=None)
    mount_static(app)
    app.include_router(build_add_data(cast("Context", Parts(control)), ImportDoor(control, ""), deadline=0.5))
    key = (await control.keys.create("me", [Scope.SOURCES])).text
    async with served(Guard(app, frozenset(), control.keys, needs_key=False, token="")) as url:
        yield Running(url, key, control)
    control.close()


@asynccontextmanager
async def opened(running: Running, width: int = 1280, height: int = 860) -> AsyncIterator[Any]:
    """The page in Chromium; whatever it complains about fails the test."""
    from playwright.async_api import async_playwright

    choice = chromium.find()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=choice.path, args=list(choice.args))
        try:
            page = await browser.new_page(viewport={"width": width, "height": height}, reduced_motion="reduce")
            wrong: list[str] = []
            page.on("pageerror", lambda error: wrong.append(str(error)))
            page.on("dialog", lambda dialog: dialog.accept())
            await page.goto(f"{running.url}/add")
            yield page
            assert wrong == []
        finally:
            await browser.close()


async def dropped(page: Any, running: Running, text: str = ORDERS, source: str = "orders") -> None:
    """Choose what it is, give the key, choose the file."""
    await page.check(f"input[value={source}]")
    await page.fill("#key", running.key)
    await page.set_input_files("#file", {"name": "<b>orders.csv", "mimeType": "text/csv", "buffer": text.encode()})


@pytest.mark.browser
async def test_a_file_is_matched_checked_added_and_taken_back(running):
    """Columns are guessed and can be changed; the check keeps nothing; what was added can be undone."""
    async with opened(running) as page:
        await dropped(page, running)
        await page.wait_for_selector("#match")
        keys = await page.eval_on_selector_all("[data-column]", "all => all.map(one => one.value)")
        assert keys == ["id", "at", "amount", "", ""]
        assert "<img" in await page.inner_text(".matching")
        assert await page.locator(".matching img").count() == 0
        await page.focus("#column-4")
        await page.select_option("#column-4", "user_id")
        await page.wait_for_selector(".column:not(.left-out) #column-4:focus")
        await page.fill("#set-currency", "EUR")
        await page.select_option("#decimal", ",")
        await page.click("#check")
        await page.wait_for_selector("#import")
        assert await page.inner_text("#result") == "2 rows are good, 1 is not"
        assert "Line 4\tamount:" in (await page.inner_text(".wrong")).replace("\n", "\t")
        assert await running.control.inbox.waiting() == []
        await page.click("#import")
        await page.wait_for_selector("[data-undo]")
        rows = [json.loads(row.body) for row in await running.control.inbox.waiting()]
        assert rows[1] == {"currency": "EUR", "id": "o-2", "at": "2026-11-02T11:30:00+01:00", "amount": "1019.90", "user_id": "u2"}
        assert "<b>orders.csv" in await page.inner_text("#imported")
        await page.click("[data-undo]")
        await page.wait_for_selector("#imported >> text=taken back")
        assert "2 rows are taken out." in await page.inner_text("#undone")
        assert all(row.withdrawn for row in await running.control.inbox.waiting())


@pytest.mark.browser
async def test_how_dates_are_written_is_asked_for(running):
    """What the file's own dates tell is said as a suggestion; nothing is chosen until somebody does, and the choice holds when columns change."""
    text = "ID,Ordered at,Total,Note\no-1,5.11.2025 10:00,1,x\no-2,27.11.2025 11:30,2,y\n"
    async with opened(running) as page:
        await dropped(page, running, text)
        await page.wait_for_selector("#dates-hint")
        assert await page.inner_text("#dates-hint") == (
            "at: 1 date may be read in two ways. All dates of this column fit day-first, 1 of them nothing else: day-first is the likely answer."
        )
        assert await page.input_value("#dates") == ""
        await page.fill("#set-currency", "EUR")
        await page.click("#check")
        await page.wait_for_selector("#import")
        assert 'at: "5.11.2025 10:00" may be 5 November or 11 May; say how dates are written' in await page.inner_text(".wrong")
        await page.select_option("#dates", "day-first")
        await page.select_option("#column-4", "channel")
        await page.wait_for_selector(".column:not(.left-out) #column-4")
        assert await page.input_value("#dates") == "day-first"
        assert await page.locator("#dates-hint").count() == 0
        await page.click("#check")
        await page.click("#import")
        await page.wait_for_selector("[data-undo]")
        rows = [json.loads(row.body) for row in await running.control.inbox.waiting()]
        assert [row["at"] for row in rows] == ["2025-11-05T10:00:00+01:00", "2025-11-27T11:30:00+01:00"]


@pytest.mark.browser
async def test_each_kind_of_answers_may_have_its_scale(running):
    """Where a file has several kinds with a scale, the scale of each is asked for; what says nothing of satisfaction is left out and counted."""
    kinds = (("nps", 9), ("csat", 4), ("ces", 6), ("categorical", ""))
    text = "submission_id,collected_at,field_id,field_type,value_number\n" + "".join(f"s1,2025-11-27T10:00:00Z,{k},{k},{n}\n" for k, n in kinds)
    async with opened(running) as page:
        await dropped(page, running, text, "feedback")
        await page.wait_for_selector("#match")
        asked = await page.eval_on_selector_all("[data-set]", "all => all.map(one => one.dataset.set)")
        assert asked == ["csat.scale_min", "ces.scale_min", "csat.scale_max", "ces.scale_max"]
        for name, value in zip(asked, ("1", "1", "5", "7"), strict=True):
            await page.fill(f"[data-set='{name}']", value)
        await page.click("#check")
        await page.wait_for_selector("#import")
        assert await page.inner_text("#result") == "3 rows are good"
        assert "1 row is left out: answers of the kind categorical (1) say nothing of satisfaction." in await page.inner_text("#outcome")


@pytest.mark.browser
async def test_it_fits_a_phone_and_says_what_is_missing(running):
    """Nothing is wider than the screen; needed keys without a column and a wrong key are said."""
    await running.control.imports.begin("orders", "a-long-name-of-a-file-that-does-not-break-" * 3 + ".csv", "me", NOW)
    async with opened(running, 390, 844) as page:
        await dropped(page, running, "Nr,When,Amount\n1,2026-11-01T10:00:00Z,5\n")
        await page.wait_for_selector("#still")
        assert await page.inner_text("#still") == "Still needed: id, at. Choose the columns that are them."
        assert await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
        await page.fill("#key", "sj_wrong_key")
        await page.click("#check")
        await page.wait_for_selector(".refused")
        assert "This key is unknown or was revoked." in await page.inner_text(".refused")


async def test_only_senders_may_ask_and_no_other_site(running):
    """Every question needs a key of scope sources, and a browser that asks for another site is refused even with one."""
    good = {"authorization": f"Bearer {running.key}"}
    async with httpx2.AsyncClient(base_url=running.url, trust_env=False, timeout=60) as http:
        for path in ("look", "check", "import", "list", "undo/0123456789ab"):
            assert (await http.post(f"/add/{path}?source=orders", content=b"id\n1")).status_code == 401, path
            other = await http.post(f"/add/{path}?source=orders", content=b"id\n1", headers={**good, "sec-fetch-site": "cross-site"})
            assert other.status_code == 403, path
            assert "A page of another site may not import here." in other.text
        page = await http.get("/add")
        assert "form-action 'none'" in page.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("path", "body", "status", "said"),
    [
        ("look?source=orders", b"", 400, "The file is empty; its first line has the names of the columns."),
        ("look?source=orders", b"id,at\n", 400, "The file has names of columns and no row below them."),
        ("look?source=nothing", b"id\n1\n", 404, "There is no source &#34;nothing&#34;; there are"),
        ("check?source=orders", b'id\n"', 400, "Line 2: a quote is opened and not closed;"),
        ("check?source=orders&map=id", b"id\n1\n", 400, "map: &#39;id&#39; is not column=key."),
        ("import?source=orders", b"id\n" + b"1\n" * 50_001, 400, "The file has more than 50,000 rows;"),
        ("import?source=orders", b"x" * ((20 << 20) + 1), 413, "The body is larger than 20 MiB;"),
        ("undo/0123456789ab", b"", 409, "There is no import 0123456789ab that could be undone;"),
    ],
)
async def test_what_cannot_be_read_is_one_sentence(running, path, body, status, said):
    """It stands in a part of the page, escaped, and nothing is kept."""
    async with httpx2.AsyncClient(base_url=running.url, trust_env=False, timeout=20) as http:
        answer = await http.post(f"/add/{path}", content=body, headers={"authorization": f"Bearer {running.key}"})
    assert (answer.status_code, said in answer.text) == (status, True), answer.text
    assert await running.control.inbox.waiting() == []
    assert await running.control.imports.latest() == []
