"""The answers that scores count, one by one: as many as the starter set and each group of satisfaction say."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from sojourn_collector.context import Context
from tests.collector.web.stage import NOW, Rows, minute
from tests.collector.web.test_lists import get
from tests.collector.web.test_records import client_of


@pytest.fixture
async def client(context: Context) -> AsyncIterator[httpx2.AsyncClient]:
    async with client_of(context) as one:
        yield one


def answered() -> Rows:
    """Answers of forty people and some nobody knows: on two scales, of two surveys, several of one person, with and without a visit."""
    rows = Rows()
    rows.accounts = [{"source": "crm", "id": f"a{number}", "version": 1, "plan": ("pro", "free")[number % 2], "segment": "mid"} for number in range(3)]
    rows.people = [{"source": "crm", "id": f"u{number}", "version": 1, "account_id": f"a{number % 3}"} for number in range(41)]
    for number in range(240):
        at = NOW - timedelta(hours=2.5 * number, minutes=5)
        person = f"user:u{number % 41}" if number % 17 else ""
        session = rows.customer(f"u{number % 41}", at - minute(20), device=("phone", "desktop")[number % 2]) if number % 3 else ""
        rows.answer(f"f{number}", at, 1 + number % 5, person=person, session=session, comment="Slow" if number % 4 == 0 else "")
        rows.feedback[-1] |= {
            "survey_id": ("after", "yearly", "")[number % 3],
            "question_id": ("q1", "", "")[number % 3],
            "channel": ("email", "web")[number % 2],
            "kind": "rating" if number % 10 == 3 else "csat",
            "scale_max": 10.0 if number % 6 == 5 else 5.0,
            "language": ("de", "de-AT", "")[number % 3],
            "account_id": "a1" if number % 8 == 0 else "",
            "journey": "checkout" if number % 2 else "",
        }
    rows.feedback.append({**rows.feedback[0], "id": "words", "value": None, "scale_min": None, "scale_max": None, "comment": "No number", "kind": "text"})
    return rows


async def listed(client: httpx2.AsyncClient, address: str) -> list[dict[str, Any]]:
    """Everything at an address, three a page."""
    items: list[dict[str, Any]] = []
    cursor = ""
    while True:
        answer = await client.get(f"{address}&limit=3" + (f"&cursor={cursor}" if cursor else ""))
        assert answer.status_code == 200, answer.text
        items += answer.json()["items"]
        if answer.json()["next"] is None:
            return items
        cursor = answer.json()["next"]


async def test_as_many_answers_as_the_starter_set_counts(context: Context, client: httpx2.AsyncClient) -> None:
    """Each person's newest rating on the scale with most answers, whatever the survey; who is not known counts each time."""
    await answered().store(context.store)
    starter = await get(client, "starter-set")
    items = await listed(client, starter["rows"])
    assert len(items) == starter["satisfied"]["answered"] > 41
    assert sum(one["satisfied"] for one in items) == starter["satisfied"]["satisfied"]
    assert len({(one["source"], one["id"]) for one in items}) == len(items)
    assert [one["at"] for one in items] == sorted((one["at"] for one in items), reverse=True)
    assert {one["kind"] for one in items} == {"csat", "rating"}
    assert len(await listed(client, f"{starter['rows']}&verdict=satisfied")) == starter["satisfied"]["satisfied"]


@pytest.mark.parametrize("by", ["survey", "question", "channel", "source", "language", "plan", "segment", "device", "browser", "day", "week"])
async def test_as_many_answers_as_a_group_counts(context: Context, client: httpx2.AsyncClient, by: str) -> None:
    """Of every group that is shown, by each fact the list can be asked for."""
    await answered().store(context.store)
    groups = (await get(client, "satisfaction", by=by))["groups"]
    assert groups or by == "day"
    for group in groups:
        assert group["rows"], group
        assert len(await listed(client, group["rows"])) == group["answered"], group


async def test_where_the_list_cannot_be_asked_for_exactly_those(context: Context, client: httpx2.AsyncClient) -> None:
    """No address rather than one of other rows: the journey of a walk is no filter of answers."""
    await answered().store(context.store)
    groups = (await get(client, "satisfaction", by="journey"))["groups"]
    assert {group["rows"] for group in groups} == {""}


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"scale": "1-5"}, "scale: String should match pattern '^(-?[0-9.e+]{1,20}–-?[0-9.e+]{1,20}( \\(low is good\\))?)?$'"),
        ({"scale": "1.2.3–5"}, "scale: '1.2.3–5' is none; write it as /api/v1/satisfaction does, such as 1–5"),
        ({"once": "yes"}, "once: Input should be '', 'kind' or 'question'"),
    ],
)
async def test_a_scale_that_is_none(client: httpx2.AsyncClient, parameters: dict[str, str], sentence: str) -> None:
    """Place, cause and cure in one sentence."""
    answer = await client.get("/api/v1/feedback", params=parameters)
    assert (answer.status_code, answer.json()) == (422, {"error": sentence})
