"""PostHog surveys: shown, dismissed and sent. It signs nothing: a key of ours, or a word in a header, proves it.

https://posthog.com/docs/surveys/implementing-custom-surveys#capturing-survey-events; as a webhook destination sends them, alone or under `event`.
"""

from typing import Any, Final

from sojourn_collector.sources.base import RowRefused
from sojourn_collector.sources.joins import about, joined
from sojourn_collector.sources.questions import answered, asked
from sojourn_collector.sources.reading import at, moment, number_at, text_at
from sojourn_collector.sources.signatures import SharedToken
from sojourn_collector.sources.webhook import Change, Event, Webhook, time_of
from sojourn_collector.sources_config import SourceSettings

STATUS: Final = {"survey shown": "shown", "survey dismissed": "dismissed", "survey sent": "answered"}
_ANSWER: Final = "$survey_response"


def _told(event: Event) -> Any:
    inner = at(event.body, "event")
    return inner if isinstance(inner, dict) else event.body


def _key(event: Event) -> str:
    return text_at(_told(event), "uuid")


def _changes(event: Event, settings: SourceSettings) -> list[Change]:
    told = _told(event)
    status, properties = STATUS.get(text_at(told, "event")), at(told, "properties")
    if status is None or not isinstance(properties, dict):
        return []
    time = time_of(moment(at(told, "timestamp")), "timestamp")
    survey, whose = text_at(properties, "$survey_id"), text_at(told, "distinct_id")
    keys = joined(properties, settings, "feedback")
    if "user_id" not in keys and whose and at(properties, "$is_identified") is True:
        keys["user_id"] = whose
    base = {"at": time.isoformat(), "survey_id": survey, **keys}
    # Shown, dismissed and answered in one session is one invitation.
    asked_once = f"{survey}:{text_at(properties, '$session_id') or whose}"
    changes = [Change("invitations", asked_once, time, {**about(settings), **base, "status": status, "channel": "web"})]
    if status == "answered":
        changes += _answers(told, survey, base, settings)
    return changes


def _answers(told: Any, survey: str, base: dict[str, Any], settings: SourceSettings) -> list[Change]:
    properties = told["properties"]
    found: list[tuple[str, dict[str, Any]]] = []
    for name, question in settings.questions.items():
        key = f"{_ANSWER}_{name}" if f"{_ANSWER}_{name}" in properties else _ANSWER if name == survey else ""
        if key:
            found.append((name, asked(question, number_at(properties, key), text_at(properties, key))))
    if not found:
        raise RowRefused(f"none of the questions that survey {survey} asks stands under questions: of this source; add their ids with kind and scale")
    response = text_at(properties, "$survey_submission_id") or text_at(told, "uuid")
    return answered(response, time_of(base["at"], "timestamp"), base, found, settings)


WEBHOOK = Webhook(
    "posthog",
    SharedToken("x-sojourn-token"),
    _key,
    _changes,
    drops=frozenset(("$ip", "$raw_user_agent", "$current_url", "$referrer", "person", "$set", "$set_once", "elements_chain", "name")),
    unsigned=True,
)
