"""`keep:` of collector.yaml: how long data are kept, and in how much room."""

import re
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, ValidationInfo, model_validator

from sojourn_collector.config_model import Model
from sojourn_collector.quantities import Size


def _kept(value: Any, info: ValidationInfo) -> Any:
    if value is None or (isinstance(value, int) and not info.context):
        return value
    match = re.fullmatch(r"(\d{1,5})\s*([dy])", value) if isinstance(value, str) else None
    if not match:
        raise ValueError(f"{str(value)[:40]!r} is no time to keep data; write whole days or years, such as 30d or 5y")
    return int(match[1]) * (365 if match[2] == "y" else 1)


Kept = Annotated[int, BeforeValidator(_kept)]


class Keep(Model):
    """How long data are kept, in whole days, and how much room they may take."""

    raw: Kept = Field(default=30, ge=2, le=3650, description="Days or years spans, log records and metrics are kept, such as 30d.")
    runs: Kept = Field(default=400, ge=2, le=3650, description="The same for sessions, runs, steps and usage, and for sums by the hour.")
    rollups: Kept = Field(
        default=1825, ge=2, le=36_500, description="The same for sums of runs and steps by the day, which hold nobody's identity, and of spans by the minute."
    )
    feedback: Kept | None = Field(
        default=None, ge=30, le=36_500, description="The same for feedback, tickets and invitations; without it for ever, as orders are."
    )
    disk: Size | None = Field(
        default=None, ge=1 << 30, description="Most bytes of the engine's tables; beyond it the oldest days of raw data go, and /readyz and the report say so."
    )
    free: Size | None = Field(
        default=None, ge=1 << 20, description="Fewest bytes left on their volume; below it the oldest days of raw data go too, whoever took the room."
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        for longer, shorter, why in (("runs", "raw", "runs are made of raw data"), ("rollups", "runs", "they are what is left of runs")):
            if getattr(self, longer) < getattr(self, shorter):
                raise ValueError(f"{longer} must not be kept shorter than {shorter} ({why}); give {longer} at least {getattr(self, shorter)}d")
        return self
