"""Source `owners`: who looks after accounts and deals, so that a number of the CRM has a name. An e-mail address is only ever kept as its SHA-256."""

from datetime import datetime
from typing import Any, Self

from pydantic import Field, model_validator

from sojourn_collector.sources.base import Secrets, Source
from sojourn_collector.sources.email import Email, EmailDigest, digest_of, without_email
from sojourn_collector.sources.fields import Identifier, OptionalIdentifier, Row, Short
from sojourn_collector.sources.sentences import refusal


class OwnerRow(Row):
    """One owner as known now."""

    id: Identifier = Field(description="What `owner` of accounts and deals says, such as the number your CRM gives.")
    source: OptionalIdentifier = Field("api", description="The feed it came by.")
    name: Short = Field("", description="What to call them.")
    email: Email = Field("", description="Kept only as its SHA-256; accounts whose `owner` is the address find the name by it.")
    email_sha256: EmailDigest = Field("", description="SHA-256 of the trimmed address in small letters, instead of `email`.")
    team: Short = ""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.name and not self.team:
            raise refusal("name is missing: an owner without a name or a team tells nothing")
        return self


def _stored(raw: dict[str, Any], row: OwnerRow, _keys: Secrets) -> dict[str, Any]:
    return without_email(raw, row.email)


def engine_row(row: OwnerRow, received: datetime) -> dict[str, Any]:
    """The row of the engine's table `owners`."""
    return {
        "source": row.source or "api",
        "id": row.id,
        "received": received,
        "name": row.name,
        "email_sha256": digest_of(row.email, row.email_sha256),
        "team": row.team,
    }


OWNERS = Source("owners", "owners", OwnerRow, _stored, engine_row)
