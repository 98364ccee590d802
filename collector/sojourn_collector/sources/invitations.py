"""Source `invitations`: surveys that were sent or shown. Without them nobody knows how many did not answer."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from pydantic import AliasChoices, Field

from sojourn_collector.sources.base import Secrets, Source, latest
from sojourn_collector.sources.email import Email, EmailDigest, digest_of, without_email
from sojourn_collector.sources.fields import Identifier, Instant, OptionalIdentifier, Row, Short, TraceId

_FINAL = ("bounced", "answered")


class InvitationRow(Row):
    """One person asked once; a later version of the same id replaces it."""

    id: Identifier = Field(description="Id of the invitation; the same id again replaces it.")
    source: OptionalIdentifier = Field("api", description="The feed it came by, the same as of the answers.")
    at: Instant = Field(description="When it was sent or shown, with time zone.")
    status: Literal["sent", "shown", "dismissed", "answered", "bounced"] = Field(
        "sent", description="What became of it; one that `bounced` reached nobody and does not count."
    )
    channel: Short = Field("", description="Such as email or web.")
    survey_id: OptionalIdentifier = Field("", description="The survey, as its answers name it.")
    session_id: OptionalIdentifier = Field("", validation_alias=AliasChoices("session_id", "session.id"), description="The visit it was shown in.")
    trace_id: TraceId = ""
    user_id: OptionalIdentifier = Field("", validation_alias=AliasChoices("user_id", "user.id"))
    email: Email = ""
    email_sha256: EmailDigest = ""
    account_id: OptionalIdentifier = ""
    order_id: OptionalIdentifier = ""
    ticket_id: OptionalIdentifier = ""
    journey: OptionalIdentifier = ""
    step: OptionalIdentifier = ""


def _stored(raw: dict[str, Any], row: InvitationRow, _keys: Secrets) -> dict[str, Any]:
    return without_email(raw, row.email)


def engine_row(row: InvitationRow, received: datetime) -> dict[str, Any]:
    """The row of the engine's table `invitations`, not yet joined."""
    return {
        "source": row.source or "api",
        "id": row.id,
        "ts": row.at,
        "received": received,
        "status": row.status,
        "channel": row.channel,
        "survey_id": row.survey_id,
        "journey": row.journey,
        "step": row.step,
        "user_id": row.user_id,
        "email_sha256": digest_of(row.email, row.email_sha256),
        "account_id": row.account_id,
        "order_id": row.order_id,
        "ticket_id": row.ticket_id,
        "trace_id": row.trace_id,
        "given_session_id": row.session_id,
    }


def fold(said: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """One invitation of what events say of it: it was sent when it was first, and what ended it stays."""
    row = latest(said)
    row["at"] = min((str(one["at"]) for one in said if one.get("at")), default="")
    for status in _FINAL:
        if any(one.get("status") == status for one in said):
            row["status"] = status
            break
    return row


INVITATIONS = Source("invitations", "invitations", InvitationRow, _stored, engine_row, fold=fold)
