"""Intercom and Chatwoot: conversations become tickets, ratings become answers, whatever comes first."""

import itertools
from datetime import UTC, datetime
from typing import Any

from sojourn_collector.sources.email import email_digest
from tests.collector.sources.conftest import Opening
from tests.collector.sources.webhook_rig import settings

AT = 1_772_359_200  # 2026-03-01T10:00:00Z


def when(seconds: float) -> datetime:
    """A time after `AT`."""
    return datetime.fromtimestamp(AT + seconds, UTC)


# --- Intercom -------------------------------------------------------------------------------------------------------------


def notification(topic: str, seconds: int, **item: Any) -> dict[str, Any]:
    """As Intercom sends it."""
    conversation: dict[str, Any] = {
        "type": "conversation",
        "id": "147",
        "created_at": AT,
        "updated_at": AT + seconds,
        "title": "Cannot pay",
        "state": "open",
        "priority": "priority",
        "source": {
            "type": "conversation",
            "id": "1",
            "subject": "Hello",
            "body": "<p>call +49 30 1234567</p>",
            "author": {"type": "user", "email": "joe@example.com"},
        },
        "contacts": {"type": "contact.list", "contacts": [{"type": "contact", "id": "c1", "external_id": "u-1"}]},
        "custom_attributes": {"session_id": "s-1"},
    }
    body = {"type": "notification_event", "app_id": "x", "id": f"notif_{topic}_{seconds}", "topic": topic, "created_at": AT + seconds, "delivery_attempts": 1}
    return {**body, "data": {"type": "notification_event_data", "item": {**conversation, **item}}}


CONVERSATION = [
    notification("conversation.user.created", 0),
    notification("conversation.admin.replied", 60),
    notification("conversation.admin.closed", 120, state="closed"),
    notification("conversation.admin.opened", 180),
    notification("conversation.admin.closed", 240, state="closed"),
]


async def test_a_conversation_of_intercom(opened: Opening) -> None:
    """Opened, answered, closed, opened again, closed: one ticket, also when the events come the other way round."""
    desk = await opened(chat=settings("intercom"), back=settings("intercom"))
    for name, order in (("chat", CONVERSATION), ("back", CONVERSATION[::-1])):
        await desk.take(name, *order)
        row = (await desk.records())["tickets"]["147"]
        assert (row["source"], row["status"], row["reopens"], row["topic"], row["priority"]) == (name, "closed", 1, "Cannot pay", "high")
        assert (row["ts"], row["first_reply_at"], row["solved_at"]) == (when(0), when(60), when(240))
        assert (row["user_id"], row["given_session_id"]) == ("u-1", "s-1")
    assert await desk.errors() == []
    assert not [word for word in ("joe@", "1234567", "<p>") if word in str(await desk.bodies())]


async def test_a_ping_of_intercom(opened: Opening) -> None:
    """It has no id, is answered and not kept; unsigned it is refused as all else is."""
    desk = await opened(chat=settings("intercom"))
    item = {"type": "ping", "message": "something something interzen"}
    ping = {"type": "notification_event", "app_id": "a1", "data": {"type": "notification_event_data", "item": item}, "id": None, "topic": "ping"}
    answer = await desk.send("chat", ping)
    assert (answer.status_code, answer.json()) == (200, {"accepted": 0, "rejected": 0, "errors": []})
    assert (await desk.send("chat", ping, {"x-hub-signature": "sha1=00"})).status_code == 401
    assert await desk.bodies() == []


async def test_ratings_of_intercom(opened: Opening) -> None:
    """A rating from 1 to 5 is CSAT with its conversation; the remark that comes later joins it; a ping is none."""
    rating = {"rating": 2, "remark": None, "created_at": AT + 200, "contact": {"id": "c1"}, "teammate": {"id": 7}}
    desk = await opened(chat=settings("intercom"))
    await desk.take("chat", {"type": "notification_event", "topic": "ping", "id": "p", "data": {"item": {"type": "ping"}}})
    await desk.take("chat", notification("conversation.rating.remarked", 220, conversation_rating={**rating, "remark": "slow"}))
    await desk.take("chat", notification("conversation.rating.added", 210, conversation_rating=rating))
    (row,) = (await desk.records())["feedback"].values()
    assert (row["kind"], row["value"], row["scale_min"], row["scale_max"], row["satisfied"], row["comment"]) == ("csat", 2, 1, 5, False, "slow")
    assert (row["ticket_id"], row["user_id"], row["given_session_id"]) == ("147", "u-1", "s-1")


async def test_tickets_of_intercom(opened: Opening) -> None:
    """A ticket of its own is apart from conversations; without an id of yours the address is known by its digest, else Intercom's id stands."""
    desk = await opened(chat=settings("intercom"))
    nobody = {"contacts": {"contacts": [{"id": "c9", "external_id": None}]}, "custom_attributes": {}}
    await desk.take("chat", notification("ticket.created", 0, ticket_state="submitted", source=None, **nobody))
    await desk.take("chat", notification("ticket.state.updated", 60, ticket_state="resolved", source=None, **nobody))
    await desk.take("chat", notification("conversation.user.created", 0, **nobody))
    rows = (await desk.records())["tickets"]
    assert (rows["ticket:147"]["status"], rows["ticket:147"]["solved_at"], rows["ticket:147"]["user_id"]) == ("solved", when(60), "intercom:c9")
    assert (rows["147"]["user_id"], rows["147"]["email_sha256"]) == ("", email_digest("joe@example.com"))


# --- Chatwoot -------------------------------------------------------------------------------------------------------------


def conversation(event: str, seconds: float, status: str, **more: Any) -> dict[str, Any]:
    """As Chatwoot sends it."""
    body = {"event": event, "id": 12, "status": status, "channel": "Channel::WebWidget", "created_at": AT, "timestamp": AT + 1, "updated_at": AT + seconds}
    sender = {"id": 5, "identifier": None, "email": "joe@example.com", "name": "Joe", "custom_attributes": {"user_id": "u-1"}}
    return {**body, "meta": {"sender": sender}, "custom_attributes": {"sid": "s-1"}, "messages": [{"content": "secret words"}], **more}


def message(event: str, seconds: float, **more: Any) -> dict[str, Any]:
    """As Chatwoot sends it."""
    inner = {key: value for key, value in conversation("", 0, "open").items() if key != "event"}
    stamp = when(seconds).strftime("%Y-%m-%d %H:%M:%S UTC")
    return {"event": event, "id": 900, "content": "Please rate", "created_at": stamp, "conversation": inner, "sender": {"type": "user"}, **more}


async def test_a_conversation_of_chatwoot(opened: Opening) -> None:
    """Every order of created, answered, resolved, reopened, resolved gives the same ticket."""
    story = [
        conversation("conversation_created", 0, "open"),
        message("message_created", 30, message_type="outgoing", private=False),
        conversation("conversation_status_changed", 60.25, "resolved"),
        conversation("conversation_status_changed", 90, "open", first_reply_created_at=AT + 30),
        conversation("conversation_status_changed", 120, "resolved"),
    ]
    orders = list(itertools.permutations(story))[::13]
    desk = await opened(**{f"w{number}": settings("chatwoot") for number in range(len(orders))})
    for number, order in enumerate(orders):
        await desk.take(f"w{number}", *order)
        row = (await desk.records())["tickets"]["12"]
        assert (row["status"], row["reopens"], row["channel"]) == ("solved", 1, "webwidget")
        assert (row["ts"], row["first_reply_at"], row["solved_at"]) == (when(0), when(30), when(120))
        assert (row["user_id"], row["given_session_id"]) == ("u-1", "s-1")
    assert "secret words" not in str(await desk.bodies())


async def test_a_rating_of_chatwoot(opened: Opening) -> None:
    """A survey sent is an invitation; a rating is CSAT of 1 to 5, and one that was edited replaces it; notes and customers' messages are no reply."""
    desk = await opened(chat=settings("chatwoot"))
    answer = {"submitted_values": {"csat_survey_response": {"rating": 2, "feedback_message": "meh"}}}
    better = {"submitted_values": {"csat_survey_response": {"rating": 5, "feedback_message": "fixed"}}}
    survey = {"content_type": "input_csat", "message_type": "template"}
    await desk.take("chat", message("message_created", 100, **survey))
    await desk.take("chat", message("message_updated", 100, **survey, content_attributes=better, updated_at=when(300).isoformat()))
    await desk.take("chat", message("message_updated", 100, **survey, content_attributes=answer, updated_at=when(200).isoformat()))
    await desk.take("chat", message("message_created", 20, message_type="outgoing", private=True), message("message_created", 25, message_type="incoming"))
    rows = await desk.records()
    (invitation,), (row,) = rows["invitations"].values(), rows["feedback"].values()
    assert (invitation["ts"], invitation["ticket_id"], invitation["survey_id"], invitation["user_id"]) == (when(100), "12", "csat", "u-1")
    assert (row["value"], row["scale_min"], row["scale_max"], row["comment"], row["ticket_id"], row["ts"]) == (5, 1, 5, "fixed", "12", when(300))
    assert ("tickets" in rows, await desk.errors()) == (False, [])
