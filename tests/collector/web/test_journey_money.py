"""What a journey's problems cost together, and the recurring revenue exposed in it: the same as its one problem says, and no account twice."""

from collections.abc import AsyncIterator
from datetime import timedelta

import httpx2
import pytest

from sojourn_collector.context import Context
from sojourn_collector.store.client import Store
from sojourn_collector.web.api import build_api
from sojourn_collector.web.measures import build_measures
from sojourn_collector.web.verdicts import build_verdicts
from tests.collector.web.asking import asking, get
from tests.collector.web.stage import BROKE, NOW, broken_shop, minute

DAY = timedelta(days=1)
PATH = "journeys/checkout/money"


@pytest.fixture
async def client(context: Context) -> AsyncIterator[httpx2.AsyncClient]:
    async with asking(build_measures(context), build_verdicts(context), build_api(context)) as one:
        yield one


async def test_one_problem_alone_is_the_sum(client: httpx2.AsyncClient, store: Store) -> None:
    """Amount, interval, state and when it is final are those of the problem; the exposed revenue is what its own page says."""
    rows = broken_shop()
    rows.accounts.append({"source": "crm", "id": "a0", "version": 1, "name": "Able", "mrr": 500, "currency": "EUR", "renewal_date": (NOW + 10 * DAY).date()})
    rows.accounts.append({"source": "crm", "id": "a1", "version": 1, "name": "Baker", "mrr": 200, "currency": "USD"})
    subscription = {"source": "stripe", "version": 1, "ts": BROKE - 40 * DAY, "received": BROKE, "currency": "EUR", "mrr": 20}
    rows.subscriptions += [
        {**subscription, "id": "s1", "status": "active", "user_id": "u20"},
        {**subscription, "id": "s2", "status": "ended", "user_id": "u21"},
        {**subscription, "id": "s3", "status": "active", "account_id": "a2"},
        {**subscription, "id": "s4", "status": "active", "account_id": "cus_2", "user_id": "u0"},
    ]
    await rows.store(store)
    told = await get(client, PATH)
    (problem,) = (await get(client, "impact"))["problems"]
    missing, money = told["missing"], problem["money"]
    assert missing["estimated"] == 1
    assert [missing[key] for key in ("state", "amount", "low", "high", "final_at", "currency")] == [
        money[key] for key in ("state", "amount", "low", "high", "final_at", "currency")
    ]
    alone = (await get(client, f"problems/{problem['id']}"))["exposed"]
    assert told["exposed"] == alone
    assert (alone["monthly"], alone["other_currencies"], alone["accounts"]) == (540.0, {"USD": 200.0}, 3)


async def test_an_account_hit_twice_is_exposed_once(client: httpx2.AsyncClient, store: Store) -> None:
    """Two people of one account, hit on different days: its price once; whoever was not hit, or only in another journey, exposes nothing."""
    rows = broken_shop()
    rows.customer("early", NOW - 9 * DAY, fails=True, stopped=True, account="big")
    rows.customer("late", NOW - 2 * DAY, fails=True, account="big")
    rows.customer("well", NOW - 2 * DAY, done=True, account="fine")
    rows.customer("long ago", NOW - 40 * DAY, fails=True, account="past")
    rows.customer("elsewhere", NOW - minute(9), fails=True, account="other")
    rows.steps[-1] |= {"journey": "newsletter"}
    rows.accounts += [{"source": "crm", "id": name, "version": 1, "mrr": 100, "currency": "EUR"} for name in ("big", "fine", "past", "other")]
    await rows.store(store)
    exposed = (await get(client, PATH, last="30d"))["exposed"]
    assert (exposed["monthly"], exposed["accounts"], exposed["people"], exposed["unknown"]) == (100.0, 1, 44, 42)


async def test_nothing_happened(client: httpx2.AsyncClient) -> None:
    """No sum and no revenue, and why; a journey nobody knows is a sentence."""
    told = await get(client, PATH)
    assert (told["missing"]["state"], told["missing"]["amount"], told["missing"]["reason"]) == ("not_estimable", None, "there was no problem in this time")
    assert (told["exposed"]["monthly"], told["exposed"]["people"]) == (None, 0)
    answer = await client.get("/api/v1/journeys/nowhere/money")
    assert (answer.status_code, answer.json()) == (404, {"error": "There is no journey 'nowhere'."})
