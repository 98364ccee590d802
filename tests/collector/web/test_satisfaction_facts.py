"""Satisfaction by facts of the visit, of whoever answered, of their account, by what they had met before, and by any attribute."""

import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from sojourn_collector.context import Context
from sojourn_collector.impact_config import SegmentAttribute
from sojourn_collector.store.client import Store
from sojourn_collector.web.feedback import build_feedback
from sojourn_collector.web.pages import build_pages
from tests.collector.web.asking import asking, get
from tests.collector.web.stage import IMPACT, NOW, Rows, minute
from tests.collector.web.test_pages import Read

DAY = timedelta(days=1)
HOSTILE = ("it's", 'a"b', "attrs['x'])", "{attr:String}", "\\", "' OR 1=1 --", "ключ", "a,b=c&d", "%s", "x" * 128)


@pytest.fixture
async def client(context: Context) -> AsyncIterator[httpx2.AsyncClient]:
    async with asking(build_feedback(context)) as one:
        yield one


def said(told: dict[str, Any]) -> dict[str, int]:
    """Answers by group."""
    return {one["value"]: one["answered"] for one in told["groups"]}


async def test_of_an_answer_without_a_visit_the_account_is_known_and_not_the_device(client: httpx2.AsyncClient, store: Store) -> None:
    """Six answers of visits and seven of people alone: role and owner are of all thirteen, device and region of the six, the country of a visit where it
    says so and of the account else. What is not known is counted."""
    rows = Rows()
    for number in range(13):
        session = rows.customer(f"u{number}", NOW - DAY) if number < 6 else ""
        if session:
            rows.sessions[-1]["facts"] = {"country": "DE", "region": "DE-BY", "city": "DE-BY München"} if number < 5 else {"region": "DE"}
        rows.people.append({"source": "crm", "id": f"u{number}", "version": 1, "account_id": "acme", "role": "buyer"})
        rows.answer(f"f{number}", NOW - DAY, 5, person=f"user:u{number}", session=session)
    rows.accounts.append({"source": "crm", "id": "acme", "version": 1, "owner": "Kim", "attrs": {"country": "AT"}})
    rows.answer("nobody", NOW - DAY, 1)
    await rows.store(store)
    for by, groups, unknown in (
        ("role", {"buyer": 13}, 1),
        ("owner", {"Kim": 13}, 1),
        ("device", {"desktop": 6}, 8),
        ("app", {"shop": 6}, 8),
        ("country", {"AT": 8, "DE": 5}, 1),
        ("region", {"DE-BY": 5}, 8),
        ("location", {"DE-BY München": 5}, 8),
    ):
        told = await get(client, "satisfaction", by=by)
        assert (said(told), told["unknown"]) == (groups, unknown), by


async def test_the_kind_of_failure_is_the_worst_met_before_the_answer(client: httpx2.AsyncClient, store: Store) -> None:
    """A failure after the answer is not met before it; of two walks the worse counts, of a slow one that it was slow; without a walk it is not known."""
    rows = Rows()

    def walked(name: str, ago: float, **how: Any) -> str:
        return str(uuid.uuid5(uuid.NAMESPACE_URL, rows.customer(name, NOW - minute(ago), **how)))

    answered = NOW - minute(30)
    for number in range(5):
        bad = walked(f"worse{number}", 50, fails=True, stopped=True)
        rows.steps[-1]["failure_kind"] = "timeout"
        walks = {
            "worse": [walked(f"script{number}", 60, fails=True, message="TypeError"), bad],
            "later": [walked(f"later{number}", 20, fails=True)],
            "fine": [walked(f"fine{number}", 50)],
            "slow": [walked(f"slow{number}", 50)],
            "unlinked": [],
        }
        next(step for step in rows.steps if step["run_id"] == walks["slow"][0])["severity"] = 0.25
        for name, runs in walks.items():
            rows.answer(f"{name}{number}", answered, 3)
            rows.feedback[-1]["run_ids"] = runs
    await rows.store(store)
    told = await get(client, "satisfaction", by="failure_kind")
    assert (said(told), told["unknown"], told["by"]) == ({"timeout": 5, "none seen": 10, "slow": 5}, 5, "failure_kind")
    assert said(await get(client, "satisfaction", by="failure_kind", journey="newsletter")) == {}


async def test_any_attribute_is_the_persons_else_the_accounts_else_the_visits(client: httpx2.AsyncClient, store: Store) -> None:
    """As in the breakdown of a score, with the same words: `attr`, and `of` for one of the three alone."""
    rows = Rows()
    for number in range(15):
        session = rows.customer(f"u{number}", NOW - DAY)
        rows.sessions[-1]["facts"] = {"attribute:tier": "visit's"}
        rows.people.append(
            {"source": "crm", "id": f"u{number}", "version": 1, "account_id": "acme" if number < 10 else "", "attrs": {"tier": "own"} if number < 5 else {}}
        )
        rows.answer(f"f{number}", NOW - DAY, 5, person=f"user:u{number}", session=session)
    rows.accounts.append({"source": "crm", "id": "acme", "version": 1, "attrs": {"tier": "account's"}})
    await rows.store(store)
    for of, groups in (
        ("", {"own": 5, "account's": 5, "visit's": 5}),
        ("person", {"own": 5}),
        ("account", {"account's": 10}),
        ("visit", {"visit's": 15}),
    ):
        told = await get(client, "satisfaction", attr="tier", of=of)
        assert (said(told), told["by"]) == (groups, "tier"), of


async def test_an_attribute_may_be_called_anything(context: Context, store: Store) -> None:
    """Quotes, braces and markup in names and values are text, in the answer, on the page and in its links."""
    rows = Rows()
    values = {name: f"<b>{name}"[:100] for name in HOSTILE}
    for number in range(5):
        rows.people.append({"source": "crm", "id": f"u{number}", "version": 1, "attrs": values})
        rows.answer(f"f{number}", NOW - DAY, 5, person=f"user:u{number}")
    await rows.store(store)
    segments = tuple(SegmentAttribute(attribute=name) for name in HOSTILE)
    offering = replace(context, impact=IMPACT.model_copy(update={"segments": segments}))
    async with asking(build_feedback(offering), build_pages(offering)) as client:
        for name, value in values.items():
            assert said(await get(client, "satisfaction", attr=name, over="week")) == {value: 5}
        page = await client.get("/feedback", params={"attr": HOSTILE[0], "over": "week"})
        links = {link for link in Read(page.text).values("a", "href") if link.startswith("/feedback?attr=") and link.endswith("&over=week")}
        followed = [await client.get(link) for link in links]
    assert len(links) == len(HOSTILE)
    for answer in (page, *followed):
        assert answer.status_code == 200
        assert "<b>" not in answer.text
        assert "&lt;b&gt;" in answer.text


async def test_what_cannot_be_asked_is_one_sentence(context: Context) -> None:
    """A control character in a name, a name without end, unknown words; a page knows only the attributes of impact.yaml."""
    async with asking(build_feedback(context), build_pages(context)) as client:
        for asked, sentence in (
            ({"attr": "a\0b"}, "attr holds a control character; leave it out"),
            ({"attr": "x" * 600}, "attr: String should have at most 512 characters"),
            ({"attr": "tier", "of": "shop"}, "of: Input should be '', 'person', 'account' or 'visit'"),
            ({"over": "year"}, "over: Input should be '', 'day', 'week' or 'month'"),
        ):
            answer = await client.get("/api/v1/satisfaction", params=asked)
            assert (answer.status_code, answer.json()) == (422, {"error": sentence})
        for wrong in ({"attr": "tier"}, {"by": "shoe"}, {"over": "year"}, {"by": "plan", "of": "shop", "attr": "x"}):
            assert (await client.get("/feedback", params=wrong)).status_code == 404, wrong
