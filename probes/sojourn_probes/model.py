"""The base of everything a journey file may say: frozen, and unknown keys are refused."""

from pydantic import BaseModel, ConfigDict


class Model(BaseModel):
    """Base of the journey language's models."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True, hide_input_in_errors=True)
