"""Source `people`: who is behind a `user.id`. An e-mail address is only ever kept as its SHA-256."""

import hashlib
import re
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from sojourn_collector.sources.base import ProbeKeys, Source
from sojourn_collector.sources.fields import Attributes, Identifier, OptionalIdentifier, Row, Short, text
from sojourn_collector.sources.sentences import refusal, shown


def email_digest(email: str) -> str:
    """SHA-256 in hex of the address without surrounding blanks, in small letters, so that two systems agree on it."""
    return hashlib.sha256(email.strip().lower().encode()).hexdigest()


def _email(value: Any) -> str:
    if value is None or value == "":
        return ""
    read = text(value)
    if not re.fullmatch(r"[^@\s]{1,64}@[^@\s]{1,255}", read):
        # The address itself stays out of the sentence: answers end up in logs.
        raise refusal("is not an e-mail address")
    return read


def _digest(value: Any) -> str:
    if value is None or value == "":
        return ""
    if not isinstance(value, str) or not re.fullmatch(r"[0-9a-fA-F]{64}", value):
        raise refusal(f"must be 64 hexadecimal digits, got {shown(value)}")
    return value.lower()


class PersonRow(Row):
    """One person as known now."""

    id: Identifier = Field(description="The `user.id` that beacons, feedback and orders carry.")
    source: OptionalIdentifier = Field("api", description="The feed it came by.")
    name: Short = ""
    email: Annotated[str, BeforeValidator(_email)] = Field("", description="Kept only as its SHA-256.")
    email_sha256: Annotated[str, BeforeValidator(_digest)] = Field("", description="SHA-256 of the trimmed address in small letters, instead of `email`.")
    account_id: OptionalIdentifier = ""
    role: Short = ""
    consent: Literal["granted", "denied", "unknown"] = "unknown"
    attrs: Attributes = Field(default_factory=dict, description="Anything else worth filtering by.")


def _stored(raw: dict[str, Any], row: PersonRow, _keys: ProbeKeys) -> dict[str, Any]:
    if "email" not in raw:
        return raw
    kept = {key: value for key, value in raw.items() if key != "email"}
    return {**kept, "email_sha256": email_digest(row.email)} if row.email else kept


def engine_row(row: PersonRow, _received: datetime) -> dict[str, Any]:
    """The row of the engine's table `people`."""
    return {
        "source": row.source or "api",
        "id": row.id,
        "name": row.name,
        "email_sha256": email_digest(row.email) if row.email else row.email_sha256,
        "account_id": row.account_id,
        "role": row.role,
        "consent": row.consent,
        "attrs": row.attrs,
    }


PEOPLE = Source("people", "people", PersonRow, _stored, engine_row)
