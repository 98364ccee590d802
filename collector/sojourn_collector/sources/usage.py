"""Source `usage`: who used what when. One row an event, such as a report that was opened."""

from datetime import datetime
from typing import Any

from pydantic import AliasChoices, Field

from sojourn_collector.sources.base import Secrets, Source
from sojourn_collector.sources.email import Email, EmailDigest, digest_of, without_email
from sojourn_collector.sources.fields import Attributes, Identifier, Instant, OptionalIdentifier, Row
from sojourn_collector.sources.scrub import scrub


class UsageRow(Row):
    """One thing somebody did in your product."""

    id: Identifier = Field(description="Id of the event; the same id again replaces it.")
    source: OptionalIdentifier = Field("api", description="The feed it came by.")
    at: Instant = Field(description="When it happened, with time zone.")
    event: Identifier = Field(description="What was used, in a few words that are the same each time, such as report opened.")
    session_id: OptionalIdentifier = Field("", validation_alias=AliasChoices("session_id", "session.id"), description="The visit it happened in.")
    user_id: OptionalIdentifier = Field("", validation_alias=AliasChoices("user_id", "user.id"), description="Who it was.")
    visitor_id: OptionalIdentifier = Field("", description="The visitor id, of those who consented and are not signed in.")
    email: Email = ""
    email_sha256: EmailDigest = ""
    account_id: OptionalIdentifier = ""
    attrs: Attributes = Field(default_factory=dict, description="Anything else worth filtering by.")


def _stored(raw: dict[str, Any], row: UsageRow, _keys: Secrets) -> dict[str, Any]:
    kept = without_email(raw, row.email)
    if row.attrs:
        kept["attrs"] = {scrub(name): scrub(value) for name, value in row.attrs.items()}
    return {**kept, "event": scrub(row.event)}


def engine_row(row: UsageRow, received: datetime) -> dict[str, Any]:
    """The row of the engine's table `usage`."""
    return {
        "source": row.source or "api",
        "id": row.id,
        "ts": row.at,
        "received": received,
        "event": row.event,
        "user_id": row.user_id,
        "visitor_id": row.visitor_id,
        "email_sha256": digest_of(row.email, row.email_sha256),
        "account_id": row.account_id,
        "given_session_id": row.session_id,
        "attrs": row.attrs,
    }


USAGE = Source("usage", "usage", UsageRow, _stored, engine_row)
