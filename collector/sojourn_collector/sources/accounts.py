"""Source `accounts`: the customers as companies, with plan, segment and recurring revenue."""

from datetime import datetime
from typing import Any, Self

from pydantic import Field, model_validator

from sojourn_collector.sources.base import Secrets, Source
from sojourn_collector.sources.fields import Amount, Attributes, CalendarDate, Currency, Identifier, OptionalIdentifier, Row, Short
from sojourn_collector.sources.sentences import refusal


class AccountRow(Row):
    """One account as it stands now."""

    id: Identifier = Field(description="Id of the account, as `account_id` of other rows and beacons.")
    source: OptionalIdentifier = Field("api", description="The feed it came by.")
    name: Short = ""
    plan: Short = ""
    segment: Short = ""
    owner: Short = Field("", description="Who looks after it.")
    mrr: Amount | None = Field(None, description="Monthly recurring revenue in major units.")
    currency: Currency | None = Field(None, description="ISO 4217 code of mrr.")
    lifecycle: Short = ""
    renewal_date: CalendarDate = None
    attrs: Attributes = Field(default_factory=dict, description="Anything else worth filtering by.")

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        if self.mrr is not None and self.mrr < 0:
            raise refusal(f"mrr: {self.mrr} is negative")
        if self.mrr is not None and self.currency is None:
            raise refusal("currency is missing: mrr needs one, such as EUR")
        return self


def _stored(raw: dict[str, Any], _row: AccountRow, _keys: Secrets) -> dict[str, Any]:
    return raw


def engine_row(row: AccountRow, _received: datetime) -> dict[str, Any]:
    """The row of the engine's table `accounts`."""
    return {
        "source": row.source or "api",
        "id": row.id,
        "name": row.name,
        "plan": row.plan,
        "segment": row.segment,
        "owner": row.owner,
        "mrr": row.mrr,
        "currency": row.currency or "",
        "lifecycle": row.lifecycle,
        "renewal_date": row.renewal_date,
        "attrs": row.attrs,
    }


ACCOUNTS = Source("accounts", "accounts", AccountRow, _stored, engine_row)
