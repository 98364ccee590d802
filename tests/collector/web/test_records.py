"""Lists of tickets, orders and subscriptions over HTTP: the rows that figures are made of, exactly as many as those count."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI

from sojourn_collector.context import Context
from sojourn_collector.web.api import build_api
from sojourn_collector.web.feedback import build_feedback
from sojourn_collector.web.lists import build_lists
from sojourn_collector.web.measures import build_measures
from tests.collector.web.stage import NOW, Rows, broken_shop, minute
from tests.collector.web.test_alarms import now_hit, weeks_before
from tests.collector.web.test_lists import everything, get

DAY = timedelta(days=1)
WEEKS = {"from_": (NOW - 28 * DAY).isoformat(), "to": NOW.isoformat()}


def client_of(context: Context) -> httpx2.AsyncClient:
    """A client of the API with its figures and its lists."""
    app = FastAPI()
    for build in (build_measures, build_lists, build_feedback, build_api):
        app.include_router(build(context))
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://sojourn", timeout=30)


@pytest.fixture
async def client(context: Context) -> AsyncIterator[httpx2.AsyncClient]:
    async with client_of(context) as one:
        yield one


def desk() -> Rows:
    """Forty tickets of four weeks and some before, of two desks, one of which tells no replies; of every state, with and without visits and requesters."""
    rows = Rows()
    rows.people.append({"source": "crm", "id": "u3", "version": 1, "name": "Mary", "account_id": "acme"})
    for number in range(48):
        opened = NOW - timedelta(days=0.7 * number, hours=1)
        more: dict[str, Any] = {"topic": ("card", "login", "")[number % 4 % 3], "priority": ("high", "")[number % 2], "channel": "email"}
        if number % 4 == 1:
            more |= {"solved_at": opened + timedelta(days=number % 5, minutes=40), "status": "solved"}
        if number % 8 == 2:
            # Solved once and waiting again; the source does not count that.
            more |= {"solved_at": opened + timedelta(hours=2), "status": "open"}
        if number % 8 == 3:
            more |= {"status": "closed", "updated": opened + timedelta(days=2), "reopens": 1}
        if number % 3 == 0:
            more |= {"first_reply_at": opened + timedelta(hours=number)}
        if number % 7 == 0:
            more |= {"journey": "newsletter", "step": "sign"}
        if number % 5 == 4:
            more |= {"source": "mail", "first_reply_at": None}
        session = ""
        if number % 6 == 0:
            session = rows.customer(f"u{number % 4}", opened - minute(20), fails=number % 12 == 0, stopped=number % 24 == 0)
        rows.ticket(f"t{number}", opened, person=f"user:u{number % 4}" if number % 9 else "", session=session, **more)
    rows.ticket("gone", NOW - DAY, person="user:u1", topic="card", deleted=1)
    return rows


async def ids(client: httpx2.AsyncClient, name: str, **filters: Any) -> list[str]:
    """The ids of everything in a list, page by page, each once."""
    found = [f"{one['source']}/{one['id']}" for one in await everything(client, name, 7, **filters)]
    assert len(set(found)) == len(found)
    return found


@pytest.mark.parametrize("journey", ["", "checkout", "newsletter"])
async def test_as_many_tickets_as_the_figures_count(context: Context, client: httpx2.AsyncClient, journey: str) -> None:
    """Every count of the tickets' figures is the number of rows of the list asked for it, of all tickets and of one journey."""
    await desk().store(context.store)
    figures = (await get(client, "tickets", **WEEKS, journey=journey))["figures"]

    async def many(**filters: Any) -> int:
        return len(await ids(client, "tickets/list", **WEEKS, journey=journey, **filters))

    counted = [
        await many(),
        await many(state="open"),
        await many(state="solved"),
        await many(reopened=True),
        await many(repeat=True),
        await many(unresolved=True),
        await many(severity=0.5),
        await many(reply="waiting"),
        await many(reply="unanswered"),
        await many(reply="untold"),
        await many(reply="replied"),
    ]
    reply = figures["first_reply"] or {"waiting": 0, "finished": 0}
    assert counted == [
        figures["opened"],
        figures["open"],
        figures["solved"]["count"],
        figures["reopened"]["count"],
        figures["repeat"]["count"],
        figures["stale"]["count"],
        figures["after_failure"]["count"],
        reply["waiting"],
        figures["unanswered"],
        figures["replies_untold"],
        reply["finished"],
    ]
    if not journey:
        assert min(counted) > 0


async def test_groups_of_tickets(context: Context, client: httpx2.AsyncClient) -> None:
    """Of each journey, topic and priority as many are listed as its line counts, and as many linked as are."""
    await desk().store(context.store)
    told = await get(client, "tickets", **WEEKS)
    for kind, name in (("journeys", "journey"), ("topics", "topic"), ("priorities", "priority")):
        for group in (one for one in told[kind] if one["id"]):
            assert len(await ids(client, "tickets/list", **WEEKS, **{name: group["id"]})) == group["figures"]["opened"]
            assert len(await ids(client, "tickets/list", **WEEKS, **{name: group["id"]}, state="open")) == group["figures"]["open"]
    assert len(await ids(client, "tickets/list", **WEEKS, link="linked")) == told["linked"] > 0


async def test_a_ticket_as_it_stood(context: Context, client: httpx2.AsyncClient) -> None:
    """Newest first, with who asked, what their visit had met, and how it stood at the end of the window; later solutions are not known there."""
    rows = desk()
    await rows.store(context.store)
    items = (await get(client, "tickets/list", **WEEKS, limit=500))["items"]
    assert [one["opened"] for one in items] == sorted((one["opened"] for one in items), reverse=True)
    first = items[0]
    assert (first["id"], first["journey"], first["step"], first["severity"], first["link"], first["replied"]) == (
        "t0",
        "newsletter",
        "sign",
        1.0,
        "explicit",
        True,
    )
    mary = next(one for one in items if one["person_id"] == "user:u3")
    assert mary["label"] == "Mary"
    of_account = await ids(client, "tickets/list", **WEEKS, account="acme")
    assert of_account == await ids(client, "tickets/list", **WEEKS, person="user:u3") != []
    assert (await get(client, "tickets/list", **WEEKS, session=first["session_id"]))["items"] == [first]
    assert len(await ids(client, "tickets/list", **WEEKS, text="CAR")) == len(await ids(client, "tickets/list", **WEEKS, topic="card")) > 0
    assert {one["replied"] for one in items if one["source"] == "mail"} == {None}
    early = {"from_": (NOW - 28 * DAY).isoformat(), "to": (NOW - 20 * DAY).isoformat()}
    then = (await get(client, "tickets/list", **early, limit=500))["items"]
    late = next(one for one in items if one["solved"] and not next((two for two in then if two["id"] == one["id"]), {"solved": True})["solved"])
    assert late["solved_at"] > early["to"]


def orders() -> Rows:
    """Orders of two feeds: paid, given back in part, cancelled, of a probe, in another currency, one purchase told twice."""
    rows = Rows()
    session = rows.customer("u1", NOW - minute(90), done=True)
    rows.people.append({"source": "crm", "id": "u1", "version": 1, "name": "Mary", "account_id": "acme"})
    at = NOW - minute(60)
    rows.order("o1", at, 60, person="user:u1", session=session)
    rows.order("o2", at, 40, person="user:u1", session=session, refunded=15, status="completed", given_session_id="s-other", join="inferred")
    rows.order("o3", at - minute(1), 10, person="user:u2", status="cancelled")
    rows.order("o4", at - minute(2), 5, probe=1)
    rows.order("o5", at - minute(3), 100, currency="USD", rate=0.9, rate_currency="EUR", join="unlinked")
    rows.order("o6", at - minute(4), 7, currency="GBP", join="unlinked")
    rows.order("p1", at - minute(5), 20, source="shop", purchase="p1", join="unlinked")
    rows.order("ch_1", at - minute(5), 20, source="stripe", purchase="p1", refunded=20, join="unlinked")
    return rows


async def test_orders_with_what_was_given_back(context: Context, client: httpx2.AsyncClient) -> None:
    """A purchase stands once, refunds beside it; what our probes bought only where it is asked for, and marked."""
    await orders().store(context.store)
    found = await get(client, "orders")
    assert (found["currency"], [(one["id"], one["net"], one["net_converted"], one["counts"]) for one in found["items"]]) == (
        "EUR",
        [
            ("o2", 25.0, 25.0, True),
            ("o1", 60.0, 60.0, True),
            ("o3", 10.0, 10.0, False),
            ("o5", 100.0, 90.0, True),
            ("o6", 7.0, None, True),
            ("ch_1", 0.0, 0.0, True),
        ],
    )
    assert [one["id"] for one in found["items"] if one["refunded"]] == ["o2", "ch_1"]
    assert await ids(client, "orders", refunded=True) == ["api/o2", "stripe/ch_1"]
    assert await ids(client, "orders", once=False, feed="shop") == ["shop/p1"]
    assert len(await ids(client, "orders", once=False)) == 7
    assert await ids(client, "orders", probes="only") == ["api/o4"]
    assert [one["probe"] for one in (await get(client, "orders", probes="with"))["items"]].count(True) == 1
    assert (
        await ids(client, "orders", person="user:u1")
        == await ids(client, "orders", account="acme")
        == await ids(client, "orders", journey="checkout")
        == ["api/o2", "api/o1"]
    )
    assert await ids(client, "orders", journey="newsletter") == []
    assert await ids(client, "orders", status="cancelled") == ["api/o3"]
    assert await ids(client, "orders", currency="USD") == ["api/o5"]


async def test_as_many_orders_as_beacon_coverage_counts(context: Context, client: httpx2.AsyncClient) -> None:
    """The orders that coverage is a share of, and those with a visit."""
    await orders().store(context.store)
    coverage = (await get(client, "impact"))["coverage"]
    day = {"from_": (NOW - DAY).isoformat(), "to": NOW.isoformat(), "once": False, "counted": True}
    assert (len(await ids(client, "orders", **day)), len(await ids(client, "orders", **day, visit="known"))) == (coverage["orders"], coverage["with_visit"])
    assert coverage["with_visit"] == len(await ids(client, "orders", **day)) - len(await ids(client, "orders", **day, visit="unknown")) > 0


def subscribed() -> Rows:
    """Subscriptions: running, ended with and without a reason, ended at a time that nobody told."""
    rows = Rows()
    rows.people.append({"source": "crm", "id": "u2", "version": 1, "account_id": "acme"})
    common = {"source": "bill", "version": 1, "mrr": 30, "currency": "EUR", "interval": "month", "plan": "pro", "received": NOW - DAY}
    rows.subscriptions = [
        {**common, "id": "s1", "ts": NOW - 80 * DAY, "status": "active", "user_id": "u1"},
        {
            **common,
            "id": "s2",
            "ts": NOW - 70 * DAY,
            "status": "ended",
            "ended_at": NOW - 3 * DAY,
            "reason": "too_expensive",
            "comment": "Your <b>pay</b> page",
            "user_id": "u2",
        },
        {**common, "id": "s3", "ts": NOW - 60 * DAY, "status": "ended", "ended_at": None, "account_id": "acme", "mrr": None, "currency": ""},
        {**common, "id": "s4", "ts": NOW - 2 * DAY, "status": "active", "ended_at": NOW + 20 * DAY, "account_id": "beta"},
        {**common, "id": "s5", "ts": NOW - 50 * DAY, "status": "ended", "ended_at": NOW - 40 * DAY, "reason": "unused"},
    ]
    return rows


async def test_subscriptions_by_when_they_began_or_ended(context: Context, client: httpx2.AsyncClient) -> None:
    """The window is of either time; one that ended at a time not told ended when that was told; those that run did not end."""
    await subscribed().store(context.store)
    quarter = {"from_": (NOW - 90 * DAY).isoformat(), "to": NOW.isoformat()}
    assert await ids(client, "subscriptions", **quarter) == ["bill/s4", "bill/s5", "bill/s3", "bill/s2", "bill/s1"]
    assert await ids(client, "subscriptions", **WEEKS, by="ended") == ["bill/s3", "bill/s2"]
    assert await ids(client, "subscriptions", **quarter, by="ended", account="acme") == ["bill/s3", "bill/s2"]
    assert await ids(client, "subscriptions", **quarter, by="ended", reason="unknown") == ["bill/s3"]
    assert await ids(client, "subscriptions", **quarter, status="active", person="user:u1") == ["bill/s1"]
    (one,) = (await get(client, "subscriptions", **quarter, words=True))["items"]
    assert (one["id"], one["monthly"], one["currency"], one["reason"], one["comment"], one["person_id"]) == (
        "s2",
        30.0,
        "EUR",
        "too_expensive",
        "Your <b>pay</b> page",
        "user:u2",
    )
    (untold,) = (await get(client, "subscriptions", **quarter, reason="unknown", status="ended"))["items"]
    assert (untold["monthly"], untold["ended_at"]) == (None, (NOW - DAY).isoformat().replace("+00:00", "Z"))


@pytest.mark.parametrize(
    ("name", "parameters", "sentence"),
    [
        ("tickets/list", {"stauts": "open"}, "'stauts' is no parameter here; /api/docs lists them"),
        ("tickets/list", {"status": "ope"}, "status: Input should be '', 'new', 'open', 'pending', 'on_hold', 'solved' or 'closed'"),
        ("tickets/list", {"severity": "2"}, "severity: Input should be less than or equal to 1"),
        ("tickets/list", {"topic": "a\0"}, "topic holds a control character; leave it out"),
        ("tickets/list", {"cursor": "W10"}, "cursor is none of ours; take next of the page before, or leave it out"),
        ("orders", {"probes": "yes"}, "probes: Input should be '', 'with' or 'only'"),
        ("orders", {"limit": "501"}, "limit: Input should be less than or equal to 500"),
        ("orders", {"from": "2026-01-01T00:00:00Z", "to": "2026-10-01T00:00:00Z"}, "the window is longer than 92 days; choose a shorter one"),
        ("subscriptions", {"by": "x"}, "by: Input should be 'began' or 'ended'"),
    ],
)
async def test_a_question_that_makes_no_sense(client: httpx2.AsyncClient, name: str, parameters: dict[str, Any], sentence: str) -> None:
    """Place, cause and cure in one sentence."""
    answer = await client.get(f"/api/v1/{name}", params=parameters)
    assert (answer.status_code, answer.json()) == (422, {"error": sentence})


async def test_hostile_filters_find_nothing_and_break_nothing(context: Context, client: httpx2.AsyncClient) -> None:
    """SQL, placeholders, quotes and odd texts in every text filter: an empty list; a cursor of another list is refused."""
    for rows in (desk(), orders(), subscribed()):
        await rows.store(context.store)
    texts = {
        "tickets/list": ("priority", "topic", "text", "channel", "feed", "journey", "person", "account", "session"),
        "orders": ("currency", "channel", "feed", "journey", "person", "account", "session"),
        "subscriptions": ("plan", "interval", "feed", "person", "account", "reason"),
    }
    for text in ("x' OR '1'='1", "{tenant:String}", "\\", "%", "ä" * 512, "🛒", "'; DROP TABLE orders --", "\x7f"):
        for name, keys in texts.items():
            for key in keys:
                answer = await client.get(f"/api/v1/{name}", params={key: text})
                assert (answer.status_code, answer.json().get("items")) == (200, []), (name, key, text, answer.text)
    cursor = (await get(client, "tickets/list", **WEEKS, limit=3))["next"]
    for name, filters in (("orders", {}), ("tickets/list", {"state": "open"})):
        answer = await client.get(f"/api/v1/{name}", params={"cursor": cursor, **filters})
        assert answer.json() == {"error": "cursor belongs to another question; repeat the parameters it came with, or leave it out"}


async def test_as_many_walks_as_the_funnel_counts(context: Context, client: httpx2.AsyncClient) -> None:
    """Those who reached a step, went on, and were hit there."""
    await broken_shop(usual=False).store(context.store)
    told = await get(client, "journeys/checkout")
    (step,) = told["experience"]["steps"]
    asked = {"journey": "checkout", "traffic": "real", "came_to": step["id"], "limit": 500}

    async def many(**filters: str) -> int:
        return len((await get(client, "runs", **asked, **filters))["items"])

    assert [await many(), await many(there="done"), await many(there="hit"), await many(there="slow")] == [
        step["reached"],
        step["done"],
        step["hit"],
        step["slow"],
    ]
    assert (step["reached"], step["hit"], await many(there="stopped")) == (188, 42, 30)


async def test_as_many_answers_as_a_journey_s_satisfaction_counts(context: Context, client: httpx2.AsyncClient) -> None:
    """Each person's newest on the scale, also where only the visit tells of the journey."""
    rows = Rows()
    for number in range(9):
        session = rows.customer(f"u{number % 5}", NOW - minute(60 + number), done=True)
        rows.answer(f"f{number}", NOW - minute(30 + number), 1 + number % 5, person=f"user:u{number % 5}", session=session)
        rows.feedback[-1]["run_ids"] = [rows.runs[-1]["run_id"]]
    rows.answer("named", NOW - minute(5), 5)
    rows.feedback[-1]["journey"] = "checkout"
    rows.answer("other", NOW - minute(5), 5)
    await rows.store(context.store)
    told = await get(client, "journeys/checkout")
    asked = {"journey": "checkout", "kind": "csat", "scale": told["satisfaction"]["scale"], "once": "kind", "from_": told["window_from"], "to": told["as_of"]}
    assert len(await ids(client, "feedback", **asked)) == told["satisfaction"]["others"]["answered"] == 6


async def test_as_many_people_as_an_alarm_counts(context: Context, client: httpx2.AsyncClient) -> None:
    """Those whose first failure of a day is since the alarm began, visits without a name among them; who had failed before it is not newly hit."""
    await weeks_before(context.store, people=50, hit=1, visits=10)
    rows = Rows()
    now_hit(rows, 9, 21, anonymous=3)
    rows.customer("early", NOW - timedelta(hours=20), fails=True, stopped=True)
    for number in range(60):
        rows.customer(f"well{number}", NOW - timedelta(hours=19), done=True)
    rows.customer("early", NOW - minute(10), fails=True, stopped=True)
    await rows.store(context.store)
    (alarm,) = (await get(client, "alarms"))["alarms"]
    items: list[dict[str, Any]] = []
    cursor = ""
    while cursor is not None:
        page = (await client.get(f"{alarm['rows']}&limit=5" + (f"&cursor={cursor}" if cursor else ""))).json()
        items, cursor = items + page["items"], page["next"]
    assert (len(items), sum(one["kind"] == "visit" for one in items)) == (alarm["hit"], alarm["hit_visits"]) == (12, 3)
    assert len({one["person_id"] for one in items}) == 12
    assert all(one["severity"] == 1.0 and one["run_id"] and one["session_id"] for one in items)
    answer = await client.get("/api/v1/alarms/people", params={"step": "pay"})
    assert (answer.status_code, answer.json()) == (422, {"error": "journey: Field required"})


async def test_what_recurring_revenue_exposed_is_the_sum_of(context: Context, client: httpx2.AsyncClient) -> None:
    """Accounts and people's own subscriptions, page by page: the sums of the list are those of the problem; another currency without a rate stands apart."""
    rows = broken_shop(usual=False)
    told = {"source": "crm", "version": 1, "segment": "mid"}
    for number, (mrr, currency) in enumerate([(120, "EUR"), (80, "EUR"), (90, "USD")]):
        rows.accounts.append(
            {**told, "id": f"a{number}", "name": f"Account {number}", "mrr": mrr, "currency": currency, "renewal_date": (NOW + 9 * DAY).date()}
        )
    common = {"source": "bill", "version": 1, "ts": NOW - 90 * DAY, "status": "active", "currency": "EUR", "received": NOW - 90 * DAY}
    rows.subscriptions = [
        {**common, "id": "s1", "mrr": 30, "user_id": "u7"},
        {**common, "id": "s2", "mrr": 5, "user_id": "u7"},
        {**common, "id": "s3", "mrr": 11, "account_id": "a4"},
        {**common, "id": "s4", "mrr": 500, "account_id": "a0"},
        {**common, "id": "s5", "mrr": 700, "user_id": "u99"},
    ]
    await rows.store(context.store)
    (problem,) = (await get(client, "impact"))["problems"]
    exposed = (await get(client, f"problems/{problem['id']}"))["exposed"]
    items: list[dict[str, Any]] = []
    cursor = ""
    while cursor is not None:
        page = await get(client, f"problems/{problem['id']}/exposed", limit=2, cursor=cursor)
        items, cursor = items + page["items"], page["next"]
    assert [(one["whose"], one["label"], one["monthly"], one["currency"], one["counted"], one["subscriptions"]) for one in items] == [
        ("a0", "Account 0", 120.0, "EUR", True, 0),
        ("a1", "Account 1", 80.0, "EUR", True, 0),
        ("a2", "Account 2", 90.0, "USD", False, 0),
        ("a4", "a4", 11.0, "EUR", True, 1),
        ("user:u7", "u7", 35.0, "EUR", True, 2),
    ]
    assert sum(one["monthly"] for one in items if one["counted"]) == exposed["monthly"] == 246.0
    assert exposed["other_currencies"] == {"USD": 90.0}
    assert len({one["whose"] for one in items if one["kind"] == "account"}) == exposed["accounts"]
    assert sum(one["subscriptions"] for one in items) == exposed["subscriptions"]
    assert (await client.get("/api/v1/problems/none/exposed")).status_code == 404
    answer = await client.get(f"/api/v1/problems/{problem['id']}/exposed", params={"cursor": "W10"})
    assert answer.json() == {"error": "cursor is none of ours; take next of the page before, or leave it out"}


async def test_why_subscriptions_were_ended(context: Context, client: httpx2.AsyncClient) -> None:
    """By reason: how many, what they brought, and how many had been hit in the 30 days before, by their person or anybody of their account."""
    rows = subscribed()
    rows.people.append({"source": "crm", "id": "u8", "version": 1, "account_id": "beta"})
    common = {"source": "bill", "version": 1, "ts": NOW - 80 * DAY, "status": "ended", "received": NOW - DAY, "mrr": 10, "currency": "EUR", "reason": "unused"}
    rows.subscriptions += [
        {**common, "id": "hit by a member", "ended_at": NOW - 10 * DAY, "account_id": "beta"},
        {**common, "id": "hit by a visit", "ended_at": NOW - 10 * DAY, "account_id": "gamma", "mrr": 4, "currency": "USD"},
        {**common, "id": "well", "ended_at": NOW - 10 * DAY, "user_id": "u9"},
        {**common, "id": "hit long ago", "ended_at": NOW - 10 * DAY, "user_id": "u10"},
        {**common, "id": "hit after", "ended_at": NOW - 10 * DAY, "user_id": "u11"},
        {**common, "id": "taken back", "ended_at": NOW - 10 * DAY, "user_id": "u9", "deleted": 1},
    ]
    rows.customer("u2", NOW - 5 * DAY, fails=True, stopped=True)
    rows.customer("u8", NOW - 11 * DAY, fails=True)
    rows.customer("x", NOW - 12 * DAY, fails=True, account="gamma", anonymous=True)
    rows.customer("u9", NOW - 12 * DAY, done=True)
    rows.customer("u10", NOW - 12 * DAY, done=True)
    rows.customer("u10", NOW - 41 * DAY, fails=True, stopped=True)
    rows.customer("u11", NOW - 9 * DAY, fails=True, stopped=True)
    await rows.store(context.store)
    told = await get(client, "subscriptions/ended")
    figures = told["figures"]
    assert (figures["ended"], figures["monthly"], figures["other_currencies"], figures["unpriced"]) == (8, 100.0, {"USD": 4.0}, 1)
    assert [(one["reason"], one["figures"]["ended"], one["figures"]["hit_before"]["count"], one["figures"]["hit_before"]["of"]) for one in told["reasons"]] == [
        ("unused", 6, 2, 4),
        ("", 1, 1, 1),
        ("too_expensive", 1, 1, 1),
    ]
    for one in told["reasons"]:
        answer = (await client.get(one["rows"])).json()
        assert len(answer["items"]) == one["figures"]["ended"]
    assert len((await client.get(told["rows"])).json()["items"]) == 8
    (word,) = told["words"]
    assert (word["comment"], word["reason"], word["person_id"], word["severity"]) == ("Your <b>pay</b> page", "too_expensive", "user:u2", 1.0)
    answer = await client.get("/api/v1/subscriptions/ended", params={"from": "2027-01-01T00:00:00Z"})
    assert (answer.status_code, answer.json()) == (422, {"error": "from lies in the future; give a time before now"})


async def test_a_person_s_subscriptions(context: Context, client: httpx2.AsyncClient) -> None:
    """Theirs and those of their account that name nobody, with why each ended, also where it lies among everything else."""
    await subscribed().store(context.store)
    told = await get(client, "people/user:u2")
    assert [(one["id"], one["reason"], one["person_id"]) for one in told["subscriptions"]] == [("s3", "", ""), ("s2", "too_expensive", "user:u2")]
    seen = [(one["title"], one["detail"], one["tone"]) for one in told["timeline"] if one["kind"] == "subscription"]
    assert seen == [
        ("subscription began", "30.00 EUR a month", "good"),
        ("subscription began", "", "good"),
        ("subscription ended", "too expensive: Your <b>pay</b> page", "bad"),
        ("subscription ended", "", "bad"),
    ]
    assert next(one for one in told["timeline"] if one["kind"] == "subscription" and one["facts"]["subscription"] == "s3")["facts"]["of"] == "the account acme"


async def test_subscriptions_that_an_account_ended(context: Context, client: httpx2.AsyncClient) -> None:
    """Its own and those of its people, of the window, with why the newest did; an account that ended none says so."""
    rows = subscribed()
    rows.accounts = [{"source": "crm", "id": one, "version": 1} for one in ("acme", "beta")]
    await rows.store(context.store)
    items = {one["account_id"]: one for one in (await get(client, "accounts", **WEEKS))["items"]}
    assert [(items[one]["ended"], items[one]["ended_reason"], items[one]["ended_comment"]) for one in ("acme", "beta")] == [(2, "", ""), (0, "", "")]
    before = {"from_": (NOW - 28 * DAY).isoformat(), "to": (NOW - 2 * DAY).isoformat()}
    items = {one["account_id"]: one for one in (await get(client, "accounts", **before))["items"]}
    assert (items["acme"]["ended"], items["acme"]["ended_reason"], items["acme"]["ended_comment"]) == (1, "too_expensive", "Your <b>pay</b> page")
