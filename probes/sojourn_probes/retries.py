"""How often and how soon a failed attempt is made again."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from sojourn_probes.model import Model
from sojourn_probes.naming import Flag
from sojourn_probes.semconv import FailureKind
from sojourn_probes.units import Duration


class Backoff(Model):
    """How long to wait before the next attempt."""

    first: Annotated[Duration, Field(ge=0, le=60)] = Field(1.0, description="before the second attempt")
    growth: Literal["fixed", "linear", "exponential"] = Field(
        "fixed", description="fixed: the same each time; linear: 1, 2, 3 times; exponential: 1, 2, 4 times"
    )
    most: Annotated[Duration, Field(gt=0, le=300)] = Field(60.0, description="never longer than this")
    jitter: Flag = Field(True, description="take between half and all of it, by chance, so that agents do not come together")

    def seconds(self, attempt: int, chance: float) -> float:
        """How long to wait after `attempt` (from 1) failed; `chance` is between 0 and 1."""
        factor: int = {"fixed": 1, "linear": attempt, "exponential": 2 ** (attempt - 1)}[self.growth]
        whole = min(self.first * factor, self.most)
        return whole * (0.5 + chance / 2) if self.jitter else whole

    @property
    def longest(self) -> tuple[float, ...]:
        """How long each wait can be at most, for up to five retries."""
        return tuple(self.model_copy(update={"jitter": False}).seconds(attempt, 0) for attempt in range(1, 6))


def _backoff(value: Any) -> Any:
    return {"first": value, "jitter": False} if isinstance(value, str | int | float) and not isinstance(value, bool) else value


class Retries(Model):
    """More attempts after a failed one."""

    max: Annotated[int, Field(strict=True, ge=0, le=5)] = Field(0, description="how many more attempts, at most")
    only_on: tuple[FailureKind, ...] = Field((), description="retry only after failures of these kinds; default all but secret and config")
    backoff: Annotated[Backoff, BeforeValidator(_backoff, json_schema_input_type=Annotated[Duration, Field(ge=0, le=60)] | Backoff)] = Field(
        default_factory=lambda: Backoff.model_construct(first=0.0, growth="fixed", most=60.0, jitter=False),
        description="how long to wait before the next attempt",
    )


def _retries(value: Any) -> Any:
    return {"max": value} if isinstance(value, int) and not isinstance(value, bool) else value


RetriesField = Annotated[Retries, BeforeValidator(_retries, json_schema_input_type=Annotated[int, Field(ge=0, le=5)] | Retries)]
"""A number, or the long form."""
