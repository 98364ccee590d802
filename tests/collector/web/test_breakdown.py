"""What explains a journey's score: people by their weight, at the earliest step that failed, and everybody in the score however many groups there are."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import httpx2
import pytest
from scipy import stats

from sojourn_collector.context import Context
from sojourn_collector.store.client import Store
from sojourn_collector.web.measures import build_measures
from sojourn_collector.web.pages import build_pages
from tests.collector.web.asking import asking, get
from tests.collector.web.stage import NOW, Rows, minute

BEGAN = NOW - timedelta(hours=5)
PATH = "journeys/checkout/breakdown"


@pytest.fixture
async def client(context: Context) -> AsyncIterator[httpx2.AsyncClient]:
    async with asking(build_measures(context), build_pages(context)) as one:
        yield one


def walk(rows: Rows, name: str, *met: tuple[str, float, str], at: datetime = BEGAN, rate: float = 1.0, role: str = "") -> None:
    """Somebody's walk: each step they came to with the mark of what they met there and the failure kind; its worst is the run's."""
    rows.customer(name, at)
    (run, step), rows.steps[-1:] = (rows.runs[-1], rows.steps[-1]), []
    run |= {"severity": max(mark for _, mark, _ in met), "sample_rate": rate}
    for number, (ident, mark, kind) in enumerate(met, 1):
        told = {"step": ident, "number": number, "severity": mark, "hit": mark > 0.4, "slow": 0 < mark <= 0.4, "failure_kind": kind, "sample_rate": rate}
        rows.steps.append({**step, **told, "failure_message": f"{kind} at {ident}" if kind else ""})
    if role:
        rows.people.append({"source": "crm", "id": name, "version": 1, "role": role})


async def test_a_kept_visit_stands_for_those_that_were_not_among_the_hit_and_among_all(client: httpx2.AsyncClient, store: Store) -> None:
    """200 people, each kept by a tenth, 40 of them blocked: .2 of those who came and 20 points, no surer than 200 people are.
    Four of them are no group to show."""
    rows = Rows()
    for number in range(200):
        walk(rows, f"u{number}", ("pay", 1.0 if number < 40 else 0.0, "status" if number < 40 else ""), rate=0.1, role="buyer" if number < 4 else "")
    await rows.store(store)
    told = await get(client, PATH)
    (one,) = told["groups"]
    assert (told["units"], told["score"], one["people"], one["raw"], one["points"]) == (200, 20.0, 2000, 0.2, 20.0)
    assert (one["low"], one["high"]) == pytest.approx((stats.beta.ppf(0.1, 40.2, 160.8), stats.beta.ppf(0.9, 40.2, 160.8)), abs=1e-3)
    by = await get(client, PATH, by="role")
    assert (by["groups"], by["hidden"], by["unknown"]) == ([], 1, 196)


async def test_a_day_belongs_to_the_earliest_step_that_failed_at_the_worst_of_the_day(client: httpx2.AsyncClient, store: Store) -> None:
    """Ten came through an error in the cart and were blocked at Pay: the cart's, and as blocked. Ten found the cart slow and were blocked at Pay: Pay's.
    Ten found it slow and no more: the cart's. By step, by cause and by failure kind the same 22.5 points, each person once, however
    often they walked."""
    rows = Rows()
    for number in range(10):
        walk(rows, f"both{number}", ("cart", 0.5, "timeout"), ("pay", 1.0, "status"))
        walk(rows, f"last{number}", ("cart", 0.25, ""), ("pay", 1.0, "status"))
        walk(rows, f"last{number}", ("cart", 0.0, ""), at=BEGAN - minute(30))
        walk(rows, f"slow{number}", ("cart", 0.25, ""))
        for other in range(7):
            walk(rows, f"well{number}-{other}", ("cart", 0.0, ""))
    await rows.store(store)

    async def by(what: str) -> list[tuple[str, str, int, float]]:
        told = await get(client, PATH, by=what)
        assert (told["units"], told["score"]) == (100, 22.5)
        return sorted((one["value"], one["cause"], one["people"], one["points"]) for one in told["groups"])

    assert await by("step") == [("cart", "", 100, 12.5), ("pay", "", 20, 10.0)]
    assert await by("cause") == [("cart", "slow", 100, 2.5), ("cart", "timeout at cart", 100, 10.0), ("pay", "status at pay", 20, 10.0)]
    assert await by("failure_kind") == [("slow", "", 100, 2.5), ("status", "", 100, 10.0), ("timeout", "", 100, 10.0)]


async def test_the_score_is_of_everybody_however_many_groups_there_are(client: httpx2.AsyncClient, store: Store) -> None:
    """2,500 roles of one person, 100 of them blocked, and 100 of whom no role is known: a score of 3.8, and 500 groups that were not looked at are said."""
    rows = Rows()
    for number in range(2600):
        walk(rows, f"u{number}", ("pay", 1.0 if number < 100 else 0.0, "status" if number < 100 else ""), role=f"r{number}" if number < 2500 else "")
    await rows.store(store)
    told = await get(client, PATH, by="role")
    assert (told["units"], told["score"], told["unknown"], told["hidden"], told["cut"]) == (2600, pytest.approx(100 / 26), 100, 100, 500)
    assert "500 more groups that were hurt least not looked at; the score is of everybody." in (await client.get("/breakdown/checkout?by=role")).text


async def test_location_is_where_visits_came_from_and_beside_it_where_our_probes_are(client: httpx2.AsyncClient, store: Store) -> None:
    """The city where it is told, else the region, else an attribute of the person; walks of probes by their agent's location, in no score."""
    rows = Rows()
    for number in range(60):
        walk(rows, f"u{number}", ("pay", 1.0 if number % 2 else 0.0, "status" if number % 2 else ""))
        place = {0: {"region": "DE-BE", "city": "DE-BE Berlin"}, 1: {"region": "DE-BE"}}.get(number // 20)
        rows.runs[-1] |= {"facts": place} if place else {}
    rows.people += [{"source": "crm", "id": f"u{number}", "version": 1, "attrs": {"location": "Hamburg"}} for number in range(30, 50)]
    for number in range(6):
        rows.probe(BEGAN + minute(number), "failed" if number < 2 else "inconclusive" if number == 5 else "passed", location="eu" if number < 4 else "us")
    await rows.store(store)
    told = await get(client, PATH, by="location")
    assert (told["units"], told["score"], told["unknown"]) == (60, 50.0, 10)
    assert sorted((one["value"], one["people"]) for one in told["groups"]) == [("DE-BE", 20), ("DE-BE Berlin", 20), ("Hamburg", 10)]
    kinds = ("location", "runs", "passed", "degraded", "failed", "not_counted")
    assert [tuple(one[key] for key in kinds) for one in told["probes"]] == [("eu", 4, 2, 0, 2, 0), ("us", 2, 1, 0, 0, 1)]
    page = (await client.get("/breakdown/checkout?by=location")).text
    assert "Our probes, by location" in page
    assert (await get(client, PATH, by="region"))["probes"] == []
