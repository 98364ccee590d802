"""Source `orders`: what was bought, for how much, and what of it was given back."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, Self

from pydantic import AliasChoices, Field, model_validator

from sojourn_collector.sources.base import Secrets, Source, latest
from sojourn_collector.sources.email import Email, EmailDigest, digest_of, without_email
from sojourn_collector.sources.fields import Amount, Currency, Identifier, Instant, OptionalIdentifier, Row, Short, TraceId
from sojourn_collector.sources.sentences import refusal
from sojourn_probes.marks import verify_mark


class OrderRow(Row):
    """One order as it stands now; a later version of the same id replaces it."""

    id: Identifier = Field(description="Id of the order; the same id again replaces it.")
    source: OptionalIdentifier = Field("api", description="The feed it came by.")
    purchase_id: OptionalIdentifier = Field("", description="Id of the purchase where other feeds name it too; orders that name the same one count once.")
    at: Instant = Field(description="When it was placed, with time zone.")
    amount: Amount = Field(description='Worth in major units, a number or a text such as "62.00".')
    currency: Currency = Field(description="ISO 4217 code.")
    status: Literal["completed", "cancelled", "refunded"] = Field("completed", description="A cancelled order counts nothing.")
    refunded: Amount | None = Field(None, description="What was given back; `refunded` without it means all.")
    channel: Short = Field("", description="Where it was placed, such as web or phone.")
    session_id: OptionalIdentifier = Field("", validation_alias=AliasChoices("session_id", "session.id"), description="The visit it belongs to.")
    trace_id: TraceId = ""
    user_id: OptionalIdentifier = Field("", validation_alias=AliasChoices("user_id", "user.id"))
    email: Email = ""
    email_sha256: EmailDigest = ""
    account_id: OptionalIdentifier = ""
    probe: bool = Field(False, description="True when one of your probes placed it; it then never counts as business.", strict=True)
    probe_mark: Short = Field("", description="The header x-sojourn-probe of the request that placed it.")

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        if self.amount < 0:
            raise refusal(f"amount: {self.amount} is negative; what was given back goes into refunded of its order")
        if self.refunded is not None and not 0 <= self.refunded <= self.amount:
            raise refusal(f"refunded: {self.refunded} is not between 0 and the amount {self.amount}")
        return self


def _stored(raw: dict[str, Any], row: OrderRow, keys: Secrets) -> dict[str, Any]:
    """A mark is checked at the door and against the order's own time: it is valid for an hour, an order may be sent days later."""
    raw = without_email(raw, row.email)
    if not row.probe_mark:
        return raw
    kept = {key: value for key, value in raw.items() if key != "probe_mark"}
    return {**kept, "probe": row.probe or verify_mark(row.probe_mark, keys.probe_keys, row.at.timestamp()) is not None}


def purchase_of(row: OrderRow) -> str:
    """The id under which other feeds know the purchase. Without a feed of its own a row is the shop's, whose ids all use; ids of other feeds are their own."""
    return row.purchase_id or (row.id if row.source in ("", "api") else "")


def engine_row(row: OrderRow, received: datetime) -> dict[str, Any]:
    """The row of the engine's table `orders`, not yet joined."""
    return {
        "source": row.source or "api",
        "id": row.id,
        "purchase": purchase_of(row),
        "ts": row.at,
        "received": received,
        "amount": row.amount,
        "refunded": row.refunded if row.refunded is not None else row.amount if row.status == "refunded" else Decimal(0),
        "currency": row.currency,
        "status": row.status,
        "probe": row.probe,
        "channel": row.channel,
        "user_id": row.user_id,
        "email_sha256": digest_of(row.email, row.email_sha256),
        "account_id": row.account_id,
        "trace_id": row.trace_id,
        "given_session_id": row.session_id,
    }


def fold(said: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """One order of what events say of it. `refunds` are by their own id, so that none counts twice; together they are what was given back."""
    row = latest(said)
    refunds: dict[str, Decimal] = {}
    for one in said:
        refunds |= one.get("refunds", {})
    row.pop("refunds", None)
    if refunds and "amount" in row:
        row["refunded"] = min(sum(refunds.values(), Decimal(0)), Decimal(str(row["amount"])))
        row["status"] = "refunded" if row["refunded"] == Decimal(str(row["amount"])) else row.get("status", "completed")
    return row


ORDERS = Source("orders", "orders", OrderRow, _stored, engine_row, has_watermark=True, fold=fold)
