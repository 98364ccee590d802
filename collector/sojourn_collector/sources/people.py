"""Source `people`: who is behind a `user.id`. An e-mail address is only ever kept as its SHA-256."""

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from sojourn_collector.sources.base import Secrets, Source
from sojourn_collector.sources.email import Email, EmailDigest, digest_of, without_email
from sojourn_collector.sources.fields import Attributes, Identifier, OptionalIdentifier, Row, Short


class PersonRow(Row):
    """One person as known now."""

    id: Identifier = Field(description="The `user.id` that beacons, feedback and orders carry.")
    source: OptionalIdentifier = Field("api", description="The feed it came by.")
    name: Short = ""
    email: Email = Field("", description="Kept only as its SHA-256.")
    email_sha256: EmailDigest = Field("", description="SHA-256 of the trimmed address in small letters, instead of `email`.")
    account_id: OptionalIdentifier = ""
    role: Short = ""
    consent: Literal["granted", "denied", "unknown"] = "unknown"
    attrs: Attributes = Field(default_factory=dict, description="Anything else worth filtering by.")


def _stored(raw: dict[str, Any], row: PersonRow, _keys: Secrets) -> dict[str, Any]:
    return without_email(raw, row.email)


def engine_row(row: PersonRow, _received: datetime) -> dict[str, Any]:
    """The row of the engine's table `people`."""
    return {
        "source": row.source or "api",
        "id": row.id,
        "name": row.name,
        "email_sha256": digest_of(row.email, row.email_sha256),
        "account_id": row.account_id,
        "role": row.role,
        "consent": row.consent,
        "attrs": row.attrs,
    }


PEOPLE = Source("people", "people", PersonRow, _stored, engine_row)
