"""What the endpoint answers: how many rows were taken, and one sentence for each that was not."""

from pydantic import BaseModel, ConfigDict


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


class Refusal(BaseModel):
    """Body of every other answer: one sentence."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    error: str
