"""What explains a journey's score where customers count by what they are worth: by step, cause, fact and time, from the same walks as by heads."""

from collections.abc import AsyncIterator
from datetime import timedelta

import httpx2
import pytest

from sojourn_collector.context import Context
from sojourn_collector.score.customer_impact import SAMPLED
from sojourn_collector.store.client import Store
from sojourn_collector.web.answers import breakdown_worth
from sojourn_collector.web.measures import build_measures
from sojourn_collector.web.pages import build_pages
from tests.collector.web.asking import asking, get
from tests.collector.web.stage import NOW, Rows, minute
from tests.collector.web.test_breakdown import BEGAN, walk

PATH = "journeys/checkout/breakdown"
BEFORE = NOW - timedelta(days=40)
"""Before the four weeks that are looked at."""


@pytest.fixture
async def client(context: Context) -> AsyncIterator[httpx2.AsyncClient]:
    async with asking(build_measures(context), build_pages(context)) as one:
        yield one


def worth(rows: Rows, name: str, amount: float) -> None:
    """Somebody known for all of the 90 days who paid so much in them, and a lot afterwards."""
    since = NOW - timedelta(days=28 + 90)
    rows.order(f"old-{name}", since, amount / 2, person=f"user:{name}")
    rows.order(f"new-{name}", BEFORE, amount / 2, person=f"user:{name}")
    rows.order(f"since-{name}", NOW - minute(10), 100_000.0, person=f"user:{name}")


def shop(rows: Rows) -> None:
    """Forty who are worth 900 each, ten of them blocked at Pay; forty of 100, twenty of them slow in the cart; all came twice that day, well the day before."""
    for number in range(40):
        for who, amount, met in (
            ("rich", 900.0, ("pay", 1.0, "status") if number < 10 else ("pay", 0.0, "")),
            ("poor", 100.0, ("cart", 0.25, "") if number < 20 else ("cart", 0.0, "")),
        ):
            name = f"{who}{number}"
            walk(rows, name, met, role=who)
            rows.customer(name, BEGAN + minute(20))
            rows.steps.pop()
            rows.customer(name, BEGAN - timedelta(days=1))
            rows.steps[-1] |= {"step": met[0]}
            worth(rows, name, amount)


async def test_each_counts_by_what_they_were_worth_before(client: httpx2.AsyncClient, store: Store) -> None:
    """By heads (10 · 1 + 20 · .25) / 160 days. By worth (10 · 900 + 20 · .25 · 100) / 80,000, of as many equal customers as (Σv)² / Σv² says; what
    was paid within the window makes nobody worth more."""
    rows = Rows()
    shop(rows)
    await rows.store(store)
    heads, told = await get(client, PATH), await get(client, PATH, view="value")
    assert (heads["view"], heads["units"], heads["score"], heads["coverage"], heads["n_eff"]) == ("people", 160, 9.375, None, 160)
    assert (told["view"], told["units"], told["score"], told["coverage"], told["currency"], told["one_in"]) == ("value", 160, 11.875, 1.0, "EUR", 1)
    assert told["n_eff"] == pytest.approx(40_000**2 / (40 * 900**2 + 40 * 100**2))
    assert told["low"] < 11.875 < told["high"]
    assert told["high"] - told["low"] > heads["high"] - heads["low"]
    pay, cart = told["groups"]
    assert (pay["value"], pay["cause"], pay["people"], pay["worth"]) == ("pay", "status at pay", 80, 36_000)
    assert (pay["hurt"], pay["raw"], pay["points"]) == (9000, 0.125, 11.25)
    assert (cart["value"], cart["cause"], cart["people"], cart["worth"], cart["hurt"], cart["points"]) == ("cart", "slow", 80, 4000, 500, 0.625)
    assert (pay["thin"], cart["thin"]) == (False, False)


async def test_by_any_fact_and_by_day_and_by_failure_kind(client: httpx2.AsyncClient, store: Store) -> None:
    """The same points by role, by day and by failure kind; a role of three people is not shown, and whose role nobody told is counted."""
    rows = Rows()
    shop(rows)
    for number in range(3):
        walk(rows, f"odd{number}", ("pay", 1.0, "status"), role="odd")
        worth(rows, f"odd{number}", 100.0)
    walk(rows, "nobody", ("pay", 0.0, ""))
    worth(rows, "nobody", 100.0)
    await rows.store(store)
    by = {what: await get(client, PATH, by=what, view="value") for what in ("role", "day", "failure_kind", "step")}
    score = 100 * (10 * 900 + 20 * 25 + 300) / 80_400
    assert [told["score"] for told in by.values()] == [pytest.approx(score)] * 4
    role = by["role"]
    assert [(one["value"], one["people"], one["worth"]) for one in role["groups"]] == [("rich", 80, 36_000), ("poor", 80, 4000)]
    assert (role["hidden"], role["unknown"]) == (1, 1)
    (day,) = by["day"]["groups"]
    assert (day["people"], day["worth"], day["points"]) == (84, 40_400, pytest.approx(score))
    assert {(one["value"], one["people"], one["worth"]) for one in by["failure_kind"]["groups"]} == {("status", 164, 40_400), ("slow", 164, 40_400)}
    assert {one["value"] for one in by["step"]["groups"]} == {"cart", "pay"}


async def test_who_comes_daily_is_one_customer(client: httpx2.AsyncClient, store: Store) -> None:
    """Forty customers of 10 and one of 100,000 who is blocked on twenty days: twenty days of one customer decide nothing."""
    rows = Rows()
    for number in range(40):
        walk(rows, f"small{number}", ("pay", 0.0, ""))
        worth(rows, f"small{number}", 10.0)
    for day in range(20):
        walk(rows, "whale", ("pay", 1.0, "status"), at=BEGAN - timedelta(days=day))
    worth(rows, "whale", 100_000.0)
    await rows.store(store)
    told = await get(client, PATH, view="value")
    assert (told["units"], told["score"], told["groups"]) == (60, None, [])
    assert told["reason"] == "not estimable, a few customers decide (worth 1 equal ones, from 30 on)"


async def test_an_account_s_people_are_one_customer_and_the_unpriced_are_not_in_it(client: httpx2.AsyncClient, store: Store) -> None:
    """No feed of orders: sixty accounts of 300 a month, two people each, are sixty customers of 900; ten people without a price are left out."""
    rows = Rows()
    for number in range(60):
        rows.accounts.append({"source": "crm", "id": f"a{number}", "version": 1, "mrr": 300, "currency": "EUR"})
        for one in range(2):
            walk(rows, f"u{number}-{one}", ("pay", 1.0 if number < 30 else 0.0, "status" if number < 30 else ""))
            rows.people.append({"source": "crm", "id": f"u{number}-{one}", "version": 1, "account_id": f"a{number}"})
    for number in range(10):
        walk(rows, f"free{number}", ("pay", 1.0, "status"))
    await rows.store(store)
    told = await get(client, PATH, view="value")
    assert (told["units"], told["score"], told["n_eff"], told["coverage"]) == (120, 50.0, pytest.approx(60), pytest.approx(120 / 130))
    (one,) = told["groups"]
    assert (one["people"], one["worth"], one["hurt"]) == (120, 108_000, 54_000)


async def test_of_very_many_people_some_stand_for_all(client: httpx2.AsyncClient, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 400 every fourth is asked for, the same in every query: a quarter of the people, the score of the whole within its own interval, and it is said."""
    monkeypatch.setattr(breakdown_worth, "ENOUGH", 100)
    rows = Rows()
    for number in range(400):
        walk(rows, f"u{number}", ("pay", 1.0 if number % 4 == 0 else 0.0, "status" if number % 4 == 0 else ""), role="buyer")
        worth(rows, f"u{number}", 50.0)
    await rows.store(store)
    told = await get(client, PATH, view="value")
    assert told["one_in"] in (4, 5)
    assert 0.5 * 400 / told["one_in"] < told["units"] < 1.5 * 400 / told["one_in"]
    assert told["low"] < 25 < told["high"]
    by = await get(client, PATH, view="value", by="role")
    assert (by["units"], by["score"], by["groups"][0]["people"]) == (told["units"], told["score"], told["units"])


async def test_where_it_stays_silent_and_why(client: httpx2.AsyncClient, store: Store) -> None:
    """Nobody came; sessions were sampled, so of a person some visits may be missing; nobody's worth is known."""
    empty = await get(client, PATH, view="value")
    assert (empty["units"], empty["score"], empty["reason"]) == (0, None, "no person’s walk through this journey was over in this time")
    rows = Rows()
    for number in range(40):
        walk(rows, f"u{number}", ("pay", 1.0, "status"))
    await rows.store(store)
    told = await get(client, PATH, view="value")
    assert (told["units"], told["score"], told["coverage"], told["groups"]) == (0, None, 0.0, [])
    assert told["reason"] == "nobody's worth is known: send orders or accounts with their mrr"
    kept = Rows()
    walk(kept, "kept", ("pay", 1.0, "status"), rate=0.1)
    await kept.store(store)
    assert (await get(client, PATH, view="value"))["reason"] == SAMPLED


async def test_a_view_that_is_none_is_refused(client: httpx2.AsyncClient) -> None:
    """By the API with a sentence, by the page as not there; the page offers both views and keeps the one chosen."""
    refused = await client.get(f"/api/v1/{PATH}", params={"view": "<b>"})
    assert refused.status_code == 422
    assert refused.json()["error"] == "view: Input should be 'people' or 'value'"
    assert (await client.get("/breakdown/checkout?by=cause&view=shoes")).status_code == 404
