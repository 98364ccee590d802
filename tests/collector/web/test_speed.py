"""What goes with the first wait at a step: of stored walks and answers, in the API and on the page."""

import math
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
from tests.collector.web.stage import NOW, Rows

DAY = timedelta(days=1)
ODDS = 0.5
"""Times the odds of finishing for each doubling of the wait, in this shop."""


@pytest.fixture
async def client(context: Context) -> AsyncIterator[httpx2.AsyncClient]:
    async with asking(build_verdicts(context), build_api(context), build_pages(context)) as one:
        yield one


def shop(people: int) -> Rows:
    """People who finish the less the longer they wait at `pay`, on phones twice as long as on desktops and on a slow line four times; who has one finishes
    less anyway. A third answer, satisfied when they finished.

    One in twenty meets a failure there; one in ten of Chrome's leaves before anything is painted. Safari tells no waits.
    """
    rng, rows = np.random.default_rng(11), Rows()
    for number in range(people):
        device, doublings = ("mobile", "desktop")[number % 2], float(rng.normal(0, 0.9))
        slow = number % 4 < 2
        done = bool(rng.random() < 1 / (1 + math.exp((0.9 if slow else -0.9) - 0.3 - math.log(ODDS) * doublings)))
        at, browser = NOW - DAY * (int(rng.integers(1, 20)) + float(rng.uniform(0, 0.4))), "Safari 19" if number % 10 == 9 else "Chrome 156"
        fails = number % 20 == 0
        rows.customer(f"u{number}", at, done=done and not fails, fails=fails, stopped=fails, device=device)
        run, step = rows.runs[-1], rows.steps[-1]
        run |= {"browser": browser, "facts": {"network": "3g" if slow else "4g"}}
        wait = 1000 * (2 if device == "mobile" else 1) * (4 if slow else 1) * 2**doublings
        gone = not done and number % 10 == 3
        step |= {"lcp_ms": 0.0 if gone or browser == "Safari 19" else wait, "load_ms": 0.0, "last_seen": at + timedelta(milliseconds=wait)}
        if number % 3 == 0 and not fails:
            rows.answer(f"a{number}", at + timedelta(minutes=5), 5 if done else 2, person=f"user:u{number}")
            rows.feedback[-1] |= {"run_ids": [run["run_id"]]}
    return rows


async def test_the_odds_per_doubling_are_found_in_what_is_stored(client: httpx2.AsyncClient, store: Store) -> None:
    """Of 1,500 walks the odds of finishing and of satisfaction halve with each doubling, whatever device and line; failures are left out, leavers in."""
    await shop(1500).store(store)
    told = (await client.get("/api/v1/journeys/checkout/elasticity")).json()
    (step,) = told["steps"]
    assert (step["step"]["id"], step["walks"], step["hit"], told["scale"], told["one_in"]) == ("pay", 1500, 75, "1–5", 1)
    for outcome in ("finished", "satisfied"):
        odds = step[outcome]
        assert odds["state"] == "measured"
        assert odds["low"] < ODDS < odds["high"] < 1
        assert odds["sentence"].startswith("each doubling of the wait is associated with 0.")
    assert step["finished"]["left"] > 30
    assert step["unknown"] == 150, "those of a browser that tells no waits, whether they finished or not"
    page = await client.get("/journeys/checkout/speed")
    assert page.status_code == 200
    for text in (f"{step['finished']['ratio']:.2f} <small>times the odds", "How was this computed", "met a failure at this step"):
        assert text in page.text
    assert 'href="/journeys/checkout/speed"' in (await client.get("/journeys/checkout")).text


async def test_it_says_why_it_is_silent(client: httpx2.AsyncClient, store: Store) -> None:
    """Eighty walks are too few, nobody answered; a journey nobody walked; one that is not there; a window that makes no sense."""
    rows = shop(80)
    rows.feedback = []
    await rows.store(store)
    (step,) = (await client.get("/api/v1/journeys/checkout/elasticity")).json()["steps"]
    assert step["finished"]["reason"].endswith("people with a wait to compare, estimated from 90 on")
    assert step["satisfied"]["reason"] == "0 people with a wait to compare, estimated from 90 on"
    assert (await client.get("/journeys/checkout/speed")).status_code == 200
    nobody = (await client.get("/api/v1/journeys/newsletter/elasticity")).json()
    assert (nobody["steps"], nobody["reason"]) == ([], "no customer's walk through this journey was over in this time")
    assert "No customer&#39;s walk" in (await client.get("/journeys/newsletter/speed")).text
    missing = await client.get("/api/v1/journeys/none/elasticity")
    assert (missing.status_code, missing.json()) == (404, {"error": "There is no journey 'none'."})
    for path in ("/journeys/none/speed", "/journeys/%00/speed"):
        assert (await client.get(path)).status_code == 404
    assert (await client.get("/api/v1/journeys/checkout/elasticity", params={"to": "0001-01-01T00:00:00Z"})).status_code == 422
