"""Accounts and people of which several feeds tell: of each fact the newest value that is said holds, wherever it is asked for."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from sojourn_collector.context import Context
from sojourn_collector.store.catalogue import FOLDER
from sojourn_collector.store.client import Store
from sojourn_collector.store.told import expanded
from sojourn_collector.web.answers.feedback_facts import fact_asked
from sojourn_collector.web.api import build_api
from sojourn_collector.web.lists import build_lists
from sojourn_collector.web.measures import build_measures
from tests.collector.web.asking import asking, get
from tests.collector.web.stage import NOW, Rows, minute

DAY = timedelta(days=1)
CRM: dict[str, Any] = {"source": "crm", "id": "acme", "version": 1, "name": "Acme", "plan": "pro", "segment": "b2b", "mrr": 900, "currency": "EUR"}
BY_ADDRESS = {"join_people_by_email"}
"""An address leads to whoever had it in any feed."""
SDK: dict[str, Any] = {"source": "segment", "id": "acme", "version": 2, "name": "ACME Inc."}


@pytest.fixture
async def client(context: Context) -> AsyncIterator[httpx2.AsyncClient]:
    async with asking(build_measures(context), build_lists(context), build_api(context)) as one:
        yield one


async def account(store: Store, *rows: dict[str, Any]) -> tuple[Any, ...]:
    """Name, plan, segment, revenue and currency of the account once these rows are there."""
    await store.insert("accounts", rows)
    (told,) = await store.query("accounts_by_id", ids=["acme"])
    return told["name"], told["plan"], told["segment"], told["monthly"], told["currency"]


async def test_what_one_feed_does_not_say_another_does(store: Store) -> None:
    """A later row of another feed replaces what it says and nothing else; an amount keeps its own currency."""
    await store.insert("accounts", [CRM])
    assert await account(store, SDK) == ("ACME Inc.", "pro", "b2b", 900.0, "EUR")
    assert await account(store, {**SDK, "version": 3, "currency": "USD"}) == ("ACME Inc.", "pro", "b2b", 900.0, "EUR")
    assert await account(store, {**SDK, "version": 4, "mrr": 7, "currency": "USD"}) == ("ACME Inc.", "pro", "b2b", 7.0, "USD")


async def test_a_feed_takes_back_what_it_said(store: Store) -> None:
    """What the newest row of a feed says no more is told no more, unless another feed says it; with its row goes all it said."""
    await store.insert("accounts", [CRM, {**SDK, "plan": "free"}])
    assert await account(store, {**CRM, "version": 3, "segment": "", "mrr": None, "currency": ""}) == ("Acme", "pro", "", None, "")
    assert await account(store, {**CRM, "version": 4, "plan": ""}) == ("Acme", "free", "b2b", 900.0, "EUR")
    assert await account(store, {**CRM, "version": 5, "deleted": 1}) == ("ACME Inc.", "free", "", None, "")


async def test_the_time_of_saying_decides(store: Store) -> None:
    """A row that is written again says nothing new, and of events each fact is as old as the event that said it."""
    await store.insert("accounts", [{**CRM, "said": 100_000, "version": 900}, {**SDK, "plan": "free", "said": 200_000}])
    assert (await account(store, {**SDK, "id": "other"}))[:2] == ("ACME Inc.", "free")
    assert (await account(store, {**SDK, "plan": "free", "said": 300_000, "said_before": {"plan": 50_000}, "version": 3}))[:2] == ("ACME Inc.", "pro")


async def test_the_list_of_accounts(context: Context, client: httpx2.AsyncClient) -> None:
    """The list tells and filters by what all feeds together say."""
    await context.store.insert("accounts", [CRM, SDK])
    (item,) = (await get(client, "accounts", plan="pro"))["items"]
    assert (item["name"], item["plan"], item["segment"], item["monthly"], item["currency"]) == ("ACME Inc.", "pro", "b2b", 900.0, "EUR")
    assert item["told"] is True


async def test_recurring_worth_stays(store: Store) -> None:
    """A feed that tells no price takes nobody's worth away, and one that tells no account takes nobody out of theirs."""
    rows = Rows(accounts=[CRM, SDK])
    rows.people += [{"source": "crm", "id": "u1", "version": 1, "account_id": "acme"}, {"source": "segment", "id": "u1", "version": 2, "role": "buyer"}]
    rows.customer("u1", NOW - minute(5), fails=True, stopped=True)
    await rows.store(store)
    window: dict[str, Any] = {"since": NOW - DAY, "until": NOW, "currency": "EUR", "paid_since": NOW - 9 * DAY}
    (here,) = await store.query("worth_at_step", **window, paid_until=NOW, journey="checkout", step="pay", run_since=NOW - DAY, most=100)
    assert (here["account"], here["mrr"], here["mrr_currency"], here["plan"]) == ("acme", 900.0, "EUR", "pro")
    (in_journey,) = await store.query("worth_in_journey", **window, paid_until=NOW, journey="checkout", one_in=1)
    assert (in_journey["account"], in_journey["mrr"], in_journey["mrr_currency"], in_journey["plan"]) == ("acme", 900.0, "EUR", "pro")
    (active,) = await store.query("worth_of_active", **window, one_in=1, units=["EUR"], rates=[1.0], days=90.0, month=30.0)
    assert (active["segment"], active["worths"]) == ("b2b", [2700.0])
    (silent,) = await store.query("silent_candidates", **window, severity=0.5, journey="", most=10, seconds=9 * 86_400)
    assert (silent["account"], silent["mrr"], silent["account_name"]) == ("acme", 900.0, "ACME Inc.")
    (person,) = await store.query("people_by_id", ids=["u1"])
    assert (person["account_id"], person["role"]) == ("acme", "buyer")
    asked: dict[str, Any] = {"since": NOW - DAY, "until": NOW, "journey": "checkout", "zone": "UTC", "fact": "", "attr": "", "of": ""}
    (unit,) = [
        row
        for row in await store.query("breakdown_units", **asked, by="segment", wider="", by_visit=False, by_person=False, one_in=1, most=9)
        if not row["whole"]
    ]
    assert (unit["value"], unit["people"]) == ("b2b", 1)
    (rarely,) = await store.query("accounts_unasked", before=NOW, most=10)
    assert (rarely["name"], rarely["monthly"], rarely["accounts"]) == ("ACME Inc.", 900.0, 1)


async def test_who_refused_is_not_named(client: httpx2.AsyncClient, store: Store) -> None:
    """A feed that does not know of consent does not lift another's refusal, nor its grant; only who says otherwise later does."""
    rows = Rows()
    at = NOW - 10 * DAY
    for number in range(30):
        rows.customer(f"u{number}", at, fails=number < 10, stopped=number < 10)
        rows.order(f"o{number}", NOW - 40 * DAY, 1000.0 if number < 4 or number > 25 else 10.0, person=f"user:u{number}")
    rows.sessions[3]["consent"] = "unknown"
    crm, sdk = {"source": "crm", "version": 1}, {"source": "segment", "version": 2}
    rows.people += [{**crm, "id": "u1", "consent": "denied"}, {**sdk, "id": "u1", "consent": "unknown"}]
    rows.people += [{**crm, "id": "u2", "consent": "denied"}, {**sdk, "id": "u2", "consent": "granted"}]
    rows.people += [{**crm, "id": "u3", "consent": "granted"}, {**sdk, "id": "u3", "consent": "unknown"}]
    await rows.store(store)
    told = await get(client, "silent-sufferers")
    assert sorted(one["person_id"] for one in told["people"]) == ["user:u0", "user:u2", "user:u3"]


NO_FILTER: dict[str, Any] = {
    **dict.fromkeys(("kind", "feed", "survey", "question_id", "channel", "language", "step", "link", "verdict", "person", "text"), ""),
    **dict.fromkeys(("account", "lifecycle", "device", "browser", "release", "once"), ""),
    "words": False,
    "any_scale": True,
    "low": 0.0,
    "high": 0.0,
    "higher": True,
    "looked": 1000,
}


async def test_an_answer_stands_under_one_plan(store: Store) -> None:
    """Feeds that tell different plans of one account make one answer no two, nor is it lost under an empty one."""
    rows = Rows(accounts=[CRM, {**SDK, "source": "billing", "plan": "free"}, {**SDK, "version": 3}])
    rows.people += [{"source": "crm", "id": "u1", "version": 1, "account_id": "acme"}, {"source": "segment", "id": "u1", "version": 2}]
    rows.answer("f1", NOW - minute(5), 1, person="user:u1")
    await rows.store(store)
    window: dict[str, Any] = {"since": NOW - DAY, "until": NOW, "journey": ""}
    groups = await store.query("feedback_groups", **window, **fact_asked("plan", "", ""), zone="UTC", over="", facts=[], surveys=[])
    assert [(group["fact"], group["n"]) for group in groups] == [("free", 1)]
    asked: dict[str, Any] = {**window, **NO_FILTER, "at": 2**60, "after": "", "most": 10}
    assert [row["id"] for row in await store.query("list_feedback", **asked, plan="free", segment="b2b")] == ["f1"]
    assert await store.query("list_feedback", **asked, plan="pro", segment="") == []


async def test_attributes_are_merged_one_by_one(store: Store) -> None:
    """An attribute that another feed does not name keeps its value."""
    rows = Rows()
    rows.customer("u1", NOW - minute(5), fails=True)
    rows.people += [{"source": "crm", "id": "u1", "version": 1, "attrs": {"tier": "gold"}}, {"source": "b", "id": "u1", "version": 2, "attrs": {"x": "y"}}]
    await rows.store(store)
    asked: dict[str, Any] = {"since": NOW - DAY, "until": NOW, "journey": "checkout", "zone": "UTC", "fact": "", "by": "", "of": "person"}
    units = await store.query("breakdown_units", **asked, attr="tier", wider="", by_visit=False, by_person=False, one_in=1, most=9)
    assert [row["value"] for row in units if not row["whole"]] == ["gold"]


def test_a_column_that_nobody_tells() -> None:
    """A query that asks for a column feeds do not tell is refused when it is read."""
    with pytest.raises(KeyError, match="people are told nothing of plan"):
        expanded("SELECT plan FROM told(people: plan)")


def test_the_rules_are_written_once() -> None:
    """No query merges the feeds of accounts and people by itself, or counts orders by the id of one feed alone."""
    for path in FOLDER.glob("*.sql"):
        text = path.read_text()
        assert (
            not re.search(r"argMax\([^()]*, version\)[^;]*FROM (accounts|people)\b|FROM (accounts|people) FINAL[^)]*LIMIT 1 BY", text)
            or path.stem in BY_ADDRESS
        ), path.name
        assert "LIMIT 1 BY id" not in text or "orders" not in text, path.name
