"""Feedback over HTTP: the list, one record with what happened before it, satisfaction by facts, what could not be linked."""

import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import httpx2
import pytest

from sojourn_collector.context import Context
from sojourn_collector.join.journeys import JourneyFolder
from sojourn_collector.store.client import Store
from sojourn_collector.web.api import build_api
from sojourn_collector.web.feedback import build_feedback
from sojourn_collector.web.pages import build_pages
from sojourn_probes.journey import JourneyCustomers
from tests.collector.web.asking import asking, get
from tests.collector.web.stage import CHECKOUT, NOW, Folder, Rows, minute

DAY = timedelta(days=1)
TRACE = f"{7:032x}"


@pytest.fixture
async def client(context: Context) -> AsyncIterator[httpx2.AsyncClient]:
    async with asking(build_feedback(context)) as one:
        yield one


async def test_an_answer_leads_to_the_span_and_the_release(client: httpx2.AsyncClient, store: Store) -> None:
    """From the comment to the visit, the walk, the step that failed, the backend's deepest failed span and the release."""
    rows = Rows()
    at = NOW - minute(30)
    session = rows.customer("ada", at, fails=True, stopped=True, trace=TRACE, account="a1")
    rows.runs[-1]["release"] = "2.4.1"
    rows.span(at, "POST", TRACE, "01" * 8, service="shop-web", status=2, span_type="exchange")
    rows.span(at, "POST /payments", TRACE, "02" * 8, parent="01" * 8, service="payments", status=2)
    rows.span(at, "charge", TRACE, "03" * 8, parent="02" * 8, service="bank", status=2, status_message="connection refused")
    rows.answer("f1", at + minute(5), 1, person="user:ada", session=session, comment="Could not pay")
    rows.feedback[-1] |= {
        "run_ids": [str(uuid.uuid5(uuid.NAMESPACE_URL, session))],
        "account_id": "a1",
        "join_confidence": 1.0,
        "question": "How was it?",
        "channel": "web",
        "survey_id": "after-pay",
    }
    rows.people.append({"source": "crm", "id": "ada", "version": 1, "name": "Ada Berger"})
    rows.accounts.append({"source": "crm", "id": "a1", "version": 1, "name": "Able", "plan": "pro"})
    await rows.store(store)
    told = await get(client, "feedback/f1")
    assert (told["person"], told["account"], told["release"], told["visit"]["session_id"]) == ("Ada Berger", "Able", "2.4.1", session)
    (walk,) = told["runs"]
    assert (walk["journey"]["id"], walk["end"], walk["failed_step"], walk["failure"]) == (
        "checkout",
        "stopped",
        {"id": "pay", "name": "Pay"},
        "502 from POST /payments",
    )
    assert walk["span"] == {"trace_id": TRACE, "span_id": "03" * 8, "service": "bank", "name": "charge", "message": "connection refused", "status": None}
    item = told["feedback"]
    assert (item["link"], item["confidence"], item["scale_min"], item["scale_max"], item["higher_is_better"]) == ("explicit", 1.0, 1.0, 5.0, True)
    assert (told["why_unlinked"], told["cure"]) == ("", "")
    listed = await get(client, "feedback", plan="pro", verdict="dissatisfied", journey="checkout", channel="web", text="COULD not")
    assert [one["id"] for one in listed["items"]] == ["f1"]
    assert (await get(client, "feedback", plan="free"))["items"] == []
    missing = await client.get("/api/v1/feedback/nothing")
    assert (missing.status_code, missing.json()) == (404, {"error": "There is no feedback 'nothing'."})


async def test_what_is_not_linked_says_why_and_what_to_do(client: httpx2.AsyncClient, store: Store) -> None:
    """One record of each likely cause, each counted under its own sentence with a cure; linked ones are counted beside, by how."""
    rows = Rows()
    session = rows.customer("seen", NOW - minute(60))
    for ident, keys in {
        "bare": {},
        "lost-session": {"given_session_id": "elsewhere"},
        "lost-order": {"order_id": "o-99"},
        "late": {"user_id": "seen"},
        "stranger": {"user_id": "nobody"},
        "address": {"email_sha256": "ab" * 32},
    }.items():
        rows.answer(ident, NOW - minute(20), 3, join="unlinked")
        rows.feedback[-1] |= {"survey_id": "nps-june", **keys}
    rows.answer("linked", NOW - minute(20), 5, person="user:seen", session=session)
    rows.ticket("t", NOW - minute(10))
    rows.order("o1", NOW - minute(10), 20.0, join="unlinked")
    await rows.store(store)
    told = await get(client, "unlinked")
    found = {(one["what"], one["cause"]): one["records"] for one in told["unlinked"]}
    causes = ("no_key", "session_unknown", "key_unknown", "no_visit_near", "person_unseen", "address_unknown")
    assert found == {**{("feedback", cause): 1 for cause in causes}, ("tickets", "no_key"): 1, ("orders", "no_key"): 1}
    assert {(one["what"], one["survey"], one["records"], one["explicit"]) for one in told["linked"]} == {
        ("feedback", "", 1, 1),
        ("feedback", "nps-june", 6, 0),
        ("orders", "", 1, 0),
        ("tickets", "", 1, 0),
    }
    one = await get(client, "feedback/late")
    assert one["why_unlinked"].startswith("the person is known, but did not visit")
    assert "windows.identity" in one["cure"]
    assert (one["visit"], one["runs"]) == (None, [])
    assert (await get(client, "feedback/bare"))["cure"].startswith("put the visit's session id into the survey's link")


async def test_plans_that_differ_by_chance_alone_are_no_surer_than_their_people(client: httpx2.AsyncClient, store: Store) -> None:
    """14, 15 and 16 of 20 satisfied: each near 75 %, as sure as 60 people are and not as if the share of all were known."""
    rows = Rows()
    for number in range(60):
        plan = number // 20
        rows.people.append({"source": "crm", "id": f"u{number}", "version": 1, "account_id": f"a{plan}"})
        rows.answer(f"f{number}", NOW - DAY, 5 if number % 20 < 14 + plan else 1, person=f"user:u{number}")
    for plan in range(3):
        rows.accounts.append({"source": "crm", "id": f"a{plan}", "version": 1, "plan": f"plan {plan}"})
    await rows.store(store)
    groups = (await get(client, "satisfaction", by="plan"))["groups"]
    assert len(groups) == 3
    for one in groups:
        assert one["shrunk"] == pytest.approx(0.75, abs=0.02)
        assert one["shrunk_high"] - one["shrunk_low"] == pytest.approx(0.142, abs=0.01)


async def test_satisfaction_by_a_fact_keeps_scales_apart_and_small_groups_hidden(client: httpx2.AsyncClient, store: Store) -> None:
    """By plan: each person's newest answer; another scale stands apart; four people are not shown; a small group is drawn towards the others."""
    rows = Rows()
    for number in range(60):
        rows.people.append({"source": "crm", "id": f"u{number}", "version": 1, "account_id": "pro" if number < 40 else "free" if number < 56 else "rare"})
        rows.answer(f"f{number}", NOW - DAY, 5 if number < 30 or number % 2 else 1, person=f"user:u{number}")
    rows.answer("older", NOW - 2 * DAY, 1, person="user:u0")
    for number in range(6):
        rows.answer(f"n{number}", NOW - DAY, 9 if number < 4 else 3, person=f"user:u{number}")
        rows.feedback[-1] |= {"kind": "nps", "scale_min": 0.0, "scale_max": 10.0}
    for name in ("pro", "free", "rare"):
        rows.accounts.append({"source": "crm", "id": name, "version": 1, "plan": name})
    await rows.store(store)
    told = await get(client, "satisfaction", by="plan")
    groups = {(one["kind"], one["value"]): one for one in told["groups"]}
    assert set(groups) == {("csat", "pro"), ("csat", "free"), ("nps", "pro")}
    pro, free = groups["csat", "pro"], groups["csat", "free"]
    assert (pro["csat"]["satisfied"], pro["csat"]["answered"], free["csat"]["satisfied"], free["csat"]["answered"]) == (35, 40, 8, 16)
    assert 0.5 < free["shrunk"] < 0.875
    assert (free["thin"], pro["thin"], told["hidden"]) == (True, False, 1)
    assert groups["nps", "pro"]["nps"]["score"] == pytest.approx(100 * (4 - 2) / 6)
    assert all(one["response_rate"] is None for one in told["groups"])


async def test_the_response_rate_is_known_where_invitations_are(client: httpx2.AsyncClient, store: Store) -> None:
    """Ten asked by a survey, six answered to its end: .6, and one that left it apart; of a survey that tells of no invitation it is unknown."""
    rows = Rows()
    for number in range(10):
        rows.invitation(f"i{number}", NOW - DAY, person=f"user:u{number}", survey_id="counted")
    for number in range(6):
        rows.answer(f"f{number}", NOW - DAY, 4, person=f"user:u{number}")
        rows.feedback[-1]["survey_id"] = "counted"
        rows.answer(f"g{number}", NOW - DAY, 4, person=f"user:u{number}")
        rows.feedback[-1]["survey_id"] = "uncounted"
    rows.answer("left", NOW - DAY, 4, person="user:u6")
    rows.feedback[-1] |= {"survey_id": "counted", "partial": True}
    await rows.store(store)
    told = await get(client, "satisfaction", by="survey")
    assert [(one["value"], one["response_rate"], one["partial"], one["answered"]) for one in told["groups"]] == [
        ("counted", 0.6, 1, 7),
        ("uncounted", None, 0, 6),
    ]


async def test_what_is_about_a_journey_is_one_thing_everywhere(context: Context, store: Store) -> None:
    """Answers that name the journey and those linked to a walk through it, also days ago, count on page, in list and in satisfaction; invitations alike."""
    rows = Rows()
    for number in range(20):
        at = NOW - DAY + timedelta(minutes=1, seconds=number)
        run = str(uuid.uuid5(uuid.NAMESPACE_URL, rows.customer(f"u{number}", at - 2 * DAY)))
        linked = {"journey": "", "run_ids": [run, "a walk through another journey"]} if number < 8 else {"journey": "checkout" if number < 14 else "browse"}
        rows.answer(f"f{number}", at, 4, person=f"user:u{number}")
        rows.feedback[-1] |= {"survey_id": "s", "step": "pay", **linked}
        rows.invitation(f"i{number}", at, person=f"user:u{number}", survey_id="s", **linked)
    await rows.store(store)
    async with asking(build_feedback(context), build_api(context)) as client:
        for by, value, rate in (("survey", "s", 1.0), ("journey", "checkout", 1.0), ("step", "pay", None)):
            (group,) = (await get(client, "satisfaction", by=by, journey="checkout"))["groups"]
            assert (group["answered"], group["value"], group["response_rate"]) == (14, value, rate)
        assert len((await get(client, "feedback", journey="checkout"))["items"]) == 14
        everyone = (await get(client, "journeys/checkout"))["satisfaction"]["others"]
        assert (everyone["answered"], everyone["response_rate"]) == (14, 1.0)


@pytest.mark.parametrize(
    "by",
    ["survey", "question", "channel", "source", "language", "journey", "step", "plan", "segment", "lifecycle", "device", "browser", "release", "day", "week"],
)
async def test_every_fact_can_be_asked(client: httpx2.AsyncClient, by: str) -> None:
    """With nothing stored the answer is empty, whatever it is asked by."""
    told = await get(client, "satisfaction", by=by)
    assert (told["groups"], told["hidden"], told["unknown"]) == ([], 0, 0)


async def test_hostile_questions_are_one_sentence(client: httpx2.AsyncClient) -> None:
    """Unknown facts and filters, control characters and endless ids."""
    assert (await client.get("/api/v1/satisfaction", params={"by": "shoe"})).status_code == 422
    unknown = await client.get("/api/v1/feedback", params={"colour": "red"})
    assert (unknown.status_code, unknown.json()["error"]) == (422, "'colour' is no parameter here; /api/docs lists them")
    assert (await client.get("/api/v1/feedback", params={"text": "a\0b"})).status_code == 422
    assert (await client.get("/api/v1/feedback/" + "a" * 600)).status_code == 404
    for path in ("satisfaction", "unlinked", "surveys"):
        early = await client.get(f"/api/v1/{path}", params={"to": "0001-01-01T00:00:00Z"})
        assert (early.status_code, early.json()["error"]) == (422, "to lies before 1970; give a later time")
        assert (await client.get(f"/api/v1/{path}", params={"to": "1970-01-01T00:00:01Z"})).status_code == 200


async def test_who_is_asked_too_often_and_who_may_be_asked(client: httpx2.AsyncClient, store: Store) -> None:
    """Asked twice within a week: too often, and to be left alone; an answer is not another asking; accounts without answers are listed."""
    rows = Rows()
    for number, days in enumerate([(1, 3, 40), (10, 30), (60,)]):
        for ago in days:
            at = NOW - ago * DAY
            rows.invitation(f"i{number}-{ago}", at, person=f"user:u{number}", user_id=f"u{number}", survey_id="t" if ago == 40 else "s")
            rows.answer(f"f{number}-{ago}", at + minute(20), 4, person=f"user:u{number}")
            rows.feedback[-1] |= {"survey_id": "s", "account_id": "heard"}
    rows.people.append({"source": "crm", "id": "u0", "version": 1, "name": "Ada Berger", "account_id": "heard"})
    for name, paid in (("heard", 10), ("small", 20), ("large", 900)):
        rows.accounts.append({"source": "crm", "id": name, "version": 1, "name": name.title(), "mrr": paid, "currency": "EUR"})
    await rows.store(store)
    told = await get(client, "surveys")
    assert (told["too_often"]["count"], told["too_often"]["of"], told["most"], told["rest_days"]) == (1, 3, 3, 7.0)
    (often,) = told["people"]
    assert often == {
        "person_id": "user:u0",
        "label": "Ada Berger",
        "account": "Heard",
        "times": 3,
        "too_soon": 1,
        "closest_days": 2.0,
        "last": (NOW - DAY).isoformat().replace("+00:00", "Z"),
        "surveys": ["s", "t"],
    }
    assert (told["rate_direction"], told["risk"]) == ("unknown", "unknown")
    assert [one["account_id"] for one in told["unasked"]] == ["large", "small"]
    assert (told["accounts_unasked"], told["accounts"]) == (2, 3)
    tired = await get(client, "survey-eligibility", user="u0")
    assert (tired["eligible"], tired["reason"], tired["asked_30"], tired["asked_90"]) == (False, "was asked 1.0 days ago, less than 7 days", 2, 3)
    assert tired["next_at"] == (NOW + 6 * DAY).isoformat().replace("+00:00", "Z")
    assert (await get(client, "survey-eligibility", user="u1"))["eligible"] is True
    assert (await get(client, "survey-eligibility", user="nobody"))["reason"] == "was not asked for as long as is looked back"
    assert (await client.get("/api/v1/survey-eligibility")).status_code == 422


async def test_mentions_stand_apart_everywhere(client: httpx2.AsyncClient, store: Store) -> None:
    """Their stars are summed under their own kind and platform, never with a survey's; the unlinked list says that they never can be linked."""
    rows = Rows()
    for number in range(6):
        rows.answer(f"f{number}", NOW - DAY, 5, person=f"user:u{number}")
        rows.feedback[-1] |= {"survey_id": "app_store"}
        rows.answer(f"m{number}", NOW - DAY, 1, join="unlinked", comment="Nur Fehler")
        rows.feedback[-1] |= {
            "kind": "mention",
            "survey_id": "app_store",
            "channel": "app_store",
            "source": "ios",
            "title": "Schade",
            "url": "https://a.example/1",
        }
        rows.feedback[-1] |= {"author": "ab" * 32, "language": "de-AT", "language_by": "detected"}
    rows.answer("known", NOW - DAY, 1, join="unlinked")
    rows.feedback[-1] |= {"kind": "mention", "source": "ios", "user_id": "nobody"}
    await rows.store(store)
    told = await get(client, "satisfaction", by="channel")
    assert [(one["kind"], one["value"], one["csat"]["satisfied"], one["answered"]) for one in told["groups"]] == [("mention", "app_store", 0, 6)]
    told = await get(client, "satisfaction", by="survey")
    assert {(one["kind"], one["csat"]["satisfied"], one["answered"]) for one in told["groups"]} == {("csat", 6, 6), ("mention", 0, 6)}
    unlinked = await get(client, "unlinked")
    assert {(one["what"], one["cause"], one["records"]) for one in unlinked["unlinked"]} == {
        ("mentions", "said_in_public", 6),
        ("mentions", "person_unseen", 1),
    }
    one = await get(client, "feedback/m0")
    assert one["why_unlinked"].startswith("it was said in public")
    item = one["feedback"]
    assert (item["title"], item["url"], item["author"], item["language"], item["language_by"]) == (
        "Schade",
        "https://a.example/1",
        "ab" * 32,
        "de-AT",
        "detected",
    )


async def test_feedback_by_language(client: httpx2.AsyncClient, store: Store) -> None:
    """A language takes its regions along, and `unknown` those of which it is not known; headings are searched with the words."""
    rows = Rows()
    for number, language in enumerate(["de", "de-AT", "den", ""]):
        rows.answer(f"f{number}", NOW - minute(number), 5, comment="x")
        rows.feedback[-1] |= {"language": language, "title": "Nur Ärger" if number == 1 else ""}
    await rows.store(store)
    assert [one["id"] for one in (await get(client, "feedback", language="de"))["items"]] == ["f0", "f1"]
    assert [one["id"] for one in (await get(client, "feedback", language="unknown"))["items"]] == ["f3"]
    assert [one["id"] for one in (await get(client, "feedback", text="ärger"))["items"]] == ["f1"]


async def test_failed_requests_to_other_hosts_are_listed_until_a_journey_names_them(context: Context, store: Store) -> None:
    """Three visits met a 503 of an API on another host, one a tracker that an ad blocker held back: both count for nobody and are told. A request that
    worked, one to the site's own host and one of two days ago are not. Once a journey lists the API it is told no more; a host's name is text."""
    rows = Rows()
    asked: dict[str, Any] = {"span_type": "fetch", "traffic": "real", "service": "shop"}

    def fetch(number: int, url: str, status: int, *, own: str = "false", code: str = "", ago: float = 30) -> None:
        attrs = {"url.full": url, "sojourn.request.own": own, **({"http.response.status_code": code} if code else {})}
        rows.span(NOW - minute(ago), "GET", "ab" * 16, f"{len(rows.spans):016x}", **asked, status=status, session_id=f"s{number}", attrs=attrs)

    for number in range(3):
        fetch(number, "https://api.shop.example/pay?card=1", 0, code="503")
    fetch(0, "https://metrics.example:8443/beacon", 2)
    fetch(0, "https://<b>evil/x", 2)
    fetch(1, "https://api.shop.example/pay", 0, code="200")
    fetch(1, "https://shop.example/pay", 0, code="503", own="true")
    fetch(1, "https://old.example/", 2, ago=60 * 47)
    await rows.store(store)
    async with asking(build_feedback(context), build_pages(context)) as one:
        told = (await get(one, "unlinked"))["elsewhere"]
        page = (await one.get("/feedback")).text
    assert [(line["origin"], line["failed"], line["visits"]) for line in told] == [
        ("https://api.shop.example", 3, 3),
        ("https://<b>evil", 1, 1),
        ("https://metrics.example:8443", 1, 1),
    ]
    assert "https://&lt;b&gt;evil" in page
    assert "card=1" not in page
    listing = CHECKOUT.model_copy(update={"customers": JourneyCustomers(origins=("https://*.shop.example",))})
    async with asking(build_feedback(replace(context, journeys=cast("JourneyFolder", Folder(listing))))) as one:
        assert [line["origin"] for line in (await get(one, "unlinked"))["elsewhere"]] == ["https://<b>evil", "https://metrics.example:8443"]
