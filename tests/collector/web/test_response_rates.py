"""Response rates by what is told of who was invited and of their account."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from sojourn_collector.context import Context
from sojourn_collector.store.client import Store
from sojourn_collector.web.feedback import build_feedback
from sojourn_collector.web.pages import build_pages
from tests.collector.web.asking import asking, get
from tests.collector.web.stage import NOW, Rows

DAY = timedelta(days=1)


@pytest.fixture
async def client(context: Context) -> AsyncIterator[httpx2.AsyncClient]:
    async with asking(build_feedback(context), build_pages(context)) as one:
        yield one


def asked() -> Rows:
    """Of plan pro 8 of 20 answered, one more only in part; of plan free none of 10; two more have no account."""
    rows = Rows()
    for number in range(32):
        account = "pro" if number < 20 else "free" if number < 30 else ""
        rows.people.append({"source": "crm", "id": f"u{number}", "version": 1, "account_id": account, "role": "buyer", "attrs": {"tier": account}})
        # By mail: no visit, and the person known by the id the survey tool has.
        rows.invitation(f"i{number}", NOW - 2 * DAY, person="", user_id=f"u{number}", survey_id="s")
    for number in range(9):
        rows.answer(f"f{number}", NOW - DAY, 5, person=f"user:u{number}")
        rows.feedback[-1] |= {"survey_id": "s", "partial": number == 8}
    for plan in ("pro", "free"):
        rows.accounts.append(
            {"source": "crm", "id": plan, "version": 1, "plan": plan, "segment": plan.upper(), "lifecycle": "live", "attrs": {"country": "DE"}}
        )
    return rows


async def rates(client: httpx2.AsyncClient, **asked: Any) -> list[tuple[str, int, int, float | None]]:
    """Value, invited, answered and rate."""
    told = (await get(client, "satisfaction", **asked))["rates"]
    return [(one["value"], one["invited"], one["answered"], one["rate"]) for one in told]


async def test_rates_by_what_is_told_of_the_invited(client: httpx2.AsyncClient, store: Store) -> None:
    """By plan, segment, lifecycle, role, country of the account and any attribute; a plan of which nobody answered is 0, and two people without one are of
    no rate."""
    await asked().store(store)
    assert await rates(client, by="plan") == [("pro", 20, 8, 0.4), ("free", 10, 0, 0.0)]
    assert await rates(client, by="segment") == [("PRO", 20, 8, 0.4), ("FREE", 10, 0, 0.0)]
    assert await rates(client, by="lifecycle") == [("live", 30, 8, 8 / 30)]
    assert await rates(client, by="country") == [("DE", 30, 8, 8 / 30)]
    assert await rates(client, by="role") == [("buyer", 32, 8, 0.25)]
    assert await rates(client, attr="tier", of="person") == [("pro", 20, 8, 0.4), ("free", 10, 0, 0.0)]
    assert await rates(client, by="device") == []
    assert await rates(client, attr="tier", of="visit") == []
    (group,) = (await get(client, "satisfaction", by="plan"))["groups"]
    assert (group["response_rate"], group["partial"]) == (0.4, 1)
    assert (await get(client, "satisfaction", by="device"))["groups"] == []
    page = (await client.get("/feedback?by=plan")).text
    assert "Asked, and nobody answered to the end: <bdi>free</bdi> (<bdi>s</bdi>, 10 asked)." in page


async def test_where_answers_are_of_nobody_known_there_is_no_rate(client: httpx2.AsyncClient, store: Store) -> None:
    """More than one in twenty answers of the survey without a name, and whoever gave them may be of any plan: unknown, not too low. The survey's own rate
    stays."""
    rows = asked()
    rows.answer("nameless", NOW - DAY, 5)
    rows.feedback[-1]["survey_id"] = "s"
    await rows.store(store)
    assert await rates(client, by="plan") == [("pro", 20, 8, None), ("free", 10, 0, None)]
    assert await rates(client, by="survey") == [("s", 32, 9, 9 / 32)]
    assert "Asked, and nobody answered" not in (await client.get("/feedback?by=plan")).text


async def test_where_invitations_are_of_nobody_known_there_is_no_rate(client: httpx2.AsyncClient, store: Store) -> None:
    """Else those who answered would be held against too few."""
    rows = asked()
    for number in range(3):
        rows.invitation(f"shown{number}", NOW - DAY, person=f"visit:s{number}", survey_id="s")
    await rows.store(store)
    assert [rate for *_, rate in await rates(client, by="plan")] == [None, None]


async def test_of_few_invited_there_is_no_rate(client: httpx2.AsyncClient, store: Store) -> None:
    """Four who were asked are not told of, and more answers than invitations are no rate."""
    rows = Rows()
    for number in range(6):
        rows.people.append({"source": "crm", "id": f"u{number}", "version": 1, "role": "buyer"})
        rows.answer(f"f{number}", NOW - DAY, 5, person=f"user:u{number}")
        rows.feedback[-1]["survey_id"] = "s"
    for number in range(4):
        rows.invitation(f"i{number}", NOW - DAY, person=f"user:u{number}", survey_id="s")
    await rows.store(store)
    assert await rates(client, by="role") == []
    rows.invitation("i4", NOW - DAY, person="user:u4", survey_id="s")
    again = Rows(invitations=rows.invitations[-1:])
    await again.store(store)
    assert await rates(client, by="role") == [("buyer", 5, 6, None)]
