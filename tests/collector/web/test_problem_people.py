"""Who was possibly hit in a problem, and who was, as a list: as many as the problem counts."""

from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from sojourn_collector.context import Context
from sojourn_collector.store.client import Store
from sojourn_collector.web.api import build_api
from sojourn_collector.web.measures import build_measures
from sojourn_collector.web.pages import build_pages
from tests.collector.web.asking import asking
from tests.collector.web.stage import NOW, Rows, minute


@pytest.fixture
async def client(context: Context) -> AsyncIterator[httpx2.AsyncClient]:
    async with asking(build_measures(context), build_api(context), build_pages(context)) as one:
        yield one


def shop(*, probed: bool = True, left: int = 7) -> Rows:
    """Five were hit, `left` came and left, two paid, of three visits without identity one was hit and one paid; our probes failed, or there are none."""
    rows = Rows()
    for ago in (10, 6, 2) if probed else ():
        rows.probe(NOW - minute(ago), "failed")
    for number in range(5):
        rows.customer(f"hit{number}", NOW - minute(8 - number), fails=True, stopped=True, account="a1")
    for number in range(left):
        rows.customer(f"left{number}", NOW - minute(7 - number / 2), cart=60.0 + number, account="a1")
    for number in range(2):
        rows.customer(f"paid{number}", NOW - minute(7 - number), done=True)
    for number in range(3):
        rows.customer(f"v{number}", NOW - minute(6), anonymous=True, fails=number == 0, done=number == 1)
    rows.people.append({"source": "api", "id": "left0", "version": 1, "name": "Ann Baker", "account_id": "a1"})
    rows.accounts.append({"source": "api", "id": "a1", "version": 1, "name": "Acme", "plan": "gold"})
    return rows


async def the_problem(client: httpx2.AsyncClient) -> dict[str, Any]:
    (problem,) = (await client.get("/api/v1/impact")).json()["problems"]
    return dict(problem)


async def listed(client: httpx2.AsyncClient, ident: str, **asked: Any) -> dict[str, Any]:
    """A page of the list; 200 is expected."""
    answer = await client.get(f"/api/v1/problems/{ident}/people", params=asked)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_the_list_holds_whom_the_problem_counts(client: httpx2.AsyncClient, store: Store) -> None:
    """As many people, and apart as many visits, as the figures of the problem say, for possibly hit and for hit; nobody is in both."""
    await shop().store(store)
    problem = await the_problem(client)
    people = problem["people"]
    assert (people["possibly"], people["visits_possibly"], people["hit"], people["visits_hit"]) == (7, 1, 5, 1)
    possibly, hit = [await listed(client, problem["id"], met=met) for met in ("possibly", "hit")]
    assert (possibly["people"], possibly["visits"], hit["people"], hit["visits"]) == (7, 1, 5, 1)
    assert {one["person_id"].partition("-")[0] for one in possibly["items"]} == {*(f"user:left{n}" for n in range(7)), "visit:s"}
    assert not {one["person_id"] for one in possibly["items"]} & {one["person_id"] for one in hit["items"]}
    for kind, number in (("person", 7), ("visit", 1)):
        assert len((await listed(client, problem["id"], kind=kind))["items"]) == number


async def test_an_item_says_who_and_when(client: httpx2.AsyncClient, store: Store) -> None:
    """Name, account, plan, when they first came, how often, and the visit and walk to look at."""
    await shop(left=1).store(store)
    ident = (await the_problem(client))["id"]
    (one,) = (await listed(client, ident, kind="person"))["items"]
    came = NOW - minute(7)
    assert (one["label"], one["account"], one["plan"], one["kind"], one["value"], one["tries"]) == ("Ann Baker", "Acme", "gold", "user", 60.0, 1)
    assert (one["at"], one["session_id"]) == (f"{came:%Y-%m-%dT%H:%M:%SZ}", f"s-left0-{int(came.timestamp())}")
    assert (one["severity"], one["slow"], one["settled"]) == (0.0, False, True)


@pytest.mark.parametrize("met", ["possibly", "hit"])
async def test_pages_hold_everybody_once(client: httpx2.AsyncClient, store: Store, met: str) -> None:
    """Page by page, who came last first."""
    await shop().store(store)
    ident = (await the_problem(client))["id"]
    whole = (await listed(client, ident, met=met, limit=100))["items"]
    assert whole == sorted(whole, key=lambda one: (one["at"], one["person_id"]), reverse=True)
    found: list[dict[str, Any]] = []
    cursor = ""
    while True:
        page = await listed(client, ident, met=met, limit=3, **({"cursor": cursor} if cursor else {}))
        assert (page["people"], page["visits"]) == ((7, 1) if met == "possibly" else (5, 1))
        found += page["items"]
        if page["next"] is None:
            break
        cursor = page["next"]
    assert found == whole


async def test_without_a_failing_probe_nobody_is_possibly_hit(client: httpx2.AsyncClient, store: Store) -> None:
    """The list is empty and says why; those hit are listed all the same."""
    await shop(probed=False).store(store)
    problem = await the_problem(client)
    answer = await listed(client, problem["id"])
    assert (answer["people"], answer["visits"], answer["items"]) == (0, 0, [])
    assert answer["note"] == "our probes did not fail here, so nobody who came is held to be possibly hit"
    assert len((await listed(client, problem["id"], met="hit"))["items"]) == 6
    page = (await client.get(f"/problems/{problem['id']}/people")).text
    assert "Our probes did not fail here, so nobody who came is held to be possibly hit" in page


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"met": "maybe"}, "met: Input should be 'possibly' or 'hit'"),
        ({"kind": "robot"}, "kind: Input should be '', 'person' or 'visit'"),
        ({"limit": "0"}, "limit: Input should be greater than or equal to 1"),
        ({"limit": "501"}, "limit: Input should be less than or equal to 500"),
        ({"from": "2026-01-01T00:00:00Z"}, "'from' is no parameter here; /api/docs lists them"),
        ({"cursor": "!!"}, "cursor is none of ours; take next of the page before, or leave it out"),
        ({"cursor": "a\nb"}, "cursor holds a control character; leave it out"),
        ({"cursor": "x" * 3000}, "cursor: String should have at most 2048 characters"),
    ],
)
async def test_odd_questions_are_refused_in_a_sentence(client: httpx2.AsyncClient, store: Store, asked: dict[str, str], said: str) -> None:
    """Whatever is asked."""
    await shop(left=1).store(store)
    ident = (await the_problem(client))["id"]
    answer = await client.get(f"/api/v1/problems/{ident}/people", params=asked)
    assert (answer.status_code, answer.json()) == (422, {"error": said})
    if "from" not in asked and "limit" not in asked and "kind" not in asked:
        assert (await client.get(f"/problems/{ident}/people", params=asked)).status_code == 404


async def test_a_cursor_is_of_its_problem_and_question(client: httpx2.AsyncClient, store: Store) -> None:
    """Not of another list, nor of another problem."""
    await shop().store(store)
    ident = (await the_problem(client))["id"]
    cursor = (await listed(client, ident, limit=2))["next"]
    for path, more in ((ident, {"met": "hit"}), (ident, {"kind": "person"}), ("checkout.pay.20200101T000000Z", {})):
        answer = await client.get(f"/api/v1/problems/{path}/people", params={"cursor": cursor, **more})
        assert (answer.status_code, answer.json()["error"]) == (422, "cursor belongs to another question; repeat the parameters it came with, or leave it out")


@pytest.mark.parametrize(
    "ident", ["none", "checkout.pay.20200101T000000Z", "checkout.pay.99999999T999999Z", "a%00b", "'%20OR%201=1--.pay.20261120T140000Z", "x" * 600]
)
async def test_no_such_problem(client: httpx2.AsyncClient, ident: str) -> None:
    """404 with a sentence in the API, a page that says so on the web."""
    answer = await client.get(f"/api/v1/problems/{ident}/people")
    assert (answer.status_code, answer.json()["error"].startswith("There is no problem ")) == (404, True)
    assert (await client.get(f"/problems/{ident}/people")).status_code == 404


async def test_the_number_leads_to_the_list(client: httpx2.AsyncClient, store: Store) -> None:
    """The problem's page links the number; the list's page shows the same people and visits, and leads back."""
    await shop().store(store)
    ident = (await the_problem(client))["id"]
    page = (await client.get(f"/problems/{ident}")).text
    assert f'<a href="/problems/{ident}/people?met=possibly">7 people and 1 anonymous visit possibly hit</a>' in page
    listed_page = (await client.get(f"/problems/{ident}/people?met=possibly")).text
    assert "7 people and, apart, 1 anonymous visit, who came last first" in listed_page
    assert f'href="/problems/{ident}"' in listed_page
    assert "Ann Baker" in listed_page
