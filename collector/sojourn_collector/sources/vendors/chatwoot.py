"""Chatwoot: conversations as cases, and the ratings customers give of them.

https://www.chatwoot.com/hc/user-guide/articles/1677693021-how-to-use-webhooks; older releases sign nothing.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sojourn_collector.sources.joins import about, joined
from sojourn_collector.sources.reading import at, moment, needed, number_at, text_at
from sojourn_collector.sources.scrub_json import digest_in
from sojourn_collector.sources.signatures import Delivery, HmacSignature, seconds, time_dot_body
from sojourn_collector.sources.webhook import Change, Event, Webhook, time_of
from sojourn_collector.sources_config import SourceSettings
from sojourn_collector.store.control.webhooks import digest

STATUS: Final[Mapping[str, str]] = {"open": "open", "resolved": "solved", "pending": "pending", "snoozed": "on_hold"}
SURVEY: Final = "csat"
TIME: Final = "x-chatwoot-timestamp"
_CONVERSATION: Final = frozenset(("conversation_created", "conversation_status_changed", "conversation_updated"))


def _key(event: Event) -> str:
    if given := event.headers.get("x-chatwoot-delivery", ""):
        return given
    told = [text_at(event.body, name) for name in ("event", "id", "status", "updated_at", "timestamp", "created_at")]
    told.append(str(at(event.body, "content_attributes")))
    return digest(*told) if told[1] else ""


def _repeats(delivery: Delivery) -> bytes:
    return time_dot_body(delivery, delivery.headers.get(TIME, ""))


def _changes(event: Event, settings: SourceSettings) -> list[Change]:
    kind, body = text_at(event.body, "event"), event.body
    if kind in _CONVERSATION:
        return [_conversation(body, _time(body, ("updated_at", "timestamp", "last_activity_at", "created_at")), settings)]
    conversation = at(body, "conversation")
    if kind not in ("message_created", "message_updated") or not isinstance(conversation, dict):
        return []
    ident = needed(conversation, "id")
    if text_at(body, "content_type") == "input_csat":
        return _survey(kind, body, ident, settings)
    if kind == "message_created" and text_at(body, "message_type") in ("outgoing", "1") and at(body, "private") is not True and _by_staff(body):
        time = _time(body, ("created_at",))
        said = {"first_reply_at": time.isoformat(), "updated_at": time.isoformat(), "at": moment(at(conversation, "created_at"))}
        return [Change("tickets", ident, time, said)]
    return []


def _by_staff(body: Any) -> bool:
    return text_at(body, "sender", "type") in ("user", "")


def _time(body: Any, names: tuple[str, ...]) -> datetime:
    return time_of(next((found for name in names if (found := moment(at(body, name)))), ""), names[0])


def _conversation(body: Mapping[str, Any], time: datetime, settings: SourceSettings) -> Change:
    fields: dict[str, Any] = {
        "at": moment(at(body, "created_at")),
        "updated_at": time.isoformat(),
        "status": STATUS.get(text_at(body, "status"), ""),
        "priority": text_at(body, "priority"),
        "channel": text_at(body, "channel").removeprefix("Channel::").lower(),
        "first_reply_at": moment(at(body, "first_reply_created_at")),
        **_who(body, settings, "tickets"),
        **about(settings),
    }
    return Change("tickets", needed(body, "id"), time, fields)


def _survey(kind: str, body: Mapping[str, Any], conversation: str, settings: SourceSettings) -> list[Change]:
    keys = {"ticket_id": conversation, "survey_id": SURVEY, **about(settings)}
    sent = _time(body, ("created_at",))
    asked = {"at": sent.isoformat(), "channel": text_at(body, "conversation", "channel"), **keys, **_who(body.get("conversation"), settings, "invitations")}
    changes = [Change("invitations", needed(body, "id"), sent, asked)]
    answer = at(body, "content_attributes", "submitted_values", "csat_survey_response")
    value = number_at(answer, "rating")
    if kind == "message_updated" and value is not None:
        time = _time(body, ("updated_at", "created_at"))
        said = {"kind": "csat", "value": value, "scale_min": 1, "scale_max": 5, "comment": text_at(answer, "feedback_message"), "at": time.isoformat()}
        changes.append(Change("feedback", needed(body, "id"), time, {**said, **keys, **_who(body.get("conversation"), settings, "feedback")}))
    return changes


def _who(conversation: Any, settings: SourceSettings, kind: str) -> dict[str, str]:
    """Keys of your own in custom attributes, then the contact: by your own identifier, by address, by Chatwoot's id."""
    keys = {**joined(at(conversation, "meta", "sender", "custom_attributes"), settings, kind), **joined(at(conversation, "custom_attributes"), settings, kind)}
    if "user_id" not in keys:
        sender = at(conversation, "meta", "sender")
        if own := text_at(sender, "identifier"):
            keys["user_id"] = own
        elif email := digest_in(at(sender, "email")):
            keys["email_sha256"] = email
        elif ident := text_at(sender, "id"):
            keys["user_id"] = f"chatwoot:{ident}"
    return keys


WEBHOOK = Webhook(
    "chatwoot",
    HmacSignature("x-chatwoot-signature", prefix="sha256=", signed=time_dot_body, clock=seconds, time_header=TIME),
    _key,
    _changes,
    repeats=_repeats,
    headers=("x-chatwoot-delivery",),
    drops=frozenset(("name", "content", "processed_message_content", "messages", "additional_attributes", "available_name", "attachments")),
    unsigned=True,
)
