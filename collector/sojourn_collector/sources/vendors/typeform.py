"""Typeform: answers of a form. Scales are not in what it sends; they come of `questions:`, or of the form itself with a token.

https://www.typeform.com/developers/webhooks/example-payload/ and https://www.typeform.com/developers/webhooks/secure-your-webhooks/
"""

from collections.abc import Mapping
from typing import Any, Final

from sojourn_collector.sources.joins import joined
from sojourn_collector.sources.questions import answered, asked
from sojourn_collector.sources.reading import at, moment, needed, number_at, objects_at, text_at
from sojourn_collector.sources.scrub_json import digest_in
from sojourn_collector.sources.signatures import HmacSignature
from sojourn_collector.sources.webhook import Call, Change, Event, Webhook, time_of
from sojourn_collector.sources_config import SourceSettings

COMPLETE, PARTIAL = "form_response", "form_response_partial"
_SCALED: Final = frozenset(("opinion_scale", "rating"))


def _key(event: Event) -> str:
    if text_at(event.body, "event_type") == PARTIAL:  # the same token comes again with the rest
        return text_at(event.body, "event_id")
    return text_at(event.body, "form_response", "token") or text_at(event.body, "event_id")


def _changes(event: Event, settings: SourceSettings) -> list[Change]:
    kind = text_at(event.body, "event_type")
    if kind not in (COMPLETE, PARTIAL):
        return []
    response = event.body["form_response"]
    token = needed(response, "token")
    time = time_of(moment(at(response, "submitted_at")) or (moment(at(response, "landed_at")) if kind == PARTIAL else ""), "form_response.submitted_at")
    answers = objects_at(response, "answers")
    keys = joined(at(response, "hidden"), settings, "feedback")
    for answer in answers:
        if text_at(answer, "type") == "email" and "email_sha256" not in keys and (email := digest_in(at(answer, "email"))):
            keys["email_sha256"] = email
    base = {"at": time.isoformat(), "partial": kind == PARTIAL, "survey_id": text_at(response, "form_id"), **keys}
    found = [one for answer in answers if (one := _answer(answer, event, settings)) is not None]
    return answered(token, time, base, found, settings)


def _answer(answer: Mapping[str, Any], event: Event, settings: SourceSettings) -> tuple[str, dict[str, Any]] | None:
    """The question's id and what was answered; None for a question that asks nothing of ours."""
    ident, ref, kind = (text_at(answer, "field", name) for name in ("id", "ref", "type"))
    question = settings.questions.get(ref) or settings.questions.get(ident)
    value = number_at(answer, "number") if number_at(answer, "number") is not None else number_at(answer, "choice", "label")
    text = text_at(answer, "text")
    if question is not None:
        return ident, asked(question, value, text or text_at(answer, "choice", "label"))
    if kind == "nps":
        return ident, {"kind": "nps", "value": value}
    if kind in _SCALED:
        return ident, {"kind": "rating", "value": value, **_scale(ident, kind, event)}
    # Short texts ask for names and the like; they are taken only where `questions:` names them.
    return (ident, {"kind": "text", "comment": text}) if kind == "long_text" and text else None


def _scale(ident: str, kind: str, event: Event) -> dict[str, int]:
    fields = [*objects_at(event.fetched, "form", "fields"), *objects_at(event.body, "form_response", "definition", "fields")]
    for field in fields:
        steps = number_at(field, "properties", "steps")
        if text_at(field, "id") == ident and steps is not None:
            low = 1 if kind == "rating" or at(field, "properties", "start_at_one") is True else 0
            return {"scale_min": low, "scale_max": low + int(steps) - 1}
    return {}


def _calls(event: Event, settings: SourceSettings) -> dict[str, Call]:
    form = text_at(event.body, "form_response", "form_id")
    if settings.token is None or not form.isalnum() or not form.isascii():
        return {}
    for answer in objects_at(event.body, "form_response", "answers"):
        ident, ref, kind = (text_at(answer, "field", name) for name in ("id", "ref", "type"))
        if kind in _SCALED and not {ident, ref} & settings.questions.keys() and not _scale(ident, kind, event):
            return {"form": Call(f"/forms/{form}", lasting=True, keep=_form)}
    return {}


def _form(answer: Any) -> dict[str, Any]:
    """Of a form its scales; questions in a group stand below it."""
    fields = objects_at(answer, "fields")
    fields += [inner for field in fields for inner in objects_at(field, "properties", "fields")]
    kept = ("steps", "start_at_one")
    return {"fields": [{"id": text_at(one, "id"), "properties": {name: at(one, "properties", name) for name in kept}} for one in fields]}


WEBHOOK = Webhook(
    "typeform",
    HmacSignature("typeform-signature", encoding="base64", prefix="sha256="),
    _key,
    _changes,
    calls=_calls,
    api="https://api.typeform.com",
    drops=frozenset(("phone_number", "payment", "file_url")),
)
