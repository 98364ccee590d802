"""Intercom: conversations and tickets as cases, and their ratings.

https://developers.intercom.com/docs/webhooks/webhook-notifications
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sojourn_collector.sources.joins import about, joined
from sojourn_collector.sources.reading import at, moment, needed, number_at, text_at
from sojourn_collector.sources.scrub_json import digest_in
from sojourn_collector.sources.signatures import HmacSignature
from sojourn_collector.sources.webhook import Change, Event, Webhook, time_of
from sojourn_collector.sources_config import SourceSettings

CONVERSATIONS: Final[Mapping[str, str]] = {
    "conversation.user.created": "open",
    "conversation.user.replied": "",
    "conversation.admin.replied": "",
    "conversation.admin.single.created": "open",
    "conversation.admin.closed": "closed",
    "conversation.admin.opened": "open",
    "conversation.admin.snoozed": "on_hold",
    "conversation.admin.unsnoozed": "open",
    "conversation.priority.updated": "",
}
"""Topics about a conversation, with the status they make; empty for what the conversation says of itself."""
STATES: Final[Mapping[str, str]] = {"open": "open", "closed": "closed", "snoozed": "on_hold"}
TICKET_STATES: Final[Mapping[str, str]] = {
    "submitted": "new",
    "in_progress": "open",
    "waiting_on_customer": "pending",
    "on_hold": "on_hold",
    "resolved": "solved",
}
_RATED: Final = ("conversation.rating.added", "conversation.rating.remarked", "ticket.rating.provided")


def _key(event: Event) -> str:
    return text_at(event.body, "id")


def _greets(body: Any) -> bool:
    return text_at(body, "topic") == "ping"


def _changes(event: Event, settings: SourceSettings) -> list[Change]:
    topic, item = text_at(event.body, "topic"), at(event.body, "data", "item")
    if topic in _RATED:
        inner = at(item, "conversation") or at(item, "ticket") or item
        return _rating(topic, inner, time_of(moment(at(event.body, "created_at")), "created_at"), settings)
    if topic in CONVERSATIONS:
        return [_conversation(topic, item, time_of(moment(at(event.body, "created_at")), "created_at"), settings)]
    if topic in ("ticket.created", "ticket.state.updated", "ticket.closed"):
        return [_ticket(at(item, "ticket") or item, time_of(moment(at(event.body, "created_at")), "created_at"), settings)]
    return []


def _rating(topic: str, item: Any, time: datetime, settings: SourceSettings) -> list[Change]:
    rating = at(item, "conversation_rating") or at(item, "rating")
    value = number_at(rating, "rating")
    if value is None:
        return []
    ident = needed(item, "id") if topic.startswith("conversation") else f"ticket:{needed(item, 'id')}"
    asked_at = text_at(rating, "created_at")
    said = {
        "kind": "csat",
        "value": value,
        "scale_min": 1,
        "scale_max": 5,
        "comment": text_at(rating, "remark"),
        "at": moment(at(rating, "updated_at")) or moment(at(rating, "created_at")) or time.isoformat(),
        "ticket_id": ident,
        "survey_id": "conversation_rating",
        **_who(item, settings, "feedback"),
        **about(settings),
    }
    return [Change("feedback", f"{ident}:{asked_at}", time, said)]


def _conversation(topic: str, item: Any, time: datetime, settings: SourceSettings) -> Change:
    replied = moment(at(item, "statistics", "first_admin_reply_at"))
    if not replied and topic == "conversation.admin.replied":
        replied = time.isoformat()
    status = CONVERSATIONS[topic] or STATES.get(text_at(item, "state"), "")
    fields: dict[str, Any] = {
        "at": moment(at(item, "created_at")),
        "updated_at": time.isoformat(),
        "status": status,
        "priority": {"priority": "high", "not_priority": "normal"}.get(text_at(item, "priority"), ""),
        "topic": text_at(item, "title"),
        "channel": text_at(item, "source", "type"),
        "first_reply_at": replied,
        **_who(item, settings, "tickets"),
        **about(settings),
    }
    return Change("tickets", needed(item, "id"), time, fields)


def _ticket(item: Any, time: datetime, settings: SourceSettings) -> Change:
    state = text_at(item, "ticket_state") or text_at(item, "ticket_state", "category")
    fields: dict[str, Any] = {
        "at": moment(at(item, "created_at")),
        "updated_at": time.isoformat(),
        "status": TICKET_STATES.get(state, "open"),
        "topic": text_at(item, "ticket_type", "category"),
        "channel": "ticket",
        **_who(item, settings, "tickets"),
        **about(settings),
    }
    return Change("tickets", f"ticket:{needed(item, 'id')}", time, fields)


def _who(item: Any, settings: SourceSettings, kind: str) -> dict[str, str]:
    """Keys of your own in custom attributes, then the contact: by your own id, by address, by Intercom's id."""
    keys = joined(at(item, "custom_attributes") or at(item, "ticket_attributes"), settings, kind)
    if "user_id" not in keys:
        contact = at(item, "contacts", "contacts", 0) or at(item, "contact")
        email = digest_in(at(item, "source", "author", "email")) if text_at(item, "source", "author", "type") in ("user", "lead", "contact") else ""
        if external := text_at(contact, "external_id"):
            keys["user_id"] = external
        elif email:
            keys["email_sha256"] = email
        elif ident := text_at(contact, "id"):
            keys["user_id"] = f"intercom:{ident}"
    return keys


WEBHOOK = Webhook(
    "intercom",
    HmacSignature("x-hub-signature", digest="sha1", prefix="sha1="),
    _key,
    _changes,
    greets=_greets,
    drops=frozenset(("name", "body", "subject", "conversation_parts", "ticket_parts", "attachments", "url", "delivered_as")),
)
