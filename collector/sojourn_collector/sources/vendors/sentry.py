"""Sentry: what people write into its feedback widget. A webhook of an internal integration for issues.

https://docs.sentry.io/organization/integrations/integration-platform/webhooks/
"""

from typing import Any, Final

from sojourn_collector.sources.joins import about, joined
from sojourn_collector.sources.reading import at, moment, needed, objects_at, text_at
from sojourn_collector.sources.scrub_json import digest_in
from sojourn_collector.sources.signatures import HmacSignature
from sojourn_collector.sources.webhook import Change, Event, Webhook, time_of
from sojourn_collector.sources_config import SourceSettings

FEEDBACK: Final = "feedback"


def _key(event: Event) -> str:
    told = [event.headers.get("sentry-hook-resource", ""), text_at(event.body, "action"), text_at(event.body, "data", "issue", "id")]
    return "/".join(told) if told[2] else event.headers.get("request-id", "")


def _changes(event: Event, settings: SourceSettings) -> list[Change]:
    issue = at(event.body, "data", "issue")
    if text_at(event.body, "action") != "created" or text_at(issue, "issueCategory") != FEEDBACK:
        return []
    written = at(issue, "metadata")
    comment = text_at(written, "message") or text_at(written, "value")
    time = time_of(moment(at(issue, "firstSeen")), "data.issue.firstSeen")
    free: dict[str, Any] = {text_at(tag, "key"): at(tag, "value") for tag in objects_at(issue, "tags")}
    keys = joined(free, settings, "feedback")
    if email := digest_in(at(written, "contact_email")):
        keys["email_sha256"] = email
    said = {"kind": "text", "comment": comment, "at": time.isoformat(), "survey_id": text_at(issue, "project", "slug"), **keys, **about(settings)}
    return [Change("feedback", needed(issue, "id"), time, said)]


WEBHOOK = Webhook(
    "sentry",
    HmacSignature("sentry-hook-signature"),
    _key,
    _changes,
    headers=("sentry-hook-resource", "request-id"),
    drops=frozenset(("name", "title", "actor", "permalink", "culprit", "annotations")),
)
