"""Source `tickets`: cases at the support desk, with when they were opened, first answered, solved and opened again."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AliasChoices, BeforeValidator, Field, model_validator

from sojourn_collector.sources.base import Secrets, Source, latest
from sojourn_collector.sources.email import Email, EmailDigest, digest_of, without_email
from sojourn_collector.sources.fields import Count, Identifier, Instant, OptionalIdentifier, OptionalInstant, Row, Short, TraceId, text
from sojourn_collector.sources.scrub import scrub
from sojourn_collector.sources.sentences import refusal

Status = Literal["new", "open", "pending", "on_hold", "solved", "closed"]
SOLVED = frozenset(("solved", "closed"))


def _topic(value: Any) -> str:
    if value is None:
        return ""
    read = scrub(text(value))
    return read if len(read) <= 200 else f"{read[:199]}…"


class TicketRow(Row):
    """One case as it stands now; a later version of the same id replaces it."""

    id: Identifier = Field(description="Id of the case; the same id again replaces it.")
    source: OptionalIdentifier = Field("api", description="The feed it came by.")
    at: Instant = Field(description="When it was opened, with time zone.")
    status: Status = Field("open", description="How it stands.")
    priority: Short = Field("", description="Such as low, normal, high, urgent.")
    topic: Annotated[str, BeforeValidator(_topic)] = Field("", description="What it is about, in a word or a line; cut at 200 characters.")
    channel: Short = Field("", description="Where it came in, such as email or chat.")
    first_reply_at: OptionalInstant = Field(None, description="When somebody of yours answered for the first time.")
    solved_at: OptionalInstant = Field(None, description="When it was solved, the last time; none while it is open.")
    reopens: Count = Field(0, description="How often it was opened again after it was solved.")
    updated_at: OptionalInstant = Field(None, description="When it last changed.")
    session_id: OptionalIdentifier = Field("", validation_alias=AliasChoices("session_id", "session.id"), description="The visit it is about.")
    trace_id: TraceId = ""
    user_id: OptionalIdentifier = Field("", validation_alias=AliasChoices("user_id", "user.id"), description="Who asked.")
    email: Email = ""
    email_sha256: EmailDigest = ""
    account_id: OptionalIdentifier = ""
    order_id: OptionalIdentifier = ""
    journey: OptionalIdentifier = ""
    step: OptionalIdentifier = ""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        for name in ("first_reply_at", "solved_at"):
            moment = getattr(self, name)
            if moment is not None and moment < self.at:
                raise refusal(f"{name} is before the case was opened")
        return self


def _stored(raw: dict[str, Any], row: TicketRow, _keys: Secrets) -> dict[str, Any]:
    kept = without_email(raw, row.email)
    return {**kept, "topic": row.topic} if "topic" in kept else kept


def engine_row(row: TicketRow, received: datetime) -> dict[str, Any]:
    """The row of the engine's table `tickets`, not yet joined."""
    return {
        "source": row.source or "api",
        "id": row.id,
        "ts": row.at,
        "received": received,
        "updated": row.updated_at or received,
        "status": row.status,
        "priority": row.priority,
        "topic": row.topic,
        "channel": row.channel,
        "first_reply_at": row.first_reply_at,
        "solved_at": row.solved_at if row.status in SOLVED else None,
        "reopens": row.reopens,
        "journey": row.journey,
        "step": row.step,
        "user_id": row.user_id,
        "email_sha256": digest_of(row.email, row.email_sha256),
        "account_id": row.account_id,
        "order_id": row.order_id,
        "trace_id": row.trace_id,
        "given_session_id": row.session_id,
    }


def fold(said: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """One case of what events say of it, oldest first. `updated_at` is the time of each.

    Going from solved to anything else is opening it again; the first of all replies counts. What a vendor says of these itself is taken as it is.
    """
    row = latest(said)
    replies = [str(one["first_reply_at"]) for one in said if one.get("first_reply_at")]
    if replies:
        row["first_reply_at"] = min(replies)
    before, solved_at, reopens = "", "", 0
    for one in said:
        status = str(one.get("status") or before)
        if before in SOLVED and status not in SOLVED:
            reopens += 1
        if status in SOLVED and before not in SOLVED:
            solved_at = str(one.get("solved_at") or one.get("updated_at") or "")
        before = status
    if "reopens" not in row:
        row["reopens"] = reopens
    row.pop("solved_at", None)
    if before in SOLVED and solved_at:
        row["solved_at"] = solved_at
    return row


TICKETS = Source("tickets", "tickets", TicketRow, _stored, engine_row, fold=fold)
