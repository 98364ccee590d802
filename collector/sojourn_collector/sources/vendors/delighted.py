"""Delighted: scores and comments, the comment often in a later event.

https://app.delighted.com/docs/api/webhooks
"""

from collections.abc import Mapping
from typing import Any, Final

from sojourn_collector.sources.base import RowRefused
from sojourn_collector.sources.joins import about, joined
from sojourn_collector.sources.questions import asked
from sojourn_collector.sources.reading import at, moment, needed, number_at, text_at
from sojourn_collector.sources.scrub_json import digest_in
from sojourn_collector.sources.sentences import shown
from sojourn_collector.sources.signatures import HmacSignature
from sojourn_collector.sources.webhook import Change, Event, Webhook, time_of
from sojourn_collector.sources_config import SourceSettings

SCALES: Final[Mapping[str, tuple[str, int, int]]] = {
    "nps": ("nps", 0, 10),
    "enps": ("nps", 0, 10),
    "csat": ("csat", 1, 5),
    "csat3": ("csat", 1, 3),
    "ces": ("ces", 1, 5),
    "ces7": ("ces", 1, 7),
    "smileys": ("rating", 1, 5),
    "five_star": ("rating", 1, 5),
    "thumbs": ("rating", 0, 1),
}
"""Kind and scale by the type of survey."""


def _key(event: Event) -> str:
    return text_at(event.body, "event_id")


def _changes(event: Event, settings: SourceSettings) -> list[Change]:
    if text_at(event.body, "event_type") not in ("survey_response.created", "survey_response.updated"):
        return []
    data = at(event.body, "event_data")
    kind, value = text_at(data, "survey_type"), number_at(data, "score")
    if kind in settings.questions:
        said: dict[str, Any] = asked(settings.questions[kind], value, "")
    elif kind in SCALES:
        name, low, high = SCALES[kind]
        said = {"kind": name, "value": value, "scale_min": low, "scale_max": high}
    else:
        raise RowRefused(f"the survey type {shown(kind)} is not known; put it under questions: of this source with kind and scale")
    time = time_of(moment(at(data, "updated_at")) or moment(at(data, "created_at")), "event_data.updated_at")
    keys = joined(at(data, "person_properties"), settings, "feedback")
    if email := digest_in(at(data, "person", "email")):
        keys["email_sha256"] = email
    base = {"at": moment(at(data, "created_at")), "comment": text_at(data, "comment"), "survey_id": kind}
    return [Change("feedback", needed(data, "id"), time, {**about(settings), **keys, **base, **said})]


WEBHOOK = Webhook(
    "delighted",
    HmacSignature("x-delighted-webhook-signature", prefix="sha256="),
    _key,
    _changes,
    drops=frozenset(("name", "permalink", "notes")),
)
