"""What is measured beside the report, over HTTP: tickets, the starter set, one problem alone, breakdowns, silent sufferers, corrected CSAT."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from sojourn_collector.context import Context
from sojourn_collector.store.client import Store
from sojourn_collector.web.api import build_api
from sojourn_collector.web.measures import build_measures
from tests.collector.web.asking import asking, get
from tests.collector.web.stage import BROKE, NOW, Rows, broken_shop, minute

DAY = timedelta(days=1)


@pytest.fixture
async def client(context: Context) -> AsyncIterator[httpx2.AsyncClient]:
    async with asking(build_measures(context), build_api(context)) as one:
        yield one


async def test_tickets_count_the_open_ones_and_name_the_journey_they_came_from(client: httpx2.AsyncClient, store: Store) -> None:
    """Eleven tickets, four solved; three came from visits that met a failure; one older than the window counts for repeats alone."""
    rows = Rows()
    for number in range(10):
        at = NOW - 10 * DAY + timedelta(hours=number)
        session = rows.customer(f"t{number}", at - minute(30), fails=number < 3, stopped=number < 3) if number < 6 else ""
        more: dict[str, Any] = {"first_reply_at": at + minute(60)} if number < 8 else {}
        if number < 4:
            more["solved_at"] = at + timedelta(hours=5)
        rows.ticket(f"{number}", at, person=f"user:t{number}" if session else "", session=session, topic="payment" if number < 5 else "delivery", **more)
    rows.ticket("before", NOW - 28 * DAY - timedelta(hours=2), person="user:again", topic="refund")
    rows.ticket("again", NOW - 28 * DAY + timedelta(hours=2), person="user:again", topic="refund")
    await rows.store(store)
    told = await get(client, "tickets")
    figures = told["figures"]
    assert (figures["opened"], figures["open"], figures["solved"]["count"], figures["repeat"]["count"]) == (11, 7, 4, 1)
    assert figures["first_reply"] == {"value": 3600.0, "low": 3600.0, "high": None, "finished": 8, "waiting": 3}
    assert (figures["after_failure"]["count"], figures["after_failure"]["of"]) == (3, 6)
    assert figures["stale"] == {"count": 7, "of": 11, "low": pytest.approx(0.354, abs=1e-3), "high": pytest.approx(0.848, abs=1e-3)}
    assert [(one["id"], one["name"], one["figures"]["opened"]) for one in told["journeys"]] == [("checkout", "checkout", 6), ("", "", 5)]
    assert [(one["id"], one["figures"]["opened"]) for one in told["topics"]] == [("delivery", 5), ("payment", 5), ("refund", 1)]
    assert [one["id"] for one in told["longest_waiting"]] == ["again", "4", "5", "6", "7", "8", "9"]
    assert (await get(client, "tickets", journey="checkout"))["figures"]["opened"] == 6


async def test_a_ticket_said_to_be_solved_is_no_longer_waiting(client: httpx2.AsyncClient, store: Store) -> None:
    """Without the time of its solution it was solved by its last change; one opened again waits, whatever it says of an earlier solution. Of replies
    nothing is known until the desk tells of one, then that one waits."""
    rows = Rows()
    at = NOW - 5 * DAY
    rows.ticket("untimed", at, status="solved", updated=at + timedelta(hours=3))
    rows.ticket("again", at, solved_at=at + timedelta(hours=1), status="open")
    await rows.store(store)
    told = await get(client, "tickets")
    assert (told["figures"]["open"], told["figures"]["solved"]["count"]) == (1, 1)
    assert told["figures"]["resolution"]["value"] == 3 * 3600.0
    assert (told["figures"]["reopened"]["count"], told["figures"]["reopened"]["of"]) == (1, 2)
    assert (told["figures"]["first_reply"], told["figures"]["replies_untold"]) == (None, 2)
    assert [(one["id"], one["replied"]) for one in told["longest_waiting"]] == [("again", None)]
    rows.tickets.clear()
    rows.ticket("other", at - 60 * DAY, first_reply_at=at)
    await rows.store(store)
    told = await get(client, "tickets")
    assert (told["figures"]["first_reply"]["waiting"], told["figures"]["unanswered"], told["figures"]["replies_untold"]) == (1, 1, 0)
    assert [one["replied"] for one in told["longest_waiting"]] == [False]


async def test_without_orders_nobody_s_worth_is_known(client: httpx2.AsyncClient, store: Store) -> None:
    """No feed of orders is not the same as having paid nothing: coverage is 0 and the reason says what to send."""
    rows = broken_shop(usual=False)
    rows.orders.clear()
    await rows.store(store)
    (problem,) = (await get(client, "impact"))["problems"]
    told = (await get(client, f"problems/{problem['id']}"))["value"]
    assert (told["state"], told["coverage"], told["reason"]) == ("not measured", 0.0, "nobody's worth is known: send orders or accounts with their mrr")


async def test_without_tickets_nothing_is_measured(client: httpx2.AsyncClient) -> None:
    """No tickets, no answers: the starter set has neither, and no zero stands for it."""
    told = await get(client, "tickets")
    assert (told["state"], told["figures"]["first_reply"], told["figures"]["solved"]["low"], told["topics"]) == ("not measured", None, None, [])
    assert await get(client, "starter-set") == {"days": 28, "as_of": "2026-11-20T14:10:00Z", "scale": "", "satisfied": None, "other_scales": 0, "tickets": None}


async def test_the_starter_set_counts_each_person_once_and_never_mixes_scales(client: httpx2.AsyncClient, store: Store) -> None:
    """Who answered twice counts with the newest; the scale with most answers is told, others are counted beside."""
    rows = Rows()
    for number in range(6):
        rows.answer(f"a{number}", NOW - DAY, 5 if number < 4 else 2, person=f"user:u{number}")
    rows.answer("earlier", NOW - 2 * DAY, 1, person="user:u0")
    rows.answer("other", NOW - DAY, 3, person="user:u9")
    rows.feedback[-1] |= {"scale_min": 0.0, "scale_max": 10.0}
    rows.ticket("1", NOW - DAY)
    await rows.store(store)
    told = await get(client, "starter-set")
    assert (told["scale"], told["satisfied"]["satisfied"], told["satisfied"]["answered"], told["other_scales"]) == ("1–5", 4, 6, 1)
    assert told["tickets"]["opened"] == 1


async def test_a_problem_alone_weighs_people_by_what_they_were_worth_before(client: httpx2.AsyncClient, store: Store) -> None:
    """Of 180 people everybody bought for 100 in the weeks before and those hit for 300: the value view is worse than the people view, with its coverage."""
    rows = broken_shop()
    for number in range(180):
        rows.order(f"before-{number}", BROKE - 20 * DAY, 300.0 if number < 41 else 100.0, person=f"user:u{number}")
        rows.sessions.append(
            {
                "version": 1,
                "session_id": f"early-{number}",
                "person_id": f"user:u{number}",
                "person_kind": "user",
                "traffic": "real",
                "started": BROKE - 85 * DAY,
            }
        )
    rows.accounts.append({"source": "crm", "id": "a0", "version": 1, "name": "Able", "mrr": 500, "currency": "EUR", "renewal_date": (NOW + 10 * DAY).date()})
    rows.accounts.append({"source": "crm", "id": "a1", "version": 1, "name": "Baker", "mrr": 200, "currency": "USD"})
    subscription = {"source": "stripe", "version": 1, "ts": BROKE - 40 * DAY, "received": BROKE, "currency": "EUR", "mrr": 20}
    rows.subscriptions += [
        {**subscription, "id": "s1", "status": "active", "user_id": "u20"},
        {**subscription, "id": "s2", "status": "ended", "user_id": "u21"},
        {**subscription, "id": "s3", "status": "active", "user_id": "u170"},
        {**subscription, "id": "s4", "status": "active", "account_id": "a2"},
        {**subscription, "id": "s5", "status": "active", "account_id": "cus_1", "user_id": "u22"},
        {**subscription, "id": "s6", "status": "active", "account_id": "cus_2", "user_id": "u0"},
        {**subscription, "id": "s7", "status": "active", "account_id": "cus_3", "user_id": "u170"},
        {**subscription, "id": "s8", "status": "active", "account_id": "cus_4"},
    ]
    await rows.store(store)
    (problem,) = (await get(client, "impact"))["problems"]
    told = await get(client, f"problems/{problem['id']}")
    assert told["problem"]["id"] == problem["id"]
    value, people = told["value"], told["problem"]["impact"]
    assert value["state"] == "measured"
    assert value["score"] > 1.5 * people["score"]
    assert value["low"] < value["score"] < value["high"]
    assert value["coverage"] == 1.0
    exposed = told["exposed"]
    assert (exposed["monthly"], exposed["other_currencies"]) == (560.0, {"USD": 200.0})
    assert (exposed["accounts"], exposed["subscriptions"], exposed["people"], exposed["unknown"], exposed["renewing"]) == (3, 3, 41, 36, 1)
    missing = await client.get("/api/v1/problems/checkout.pay.20200101T000000Z")
    assert (missing.status_code, missing.json()) == (404, {"error": "There is no problem 'checkout.pay.20200101T000000Z'."})


async def test_the_cause_that_hurt_most_people_leads_the_breakdown(client: httpx2.AsyncClient, store: Store) -> None:
    """By cause: 502 at Pay explains all of the score; by device and by an attribute of people too, those of unknown attribute counted apart."""
    rows = broken_shop()
    rows.people += [{"source": "crm", "id": f"u{number}", "version": 1, "attrs": {"channel": "app" if number < 41 else "web"}} for number in range(150)]
    await rows.store(store)
    told = await get(client, "journeys/checkout/breakdown", **{"from": (NOW - minute(60)).isoformat()})
    (cause,) = told["groups"]
    assert (cause["value"], cause["name"], cause["cause"]) == ("pay", "Pay", "502 from POST /payments")
    assert cause["points"] == pytest.approx(told["score"])
    assert cause["low"] < cause["share"] < cause["high"]
    assert told["units"] == 180
    by = await get(client, "journeys/checkout/breakdown", attr="channel", **{"from": (NOW - minute(60)).isoformat()})
    assert [(one["value"], one["people"]) for one in by["groups"]] == [("app", 41)]
    assert (by["by"], by["unknown"]) == ("channel", 30)
    nobody = await get(client, "journeys/newsletter/breakdown")
    assert (nobody["score"], nobody["reason"]) == (None, "nobody's walk through this journey was over in this time")
    refused = await client.get("/api/v1/journeys/checkout/breakdown", params={"by": "shoe size"})
    assert refused.status_code == 422


async def test_only_the_valuable_who_kept_silent_and_consented_are_named(client: httpx2.AsyncClient, store: Store) -> None:
    """Ten hit ten days ago; of the four who paid most two are named, less the one who wrote a ticket and the one without consent."""
    rows = Rows()
    at = NOW - 10 * DAY
    for number in range(30):
        rows.customer(f"u{number}", at, fails=number < 10, stopped=number < 10)
        rows.order(f"o{number}", NOW - 40 * DAY, 1000.0 if number < 4 or number > 25 else 10.0, person=f"user:u{number}")
    rows.sessions[2]["consent"] = "denied"
    rows.ticket("t", at + minute(5), person="user:u1")
    rows.answer("lost", at + minute(9), 1)
    await rows.store(store)
    told = await get(client, "silent-sufferers")
    assert sorted(one["person_id"] for one in told["people"]) == ["user:u0", "user:u3"]
    assert told["people"][0]["worth"] == 1000.0
    assert told["hurt"] == 10
    assert told["notes"] == [
        "1 more gave no consent and are not named",
        "1 answers and tickets are linked to nobody; up to 1 of these people may have spoken in them",
    ]


async def test_a_worth_is_of_the_time_before_each_one_s_own_hit(client: httpx2.AsyncClient, store: Store) -> None:
    """Who paid 9,000 three days before they were hit is in the list with that; what others paid after it, or longer before it than 90 days, is no worth.
    A newcomer who paid 60 the day before is worth that and the median of the others for the 89 days that nobody saw them."""
    rows = Rows()
    at = NOW - 5 * DAY
    for number in range(40):
        rows.customer(f"u{number}", at, fails=number < 4, stopped=number < 4)
        if number != 3:
            rows.sessions += [{**rows.sessions[-1], "session_id": f"{days}-{number}", "started": NOW - days * DAY + timedelta(hours=1)} for days in (95, 85)]
        if number > 3:
            rows.order(f"o{number}", NOW - 40 * DAY, 100.0, person=f"user:u{number}")
    rows.order("new", at - DAY, 60.0, person="user:u3")
    rows.order("before", at - 3 * DAY, 9000.0, person="user:u0")
    rows.order("after", at + minute(5), 9000.0, person="user:u1")
    rows.order("long ago", at - 91 * DAY, 9000.0, person="user:u2")
    await rows.store(store)
    told = await get(client, "silent-sufferers")
    assert [(one["person_id"], round(one["worth"])) for one in told["people"]] == [("user:u0", 9000), ("user:u3", 159)]


async def test_csat_is_corrected_for_those_who_keep_silent(client: httpx2.AsyncClient, store: Store) -> None:
    """Those hit answer rarely and are not satisfied: the corrected share lies below the raw one; without invitations it says what is missing."""
    assert (await get(client, "journeys/checkout/corrected-csat"))[
        "reason"
    ] == "no survey about this journey tells whom it asked: send invitations (docs/sources.md)"
    rows = Rows()
    for number in range(200):
        hit = number % 2 == 0
        at = NOW - 5 * DAY + timedelta(seconds=number)
        session = rows.customer(f"c{number}", at, fails=hit, stopped=hit, done=not hit)
        rows.invitation(f"i{number}", at + minute(10), person=f"user:c{number}", session=session)
        if not hit or number % 10 == 0:
            rows.answer(f"f{number}", at + minute(20), 2 if hit else 5, person=f"user:c{number}", session=session)
    await rows.store(store)
    told = await get(client, "journeys/checkout/corrected-csat")
    assert (told["invited"], told["answered"], told["scale"], told["reason"]) == (200, 120, "1–5", "")
    assert told["raw"] == pytest.approx(100 / 120)
    assert told["low"] < told["share"] < 0.65
    assert told["if_satisfied_answer_more"] < told["share"] < told["if_satisfied_answer_less"]


async def test_what_happened_after_the_question_explains_no_answer(context: Context, store: Store) -> None:
    """Facts are those of when somebody was asked: hit 18 days later is not hit; of two times asked the one before the answer counts."""
    rows, asked = Rows(), NOW - 20 * DAY
    for number in range(6):
        person = f"user:k{number}"
        session = rows.customer(f"k{number}", asked - minute(30), fails=number == 5, done=True)
        rows.invitation(f"i{number}", asked, person=person, session=session)
        if number < 4:
            rows.answer(f"a{number}", asked + minute(5), 5, person=person, session=session)
        if number in (0, 4):
            rows.customer(f"k{number}", NOW - 2 * DAY, fails=True, stopped=True, device="mobile")
        if number in (0, 5):
            rows.invitation(f"again{number}", NOW - DAY, person=person)
    rows.invitation("stranger", asked, person="user:never seen")
    await rows.store(store)
    told = await context.store.query("invited_people", journey="checkout", since=NOW - 28 * DAY, until=NOW, most=100)
    facts = {row["person"]: (row["exposure"], row["outcome"], row["of_device"], row["has_answered"]) for row in told}
    calm = ("not hit", "finished", "desktop")
    assert facts == {
        **{f"user:k{number}": (*calm, 1) for number in range(4)},
        "user:k4": (*calm, 0),
        "user:k5": ("hit, got through", "finished", "desktop", 0),
        "user:never seen": ("not seen", "not seen", "not known", 0),
    }


async def test_those_hit_whom_no_survey_reached_since_are_counted(client: httpx2.AsyncClient, store: Store) -> None:
    """Three of eight were asked since: by the greatest survey, by a smaller one, in the page without an invitation. The others were asked before
    their hit, about something else, by a mail that bounced, or not at all. Who was hit before the window is none of them."""
    rows, hit = Rows(), NOW - 10 * DAY
    sessions = [rows.customer(f"h{number}", hit + timedelta(seconds=number), fails=True, stopped=True) for number in range(8)]
    rows.customer("earlier", NOW - 30 * DAY, fails=True, stopped=True)
    rows.invitation("i0", hit + DAY, person="user:h0", survey_id="great")
    rows.invitation("i1", hit + DAY, person="user:h1", survey_id="small")
    rows.answer("a2", hit + DAY, 1, person="user:h2", session=sessions[2])
    rows.feedback[-1]["journey"] = "checkout"
    rows.invitation("i3", hit - DAY, person="user:h3", survey_id="great")
    rows.invitation("i4", hit + DAY, person="user:h4", survey_id="great", journey="browse")
    rows.invitation("i5", hit + DAY, person="user:h5", survey_id="great", status="bounced")
    rows.invitation("early", NOW - 20 * DAY, person="user:earlier", survey_id="great")
    await rows.store(store)
    told = await get(client, "journeys/checkout/corrected-csat")
    assert (told["invited"], told["never_asked"]) == (3, "5 of 8 hit were never asked")


@pytest.mark.parametrize("path", ["tickets", "silent-sufferers"])
async def test_what_makes_no_sense_is_one_sentence(client: httpx2.AsyncClient, path: str) -> None:
    """An unknown journey is 404, a window from the future 422, each with its sentence."""
    unknown = await client.get(f"/api/v1/{path}", params={"journey": "x" * 100})
    assert (unknown.status_code, unknown.json()["error"]) == (404, f"There is no journey '{'x' * 80}…'.")
    late = await client.get(f"/api/v1/{path}", params={"from": "2100-01-01T00:00:00Z"})
    assert (late.status_code, late.json()["error"]) == (422, "from lies in the future; give a time before now")
    early = await client.get(f"/api/v1/{path}", params={"to": "0001-01-01T00:00:00Z"})
    assert (early.status_code, early.json()["error"]) == (422, "to lies before 1970; give a later time")
    assert (await client.get(f"/api/v1/{path}", params={"to": "1970-01-01T00:00:01Z"})).status_code == 200


async def test_paths_outside_the_journeys_are_found_with_nobody_named(client: httpx2.AsyncClient, store: Store) -> None:
    """Eight people reorder from their account, which no journey covers; the checkout, which one covers, is not told."""
    rows = Rows()
    for number in range(8):
        session, at = f"d{number}", NOW - DAY + timedelta(seconds=number)
        rows.sessions.append(
            {"version": 1, "session_id": session, "person_id": f"user:u{number}", "person_kind": "user", "traffic": "real", "app": "shop", "started": at}
        )
        for place, path in enumerate(("/account", f"/orders/{4700 + number}", "/cart", "/checkout/pay")):
            rows.span(
                at + timedelta(seconds=place),
                path,
                f"{number + 1:032x}",
                f"{place + 1:016x}",
                span_type="page_view",
                session_id=session,
                attrs={"sojourn.page.path": path},
            )
        done = {"sojourn.conversion.name": "reordered"}
        rows.events.append({"ts": at + timedelta(seconds=9), "accepted": at, "name": "sojourn.conversion", "session_id": session, "attrs": done})
    await rows.store(store)
    told = await get(client, "discover")
    (path,) = told["paths"]
    assert [(one["page"], one["event"], one["people"]) for one in path["steps"]] == [
        ("/account", "", 8),
        ("/orders/*", "", 8),
        ("/cart", "", 8),
        ("/checkout/pay", "", 8),
        ("", "reordered", 8),
    ]
    assert (path["app"], path["visits"], path["finished"], path["seconds"]) == ("shop", 8, 1.0, 9.0)
    assert (told["visits"], told["one_in"], told["reason"]) == (8, 1, "")
    assert (await get(client, "discover", people=9))["paths"] == []
    assert (await get(client, "discover", app="other"))["reason"] == "no visit of a real browser was seen in this time: pages need the snippet"
