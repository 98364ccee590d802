"""SurveyMonkey: answers of surveys. Its events hold ids alone; answers and the survey with its scales are asked for with a token.

https://api.surveymonkey.com/v3/docs#webhooks
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from sojourn_collector.sources.joins import joined
from sojourn_collector.sources.questions import answered, asked
from sojourn_collector.sources.reading import at, moment, number_at, objects_at, text_at
from sojourn_collector.sources.scrub_json import digest_in
from sojourn_collector.sources.signatures import HmacSignature
from sojourn_collector.sources.webhook import Call, Change, Event, Webhook, time_of
from sojourn_collector.sources_config import SourceSettings

EVENTS: Final = frozenset(("response_completed", "response_updated"))


def _key(event: Event) -> str:
    return text_at(event.body, "event_id")


def _calls(event: Event, settings: SourceSettings) -> dict[str, Call]:
    survey, response = text_at(event.body, "resources", "survey_id"), text_at(event.body, "object_id")
    if text_at(event.body, "event_type") not in EVENTS or not all(one.isascii() and one.isdigit() for one in (survey, response)):
        return {}
    return {"response": Call(f"/surveys/{survey}/responses/{response}/details"), "survey": Call(f"/surveys/{survey}/details", lasting=True, keep=_survey)}


def _survey(answer: Any) -> dict[str, Any]:
    """Of a survey its questions with the weights of their choices."""
    questions = [question for page in objects_at(answer, "pages") for question in objects_at(page, "questions")]
    return {
        "questions": [
            {
                "id": text_at(one, "id"),
                "family": text_at(one, "family"),
                "subtype": text_at(one, "subtype"),
                "choices": [{"id": text_at(choice, "id"), "weight": number_at(choice, "weight")} for choice in objects_at(one, "answers", "choices")],
            }
            for one in questions
        ]
    }


def _changes(event: Event, settings: SourceSettings) -> list[Change]:
    response = at(event.fetched, "response")
    if not isinstance(response, dict):
        return []
    ident = text_at(event.body, "object_id")
    time = time_of(moment(at(response, "date_modified")) or moment(at(event.body, "event_datetime")), "date_modified")
    keys = joined(at(response, "custom_variables"), settings, "feedback")
    if email := digest_in(at(response, "email_address")):
        keys.setdefault("email_sha256", email)
    known = {text_at(one, "id"): one for one in objects_at(event.fetched, "survey", "questions")}
    found = []
    for page in objects_at(response, "pages"):
        for question in objects_at(page, "questions"):
            name = text_at(question, "id")
            described = asked(settings.questions[name], None, "") if name in settings.questions else None
            said = _answer(objects_at(question, "answers"), known.get(name, {}), described)
            if said is not None:
                found.append((name, said))
    partial = text_at(response, "response_status") == "partial"
    base = {"at": time.isoformat(), "partial": partial, "survey_id": text_at(event.body, "resources", "survey_id"), **keys}
    return answered(ident, time, base, found, settings)


def _answer(answers: list[dict[str, Any]], question: Mapping[str, Any], described: dict[str, Any] | None) -> dict[str, Any] | None:
    """What was answered to one question; None for one that asks nothing of ours: several rows, or choices without weights."""
    texts = [text_at(one, "text") for one in answers if text_at(one, "text")]
    choices = [one for one in answers if text_at(one, "choice_id")]
    if len(choices) > 1:
        return None
    value = None
    if choices:
        weights = {text_at(one, "id"): number_at(one, "weight") for one in objects_at(question, "choices")}
        value = weights.get(text_at(choices[0], "choice_id"))
        value = value if value is not None else number_at(choices[0], "choice_metadata", "weight")
    if described is not None:
        return {**described, "comment": "\n".join(texts)} if described["kind"] == "text" else {**described, "value": value}
    if not choices:
        return {"kind": "text", "comment": "\n".join(texts)} if texts and text_at(question, "family") == "open_ended" and _free(question) else None
    if "nps" in (text_at(question, "subtype"), text_at(question, "family")) or text_at(question, "family") == "net_promoter":
        return {"kind": "nps", "value": value}
    scale = [weight for one in objects_at(question, "choices") if (weight := number_at(one, "weight")) is not None]
    if value is None or not scale:
        return None
    low, high = min(Decimal(one) for one in scale), max(Decimal(one) for one in scale)
    return {"kind": "rating", "value": value, "scale_min": low, "scale_max": high}


def _free(question: Mapping[str, Any]) -> bool:
    """Texts in several lines; single lines ask for names and the like."""
    return text_at(question, "subtype") == "essay"


WEBHOOK = Webhook(
    "surveymonkey",
    HmacSignature("sm-signature", digest="sha1", encoding="base64"),
    _key,
    _changes,
    calls=_calls,
    api="https://api.surveymonkey.com/v3",
    drops=frozenset(("custom_value", "analyze_url", "edit_url", "metadata")),
)
