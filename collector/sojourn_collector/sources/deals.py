"""Source `deals`: what is being sold to an account, how far that is, and who sells it."""

from datetime import datetime
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from sojourn_collector.sources.base import Secrets, Source
from sojourn_collector.sources.fields import Amount, CalendarDate, Currency, Identifier, Number, OptionalIdentifier, Row, Short
from sojourn_collector.sources.sentences import refusal


class DealRow(Row):
    """One deal as it stands now."""

    id: Identifier = Field(description="Id of the deal; the same id again replaces it.")
    source: OptionalIdentifier = Field("api", description="The feed it came by.")
    account_id: OptionalIdentifier = Field("", description="The account it is with.")
    name: Short = ""
    amount: Amount | None = Field(None, description="What it is worth, in major units.")
    currency: Currency | None = Field(None, description="ISO 4217 code of amount.")
    stage: Short = Field("", description="How far it is, in a word of yours.")
    probability: Number = Field(None, description="How likely it is won, from 0 to 1, if you say so.")
    closes_on: CalendarDate = Field(None, description="The day it is expected to be decided.")
    owner: Short = Field("", description="Who looks after it.")
    status: Literal["open", "won", "lost"] = "open"

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        if self.amount is not None and self.amount < 0:
            raise refusal(f"amount: {self.amount} is negative")
        if self.amount is not None and self.currency is None:
            raise refusal("currency is missing: amount needs one, such as EUR")
        if self.probability is not None and not 0 <= self.probability <= 1:
            raise refusal(f"probability: {self.probability:g} is not between 0 and 1; 60 % is 0.6")
        return self


def _stored(raw: dict[str, Any], _row: DealRow, _keys: Secrets) -> dict[str, Any]:
    return raw


def engine_row(row: DealRow, _received: datetime) -> dict[str, Any]:
    """The row of the engine's table `deals`."""
    return {
        "source": row.source or "api",
        "id": row.id,
        "account_id": row.account_id,
        "name": row.name,
        "amount": row.amount,
        "currency": row.currency or "",
        "stage": row.stage,
        "probability": row.probability,
        "closes_on": row.closes_on,
        "owner": row.owner,
        "status": row.status,
    }


DEALS = Source("deals", "deals", DealRow, _stored, engine_row)
