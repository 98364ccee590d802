"""What the endpoint answers: how many rows were taken, and one sentence for each that was not."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class RowError(BaseModel):
    """Why one row was not taken. `row` counts from 0 in the order sent; for NDJSON it counts the lines that are not empty."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    row: int
    error: str


class Taken(BaseModel):
    """Body of the answer to `POST /api/v1/in/{source}`. Accepted rows are on disk when this is sent."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    accepted: int
    rejected: int
    errors: list[RowError] = []
    notes: list[str] = Field(default=[], description="Of a CSV: what was taken for granted, and what is better said, in a sentence each.")

    def answer(self) -> dict[str, Any]:
        """Its JSON; notes stand in it where there are some."""
        return self.model_dump(exclude=None if self.notes else {"notes"})


class Refusal(BaseModel):
    """Body of every other answer: one sentence."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    error: str
