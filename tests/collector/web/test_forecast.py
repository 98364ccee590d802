"""Tickets to expect of a problem: of stored failures and tickets, in the API and on the page."""

from collections.abc import AsyncIterator
from datetime import timedelta

import httpx2
import numpy as np
import pytest

from sojourn_collector.context import Context
from sojourn_collector.store.client import Store
from sojourn_collector.web.api import build_api
from sojourn_collector.web.pages import build_pages
from sojourn_collector.web.verdicts import build_verdicts
from tests.collector.web.asking import asking
from tests.collector.web.stage import BROKE, NOW, Rows, minute

DAY = timedelta(days=1)
EXCESS = 1.5
"""Further tickets for everybody who was stopped, in this shop."""


@pytest.fixture
async def client(context: Context) -> AsyncIterator[httpx2.AsyncClient]:
    async with asking(build_verdicts(context), build_api(context), build_pages(context)) as one:
        yield one


def half_a_year(incidents: int, excess: float) -> Rows:
    """About ten tickets a day; an incident every nine days with 8 to 40 people stopped, each bringing `excess` more; one that began eight minutes ago."""
    rng, rows = np.random.default_rng(5), Rows()
    for day in range(160):
        for number in range(int(rng.poisson(10))):
            rows.ticket(f"usual-{day}-{number}", NOW - DAY * float(day + rng.random()))
    for number in range(incidents + 1):
        began, people = BROKE - 9 * number * DAY, 8 + 4 * (number % 9) if number else 30
        for each in range(people):
            rows.customer(f"i{number}-{each}", began + timedelta(seconds=each), fails=True, stopped=True)
        for each in range(int(rng.poisson(excess * people)) if number else 0):
            rows.ticket(f"more-{number}-{each}", began + minute(20) + timedelta(hours=float(rng.uniform(0, 20))))
    return rows


async def problem(client: httpx2.AsyncClient) -> str:
    (one,) = (await client.get("/api/v1/impact")).json()["problems"]
    return str(one["id"])


async def test_tickets_are_forecast_from_incidents_of_the_same_age(client: httpx2.AsyncClient, store: Store) -> None:
    """Thirty stopped at 1.5 tickets each on top of about ten: the truth is in the interval, which is off the usual number; the page says the same.

    Tickets that a file brought days after they were opened make no hour a busy one.
    """
    rows = half_a_year(9, EXCESS)
    for number in range(200):
        rows.ticket(f"of a file {number}", NOW - 7 * DAY + minute(60))
        rows.tickets[-1] |= {"ts": NOW - 9 * DAY}
    await rows.store(store)
    ident = await problem(client)
    told = (await client.get(f"/api/v1/problems/{ident}/forecast")).json()
    assert told["state"] == "measured", told["reason"]
    assert (told["people"], told["exposure"], told["scored"], len(told["incidents"])) == (30, 30.0, 4, 9)
    assert 7 < told["base"] < 13
    assert told["base"] < told["low"] < 10 + EXCESS * 30 < told["high"]
    assert told["low"] < told["expected"] < told["high"]
    assert told["excess_rate"] == pytest.approx(EXCESS, abs=0.3)
    assert {one["people"] for one in told["incidents"]} == {8 + 4 * (number % 9) for number in range(1, 10)}
    page = await client.get(f"/problems/{ident}/forecast")
    for text in (
        f"about {told['expected']:.0f} <small>tickets",
        f"Between {told['low']} and {told['high']}",
        "How was this computed",
        "4 earlier forecasts were compared",
    ):
        assert text in page.text
    assert f'href="/problems/{ident}/forecast"' in (await client.get(f"/problems/{ident}")).text


async def test_without_enough_incidents_or_tickets_it_says_so(client: httpx2.AsyncClient, store: Store) -> None:
    """Two earlier incidents are too few; a problem that is not there is a 404 in the API and on the page."""
    await half_a_year(2, EXCESS).store(store)
    ident = await problem(client)
    told = (await client.get(f"/api/v1/problems/{ident}/forecast")).json()
    assert (told["state"], told["expected"], told["reason"]) == ("not measured", None, "2 past incidents to learn from, forecast from 5 on")
    assert "2 past incidents to learn from" in (await client.get(f"/problems/{ident}/forecast")).text
    missing = await client.get("/api/v1/problems/checkout.pay.20200101T000000Z/forecast")
    assert (missing.status_code, missing.json()) == (404, {"error": "There is no problem 'checkout.pay.20200101T000000Z'."})
    assert (await client.get("/problems/none/forecast")).status_code == 404


async def test_a_forecast_that_is_no_better_than_the_usual_number_is_not_shown(client: httpx2.AsyncClient, store: Store) -> None:
    """Incidents that bring now 40 tickets more and now none, whatever the number of people: no better than the usual, so none is shown."""
    rows = half_a_year(9, 0.0)
    for number in (5, 6, 7, 8, 9):
        for each in range(60):
            rows.ticket(f"story-{number}-{each}", BROKE - 9 * number * DAY + minute(30 + each))
    await rows.store(store)
    ident = await problem(client)
    told = (await client.get(f"/api/v1/problems/{ident}/forecast")).json()
    assert told["reason"] == "over the last 4 forecasts it did no better than the usual number for the hour"
