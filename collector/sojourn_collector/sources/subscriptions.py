"""Source `subscriptions`: what recurs, how it stands, and why it was ended."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AliasChoices, BeforeValidator, Field, model_validator

from sojourn_collector.sources.base import Secrets, Source
from sojourn_collector.sources.email import Email, EmailDigest, digest_of, without_email
from sojourn_collector.sources.feedback import free_text
from sojourn_collector.sources.fields import Amount, Currency, Identifier, Instant, OptionalIdentifier, OptionalInstant, PlannedInstant, Row, Short
from sojourn_collector.sources.sentences import refusal


class SubscriptionRow(Row):
    """One subscription as it stands now; a later version of the same id replaces it."""

    id: Identifier = Field(description="Id of the subscription; the same id again replaces it.")
    source: OptionalIdentifier = Field("api", description="The feed it came by.")
    at: Instant = Field(description="When it began, with time zone.")
    status: Literal["trialing", "active", "past_due", "paused", "ended"] = Field("active", description="How it stands.")
    mrr: Amount | None = Field(None, description="What it brings a month, in major units.")
    currency: Currency | None = Field(None, description="ISO 4217 code of mrr.")
    interval: Short = Field("", description="How often it is paid, such as month or year.")
    plan: Short = ""
    renews_at: PlannedInstant = Field(None, description="When it is paid the next time.")
    cancel_at: PlannedInstant = Field(None, description="When it ends, if that is known before.")
    ended_at: OptionalInstant = Field(None, description="When it ended.")
    reason: Short = Field("", description="Why it ended, in your tool's word.")
    comment: Annotated[str, BeforeValidator(free_text)] = Field("", description="Why it ended, in the customer's words.")
    user_id: OptionalIdentifier = Field("", validation_alias=AliasChoices("user_id", "user.id"))
    email: Email = ""
    email_sha256: EmailDigest = ""
    account_id: OptionalIdentifier = ""

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        if self.mrr is not None and self.mrr < 0:
            raise refusal(f"mrr: {self.mrr} is negative")
        if self.mrr is not None and self.currency is None:
            raise refusal("currency is missing: mrr needs one, such as EUR")
        return self


def _stored(raw: dict[str, Any], row: SubscriptionRow, _keys: Secrets) -> dict[str, Any]:
    kept = without_email(raw, row.email)
    return {**kept, "comment": row.comment} if "comment" in kept else kept


def engine_row(row: SubscriptionRow, received: datetime) -> dict[str, Any]:
    """The row of the engine's table `subscriptions`."""
    return {
        "source": row.source or "api",
        "id": row.id,
        "ts": row.at,
        "received": received,
        "status": row.status,
        "mrr": row.mrr,
        "currency": row.currency or "",
        "interval": row.interval,
        "plan": row.plan,
        "renews_at": row.renews_at,
        "cancel_at": row.cancel_at,
        "ended_at": row.ended_at,
        "reason": row.reason,
        "comment": row.comment,
        "user_id": row.user_id,
        "email_sha256": digest_of(row.email, row.email_sha256),
        "account_id": row.account_id,
    }


SUBSCRIPTIONS = Source("subscriptions", "subscriptions", SubscriptionRow, _stored, engine_row)
