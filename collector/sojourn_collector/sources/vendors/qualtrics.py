"""Qualtrics: answers of surveys. Its events are forms that hold ids alone; answers are asked for with a token, and `questions:` says what each asks.

https://api.qualtrics.com/guides/docs/Guides/Common%20Tasks/getting-started-with-events.md. Which bytes its HMAC covers is not said publicly: SHA-512 over
the field MSG is what integrations in the open do. Where that does not hold, leave `secret` out and send a key of ours.
"""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import parse_qsl

from sojourn_collector.sources.joins import joined
from sojourn_collector.sources.questions import answered, asked
from sojourn_collector.sources.reading import at, moment, number_at, text_at
from sojourn_collector.sources.signatures import Delivery, SignatureError
from sojourn_collector.sources.webhook import Call, Change, Event, Webhook, from_form, time_of
from sojourn_collector.sources_config import SourceSettings

TOPIC: Final = "surveyengine.completedResponse"


@dataclass(frozen=True, slots=True)
class FormSignature:
    """An HMAC in hex in one field of a form over another."""

    header: str = ""

    def check(self, delivery: Delivery, secrets: Sequence[bytes], now: datetime) -> None:
        """Raises SignatureError."""
        try:
            fields = dict(parse_qsl(delivery.body.decode("utf-8", "replace"), max_num_fields=100))
        except ValueError:
            raise SignatureError("The body is no form that could be checked.") from None
        given, right = fields.get("HMAC", "").lower().encode("utf-8", "replace"), False
        for secret in secrets:
            right |= hmac.compare_digest(hmac.new(secret, fields.get("MSG", "").encode(), "sha512").hexdigest().encode(), given)
        if not right:
            raise SignatureError("The field HMAC is not made with the secret of this source; compare it with the vendor's page.")


def _key(event: Event) -> str:
    told = [text_at(event.body, "MSG", name) for name in ("ResponseID", "CompletedDate")]
    return "/".join(told) if told[0] else ""


def _calls(event: Event, settings: SourceSettings) -> dict[str, Call]:
    survey, response = text_at(event.body, "MSG", "SurveyID"), text_at(event.body, "MSG", "ResponseID")
    mine = text_at(event.body, "Topic").startswith(TOPIC) and survey.startswith("SV_") and response.startswith("R_")
    if not mine or not (f"{survey}{response}".isascii() and f"{survey}{response}".replace("_", "").isalnum()):
        return {}
    return {"response": Call(f"/API/v3/surveys/{survey}/responses/{response}")}


def _changes(event: Event, settings: SourceSettings) -> list[Change]:
    values = at(event.fetched, "response", "result", "values")
    if not isinstance(values, dict) or text_at(values, "distributionChannel") == "preview":
        return []
    time = time_of(moment(at(values, "recordedDate")) or moment(at(values, "endDate")), "recordedDate")
    base = {
        "at": time.isoformat(),
        "survey_id": text_at(event.body, "MSG", "SurveyID"),
        "partial": text_at(values, "finished") == "0",
        "language": text_at(values, "userLanguage").lower(),
        **joined(values, settings, "feedback"),
    }
    found: list[tuple[str, dict[str, Any]]] = []
    for name, question in settings.questions.items():
        said = asked(question, number_at(values, name), text_at(values, name) or text_at(values, f"{name}_TEXT"))
        found.append((name, said))
    return answered(text_at(event.body, "MSG", "ResponseID"), time, base, found, settings)


WEBHOOK = Webhook(
    "qualtrics",
    FormSignature(),
    _key,
    _changes,
    read=from_form("MSG", "Topic"),
    calls=_calls,
    api_header="x-api-token",
    api_prefix="",
    drops=frozenset(("recipientFirstName", "recipientLastName", "locationLatitude", "locationLongitude", "displayedFields", "displayedValues", "labels")),
    unsigned=True,
)
