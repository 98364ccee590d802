"""Formbricks: answers of surveys. Elements are named by their id alone, so `questions:` says what each asks.

https://formbricks.com/docs/xm-and-surveys/core-features/integrations/webhooks; signed as https://www.standardwebhooks.com says, since 2026-01.
"""

from typing import Any, Final

from sojourn_collector.sources.base import RowRefused
from sojourn_collector.sources.joins import joined
from sojourn_collector.sources.questions import answered, asked
from sojourn_collector.sources.reading import at, moment, needed, number_at, text_at
from sojourn_collector.sources.signatures import STANDARD_WEBHOOKS
from sojourn_collector.sources.webhook import Change, Event, Webhook, time_of
from sojourn_collector.sources_config import SourceSettings

EVENTS: Final = frozenset(("responseCreated", "responseUpdated", "responseFinished"))


def _greets(body: Any) -> bool:
    # Its form for a new webhook sends this, signed with a secret that it shows only after it was answered.
    return bool(body == {"event": "testEndpoint"})


def _key(event: Event) -> str:
    if given := event.headers.get("webhook-id", ""):
        return given
    told = [text_at(event.body, "event"), text_at(event.body, "data", "id"), text_at(event.body, "data", "updatedAt")]
    return "/".join(told) if told[1] else ""


def _changes(event: Event, settings: SourceSettings) -> list[Change]:
    data = at(event.body, "data")
    if text_at(event.body, "event") not in EVENTS:
        return []
    partial = at(data, "finished") is not True
    response = needed(data, "id")
    time = time_of(moment(at(data, "updatedAt")) or moment(at(data, "createdAt")), "data.createdAt")
    given = at(data, "data")
    if not isinstance(given, dict):
        raise RowRefused("data.data is missing from the event")
    free: dict[str, Any] = {}
    for more in (at(data, "contactAttributes"), at(data, "contact"), given):
        free |= more if isinstance(more, dict) else {}
    free.setdefault("user_id", free.get("userId"))
    survey = text_at(data, "surveyId")
    base = {"at": time.isoformat(), "partial": partial, "survey_id": survey, "language": _language(data), **joined(free, settings, "feedback")}
    found = [(name, asked(question, number_at(given, name), text_at(given, name))) for name, question in settings.questions.items() if name in given]
    if not found and not partial:
        raise RowRefused(f"none of the elements that survey {survey} asks stands under questions: of this source; add their ids with kind and scale")
    return answered(response, time, base, found, settings)


def _language(data: Any) -> str:
    said = text_at(data, "language")
    return "" if said == "default" else said


WEBHOOK = Webhook(
    "formbricks",
    STANDARD_WEBHOOKS,
    _key,
    _changes,
    headers=("webhook-id",),
    drops=frozenset(("meta", "ttc")),
    greets=_greets,
    greets_unproven=True,
    unsigned=True,
)
