"""Zendesk's events become tickets, invitations and answers, in whatever order they come."""

import itertools
from datetime import UTC, datetime
from typing import Any

import pytest

from sojourn_collector.sources.email import email_digest
from tests.collector.sources.conftest import Opening
from tests.collector.sources.test_webhook_intake import CREATED
from tests.collector.sources.vendor_api import VendorApi
from tests.collector.sources.webhook_rig import settings


def event(what: str, time: str, of: dict[str, Any], **detail: Any) -> dict[str, Any]:
    """An event of the ticket at a time of the first of March."""
    return {
        **CREATED,
        "id": f"{what}-{time}",
        "type": f"zen:event-type:ticket.{what}",
        "time": f"2026-03-01T{time}.5Z",
        "detail": {**CREATED["detail"], "updated_at": f"2026-03-01T{time}Z", **detail},
        "event": of,
    }


def comment(time: str, *, public: bool, staff: bool) -> dict[str, Any]:
    """As Zendesk documents it."""
    said = {"id": 9876543210, "body": "We are investigating", "is_public": public, "author": {"id": 8447388090495, "is_staff": staff, "name": "Support Agent"}}
    return event("comment_added", time, {"comment": said})


STORY = [
    CREATED,
    comment("10:13:00", public=True, staff=False),
    comment("10:14:00", public=False, staff=True),
    comment("10:15:00", public=True, staff=True),
    event("status_changed", "10:16:00", {"current": "SOLVED", "previous": "OPEN"}, status="SOLVED"),
    event("status_changed", "10:17:00", {"current": "OPEN", "previous": "SOLVED"}, status="OPEN"),
    comment("10:18:00", public=True, staff=True),
    event("status_changed", "10:19:00", {"current": "SOLVED", "previous": "OPEN"}, status="SOLVED"),
]


def at(time: str) -> datetime:
    """Of the first of March."""
    return datetime.fromisoformat(f"2026-03-01T{time}").replace(tzinfo=UTC)


async def test_the_story_of_a_ticket(opened: Opening) -> None:
    """Opened, answered by staff in public, solved, opened again and solved: one row that says all of it."""
    desk = await opened(helpdesk=settings("zendesk"))
    await desk.take("helpdesk", *STORY)
    rows = await desk.records()
    assert await desk.errors() == []
    assert rows.keys() == {"tickets"}
    ticket = rows["tickets"]["5158"]
    assert (ticket["source"], ticket["status"], ticket["priority"], ticket["channel"]) == ("helpdesk", "solved", "high", "web")
    assert (ticket["topic"], ticket["user_id"]) == ("Cannot login to mobile app", "zendesk:8447388090494")
    assert (ticket["ts"], ticket["first_reply_at"]) == (at("10:12:07"), at("10:15:00.5"))
    assert (ticket["solved_at"], ticket["reopens"]) == (at("10:19:00.5"), 1)


async def test_any_order_tells_the_same_story(opened: Opening) -> None:
    """Whatever order the events arrive in, the last row written is the same as in order."""
    desks = await opened(**{f"h{number}": settings("zendesk") for number in range(12)})
    orders = list(itertools.islice(itertools.permutations(STORY), 0, 40_320, 3_500))[:12]
    for number, order in enumerate(orders):
        for one in order:
            await desks.take(f"h{number}", one)
            rows = await desks.records()  # after each, as when they come minutes apart
        assert {key: value for key, value in rows["tickets"]["5158"].items() if key not in ("source", "received")} == {
            **EXPECTED,
            "updated": at("10:19:00.5"),
        }


EXPECTED = {
    "id": "5158",
    "ts": at("10:12:07"),
    "status": "solved",
    "priority": "high",
    "topic": "Cannot login to mobile app",
    "channel": "web",
    "first_reply_at": at("10:15:00.5"),
    "solved_at": at("10:19:00.5"),
    "reopens": 1,
    "journey": "",
    "step": "",
    "user_id": "zendesk:8447388090494",
    "email_sha256": "",
    "account_id": "",
    "order_id": "",
    "trace_id": "",
    "given_session_id": "",
}


async def test_satisfaction(opened: Opening) -> None:
    """A survey asked for is an invitation, an answer is CSAT of good or bad with its ticket; a changed answer replaces it; the wish to be asked is none."""
    desk = await opened(helpdesk=settings("zendesk", journey="support"))
    asked = event("csat_requested", "11:00:00", {"assignee_id": "1"})
    bad = event("csat_received", "11:10:00", {"satisfaction_score": {"score": "BAD", "comment": "ask joe@example.com"}})
    await desk.take("helpdesk", asked, bad)
    rows = await desk.records()
    (invitation,) = rows["invitations"].values()
    assert (invitation["ticket_id"], invitation["survey_id"], invitation["status"], invitation["journey"]) == ("5158", "csat", "sent", "support")
    answer = rows["feedback"]["5158"]
    assert (answer["kind"], answer["value"], answer["scale_min"], answer["scale_max"], answer["satisfied"]) == ("csat", 0, 0, 1, False)
    assert (answer["comment"], answer["ticket_id"], answer["survey_id"]) == ("ask [email]", "5158", "csat")
    good = event("csat_received", "11:20:00", {"satisfaction_score": {"score": "GOOD", "comment": ""}})
    await desk.take("helpdesk", good, event("csat_received", "11:05:00", {"satisfaction_score": {"score": "OFFERED"}}))
    assert (await desk.records())["feedback"]["5158"]["satisfied"] is True


async def test_the_body_of_a_trigger(opened: Opening) -> None:
    """The template of the docs, filled in, gives ticket and answer with the person's own id; the same again is no new event."""
    desk = await opened(helpdesk=settings("zendesk"))
    body = {
        "ticket_id": "77",
        "status": "Solved",
        "priority": "Urgent",
        "topic": "Refund",
        "channel": "Mail",
        "created_at": "2026-03-01T09:00:00Z",
        "updated_at": "2026-03-01T09:30:00Z",
        "requester_email": "Joe@Example.com",
        "user_id": "u-1",
        "session_id": "s-1",
        "replied": "agent",
        "satisfaction": "Good, I'm satisfied",
        "comment": "fine",
    }
    await desk.take("helpdesk", body, body)
    rows = await desk.records()
    ticket, answer = rows["tickets"]["77"], rows["feedback"]["77"]
    assert (ticket["status"], ticket["user_id"], ticket["given_session_id"], ticket["email_sha256"]) == (
        "solved",
        "u-1",
        "s-1",
        email_digest("joe@example.com"),
    )
    assert (ticket["first_reply_at"], ticket["solved_at"]) == (at("09:30:00"), at("09:30:00"))
    assert (answer["satisfied"], answer["comment"], answer["user_id"], answer["given_session_id"]) == (True, "fine", "u-1", "s-1")
    assert len(await desk.bodies()) == 1


async def test_the_organization_of_a_ticket(opened: Opening) -> None:
    """It is the account, under a name that is Zendesk's as a requester's is."""
    desk = await opened(helpdesk=settings("zendesk"))
    await desk.take("helpdesk", event("created", "10:00:00", {}, organization_id="99"))
    row = (await desk.records())["tickets"]["5158"]
    assert (row["account_id"], row["user_id"]) == ("zendesk:99", "zendesk:8447388090494")


async def test_times_as_a_trigger_writes_them(opened: Opening) -> None:
    """Zendesk documents its placeholders with a time to the minute, in Z and with an offset."""
    desk = await opened(helpdesk=settings("zendesk"))
    told = {"ticket_id": "35436", "status": "Open", "created_at": "2013-12-12T05:35Z", "updated_at": "2013-12-12T06:40+01:00", "replied": "agent"}
    await desk.take("helpdesk", told)
    row = (await desk.records())["tickets"]["35436"]
    assert (await desk.errors(), row["ts"], row["first_reply_at"]) == ([], datetime(2013, 12, 12, 5, 35, tzinfo=UTC), datetime(2013, 12, 12, 5, 40, tzinfo=UTC))
    await desk.take("helpdesk", {**told, "ticket_id": "2", "created_at": "2013-12-12T05:35"})
    assert await desk.records() == {}
    assert await desk.errors() == [
        'tickets 2: at: "2013-12-12T05:35" has no time zone; add Z or an offset, such as 2013-12-12T12:00:00+01:00',
    ]


async def test_who_asked_by_a_further_call(opened: Opening, vendor_api: VendorApi) -> None:
    """With a token the requester's own id is asked for; until it is there the row waits and says so; a person without one is known by address."""
    desk = await opened(helpdesk=settings("zendesk", token={"env": "TOKEN"}, url=vendor_api.url))
    vendor_api.answers["/api/v2/users/8447388090494.json"] = [
        503,
        {"user": {"id": 8447388090494, "external_id": "u-7", "email": "joe@example.com", "phone": "1"}},
    ]
    await desk.take("helpdesk", CREATED)
    assert (await desk.records(), await desk.ask(), await desk.records()) == ({}, 0, {})
    host = vendor_api.url.removeprefix("http://")
    assert await desk.errors() == [f"waits for an answer of the vendor's: {host} answered 503"]
    desk.context.now = desk.context.now.replace(minute=1)
    assert await desk.ask() == 1
    assert (await desk.records())["tickets"]["5158"]["user_id"] == "u-7"
    assert (await desk.errors(), "joe@" in str(await desk.bodies())) == ([], False)
    vendor_api.answers["/api/v2/users/9.json"] = [{"user": {"id": 9, "external_id": None, "email": "joe@example.com"}}]
    await desk.take("helpdesk", event("created", "10:00:00", {}, id="9", requester_id="9"))
    await desk.ask()
    ticket = (await desk.records())["tickets"]["9"]
    assert (ticket["user_id"], ticket["email_sha256"]) == ("", email_digest("joe@example.com"))
    assert {one.headers["authorization"] for one in vendor_api.asked} == {"Bearer token-of-ours"}


REQUESTER = "/api/v2/users/8447388090494.json"
RESPONSES = "/api/v2/guide/survey_responses"


def response(rating: int, category: str, *, of: int = 5, comment: str = "") -> dict[str, Any]:
    """A survey's response as Zendesk documents it, the comment skipped where there is none."""
    options = [{"rating": one, "label": {"type": "static", "value": str(one)}} for one in range(1, of + 1)]
    asked = {"alias": "customer satisfaction rating", "id": "01Q", "type": "rating_scale_numeric", "sub_type": "customer_satisfaction", "options": options}
    said = {"type": "open_ended", "value": comment} if comment else {"type": "skipped"}
    answers = [
        {**said, "question": {"alias": "comment", "id": "01C", "type": "open_ended"}},
        {"type": "rating_scale", "rating": rating, "rating_category": category, "question": asked},
    ]
    return {"id": "01J", "answers": answers, "responder_id": 1, "subject_zrns": ["zen:ticket:5158"], "survey": {"id": "01S", "state": "enabled", "version": 3}}


async def test_the_rating_behind_good_and_bad(opened: Opening, vendor_api: VendorApi) -> None:
    """With a token the newest response's rating is the answer on the scale that was shown; satisfied stays what Zendesk counts."""
    desk = await opened(helpdesk=settings("zendesk", token={"env": "TOKEN"}, url=vendor_api.url))
    vendor_api.answers[REQUESTER] = [{"user": {"external_id": "u-7"}}]
    vendor_api.answers[RESPONSES] = [
        {"survey_responses": [{"id": "01K", "answers": []}, response(3, "neutral", comment="mail joe@example.com"), response(5, "good")]},
        {"survey_responses": [response(3, "good", of=3)]},
    ]
    await desk.take("helpdesk", event("csat_received", "11:10:00", {"satisfaction_score": {"score": "BAD", "comment": ""}}))
    assert await desk.ask() == 1
    answer = (await desk.records())["feedback"]["5158"]
    told = (answer["value"], answer["scale_min"], answer["scale_max"], answer["satisfied"], answer["comment"], answer["user_id"])
    assert told == (3, 1, 5, False, "mail [email]", "u-7")
    assert str(vendor_api.asked[-1].url.query) == "filter[subject_zrns]=zen:ticket:5158&sort=-id"
    await desk.take("helpdesk", event("csat_received", "11:20:00", {"satisfaction_score": {"score": "GOOD", "comment": "thanks"}}))
    await desk.ask()
    answer = (await desk.records())["feedback"]["5158"]
    assert (answer["value"], answer["scale_max"], answer["satisfied"], answer["comment"]) == (3, 3, True, "thanks")


@pytest.mark.parametrize(
    "said",
    [
        403,
        404,
        {"survey_responses": []},
        {"survey_responses": "none"},
        {"survey_responses": [response(5, "good")]},
        {"survey_responses": [response(9, "bad")]},
        {"survey_responses": [{"answers": [{"type": "rating_scale", "rating": 1, "rating_category": "bad", "question": {"options": [{"rating": 1}]}}]}]},
        {"survey_responses": [{"answers": [{"type": "rating_scale", "rating": {"x": []}, "rating_category": 7, "question": []}]}]},
    ],
    ids=["forbidden", "no such plan", "none", "no list", "of another answer", "beyond its scale", "a scale of one", "nonsense"],
)
async def test_no_rating_to_be_had(opened: Opening, vendor_api: VendorApi, said: Any) -> None:
    """Where the token may not see responses, or they say nothing of this answer, good or bad stays and nothing waits."""
    desk = await opened(helpdesk=settings("zendesk", token={"env": "TOKEN"}, url=vendor_api.url))
    vendor_api.answers[REQUESTER] = [{"user": {"external_id": "u-7"}}]
    vendor_api.answers[RESPONSES] = [said]
    await desk.take("helpdesk", event("csat_received", "11:10:00", {"satisfaction_score": {"score": "BAD", "comment": "no"}}))
    assert (await desk.ask(), await desk.errors()) == (1, [])
    answer = (await desk.records())["feedback"]["5158"]
    assert (answer["value"], answer["scale_min"], answer["scale_max"], answer["satisfied"], answer["comment"]) == (0, 0, 1, False, "no")


async def test_what_is_none_of_ours(opened: Opening) -> None:
    """Events of users and articles are kept as dealt with and make no row."""
    desk = await opened(helpdesk=settings("zendesk"))
    await desk.take("helpdesk", {**CREATED, "type": "zen:event-type:user.created"})
    assert (await desk.records(), await desk.errors(), len(await desk.control.inbox.waiting())) == ({}, [], 0)
