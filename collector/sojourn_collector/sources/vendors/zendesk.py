"""Zendesk: tickets and satisfaction, by event webhooks and by webhooks of triggers with the body that `docs/sources.md` gives.

https://developer.zendesk.com/documentation/webhooks/verifying/ and https://developer.zendesk.com/api-reference/webhooks/event-types/ticket-events and
https://developer.zendesk.com/api-reference/ticketing/ticket-management/csat_survey_responses
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sojourn_collector.sources.joins import about, joined
from sojourn_collector.sources.reading import at, moment, number_at, objects_at, text_at
from sojourn_collector.sources.scrub_json import digest_in
from sojourn_collector.sources.signatures import HmacSignature, iso, time_then_body
from sojourn_collector.sources.webhook import Call, Change, Event, Webhook, time_of
from sojourn_collector.sources_config import SourceSettings
from sojourn_collector.store.control.webhooks import digest

EVENTS: Final = "zen:event-type:ticket."
STATUS: Final[Mapping[str, str]] = {
    "new": "new",
    "open": "open",
    "pending": "pending",
    "hold": "on_hold",
    "on-hold": "on_hold",
    "solved": "solved",
    "closed": "closed",
    "archived": "closed",
}
SURVEY: Final = "csat"


def _key(event: Event) -> str:
    body = event.body
    if text_at(body, "type"):
        return text_at(body, "id")
    # A trigger's body has no id of its own: what it says is what it is.
    told = [text_at(body, name) for name in ("ticket_id", "updated_at", "status", "satisfaction", "comment", "replied")]
    return digest(*told) if told[0] else ""


def _changes(event: Event, settings: SourceSettings) -> list[Change]:
    kind = text_at(event.body, "type")
    if not kind:
        return _of_trigger(event.body, settings)
    if not kind.startswith(EVENTS) or not text_at(event.body, "detail", "id"):
        return []
    time = time_of(moment(at(event.body, "time")), "time")
    what = kind.removeprefix(EVENTS)
    changes = [_ticket(event, what, time, settings)]
    ident = text_at(event.body, "detail", "id")
    if what == "csat_requested":
        asked = {"at": time.isoformat(), "survey_id": SURVEY, "ticket_id": ident, **_who(event), **about(settings)}
        changes.append(Change("invitations", text_at(event.body, "id"), time, asked))
    if what == "csat_received":
        score = text_at(event.body, "event", "satisfaction_score", "score") or text_at(event.body, "event", "current", "score")
        comment = text_at(event.body, "event", "satisfaction_score", "comment") or text_at(event.body, "event", "current", "comment")
        changes += _rated(ident, time, score, {"comment": comment, **_who(event)}, settings, event.fetched.get("rating"))
    return changes


def _ticket(event: Event, what: str, time: datetime, settings: SourceSettings) -> Change:
    """What an event says of its ticket: `detail` is how it stood then, the event what happened to it."""
    detail: Mapping[str, Any] = event.body["detail"]
    status = text_at(event.body, "event", "current") if what == "status_changed" else ""
    organization = text_at(detail, "organization_id")
    fields: dict[str, Any] = {
        "at": moment(at(detail, "created_at")),
        "updated_at": time.isoformat(),
        "status": STATUS.get((status or text_at(detail, "status")).lower(), ""),
        "priority": text_at(detail, "priority").lower(),
        "topic": text_at(detail, "subject"),
        "channel": text_at(detail, "via", "channel").lower(),
        "account_id": f"zendesk:{organization}" if organization else "",
        **_who(event),
        **about(settings),
    }
    if what == "comment_added" and at(event.body, "event", "comment", "is_public") is True and at(event.body, "event", "comment", "author", "is_staff") is True:
        fields["first_reply_at"] = time.isoformat()
    if what == "custom_field_changed" and settings.session_field:
        of = event.body.get("event")
        field = text_at(of, "custom_field", "id") or text_at(of, "field", "id")
        if field == settings.session_field:
            fields["session_id"] = text_at(of, "current") or text_at(of, "current", "value")
    position = number_at(event.body, "event", "meta", "sequence", "position")
    return Change("tickets", text_at(detail, "id"), time, fields, int(position or 0))


def _who(event: Event) -> dict[str, str]:
    """The requester: by the id your own systems gave, else by address, else as Zendesk's user."""
    requester = event.fetched.get("requester", {})
    if external := text_at(requester, "external_id"):
        return {"user_id": external}
    if email := digest_in(at(requester, "email")):
        return {"email_sha256": email}
    ident = text_at(event.body, "detail", "requester_id")
    return {"user_id": f"zendesk:{ident}"} if ident else {}


def _rated(ticket: str, time: datetime, score: str, more: Mapping[str, Any], settings: SourceSettings, rating: Mapping[str, Any] | None = None) -> list[Change]:
    """Zendesk's events say good or bad, whatever scale was shown.

    :param rating: what `_rating` took of the survey's response, where it was asked for. One that says otherwise than the event is of another answer.
    """
    word = score.lower()
    if not word.startswith(("good", "bad")):
        return []  # offered, or taken back
    good = word.startswith("good")
    said: dict[str, Any] = {"value": int(good), "scale_min": 0, "scale_max": 1}
    if rating and rating["good"] == good:
        said = {key: rating[key] for key in said}
        more = {**more, "comment": more.get("comment") or rating["comment"]}
    said |= {
        "kind": "csat",
        "satisfied": good,
        "at": time.isoformat(),
        "survey_id": SURVEY,
        "ticket_id": ticket,
        **about(settings),
        **{key: value for key, value in more.items() if value},
    }
    return [Change("feedback", ticket, time, said)]


def _of_trigger(body: Any, settings: SourceSettings) -> list[Change]:
    """The body of our template, in which everything is text."""
    ident = text_at(body, "ticket_id")
    if not ident:
        return []
    time = time_of(moment(at(body, "updated_at")), "updated_at")
    keys = joined(body, settings, "tickets")
    if email := digest_in(at(body, "requester_email")):
        keys["email_sha256"] = email
    fields: dict[str, Any] = {
        "at": moment(at(body, "created_at")),
        "updated_at": time.isoformat(),
        "status": STATUS.get(text_at(body, "status").lower(), ""),
        "priority": text_at(body, "priority").lower(),
        "topic": text_at(body, "topic"),
        "channel": text_at(body, "channel").lower(),
        **keys,
        **about(settings),
    }
    if text_at(body, "replied") == "agent":
        fields["first_reply_at"] = time.isoformat()
    keys.pop("order_id", None)
    return [
        Change("tickets", ident, time, fields),
        *_rated(ident, time, text_at(body, "satisfaction"), {"comment": text_at(body, "comment"), **keys}, settings),
    ]


def _calls(event: Event, settings: SourceSettings) -> dict[str, Call]:
    """With a token, who the requester is, for events hold Zendesk's own id alone; and which rating of the scale that was shown."""
    if settings.token is None:
        return {}
    calls = {}
    requester, ticket = text_at(event.body, "detail", "requester_id"), text_at(event.body, "detail", "id")
    if _is_number(requester):
        calls["requester"] = Call(f"/api/v2/users/{requester}.json", lasting=True, keep=_requester)
    if text_at(event.body, "type") == f"{EVENTS}csat_received" and _is_number(ticket):
        path = f"/api/v2/guide/survey_responses?filter[subject_zrns]=zen:ticket:{ticket}&sort=-id"
        calls["rating"] = Call(path, spared=True, keep=_rating)
    return calls


def _is_number(ident: str) -> bool:
    return ident.isascii() and ident.isdigit()


def _requester(answer: Any) -> dict[str, Any]:
    return {name: at(answer, "user", name) for name in ("email", "external_id")}


def _rating(answer: Any) -> dict[str, Any] | None:
    """The newest rating of satisfaction among the responses, with the ends of its scale; None where no response has one."""
    for response in objects_at(answer, "survey_responses"):
        answers = objects_at(response, "answers")
        for one in answers:
            value, category = number_at(one, "rating"), text_at(one, "rating_category")
            shown = [found for option in objects_at(one, "question", "options") if (found := number_at(option, "rating")) is not None]
            asked = text_at(one, "question", "sub_type") in ("customer_satisfaction", "")
            if text_at(one, "type") == "rating_scale" and asked and value in shown and category and min(shown) < max(shown):
                comment = next((text for each in answers if text_at(each, "type") == "open_ended" and (text := text_at(each, "value"))), "")
                return {"value": value, "scale_min": min(shown), "scale_max": max(shown), "good": category == "good", "comment": comment}
    return None


WEBHOOK = Webhook(
    "zendesk",
    HmacSignature(
        "x-zendesk-webhook-signature",
        encoding="base64",
        signed=time_then_body,
        clock=iso,
        time_header="x-zendesk-webhook-signature-timestamp",
    ),
    _key,
    _changes,
    calls=_calls,
    drops=frozenset(("name", "description", "body", "signature", "collaborators", "email_ccs")),
)
