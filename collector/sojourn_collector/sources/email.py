"""E-mail addresses in rows: taken, and only ever kept as their SHA-256, by which a person is recognised across sources."""

import hashlib
import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from sojourn_collector.sources.fields import text
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


Email = Annotated[str, BeforeValidator(_email), Field(description="Kept only as its SHA-256.")]
EmailDigest = Annotated[str, BeforeValidator(_digest), Field(description="SHA-256 of the trimmed address in small letters, instead of `email`.")]


def digest_of(email: str, digest: str) -> str:
    """The digest of the address, or the one given in its place."""
    return email_digest(email) if email else digest


def without_email(raw: Mapping[str, Any], email: str) -> dict[str, Any]:
    """A row as it is kept: its address as a digest."""
    kept = {key: value for key, value in raw.items() if key != "email"}
    return {**kept, "email_sha256": email_digest(email)} if email else kept
